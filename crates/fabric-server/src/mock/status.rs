//! What a mock says of itself, at a glance.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use fabric_model::{ProjectId, ResourceInfo};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::clock::Clock;
use crate::api::time;
use crate::mock::journal::JournalStatus;

/// A project that was made, and how to call in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProjectAccess {
    /// The project.
    #[schema(value_type = String)]
    pub project_id: ProjectId,
    /// A token for `X-Auth-Token`, good for this project only, whoever else may call.
    pub token: String,
}

/// The token is left out.
impl fmt::Debug for ProjectAccess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { project_id, token: _ } = self;
        formatter
            .debug_struct("ProjectAccess")
            .field("project_id", project_id)
            .finish_non_exhaustive()
    }
}

/// A project, at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProjectSummary {
    /// The project.
    #[schema(value_type = String)]
    pub project_id: ProjectId,
    /// How many records it has, by resource.
    pub records: BTreeMap<String, usize>,
    /// How many faults are for it alone.
    pub faults: usize,
}

/// A mock server, at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorldStatus {
    /// The version of the program.
    pub version: String,
    /// What ids, made-up names, addresses and draws follow from: pass it to reproduce a run.
    pub seed: u64,
    /// The clock of the server.
    pub clock: ClockStatus,
    /// The journal.
    pub journal: JournalStatus,
}

/// What a clock shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClockStatus {
    /// The time, in RFC 3339.
    #[schema(format = DateTime)]
    pub time: String,
    /// Whether it is frozen.
    pub frozen: bool,
    /// How far it is ahead of the clock of the system, such as `1h 5s` or `-3s`.
    pub offset: String,
}

/// A resource of which the mock keeps records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResourceStatus {
    /// Its name, such as `access-clients`: in the path of its records, in fixtures and in snapshots.
    pub name: String,
    /// What it is.
    pub description: String,
    /// The path parameter that holds the id of one, if a path does.
    pub id_parameter: Option<String>,
}

impl From<&ResourceInfo> for ResourceStatus {
    fn from(info: &ResourceInfo) -> Self {
        Self {
            name: info.name.to_owned(),
            description: info.description.to_owned(),
            id_parameter: info.id_parameter.map(str::to_owned),
        }
    }
}

/// A page of the records of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Records<T> {
    /// The records as the service answers them, newest first.
    pub records: Vec<T>,
    /// How many there are, on this page and all others.
    pub total: usize,
}

impl ClockStatus {
    /// What a clock shows now.
    #[must_use]
    pub fn of(clock: &Clock) -> Self {
        let ahead = clock.ahead();
        let duration = humantime::format_duration(Duration::from_millis(ahead.unsigned_abs()));
        let sign = if ahead < 0 { "-" } else { "" };
        Self {
            time: time::write(clock.now()),
            frozen: clock.is_frozen(),
            offset: format!("{sign}{duration}"),
        }
    }
}
