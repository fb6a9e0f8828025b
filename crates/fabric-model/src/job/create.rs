//! `CreateJob`: POST `/v1/workspaces/{workspace_id}/jobs`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{
    JobDescription, JobEndpointId, JobName, JobReference, JobType, JobVersionInput, Jobs, version,
};
use crate::workspace::WorkspacePath;
use crate::{Example, Nothing, Operation, Request};

/// Creates a job and its first version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateJob;

impl Operation for CreateJob {
    const ID: &'static str = "CreateJob";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/jobs";
    const SUCCESS: StatusCode = StatusCode::ACCEPTED;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:job:create");
    const SUMMARY: &'static str = "Create a job";
    const DESCRIPTION: &'static str = "Creates a job with its first version, which is the current one, and \
        answers the ids of both. The job is there at once.\n\n\
        Not documented, but decided here:\n\n\
        * The same name may be used twice.\n\
        * `current_endpoint_id` need not be an endpoint that exists.\n\
        * `config` need not have the part for the type of the job. The mock server has a stricter profile, in \
        which it must.\n\
        * A new job is `PRIVATE`.";
    const ID_IN_RESPONSE: Option<&'static str> = Some("/id");

    type Resource = Jobs;
    type Path = WorkspacePath;
    type Query = Nothing;
    type Body = JobCreate;
    type Response = JobReference;

    fn example() -> Example<Self> {
        let body = JobCreate {
            name: "name".to_owned(),
            description: Some("description".to_owned()),
            r#type: JobType::Python,
            version: version::example_input(),
            current_endpoint_id: Some("0b5633ba2b904511ad514346f4d23d4b".to_owned()),
        };
        let path = crate::workspace::example_path();
        Example {
            request: Request { path, query: Nothing {}, body },
            response: super::example_reference(),
        }
    }
}

/// What a job is to be. Name, type and version are required; no field may be `null`.
#[contract(request)]
pub struct JobCreate {
    /// The name: 1 to 64 letters, digits, hyphens, underscores, Chinese characters, dots and spaces.
    #[rule(like = JobName)]
    pub name: String,

    /// What it is for: 0 to 1,024 characters other than `! < > = & " '`.
    #[rule(like = JobDescription)]
    pub description: Option<String>,

    /// What it runs with.
    #[rule(known)]
    pub r#type: JobType,

    /// The first version.
    #[rule(nested)]
    pub version: JobVersionInput,

    /// The endpoint that is to run it: 32 to 36 letters, digits and hyphens.
    #[rule(like = JobEndpointId)]
    pub current_endpoint_id: Option<String>,
}
