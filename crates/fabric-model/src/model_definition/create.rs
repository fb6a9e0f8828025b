//! `CreateModelDefinition`: POST `/v1/workspaces/{workspace_id}/models`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{
    ModelDescription, ModelName, ModelReference, ModelType, ModelVersionInput, Models, version,
};
use crate::workspace::WorkspacePath;
use crate::{Example, Nothing, Operation, Request};

/// Creates a model and its first version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateModelDefinition;

impl Operation for CreateModelDefinition {
    const ID: &'static str = "CreateModelDefinition";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/models";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:model:create");
    const SUMMARY: &'static str = "Create a model";
    const DESCRIPTION: &'static str = "Creates a model with its first version, which is the current one, and \
        answers the ids of both.\n\n\
        Not documented, but decided here:\n\n\
        * The same name may be used twice.\n\
        * A new model is `PRIVATE`.\n\
        * `base_model_type` need not be one that `ListBaseModels` answers. The mock server has a stricter \
        profile, in which it must.\n\
        * The body is required, although the documentation says that it is not: some of its fields are.";
    const ID_IN_RESPONSE: Option<&'static str> = Some("/id");

    type Resource = Models;
    type Path = WorkspacePath;
    type Query = Nothing;
    type Body = ModelCreate;
    type Response = ModelReference;

    fn example() -> Example<Self> {
        let body = ModelCreate {
            name: "LLama3-8b".to_owned(),
            description: Some("description".to_owned()),
            r#type: ModelType::LargeLanguageModel,
            version: version::example_input(),
        };
        let path = crate::workspace::example_path();
        let response = ModelReference {
            id: Some(super::example_path().model_id.into()),
            version_id: version::example().id,
        };
        Example { request: Request { path, query: Nothing {}, body }, response }
    }
}

/// What a model is to be. Name, type and version are required; no field may be `null`.
#[contract(request)]
#[derive(Eq)]
pub struct ModelCreate {
    /// The name: 1 to 64 letters, digits, hyphens, underscores, Chinese characters, dots and spaces.
    #[rule(like = ModelName)]
    pub name: String,

    /// What it is for: 0 to 1,024 characters other than `! < > = & " '`.
    #[rule(like = ModelDescription)]
    pub description: Option<String>,

    /// What kind of model it is.
    #[rule(known)]
    pub r#type: ModelType,

    /// The first version.
    #[rule(nested)]
    pub version: ModelVersionInput,
}
