//! `ListAgency`: GET `/v1/agency`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{Agencies, Agency};
use crate::{Example, Nothing, Operation, Request};

/// Shows the agency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListAgency;

impl Operation for ListAgency {
    const ID: &'static str = "ListAgency";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/agency";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const SUMMARY: &'static str = "Show the agency";
    const DESCRIPTION: &'static str = "Answers the agency of the caller's project: whether it has all that the \
        service needs, and the policies that it has or could have.\n\n\
        Not documented, but decided here:\n\n\
        * Before the agency is created, none of its policies is enabled, and `authorized` is `false`.\n\
        * `authorized` is about the required policies, whatever `policy_type` asks for.\n\
        * `policy_type` matches a case-sensitive substring, without wildcards. If it matches none, \
        `agency_policies` is empty.";

    type Resource = Agencies;
    type Path = Nothing;
    type Query = ListAgencyQuery;
    type Body = Nothing;
    type Response = Agency;

    fn example() -> Example<Self> {
        let query = ListAgencyQuery { policy_type: Some("FABRIC_LAKEFORMATION_POLICY".to_owned()) };
        Example {
            request: Request { path: Nothing {}, query, body: Nothing {} },
            response: super::example(),
        }
    }
}

/// Which policies of the agency are to be shown.
#[contract(query)]
#[derive(Eq)]
pub struct ListAgencyQuery {
    /// A part of what they are for: 0 to 64 characters.
    #[rule(length = 0..=64, example = "FABRIC_LAKEFORMATION_POLICY")]
    pub policy_type: Option<String>,
}
