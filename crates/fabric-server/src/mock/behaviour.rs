//! How a mock behaves where the documentation is silent.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use crate::api::time;

/// How the mock server behaves where the documentation is silent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// As documented: every field of a request is optional, and a new name may hold any character.
    #[default]
    Documented,
    /// As a careful service would be: an access client needs a name, a VPC and a subnet or a
    /// connection, a new name has only characters that answers may hold, and a version of a job needs the
    /// configuration of the type of the job.
    Strict,
}

impl FromStr for Profile {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "documented" => Ok(Self::Documented),
            "strict" => Ok(Self::Strict),
            _ => Err("must be documented or strict"),
        }
    }
}

/// How the resources of a mock behave, as its settings say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behaviour {
    pub(crate) profile: Profile,
    pub(crate) creating_time: Duration,
    pub(crate) updating_time: Duration,
    pub(crate) deleting_time: Duration,
    pub(crate) quota: Option<usize>,
}

impl Behaviour {
    /// When what is created now is in use.
    pub(crate) fn running_from(&self, now: SystemTime) -> SystemTime {
        time::later(now, self.creating_time)
    }

    /// When what is updated now is in use again.
    pub(crate) fn updated_from(&self, now: SystemTime) -> SystemTime {
        time::later(now, self.updating_time)
    }

    /// When what is deleted now is gone.
    pub(crate) fn gone_from(&self, now: SystemTime) -> SystemTime {
        time::later(now, self.deleting_time)
    }
}
