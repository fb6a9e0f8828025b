//! `DeleteJobVersion`: DELETE `/v1/workspaces/{workspace_id}/jobs/{job_id}/versions/{version_id}`.

use http::{Method, StatusCode};

use super::{JobVersionId, JobVersionPath, JobVersions};
use crate::{Example, Nothing, Operation, Request};

/// Deletes a version of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleteJobVersion;

impl Operation for DeleteJobVersion {
    const ID: &'static str = "DeleteJobVersion";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/jobs/{job_id}/versions/{version_id}";
    const SUCCESS: StatusCode = StatusCode::ACCEPTED;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:job:drop");
    const SUMMARY: &'static str = "Delete a version of a job";
    const DESCRIPTION: &'static str = "Deletes a version of a job, at once, and answers without a body.\n\n\
        Not documented, but decided here: the current version is not deleted; 400 says so. Make another version \
        the current one first, or delete the job.";

    type Resource = JobVersions;
    type Path = JobVersionPath;
    type Query = Nothing;
    type Body = Nothing;
    type Response = Nothing;

    fn example() -> Example<Self> {
        let version_id = JobVersionId::try_from("0b5633ba2b904511ad514346f4d23d4b");
        let job = crate::job::example_path();
        let path = JobVersionPath {
            workspace_id: job.workspace_id,
            job_id: job.job_id,
            version_id: version_id.expect("hexadecimal digits are an id"),
        };
        Example {
            request: Request { path, query: Nothing {}, body: Nothing {} },
            response: Nothing {},
        }
    }
}
