//! `ShowHealth`: GET /healthcheck, open to everybody.

use http::{Method, StatusCode};

use crate::{Example, Failure, Nothing, Operation, Request};

/// Tells whether the service is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShowHealth;

impl Operation for ShowHealth {
    const ID: &'static str = "ShowAdminHealthCheck";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/healthcheck";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const FAILURES: &'static [Failure] = &[Failure::Unavailable];
    const SUMMARY: &'static str = "Show whether the service is up";
    const DESCRIPTION: &'static str =
        "Answers success while the service is up. Needs no credentials.";

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
