//! The time for signatures: this machine's, corrected by that of the service.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{AGE, DATE};

/// Tells the time. Clones share what is learned.
#[derive(Clone)]
pub(crate) struct Clock {
    now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    /// By how many milliseconds the service's clock is ahead of this machine's.
    ahead: Arc<AtomicI64>,
}

/// A reading of the clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    here: SystemTime,
    pub(crate) corrected: SystemTime,
}

/// A date that is off by this many milliseconds may be why a signature was rejected: the service allows 15 minutes.
const SUSPICIOUS: u64 = 10 * 60 * 1000;

impl Clock {
    pub(crate) fn new(now: Arc<dyn Fn() -> SystemTime + Send + Sync>) -> Self {
        Self { now, ahead: Arc::default() }
    }

    /// The time here, and most probably that of the service.
    pub(crate) fn read(&self) -> Reading {
        let ahead = self.ahead.load(Ordering::Relaxed);
        let by = Duration::from_millis(ahead.unsigned_abs());
        let here = (self.now)();
        let corrected = if ahead < 0 { here.checked_sub(by) } else { here.checked_add(by) };
        Reading { here, corrected: corrected.unwrap_or(here) }
    }

    /// Corrects the time by the `Date` of the answer that rejects a request sent at `sent`, unless the answer is
    /// from a cache. Returns whether the date was so far off that signing again may help.
    pub(crate) fn learn(&self, headers: &HeaderMap, sent: Reading) -> bool {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let Some(date) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else {
            return false;
        };
        // The service cut it to whole seconds, at some time between sending and receiving.
        let date = date + Duration::from_millis(500);
        let off = milliseconds_between(sent.corrected, date).unsigned_abs();
        if headers.contains_key(AGE) || off < SUSPICIOUS {
            return false;
        }
        let took = (self.now)().duration_since(sent.here).unwrap_or_default();
        let ahead = milliseconds_between(sent.here + took / 2, date);
        self.ahead.store(ahead, Ordering::Relaxed);
        true
    }
}

fn milliseconds_between(from: SystemTime, to: SystemTime) -> i64 {
    let length = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    match to.duration_since(from) {
        Ok(ahead) => length(ahead),
        Err(behind) => -length(behind.duration()),
    }
}
