//! `UpdateJob`: PUT `/v1/workspaces/{workspace_id}/jobs/{job_id}`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{
    AnsweredJobVersionId, JobEndpointId, JobName, JobPath, JobReference, JobVersionInput, Jobs,
};
use crate::text::text;
use crate::{Example, Nothing, Operation, Request};

/// Changes a job, and adds a version to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateJob;

impl Operation for UpdateJob {
    const ID: &'static str = "UpdateJob";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/jobs/{job_id}";
    const SUCCESS: StatusCode = StatusCode::ACCEPTED;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:job:alter");
    const SUMMARY: &'static str = "Change a job";
    const DESCRIPTION: &'static str = "Changes the name, the description, the current version or the current \
        endpoint of a job, or adds a version to it, and answers the ids of job and version. What the request \
        does not name stays as it is.\n\n\
        Not documented, but decided here:\n\n\
        * `version` is added as a new version, which becomes the current one unless `current_version_id` names \
        another.\n\
        * `current_version_id` must be a version that the job has already; else 400.\n\
        * `current_endpoint_id` need not be an endpoint that exists.\n\
        * The answer has the id of the version that was added, or else that of the current one.\n\
        * `{}` is a success that changes nothing, the time of the last change included.\n\
        * The summary of the documentation lets an update change the visibility too, but its body has no field \
        for that.";

    type Resource = Jobs;
    type Path = JobPath;
    type Query = Nothing;
    type Body = JobUpdate;
    type Response = JobReference;

    fn example() -> Example<Self> {
        let response = super::example_reference();
        let body = JobUpdate {
            name: Some("name".to_owned()),
            current_version_id: response.version_id.clone(),
            ..JobUpdate::default()
        };
        Example {
            request: Request { path: super::example_path(), query: Nothing {}, body },
            response,
        }
    }
}

text! {
    /// What a job is to be for, in the words of its users: 0 to 1,000 characters other than `! < > = & " '`.
    NewJobDescription, field "description", schema "NewJobDescription" described "What a job is for.",
    0 to 1000 of PLAIN, example "description"
}

/// What is to change. Every field is optional, and none may be `null`.
#[contract(request)]
#[derive(Default)]
pub struct JobUpdate {
    /// The new name: 1 to 64 letters, digits, hyphens, underscores, Chinese characters, dots and spaces.
    #[rule(like = JobName)]
    pub name: Option<String>,

    /// What it is for: 0 to 1,000 characters other than `! < > = & " '`.
    #[rule(like = NewJobDescription)]
    pub description: Option<String>,

    /// A version to add.
    #[rule(nested)]
    pub version: Option<JobVersionInput>,

    /// The version that is to be the current one: 1 to 36 letters, digits and hyphens.
    #[rule(like = AnsweredJobVersionId)]
    pub current_version_id: Option<String>,

    /// The endpoint that is to run it: 32 to 36 letters, digits and hyphens.
    #[rule(like = JobEndpointId)]
    pub current_endpoint_id: Option<String>,
}
