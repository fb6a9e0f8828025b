//! Access clients that a mock server starts with, from a JSON file.

use std::collections::HashSet;
use std::fmt;
use std::time::SystemTime;

use fabric_model::access_client::{AccessClient, AccessClientStatus, ShowAccessClient};
use fabric_model::{AccessClientId, Invalid, Operation, ProjectId};
use serde::Deserialize;
use serde_json::{Map, Value};
use validator::Validate;

use crate::auth::DEFAULT_PROJECT;

/// An access client that is there from the start.
///
/// [`Seed::parse`] reads a list of them: each as the service answers it, and with the `project_id` it
/// belongs to. Every field may be absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    pub(crate) project: ProjectId,
    pub(crate) access_client: AccessClient,
    pub(crate) created_at: Option<SystemTime>,
}

/// Which access client of a seed is wrong, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedError {
    /// Its place in the list, from 0; absent when there is no list.
    place: Option<usize>,
    reason: String,
}

impl fmt::Display for SeedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(place) => write!(formatter, "access client [{place}]: {}", self.reason),
            None => formatter.write_str(&self.reason),
        }
    }
}

impl std::error::Error for SeedError {}

impl Seed {
    /// An access client of a project.
    ///
    /// # Errors
    ///
    /// An id that can't be asked for, a `create_time` that is not RFC 3339 in UTC, a status that no
    /// access client starts with, or any rule of [`AccessClient`].
    pub fn new(project: ProjectId, access_client: AccessClient) -> Result<Self, Invalid> {
        access_client.validate()?;
        if let Some(id) = &access_client.id {
            AccessClientId::try_from(id)
                .map_err(|invalid| Invalid::new("id", invalid.violations()[0].rule.clone()))?;
        }
        let created_at = access_client.create_time.as_deref().map(humantime::parse_rfc3339);
        let created_at = created_at
            .transpose()
            .map_err(|_| Invalid::new("create_time", "must be like 2025-09-15T08:30:00.000Z"))?;
        match &access_client.status {
            Some(AccessClientStatus::Deleted | AccessClientStatus::Unknown(_)) => {
                Err(Invalid::new("status", "must be CREATING, RUNNING or DELETING"))
            }
            _ => Ok(Self { project, access_client, created_at }),
        }
    }

    /// Reads a list of access clients, or a page as a list answers it.
    ///
    /// ```
    /// use fabric_server::Seed;
    ///
    /// let seeds = Seed::parse(r#"[{"name": "analytics-1"}, {"project_id": "other"}]"#)?;
    /// assert_eq!(seeds.len(), 2);
    ///
    /// let error = Seed::parse(r#"[{"nmae": "analytics-1"}]"#).unwrap_err();
    /// assert_eq!(error.to_string(), "access client [0]: nmae: is no field of an access client");
    /// # Ok::<(), fabric_server::SeedError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first access client that is wrong, or is there twice.
    pub fn parse(json: &str) -> Result<Vec<Self>, SeedError> {
        let json = json.strip_prefix('\u{feff}').unwrap_or(json);
        let value = serde_json::from_str(json)
            .map_err(|error| SeedError { place: None, reason: format!("not JSON: {error}") })?;
        let items = match value {
            Value::Array(items) => items,
            Value::Object(mut page) => match page.remove("access_client_infos") {
                Some(Value::Array(items)) => items,
                _ => return Err(no_list()),
            },
            _ => return Err(no_list()),
        };
        let mut ids = HashSet::new();
        let mut seeds = Vec::with_capacity(items.len());
        for (place, item) in items.into_iter().enumerate() {
            let seed = Self::from_json(item)
                .map_err(|reason| SeedError { place: Some(place), reason: reason.to_string() })?;
            if let Some(id) = seed.id()
                && !ids.insert((seed.project.clone(), id))
            {
                let reason = "id: must not be there twice in a project".to_owned();
                return Err(SeedError { place: Some(place), reason });
            }
            seeds.push(seed);
        }
        Ok(seeds)
    }

    pub(crate) fn id(&self) -> Option<AccessClientId> {
        self.access_client.id.as_ref().and_then(|id| AccessClientId::try_from(id).ok())
    }

    fn from_json(item: Value) -> Result<Self, Invalid> {
        let Value::Object(mut fields) = item else {
            return Err(Invalid::new("it", "must be an object"));
        };
        let project = match fields.remove("project_id") {
            None => ProjectId::try_from(DEFAULT_PROJECT)?,
            Some(Value::String(id)) => ProjectId::try_from(id)
                .map_err(|invalid| Invalid::new("project_id", &invalid.violations()[0].rule))?,
            Some(_) => return Err(Invalid::new("project_id", "must be a string")),
        };
        if let Some(name) = fields.keys().find(|name| !known_fields().contains_key(*name)) {
            return Err(Invalid::new(name, "is no field of an access client"));
        }
        let access_client = serde_path_to_error::deserialize(Value::Object(fields))
            .map_err(|error| Invalid::new(error.path().to_string(), error.inner().to_string()))?;
        Self::new(project, access_client)
    }
}

fn no_list() -> SeedError {
    SeedError { place: None, reason: "must be a JSON array of access clients".to_owned() }
}

/// The example of the documentation has every field.
fn known_fields() -> Map<String, Value> {
    let example = serde_json::to_value(ShowAccessClient::example().response);
    Map::deserialize(example.unwrap_or_default()).unwrap_or_default()
}
