//! What bounds the requests of the control surface: their time, their bodies, and what they look up.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use tokio::sync::OwnedSemaphorePermit;

use crate::api::limits::discard_body;
use crate::mock::budget::Allowance;
use crate::mock::error::ControlError;
use crate::mock::world::World;

/// The bounds of each request.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    /// The longest time from the end of a head to the answer.
    pub(crate) time: Duration,
    /// The bytes of all bodies together.
    pub(crate) bodies: Allowance,
}

/// The longest body, but for a snapshot.
const BODY_MAX: usize = 2 * 1024 * 1024;

/// How long a look-up waits for others to end.
const LOOKUP_WAIT: Duration = Duration::from_secs(10);

/// How much of a text that says what is wrong is kept.
const REASON_MAX: usize = 4 * 1024;

/// Reads the body of a request, and answers the request, within the bounds.
pub(crate) async fn keep(
    State(bounds): State<Arc<Bounds>>,
    request: Request,
    next: Next,
) -> Result<Response, ControlError> {
    let late = || ControlError {
        status: StatusCode::REQUEST_TIMEOUT,
        message: format!("the request takes longer than {:?}, see --request-timeout", bounds.time),
    };
    // A snapshot may be long, and is read as it comes.
    if request.uri().path() == "/_mock/v1/snapshot" {
        return run(request, next).await;
    }
    let answer = async {
        let (parts, body) = request.into_parts();
        let announced = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let announced = announced.and_then(|length| length.parse().ok()).unwrap_or_default();
        let mut chunks = body.into_data_stream();
        let body = match read(&mut chunks, announced, &bounds.bodies).await {
            Ok(body) => body,
            Err(error) => {
                discard_body(&parts, Body::from_stream(chunks)).await;
                return Err(error);
            }
        };
        run(Request::from_parts(parts, Body::from(body)), next).await
    };
    tokio::time::timeout(bounds.time, answer).await.unwrap_or_else(|_| Err(late()))
}

/// Answers a request; a panic with 500.
async fn run(request: Request, next: Next) -> Result<Response, ControlError> {
    AssertUnwindSafe(next.run(request)).catch_unwind().await.map_err(|_panic| broken())
}

/// Reads a body. The budget has its bytes back when the body is dropped.
async fn read(
    chunks: &mut axum::body::BodyDataStream,
    announced: usize,
    bodies: &Allowance,
) -> Result<Bytes, ControlError> {
    let mut whole = Vec::new();
    let mut taken: Option<OwnedSemaphorePermit> = None;
    if announced > BODY_MAX {
        return Err(too_long());
    }
    while let Some(chunk) = chunks.next().await {
        let chunk =
            chunk.map_err(|_| ControlError::invalid("body: must be sent to its end".to_owned()))?;
        if whole.len() + chunk.len() > BODY_MAX {
            return Err(too_long());
        }
        let more = bodies.take(chunk.len()).ok_or_else(|| {
            spent("the bodies of requests under way take all the room", "--control-bodies-limit")
        })?;
        match &mut taken {
            Some(taken) => taken.merge(more),
            None => taken = Some(more),
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(Bytes::from_owner(Held { whole, _taken: taken }))
}

/// A body, and what it takes of the budget.
struct Held {
    whole: Vec<u8>,
    _taken: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.whole
    }
}

/// Waits until something may be looked up that takes a while, and what it finds may be held.
pub(crate) async fn place_to_look_up(world: &World) -> Result<OwnedSemaphorePermit, ControlError> {
    let place = world.spending().lookups.wait_for_one(LOOKUP_WAIT).await;
    place.ok_or_else(|| spent("too many look-ups are under way", "--max-lookups"))
}

/// Makes the body of an answer that is no success an [error](ControlError), if it is none: such as of a file of the
/// reference that is not there.
pub(crate) async fn in_json(response: Response) -> Response {
    let status = response.status();
    let is_json = |media_type: &HeaderValue| media_type.as_bytes().starts_with(b"application/json");
    if status.is_success()
        || status.is_redirection()
        || response.headers().get(CONTENT_TYPE).is_some_and(is_json)
    {
        return response;
    }
    let text = axum::body::to_bytes(response.into_body(), REASON_MAX).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let message = if text.is_empty() { status.to_string() } else { text };
    ControlError { status, message }.into_response()
}

pub(crate) fn broken() -> ControlError {
    let message = "the mock server is at fault; its log says more".to_owned();
    ControlError { status: StatusCode::INTERNAL_SERVER_ERROR, message }
}

/// The error where a budget is spent.
pub(crate) fn spent(what: &str, flag: &str) -> ControlError {
    let message = format!("{what}: try again later, or start the server with a higher {flag}");
    ControlError { status: StatusCode::SERVICE_UNAVAILABLE, message }
}

fn too_long() -> ControlError {
    let message = format!("body: must have at most {BODY_MAX} bytes");
    ControlError { status: StatusCode::PAYLOAD_TOO_LARGE, message }
}
