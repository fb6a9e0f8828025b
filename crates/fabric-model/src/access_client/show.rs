//! `ShowAccessClient`: GET /v1/access-clients/{client_id}.

use http::{Method, StatusCode};

use super::{AccessClient, AccessClientPath, AccessClients};
use crate::{Example, Nothing, Operation, Request};

/// Shows one access client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShowAccessClient;

impl Operation for ShowAccessClient {
    const ID: &'static str = "ShowAccessClient";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/access-clients/{client_id}";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric::showVpcepClient");
    const SUMMARY: &'static str = "Show an access client";
    const DESCRIPTION: &'static str = "Answers one access client.\n\n\
        Not documented, but decided here: one that is deleted, or another project's, is not found.";

    type Resource = AccessClients;
    type Path = AccessClientPath;
    type Query = Nothing;
    type Body = Nothing;
    type Response = AccessClient;

    fn example() -> Example<Self> {
        Example {
            request: Request { path: super::example_path(), query: Nothing {}, body: Nothing {} },
            response: super::example(),
        }
    }
}
