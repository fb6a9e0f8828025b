//! `UpdateAccessClient`: PUT /v1/access-clients/{client_id}.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{AccessClientPath, AccessClients};
use crate::{Example, Nothing, Operation, Request};

/// Renames an access client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateAccessClient;

impl Operation for UpdateAccessClient {
    const ID: &'static str = "UpdateAccessClientInfo";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/v1/access-clients/{client_id}";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric::alterAccessClient");
    const SUMMARY: &'static str = "Rename an access client";
    const DESCRIPTION: &'static str = "Gives an access client another name and answers without a \
        body. What the request does not name stays as it is.\n\n\
        Not documented, but decided here:\n\n\
        * `{}` is a success that changes nothing.\n\
        * While it is `CREATING` it can be renamed; while it is `DELETING` that is 400; afterwards \
        404.";

    type Resource = AccessClients;
    type Path = AccessClientPath;
    type Query = Nothing;
    type Body = AccessClientUpdate;
    type Response = Nothing;

    fn example() -> Example<Self> {
        let body = AccessClientUpdate { name: super::example().name };
        Example {
            request: Request { path: super::example_path(), query: Nothing {}, body },
            response: Nothing {},
        }
    }
}

/// What is to change. Every field is optional, and none may be `null`.
#[contract(request)]
#[derive(Default, Eq)]
pub struct AccessClientUpdate {
    /// The new name: 1 to 64 characters. The documentation names no alphabet, so any will do.
    #[rule(length = 1..=64, example = "zzh_test1122")]
    pub name: Option<String>,
}
