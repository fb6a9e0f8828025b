//! `ListAccessClients`: GET /v1/access-clients.

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::AccessClient;
use crate::{
    AccessClientId, Example, Failure, Nothing, Operation, Parameters, Payload, Request, charset,
    json,
};

/// Lists access clients, a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListAccessClients;

impl Operation for ListAccessClients {
    const ID: &'static str = "ListVpcepClient";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/access-clients";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric::listVpcepClient");
    const FAILURES: &'static [Failure] = super::FAILURES;
    const SUMMARY: &'static str = "List access clients";
    const DESCRIPTION: &'static str = "Answers a page of the caller's access clients. `name` and `id` \
        narrow the list.\n\n\
        Not documented, but decided here:\n\n\
        * The newest come first; ties are ordered by id.\n\
        * `name` matches a case-sensitive substring, without wildcards. Where `name` and `id` are \
        given, both must match.\n\
        * What is deleted is not listed.";

    type Path = Nothing;
    type Query = ListAccessClientsQuery;
    type Body = Nothing;
    type Response = AccessClientPage;

    fn example() -> Example<Self> {
        let query = ListAccessClientsQuery {
            limit: 10,
            name: Some("test".to_owned()),
            ..ListAccessClientsQuery::default()
        };
        Example {
            request: Request { path: Nothing {}, query, body: Nothing {} },
            response: AccessClientPage {
                access_client_infos: vec![super::example()],
                total: Some(1),
            },
        }
    }
}

/// How many access clients a page has when nobody says.
pub const LIMIT_DEFAULT: u32 = 10;

/// Which access clients are to be listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(default)]
pub struct ListAccessClientsQuery {
    /// The number of matches to skip: 0 to 1,000,000,000.
    #[validate(range(max = 1_000_000_000))]
    #[cfg_attr(
        feature = "openapi",
        param(
            required = false,
            minimum = 0,
            maximum = 1_000_000_000,
            default = 0,
            format = "int32",
        )
    )]
    pub offset: u32,

    /// The most access clients to answer: 1 to 100.
    #[validate(range(min = 1, max = 100))]
    #[cfg_attr(
        feature = "openapi",
        param(required = false, minimum = 1, maximum = 100, default = 10, format = "int32",)
    )]
    pub limit: u32,

    /// A part of the name: 1 to 64 letters, digits, hyphens, underscores and Chinese characters, which
    /// are taken to be U+4E00 to U+9FFF.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 64), custom(function = "charset::search_characters"))]
    #[cfg_attr(
        feature = "openapi",
        param(
            nullable = false,
            min_length = 1,
            max_length = 64,
            pattern = "^[A-Za-z0-9_一-鿿-]*$",
            example = "test",
        )
    )]
    pub name: Option<String>,

    /// The whole id: 1 to 64 letters, digits and hyphens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(nullable = false))]
    pub id: Option<AccessClientId>,
}

impl Default for ListAccessClientsQuery {
    fn default() -> Self {
        Self { offset: 0, limit: LIMIT_DEFAULT, name: None, id: None }
    }
}

impl Parameters for ListAccessClientsQuery {}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessClientPage {
    /// The access clients of the page: 0 to 100.
    #[serde(default, deserialize_with = "json::list_or_null")]
    #[validate(length(max = 100), nested)]
    #[cfg_attr(feature = "openapi", schema(required = false, max_items = 100))]
    pub access_client_infos: Vec<AccessClient>,

    /// How many access clients match, on this page and all others. The documentation says 0 to 100;
    /// decided here: all matches count, and it does not stop at 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, minimum = 0, example = 1))]
    pub total: Option<u64>,
}

impl Payload for AccessClientPage {}
