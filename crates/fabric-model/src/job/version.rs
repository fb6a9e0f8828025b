//! A version of a job, as it is asked for and as it is answered.

use fabric_model_macros::contract;

use super::{JobConfig, PythonJobConfig};
use crate::Identified;
use crate::framework::Framework;
use crate::text::text;
use crate::user::{self, User};

text! {
    /// The id of a version of a job in a body: 1 to 36 letters, digits and hyphens.
    AnsweredJobVersionId, field "version_id", schema "AnsweredJobVersionId"
    described "The id of a version of a job.",
    1 to 36 of ID, example "b935d0ef-f4eb-4b95-aff1-9d33ae9f57b7"
}

text! {
    /// The name of a version of a job: 1 to 64 letters, digits, hyphens, underscores, Chinese characters, dots
    /// and spaces.
    JobVersionName, field "name", schema "JobVersionName" described "The name of a version of a job.",
    1 to 64 of NAME, example "name"
}

text! {
    /// What a version of a job is for, in the words of its users: 0 to 1,000 characters other than
    /// `! < > = & " '`.
    JobVersionDescription, field "description", schema "JobVersionDescription"
    described "What a version of a job is for.",
    0 to 1000 of PLAIN, example "description"
}

text! {
    /// A CAP: 32 to 36 letters, digits and hyphens.
    CapId, field "cap_white_list", schema "CapId" described "A CAP.",
    32 to 36 of ID, example "0b5633ba2b904511ad514346f4d23d4b"
}

/// What a version of a job is to be. The name and the configuration are required; no field may be `null`.
#[contract(request)]
#[derive(Default)]
pub struct JobVersionInput {
    /// The name: 1 to 64 letters, digits, hyphens, underscores, Chinese characters, dots and spaces.
    #[rule(like = JobVersionName)]
    pub name: String,

    /// What it is for: 0 to 1,000 characters other than `! < > = & " '`.
    #[rule(like = JobVersionDescription)]
    pub description: Option<String>,

    /// How it runs.
    #[rule(nested)]
    pub config: JobConfig,

    /// The frameworks that it depends on: 0 to 1,000.
    #[rule(items = 0..=1000, nested)]
    pub dependence_framework: Vec<Framework>,

    /// The CAPs that may use it: 0 to 100, each of 32 to 36 letters, digits and hyphens.
    #[rule(items = 0..=100, each = CapId)]
    pub cap_white_list: Vec<String>,
}

/// A version of a job, as the service answers it. Each field may be absent.
#[contract(answer)]
#[derive(Default)]
pub struct JobVersion {
    /// The id: 1 to 36 letters, digits and hyphens.
    #[rule(like = AnsweredJobVersionId)]
    pub id: Option<String>,

    /// The name: 1 to 64 letters, digits, hyphens, underscores, Chinese characters, dots and spaces.
    #[rule(required, like = JobVersionName)]
    pub name: Option<String>,

    /// What it is for: 0 to 1,000 characters other than `! < > = & " '`.
    #[rule(like = JobVersionDescription)]
    pub description: Option<String>,

    /// How it runs.
    #[rule(required, nested)]
    pub config: Option<JobConfig>,

    /// The frameworks that it depends on: 0 to 1,000.
    #[rule(items = 0..=1000, nested)]
    pub dependence_framework: Vec<Framework>,

    /// The CAPs that may use it: 0 to 100, each of 32 to 36 letters, digits and hyphens.
    #[rule(items = 0..=100, each = CapId)]
    pub cap_white_list: Vec<String>,

    /// Who created it.
    #[rule(nested)]
    pub create_user: Option<User>,

    /// When it was created.
    #[rule(format = "date-time", example = "2023-05-30T12:24:30.401Z")]
    pub create_time: Option<String>,
}

impl Identified for JobVersion {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

/// The version of the documentation's examples.
pub(crate) fn example() -> JobVersion {
    let JobVersionInput { name, description, config, dependence_framework, cap_white_list } =
        example_input();
    JobVersion {
        id: Some("b935d0ef-f4eb-4b95-aff1-9d33ae9f57b7".to_owned()),
        name: Some(name),
        description,
        config: Some(config),
        dependence_framework,
        cap_white_list,
        create_user: Some(user::example()),
        create_time: Some("2023-05-30T12:24:30.401Z".to_owned()),
    }
}

pub(super) fn example_input() -> JobVersionInput {
    let python = PythonJobConfig {
        main_file_name: Some("dir/demo.py".to_owned()),
        working_dir: Some("obs://python-job/".to_owned()),
        resource_spec: "mrs.c1m4".to_owned(),
        user_log_path: Some("obs://python-job/log/job1.log".to_owned()),
        ..PythonJobConfig::default()
    };
    JobVersionInput {
        name: "name".to_owned(),
        description: Some("description".to_owned()),
        config: JobConfig { python_job_config: Some(python), ..JobConfig::default() },
        dependence_framework: vec![crate::framework::example()],
        cap_white_list: vec!["0b5633ba2b904511ad514346f4d23d4b".to_owned()],
    }
}
