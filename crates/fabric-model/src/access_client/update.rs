//! `UpdateAccessClient`: PUT /v1/access-clients/{client_id}.

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::AccessClientPath;
use crate::{Example, Failure, Nothing, Operation, Payload, Request, json};

/// Renames an access client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateAccessClient;

impl Operation for UpdateAccessClient {
    const ID: &'static str = "UpdateAccessClientInfo";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/v1/access-clients/{client_id}";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric::alterAccessClient");
    const FAILURES: &'static [Failure] = super::FAILURES;
    const SUMMARY: &'static str = "Rename an access client";
    const DESCRIPTION: &'static str = "Gives an access client another name and answers without a \
        body. What the request does not name stays as it is.\n\n\
        Not documented, but decided here:\n\n\
        * `{}` is a success that changes nothing.\n\
        * While it is `CREATING` it can be renamed; while it is `DELETING` that is 400; afterwards \
        404.";

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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessClientUpdate {
    /// The new name: 1 to 64 characters. The documentation names no alphabet, so any will do.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "json::present")]
    #[validate(length(min = 1, max = 64))]
    #[cfg_attr(
        feature = "openapi",
        schema(nullable = false, min_length = 1, max_length = 64, example = "zzh_test1122",)
    )]
    pub name: Option<String>,
}

impl Payload for AccessClientUpdate {}
