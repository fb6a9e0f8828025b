//! `DeleteEndpoint`: DELETE `/v1/workspaces/{workspace_id}/endpoints/{endpoint_id}`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{EndpointPath, Endpoints, LongId};
use crate::{Example, Nothing, Operation, Request};

/// Deletes an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleteEndpoint;

impl Operation for DeleteEndpoint {
    const ID: &'static str = "DeleteEndpoint";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/endpoints/{endpoint_id}";
    const SUCCESS: StatusCode = StatusCode::ACCEPTED;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:endpoint:drop");
    const SUMMARY: &'static str = "Delete an endpoint";
    const DESCRIPTION: &'static str = "Begins to delete an endpoint and answers its id. The endpoint is \
        `DELETING`, then gone, or `DELETE_FAILED` with `error_code` and `error_msg`.\n\n\
        Not documented, but decided here:\n\n\
        * An endpoint that is not there, or gone, is 404.\n\
        * An endpoint is deleted in any state: while it is `CREATING` or `UPDATING`, that ends; while it is \
        `DELETING`, the call is a no-op.";
    const FAILED_STATUS: Option<&'static str> = Some("DELETE_FAILED");

    type Resource = Endpoints;
    type Path = EndpointPath;
    type Query = Nothing;
    type Body = Nothing;
    type Response = DeletedEndpoint;

    fn example() -> Example<Self> {
        let path = super::example_path();
        let response = DeletedEndpoint { id: Some(path.endpoint_id.to_string()) };
        Example { request: Request { path, query: Nothing {}, body: Nothing {} }, response }
    }
}

/// The endpoint that is being deleted.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct DeletedEndpoint {
    /// Its id: 32 to 36 letters, digits and hyphens. The documentation says exactly 36 here, but 32 to 36 in the
    /// other answers.
    #[rule(required, like = LongId)]
    pub id: Option<String>,
}
