//! `DeleteAccessClient`: DELETE /v1/access-clients/{client_id}.

use http::{Method, StatusCode};

use super::{AccessClientPath, AccessClients};
use crate::{Example, Nothing, Operation, Request};

/// Deletes an access client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleteAccessClient;

impl Operation for DeleteAccessClient {
    const ID: &'static str = "DeleteVpcepClient";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/v1/access-clients/{client_id}";
    const SUCCESS: StatusCode = StatusCode::OK;
    /// The service's own name for it is not documented; this one follows the others.
    const ACTION: Option<&'static str> = Some("DataArtsFabric::deleteVpcepClient");
    const SUMMARY: &'static str = "Delete an access client";
    const DESCRIPTION: &'static str = "Deletes an access client and answers without a \
        body.\n\n\
        Not documented, but decided here:\n\n\
        * While it is `CREATING` a delete cancels that; while it is `DELETING` it is a no-op and \
        answers 200; afterwards, and for an unknown id, 404.\n\
        * The name of the action follows those of the others.";

    type Resource = AccessClients;
    type Path = AccessClientPath;
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
