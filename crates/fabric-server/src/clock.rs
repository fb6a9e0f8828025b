//! The one clock of a server, which a test may set.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

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

    /// Whether this clock tells what the system's tells.
    pub(crate) fn is_system(&self) -> bool {
        matches!(*self.0.read(), Reading::System { ahead: Duration::ZERO })
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
