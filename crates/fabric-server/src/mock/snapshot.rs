//! Snapshots: all state of a world as JSON that can be committed.

mod json;
pub(crate) mod parts;
mod reading;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, BufRead};
use std::sync::Arc;

use fabric_model::ProjectId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::callers::DEFAULT_PROJECT;
use crate::api::clock::Readings;
use crate::api::credentials::Grant;
use crate::mock::fault::{FAULTS_MAX, FaultSet};
use crate::mock::identity::accounts::{Accounts, SavedAccounts};
use crate::mock::projects::Project;
use crate::mock::snapshot::parts::{
    SavedFault, SavedProject, SavedSignIn, SnapshotError, parse_digest, write_projects,
};
use crate::mock::snapshot::reading::{Read, VERSION, read};
use crate::mock::state::State;
use crate::mock::tables::Tables;

/// All state of a world at a moment: the records of every resource, faults with their counts, clocks, the
/// number of draws of every sequence, and the tokens of projects. The journal and the coverage are not in it.
///
/// Tokens are in it as their SHA-256, so it holds no secret and can be committed.
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
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Snapshot {
    /// The version of its form. Earlier ones are read too. Version 1 has access clients only, and draws begin anew;
    /// in version 2 every project has all its records.
    #[schema(minimum = 1, maximum = 3)]
    version: u32,
    /// The number that ids, made-up names, addresses and random draws follow from.
    seed: u64,
    /// How many projects were given an id.
    projects_made: u64,
    #[schema(value_type = Object)]
    clocks: Readings,
    #[schema(value_type = Object)]
    #[serde(serialize_with = "write_projects")]
    projects: BTreeMap<ProjectId, SavedProject>,
    /// The faults for every project.
    #[schema(value_type = Vec<Object>)]
    faults: Vec<SavedFault>,
    last_fault_id: u64,
    /// The tokens that users got for their passwords.
    #[schema(value_type = Vec<Object>)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sign_ins: Vec<SavedSignIn>,
    /// The users, and the names of projects, that were added.
    #[schema(value_type = Option<Object>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<SavedAccounts>,
}

/// How much of what is limited is in a snapshot.
pub(crate) struct Contents {
    pub(crate) projects: usize,
    pub(crate) tokens: usize,
    pub(crate) sign_ins: usize,
}

/// Whether a project is one of those that are limited.
fn is_counted(id: &ProjectId, project: &SavedProject) -> bool {
    project.tables.is_some() && id.as_str() != DEFAULT_PROJECT
}

impl Snapshot {
    pub(crate) fn of(state: &State) -> Self {
        let State { seed, projects_made, projects: all, faults: active, clocks, tokens, .. } =
            state;
        let mut projects = BTreeMap::<ProjectId, SavedProject>::new();
        for (id, project) in all {
            let saved = projects.entry(id.clone()).or_default();
            saved.drawn = Some([project.draws.drawn(), project.header_draws.drawn()]);
            saved.tables = Some(project.tables.clone());
        }
        let mut sign_ins = Vec::new();
        for (digest, grant) in tokens {
            match (SavedSignIn::of(digest, grant), &grant.project) {
                (Some(saved), _) => sign_ins.push(saved),
                (None, Some(id)) => {
                    let saved = projects.entry(id.clone()).or_default();
                    saved.tokens_sha256.push(hex::encode(digest));
                }
                (None, None) => {}
            }
        }
        sign_ins.sort_by(|one, other| one.token_sha256.cmp(&other.token_sha256));
        let mut faults = Vec::new();
        for (id, active) in &active.of {
            let saved = active.iter().map(SavedFault::of).collect();
            match id {
                Some(id) => projects.entry(id.clone()).or_default().faults = saved,
                None => faults = saved,
            }
        }
        for saved in projects.values_mut() {
            saved.tokens_sha256.sort();
        }
        Self {
            version: VERSION,
            seed: *seed,
            projects_made: *projects_made,
            clocks: clocks.clone(),
            projects,
            faults,
            last_fault_id: active.last_id,
            sign_ins,
            accounts: state.accounts.saved(),
        }
    }

    /// The state, where new projects begin with `first`.
    pub(crate) fn to_state(&self, first: Tables) -> State {
        let active = |faults: &[SavedFault]| {
            faults.iter().map(|saved| saved.to_active(self.seed)).collect::<Vec<_>>()
        };
        let mut faults = FaultSet { of: BTreeMap::new(), last_id: self.last_fault_id };
        faults.of.insert(None, active(&self.faults));
        let (mut projects, mut tokens) = (HashMap::new(), HashMap::new());
        for (id, saved) in &self.projects {
            for digest in &saved.tokens_sha256 {
                let grant = Grant { project: Some(id.clone()), ..Grant::default() };
                tokens.extend(parse_digest(digest).map(|digest| (digest, Arc::new(grant))));
            }
            faults.of.insert(Some(id.clone()), active(&saved.faults));
            let Some(tables) = &saved.tables else { continue };
            let new = Project::new(self.seed, id, tables);
            let [count, header_count] = saved.drawn.unwrap_or_default();
            let project = Project {
                tables: new.tables,
                draws: new.draws.after(count),
                header_draws: new.header_draws.after(header_count),
            };
            projects.insert(id.clone(), project);
        }
        for saved in &self.sign_ins {
            let digest = parse_digest(&saved.token_sha256);
            tokens.extend(digest.map(|digest| (digest, Arc::new(saved.to_grant()))));
        }
        let accounts = self.accounts.clone().unwrap_or_default();
        let accounts = Accounts::of_saved(accounts).expect("they were checked when they were read");
        State {
            seed: self.seed,
            projects_made: self.projects_made,
            first,
            projects,
            faults,
            clocks: self.clocks.clone(),
            tokens,
            accounts,
        }
    }

    /// Reads a snapshot.
    ///
    /// # Errors
    ///
    /// Not a whole snapshot, one of a later version, or one that contradicts itself.
    pub fn parse(json: &str) -> Result<Self, SnapshotError> {
        Self::read(json.as_bytes())
    }

    /// Reads a snapshot as it comes, such as from a file. The text is never in memory as a whole.
    ///
    /// # Errors
    ///
    /// The same, and a failure of the reader.
    pub fn read(json: impl BufRead) -> Result<Self, SnapshotError> {
        Self::read_some(json, usize::MAX)
    }

    /// The same, with so many projects at most.
    pub(crate) fn read_some(json: impl BufRead, most: usize) -> Result<Self, SnapshotError> {
        let Read {
            seed,
            projects_made,
            clocks,
            projects,
            faults,
            last_fault_id,
            sign_ins,
            accounts,
        } = read(json, most)?;
        let accounts = Accounts::of_saved(accounts)
            .map_err(|invalid| SnapshotError::new(format!("accounts.{invalid}")))?;
        let snapshot = Self {
            version: VERSION,
            seed,
            projects_made,
            clocks,
            projects,
            faults,
            last_fault_id,
            sign_ins,
            accounts: accounts.saved(),
        };
        snapshot.check_faults()?;
        Ok(snapshot)
    }

    /// How much of what is limited is in it.
    pub(crate) fn contents(&self) -> Contents {
        Contents {
            projects: self.projects.iter().filter(|(id, project)| is_counted(id, project)).count(),
            tokens: self.projects.values().map(|project| project.tokens_sha256.len()).sum(),
            sign_ins: self.sign_ins.len(),
        }
    }

    fn check_faults(&self) -> Result<(), SnapshotError> {
        let of_projects = self.projects.values().flat_map(|project| &project.faults);
        let mut ids = HashSet::new();
        for saved in of_projects.chain(&self.faults) {
            let id = saved.status.id;
            let fault = saved.status.fault.clone();
            fault.checked().map_err(|error| SnapshotError::new(format!("fault {id}: {error}")))?;
            if !ids.insert(id) || id == 0 || id > self.last_fault_id || ids.len() > FAULTS_MAX {
                return Err(SnapshotError::new(format!(
                    "fault {id}: must have a number of its own, from 1 to last_fault_id, and there may be \
                     {FAULTS_MAX} of them"
                )));
            }
        }
        if self.faults.iter().any(|saved| saved.status.fault.when.project_id.is_some()) {
            let reason = "faults: those of a project must stand in the project";
            return Err(SnapshotError::new(reason.to_owned()));
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
        let mut json = Vec::new();
        self.write_to(&mut json).expect("it holds nothing that JSON can't");
        String::from_utf8(json).expect("JSON is UTF-8")
    }

    /// Writes the snapshot in JSON as [`Self::to_json`] gives it, but without having the text in memory as a whole.
    ///
    /// # Errors
    ///
    /// Those of the writer. It is given small pieces: let it have a buffer.
    pub fn write_to(&self, mut writer: impl io::Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut writer, self)?;
        writer.write_all(b"\n")?;
        writer.flush()
    }
}
