//! Which calls are retried, how often, and after which delay.

use std::time::{Duration, SystemTime};

use fabric_model::OperationInfo;
use http::header::RETRY_AFTER;
use http::{HeaderMap, Method, StatusCode};
use parking_lot::Mutex;

use crate::Error;
use crate::answer::Answer;
use crate::error::is_transient;

/// How many attempts a call has, and the delay between them.
///
/// The client retries when it cannot connect, when the connection breaks, when no answer arrives in time, and
/// on the statuses 408, 429, 500, 502, 503 and 504. It does so for GET, PUT and DELETE, whose effect is the
/// same however often they are sent, and for a POST that only reads. Any other POST, such as a create, it
/// retries only where the service cannot have carried it out: when it could not connect, on 429, and on a 503
/// without a body, which a gateway sends.
///
/// The delay doubles from one attempt to the next. Each is drawn at random from half of it to all of it, so
/// that callers that failed together do not retry together. A longer `Retry-After` takes precedence. A delay
/// that would exceed the timeout of the call ends the call at once.
///
/// All clones of a client share a budget of 100 tokens: each retry takes 5, each success returns 1. During an
/// outage that allows 20 retries; after that every call has one attempt.
///
/// ```
/// use std::time::Duration;
/// use fabric_client::{Client, Retry};
///
/// let retry = Retry::default().attempts(5).delays(Duration::from_millis(50), Duration::from_secs(2));
/// let client = Client::builder("http://127.0.0.1:8080").retry(retry).build()?;
/// let once = client.with_retry(Retry::off());
/// # Ok::<(), fabric_client::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    attempts: u32,
    first: Duration,
    longest: Duration,
}

impl Default for Retry {
    /// Three attempts; 200 milliseconds before the second, and never more than 5 seconds.
    fn default() -> Self {
        Self { attempts: 3, first: Duration::from_millis(200), longest: Duration::from_secs(5) }
    }
}

impl Retry {
    /// One attempt: no retries.
    #[must_use]
    pub fn off() -> Self {
        Self::default().attempts(1)
    }

    /// Sets the number of attempts, the first included; 0 counts as 1.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Sets the delay before the second attempt, and the longest before any.
    #[must_use]
    pub fn delays(mut self, first: Duration, longest: Duration) -> Self {
        (self.first, self.longest) = (first, longest);
        self
    }

    pub(crate) fn allows(self, attempts_made: u32) -> bool {
        attempts_made < self.attempts
    }

    /// The delay after this many attempts.
    pub(crate) fn delay(self, attempts_made: u32, jitter: f64) -> Duration {
        let doublings = attempts_made.saturating_sub(1).min(16);
        let whole = self.first.saturating_mul(1 << doublings).min(self.longest);
        whole.mul_f64(0.5 + jitter / 2.0)
    }
}

/// What an attempt means for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Another attempt would end in the same way.
    Final,
    /// Another attempt may succeed; the service has not carried out this one.
    NotDone,
    /// Another attempt may succeed; the service may have carried out this one.
    InDoubt,
}

/// Judges an attempt of any call.
pub(crate) fn judge(outcome: &Result<Answer, Error>) -> Verdict {
    match outcome {
        Err(Error::Connect(_)) => Verdict::NotDone,
        Err(Error::TimedOut(_) | Error::Interrupted(_)) => Verdict::InDoubt,
        Err(_) => Verdict::Final,
        Ok(answer) => match answer.status {
            StatusCode::TOO_MANY_REQUESTS => Verdict::NotDone,
            StatusCode::SERVICE_UNAVAILABLE if answer.body.is_empty() => Verdict::NotDone,
            status if is_transient(status) => Verdict::InDoubt,
            _ => Verdict::Final,
        },
    }
}

/// What sending a request once more changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing: it only reads.
    Reads,
    /// Nothing more than the first did.
    Idempotent,
    /// Something each time.
    EachTime,
}

impl Effect {
    pub(crate) fn of_operation(operation: &OperationInfo) -> Self {
        if operation.only_reads || operation.method.is_safe() {
            Self::Reads
        } else if operation.is_repeatable() {
            Self::Idempotent
        } else {
            Self::EachTime
        }
    }

    /// For requests that are not operations of the contract.
    pub(crate) fn of_method(method: &Method) -> Self {
        if method.is_safe() {
            Self::Reads
        } else if method.is_idempotent() {
            Self::Idempotent
        } else {
            Self::EachTime
        }
    }
}

/// The delay that the service asks for: seconds, or until a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Limits retries, so that a client does not make an outage worse.
#[derive(Debug)]
pub(crate) struct Budget(Mutex<u32>);

const FULL: u32 = 100;
const COST: u32 = 5;

impl Default for Budget {
    fn default() -> Self {
        Self(Mutex::new(FULL))
    }
}

impl Budget {
    /// Takes the cost of a retry, if enough is left.
    pub(crate) fn take(&self) -> bool {
        let mut tokens = self.0.lock();
        let rest = tokens.checked_sub(COST);
        *tokens = rest.unwrap_or(*tokens);
        rest.is_some()
    }

    /// Returns a token for a success.
    pub(crate) fn give(&self) {
        let mut tokens = self.0.lock();
        *tokens = (*tokens + 1).min(FULL);
    }
}
