//! The rate limit of a project.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use fabric_model::ProjectId;
use parking_lot::Mutex;

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
    /// Until when the calls that each project made keep their places (GCRA).
    taken_until: Mutex<HashMap<ProjectId, SystemTime>>,
}

/// From so many projects on, those that have nothing taken are forgotten, and if that is not enough, all.
const PROJECTS_MAX: usize = 10_000;

impl Throttle {
    pub(crate) fn new(limit: RateLimit) -> Self {
        Self { limit, taken_until: Mutex::default() }
    }

    /// Lets a call through, or says how long to wait.
    pub(crate) fn admit(&self, project: &ProjectId, now: SystemTime) -> Result<(), Duration> {
        let mut taken_until = self.taken_until.lock();
        if taken_until.len() >= PROJECTS_MAX {
            taken_until.retain(|_, until| *until > now);
            // Too many to be told apart: all begin anew.
            if taken_until.len() >= PROJECTS_MAX {
                taken_until.clear();
            }
        }
        let until = taken_until.get(project).copied().unwrap_or(now).max(now);
        // A clock that was put back leaves nobody shut out for longer than the limit itself does.
        let until = until.min(time::later(now, self.limit.per));
        let next = time::later(until, self.limit.interval());
        let latest = time::later(now, self.limit.per);
        if let Ok(wait) = next.duration_since(latest)
            && !wait.is_zero()
        {
            return Err(wait);
        }
        taken_until.insert(project.clone(), next);
        Ok(())
    }

    pub(crate) fn clear_of(&self, project: &ProjectId) {
        self.taken_until.lock().remove(project);
    }

    pub(crate) fn clear(&self) {
        self.taken_until.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_projects_take_no_more_room_than_there_is() {
        let hourly = RateLimit::new(1, Duration::from_hours(1)).expect("neither is zero");
        let throttle = Throttle::new(hourly);
        for number in 0..3 * PROJECTS_MAX {
            let project = ProjectId::try_from(format!("project-{number}")).expect("it is an id");
            assert!(throttle.admit(&project, SystemTime::UNIX_EPOCH).is_ok());
            assert!(throttle.taken_until.lock().len() <= PROJECTS_MAX);
        }
    }
}
