//! `ListTagFabricWorkspaces`: POST `/v1/{project_id}/fabric-workspace/resource-instances/filter`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};
use serde_json::Map;

use super::{
    PROJECT_PARAMETER, ProjectTagsPath, SearchedValue, SystemTagKey, TagValues, TaggedWorkspace,
    Tags,
};
use crate::list::list;
use crate::text::text;
use crate::{Example, Operation, Request};

/// Lists workspaces by their tags, a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListTagFabricWorkspaces;

impl Operation for ListTagFabricWorkspaces {
    const ID: &'static str = "ListTagFabricWorkspaces";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/v1/{project_id}/fabric-workspace/resource-instances/filter";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric::listResourcesByTag");
    const SUMMARY: &'static str = "List workspaces by their tags";
    const DESCRIPTION: &'static str = "Answers a page of the workspaces that a filter matches, each with its \
        tags. `CountTagFabricWorkspaces` counts them.\n\n\
        Not documented, but decided here:\n\n\
        * The newest come first; ties are ordered by id.\n\
        * All that is given must match. `{}`, and a request without a body, matches every workspace, also \
        those without tags.\n\
        * A workspace matches `tags` if it has each of the keys, with one of the key's values; if there are \
        none, with any value.\n\
        * `without_any_tag` matches workspaces without tags; the system tag does not count. `tags` is then \
        ignored, as documented; `matches` and `sys_tags` are not.\n\
        * `matches` matches a case-sensitive substring of the name, without wildcards. No value matches \
        every name.\n\
        * `sys_tags` matches the enterprise project of the workspace.\n\
        * `resource_detail` is empty.";
    const PROJECT_PARAMETER: Option<&'static str> = PROJECT_PARAMETER;
    const ONLY_READS: bool = true;
    const IS_BODY_OPTIONAL: bool = true;
    const ITEMS_IN_RESPONSE: Option<&'static str> = Some("/resources");

    type Resource = Tags;
    type Path = ProjectTagsPath;
    type Query = FilterWorkspacesQuery;
    type Body = WorkspaceFilter;
    type Response = TaggedWorkspacePage;

    fn example() -> Example<Self> {
        let workspace = TaggedWorkspace {
            resource_id: Some(super::example_path().workspace_id.into()),
            resource_name: Some("fabric".to_owned()),
            resource_detail: Some(Map::new()),
            tags: vec![super::example_tag()],
            sys_tags: vec![super::example_system_tag()],
        };
        Example {
            request: Request {
                path: super::example_project_path(),
                query: FilterWorkspacesQuery::default(),
                body: example(),
            },
            response: TaggedWorkspacePage { resources: vec![workspace], total_count: Some(1) },
        }
    }
}

text! {
    /// The one field by which workspaces are matched: `resource_name`.
    MatchedField, field "key", schema "MatchedField" described "The field that is matched.",
    13 to 13 of RESOURCE_NAME_KEY, example "resource_name"
}

/// Which page of the workspaces is to be listed.
#[contract(query)]
#[derive(Eq)]
pub struct FilterWorkspacesQuery {
    /// The number of matches to skip: 0 to 1,000,000,000.
    #[rule(range = 0..=1_000_000_000, default = 0, format = "int32")]
    pub offset: u32,

    /// The most workspaces to answer: 1 to 100.
    #[rule(range = 1..=100, default = 10, format = "int32")]
    pub limit: u32,
}

/// Which workspaces are looked for. Every field is optional, and none may be `null`.
#[contract(request)]
#[derive(Default, Eq)]
pub struct WorkspaceFilter {
    /// Whether workspaces are looked for that have no tags. If so, `tags` is ignored.
    #[rule(default = false)]
    pub without_any_tag: Option<bool>,

    /// The keys that a workspace must have, each with its values: 1 to 20.
    #[rule(items = 1..=20, nested)]
    pub tags: Option<Vec<TagValues>>,

    /// The system tag that it must have: exactly 1.
    #[rule(items = 1..=1, nested)]
    pub sys_tags: Option<Vec<SystemTagFilter>>,

    /// What its fields must hold: 1 to 10.
    #[rule(items = 1..=10, nested)]
    pub matches: Option<Vec<NameMatch>>,
}

/// A system tag that a workspace must have.
#[contract(request)]
#[derive(Default, Eq)]
pub struct SystemTagFilter {
    /// The key: `_sys_enterprise_project_id`.
    #[rule(like = SystemTagKey)]
    pub key: String,

    /// The enterprise project: exactly 1, of 0 to 255 characters.
    #[rule(required, items = 1..=1, each = SearchedValue)]
    pub values: Vec<String>,
}

/// What a field of a workspace must hold.
#[contract(request)]
#[derive(Default, Eq)]
pub struct NameMatch {
    /// The field: `resource_name`.
    #[rule(like = MatchedField)]
    pub key: String,

    /// A part of the name: 0 to 255 characters.
    #[rule(length = 0..=255, example = "fabric")]
    pub value: Option<String>,
}

/// A page of a list. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct TaggedWorkspacePage {
    /// The workspaces of the page: 0 to 1,000.
    #[rule(items = 0..=1000, nested)]
    pub resources: Vec<TaggedWorkspace>,

    /// How many workspaces match, on this page and all others. The documentation says 0 to 1,000; decided here:
    /// all matches count, and it does not stop at 1,000.
    #[rule(minimum = 0, format = "int32", example = 1)]
    pub total_count: Option<u64>,
}

list! { FilterWorkspacesQuery, TaggedWorkspacePage: resources of TaggedWorkspace, total_count }

/// The filter of the documentation's examples.
pub(super) fn example() -> WorkspaceFilter {
    let tag = TagValues { key: "key1".to_owned(), values: Some(vec!["value1".to_owned()]) };
    WorkspaceFilter { tags: Some(vec![tag]), ..WorkspaceFilter::default() }
}
