//! `ListFabricWorkspaceTags`: GET `/v1/{project_id}/fabric-workspace/{workspace_id}/tags`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{PROJECT_PARAMETER, SystemTag, Tag, Tags, WorkspaceTagsPath};
use crate::list::list;
use crate::{Example, Nothing, Operation, Request};

/// Lists the tags of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListFabricWorkspaceTags;

impl Operation for ListFabricWorkspaceTags {
    const ID: &'static str = "ListFabricWorkspaceTags";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/{project_id}/fabric-workspace/{workspace_id}/tags";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric::listTagsForResource");
    const SUMMARY: &'static str = "List the tags of a workspace";
    const DESCRIPTION: &'static str = "Answers a page of the tags of a workspace.\n\n\
        Not documented, but decided here:\n\n\
        * The tags are ordered by key; each has a value, which may be empty.\n\
        * Every page has the system tag: the enterprise project of the workspace.";
    const PROJECT_PARAMETER: Option<&'static str> = PROJECT_PARAMETER;
    const ITEMS_IN_RESPONSE: Option<&'static str> = Some("/tags");

    type Resource = Tags;
    type Path = WorkspaceTagsPath;
    type Query = ListTagsQuery;
    type Body = Nothing;
    type Response = WorkspaceTags;

    fn example() -> Example<Self> {
        let query = ListTagsQuery::default();
        Example {
            request: Request { path: super::example_path(), query, body: Nothing {} },
            response: WorkspaceTags {
                tags: vec![super::example_tag()],
                sys_tags: vec![super::example_system_tag()],
            },
        }
    }
}

/// Which tags are to be listed.
#[contract(query)]
#[derive(Eq)]
pub struct ListTagsQuery {
    /// The number of tags to skip: 0 to 1,000,000,000.
    #[rule(range = 0..=1_000_000_000, default = 0, format = "int32")]
    pub offset: u32,

    /// The most tags to answer: 1 to 1,000.
    #[rule(range = 1..=1000, default = 1000, format = "int32")]
    pub limit: u32,
}

/// A page of the tags of a workspace. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct WorkspaceTags {
    /// The tags of the page: 0 to 100,000.
    #[rule(items = 0..=100_000, nested)]
    pub tags: Vec<Tag>,

    /// The system tags: 0 to 1.
    #[rule(items = 0..=1, nested)]
    pub sys_tags: Vec<SystemTag>,
}

list! { ListTagsQuery, WorkspaceTags: tags of Tag, without a total }
