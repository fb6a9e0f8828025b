//! Summaries of a mock: its status, projects, clocks and resources.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use fabric_model::{
    Operation, OperationVisitor, ProjectId, Resource, ResourceInfo, visit_operations,
};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::clock::Clock;
use crate::api::time;
use crate::mock::journal::JournalStatus;

/// A project that was created, with its token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProjectAccess {
    /// The project.
    #[schema(value_type = String)]
    pub project_id: ProjectId,
    /// A token for `X-Auth-Token`, good for this project only.
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

/// The summary of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProjectSummary {
    /// The project.
    #[schema(value_type = String)]
    pub project_id: ProjectId,
    /// The number of its records, by resource.
    pub records: BTreeMap<String, usize>,
    /// The number of its own faults.
    pub faults: usize,
}

/// The status of a mock server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorldStatus {
    /// The version of the program.
    pub version: String,
    /// The number that ids, made-up names, addresses and random draws follow from: pass it as `--seed` to
    /// reproduce a run.
    pub seed: u64,
    /// The clock of the server.
    pub clock: ClockStatus,
    /// The journal.
    pub journal: JournalStatus,
}

/// The state of a clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClockStatus {
    /// The time, in RFC 3339.
    #[schema(format = DateTime)]
    pub time: String,
    /// Whether the clock is frozen.
    pub frozen: bool,
    /// How far the clock is ahead of the system's, such as `1h 5s` or `-3s`.
    pub offset: String,
}

/// A resource of which the mock keeps records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResourceStatus {
    /// Its name, such as `access-clients`: in the path of its records, in fixtures and in snapshots.
    pub name: String,
    /// A description in a few words.
    pub description: String,
    /// The path parameter that holds an id of it, if a path has one.
    pub id_parameter: Option<String>,
    /// The path of the operation that lists them, if there is one; with a `{name}` for each parameter.
    pub list_path: Option<String>,
    /// How one is created, if an operation does so.
    pub create: Option<CreateExample>,
}

/// A request that creates something, from the examples of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreateExample {
    /// The path of the operation, with a `{name}` for each parameter.
    pub path: String,
    /// The body.
    #[schema(value_type = Object)]
    pub body: Value,
}

impl From<&ResourceInfo> for ResourceStatus {
    fn from(info: &ResourceInfo) -> Self {
        let status = Self {
            name: info.name.to_owned(),
            description: info.description.to_owned(),
            id_parameter: info.id_parameter.map(str::to_owned),
            list_path: None,
            create: None,
        };
        let mut collect = CollectOperations(status);
        visit_operations(&mut collect);
        collect.0
    }
}

/// Finds the operations that list and create records of a resource: the first of each kind.
struct CollectOperations(ResourceStatus);

impl OperationVisitor for CollectOperations {
    fn visit<O: Operation>(&mut self) {
        let Self(status) = self;
        if O::Resource::NAME != status.name {
            return;
        }
        let lists = O::ITEMS_IN_RESPONSE.is_some() && O::METHOD == Method::GET;
        if lists && status.list_path.is_none() {
            status.list_path = Some(O::PATH.to_owned());
        }
        let creates = O::ID_IN_RESPONSE.is_some() && !O::INFO.is_repeatable();
        if creates && status.create.is_none() {
            let body = serde_json::to_value(O::example().request.body).unwrap_or_default();
            status.create = Some(CreateExample { path: O::PATH.to_owned(), body });
        }
    }
}

/// A page of the records of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Records<T> {
    /// The records as the service answers them, newest first.
    pub records: Vec<T>,
    /// The number of records on all pages.
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
