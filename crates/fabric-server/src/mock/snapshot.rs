//! Snapshots: all state of a world as JSON that can be committed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use fabric_model::{Invalid, ProjectId};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::api::clock::Readings;
use crate::api::credentials::{Grant, SignedIn};
use crate::api::time;
use crate::mock::fault::rule::FaultStatus;
use crate::mock::fault::{ActiveFault, FAULTS_MAX, FaultSet};
use crate::mock::identity::accounts::{Accounts, SavedAccounts};
use crate::mock::projects::Project;
use crate::mock::service::resources;
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
    /// The version of its form. Version 1 is read too: it has access clients only, and draws begin anew.
    #[schema(minimum = 1, maximum = 2)]
    version: u32,
    /// The number that ids, made-up names, addresses and random draws follow from.
    seed: u64,
    /// How many projects were given an id.
    projects_made: u64,
    #[schema(value_type = Object)]
    clocks: Readings,
    #[schema(value_type = Object)]
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

/// The token of a user in a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedSignIn {
    /// The SHA-256 of the token, in hexadecimal.
    token_sha256: String,
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
    fn of(digest: &[u8; 32], grant: &Grant) -> Option<Self> {
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

    fn to_grant(&self) -> Grant {
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

/// A project in a snapshot.
#[derive(Clone, Debug, Default, Serialize)]
struct SavedProject {
    /// The SHA-256 of each token, in hexadecimal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tokens_sha256: Vec<String>,
    /// How many numbers were drawn, for records and for calls that bring a fault; absent before there were any
    /// records.
    #[serde(skip_serializing_if = "Option::is_none")]
    drawn: Option<[u64; 2]>,
    /// Its records, by resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    tables: Option<Tables>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<SavedFault>,
}

/// A fault in a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SavedFault {
    #[serde(flatten)]
    status: FaultStatus,
    /// Its place among the faults of its project.
    #[serde(default)]
    place: u64,
    /// How many numbers were drawn for it.
    #[serde(default)]
    drawn: u64,
}

/// A snapshot as it is read, of either version.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read<'a> {
    version: u32,
    #[serde(alias = "rng_seed")]
    seed: u64,
    #[serde(default)]
    projects_made: u64,
    clocks: Readings,
    #[serde(borrow)]
    projects: BTreeMap<ProjectId, ReadProject<'a>>,
    faults: Vec<SavedFault>,
    last_fault_id: u64,
    #[serde(default)]
    sign_ins: Vec<SavedSignIn>,
    #[serde(default)]
    accounts: SavedAccounts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadProject<'a> {
    #[serde(default)]
    tokens_sha256: Vec<String>,
    #[serde(default)]
    drawn: Option<[u64; 2]>,
    #[serde(default, borrow)]
    tables: Option<BTreeMap<String, &'a RawValue>>,
    #[serde(default)]
    faults: Vec<SavedFault>,
    /// Of version 1: the state of a generator that is not used any more.
    #[serde(default)]
    random: Option<IgnoredAny>,
    /// Of version 1.
    #[serde(default, borrow)]
    access_clients: Option<&'a RawValue>,
}

/// Why a text is no snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotError(String);

impl fmt::Display for SnapshotError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for SnapshotError {}

/// The version that is written; earlier ones are read too.
const VERSION: u32 = 2;

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
        #[derive(Deserialize)]
        struct Version {
            version: Option<u32>,
        }
        let json = json.strip_prefix('\u{feff}').unwrap_or(json);
        // The version first: of a later one nothing else need be as it is here.
        let Version { version } = serde_json::from_str(json)
            .map_err(|error| SnapshotError(format!("not a whole JSON object: {error}")))?;
        match version {
            None => return Err(SnapshotError("version: must be given".to_owned())),
            Some(1..=VERSION) => {}
            Some(other) => {
                return Err(SnapshotError(format!(
                    "version: {other} is not known here, only 1 to {VERSION}; it was written by another \
                     version of this program"
                )));
            }
        }
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let read: Read<'_> = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| SnapshotError(format!("{}: {}", error.path(), error.inner())))?;
        let snapshot = Self::from_read(read)?;
        snapshot.check_faults()?;
        Ok(snapshot)
    }

    fn from_read(read: Read<'_>) -> Result<Self, SnapshotError> {
        let mut projects = BTreeMap::new();
        for (id, project) in read.projects {
            let ReadProject { tokens_sha256, drawn, tables, faults, random, access_clients } =
                project;
            let parent = format!("projects.{id}");
            if tokens_sha256.iter().any(|digest| parse_digest(digest).is_none()) {
                let reason = format!("{parent}.tokens_sha256: must have 64 hexadecimal digits");
                return Err(SnapshotError(reason));
            }
            if faults.iter().any(|saved| saved.status.fault.when.project_id.as_ref() != Some(&id)) {
                return Err(SnapshotError(format!("{parent}.faults: must be of this project")));
            }
            let is_there = drawn.is_some() || random.is_some() || access_clients.is_some();
            let tables = match (tables, access_clients) {
                (Some(tables), _) => Some(read_tables(&format!("{parent}.tables"), tables)?),
                // Version 1 had the records of the first resource only, in a field of the project.
                (None, Some(records)) => {
                    let name = resources()[0].info.name.to_owned();
                    Some(read_tables(&parent, BTreeMap::from([(name, records)]))?)
                }
                (None, None) => is_there.then(|| Tables::first(resources())),
            };
            projects.insert(id, SavedProject { tokens_sha256, drawn, tables, faults });
        }
        if let Some(wrong) =
            read.sign_ins.iter().position(|saved| parse_digest(&saved.token_sha256).is_none())
        {
            let reason = format!("sign_ins[{wrong}].token_sha256: must have 64 hexadecimal digits");
            return Err(SnapshotError(reason));
        }
        let accounts = Accounts::of_saved(read.accounts)
            .map_err(|invalid| SnapshotError(format!("accounts.{invalid}")))?;
        Ok(Self {
            version: read.version.max(VERSION),
            seed: read.seed,
            projects_made: read.projects_made,
            clocks: read.clocks,
            projects,
            faults: read.faults,
            last_fault_id: read.last_fault_id,
            sign_ins: read.sign_ins,
            accounts: accounts.saved(),
        })
    }

    fn check_faults(&self) -> Result<(), SnapshotError> {
        let of_projects = self.projects.values().flat_map(|project| &project.faults);
        let mut ids = HashSet::new();
        for saved in of_projects.chain(&self.faults) {
            let id = saved.status.id;
            let fault = saved.status.fault.clone();
            fault.checked().map_err(|error| SnapshotError(format!("fault {id}: {error}")))?;
            if !ids.insert(id) || id == 0 || id > self.last_fault_id || ids.len() > FAULTS_MAX {
                return Err(SnapshotError(format!(
                    "fault {id}: must have a number of its own, from 1 to last_fault_id, and there may be \
                     {FAULTS_MAX} of them"
                )));
            }
        }
        if self.faults.iter().any(|saved| saved.status.fault.when.project_id.is_some()) {
            let reason = "faults: those of a project must stand in the project";
            return Err(SnapshotError(reason.to_owned()));
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

impl SavedFault {
    fn of(active: &ActiveFault) -> Self {
        let ActiveFault { status, place, draws } = active;
        Self { status: status.clone(), place: *place, drawn: draws.drawn() }
    }

    fn to_active(&self, seed: u64) -> ActiveFault {
        ActiveFault::new(self.status.clone(), self.place, self.drawn, seed)
    }
}

fn read_tables(parent: &str, given: BTreeMap<String, &RawValue>) -> Result<Tables, SnapshotError> {
    let mut tables = Tables::first(resources());
    for (name, records) in given {
        let wrong = |invalid: Invalid| {
            let violation = &invalid.violations()[0];
            let separator = if violation.field.starts_with('[') { "" } else { "." };
            let (field, rule) = (&violation.field, &violation.rule);
            SnapshotError(format!("{parent}.{name}{separator}{field}: {rule}"))
        };
        if !tables.read(&name, records.get()).map_err(wrong)? {
            return Err(SnapshotError(format!("{parent}.{name}: is no resource")));
        }
    }
    if let Some((info, owner)) = tables.orphans() {
        let parameter = info.owner.and_then(|owner| owner.id_parameter).unwrap_or_default();
        let reason = format!("{parent}.{}: there is no {parameter} {owner}", info.name);
        return Err(SnapshotError(reason));
    }
    Ok(tables)
}

fn parse_digest(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest).ok()?;
    Some(digest)
}
