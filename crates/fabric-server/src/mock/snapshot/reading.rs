//! Reads a snapshot of any version as it comes, a record at a time.

use std::collections::BTreeMap;
use std::io::BufRead;

use fabric_model::{Invalid, ProjectId};
use serde::de::DeserializeOwned;

use crate::api::clock::Readings;
use crate::mock::identity::accounts::SavedAccounts;
use crate::mock::service::resources;
use crate::mock::snapshot::json::{JsonReader, Malformed};
use crate::mock::snapshot::parts::{
    SavedFault, SavedProject, SavedSignIn, SnapshotError, parse_digest,
};
use crate::mock::table::erased::AnyTable;
use crate::mock::table::saved::{ReadRecords, read_json};
use crate::mock::tables::{Registered, Tables};

/// The version that is written; earlier ones are read too.
pub(super) const VERSION: u32 = 3;

/// What was read. That faults and accounts do not contradict themselves is still to be checked.
pub(super) struct Read {
    pub(super) seed: u64,
    pub(super) projects_made: u64,
    pub(super) clocks: Readings,
    pub(super) projects: BTreeMap<ProjectId, SavedProject>,
    pub(super) faults: Vec<SavedFault>,
    pub(super) last_fault_id: u64,
    pub(super) sign_ins: Vec<SavedSignIn>,
    pub(super) accounts: SavedAccounts,
}

/// Reads a snapshot with so many projects at most.
pub(super) fn read(mut json: impl BufRead, most: usize) -> Result<Read, SnapshotError> {
    const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
    if json.fill_buf().is_ok_and(|start| start.starts_with(BYTE_ORDER_MARK)) {
        json.consume(BYTE_ORDER_MARK.len());
    }
    let mut reading = Reading::new(most);
    let mut json = JsonReader::new(json);
    let read = reading.snapshot(&mut json).and_then(|()| Ok(json.end()?));
    // Of a later version nothing else need be as it is here.
    match (reading.version, reading.problem, read) {
        (Some(version), ..) if !(1..=VERSION).contains(&version) => {
            return Err(SnapshotError::new(format!(
                "version: {version} is not known here, only 1 to {VERSION}; it was written by another version of \
                 this program"
            )));
        }
        (Some(_), Some(problem), _) => return Err(problem),
        (_, _, Err(Stop::Malformed(reason))) => {
            return Err(SnapshotError::new(format!("not a whole JSON object: {reason}")));
        }
        (None, ..) => return Err(SnapshotError::new("version: must be given")),
        (Some(_), None, _) => {}
    }
    Ok(Read {
        seed: given("seed", reading.seed)?,
        projects_made: reading.projects_made,
        clocks: given("clocks", reading.clocks)?,
        projects: given("projects", reading.projects)?,
        faults: given("faults", reading.faults)?,
        last_fault_id: given("last_fault_id", reading.last_fault_id)?,
        sign_ins: reading.sign_ins,
        accounts: reading.accounts,
    })
}

fn given<T>(field: &str, value: Option<T>) -> Result<T, SnapshotError> {
    value.ok_or_else(|| SnapshotError::new(format!("{field}: must be given")))
}

/// Why reading ends before the text does.
enum Stop {
    /// What is wrong is known, and of which version it is.
    Known,
    Malformed(String),
}

impl From<Malformed> for Stop {
    fn from(Malformed(reason): Malformed) -> Self {
        Self::Malformed(reason)
    }
}

/// What has been read so far.
struct Reading {
    /// The most projects that there may be.
    most: usize,
    /// What a project begins with.
    first: Tables,
    version: Option<u32>,
    seed: Option<u64>,
    projects_made: u64,
    clocks: Option<Readings>,
    projects: Option<BTreeMap<ProjectId, SavedProject>>,
    faults: Option<Vec<SavedFault>>,
    last_fault_id: Option<u64>,
    sign_ins: Vec<SavedSignIn>,
    accounts: SavedAccounts,
    /// The first thing that is wrong.
    problem: Option<SnapshotError>,
}

impl Reading {
    fn new(most: usize) -> Self {
        Self {
            most,
            first: Tables::first(resources()),
            version: None,
            seed: None,
            projects_made: 0,
            clocks: None,
            projects: None,
            faults: None,
            last_fault_id: None,
            sign_ins: Vec::new(),
            accounts: SavedAccounts::default(),
            problem: None,
        }
    }

    /// Remembers what is wrong, unless something was before. It may be a later version, where that is right: so it is
    /// read on until the version is known.
    fn check(&mut self, result: Result<(), SnapshotError>) -> Result<(), Stop> {
        if let Err(problem) = result {
            self.problem.get_or_insert(problem);
        }
        if self.version.is_some() && self.problem.is_some() { Err(Stop::Known) } else { Ok(()) }
    }

    fn snapshot(&mut self, json: &mut JsonReader<impl BufRead>) -> Result<(), Stop> {
        json.object(|json, name| {
            if name == "projects" {
                self.projects = Some(BTreeMap::new());
                return json.object(|json, name| self.project(json, name));
            }
            let field = self.field(&name, json.value()?);
            self.check(field)
        })
    }

    fn field(&mut self, name: &str, json: &str) -> Result<(), SnapshotError> {
        match name {
            "version" => {
                let version = read_at(name, json)?;
                self.version = Some(version);
                if !(1..=VERSION).contains(&version) {
                    return Err(SnapshotError::new("version: is not known here"));
                }
            }
            "seed" | "rng_seed" => self.seed = Some(read_at(name, json)?),
            "projects_made" => self.projects_made = read_at(name, json)?,
            "clocks" => self.clocks = Some(read_at(name, json)?),
            "faults" => self.faults = Some(read_at(name, json)?),
            "last_fault_id" => self.last_fault_id = Some(read_at(name, json)?),
            "sign_ins" => {
                self.sign_ins = read_at(name, json)?;
                let digests = self.sign_ins.iter().map(|saved| &saved.token_sha256);
                check_digests(digests, |place| format!("sign_ins[{place}].token_sha256"))?;
            }
            "accounts" => self.accounts = read_at(name, json)?,
            _ => return Err(SnapshotError::new(format!("{name}: unknown field `{name}`"))),
        }
        Ok(())
    }

    fn project(&mut self, json: &mut JsonReader<impl BufRead>, name: String) -> Result<(), Stop> {
        let parent = format!("projects.{name}");
        let mut saved = SavedProject::default();
        let mut is_there = false;
        json.object(|json, name| {
            let parent = format!("{parent}.{name}");
            match name.as_str() {
                "tables" => {
                    let tables = saved.tables.get_or_insert_with(|| self.first.clone());
                    json.object(|json, name| {
                        let parent = format!("{parent}.{name}");
                        let is_it = |resource: &&Registered| resource.info.name == name;
                        let Some(resource) = resources().iter().find(is_it) else {
                            json.value()?;
                            let reason = format!("{parent}: is no resource");
                            return self.check(Err(SnapshotError::new(reason)));
                        };
                        self.table(json, &parent, resource, tables)
                    })
                }
                // Version 1 has the records of the first resource only, in a field of the project.
                "access_clients" => {
                    let tables = saved.tables.get_or_insert_with(|| self.first.clone());
                    self.table(json, &parent, &resources()[0], tables)
                }
                // Of version 1: the state of a generator that is not used any more.
                "random" => {
                    is_there = true;
                    json.value()?;
                    Ok(())
                }
                _ => {
                    let field = saved_field(&mut saved, &name, &parent, json.value()?);
                    self.check(field)
                }
            }
        })?;
        if saved.tables.is_none() && (is_there || saved.drawn.is_some()) {
            saved.tables = Some(self.first.clone());
        }
        let project = self.add(&parent, name, saved);
        self.check(project)
    }

    fn add(
        &mut self,
        parent: &str,
        name: String,
        saved: SavedProject,
    ) -> Result<(), SnapshotError> {
        let id = ProjectId::try_from(name)
            .map_err(|invalid| below(parent, &Invalid::new("", &invalid.violations()[0].rule)))?;
        if saved.faults.iter().any(|saved| saved.status.fault.when.project_id.as_ref() != Some(&id))
        {
            return Err(SnapshotError::new(format!("{parent}.faults: must be of this project")));
        }
        if let Some((info, owner)) = saved.tables.as_ref().and_then(Tables::orphans) {
            let parameter = info.owner.and_then(|owner| owner.id_parameter).unwrap_or_default();
            let table = format!("{parent}.tables.{}", info.name);
            return Err(SnapshotError::new(format!("{table}: there is no {parameter} {owner}")));
        }
        let projects = self.projects.get_or_insert_default();
        if projects.len() >= self.most {
            let reason = format!("projects: there may be {} (--max-projects)", self.most);
            return Err(SnapshotError { is_too_much: true, ..SnapshotError::new(reason) });
        }
        projects.insert(id, saved);
        Ok(())
    }

    /// Reads a table: a list of records, or what it has otherwise than that of a project before.
    fn table(
        &mut self,
        json: &mut JsonReader<impl BufRead>,
        parent: &str,
        resource: &Registered,
        tables: &mut Tables,
    ) -> Result<(), Stop> {
        let mut records = resource.saved();
        let table = if json.peek()? == Some(b'{') {
            let (mut like, mut without) = (None, Vec::new());
            json.object(|json, name| {
                let parent = format!("{parent}.{name}");
                let field = match name.as_str() {
                    "records" => return self.records(json, &parent, &mut *records),
                    "like" => read_at(&parent, json.value()?).map(|read| like = Some(read)),
                    "without" => read_at(&parent, json.value()?).map(|read| without = read),
                    _ => {
                        json.value()?;
                        Err(SnapshotError::new(format!("{parent}: unknown field `{name}`")))
                    }
                };
                self.check(field)
            })?;
            match like.and_then(|like: ProjectId| self.table_of(&like, resource)) {
                Some(other) => records.finish_as(other, &without),
                None => Err(Invalid::new("like", "must be a project that stands before this one")),
            }
        } else {
            self.records(json, parent, &mut *records)?;
            records.finish()
        };
        let table = table.map(|table| tables.replace(resource.info.name, table));
        self.check(table.map_err(|invalid| below(parent, &invalid)))
    }

    fn records(
        &mut self,
        json: &mut JsonReader<impl BufRead>,
        parent: &str,
        records: &mut dyn ReadRecords,
    ) -> Result<(), Stop> {
        let mut place = 0;
        json.array(|json| {
            let record = records.read(json.value()?);
            let record = record.map_err(|invalid| below(&format!("{parent}[{place}]"), &invalid));
            place += 1;
            self.check(record)
        })
    }

    /// The table of a resource in a project that was read before.
    fn table_of(&self, project: &ProjectId, resource: &Registered) -> Option<&dyn AnyTable> {
        let project = self.projects.as_ref()?.get(project)?;
        project.tables.as_ref()?.named(resource.info.name)
    }
}

/// Reads a field of a project.
fn saved_field(
    saved: &mut SavedProject,
    name: &str,
    parent: &str,
    json: &str,
) -> Result<(), SnapshotError> {
    match name {
        "tokens_sha256" => {
            saved.tokens_sha256 = read_at(parent, json)?;
            check_digests(&saved.tokens_sha256, |_| parent.to_owned())?;
        }
        "drawn" => saved.drawn = read_at(parent, json)?,
        "faults" => saved.faults = read_at(parent, json)?,
        _ => return Err(SnapshotError::new(format!("{parent}: unknown field `{name}`"))),
    }
    Ok(())
}

/// Reads a value. What is wrong with it is told with its place below `parent`.
fn read_at<T: DeserializeOwned>(parent: &str, json: &str) -> Result<T, SnapshotError> {
    read_json(json).map_err(|invalid| below(parent, &invalid))
}

fn below(parent: &str, invalid: &Invalid) -> SnapshotError {
    let violation = &invalid.violations()[0];
    let field = &violation.field;
    let separator = if field.is_empty() || field.starts_with('[') { "" } else { "." };
    SnapshotError::new(format!("{parent}{separator}{field}: {}", violation.rule))
}

fn check_digests<'a>(
    digests: impl IntoIterator<Item = &'a String>,
    place: impl Fn(usize) -> String,
) -> Result<(), SnapshotError> {
    match digests.into_iter().position(|digest| parse_digest(digest).is_none()) {
        None => Ok(()),
        Some(wrong) => {
            let place = place(wrong);
            Err(SnapshotError::new(format!("{place}: must have 64 hexadecimal digits")))
        }
    }
}
