//! `CreateAgency`: POST `/v1/agency`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{Agencies, AgencyPolicyType};
use crate::{Example, Nothing, Operation, Request};

/// Creates the agency, or adds policies to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateAgency;

impl Operation for CreateAgency {
    const ID: &'static str = "CreateAgency";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/v1/agency";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const SUMMARY: &'static str = "Create the agency";
    const DESCRIPTION: &'static str = "Creates the agency of the caller's project with the policies that the \
        service needs in any case, and those that the request names, and answers without a body.\n\n\
        Not documented, but decided here:\n\n\
        * If the agency is there, the policies are added to it. A repeated request changes nothing.\n\
        * No other operation needs the agency: whether it has all that the service needs is only told.";

    type Resource = Agencies;
    type Path = Nothing;
    type Query = Nothing;
    type Body = AgencyCreate;
    type Response = Nothing;

    fn example() -> Example<Self> {
        let body = AgencyCreate { policy_types: vec![AgencyPolicyType::LakeFormation] };
        Example {
            request: Request { path: Nothing {}, query: Nothing {}, body },
            response: Nothing {},
        }
    }
}

/// What the agency is to have.
#[contract(request)]
#[derive(Default, Eq)]
pub struct AgencyCreate {
    /// What it needs policies for, apart from what the service needs in any case: 0 to 100.
    #[rule(known, items = 0..=100)]
    pub policy_types: Vec<AgencyPolicyType>,
}
