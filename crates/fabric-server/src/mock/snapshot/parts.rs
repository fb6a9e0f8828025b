//! What a snapshot consists of, and how the projects in it are written.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::time::SystemTime;

use fabric_model::ProjectId;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::api::credentials::{Grant, SignedIn};
use crate::api::time;
use crate::mock::fault::ActiveFault;
use crate::mock::fault::rule::FaultStatus;
use crate::mock::table::erased::{AnyTable, SavedRecords};
use crate::mock::tables::Tables;

/// A project in a snapshot.
#[derive(Clone, Debug, Default)]
pub(crate) struct SavedProject {
    /// The SHA-256 of each token, in hexadecimal.
    pub(crate) tokens_sha256: Vec<String>,
    /// How many numbers were drawn, for records and for calls that bring a fault; absent before there were any
    /// records.
    pub(crate) drawn: Option<[u64; 2]>,
    /// Its records, by resource.
    pub(crate) tables: Option<Tables>,
    pub(crate) faults: Vec<SavedFault>,
}

/// Writes projects in the order of their ids. Of a table that shares records with that of a project before, such as a
/// fork of it, only the differences are written.
pub(crate) fn write_projects<S: Serializer>(
    projects: &BTreeMap<ProjectId, SavedProject>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut writing = Writing { projects, first_with: HashMap::new() };
    let mut map = serializer.serialize_map(Some(projects.len()))?;
    for (id, project) in projects {
        let tables = project.tables.as_ref().map(|tables| writing.tables(id, tables));
        let SavedProject { tokens_sha256, drawn, faults, .. } = project;
        map.serialize_entry(id, &WrittenProject { tokens_sha256, drawn: *drawn, tables, faults })?;
    }
    map.end()
}

#[derive(Serialize)]
struct WrittenProject<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tokens_sha256: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    drawn: Option<[u64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tables: Option<BTreeMap<&'static str, WrittenTable<'a>>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    faults: &'a [SavedFault],
}

/// Tables with fewer records are written in full, so that they can be read.
const SHARED_MIN: usize = 100;

struct Writing<'a> {
    projects: &'a BTreeMap<ProjectId, SavedProject>,
    /// The first project with a leaf.
    first_with: HashMap<usize, &'a ProjectId>,
}

impl<'a> Writing<'a> {
    fn tables(
        &mut self,
        id: &'a ProjectId,
        tables: &'a Tables,
    ) -> BTreeMap<&'static str, WrittenTable<'a>> {
        tables.all().map(|(name, table)| (name, self.table(id, name, table))).collect()
    }

    fn table(
        &mut self,
        id: &'a ProjectId,
        name: &'static str,
        table: &'a dyn AnyTable,
    ) -> WrittenTable<'a> {
        if table.len() < SHARED_MIN {
            return WrittenTable::Whole(table);
        }
        let mut shared = BTreeMap::<&ProjectId, usize>::new();
        for leaf in table.leaves() {
            let first = *self.first_with.entry(leaf).or_insert(id);
            *shared.entry(first).or_default() += 1;
        }
        shared.remove(id);
        let like = shared.into_iter().max_by_key(|(_, leaves)| *leaves).map(|(like, _)| like);
        let tables = like.and_then(|like| self.projects[like].tables.as_ref());
        match like.zip(tables.and_then(|tables| tables.named(name))) {
            Some((like, of_like)) => WrittenTable::Like(like, table, of_like),
            None => WrittenTable::Whole(table),
        }
    }
}

/// A table as it is written.
enum WrittenTable<'a> {
    Whole(&'a dyn AnyTable),
    /// As that of another project, but for some records.
    Like(&'a ProjectId, &'a dyn AnyTable, &'a dyn AnyTable),
}

impl Serialize for WrittenTable<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(table) => serializer.collect_seq(table.saved()),
            Self::Like(like, table, of_like) => {
                let (records, without) = table.beside(*of_like);
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("like", like)?;
                map.serialize_entry("records", &Records(Cell::new(Some(records))))?;
                map.serialize_entry("without", &without)?;
                map.end()
            }
        }
    }
}

/// Records that are written as they are looked at, once.
struct Records<'a>(Cell<Option<SavedRecords<'a>>>);

impl Serialize for Records<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.take().into_iter().flatten())
    }
}

/// The token of a user in a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedSignIn {
    /// The SHA-256 of the token, in hexadecimal.
    pub(crate) token_sha256: String,
    domain: String,
    user: String,
    /// The project that the token is good for; absent for the domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project_id: Option<ProjectId>,
    /// The name by which it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project_name: Option<String>,
    #[serde(with = "time")]
    issued_at: SystemTime,
    #[serde(with = "time")]
    expires_at: SystemTime,
    /// The actions that the user is allowed; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actions: Option<BTreeSet<String>>,
}

impl SavedSignIn {
    pub(crate) fn of(digest: &[u8; 32], grant: &Grant) -> Option<Self> {
        let SignedIn { domain, user, at, project } = grant.signed_in.clone()?;
        Some(Self {
            token_sha256: hex::encode(digest),
            domain,
            user,
            project_id: grant.project.clone(),
            project_name: project,
            issued_at: at,
            expires_at: grant.expires_at?,
            actions: grant.actions.clone(),
        })
    }

    pub(crate) fn to_grant(&self) -> Grant {
        let (domain, user) = (self.domain.clone(), self.user.clone());
        Grant {
            project: self.project_id.clone(),
            expires_at: Some(self.expires_at),
            actions: self.actions.clone(),
            signed_in: Some(SignedIn {
                domain,
                user,
                at: self.issued_at,
                project: self.project_name.clone(),
            }),
        }
    }
}

/// A fault in a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedFault {
    #[serde(flatten)]
    pub(crate) status: FaultStatus,
    /// Its place among the faults of its project.
    #[serde(default)]
    place: u64,
    /// How many numbers were drawn for it.
    #[serde(default)]
    drawn: u64,
}

impl SavedFault {
    pub(crate) fn of(active: &ActiveFault) -> Self {
        let ActiveFault { status, place, draws } = active;
        Self { status: status.clone(), place: *place, drawn: draws.drawn() }
    }

    pub(crate) fn to_active(&self, seed: u64) -> ActiveFault {
        ActiveFault::new(self.status.clone(), self.place, self.drawn, seed)
    }
}

/// Why a text is no snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotError {
    pub(crate) reason: String,
    /// Whether it is a snapshot, but of more than there may be.
    pub(crate) is_too_much: bool,
}

impl SnapshotError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_too_much: false }
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.reason)
    }
}

impl std::error::Error for SnapshotError {}

pub(crate) fn parse_digest(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest).ok()?;
    Some(digest)
}
