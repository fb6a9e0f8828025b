//! `BatchCreateFabricWorkspaceTags`: POST `/v1/{project_id}/fabric-workspace/{workspace_id}/tags/create`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{PROJECT_PARAMETER, SystemTag, Tag, Tags, WorkspaceTagsPath};
use crate::{Example, Nothing, Operation, Request};

/// Adds tags to a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchCreateFabricWorkspaceTags;

impl Operation for BatchCreateFabricWorkspaceTags {
    const ID: &'static str = "BatchCreateFabricWorkspaceTags";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/v1/{project_id}/fabric-workspace/{workspace_id}/tags/create";
    const SUCCESS: StatusCode = StatusCode::NO_CONTENT;
    const ACTION: Option<&'static str> = Some("DataArtsFabric::tagResource");
    const SUMMARY: &'static str = "Add tags to a workspace";
    const DESCRIPTION: &'static str = "Adds tags to a workspace and answers without a body.\n\n\
        Not documented, but decided here:\n\n\
        * A key that the workspace has gets the new value. Of a key that the request has several times, the \
        last value counts. So a repeated request changes nothing.\n\
        * A tag without a value has an empty one.\n\
        * Only a request is limited to 20 tags; a workspace may have more.\n\
        * The system tag is the enterprise project of the workspace: setting it moves the workspace.\n\
        * `{}`, and a request without a body, is a success that changes nothing.";
    const PROJECT_PARAMETER: Option<&'static str> = PROJECT_PARAMETER;
    const IS_BODY_OPTIONAL: bool = true;

    type Resource = Tags;
    type Path = WorkspaceTagsPath;
    type Query = Nothing;
    type Body = TagsCreate;
    type Response = Nothing;

    fn example() -> Example<Self> {
        let body = TagsCreate { tags: Some(vec![super::example_tag()]), sys_tags: None };
        Example {
            request: Request { path: super::example_path(), query: Nothing {}, body },
            response: Nothing {},
        }
    }
}

/// The tags to add. Every field is optional, and none may be `null`.
#[contract(request)]
#[derive(Default, Eq)]
pub struct TagsCreate {
    /// The tags: 1 to 20.
    #[rule(items = 1..=20, nested)]
    pub tags: Option<Vec<Tag>>,

    /// The system tag: exactly 1.
    #[rule(items = 1..=1, nested)]
    pub sys_tags: Option<Vec<SystemTag>>,
}
