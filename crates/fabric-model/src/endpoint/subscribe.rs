//! `SubscribeEndpoint`: POST `/v1/workspaces/{workspace_id}/endpoints/{endpoint_id}/subscribe`.

use http::{Method, StatusCode};

use super::{EndpointPath, Endpoints};
use crate::{Example, Nothing, Operation, Request};

/// Subscribes to a public endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscribeEndpoint;

impl Operation for SubscribeEndpoint {
    const ID: &'static str = "SubscribeEndpoint";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/endpoints/{endpoint_id}/subscribe";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const SUMMARY: &'static str = "Subscribe to a public endpoint";
    const DESCRIPTION: &'static str = "Subscribes the workspace to a public endpoint and answers without a \
        body.\n\n\
        Not documented, but decided here:\n\n\
        * An endpoint that is `INACTIVE` is `RUNNING` from then on; one that is subscribed to stays as it \
        is.\n\
        * An endpoint that is not public, or `FROZEN`, is rejected with 400.";

    type Resource = Endpoints;
    type Path = EndpointPath;
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
