//! Snapshots: all state of a world as JSON that can be committed.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use fabric_model::ProjectId;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use crate::clock::Readings;
use crate::mock::fault::Rule;
use crate::store::Record;

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
    /// Where its draws have come to; absent before there were any records or a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) random: Option<Draws>,
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

/// The parts of a world's state.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) rng_seed: u64,
    pub(crate) clocks: Readings,
    pub(crate) projects: BTreeMap<ProjectId, OfProject>,
    pub(crate) faults: Vec<Rule>,
    pub(crate) last_fault_id: u64,
}

impl Snapshot {
    pub(crate) fn of(parts: Parts) -> Self {
        let Parts { rng_seed, clocks, projects, faults, last_fault_id } = parts;
        Self { version: VERSION, rng_seed, clocks, projects, faults, last_fault_id }
    }

    pub(crate) fn into_parts(self) -> Parts {
        let Self { version: _, rng_seed, clocks, projects, faults, last_fault_id } = self;
        Parts { rng_seed, clocks, projects, faults, last_fault_id }
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
                if record.name.is_empty() || record.name.chars().count() > 64 {
                    return Err(wrong("name: must have 1 to 64 characters"));
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
        for rule in of_projects.chain(&self.faults) {
            rule.status
                .fault
                .clone()
                .checked()
                .map_err(|error| SnapshotError(format!("fault {}: {error}", rule.status.id)))?;
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
