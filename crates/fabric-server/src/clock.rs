//! The one clock of a server, which a test may set; a project may have it run ahead, or stop it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fabric_model::ProjectId;
use http::HeaderValue;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::time;

/// Tells the time, and has it pass. Clones are the same clock.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let clock = fabric_server::Clock::system();
/// clock.set(UNIX_EPOCH);
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(clock.now(), UNIX_EPOCH + Duration::from_secs(5));
///
/// let ahead = clock.of("a-project".parse()?);
/// ahead.advance(Duration::from_secs(60));
/// assert_eq!(ahead.now(), UNIX_EPOCH + Duration::from_secs(65));
/// assert_eq!(clock.now(), UNIX_EPOCH + Duration::from_secs(5));
/// # Ok::<(), fabric_model::Invalid>(())
/// ```
#[derive(Clone, Debug)]
pub struct Clock {
    readings: Arc<RwLock<Readings>>,
    /// Whose it is, if it is not that of the whole server.
    project: Option<ProjectId>,
}

/// What all clocks of a server show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Readings {
    server: Reading,
    /// Each by the server's clock.
    #[serde(serialize_with = "crate::mock::snapshot::in_order")]
    projects: HashMap<ProjectId, Reading>,
}

/// How a clock goes by the one below it: the system's, or for a project the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reading {
    /// So many milliseconds ahead of it.
    Ahead(i64),
    /// Stopped.
    Stopped(#[serde(with = "time")] SystemTime),
}

impl Default for Reading {
    fn default() -> Self {
        Self::Ahead(0)
    }
}

impl Reading {
    fn time(self, below: SystemTime) -> SystemTime {
        match self {
            Self::Ahead(milliseconds) => time::shift(below, milliseconds),
            Self::Stopped(time) => time,
        }
    }
}

impl Readings {
    pub(crate) fn time(&self, project: Option<&ProjectId>) -> SystemTime {
        self.time_by(SystemTime::now(), project)
    }

    fn time_by(&self, system: SystemTime, project: Option<&ProjectId>) -> SystemTime {
        let server = self.server.time(system);
        match project.and_then(|project| self.projects.get(project)) {
            None => server,
            Some(reading) => reading.time(server),
        }
    }
}

impl Clock {
    /// The clock of the system.
    #[must_use]
    pub fn system() -> Self {
        Self { readings: Arc::default(), project: None }
    }

    /// The clock of a project: it goes by the server's until it is set, stopped or put forward itself.
    #[must_use]
    pub fn of(&self, project: ProjectId) -> Self {
        Self { readings: self.readings.clone(), project: Some(project) }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.readings.read().time(self.project.as_ref())
    }

    /// Whether it is stopped, be it for itself or with the server's.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        let readings = self.readings.read();
        let is_stopped = |reading: Reading| matches!(reading, Reading::Stopped(_));
        let own = self.project.as_ref().and_then(|project| readings.projects.get(project));
        is_stopped(readings.server) || own.is_some_and(|reading| is_stopped(*reading))
    }

    /// Stops the clock at a time.
    pub fn set(&self, time: SystemTime) {
        self.turn(|_, _| Reading::Stopped(time::bounded(time)));
    }

    /// Stops the clock where it is.
    pub fn stop(&self) {
        self.turn(|reading, below| Reading::Stopped(reading.time(below)));
    }

    /// Has the clock run on from where it is.
    pub fn run(&self) {
        self.turn(|reading, below| {
            Reading::Ahead(time::milliseconds_between(below, reading.time(below)))
        });
    }

    /// Sets the time, and leaves the clock stopped or running as it is.
    pub fn jump(&self, to: SystemTime) {
        let to = time::bounded(to);
        self.turn(|reading, below| match reading {
            Reading::Ahead(_) => Reading::Ahead(time::milliseconds_between(below, to)),
            Reading::Stopped(_) => Reading::Stopped(to),
        });
    }

    /// Puts the clock forward, whether it runs or not.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.turn(|reading, _| match reading {
            Reading::Ahead(milliseconds) => Reading::Ahead(milliseconds.saturating_add(by)),
            Reading::Stopped(time) => Reading::Stopped(time::shift(time, by)),
        });
    }

    /// Has the clock show what the one below it does: the system's, or for a project the server's.
    pub fn follow(&self) {
        let mut readings = self.readings.write();
        match &self.project {
            None => readings.server = Reading::default(),
            Some(project) => _ = readings.projects.remove(project),
        }
    }

    /// Makes another reading of the one that it has and the time of the clock below.
    fn turn(&self, change: impl FnOnce(Reading, SystemTime) -> Reading) {
        let mut readings = self.readings.write();
        match &self.project {
            None => readings.server = change(readings.server, SystemTime::now()),
            Some(project) => {
                let below = readings.time(None);
                let reading = readings.projects.entry(project.clone()).or_default();
                *reading = change(*reading, below);
            }
        }
    }

    /// How far it is ahead of the system's clock, in milliseconds.
    pub(crate) fn ahead(&self) -> i64 {
        let system = SystemTime::now();
        let time = self.readings.read().time_by(system, self.project.as_ref());
        time::milliseconds_between(system, time)
    }

    /// The time in a project.
    pub(crate) fn now_in(&self, project: &ProjectId) -> SystemTime {
        self.readings.read().time(Some(project))
    }

    /// The time for a `Date` header in a project, unless the system's will do.
    pub(crate) fn http_date(&self, project: &ProjectId) -> Option<HeaderValue> {
        let readings = self.readings.read();
        if readings.server == Reading::default() && !readings.projects.contains_key(project) {
            return None;
        }
        HeaderValue::try_from(httpdate::fmt_http_date(readings.time(Some(project)))).ok()
    }

    /// Has one project's clock go as another's.
    pub(crate) fn copy(&self, from: &ProjectId, to: &ProjectId) {
        let mut readings = self.readings.write();
        if let Some(reading) = readings.projects.get(from).copied() {
            readings.projects.insert(to.clone(), reading);
        }
    }

    /// Whether a project's clock does not just go by the server's.
    pub(crate) fn is_set_for(&self, project: &ProjectId) -> bool {
        self.readings.read().projects.contains_key(project)
    }

    /// Has a project's clock go as it did.
    pub(crate) fn put_back(&self, project: &ProjectId, start: &Readings) {
        let mut readings = self.readings.write();
        match start.projects.get(project).copied() {
            Some(reading) => _ = readings.projects.insert(project.clone(), reading),
            None => _ = readings.projects.remove(project),
        }
    }

    pub(crate) fn readings(&self) -> Readings {
        self.readings.read().clone()
    }

    pub(crate) fn restore(&self, readings: Readings) {
        *self.readings.write() = readings;
    }
}
