//! An answer as it arrived, read up to a limit.

use bytes::{Bytes, BytesMut};
use fabric_model::{ApiError, Operation, Payload, header};
use http::{HeaderMap, StatusCode};
use reqwest::Response;

use crate::Error;

/// The largest body of a success that is read; a page of a hundred access clients is much smaller.
const SUCCESS_MAX_LENGTH: usize = 16 * 1024 * 1024;

/// The largest part of a body that an error keeps.
const KEPT_MAX_LENGTH: usize = 64 * 1024;

/// The most objects, arrays and elements of them in the body of a success. Each may take a thousand times as much memory
/// as the two bytes of `{}`; a page of a thousand items is much smaller.
const VALUES_MAX: usize = 200_000;

/// An answer as it arrived.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    end: End,
}

/// Where reading a body ended.
#[derive(Clone, Copy, PartialEq)]
enum End {
    OfBody,
    AtLimit,
}

impl Answer {
    pub(crate) async fn read(mut response: Response) -> Result<Self, Error> {
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let limit = if is_failure(status) { KEPT_MAX_LENGTH } else { SUCCESS_MAX_LENGTH };
        let (body, end) = read_body(&mut response, limit).await?;
        Ok(Self { status, headers, body, end })
    }

    /// Whether those answered who check signatures, the gateway or the identity service, and not a proxy on the way.
    pub(crate) fn is_of_verifier(&self) -> bool {
        let error = ApiError::read(self.status, None, &self.body);
        error.is_of_gateway() || error.json().is_some_and(|body| body.contains_key("error"))
    }

    pub(crate) fn request_id(&self) -> Option<String> {
        request_id(&self.headers)
    }

    /// The answer, unless it is an error.
    pub(crate) fn success(self) -> Result<http::Response<Bytes>, Error> {
        let Self { status, headers, body, end } = self;
        if is_failure(status) {
            let request_id = request_id(&headers);
            return Err(Error::Rejected(ApiError::read(status, request_id.as_deref(), &body)));
        }
        let mut answer = http::Response::new(body);
        (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
        if end == End::AtLimit {
            let reason = format!("the body has more than {SUCCESS_MAX_LENGTH} bytes");
            return Err(unexpected(answer, reason));
        }
        Ok(answer)
    }
}

/// Reads the documented success of an operation from an answer.
pub(crate) fn read_success<O: Operation>(
    answer: http::Response<Bytes>,
) -> Result<O::Response, Error> {
    if answer.status() != O::SUCCESS {
        return Err(unexpected(answer, format!("expected {}", O::SUCCESS)));
    }
    if has_too_many_values(answer.body()) {
        return Err(unexpected(answer, format!("the body has more than {VALUES_MAX} values")));
    }
    O::Response::read_answer(answer.body())
        .map_err(|invalid| unexpected(answer, invalid.to_string()))
}

/// Whether JSON has more than [`VALUES_MAX`] values, as told by its brackets and commas.
fn has_too_many_values(body: &[u8]) -> bool {
    if body.len() <= VALUES_MAX {
        return false;
    }
    let (mut values, mut in_text, mut is_escaped) = (0, false, false);
    for byte in body {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' | b',' if !in_text => values += 1,
            _ => {}
        }
    }
    values > VALUES_MAX
}

fn is_failure(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

fn unexpected(answer: http::Response<Bytes>, reason: String) -> Error {
    let (status, request_id) = (answer.status(), request_id(answer.headers()));
    // A copy, since a slice would keep the whole body in memory.
    let body = answer.into_body();
    let body = Bytes::copy_from_slice(&body[..body.len().min(KEPT_MAX_LENGTH)]);
    Error::Unexpected { status, reason, request_id, body }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(header::X_REQUEST_ID)?;
    Some(String::from_utf8_lossy(id.as_bytes()).into_owned())
}

/// Reads a body to its end, or up to a limit.
async fn read_body(response: &mut Response, limit: usize) -> Result<(Bytes, End), Error> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(Error::from_transport)? {
        let room = limit - body.len();
        if chunk.len() > room {
            body.extend_from_slice(&chunk[..room]);
            return Ok((body.freeze(), End::AtLimit));
        }
        if body.is_empty() {
            body = BytesMut::from(chunk);
        } else {
            body.extend_from_slice(&chunk);
        }
    }
    Ok((body.freeze(), End::OfBody))
}
