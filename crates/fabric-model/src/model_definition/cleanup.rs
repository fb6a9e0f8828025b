//! `CleanupModel`: DELETE `/v1/workspaces/{workspace_id}/models/{model_id}`.

use http::{Method, StatusCode};

use super::{ModelPath, Models};
use crate::{Example, Nothing, Operation, Request};

/// Deletes a model with its versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupModel;

impl Operation for CleanupModel {
    const ID: &'static str = "CleanupModel";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/models/{model_id}";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:model:drop");
    const SUMMARY: &'static str = "Delete a model";
    const DESCRIPTION: &'static str = "Deletes a model that is not used, with all its versions, at once, and \
        answers without a body.\n\n\
        Not documented, but decided here: an endpoint does not tell which model it serves, so whether one does \
        is not checked.";

    type Resource = Models;
    type Path = ModelPath;
    type Query = Nothing;
    type Body = Nothing;
    type Response = Nothing;

    fn example() -> Example<Self> {
        Example {
            request: Request { path: super::example_path(), query: Nothing {}, body: Nothing {} },
            response: Nothing {},
        }
    }
}
