//! `KeystoneValidateToken`: GET /v3/auth/tokens.

use http::{Method, StatusCode};

use super::token::{TokenAnswer, TokenQuery, Tokens, example};
use crate::{Example, Failure, Nothing, Operation, Request};

/// Tells what is known of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidateToken;

impl Operation for ValidateToken {
    const ID: &'static str = "KeystoneValidateToken";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v3/auth/tokens";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const IS_SIGN_IN: bool = true;
    const FAILURES: &'static [Failure] =
        &[Failure::TokenRejected, Failure::Forbidden, Failure::NotFound, Failure::Internal];
    const SUMMARY: &'static str = "Show what is known of a token";
    const DESCRIPTION: &'static str = "Answers what is known of the token in the header `X-Subject-Token`. A \
        user may ask about the user's own tokens.\n\n\
        Not documented, but decided here: a token that is unknown or has expired is 404, and so is one of another \
        user. Credentials that nobody signed in for may ask about any token.";
    const REQUEST_HEADER: Option<&'static str> = Some("X-Subject-Token");
    const RESPONSE_HEADER: Option<&'static str> = Some("X-Subject-Token");

    type Resource = Tokens;
    type Path = Nothing;
    type Query = TokenQuery;
    type Body = Nothing;
    type Response = TokenAnswer;

    fn example() -> Example<Self> {
        let query = TokenQuery::without_catalog();
        Example {
            request: Request { path: Nothing {}, query, body: Nothing {} },
            response: example(),
        }
    }
}
