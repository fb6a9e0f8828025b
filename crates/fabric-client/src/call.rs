//! A call: its attempts, one after another, until one is final.

use std::sync::Arc;
use std::time::Duration;

use fabric_model::header;
use http::{Method, StatusCode};
use tokio::time::{Instant, timeout_at};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::answer::Answer;
use crate::interceptor::{Attempt, Finished};
use crate::retry::{self, Effect, Verdict};
use crate::transport::Transport;
use crate::{Error, Retry};

/// Longer than any caller waits, and short enough to be added to a time.
const FOREVER: Duration = Duration::from_hours(24 * 365);

/// A call to be made.
pub(crate) struct Call<'a, Make> {
    pub(crate) transport: &'a Transport,
    pub(crate) retry: Retry,
    /// The longest time for all attempts together.
    pub(crate) timeout: Duration,
    /// The id of the operation, if it is one of the contract.
    pub(crate) operation: Option<&'static str>,
    pub(crate) method: Method,
    pub(crate) effect: Effect,
    /// Path and query.
    pub(crate) target: String,
    /// Whether credentials are left out.
    pub(crate) is_open: bool,
    /// Makes the request of an attempt, without credentials.
    pub(crate) make: Make,
}

/// The answer to a call.
pub(crate) struct Outcome {
    pub(crate) answer: Answer,
    /// Whether the service may have carried out an attempt before the last.
    pub(crate) was_in_doubt: bool,
}

impl<Make: Fn() -> reqwest::Request> Call<'_, Make> {
    /// Makes attempts until one is final, or no time, no budget or no attempt is left.
    pub(crate) async fn run(&self) -> Result<Outcome, Error> {
        let span = tracing::debug_span!(
            "call",
            operation = self.operation,
            method = %self.method,
            attempts = Empty,
            status = Empty,
            request_id = Empty,
            error = Empty,
        );
        self.attempts().instrument(span).await
    }

    async fn attempts(&self) -> Result<Outcome, Error> {
        let mut started = Instant::now();
        let deadline = started + self.timeout.min(FOREVER);
        // The outcome of an earlier attempt that the service may have carried out.
        let mut in_doubt = None;
        let mut number = 1;
        loop {
            let outcome = self.attempt(number, started, deadline).await;
            let verdict = retry::judge(&outcome);
            if outcome.as_ref().is_ok_and(|answer| answer.status.is_success()) {
                self.transport.budget.give();
            }
            let may_repeat = match verdict {
                Verdict::Final => false,
                Verdict::NotDone => true,
                Verdict::InDoubt => self.effect != Effect::EachTime,
            };
            if !may_repeat || !self.retry.allows(number) {
                return self.end(number, outcome, verdict, in_doubt);
            }
            let delay = self.delay(number, &outcome);
            let left = deadline.saturating_duration_since(Instant::now());
            if delay >= left || !self.transport.budget.take() {
                return self.end(number, outcome, verdict, in_doubt);
            }
            match &outcome {
                Ok(answer) => {
                    tracing::debug!(number, status = answer.status.as_u16(), ?delay, "retrying");
                }
                Err(error) => tracing::debug!(number, %error, ?delay, "retrying"),
            }
            if verdict == Verdict::InDoubt {
                in_doubt = Some(outcome);
            }
            tokio::time::sleep(delay).await;
            started = Instant::now();
            number += 1;
        }
    }

    /// The outcome of the call, from that of its last attempt and that of one in doubt.
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
            // That the last attempt had no effect must not hide that an earlier one may have had one.
            Some(earlier) if says_nothing && self.effect != Effect::Reads => earlier,
            _ => last,
        };
        record(attempts, &outcome);
        outcome.map(|answer| Outcome { answer, was_in_doubt })
    }

    /// Sends once, with credentials. If the service rejects the date of a signature, the request is signed
    /// again by the service's clock, once; if it rejects credentials that can be renewed, they are renewed,
    /// once.
    async fn attempt(
        &self,
        number: u32,
        mut started: Instant,
        deadline: Instant,
    ) -> Result<Answer, Error> {
        let deadline = deadline.min(started + self.transport.attempt_timeout.min(FOREVER));
        if self.is_open {
            return self.send(number, started, deadline, |_| ()).await;
        }
        let (credentials, clock) = (&self.transport.credentials, &self.transport.clock);
        let late = |_| Error::Credentials(Arc::from(Box::from("the provider timed out")));
        let mut sent = clock.read();
        let mut ready = if let Some(ready) = credentials.at_hand(sent.corrected) {
            ready
        } else {
            let current = credentials.current(sent.corrected);
            let ready = timeout_at(deadline, current).await.map_err(late)??;
            (started, sent) = (Instant::now(), clock.read());
            ready
        };
        let (mut may_correct, mut may_renew) = (ready.is_signing(), true);
        loop {
            let authorize = |request: &mut reqwest::Request| {
                ready.authorize(request, sent.corrected);
            };
            let answer = self.send(number, started, deadline, authorize).await?;
            if answer.status != StatusCode::UNAUTHORIZED {
                return Ok(answer);
            }
            if may_correct && answer.is_of_verifier() && clock.learn(&answer.headers, sent) {
                may_correct = false;
            } else if may_renew {
                let renewed = credentials.renew(&ready, sent.corrected);
                match timeout_at(deadline, renewed).await.map_err(late)?? {
                    Some(next) => (ready, may_renew) = (next, false),
                    None => return Ok(answer),
                }
            } else {
                return Ok(answer);
            }
            (started, sent) = (Instant::now(), clock.read());
        }
    }

    async fn send(
        &self,
        number: u32,
        started: Instant,
        deadline: Instant,
        authorize: impl FnOnce(&mut reqwest::Request),
    ) -> Result<Answer, Error> {
        if started >= deadline {
            return Err(Error::TimedOut(None));
        }
        let transport = self.transport;
        let mut request = (self.make)();
        if !self.is_open
            && let Some(project) = &transport.project
        {
            request.headers_mut().insert(header::X_PROJECT_ID, project.header.clone());
        }
        if let Some(interceptor) = &transport.interceptor {
            interceptor.before(&mut Attempt {
                operation: self.operation,
                number,
                method: &self.method,
                target: &self.target,
                headers: request.headers_mut(),
            });
        }
        authorize(&mut request);
        let exchange = async {
            let response = transport.http.execute(request).await;
            Answer::read(response.map_err(Error::from_transport)?).await
        };
        let outcome = timeout_at(deadline, exchange).await;
        let outcome = outcome.unwrap_or(Err(Error::TimedOut(None)));
        if let Some(interceptor) = &transport.interceptor {
            interceptor.after(&Finished {
                operation: self.operation,
                number,
                method: &self.method,
                status: outcome.as_ref().ok().map(|answer| answer.status),
                error: outcome.as_ref().err(),
                request_id: outcome.as_ref().ok().and_then(Answer::request_id),
                took: started.elapsed(),
            });
        }
        outcome
    }

    /// The delay after an attempt.
    fn delay(&self, number: u32, outcome: &Result<Answer, Error>) -> Duration {
        let delay = self.retry.delay(number, fastrand::f64());
        let asked = outcome.as_ref().ok().and_then(|answer| {
            retry::retry_after(&answer.headers, self.transport.clock.read().corrected)
        });
        delay.max(asked.unwrap_or_default())
    }
}

/// Records the outcome of a call in its span.
fn record(attempts: u32, outcome: &Result<Answer, Error>) {
    let span = Span::current();
    if span.is_disabled() {
        return;
    }
    span.record("attempts", attempts);
    match outcome {
        Ok(answer) => {
            span.record("status", answer.status.as_u16());
            span.record("request_id", answer.request_id());
        }
        Err(error) => {
            span.record("error", error.to_string());
        }
    }
}
