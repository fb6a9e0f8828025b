//! `UpdateModelDefinition`: PUT `/v1/workspaces/{workspace_id}/models/{model_id}`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{
    AnsweredModelVersionId, Model, ModelDescription, ModelName, ModelPath, ModelVersionInput,
    Models,
};
use crate::{Example, Nothing, Operation, Request};

/// Changes a model, and adds a version to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateModelDefinition;

impl Operation for UpdateModelDefinition {
    const ID: &'static str = "UpdateModelDefinition";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/models/{model_id}";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:model:alter");
    const SUMMARY: &'static str = "Change a model";
    const DESCRIPTION: &'static str = "Changes the name, the description or the current version of a model, or \
        adds a version to it, and answers the model. What the request does not name stays as it is.\n\n\
        Not documented, but decided here:\n\n\
        * `version` is added as a new version, which becomes the current one unless `current_version_id` names \
        another. Without `version`, no version is added.\n\
        * `current_version_id` must be a version that the model has already; else 400.\n\
        * `{}`, or no body, is a success that changes nothing, the time of the last change included.";
    const IS_BODY_OPTIONAL: bool = true;

    type Resource = Models;
    type Path = ModelPath;
    type Query = Nothing;
    type Body = ModelUpdate;
    type Response = Model;

    fn example() -> Example<Self> {
        let response = super::example();
        let body = ModelUpdate {
            name: response.name.clone(),
            current_version_id: super::example_version().id,
            ..ModelUpdate::default()
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
pub struct ModelUpdate {
    /// The new name: 1 to 64 letters, digits, hyphens, underscores, Chinese characters, dots and spaces.
    #[rule(like = ModelName)]
    pub name: Option<String>,

    /// What it is for: 0 to 1,024 characters other than `! < > = & " '`.
    #[rule(like = ModelDescription)]
    pub description: Option<String>,

    /// A version to add.
    #[rule(nested)]
    pub version: Option<ModelVersionInput>,

    /// The version that is to be the current one: 32 to 36 letters, digits and hyphens.
    #[rule(like = AnsweredModelVersionId)]
    pub current_version_id: Option<String>,
}
