//! Records that a mock server starts with, from a JSON file.

use std::collections::HashSet;
use std::fmt;
use std::time::SystemTime;

use fabric_model::{Invalid, ProjectId, Resource, ResourceInfo, operations};
use serde_json::{Map, Value};

use crate::api::callers::DEFAULT_PROJECT;
use crate::mock::behaviour::Behaviour;
use crate::mock::projects::{Owners, add_owner, owner_of};
use crate::mock::random::Draws;
use crate::mock::service::resources;
use crate::mock::table::Making;
use crate::mock::tables::{Registered, Tables};

/// Records that a mock server starts with, each as the service answers it, in a project.
///
/// ```
/// use fabric_model::access_client::{AccessClient, AccessClients};
/// use fabric_server::{Fixtures, MockServer, Settings};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut fixtures = Fixtures::default();
/// let analytics = AccessClient { name: Some("analytics-1".to_owned()), ..AccessClient::default() };
/// fixtures.add::<AccessClients>("default".parse()?, analytics)?;
/// let server = MockServer::start_with(Settings { fixtures, ..Settings::default() }).await?;
/// assert_eq!(server.world().records::<AccessClients>(&"default".parse()?, 0, 10).total, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fixtures {
    pub(crate) records: Vec<Fixture>,
    /// The catalogues that are to be empty.
    pub(crate) emptied: Vec<&'static str>,
}

/// A record that is there from the start.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fixture {
    /// Its project; every project where it is one of a catalogue that names none.
    pub(crate) project: Option<ProjectId>,
    pub(crate) resource: &'static ResourceInfo,
    pub(crate) owners: Owners,
    pub(crate) answer: Value,
}

/// Which fixture is invalid, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixturesError {
    /// What it is, and its place in its list from 0; absent where there is no list.
    place: Option<(&'static str, usize)>,
    reason: String,
}

impl fmt::Display for FixturesError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((what, place)) => write!(formatter, "{what} [{place}]: {}", self.reason),
            None => formatter.write_str(&self.reason),
        }
    }
}

impl std::error::Error for FixturesError {}

impl Fixtures {
    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Adds a record. Every field may be absent.
    ///
    /// # Errors
    ///
    /// The mock keeps no records of the resource; or the answer is invalid: an id that no path can hold, a time
    /// that is not RFC 3339 in UTC, a state in which no record can start, or another rule of the answer.
    pub fn add<R: Resource>(
        &mut self,
        project: ProjectId,
        answer: R::Answer,
    ) -> Result<(), Invalid> {
        self.add_to::<R>(project, [], answer)
    }

    /// The same for a record that others own: `owners` has the id of its owner by the name of the path parameter,
    /// such as `("workspace_id", "e935d0ef")`. An owner that is not there is made; if others own it in turn, their
    /// ids must be given too.
    ///
    /// # Errors
    ///
    /// The same, and an owner that is missing.
    pub fn add_to<'a, R: Resource>(
        &mut self,
        project: ProjectId,
        owners: impl IntoIterator<Item = (&'a str, &'a str)>,
        answer: R::Answer,
    ) -> Result<(), Invalid> {
        let resource = resources().iter().find(|resource| resource.info.name == R::NAME);
        let resource = resource.ok_or_else(|| Invalid::new(R::NAME, "has no records"))?;
        let answer = serde_json::to_value(answer).unwrap_or_default();
        let mut owners: Owners =
            owners.into_iter().map(|(name, id)| (name.to_owned(), id.to_owned())).collect();
        add_owner(resource.info, &answer, &mut owners);
        let fixture = Fixture { project: Some(project), resource: resource.info, owners, answer };
        check(&mut Tables::first(resources()), &fixture)?;
        self.records.push(fixture);
        Ok(())
    }

    /// Reads records from JSON: an object with a list for each resource, by its name, or a page as the service
    /// answers it. A list alone is read as access clients. Each record has the fields that the service answers,
    /// all optional, and a `project_id`, `default` without one. A record that others own also has the id of its
    /// owner, such as `workspace_id`; an owner that is not there is made.
    ///
    /// Records of a catalogue, such as features, replace the catalogue of the mock; without a `project_id` in
    /// every project. An empty list empties it.
    ///
    /// ```
    /// use fabric_server::Fixtures;
    ///
    /// let fixtures = Fixtures::parse(r#"{"access-clients": [{"name": "a-1"}, {"project_id": "other"}]}"#)?;
    /// assert_eq!(fixtures.len(), 2);
    ///
    /// let error = Fixtures::parse(r#"[{"nmae": "analytics-1"}]"#).unwrap_err();
    /// assert_eq!(error.to_string(), "access client [0]: nmae: is no field of an access client");
    /// # Ok::<(), fabric_server::FixturesError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first record that is invalid, or is there twice.
    pub fn parse(json: &str) -> Result<Self, FixturesError> {
        let wrong = |reason: String| FixturesError { place: None, reason };
        let json = json.strip_prefix('\u{feff}').unwrap_or(json);
        let value =
            serde_json::from_str(json).map_err(|error| wrong(format!("not JSON: {error}")))?;
        let lists = match value {
            Value::Array(items) => vec![(&resources()[0], items)],
            Value::Object(lists) => lists_of(lists).map_err(wrong)?,
            _ => return Err(wrong(NO_LISTS.to_owned())),
        };
        let mut fixtures = Self::default();
        let mut ids = HashSet::new();
        let mut tables = Tables::first(resources());
        for (resource, items) in lists {
            if items.is_empty() && resource.is_catalogue {
                fixtures.emptied.push(resource.info.name);
            }
            for (place, item) in items.into_iter().enumerate() {
                let wrong = |reason: String| FixturesError {
                    place: Some((resource.info.singular, place)),
                    reason,
                };
                let (fixture, id) = read(&mut tables, resource, item)
                    .map_err(|invalid| wrong(invalid.to_string()))?;
                if let Some(id) = id
                    && !ids.insert((fixture.project.clone(), resource.info.name, id))
                {
                    return Err(wrong("id: must not be there twice in a project".to_owned()));
                }
                fixtures.records.push(fixture);
            }
        }
        Ok(fixtures)
    }
}

const NO_LISTS: &str =
    "must be a JSON object with a list for each resource, or a list of access clients";

/// The lists of an object, and what they are of: by the name of a resource, or as in a page of its list.
fn lists_of(lists: Map<String, Value>) -> Result<Vec<(&'static Registered, Vec<Value>)>, String> {
    let mut found = Vec::new();
    for (name, list) in lists {
        let listed = operations().iter().find(|operation| {
            operation.items_in_response.and_then(|items| items.strip_prefix('/')) == Some(&name)
        });
        let resource = resources().iter().find(|resource| {
            resource.info.name == name
                || listed.is_some_and(|operation| operation.resource == resource.info)
        });
        match (resource, list) {
            (Some(resource), Value::Array(items)) => found.push((resource, items)),
            (Some(_), _) => return Err(format!("{name}: must be a list")),
            // How many there are, in a page.
            (None, Value::Number(_)) if ["total", "total_count"].contains(&name.as_str()) => {}
            (None, _) => {
                let known: Vec<_> = resources().iter().map(|known| known.info.name).collect();
                return Err(format!("{name}: is no resource; there are {}", known.join(", ")));
            }
        }
    }
    Ok(found)
}

/// Reads a record, and the id that it states.
fn read(
    tables: &mut Tables,
    resource: &Registered,
    item: Value,
) -> Result<(Fixture, Option<String>), Invalid> {
    let Value::Object(mut fields) = item else {
        return Err(Invalid::new("it", "must be an object"));
    };
    let project = match fields.remove("project_id") {
        None if resource.is_catalogue => None,
        None => Some(ProjectId::try_from(DEFAULT_PROJECT)?),
        Some(Value::String(id)) => Some(
            ProjectId::try_from(id)
                .map_err(|invalid| Invalid::new("project_id", &invalid.violations()[0].rule))?,
        ),
        Some(_) => return Err(Invalid::new("project_id", "must be a string")),
    };
    let mut owners = Owners::new();
    let mut owner = resource.info.owner;
    while let Some(info) = owner {
        let parameter = info.id_parameter.unwrap_or_default();
        // The answer itself may have the field.
        let given = if resource.info.owner_in_answer == Some(parameter) {
            fields.get(parameter).cloned()
        } else {
            fields.remove(parameter)
        };
        match given {
            None => {}
            Some(Value::String(id)) => _ = owners.insert(parameter.to_owned(), id),
            Some(_) => return Err(Invalid::new(parameter, "must be a string")),
        }
        owner = info.owner;
    }
    let answer = Value::Object(fields);
    add_owner(resource.info, &answer, &mut owners);
    let fixture = Fixture { project, resource: resource.info, owners, answer };
    let id = check(tables, &fixture)?;
    Ok((fixture, id))
}

/// Checks that a record can be made of an answer, and gives the id that it states.
fn check(tables: &mut Tables, fixture: &Fixture) -> Result<Option<String>, Invalid> {
    let Fixture { resource, owners, answer, .. } = fixture;
    let mut making = Making {
        owner: owner_of(resource, owners)?,
        draws: &mut Draws::new(0, &[]),
        behaviour: &Behaviour::default(),
        now: SystemTime::UNIX_EPOCH,
    };
    match tables.named(resource.name) {
        Some(table) => table.check_json(answer.clone(), &mut making),
        None => Ok(None),
    }
}
