//! The one clock of a server, which a test may set.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use parking_lot::RwLock;

/// Tells the time. Clones are the same clock.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let clock = fabric_server::Clock::system();
/// clock.set(UNIX_EPOCH);
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(clock.now(), UNIX_EPOCH + Duration::from_secs(5));
/// ```
#[derive(Clone, Debug)]
pub struct Clock(Arc<RwLock<Reading>>);

#[derive(Clone, Copy, Debug)]
enum Reading {
    /// The system's time, and so much more.
    System { ahead: Duration },
    /// Stopped.
    Stopped(SystemTime),
}

impl Clock {
    /// The clock of the system.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(RwLock::new(Reading::System { ahead: Duration::ZERO })))
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        match *self.0.read() {
            Reading::System { ahead } => SystemTime::now() + ahead,
            Reading::Stopped(time) => time,
        }
    }

    /// The time for a `Date` header, unless the system's will do.
    pub(crate) fn http_date(&self) -> Option<HeaderValue> {
        if matches!(*self.0.read(), Reading::System { ahead: Duration::ZERO }) {
            return None;
        }
        // No later year can be written.
        let last = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
        let date = httpdate::fmt_http_date(self.now().clamp(UNIX_EPOCH, last));
        HeaderValue::try_from(date).ok()
    }

    /// Stops the clock at a time.
    pub fn set(&self, time: SystemTime) {
        *self.0.write() = Reading::Stopped(time);
    }

    /// Puts the clock forward, whether it runs or not.
    pub fn advance(&self, by: Duration) {
        match &mut *self.0.write() {
            Reading::System { ahead } => *ahead += by,
            Reading::Stopped(time) => *time += by,
        }
    }
}
