//! `CreateAgreement`: POST `/v1/agreement`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{Agreement, Agreements};
use crate::{Example, Nothing, Operation, Request};

/// Signs agreements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateAgreement;

impl Operation for CreateAgreement {
    const ID: &'static str = "CreateAgreement";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/v1/agreement";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const SUMMARY: &'static str = "Sign agreements";
    const DESCRIPTION: &'static str = "Signs agreements for the caller's project, and answers without a body.\n\n\
        Not documented, but decided here:\n\n\
        * Agreements that the project signed before stay signed. Of several versions of an agreement, the one \
        that was signed last counts.\n\
        * An agreement need not be one that `ShowAgreementRule` answers.\n\
        * An agreement without a name is ignored. The mock server has a stricter profile, in which it is 400.\n\
        * No other operation needs an agreement.";

    type Resource = Agreements;
    type Path = Nothing;
    type Query = Nothing;
    type Body = AgreementsCreate;
    type Response = Nothing;

    fn example() -> Example<Self> {
        let body = AgreementsCreate { agreements: vec![super::example()] };
        Example {
            request: Request { path: Nothing {}, query: Nothing {}, body },
            response: Nothing {},
        }
    }
}

/// The agreements that are to be signed.
#[contract(request)]
#[derive(Default, Eq)]
pub struct AgreementsCreate {
    /// The agreements: 0 to 1,000.
    #[rule(items = 0..=1000, nested)]
    pub agreements: Vec<Agreement>,
}
