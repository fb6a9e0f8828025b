//! `ListFabricProjectTags`: GET `/v1/{project_id}/fabric-workspace/tags`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{PROJECT_PARAMETER, ProjectTagsPath, TagValues, Tags};
use crate::list::list;
use crate::{Example, Nothing, Operation, Request};

/// Lists the tags of all workspaces of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListFabricProjectTags;

impl Operation for ListFabricProjectTags {
    const ID: &'static str = "ListFabricProjectTags";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/{project_id}/fabric-workspace/tags";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric::listTags");
    const SUMMARY: &'static str = "List the tags of a project";
    const DESCRIPTION: &'static str = "Answers a page of the keys that the workspaces of a project have, \
        each with all of its values.\n\n\
        Not documented, but decided here:\n\n\
        * The keys are ordered, and so are the values of each; none is there twice.\n\
        * `use_predefine_tags` is documented as required and with a default, which is text: a request without \
        it is accepted, and means `false`.\n\
        * The mock server has no predefined tags, so `use_predefine_tags` changes nothing.";
    const PROJECT_PARAMETER: Option<&'static str> = PROJECT_PARAMETER;
    const ITEMS_IN_RESPONSE: Option<&'static str> = Some("/tags");

    type Resource = Tags;
    type Path = ProjectTagsPath;
    type Query = ListProjectTagsQuery;
    type Body = Nothing;
    type Response = ProjectTags;

    fn example() -> Example<Self> {
        let query = ListProjectTagsQuery::default();
        let tag = TagValues { key: "key1".to_owned(), values: Some(vec!["value1".to_owned()]) };
        Example {
            request: Request { path: super::example_project_path(), query, body: Nothing {} },
            response: ProjectTags { tags: vec![tag] },
        }
    }
}

/// Which tags are to be listed.
#[contract(query)]
#[derive(Eq)]
pub struct ListProjectTagsQuery {
    /// Whether tags count that were defined beforehand, in the tag management service.
    #[rule(default = false)]
    pub use_predefine_tags: bool,

    /// The number of keys to skip: 0 to 1,000,000,000.
    #[rule(range = 0..=1_000_000_000, default = 0, format = "int32")]
    pub offset: u32,

    /// The most keys to answer: 1 to 1,000.
    #[rule(range = 1..=1000, default = 1000, format = "int32")]
    pub limit: u32,
}

/// A page of the tags of a project.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct ProjectTags {
    /// The keys of the page with their values: 0 to 100,000. May be absent.
    #[rule(items = 0..=100_000, nested)]
    pub tags: Vec<TagValues>,
}

list! { ListProjectTagsQuery, ProjectTags: tags of TagValues, without a total }
