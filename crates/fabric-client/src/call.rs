//! A call: its attempts, one after another, until one is final.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fabric_model::{ApiError, Operation, Payload, header};
use http::{HeaderMap, Method, StatusCode};
use reqwest::Response;
use tokio::time::{Instant, timeout_at};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::Error;
use crate::client::Client;
use crate::interceptor::{Attempt, Finished};
use crate::retry::{self, Verdict};

/// The largest answer that is read: a page of a hundred access clients has a fraction of it.
const ANSWER_MAX_LENGTH: usize = 16 * 1024 * 1024;

/// The most of a body that an error keeps.
const KEPT_MAX_LENGTH: usize = 64 * 1024;

/// Longer than anybody waits, and short enough to be added to a time.
const FOREVER: Duration = Duration::from_hours(24 * 365);

/// What is to be called.
pub(crate) struct Call<Make> {
    /// The operation by the service's name for it, if it is one of the contract.
    pub(crate) operation: Option<&'static str>,
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    /// Whether credentials are left out.
    pub(crate) is_open: bool,
    /// Makes the request of an attempt, without credentials.
    pub(crate) make: Make,
}

/// What came of a call.
pub(crate) struct Outcome {
    pub(crate) answer: Answer,
    /// Whether an attempt before the last may have been carried out.
    pub(crate) was_in_doubt: bool,
}

impl<Make: Fn() -> reqwest::Request> Call<Make> {
    /// Makes attempts until one is final, or there is no time, no budget or no attempt left.
    pub(crate) async fn run(&self, client: &Client) -> Result<Outcome, Error> {
        let span = tracing::debug_span!(
            "call",
            operation = self.operation,
            method = %self.method,
            attempts = Empty,
            status = Empty,
            request_id = Empty,
            error = Empty,
        );
        self.attempts(client).instrument(span).await
    }

    async fn attempts(&self, client: &Client) -> Result<Outcome, Error> {
        let deadline = Instant::now() + client.timeout.min(FOREVER);
        // What an earlier attempt came to that may have been carried out.
        let mut in_doubt = None;
        let mut number = 1;
        loop {
            let outcome = self.attempt(client, number, deadline).await;
            let verdict = retry::judge(&outcome);
            if outcome.as_ref().is_ok_and(|answer| answer.status.is_success()) {
                client.shared.budget.give();
            }
            let may_repeat = match verdict {
                Verdict::Final => false,
                Verdict::NotDone => true,
                Verdict::InDoubt => retry::is_repeatable(&self.method),
            };
            let wait = if may_repeat { wait(client, number, &outcome) } else { Duration::ZERO };
            let left = deadline.saturating_duration_since(Instant::now());
            if !may_repeat
                || !client.retry.allows(number)
                || wait >= left
                || !client.shared.budget.take()
            {
                return self.end(number, outcome, verdict, in_doubt);
            }
            match &outcome {
                Ok(answer) => {
                    tracing::debug!(number, status = answer.status.as_u16(), ?wait, "trying again");
                }
                Err(error) => tracing::debug!(number, %error, ?wait, "trying again"),
            }
            if verdict == Verdict::InDoubt {
                in_doubt = Some(outcome);
            }
            tokio::time::sleep(wait).await;
            number += 1;
        }
    }

    /// What a call comes to, given what its last attempt and one in doubt came to.
    fn end(
        &self,
        attempts: u32,
        last: Result<Answer, Error>,
        verdict: Verdict,
        in_doubt: Option<Result<Answer, Error>>,
    ) -> Result<Outcome, Error> {
        let says_nothing = verdict == Verdict::NotDone
            || last.as_ref().is_ok_and(|answer| {
                matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            });
        let was_in_doubt = in_doubt.is_some();
        let outcome = match in_doubt {
            // That the last attempt did nothing must not hide that an earlier one may have.
            Some(earlier) if says_nothing && !self.method.is_safe() => earlier,
            _ => last,
        };
        record(attempts, &outcome);
        outcome.map(|answer| Outcome { answer, was_in_doubt })
    }

    /// Sends once, with credentials. What the service refuses for its date is signed again by the
    /// service's clock, once; credentials that can be renewed are renewed, once.
    async fn attempt(
        &self,
        client: &Client,
        number: u32,
        deadline: Instant,
    ) -> Result<Answer, Error> {
        let deadline = deadline.min(Instant::now() + client.shared.attempt_timeout.min(FOREVER));
        if self.is_open {
            return self.send(client, number, deadline, |_| ()).await;
        }
        let (credentials, clock) = (&client.shared.credentials, &client.shared.clock);
        let late = |_| Error::Credentials(Arc::from(Box::from("the credentials took too long")));
        let current = credentials.current(clock.read().corrected);
        let mut ready = timeout_at(deadline, current).await.map_err(late)??;
        let (mut may_correct, mut may_renew) = (ready.is_signing(), true);
        loop {
            let sent = clock.read();
            let authorize = |request: &mut reqwest::Request| {
                ready.authorize(request, sent.corrected);
            };
            let answer = self.send(client, number, deadline, authorize).await?;
            if answer.status != StatusCode::UNAUTHORIZED {
                return Ok(answer);
            }
            if may_correct && answer.is_of_the_gateway() && clock.learn(&answer.headers, sent) {
                may_correct = false;
                continue;
            }
            if !may_renew {
                return Ok(answer);
            }
            let renewed = credentials.renew(&ready, sent.corrected);
            match timeout_at(deadline, renewed).await.map_err(late)?? {
                Some(next) => (ready, may_renew) = (next, false),
                None => return Ok(answer),
            }
        }
    }

    async fn send(
        &self,
        client: &Client,
        number: u32,
        deadline: Instant,
        authorize: impl FnOnce(&mut reqwest::Request),
    ) -> Result<Answer, Error> {
        let started = Instant::now();
        let left = deadline.saturating_duration_since(started);
        if left.is_zero() {
            return Err(Error::TimedOut(None));
        }
        let shared = &client.shared;
        let mut request = (self.make)();
        *request.timeout_mut() = Some(left);
        if !self.is_open
            && let Some(project) = &shared.project_id
        {
            request.headers_mut().insert(header::X_PROJECT_ID, project.clone());
        }
        if let Some(interceptor) = &shared.interceptor {
            interceptor.before(&mut Attempt {
                operation: self.operation,
                number,
                method: &self.method,
                target: &self.target,
                headers: request.headers_mut(),
            });
        }
        authorize(&mut request);
        let outcome = match shared.http.execute(request).await {
            Ok(response) => Answer::read(response).await,
            Err(error) => Err(Error::from_transport(error)),
        };
        if let Some(interceptor) = &shared.interceptor {
            interceptor.after(&Finished {
                operation: self.operation,
                number,
                method: &self.method,
                status: outcome.as_ref().ok().map(|answer| answer.status),
                error: outcome.as_ref().err(),
                request_id: outcome.as_ref().ok().and_then(|answer| request_id(&answer.headers)),
                took: started.elapsed(),
            });
        }
        outcome
    }
}

/// How long to wait after an attempt.
fn wait(client: &Client, number: u32, outcome: &Result<Answer, Error>) -> Duration {
    let wait = client.retry.delay(number, fastrand::f64());
    let asked = outcome.as_ref().ok().and_then(|answer| {
        retry::retry_after(&answer.headers, client.shared.clock.read().corrected)
    });
    wait.max(asked.unwrap_or_default())
}

/// Puts what came of a call into its span.
fn record(attempts: u32, outcome: &Result<Answer, Error>) {
    let span = Span::current();
    if span.is_disabled() {
        return;
    }
    span.record("attempts", attempts);
    match outcome {
        Ok(answer) => {
            span.record("status", answer.status.as_u16());
            span.record("request_id", request_id(&answer.headers));
        }
        Err(error) => {
            span.record("error", error.to_string());
        }
    }
}

/// An answer as it came.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the body is all there, or was too large to be read to its end.
    is_whole: bool,
}

impl Answer {
    async fn read(mut response: Response) -> Result<Self, Error> {
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let is_failure = status.is_client_error() || status.is_server_error();
        let limit = if is_failure { KEPT_MAX_LENGTH } else { ANSWER_MAX_LENGTH };
        let (body, is_whole) = read_body(&mut response, limit).await?;
        Ok(Self { status, headers, body, is_whole })
    }

    /// Whether the one who checks signatures speaks, and not a proxy on the way.
    fn is_of_the_gateway(&self) -> bool {
        ApiError::read(self.status, None, &self.body).is_of_gateway()
    }

    /// The answer, unless it is a failure.
    pub(crate) fn success(self) -> Result<http::Response<Bytes>, Error> {
        let Self { status, headers, body, is_whole } = self;
        if status.is_client_error() || status.is_server_error() {
            let request_id = request_id(&headers);
            return Err(Error::Refused(ApiError::read(status, request_id.as_deref(), &body)));
        }
        let mut answer = http::Response::new(body);
        (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
        if !is_whole {
            let reason = format!("the body has more than {ANSWER_MAX_LENGTH} bytes");
            return Err(unexpected(answer, reason));
        }
        Ok(answer)
    }
}

/// Finds the documented success in an answer.
pub(crate) fn understand<O: Operation>(
    answer: http::Response<Bytes>,
) -> Result<O::Response, Error> {
    if answer.status() != O::SUCCESS {
        return Err(unexpected(answer, format!("expected {}", O::SUCCESS)));
    }
    O::Response::read(answer.body()).map_err(|invalid| unexpected(answer, invalid.to_string()))
}

fn unexpected(answer: http::Response<Bytes>, reason: String) -> Error {
    let (status, request_id) = (answer.status(), request_id(answer.headers()));
    // A copy, since a part of the bytes would keep them all.
    let body = answer.into_body();
    let body = Bytes::copy_from_slice(&body[..body.len().min(KEPT_MAX_LENGTH)]);
    Error::Unexpected { status, reason, request_id, body }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(header::X_REQUEST_ID)?;
    Some(String::from_utf8_lossy(id.as_bytes()).into_owned())
}

/// Reads a body to its end, or to a limit, and says whether that was the end.
async fn read_body(response: &mut Response, limit: usize) -> Result<(Bytes, bool), Error> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(Error::from_transport)? {
        let rest = limit - body.len();
        if chunk.len() > rest {
            body.extend_from_slice(&chunk[..rest]);
            return Ok((body.freeze(), false));
        }
        if body.is_empty() {
            body = BytesMut::from(chunk);
        } else {
            body.extend_from_slice(&chunk);
        }
    }
    Ok((body.freeze(), true))
}
