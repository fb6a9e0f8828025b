//! `DeleteAgency`: DELETE `/v1/agency`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{Agencies, AgencyPolicyType};
use crate::{Example, Nothing, Operation, Request};

/// Deletes the agency, or a policy of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleteAgency;

impl Operation for DeleteAgency {
    const ID: &'static str = "DeleteAgency";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/v1/agency";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const SUMMARY: &'static str = "Delete the agency";
    const DESCRIPTION: &'static str = "Takes a policy from the agency of the caller's project, or deletes the \
        agency if the request names no policy, and answers without a body. A policy that the service needs in \
        any case stays.\n\n\
        Not documented, but decided here:\n\n\
        * To ask for a required policy is a success that changes nothing. The mock server has a stricter \
        profile, in which it is 400.\n\
        * To take a policy that the agency does not have is a success.\n\
        * Without an agency, 404.";

    type Resource = Agencies;
    type Path = Nothing;
    type Query = DeleteAgencyQuery;
    type Body = Nothing;
    type Response = Nothing;

    fn example() -> Example<Self> {
        let query = DeleteAgencyQuery { policy_type: Some(AgencyPolicyType::LakeFormation) };
        Example {
            request: Request { path: Nothing {}, query, body: Nothing {} },
            response: Nothing {},
        }
    }
}

/// What is to be deleted.
#[contract(query)]
#[derive(Eq)]
pub struct DeleteAgencyQuery {
    /// The policy to take from the agency, by what it is for. Without it, the agency as a whole is deleted.
    #[rule(known)]
    pub policy_type: Option<AgencyPolicyType>,
}
