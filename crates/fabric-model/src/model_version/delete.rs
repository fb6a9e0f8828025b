//! `DeleteModelVersion`: DELETE `/v1/workspaces/{workspace_id}/models/{model_id}/versions/{version_id}`.

use http::{Method, StatusCode};

use super::{ModelVersionId, ModelVersionPath, ModelVersions};
use crate::{Example, Nothing, Operation, Request};

/// Deletes a version of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleteModelVersion;

impl Operation for DeleteModelVersion {
    const ID: &'static str = "DeleteModelVersion";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str =
        "/v1/workspaces/{workspace_id}/models/{model_id}/versions/{version_id}";
    const SUCCESS: StatusCode = StatusCode::ACCEPTED;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:model:drop");
    const SUMMARY: &'static str = "Delete a version of a model";
    const DESCRIPTION: &'static str = "Deletes a version of a model, at once, and answers without a body.\n\n\
        Not documented, but decided here: the current version is not deleted; 400 says so. Make another version \
        the current one first, or delete the model.";

    type Resource = ModelVersions;
    type Path = ModelVersionPath;
    type Query = Nothing;
    type Body = Nothing;
    type Response = Nothing;

    fn example() -> Example<Self> {
        let version_id = ModelVersionId::try_from("0b5633ba2b904511ad514346f4d23d4b");
        let model = crate::model_definition::example_path();
        let path = ModelVersionPath {
            workspace_id: model.workspace_id,
            model_id: model.model_id,
            version_id: version_id.expect("hexadecimal digits are an id"),
        };
        Example {
            request: Request { path, query: Nothing {}, body: Nothing {} },
            response: Nothing {},
        }
    }
}
