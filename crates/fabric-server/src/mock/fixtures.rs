//! Records that a mock server starts with, from a JSON file.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use fabric_model::{Invalid, ProjectId, Resource, ResourceInfo, operations};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::api::callers::default_project;
use crate::mock::owners::Owners;
use crate::mock::service::resources;
use crate::mock::table::answers::{AnyAnswers, ReadAnswers, Whereabouts};
use crate::mock::tables::Registered;

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
    pub(crate) batches: Vec<Batch>,
    /// The catalogues that are to be empty.
    pub(crate) emptied: Vec<&'static str>,
}

/// Records of a resource that are there from the start, of the same project and owner.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    /// Their project; every project where they are of a catalogue and name none.
    pub(crate) project: Option<ProjectId>,
    pub(crate) resource: &'static ResourceInfo,
    pub(crate) owners: Owners,
    /// The records as the service answers them, and which of these are meant.
    pub(crate) answers: Arc<dyn AnyAnswers>,
    pub(crate) range: Range<usize>,
}

impl PartialEq for Batch {
    fn eq(&self, other: &Self) -> bool {
        (&self.project, self.resource, &self.owners)
            == (&other.project, other.resource, &other.owners)
            && self.answers.are(self.range.clone(), &*other.answers, other.range.clone())
    }
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
        self.batches.iter().map(|batch| batch.range.len()).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
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
    #[expect(clippy::needless_pass_by_value, reason = "a record is given to the fixtures")]
    pub fn add_to<'a, R: Resource>(
        &mut self,
        project: ProjectId,
        owners: impl IntoIterator<Item = (&'a str, &'a str)>,
        answer: R::Answer,
    ) -> Result<(), Invalid> {
        let resource = resources().iter().find(|resource| resource.info.name == R::NAME);
        let resource = resource.ok_or_else(|| Invalid::new(R::NAME, "has no records"))?;
        let json = serde_json::to_string(&answer).unwrap_or_default();
        let mut reader = resource.reader();
        let mut owners_of = reader.read(&json)?.owners;
        owners_of.extend(owners.into_iter().map(|(name, id)| (name.to_owned(), id.to_owned())));
        reader.check_last(&owners_of)?;
        self.batches.push(Batch {
            project: Some(project),
            resource: resource.info,
            owners: owners_of,
            answers: reader.finish(),
            range: 0..1,
        });
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
        let text = json.trim_start_matches([' ', '\t', '\r', '\n']);
        let not_json = |error: serde_json::Error| wrong(format!("not JSON: {error}"));
        let lists = match text.as_bytes().first() {
            Some(b'[') => vec![(&resources()[0], serde_json::from_str(json).map_err(not_json)?)],
            Some(b'{') => lists_of(serde_json::from_str(json).map_err(not_json)?).map_err(wrong)?,
            _ => {
                serde_json::from_str::<IgnoredAny>(json).map_err(not_json)?;
                return Err(wrong(NO_LISTS.to_owned()));
            }
        };
        let mut fixtures = Self::default();
        for (resource, items) in lists {
            if items.is_empty() && resource.is_catalogue {
                fixtures.emptied.push(resource.info.name);
            }
            fixtures.batches.extend(read(resource, &items)?);
        }
        Ok(fixtures)
    }
}

const NO_LISTS: &str =
    "must be a JSON object with a list for each resource, or a list of access clients";

/// A list of a resource, of which the items are still to be read.
type List<'a> = (&'static Registered, Vec<&'a RawValue>);

/// The lists of an object, and what they are of: by the name of a resource, or as in a page of its list.
fn lists_of(lists: BTreeMap<String, &RawValue>) -> Result<Vec<List<'_>>, String> {
    let mut found = Vec::new();
    for (name, list) in lists {
        let listed = operations().iter().find(|operation| {
            operation.items_in_response.and_then(|items| items.strip_prefix('/')) == Some(&name)
        });
        let resource = resources().iter().find(|resource| {
            resource.info.name == name
                || listed.is_some_and(|operation| operation.resource == resource.info)
        });
        let is_number = || serde_json::from_str::<f64>(list.get()).is_ok();
        match resource {
            Some(resource) => {
                let items = serde_json::from_str(list.get());
                found.push((resource, items.map_err(|_| format!("{name}: must be a list"))?));
            }
            // How many there are, in a page.
            None if ["total", "total_count"].contains(&name.as_str()) && is_number() => {}
            None => {
                let known: Vec<_> = resources().iter().map(|known| known.info.name).collect();
                return Err(format!("{name}: is no resource; there are {}", known.join(", ")));
            }
        }
    }
    Ok(found)
}

/// Reads the records of a list.
fn read(resource: &'static Registered, items: &[&RawValue]) -> Result<Vec<Batch>, FixturesError> {
    let wrong = |place: usize, reason: String| FixturesError {
        place: Some((resource.info.singular, place)),
        reason,
    };
    let mut reader = resource.reader();
    let mut heads: Vec<(Head, Range<usize>)> = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let head = read_item(resource, &mut *reader, item)
            .map_err(|invalid| wrong(place, invalid.to_string()))?;
        match heads.last_mut() {
            Some((last, range)) if *last == head => range.end = place + 1,
            _ => heads.push((head, place..place + 1)),
        }
    }
    let answers = reader.finish();
    let mut ids: HashMap<_, HashSet<&str>> = HashMap::new();
    for ((project, _), range) in &heads {
        let ids = ids.entry(project).or_default();
        let is_twice = |place: &usize| answers.id(*place).is_some_and(|id| !ids.insert(id));
        if let Some(place) = range.clone().find(is_twice) {
            return Err(wrong(place, "id: must not be there twice in a project".to_owned()));
        }
    }
    let batches = heads.into_iter().map(|((project, owners), range)| Batch {
        project,
        resource: resource.info,
        owners,
        answers: answers.clone(),
        range,
    });
    Ok(batches.collect())
}

/// What the records of a batch have in common.
type Head = (Option<ProjectId>, Owners);

/// Reads a record.
fn read_item(
    resource: &Registered,
    reader: &mut dyn ReadAnswers,
    item: &RawValue,
) -> Result<Head, Invalid> {
    let Whereabouts { project, owners } = reader.read(item.get())?;
    let project = match project {
        None if resource.is_catalogue => None,
        None => Some(default_project()),
        Some(id) => Some(
            ProjectId::try_from(id)
                .map_err(|invalid| Invalid::new("project_id", &invalid.violations()[0].rule))?,
        ),
    };
    reader.check_last(&owners)?;
    Ok((project, owners))
}
