//! The rate limit of a project.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use fabric_model::ProjectId;
use parking_lot::Mutex;

use crate::api::clock::Clock;
use crate::api::time;

/// A number of calls per time, for each project. A project that made no call for that time may make all
/// of them at once.
///
/// ```
/// let rate: fabric_server::RateLimit = "20/s".parse()?;
/// assert_eq!(rate.to_string(), "20/1s");
/// assert!("0/s".parse::<fabric_server::RateLimit>().is_err());
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    calls: u32,
    per: Duration,
}

impl RateLimit {
    /// A limit of `calls` in each `per`; neither can be zero.
    #[must_use]
    pub fn new(calls: u32, per: Duration) -> Option<Self> {
        (calls > 0 && !per.is_zero()).then_some(Self { calls, per })
    }

    /// How long a call keeps its place.
    fn interval(self) -> Duration {
        self.per / self.calls
    }
}

impl FromStr for RateLimit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const RULE: &str = "must be calls per time, such as 20/s or 100/1min";
        let (calls, per) = text.split_once('/').ok_or(RULE)?;
        let per = per.trim();
        let per = if per.starts_with(|first: char| first.is_ascii_digit()) {
            humantime::parse_duration(per)
        } else {
            humantime::parse_duration(&format!("1{per}"))
        };
        let calls = calls.trim().parse().map_err(|_| RULE)?;
        Self::new(calls, per.map_err(|_| RULE)?).ok_or(RULE)
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.calls, humantime::format_duration(self.per))
    }
}

/// How much of the limit each project has used.
#[derive(Debug)]
pub(crate) struct Throttle {
    limit: RateLimit,
    /// By which the calls of each project lose their places.
    clock: Clock,
    taken: Mutex<Taken>,
}

/// Until when calls keep their places (GCRA).
#[derive(Debug, Default)]
struct Taken {
    of: HashMap<ProjectId, SystemTime>,
    /// Of the projects that there is no room for, together.
    of_others: Option<SystemTime>,
    /// How many calls of others are let be until it is looked for room again.
    until_search: usize,
}

/// How many projects are told apart. Further ones share a limit, until others have nothing taken any more: who calls
/// in many names is not to make the server forget whom it throttles.
const PROJECTS_MAX: usize = 10_000;

/// After how many calls without room it is looked for again, which takes a while.
const SEARCH_EVERY: usize = 1_000;

impl Throttle {
    pub(crate) fn new(limit: RateLimit, clock: Clock) -> Self {
        Self { limit, clock, taken: Mutex::default() }
    }

    /// Lets a call through, or says how long to wait.
    pub(crate) fn admit(&self, project: &ProjectId, now: SystemTime) -> Result<(), Duration> {
        let taken = &mut *self.taken.lock();
        if let Some(until) = taken.of.get_mut(project) {
            return self.take(until, now);
        }
        if taken.has_room(&self.clock) {
            return self.take(taken.of.entry(project.clone()).or_insert(now), now);
        }
        let now = self.clock.now();
        self.take(taken.of_others.get_or_insert(now), now)
    }

    /// Takes a place for a call.
    fn take(&self, taken_until: &mut SystemTime, now: SystemTime) -> Result<(), Duration> {
        // A clock that was put back leaves nobody shut out for longer than the limit itself does.
        let latest = time::later(now, self.limit.per);
        let until = (*taken_until).max(now).min(latest);
        let next = time::later(until, self.limit.interval());
        if let Ok(wait) = next.duration_since(latest)
            && !wait.is_zero()
        {
            return Err(wait);
        }
        *taken_until = next;
        Ok(())
    }

    pub(crate) fn clear_of(&self, project: &ProjectId) {
        self.taken.lock().of.remove(project);
    }

    pub(crate) fn clear(&self) {
        *self.taken.lock() = Taken::default();
    }
}

impl Taken {
    /// Whether one more project can be told apart. Those that have nothing taken make room.
    fn has_room(&mut self, clock: &Clock) -> bool {
        if self.of.len() >= PROJECTS_MAX {
            if self.until_search > 0 {
                self.until_search -= 1;
                return false;
            }
            self.of.retain(|project, until| *until > clock.now_in(project));
            self.until_search = SEARCH_EVERY;
        }
        self.of.len() < PROJECTS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(number: usize) -> ProjectId {
        ProjectId::try_from(format!("project-{number}")).expect("it is an id")
    }

    #[test]
    fn calls_in_many_names_make_nobody_forgotten_who_is_throttled() {
        let hourly = RateLimit::new(1, Duration::from_hours(1)).expect("neither is zero");
        let clock = Clock::system();
        clock.freeze_at(SystemTime::UNIX_EPOCH);
        let throttle = Throttle::new(hourly, clock.clone());
        let call = |number| throttle.admit(&project(number), clock.now_in(&project(number)));
        assert!(call(0).is_ok() && call(0).is_err());
        let others = (1..3 * PROJECTS_MAX).filter(|number| call(*number).is_ok()).count();
        // The last of them is what all further ones may call together.
        assert_eq!(others, PROJECTS_MAX);
        assert!(call(0).is_err());
        assert_eq!(throttle.taken.lock().of.len(), PROJECTS_MAX);
        // A project of a later time takes nothing from those whose time goes by another clock.
        clock.of(project(1)).freeze_at(SystemTime::UNIX_EPOCH + Duration::from_hours(2));
        assert!(call(1).is_ok() && call(1).is_err() && call(0).is_err());
        // Those that have nothing taken any more make room.
        clock.freeze_at(SystemTime::UNIX_EPOCH + Duration::from_hours(2));
        let tried = |number: &usize| call(*number).is_ok();
        let admitted =
            (3 * PROJECTS_MAX..3 * PROJECTS_MAX + 2 * SEARCH_EVERY).filter(tried).count();
        assert!(admitted >= SEARCH_EVERY, "{admitted}");
        assert!(call(0).is_ok() && throttle.taken.lock().of.len() <= PROJECTS_MAX);
    }
}
