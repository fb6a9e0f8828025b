//! Snapshots: all state of a world as JSON that can be committed.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::SystemTime;

use fabric_model::ProjectId;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;
use validator::Validate;

use crate::clock::Readings;
use crate::mock::fault::{RULES_MAX, Rule, Rules};
use crate::mock::world::{Project, State};
use crate::store::Record;
use crate::time;

/// All state of a world at a moment: records, faults with their counts, clocks, where every draw has come
/// to, and who has which project. The journal and the coverage are not in it.
///
/// Tokens of projects are in it as their SHA-256, so it holds no secret and can be committed.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use fabric_server::{MockServer, Snapshot};
///
/// let server = MockServer::start().await;
/// let json = server.world().snapshot().to_json();
/// server.world().restore(&Snapshot::parse(&json)?);
/// assert_eq!(server.world().snapshot().to_json(), json);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Of what form it is.
    #[schema(minimum = 1, maximum = 1)]
    version: u32,
    /// What ids, made-up names, addresses and draws follow from.
    rng_seed: u64,
    /// How many projects were given an id.
    #[serde(default)]
    projects_made: u64,
    #[schema(value_type = Object)]
    clocks: Readings,
    #[schema(value_type = Object)]
    pub(crate) projects: BTreeMap<ProjectId, OfProject>,
    /// Those that are for no project of their own.
    #[schema(value_type = Vec<Object>)]
    faults: Vec<Rule>,
    last_fault_id: u64,
}

/// A project in a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfProject {
    /// The SHA-256 of each token, in hexadecimal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tokens_sha256: Vec<String>,
    /// Where its draws have come to, and those of calls that bring a fault; absent before there were any
    /// records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) random: Option<[Draws; 2]>,
    #[serde(default)]
    pub(crate) access_clients: Vec<Record>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) faults: Vec<Rule>,
}

/// Where a sequence of draws has come to. In hexadecimal: many programs round large numbers in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn of(random: &fastrand::Rng) -> Self {
        Self(random.get_seed())
    }

    /// The sequence from there on.
    pub(crate) fn go_on(self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.0)
    }
}

impl Serialize for Draws {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Draws {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = u64::from_str_radix(&text, 16);
        number.map(Self).map_err(|_| serde::de::Error::custom("must have 16 hexadecimal digits"))
    }
}

/// Why a text is no snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotError(String);

impl SnapshotError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for SnapshotError {}

/// The form that is written, and the latest that is read.
const VERSION: u32 = 1;

impl Snapshot {
    pub(crate) fn of(state: &State) -> Self {
        let State { rng_seed, projects_made, projects: all, rules, clocks, tokens } = state;
        let mut projects = BTreeMap::<ProjectId, OfProject>::new();
        for (id, project) in all {
            let of_project = projects.entry(id.clone()).or_default();
            of_project.random =
                Some([Draws::of(&project.random), Draws::of(&project.header_random)]);
            of_project.access_clients = project.records.iter().cloned().collect();
        }
        for (digest, id) in tokens {
            projects.entry(id.clone()).or_default().tokens_sha256.push(hex::encode(digest));
        }
        let mut faults = Vec::new();
        for (id, rules) in &rules.of {
            match id {
                Some(id) => projects.entry(id.clone()).or_default().faults.clone_from(rules),
                None => faults.clone_from(rules),
            }
        }
        for of_project in projects.values_mut() {
            of_project.tokens_sha256.sort();
        }
        Self {
            version: VERSION,
            rng_seed: *rng_seed,
            projects_made: *projects_made,
            clocks: clocks.clone(),
            projects,
            faults,
            last_fault_id: rules.last_id,
        }
    }

    pub(crate) fn to_state(&self) -> State {
        let mut rules = Rules { of: BTreeMap::new(), last_id: self.last_fault_id };
        rules.of.insert(None, self.faults.clone());
        let mut state = State {
            rng_seed: self.rng_seed,
            projects_made: self.projects_made,
            projects: HashMap::new(),
            rules,
            clocks: self.clocks.clone(),
            tokens: HashMap::new(),
        };
        for (id, of_project) in &self.projects {
            for digest in &of_project.tokens_sha256 {
                state.tokens.extend(parse_digest(digest).map(|digest| (digest, id.clone())));
            }
            state.rules.of.insert(Some(id.clone()), of_project.faults.clone());
            if of_project.random.is_none() && of_project.access_clients.is_empty() {
                continue;
            }
            let mut project = Project::new(self.rng_seed, id);
            if let Some([random, header_random]) = of_project.random {
                (project.random, project.header_random) = (random.go_on(), header_random.go_on());
            }
            for record in &of_project.access_clients {
                // None of them goes while they are put in.
                project.records.insert(record.clone(), SystemTime::UNIX_EPOCH);
            }
            state.projects.insert(id.clone(), project);
        }
        state
    }

    /// Reads a snapshot.
    ///
    /// # Errors
    ///
    /// Not a whole snapshot, one of a later version, or one that contradicts itself.
    pub fn parse(json: &str) -> Result<Self, SnapshotError> {
        #[derive(Deserialize)]
        struct Version {
            version: Option<u32>,
        }
        let json = json.strip_prefix('\u{feff}').unwrap_or(json);
        // The version first: of a later one nothing else need be as it is here.
        let Version { version } = serde_json::from_str(json)
            .map_err(|error| SnapshotError(format!("not a whole JSON object: {error}")))?;
        match version {
            None => return Err(SnapshotError::new("version: must be given")),
            Some(VERSION) => {}
            Some(other) => {
                return Err(SnapshotError(format!(
                    "version: {other} is not known here, only {VERSION}; it was written by another \
                     version of this program"
                )));
            }
        }
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let snapshot: Self = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| SnapshotError(format!("{}: {}", error.path(), error.inner())))?;
        snapshot.check()?;
        Ok(snapshot)
    }

    fn check(&self) -> Result<(), SnapshotError> {
        for (id, project) in &self.projects {
            let mut ids = std::collections::HashSet::new();
            for record in &project.access_clients {
                let wrong = |reason: &str| {
                    SnapshotError(format!("projects.{id}.access_clients: {}: {reason}", record.id))
                };
                if !ids.insert(&record.id) {
                    return Err(wrong("must not be there twice"));
                }
                record
                    .answer(record.created_at)
                    .validate()
                    .map_err(|errors| wrong(&fabric_model::Invalid::from(errors).to_string()))?;
                if record.created_at != time::whole_milliseconds(record.created_at) {
                    return Err(wrong("created_at: must be in whole milliseconds"));
                }
            }
            for digest in &project.tokens_sha256 {
                if parse_digest(digest).is_none() {
                    let reason =
                        format!("projects.{id}.tokens_sha256: must have 64 hexadecimal digits");
                    return Err(SnapshotError(reason));
                }
            }
            let mut faults = project.faults.iter();
            if faults.any(|rule| rule.status.fault.when.project_id.as_ref() != Some(id)) {
                let reason = format!("projects.{id}.faults: must be of this project");
                return Err(SnapshotError(reason));
            }
        }
        let of_projects = self.projects.values().flat_map(|project| &project.faults);
        let mut ids = std::collections::HashSet::new();
        for rule in of_projects.chain(&self.faults) {
            let id = rule.status.id;
            rule.status
                .fault
                .clone()
                .checked()
                .map_err(|error| SnapshotError(format!("fault {id}: {error}")))?;
            if !ids.insert(id) || id == 0 || id > self.last_fault_id || ids.len() > RULES_MAX {
                return Err(SnapshotError(format!(
                    "fault {id}: must have a number of its own, from 1 to last_fault_id, and there may be \
                     {RULES_MAX} of them"
                )));
            }
        }
        if self.faults.iter().any(|rule| rule.status.fault.when.project_id.is_some()) {
            return Err(SnapshotError::new("faults: those of a project must stand in the project"));
        }
        Ok(())
    }

    /// The snapshot in JSON: the same state gives the same text.
    ///
    /// # Panics
    ///
    /// Never: it holds nothing that JSON can't.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json =
            serde_json::to_string_pretty(self).expect("it holds nothing that JSON can't");
        json.push('\n');
        json
    }
}

pub(crate) fn parse_digest(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest).ok()?;
    Some(digest)
}

/// Writes a map in the order of its keys.
pub(crate) fn in_order<S: Serializer, K: Ord + Serialize, V: Serialize>(
    map: &HashMap<K, V>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(map.iter().collect::<BTreeMap<_, _>>())
}
