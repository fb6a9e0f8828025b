//! Sends an answer as a fault says.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Response};

use crate::api::answer::{Answer, AnswerBody};
use crate::api::connections::Connection;
use crate::mock::fault::effect::Effect;
use crate::mock::fault::firing::Firing;
use crate::mock::fault::rule::DELAY_MAX;
use crate::mock::stop::Stop;

/// What a broken body has after its first half.
const BROKEN: &[u8] = b"\xff\"}{";

/// How long what was sent has to get on its way before the connection is broken.
const TO_THE_WIRE: Duration = Duration::from_millis(20);

/// Answers, or does not, as the fault says.
pub(crate) async fn deliver(
    firing: &Firing,
    answer: Answer,
    connection: Connection,
    stop: &Stop,
) -> Response<AnswerBody> {
    wait(firing.delay, stop).await;
    let Some(effect) = &firing.then else { return answer.into_response() };
    match effect {
        Effect::Answer { .. } | Effect::Throttle { .. } => answer.into_response(),
        Effect::Reset => {
            connection.reset();
            answer.into_response()
        }
        Effect::Drop => {
            connection.close();
            answer.into_response()
        }
        Effect::Hang => {
            wait(DELAY_MAX, stop).await;
            connection.close();
            answer.into_response()
        }
        Effect::Truncate { bytes } => {
            let whole = answer.body.len();
            let sent = answer.body.slice(..bytes.unwrap_or(whole / 2).min(whole));
            let end = async move {
                tokio::time::sleep(TO_THE_WIRE).await;
                connection.close();
                Err(io::Error::from(io::ErrorKind::ConnectionAborted))
            };
            // Of a body that is empty nothing can be missing: then one is announced.
            let length = whole.max(sent.len() + 1);
            in_pieces(answer, length, stream::iter([Ok(sent)]).chain(stream::once(end)))
        }
        Effect::Corrupt => {
            let mut body = answer.body[..answer.body.len() / 2].to_vec();
            body.extend_from_slice(BROKEN);
            Answer { body: body.into(), ..answer }.into_response()
        }
        Effect::Trickle { bytes, every_milliseconds } => {
            let every = Duration::from_millis(every_milliseconds.unwrap_or(100));
            let pieces =
                trickle(answer.body.clone(), bytes.unwrap_or(1).max(1), every, stop.clone());
            let length = answer.body.len();
            in_pieces(answer, length, pieces)
        }
    }
}

/// A body in pieces of one size, with a pause before each.
fn trickle(
    body: Bytes,
    size: usize,
    every: Duration,
    stop: Stop,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    stream::unfold((body, stop), move |(mut rest, stop)| async move {
        if rest.is_empty() {
            return None;
        }
        wait(every, &stop).await;
        let piece = rest.split_to(size.min(rest.len()));
        Some((Ok(piece), (rest, stop)))
    })
}

/// Waits so long, or until the server stops.
async fn wait(time: Duration, stop: &Stop) {
    if !time.is_zero() {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = stop.stopped() => {}
        }
    }
}

fn in_pieces<E>(
    answer: Answer,
    length: usize,
    pieces: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
) -> Response<AnswerBody>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let mut response = answer.into_response();
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    *response.body_mut() = AnswerBody::Streamed(Body::from_stream(pieces));
    response
}
