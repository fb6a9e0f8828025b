//! The limits of head and body, which are checked first.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use fabric_model::{ApiError, Failure, Invalid, header};
use futures_util::StreamExt;
use http::Version;
use http::header::{CONTENT_LENGTH, EXPECT, HOST};
use http::request::Parts;

/// The limits of a request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body, in bytes. A larger one is rejected with 413.
    pub body: usize,
    /// The longest time from the end of the head of a request to its answer. After it, the answer is 408.
    pub time: Duration,
}

impl Default for Limits {
    /// 12 MB, as at the service's gateway, and 30 seconds.
    fn default() -> Self {
        Self { body: 12 * 1024 * 1024, time: Duration::from_secs(30) }
    }
}

/// The longest request target, in bytes: 32 KB.
pub(crate) const TARGET_MAX_LENGTH: usize = 32 * 1024;

/// The largest head of a request without its first line, in bytes: 128 KB, names and values.
pub(crate) const HEADERS_MAX_LENGTH: usize = 128 * 1024;

/// The longest value of a single header: the longest token.
pub(crate) const HEADER_MAX_LENGTH: usize = header::TOKEN_MAX_LENGTH;

/// The most headers.
pub(crate) const HEADERS_MAX_COUNT: usize = 100;

/// How much of a body that is too large is read and thrown away, so that a caller who does not
/// listen while sending gets to see the rejection, and no connection reset in its place.
const DISCARDED_MAX_LENGTH: usize = 64 * 1024 * 1024;

/// Rejects a request for its head.
pub(crate) fn check_head(parts: &Parts) -> Result<(), ApiError> {
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > TARGET_MAX_LENGTH {
        return Err(Failure::UriTooLong.into());
    }
    let mut total = 0;
    for (name, value) in &parts.headers {
        total += name.as_str().len() + value.len();
        if value.len() > HEADER_MAX_LENGTH {
            return Err(Failure::HeadersTooLarge.into());
        }
    }
    if total > HEADERS_MAX_LENGTH || parts.headers.len() > HEADERS_MAX_COUNT {
        return Err(Failure::HeadersTooLarge.into());
    }
    // HTTP/1.1 demands to know the host, and a signature covers it; HTTP/2 has it in the target.
    let has_host = parts.uri.authority().is_some() || parts.headers.contains_key(HOST);
    if parts.version == Version::HTTP_11 && !has_host {
        return Err(Invalid::new("Host", "must be given").into());
    }
    Ok(())
}

/// How long a body that nobody needs is waited for.
const DISCARDING_MAX: Duration = Duration::from_secs(1);

/// Reads a body and throws it away, so that a caller who does not listen while sending gets to see the rejection.
pub(crate) async fn discard_body(parts: &Parts, body: Body) {
    if parts.headers.contains_key(EXPECT) {
        return;
    }
    let discard = async {
        let mut chunks = body.into_data_stream();
        let mut left = DISCARDED_MAX_LENGTH;
        while let Some(Ok(chunk)) = chunks.next().await {
            let Some(less) = left.checked_sub(chunk.len()) else { return };
            left = less;
        }
    };
    let _ = tokio::time::timeout(DISCARDING_MAX, discard).await;
}

/// Reads a body to its end, or to the limit.
pub(crate) async fn read_body(parts: &Parts, body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let announced = parts
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok().and_then(|length| length.parse::<usize>().ok()));
    // A caller that asks first needs no more than the answer.
    if announced.is_some_and(|length| length > limit) && parts.headers.contains_key(EXPECT) {
        return Err(Failure::BodyTooLarge.into());
    }
    let mut chunks = body.into_data_stream();
    let broken = |_| ApiError::from(Invalid::new("body", "must be sent to its end"));
    let Some(first) = chunks.next().await.transpose().map_err(broken)? else {
        return Ok(Bytes::new());
    };
    let mut length = first.len();
    let mut rest = BytesMut::new();
    while let Some(chunk) = chunks.next().await.transpose().map_err(broken)? {
        length += chunk.len();
        if length > limit.saturating_add(DISCARDED_MAX_LENGTH) {
            break;
        }
        if length <= limit {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&chunk);
        }
    }
    match length {
        length if length > limit => Err(Failure::BodyTooLarge.into()),
        length if length == first.len() => Ok(first),
        _ => Ok(rest.freeze()),
    }
}
