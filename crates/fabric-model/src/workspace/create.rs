//! `CreateWorkspace`: POST /v1/workspaces.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{
    EnterpriseProjectId, MetastoreId, Workspace, WorkspaceDescription, WorkspaceName, Workspaces,
};
use crate::{Example, Nothing, Operation, Request};

/// Creates a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateWorkspace;

impl Operation for CreateWorkspace {
    const ID: &'static str = "CreateWorkspace";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/v1/workspaces";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:workspace:create");
    const SUMMARY: &'static str = "Create a workspace";
    const DESCRIPTION: &'static str = "Creates a workspace and answers it.\n\n\
        Not documented, but decided here: the same name may be used twice.";
    const ID_IN_RESPONSE: Option<&'static str> = Some("/id");

    type Resource = Workspaces;
    type Path = Nothing;
    type Query = Nothing;
    type Body = WorkspaceCreate;
    type Response = Workspace;

    fn example() -> Example<Self> {
        let response = super::example();
        let body = WorkspaceCreate {
            name: "fabric".to_owned(),
            description: response.description.clone(),
            enterprise_project_id: response.enterprise_project_id.clone(),
            metastore_id: response.metastore_id.clone(),
        };
        Example { request: Request { path: Nothing {}, query: Nothing {}, body }, response }
    }
}

/// What a workspace is to be. Only the name is required; no field may be `null`.
#[contract(request)]
#[derive(Default, Eq)]
pub struct WorkspaceCreate {
    /// The name: 4 to 32 letters, digits, hyphens and underscores.
    #[rule(like = WorkspaceName)]
    pub name: String,

    /// What it is for: 0 to 255 characters.
    #[rule(like = WorkspaceDescription)]
    pub description: Option<String>,

    /// The enterprise project, if the account has some: 1 to 64 letters, digits and hyphens. Without it, `0`:
    /// the default one.
    #[rule(like = EnterpriseProjectId)]
    pub enterprise_project_id: Option<String>,

    /// The instance of LakeFormation that keeps its metadata: 32 to 36 letters, digits and hyphens.
    #[rule(like = MetastoreId)]
    pub metastore_id: Option<String>,
}
