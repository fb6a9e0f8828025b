//! When a call is tried again, and how long it waits before that.

use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;
use http::{HeaderMap, Method, StatusCode};
use parking_lot::Mutex;

use crate::Error;
use crate::call::Answer;

/// How often a call is tried, and how long it waits in between.
///
/// Tried again is what may do better the next time: no connection, a broken one, no answer in time, and
/// the statuses 408, 429, 500, 502, 503 and 504. GET, PUT and DELETE do the same however often they are
/// done. POST does not, so a create is tried again only where nothing can have been done: without a
/// connection, and on 429, and on a 503 without a body, which is a gateway's.
///
/// The wait doubles from one try to the next, and is drawn from its upper half, so that callers who failed
/// together do not come back together. A `Retry-After` is waited for where it is longer. Nothing is waited
/// for that ends after the call's own deadline.
///
/// All calls of a client share a budget: each retry takes five of a hundred tokens, each success gives one
/// back. While the service is down that leaves twenty retries, then every call is tried once.
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
    /// One attempt, whatever comes of it.
    #[must_use]
    pub fn off() -> Self {
        Self::default().attempts(1)
    }

    /// Sets how often a call is tried at most; 0 counts as 1.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Sets the wait before the second attempt, and the longest before any.
    #[must_use]
    pub fn delays(mut self, first: Duration, longest: Duration) -> Self {
        (self.first, self.longest) = (first, longest);
        self
    }

    pub(crate) fn allows(self, attempts_made: u32) -> bool {
        attempts_made < self.attempts
    }

    /// How long to wait after so many attempts.
    pub(crate) fn delay(self, attempts_made: u32, jitter: f64) -> Duration {
        let doublings = attempts_made.saturating_sub(1).min(16);
        let whole = self.first.saturating_mul(1 << doublings).min(self.longest);
        whole.mul_f64(0.5 + jitter / 2.0)
    }
}

/// What came of an attempt, for the question whether to make another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Another attempt would come to the same.
    Final,
    /// Worth another attempt; the service has not done what it was asked.
    NotDone,
    /// Worth another attempt; the service may have done what it was asked.
    InDoubt,
}

/// Judges an attempt of any method.
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

/// Whether a call that was in doubt may be made once more: it then has the same effect.
pub(crate) fn is_repeatable(method: &Method) -> bool {
    method.is_idempotent()
}

/// Statuses that say that the next attempt may do better.
pub(crate) fn is_transient(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// How long the service asks to be left alone: seconds, or until a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// What retries cost, so that a client does not make an outage worse.
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
    /// Takes what a retry costs, if it is there.
    pub(crate) fn take(&self) -> bool {
        let mut tokens = self.0.lock();
        let rest = tokens.checked_sub(COST);
        *tokens = rest.unwrap_or(*tokens);
        rest.is_some()
    }

    /// Gives back for a success.
    pub(crate) fn give(&self) {
        let mut tokens = self.0.lock();
        *tokens = (*tokens + 1).min(FULL);
    }
}
