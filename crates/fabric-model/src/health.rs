//! `ShowHealth`: GET /healthcheck, which needs no credentials.

use http::{Method, StatusCode};

use crate::{Example, Failure, Nothing, Operation, Request, Resource};

/// The service as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Service;

impl Resource for Service {
    const NAME: &'static str = "service";
    const SINGULAR: &'static str = "service";
    const DESCRIPTION: &'static str = "The service as a whole";
    const ID_PARAMETER: Option<&'static str> = None;

    type Answer = Nothing;
}

/// Tells whether the service is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShowHealth;

impl Operation for ShowHealth {
    const ID: &'static str = "ShowAdminHealthCheck";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/healthcheck";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const IS_OPEN: bool = true;
    const FAILURES: &'static [Failure] = &[
        Failure::InvalidRequest,
        Failure::TokenRejected,
        Failure::Forbidden,
        Failure::NotFound,
        Failure::TimedOut,
        Failure::Internal,
        Failure::Unavailable,
    ];
    const SUMMARY: &'static str = "Show whether the service is up";
    const DESCRIPTION: &'static str =
        "Answers success while the service is up. Needs no credentials.";

    type Resource = Service;
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
