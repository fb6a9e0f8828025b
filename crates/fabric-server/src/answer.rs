//! Answers, and the refusals among them: every failure of every layer, as a contract error.

use axum::response::Response;
use bytes::Bytes;
use fabric_model::{ApiError, Failure};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// An answer before it is sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, body: Bytes) -> Self {
        Self { status, headers: HeaderMap::new(), body }
    }

    pub(crate) fn json(status: StatusCode, body: Bytes) -> Self {
        let mut answer = Self::new(status, body);
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static(ApiError::MEDIA_TYPE));
        answer
    }

    /// The answer to a request that failed.
    pub(crate) fn of(error: &ApiError) -> Self {
        Self::json(error.status(), Bytes::from(error.to_bytes()))
    }

    /// The answer where the path does not have the method: `OPTIONS` asks which it has, and is told.
    pub(crate) fn no_such_method(method: &Method, allowed: &HeaderValue) -> Self {
        let mut answer = if method == Method::OPTIONS {
            Self::new(StatusCode::NO_CONTENT, Bytes::new())
        } else {
            Self::of(&Failure::NoSuchApi.into())
        };
        answer.headers.insert(ALLOW, allowed.clone());
        answer
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(self.body.into());
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
