//! Answers. Every failure of every layer is an error of the contract.

use axum::response::Response;
use bytes::Bytes;
use fabric_model::{ApiError, header};
use http::header::{ALLOW, CONTENT_TYPE, DATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// An answer before it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers, but for those that the HTTP library adds.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// An answer without headers.
    #[must_use]
    pub fn new(status: StatusCode, body: Bytes) -> Self {
        Self { status, headers: HeaderMap::new(), body }
    }

    /// An answer in JSON.
    #[must_use]
    pub fn json(status: StatusCode, body: Bytes) -> Self {
        let mut answer = Self::new(status, body);
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static(ApiError::MEDIA_TYPE));
        answer
    }

    /// The answer to a request that failed.
    #[must_use]
    pub fn of(error: &ApiError) -> Self {
        Self::json(error.status(), Bytes::from(error.to_bytes()))
    }

    /// Replaces the answer by another one, which keeps the headers that every answer has.
    #[must_use]
    pub fn replaced_by(mut self, mut other: Self) -> Self {
        for name in [header::X_REQUEST_ID, DATE] {
            if let Some(value) = self.headers.remove(&name) {
                other.headers.insert(name, value);
            }
        }
        other
    }

    /// The answer as axum sends it.
    #[must_use]
    pub fn into_response(self) -> Response {
        let mut response = Response::new(self.body.into());
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }

    /// The answer if the path does not have the method. `OPTIONS` is answered with the methods of the path.
    pub(crate) fn no_such_method(
        method: &Method,
        allowed: &HeaderValue,
        rejection: &ApiError,
    ) -> Self {
        let mut answer = if method == Method::OPTIONS {
            Self::new(StatusCode::NO_CONTENT, Bytes::new())
        } else {
            Self::of(rejection)
        };
        answer.headers.insert(ALLOW, allowed.clone());
        answer
    }
}
