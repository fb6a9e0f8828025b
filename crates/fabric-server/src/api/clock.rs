//! The clock of a server and its projects, which a test may freeze, set and advance.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use fabric_model::ProjectId;
use http::HeaderValue;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::api::time;

/// The time of a server or a project. It may be frozen, set and advanced. Clones are the same clock.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let clock = fabric_server::Clock::system();
/// clock.freeze_at(UNIX_EPOCH);
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
    shared: Arc<Shared>,
    /// The project, if it is the clock of one.
    project: Option<ProjectId>,
}

/// What the clocks of a server and its projects share.
#[derive(Debug)]
struct Shared {
    readings: RwLock<Readings>,
    /// Whether all of them show the system's time, as most do: then nothing is locked.
    is_system: AtomicBool,
}

impl Shared {
    fn change<T>(&self, change: impl FnOnce(&mut Readings) -> T) -> T {
        let mut readings = self.readings.write();
        let outcome = change(&mut readings);
        self.is_system.store(*readings == Readings::default(), Ordering::Release);
        outcome
    }

    fn time(&self, project: Option<&ProjectId>) -> SystemTime {
        if self.is_system.load(Ordering::Acquire) {
            return system_time();
        }
        self.readings.read().time(project)
    }
}

/// The readings of all clocks of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Readings {
    server: Reading,
    /// Each relative to the server's clock.
    projects: BTreeMap<ProjectId, Reading>,
}

/// The reading of a clock, relative to the one below it: the system's, or for a project the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reading {
    /// The clock runs ahead by this number of milliseconds.
    Ahead(i64),
    /// It is frozen. Snapshots of version 1 say `stopped`.
    #[serde(alias = "stopped")]
    Frozen(#[serde(with = "time")] SystemTime),
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
            Self::Frozen(time) => time,
        }
    }
}

impl Readings {
    pub(crate) fn time(&self, project: Option<&ProjectId>) -> SystemTime {
        self.time_by(system_time(), project)
    }

    fn time_by(&self, system: SystemTime, project: Option<&ProjectId>) -> SystemTime {
        let server = self.server.time(system);
        match project.and_then(|project| self.projects.get(project)) {
            None => server,
            Some(reading) => reading.time(server),
        }
    }
}

/// The one place in which the server reads the clock of the system.
#[expect(clippy::disallowed_methods, reason = "this is the clock that others are given")]
fn system_time() -> SystemTime {
    SystemTime::now()
}

impl Clock {
    /// The clock of the system.
    #[must_use]
    pub fn system() -> Self {
        let shared = Shared { readings: RwLock::default(), is_system: AtomicBool::new(true) };
        Self { shared: Arc::new(shared), project: None }
    }

    /// The clock of a project: it follows the server's until it is set, frozen or advanced itself.
    #[must_use]
    pub fn of(&self, project: ProjectId) -> Self {
        Self { shared: self.shared.clone(), project: Some(project) }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.shared.time(self.project.as_ref())
    }

    /// Whether the clock is frozen, or for a project that of the server.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        let readings = self.shared.readings.read();
        let is_frozen = |reading: Reading| matches!(reading, Reading::Frozen(_));
        let own = self.project.as_ref().and_then(|project| readings.projects.get(project));
        is_frozen(readings.server) || own.is_some_and(|reading| is_frozen(*reading))
    }

    /// Freezes the clock at a time.
    pub fn freeze_at(&self, time: SystemTime) {
        self.turn(|_, _| Reading::Frozen(time::bounded(time)));
    }

    /// Freezes the clock at the time that it shows.
    pub fn freeze(&self) {
        self.turn(|reading, below| Reading::Frozen(reading.time(below)));
    }

    /// Resumes the clock from the time that it shows.
    pub fn resume(&self) {
        self.turn(|reading, below| {
            Reading::Ahead(time::milliseconds_between(below, reading.time(below)))
        });
    }

    /// Sets the time; the clock stays frozen or running.
    pub fn set(&self, to: SystemTime) {
        let to = time::bounded(to);
        self.turn(|reading, below| match reading {
            Reading::Ahead(_) => Reading::Ahead(time::milliseconds_between(below, to)),
            Reading::Frozen(_) => Reading::Frozen(to),
        });
    }

    /// Advances the clock, frozen or running.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.turn(|reading, _| match reading {
            Reading::Ahead(milliseconds) => Reading::Ahead(milliseconds.saturating_add(by)),
            Reading::Frozen(time) => Reading::Frozen(time::shift(time, by)),
        });
    }

    /// Returns to the clock of the system, or for a project to that of the server.
    pub fn follow(&self) {
        self.shared.change(|readings| match &self.project {
            None => readings.server = Reading::default(),
            Some(project) => _ = readings.projects.remove(project),
        });
    }

    /// Makes another reading of the one that it has and the time of the clock below.
    fn turn(&self, change: impl FnOnce(Reading, SystemTime) -> Reading) {
        self.shared.change(|readings| match &self.project {
            None => readings.server = change(readings.server, system_time()),
            Some(project) => {
                let below = readings.time(None);
                let reading = readings.projects.entry(project.clone()).or_default();
                *reading = change(*reading, below);
            }
        });
    }

    /// How far it is ahead of the system's clock, in milliseconds.
    pub(crate) fn ahead(&self) -> i64 {
        let system = system_time();
        let time = self.shared.readings.read().time_by(system, self.project.as_ref());
        time::milliseconds_between(system, time)
    }

    /// The time in a project.
    pub(crate) fn now_in(&self, project: &ProjectId) -> SystemTime {
        self.shared.time(Some(project))
    }

    /// The `Date` header for a time in a project, unless the system's clock gives the right one.
    pub(crate) fn http_date(
        &self,
        project: Option<&ProjectId>,
        now: SystemTime,
    ) -> Option<HeaderValue> {
        if self.shared.is_system.load(Ordering::Acquire) {
            return None;
        }
        let readings = self.shared.readings.read();
        let own = project.and_then(|project| readings.projects.get(project));
        if readings.server == Reading::default() && own.is_none() {
            return None;
        }
        HeaderValue::try_from(httpdate::fmt_http_date(now)).ok()
    }

    /// Gives one project the clock of another.
    pub(crate) fn copy(&self, from: &ProjectId, to: &ProjectId) {
        self.shared.change(|readings| {
            if let Some(reading) = readings.projects.get(from).copied() {
                readings.projects.insert(to.clone(), reading);
            }
        });
    }

    /// Whether the clock of a project was changed, so it does not follow the server's.
    pub(crate) fn is_set_for(&self, project: &ProjectId) -> bool {
        self.shared.readings.read().projects.contains_key(project)
    }

    /// Restores the clock of a project.
    pub(crate) fn restore_of(&self, project: &ProjectId, start: &Readings) {
        self.shared.change(|readings| match start.projects.get(project).copied() {
            Some(reading) => _ = readings.projects.insert(project.clone(), reading),
            None => _ = readings.projects.remove(project),
        });
    }

    pub(crate) fn readings(&self) -> Readings {
        self.shared.readings.read().clone()
    }

    pub(crate) fn restore(&self, readings: Readings) {
        self.shared.change(|own| *own = readings);
    }
}
