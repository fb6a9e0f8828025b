//! `BatchDeleteFabricWorkspaceTags`: POST `/v1/{project_id}/fabric-workspace/{workspace_id}/tags/delete`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{PROJECT_PARAMETER, TagValue, Tags, WorkspaceTagsPath};
use crate::text::text;
use crate::{Example, Nothing, Operation, Request};

/// Removes tags from a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchDeleteFabricWorkspaceTags;

impl Operation for BatchDeleteFabricWorkspaceTags {
    const ID: &'static str = "BatchDeleteFabricWorkspaceTags";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/v1/{project_id}/fabric-workspace/{workspace_id}/tags/delete";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric::unTagResource");
    const SUMMARY: &'static str = "Remove tags from a workspace";
    const DESCRIPTION: &'static str = "Removes tags from a workspace and answers without a body.\n\n\
        Not documented, but decided here:\n\n\
        * A tag that the workspace does not have is no error.\n\
        * With a value, a tag is removed only if it has that value; without one, whatever its value.\n\
        * Without its system tag, a workspace is in the default enterprise project, `0`. A system tag with \
        another key is one that no workspace has.\n\
        * `{}`, and a request without a body, is a success that changes nothing.";
    const PROJECT_PARAMETER: Option<&'static str> = PROJECT_PARAMETER;
    const IS_BODY_OPTIONAL: bool = true;

    type Resource = Tags;
    type Path = WorkspaceTagsPath;
    type Query = Nothing;
    type Body = TagsDelete;
    type Response = Nothing;

    fn example() -> Example<Self> {
        let tag = TagSelector { key: super::example_tag().key, value: None };
        let body = TagsDelete { tags: Some(vec![tag]), sys_tags: None };
        Example {
            request: Request { path: super::example_path(), query: Nothing {}, body },
            response: Nothing {},
        }
    }
}

text! {
    /// The key of a tag to remove: 0 to 255 letters, digits and spaces of any script, and `_ . : / = + - @`.
    RemovedTagKey, field "key", schema "RemovedTagKey" described "The key of a tag.",
    0 to 255 of TAG_VALUE, example "key1"
}

/// The tags to remove. Every field is optional, and none may be `null`.
#[contract(request)]
#[derive(Default, Eq)]
pub struct TagsDelete {
    /// The tags: 1 to 20.
    #[rule(items = 1..=20, nested)]
    pub tags: Option<Vec<TagSelector>>,

    /// The system tag: exactly 1.
    #[rule(items = 1..=1, nested)]
    pub sys_tags: Option<Vec<TagSelector>>,
}

/// Says which tag is to be removed.
#[contract(request)]
#[derive(Default, Eq)]
pub struct TagSelector {
    /// The key: 0 to 255 letters, digits and spaces of any script, and `_ . : / = + - @`.
    #[rule(like = RemovedTagKey)]
    pub key: String,

    /// The value that the tag must have: 0 to 255 letters, digits and spaces of any script, and
    /// `_ . : / = + - @`. Without it, any.
    #[rule(like = TagValue)]
    pub value: Option<String>,
}
