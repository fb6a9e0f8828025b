//! `ShowAgreement`: GET `/v1/agreement`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{Agreement, Agreements};
use crate::{Example, Nothing, Operation, Request};

/// Shows what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShowAgreement;

impl Operation for ShowAgreement {
    const ID: &'static str = "ShowAgreement";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/agreement";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const SUMMARY: &'static str = "Show the agreements that are signed";
    const DESCRIPTION: &'static str = "Answers the agreements that the caller's project has signed.\n\n\
        Not documented, but decided here: they are ordered by name; of more than 1,000, the first 1,000 are \
        answered.";

    type Resource = Agreements;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Nothing;
    type Response = SignedAgreements;

    fn example() -> Example<Self> {
        Example {
            request: Request { path: Nothing {}, query: Nothing {}, body: Nothing {} },
            response: SignedAgreements { agreements: vec![super::example()] },
        }
    }
}

/// The agreements that a project has signed.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct SignedAgreements {
    /// The agreements: 0 to 1,000. May be absent.
    #[rule(items = 0..=1000, nested)]
    pub agreements: Vec<Agreement>,
}
