//! The workspace: what holds the endpoints, jobs and models of a project.

mod create;
mod delete;
mod list;
mod update;

use fabric_model_macros::contract;

pub use create::{CreateWorkspace, WorkspaceCreate};
pub use delete::DeleteWorkspace;
pub use list::{ListWorkspaces, ListWorkspacesQuery, WorkspacePage};
pub use update::{UpdateWorkspace, WorkspaceUpdate};

use crate::text::text;
use crate::{Identified, Resource};

/// The workspaces of a project.
#[derive(Clone, Copy, Debug)]
pub struct Workspaces;

impl Resource for Workspaces {
    const NAME: &'static str = "workspaces";
    const SINGULAR: &'static str = "workspace";
    const DESCRIPTION: &'static str = "What holds the endpoints, jobs and models of a project";
    const ID_PARAMETER: Option<&'static str> = Some("workspace_id");

    type Answer = Workspace;
}

text! {
    /// Names a workspace: 1 to 36 letters, digits and hyphens.
    WorkspaceId, field "workspace_id", schema "WorkspaceIdParameter" described "Names a workspace.",
    1 to 36 of ID, example "e935d0ef-f4eb-4b95-aff1-9d33ae9f57a6"
}

text! {
    /// The name of a workspace: 4 to 32 letters, digits, hyphens and underscores.
    WorkspaceName, field "name", schema "WorkspaceName" described "The name of a workspace.",
    4 to 32 of WORD, example "fabric"
}

text! {
    /// An enterprise project: 1 to 64 letters, digits and hyphens; `0` is the default one.
    EnterpriseProjectId, field "enterprise_project_id", schema "EnterpriseProjectId"
    described "An enterprise project.",
    1 to 64 of ID, example "01049549-82cd-4b2b-9733-ddb94350c125"
}

text! {
    /// An instance of the LakeFormation service, which keeps metadata: 32 to 36 letters, digits and hyphens.
    MetastoreId, field "metastore_id", schema "MetastoreId" described "An instance of LakeFormation.",
    32 to 36 of ID, example "2180518f-42b8-4947-b20b-adfc53981a25"
}

text! {
    /// What a workspace is for, in the words of its users: 0 to 255 characters.
    WorkspaceDescription, field "description", schema "WorkspaceDescription"
    described "What a workspace is for.",
    0 to 255 of ANY, example "fabric"
}

/// A workspace, as the service answers it. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct Workspace {
    /// The id: 1 to 36 letters, digits and hyphens.
    #[rule(like = WorkspaceId)]
    pub id: Option<String>,

    /// The name: 4 to 32 letters, digits, hyphens and underscores.
    #[rule(like = WorkspaceName)]
    pub name: Option<String>,

    /// What it is for: 0 to 255 characters.
    #[rule(like = WorkspaceDescription)]
    pub description: Option<String>,

    /// The enterprise project: 1 to 64 letters, digits and hyphens.
    #[rule(like = EnterpriseProjectId)]
    pub enterprise_project_id: Option<String>,

    /// The instance of LakeFormation: 32 to 36 letters, digits and hyphens.
    #[rule(like = MetastoreId)]
    pub metastore_id: Option<String>,

    /// Where its resources are reached: 1 to 100 characters.
    #[rule(length = 1..=100, example = "https://test.fabric.example.com/")]
    pub access_url: Option<String>,

    /// The account that created it: 0 to 64 characters.
    #[rule(length = 0..=64, example = "admin")]
    pub create_domain_name: Option<String>,

    /// The user who created it: 0 to 64 characters.
    #[rule(length = 0..=64, example = "user")]
    pub create_user_name: Option<String>,

    /// When it was created.
    #[rule(format = "date-time", example = "2023-05-30T12:24:30.401Z")]
    pub create_time: Option<String>,
}

impl Identified for Workspace {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

/// The path of the operations on one workspace.
#[contract(path)]
#[derive(Eq)]
pub struct WorkspacePath {
    /// The id of the workspace: 1 to 36 letters, digits and hyphens.
    pub workspace_id: WorkspaceId,
}

/// The workspace of the documentation's examples.
fn example() -> Workspace {
    Workspace {
        id: Some(example_path().workspace_id.into()),
        name: Some("fabric".to_owned()),
        description: Some("fabric".to_owned()),
        enterprise_project_id: Some("01049549-82cd-4b2b-9733-ddb94350c125".to_owned()),
        metastore_id: Some("2180518f-42b8-4947-b20b-adfc53981a25".to_owned()),
        access_url: Some("https://test.fabric.example.com/".to_owned()),
        create_domain_name: Some("admin".to_owned()),
        create_user_name: Some("user".to_owned()),
        create_time: Some("2023-05-30T12:24:30.401Z".to_owned()),
    }
}

pub(crate) fn example_path() -> WorkspacePath {
    let id = WorkspaceId::try_from("e935d0ef-f4eb-4b95-aff1-9d33ae9f57a6");
    WorkspacePath { workspace_id: id.expect("a UUID is an id") }
}
