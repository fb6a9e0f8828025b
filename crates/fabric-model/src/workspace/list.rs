//! `ListWorkspaces`: GET /v1/workspaces.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{Workspace, WorkspaceId, WorkspaceName, Workspaces};
use crate::list::list;
use crate::text::text;
use crate::{Example, Nothing, Operation, Request};

/// Lists workspaces, a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListWorkspaces;

impl Operation for ListWorkspaces {
    const ID: &'static str = "ListWorkspaces";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/workspaces";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:workspace:list");
    const SUMMARY: &'static str = "List workspaces";
    const DESCRIPTION: &'static str = "Answers a page of the caller's workspaces. `name`, `id` and \
        `enterprise_project_id` narrow the list.\n\n\
        Not documented, but decided here:\n\n\
        * The newest come first; ties are ordered by id.\n\
        * `name` matches a case-sensitive substring, without wildcards. All that is given must match.\n\
        * `enterprise_project_id` is documented as required and with a default: a request without it is \
        accepted, and means the default, all enterprise projects.";
    const ITEMS_IN_RESPONSE: Option<&'static str> = Some("/workspaces");

    type Resource = Workspaces;
    type Path = Nothing;
    type Query = ListWorkspacesQuery;
    type Body = Nothing;
    type Response = WorkspacePage;

    fn example() -> Example<Self> {
        let query = ListWorkspacesQuery { name: super::example().name, ..Default::default() };
        Example {
            request: Request { path: Nothing {}, query, body: Nothing {} },
            response: WorkspacePage { workspaces: vec![super::example()], total: 1 },
        }
    }
}

text! {
    /// The enterprise project whose workspaces are listed: 1 to 36 letters, digits, hyphens and underscores.
    GrantedEnterpriseProject, field "enterprise_project_id", schema "GrantedEnterpriseProject"
    described "An enterprise project, or all of them.",
    1 to 36 of WORD, example "all_granted_eps"
}

/// Which workspaces are to be listed.
#[contract(query)]
#[derive(Eq)]
pub struct ListWorkspacesQuery {
    /// The number of matches to skip: 0 to 1,000,000,000.
    #[rule(range = 0..=1_000_000_000, default = 0, format = "int32")]
    pub offset: u32,

    /// The most workspaces to answer: 1 to 100.
    #[rule(range = 1..=100, default = 10, format = "int32")]
    pub limit: u32,

    /// A part of the name: 4 to 32 letters, digits, hyphens and underscores.
    #[rule(like = WorkspaceName)]
    pub name: Option<String>,

    /// The whole id: 1 to 36 letters, digits and hyphens.
    pub id: Option<WorkspaceId>,

    /// The enterprise project: 1 to 36 letters, digits, hyphens and underscores; `all_granted_eps` stands for
    /// all of them.
    #[rule(like = GrantedEnterpriseProject, default = "all_granted_eps")]
    pub enterprise_project_id: String,
}

impl ListWorkspacesQuery {
    /// What [`Self::enterprise_project_id`] holds for all enterprise projects.
    pub const ALL_ENTERPRISE_PROJECTS: &'static str = "all_granted_eps";
}

/// A page of a list.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct WorkspacePage {
    /// The workspaces of the page: 0 to 1,000.
    #[rule(required, items = 0..=1000, nested)]
    pub workspaces: Vec<Workspace>,

    /// How many workspaces match, on this page and all others. The documentation says 0 to 1,000; decided here:
    /// all matches count, and it does not stop at 1,000.
    #[rule(required, minimum = 0, example = 1)]
    pub total: u64,
}

list! { ListWorkspacesQuery, WorkspacePage: workspaces of Workspace }
