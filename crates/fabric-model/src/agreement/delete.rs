//! `DeleteAgreement`: DELETE `/v1/agreement`.

use http::{Method, StatusCode};

use super::Agreements;
use crate::{Example, Nothing, Operation, Request};

/// Revokes all agreements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleteAgreement;

impl Operation for DeleteAgreement {
    const ID: &'static str = "DeleteAgreement";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/v1/agreement";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const SUMMARY: &'static str = "Revoke all agreements";
    const DESCRIPTION: &'static str = "Revokes all agreements that the caller's project has signed, and answers \
        without a body.\n\n\
        Not documented, but decided here: a success also if none is signed.";

    type Resource = Agreements;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Nothing;
    type Response = Nothing;

    fn example() -> Example<Self> {
        Example {
            request: Request { path: Nothing {}, query: Nothing {}, body: Nothing {} },
            response: Nothing {},
        }
    }
}
