//! `UpdateWorkspace`: PUT `/v1/workspaces/{workspace_id}`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{
    MetastoreId, Workspace, WorkspaceDescription, WorkspaceName, WorkspacePath, Workspaces,
};
use crate::{Example, Nothing, Operation, Request};

/// Changes a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateWorkspace;

impl Operation for UpdateWorkspace {
    const ID: &'static str = "UpdateWorkspace";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:workspace:alter");
    const SUMMARY: &'static str = "Change a workspace";
    const DESCRIPTION: &'static str = "Changes the name, the description or the metastore of a workspace \
        and answers the workspace. What the request does not name stays as it is.\n\n\
        Not documented, but decided here: `{}` is a success that changes nothing.";

    type Resource = Workspaces;
    type Path = WorkspacePath;
    type Query = Nothing;
    type Body = WorkspaceUpdate;
    type Response = Workspace;

    fn example() -> Example<Self> {
        let response = super::example();
        let body = WorkspaceUpdate {
            name: response.name.clone(),
            description: response.description.clone(),
            metastore_id: response.metastore_id.clone(),
        };
        Example {
            request: Request { path: super::example_path(), query: Nothing {}, body },
            response,
        }
    }
}

/// What is to change. Every field is optional, and none may be `null`.
#[contract(request)]
#[derive(Default, Eq)]
pub struct WorkspaceUpdate {
    /// The new name: 4 to 32 letters, digits, hyphens and underscores.
    #[rule(like = WorkspaceName)]
    pub name: Option<String>,

    /// What it is for: 0 to 255 characters.
    #[rule(like = WorkspaceDescription)]
    pub description: Option<String>,

    /// The instance of LakeFormation that keeps its metadata: 32 to 36 letters, digits and hyphens.
    #[rule(like = MetastoreId)]
    pub metastore_id: Option<String>,
}
