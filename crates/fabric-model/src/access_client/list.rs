//! `ListAccessClients`: GET /v1/access-clients.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{AccessClient, AccessClientId, AccessClients};
use crate::list::list;
use crate::text::text;
use crate::{Example, Nothing, Operation, Request};

/// Lists access clients, a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListAccessClients;

impl Operation for ListAccessClients {
    const ID: &'static str = "ListVpcepClient";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/access-clients";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric::listVpcepClient");
    const SUMMARY: &'static str = "List access clients";
    const DESCRIPTION: &'static str = "Answers a page of the caller's access clients. `name` and `id` \
        narrow the list.\n\n\
        Not documented, but decided here:\n\n\
        * The newest come first; ties are ordered by id.\n\
        * `name` matches a case-sensitive substring, without wildcards. Where `name` and `id` are \
        given, both must match.\n\
        * What is deleted is not listed.";
    const ITEMS_IN_RESPONSE: Option<&'static str> = Some("/access_client_infos");

    type Resource = AccessClients;
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

/// Which access clients are to be listed.
#[contract(query)]
#[derive(Eq)]
pub struct ListAccessClientsQuery {
    /// The number of matches to skip: 0 to 1,000,000,000.
    #[rule(range = 0..=1_000_000_000, default = 0, format = "int32")]
    pub offset: u32,

    /// The most access clients to answer: 1 to 100.
    #[rule(range = 1..=100, default = 10, format = "int32")]
    pub limit: u32,

    /// A part of the name: 1 to 64 letters, digits, hyphens, underscores and Chinese characters, U+4E00
    /// to U+9FA5.
    #[rule(like = AccessClientSearch)]
    pub name: Option<String>,

    /// The whole id: 1 to 64 letters, digits and hyphens.
    pub id: Option<AccessClientId>,
}

text! {
    /// A part of the name of an access client: 1 to 64 letters, digits, hyphens, underscores and Chinese
    /// characters.
    AccessClientSearch, field "name", schema "AccessClientSearch" described "A part of a name.",
    1 to 64 of SEARCH, example "test"
}

/// A page of a list.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct AccessClientPage {
    /// The access clients of the page: 0 to 100.
    #[rule(items = 0..=100, nested)]
    pub access_client_infos: Vec<AccessClient>,

    /// How many access clients match, on this page and all others. The documentation says 0 to 100;
    /// decided here: all matches count, and it does not stop at 100.
    #[rule(minimum = 0, example = 1)]
    pub total: Option<u64>,
}

list! { ListAccessClientsQuery, AccessClientPage: access_client_infos of AccessClient }
