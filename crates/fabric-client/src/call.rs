//! A call: its attempts, one after another, until one is final.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fabric_model::{ApiError, Operation, Payload, header};
use http::{HeaderMap, Method, StatusCode};
use reqwest::Response;
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::Error;
use crate::client::Client;
use crate::interceptor::Attempt;
use crate::retry::{self, Verdict};

/// The largest answer that is read: a page of a hundred access clients has a fraction of it.
const ANSWER_MAX_LENGTH: usize = 16 * 1024 * 1024;

/// The most of a body that an error keeps.
const KEPT_MAX_LENGTH: usize = 64 * 1024;

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
        );
        self.attempts(client).instrument(span).await
    }

    async fn attempts(&self, client: &Client) -> Result<Outcome, Error> {
        let deadline = Instant::now() + client.timeout;
        let mut was_in_doubt = false;
        let mut number = 1;
        loop {
            let outcome = self.attempt(client, number, deadline).await;
            let verdict = retry::judge(&outcome);
            if verdict == Verdict::Final && outcome.is_ok() {
                client.shared.budget.give();
            }
            let may_repeat = match verdict {
                Verdict::Final => false,
                Verdict::NotDone => true,
                Verdict::InDoubt => retry::is_repeatable(&self.method),
            };
            let wait = wait(client, number, &outcome);
            let has_time = Instant::now() + wait < deadline;
            if !may_repeat
                || !client.retry.allows(number)
                || !has_time
                || !client.shared.budget.take()
            {
                record(number, &outcome);
                return outcome.map(|answer| Outcome { answer, was_in_doubt });
            }
            was_in_doubt |= verdict == Verdict::InDoubt;
            match &outcome {
                Ok(answer) => {
                    tracing::debug!(number, status = answer.status.as_u16(), ?wait, "trying again");
                }
                Err(error) => tracing::debug!(number, %error, ?wait, "trying again"),
            }
            tokio::time::sleep(wait).await;
            number += 1;
        }
    }

    /// Sends once, with credentials. What the service refuses for its date is signed again by the
    /// service's clock, once; credentials that can be renewed are renewed, once.
    async fn attempt(
        &self,
        client: &Client,
        number: u32,
        deadline: Instant,
    ) -> Result<Answer, Error> {
        if self.is_open {
            return self.send(client, number, deadline, |_| ()).await;
        }
        let (credentials, clock) = (&client.shared.credentials, &client.shared.clock);
        let mut ready = credentials.current(clock.read().corrected).await?;
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
            } else if may_renew
                && let Some(next) = credentials.renew(&ready, sent.corrected).await?
            {
                (ready, may_renew) = (next, false);
            } else {
                return Ok(answer);
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
        *request.timeout_mut() = Some(shared.attempt_timeout.min(left));
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
            let outcome = outcome.as_ref().map(|answer| answer.status);
            interceptor.after(number, outcome, started.elapsed());
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
        Err(error) => tracing::debug!(%error, "failed"),
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
        let (body, is_whole) = read_body(&mut response).await?;
        Ok(Self { status, headers, body, is_whole })
    }

    /// Whether the one who checks signatures speaks, and not a proxy on the way.
    fn is_of_the_gateway(&self) -> bool {
        let error = ApiError::read(self.status, None, &self.body);
        error.code().is_some_and(|code| code.starts_with("APIG"))
    }

    /// The answer, unless it is a failure.
    pub(crate) fn success(self) -> Result<http::Response<Bytes>, Error> {
        let Self { status, headers, mut body, is_whole } = self;
        if status.is_client_error() || status.is_server_error() {
            // An error that is too large to be one of the service's is text, of which the beginning
            // does.
            body.truncate(KEPT_MAX_LENGTH);
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
    let mut body = answer.into_body();
    body.truncate(KEPT_MAX_LENGTH);
    Error::Unexpected { status, reason, request_id, body }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(header::X_REQUEST_ID)?;
    Some(String::from_utf8_lossy(id.as_bytes()).into_owned())
}

/// Reads a body to its end, or says that it goes on.
async fn read_body(response: &mut Response) -> Result<(Bytes, bool), Error> {
    let Some(first) = response.chunk().await.map_err(Error::from_transport)? else {
        return Ok((Bytes::new(), true));
    };
    let mut body = BytesMut::from(first);
    while let Some(chunk) = response.chunk().await.map_err(Error::from_transport)? {
        if body.len() + chunk.len() > ANSWER_MAX_LENGTH {
            return Ok((body.freeze(), false));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body.freeze(), true))
}
