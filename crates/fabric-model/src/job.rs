//! The job: a program that a workspace runs, in versions of which one is current.

mod config;
mod create;
mod delete;
mod list;
mod python;
mod ray;
mod spark;
mod update;
mod version;

use fabric_model_macros::contract;

pub use config::JobConfig;
pub use create::{CreateJob, JobCreate};
pub use delete::DeleteJob;
pub use list::{JobPage, ListJobs, ListJobsQuery};
pub use python::PythonJobConfig;
pub use ray::{JobEnvironment, RayJobConfig};
pub use spark::SparkJobConfig;
pub use update::{JobUpdate, UpdateJob};
pub(crate) use version::example as example_version;
pub use version::{AnsweredJobVersionId, JobVersion, JobVersionInput, JobVersionName};

use crate::open_enum::open_enum;
use crate::text::text;
use crate::user::{self, User};
use crate::visibility::Visibility;
use crate::workspace::{WorkspaceId, Workspaces};
use crate::{Identified, Resource, ResourceInfo};

/// The jobs of a workspace.
#[derive(Clone, Copy, Debug)]
pub struct Jobs;

impl Resource for Jobs {
    const NAME: &'static str = "jobs";
    const SINGULAR: &'static str = "job";
    const DESCRIPTION: &'static str =
        "Programs that a workspace runs, in versions of which one is current";
    const ID_PARAMETER: Option<&'static str> = Some("job_id");
    const OWNER: Option<&'static ResourceInfo> = Some(Workspaces::INFO);

    type Answer = Job;
}

text! {
    /// Names a job in a path or a query: 32 to 36 letters, digits and hyphens.
    JobId, field "job_id", schema "JobIdParameter" described "Names a job.",
    32 to 36 of ID, example "0b5633ba2b904511ad514346f4d23d4b"
}

text! {
    /// The id of a job in an answer: 1 to 36 letters, digits and hyphens.
    AnsweredJobId, field "id", schema "AnsweredJobId" described "The id of a job.",
    1 to 36 of ID, example "b935d0ef-f4eb-4b95-aff1-9d33ae9f57b6"
}

text! {
    /// The name of a job: 1 to 64 letters, digits, hyphens, underscores, Chinese characters, dots and spaces.
    JobName, field "name", schema "JobName" described "The name of a job.",
    1 to 64 of NAME, example "name"
}

text! {
    /// What a job is for, in the words of its users: 0 to 1,024 characters other than `! < > = & " '`.
    JobDescription, field "description", schema "JobDescription" described "What a job is for.",
    0 to 1024 of PLAIN, example "description"
}

text! {
    /// The endpoint that runs a job: 32 to 36 letters, digits and hyphens.
    JobEndpointId, field "endpoint_id", schema "JobEndpointId" described "The endpoint that runs a job.",
    32 to 36 of ID, example "0b5633ba2b904511ad514346f4d23d4b"
}

open_enum! {
    /// What a job runs with.
    JobType described "What a job runs with.", example "RAY_JOB" {
        /// Ray.
        Ray = "RAY_JOB",
        /// Python.
        Python = "PYTHON_JOB",
        /// Apache Spark.
        Spark = "SPARK_JOB",
    }
}

/// A job, as the service answers it. Each field may be absent.
#[contract(answer)]
#[derive(Default)]
pub struct Job {
    /// The id: 1 to 36 letters, digits and hyphens.
    #[rule(like = AnsweredJobId)]
    pub id: Option<String>,

    /// The workspace: 1 to 36 letters, digits and hyphens.
    #[rule(like = WorkspaceId)]
    pub workspace_id: Option<String>,

    /// The name: 1 to 64 letters, digits, hyphens, underscores, Chinese characters, dots and spaces.
    #[rule(like = JobName)]
    pub name: Option<String>,

    /// What it is for: 0 to 1,024 characters other than `! < > = & " '`.
    #[rule(like = JobDescription)]
    pub description: Option<String>,

    /// What it runs with.
    pub r#type: Option<JobType>,

    /// The version that runs.
    #[rule(nested)]
    pub current_version: Option<JobVersion>,

    /// The endpoint that runs it: 32 to 36 letters, digits and hyphens.
    #[rule(like = JobEndpointId)]
    pub current_endpoint_id: Option<String>,

    /// Who may see it.
    #[rule(inline, default = "PRIVATE")]
    pub visibility: Option<Visibility>,

    /// Who created it.
    #[rule(nested)]
    pub create_user: Option<User>,

    /// When it was created.
    #[rule(format = "date-time", example = "2023-05-30T12:24:30.401Z")]
    pub create_time: Option<String>,

    /// Who last changed it.
    #[rule(nested)]
    pub update_user: Option<User>,

    /// When it was last changed.
    #[rule(format = "date-time", example = "2023-05-30T12:24:30.401Z")]
    pub update_time: Option<String>,
}

impl Identified for Job {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

/// A job and one of its versions by their ids.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct JobReference {
    /// The id of the job: 1 to 36 letters, digits and hyphens.
    #[rule(required, like = AnsweredJobId)]
    pub id: Option<String>,

    /// The id of the version: 1 to 36 letters, digits and hyphens.
    #[rule(like = AnsweredJobVersionId)]
    pub version_id: Option<String>,
}

/// The path of the operations on one job.
#[contract(path)]
#[derive(Eq)]
pub struct JobPath {
    /// The id of the workspace: 1 to 36 letters, digits and hyphens.
    pub workspace_id: WorkspaceId,

    /// The id of the job: 32 to 36 letters, digits and hyphens.
    pub job_id: JobId,
}

/// The job of the documentation's examples.
fn example() -> Job {
    Job {
        id: Some(example_path().job_id.into()),
        workspace_id: Some(example_path().workspace_id.into()),
        name: Some("name".to_owned()),
        description: Some("description".to_owned()),
        r#type: Some(JobType::Python),
        current_version: Some(version::example()),
        current_endpoint_id: Some("0b5633ba2b904511ad514346f4d23d4b".to_owned()),
        visibility: Some(Visibility::Private),
        create_user: Some(user::example()),
        create_time: Some("2023-05-30T12:24:30.401Z".to_owned()),
        update_user: Some(user::example()),
        update_time: Some("2023-05-30T12:24:30.401Z".to_owned()),
    }
}

fn example_reference() -> JobReference {
    JobReference { id: Some(example_path().job_id.into()), version_id: version::example().id }
}

pub(crate) fn example_path() -> JobPath {
    let job_id = JobId::try_from("b935d0ef-f4eb-4b95-aff1-9d33ae9f57b6");
    JobPath {
        workspace_id: crate::workspace::example_path().workspace_id,
        job_id: job_id.expect("a UUID is an id"),
    }
}
