//! `DeleteWorkspace`: DELETE `/v1/workspaces/{workspace_id}`.

use http::{Method, StatusCode};

use super::{WorkspacePath, Workspaces};
use crate::{Example, Nothing, Operation, Request};

/// Deletes a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleteWorkspace;

impl Operation for DeleteWorkspace {
    const ID: &'static str = "DeleteWorkspace";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:workspace:drop");
    const SUMMARY: &'static str = "Delete a workspace";
    const DESCRIPTION: &'static str = "Deletes a workspace and answers without a body.\n\n\
        Not documented, but decided here: a workspace with endpoints, jobs or models in it is not deleted; the \
        answer is 400, and its message names what is in it. The tags of a workspace, its metrics setting and its \
        message policies go with it.";

    type Resource = Workspaces;
    type Path = WorkspacePath;
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
