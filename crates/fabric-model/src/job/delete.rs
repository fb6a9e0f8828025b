//! `DeleteJob`: DELETE `/v1/workspaces/{workspace_id}/jobs/{job_id}`.

use http::{Method, StatusCode};

use super::{JobPath, Jobs};
use crate::{Example, Nothing, Operation, Request};

/// Deletes a job with its versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleteJob;

impl Operation for DeleteJob {
    const ID: &'static str = "DeleteJob";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/jobs/{job_id}";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:job:drop");
    const SUMMARY: &'static str = "Delete a job";
    const DESCRIPTION: &'static str =
        "Deletes a job with all its versions, at once, and answers without a body.";

    type Resource = Jobs;
    type Path = JobPath;
    type Query = Nothing;
    type Body = Nothing;
    type Response = Nothing;

    fn example() -> Example<Self> {
        Example {
            request: Request { path: super::example_path(), query: Nothing {}, body: Nothing {} },
            response: Nothing {},
        }
    }
}
