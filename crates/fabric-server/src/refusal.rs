//! Refusals: every failure of every layer, as a contract error.

use axum::response::Response;
use bytes::Bytes;
use fabric_model::{ApiError, Failure};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};

/// The answer to a request that failed.
pub(crate) fn refuse(error: &ApiError) -> Response {
    let mut response = Response::new(Bytes::from(error.to_bytes()).into());
    *response.status_mut() = error.status();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(ApiError::MEDIA_TYPE));
    response
}

/// The answer where the path does not have the method: `OPTIONS` asks which it has, and is told.
pub(crate) fn no_such_method(method: &Method, allowed: &HeaderValue) -> Response {
    let mut response = if method == Method::OPTIONS {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    } else {
        refuse(&Failure::NoSuchApi.into())
    };
    response.headers_mut().insert(ALLOW, allowed.clone());
    response
}
