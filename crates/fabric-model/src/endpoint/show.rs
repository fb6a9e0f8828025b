//! `ShowEndpoint`: GET `/v1/workspaces/{workspace_id}/endpoints/{endpoint_id}`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{Endpoint, EndpointPath, Endpoints};
use crate::open_enum::open_enum;
use crate::{Example, Nothing, Operation, Request};

/// Shows an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShowEndpoint;

impl Operation for ShowEndpoint {
    const ID: &'static str = "ShowEndpoint";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/endpoints/{endpoint_id}";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:endpoint:show");
    const SUMMARY: &'static str = "Show an endpoint";
    const DESCRIPTION: &'static str = "Answers an endpoint: as it is, or with `version=PREVIOUS` as it was \
        configured before its last update.\n\n\
        Not documented, but decided here:\n\n\
        * An endpoint that is not there, or gone, is 404; so is the previous version of one that was never \
        updated.\n\
        * The previous version has the state of the endpoint as it is now.";

    type Resource = Endpoints;
    type Path = EndpointPath;
    type Query = ShowEndpointQuery;
    type Body = Nothing;
    type Response = Endpoint;

    fn example() -> Example<Self> {
        let query = ShowEndpointQuery::default();
        Example {
            request: Request { path: super::example_path(), query, body: Nothing {} },
            response: super::example(),
        }
    }
}

open_enum! {
    /// Which of its configurations an endpoint is shown with.
    EndpointRevision
    described "Which configuration is shown: the one in force, or the one before the last update.",
    example "CURRENT" {
        /// The one in force.
        Current = "CURRENT",
        /// The one before the last update.
        Previous = "PREVIOUS",
    }
}

/// How an endpoint is to be shown.
#[contract(query)]
#[derive(Eq)]
pub struct ShowEndpointQuery {
    /// Which configuration is shown.
    #[rule(known, inline, default = EndpointRevision::Current)]
    pub version: EndpointRevision,
}
