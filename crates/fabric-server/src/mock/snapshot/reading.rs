//! Reads a snapshot of any version as it comes, a record at a time.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader};

use fabric_model::{Invalid, ProjectId};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, IgnoredAny};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::api::clock::Readings;
use crate::mock::identity::accounts::SavedAccounts;
use crate::mock::service::resources;
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

/// Reads a snapshot.
pub(super) fn read(mut json: impl BufRead) -> Result<Read, SnapshotError> {
    const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
    if json.fill_buf().is_ok_and(|start| start.starts_with(BYTE_ORDER_MARK)) {
        json.consume(BYTE_ORDER_MARK.len());
    }
    let mut reading = Reading::default();
    // A buffer of the standard library is read a byte at a time sooner than another.
    let json = BufReader::with_capacity(64 * 1024, json);
    let mut deserializer = serde_json::Deserializer::from_reader(json);
    let read = deserializer.deserialize_map(&mut reading).and_then(|()| deserializer.end());
    // Of a later version nothing else need be as it is here.
    match (reading.version, reading.problem, read) {
        (Some(version), ..) if !(1..=VERSION).contains(&version) => {
            return Err(SnapshotError(format!(
                "version: {version} is not known here, only 1 to {VERSION}; it was written by another version of \
                 this program"
            )));
        }
        (Some(_), Some(problem), _) => return Err(problem),
        (_, None, Err(error)) => {
            return Err(SnapshotError(format!("not a whole JSON object: {error}")));
        }
        (None, ..) => return Err(SnapshotError("version: must be given".to_owned())),
        (Some(_), None, Ok(())) => {}
    }
    fn given<T>(field: &str, value: Option<T>) -> Result<T, SnapshotError> {
        value.ok_or_else(|| SnapshotError(format!("{field}: must be given")))
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

/// What has been read so far.
#[derive(Default)]
struct Reading {
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
    /// Remembers what is wrong, unless something was before.
    fn check(&mut self, result: Result<(), SnapshotError>) {
        if let Err(problem) = result {
            self.problem.get_or_insert(problem);
        }
    }

    /// Stops when it is known what to answer: that something is wrong, and of which version it is.
    fn go_on<E: Error>(&self) -> Result<(), E> {
        match (&self.version, &self.problem) {
            (Some(_), Some(SnapshotError(problem))) => Err(E::custom(problem)),
            _ => Ok(()),
        }
    }

    fn field(&mut self, name: &str, json: &RawValue) -> Result<(), SnapshotError> {
        match name {
            "version" => {
                let version = read_at(name, json)?;
                self.version = Some(version);
                if !(1..=VERSION).contains(&version) {
                    return Err(SnapshotError("version: is not known here".to_owned()));
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
            _ => return Err(SnapshotError(format!("{name}: unknown field `{name}`"))),
        }
        Ok(())
    }

    /// The table of a resource in a project that was read before.
    fn table_of(&self, project: &str, resource: &Registered) -> Option<&dyn AnyTable> {
        let project = self.projects.as_ref()?.get(project)?;
        project.tables.as_ref()?.named(resource.info.name)
    }
}

/// Reads a value. What is wrong with it is told with its place below `parent`.
fn read_at<T: DeserializeOwned>(parent: &str, json: &RawValue) -> Result<T, SnapshotError> {
    read_json(json.get()).map_err(|invalid| below(parent, &invalid))
}

fn below(parent: &str, invalid: &Invalid) -> SnapshotError {
    let violation = &invalid.violations()[0];
    let field = &violation.field;
    let separator = if field.is_empty() || field.starts_with('[') { "" } else { "." };
    SnapshotError(format!("{parent}{separator}{field}: {}", violation.rule))
}

fn check_digests<'a>(
    digests: impl IntoIterator<Item = &'a String>,
    place: impl Fn(usize) -> String,
) -> Result<(), SnapshotError> {
    match digests.into_iter().position(|digest| parse_digest(digest).is_none()) {
        None => Ok(()),
        Some(wrong) => {
            let place = place(wrong);
            Err(SnapshotError(format!("{place}: must have 64 hexadecimal digits")))
        }
    }
}

impl<'de> Visitor<'de> for &mut Reading {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a snapshot")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if name == "projects" {
                self.projects = Some(BTreeMap::new());
                map.next_value_seed(Projects(self))?;
            } else {
                let json: Box<RawValue> = map.next_value()?;
                let field = self.field(&name, &json);
                self.check(field);
            }
            self.go_on()?;
        }
        Ok(())
    }
}

/// Reads the projects.
struct Projects<'a>(&'a mut Reading);

impl<'de> DeserializeSeed<'de> for Projects<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Projects<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("projects by their ids")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(reading) = self;
        while let Some(name) = map.next_key::<String>()? {
            let mut project = ReadProject {
                parent: format!("projects.{name}"),
                saved: SavedProject::default(),
                is_there: false,
                reading,
            };
            map.next_value_seed(&mut project)?;
            let finished = project.finish(name);
            reading.check(finished);
            reading.go_on()?;
        }
        Ok(())
    }
}

/// Reads a project.
struct ReadProject<'a> {
    parent: String,
    saved: SavedProject,
    /// Whether it has had records.
    is_there: bool,
    reading: &'a mut Reading,
}

impl ReadProject<'_> {
    fn field(&mut self, name: &str, json: &RawValue) -> Result<(), SnapshotError> {
        let parent = format!("{}.{name}", self.parent);
        match name {
            "tokens_sha256" => {
                self.saved.tokens_sha256 = read_at(&parent, json)?;
                check_digests(&self.saved.tokens_sha256, |_| parent.clone())?;
            }
            "drawn" => self.saved.drawn = read_at(&parent, json)?,
            "faults" => self.saved.faults = read_at(&parent, json)?,
            // Of version 1: the state of a generator that is not used any more.
            "random" => self.is_there = true,
            _ => return Err(SnapshotError(format!("{parent}: unknown field `{name}`"))),
        }
        Ok(())
    }

    fn finish(self, name: String) -> Result<(), SnapshotError> {
        let Self { parent, mut saved, is_there, reading } = self;
        let id = ProjectId::try_from(name)
            .map_err(|invalid| below(&parent, &Invalid::new("", &invalid.violations()[0].rule)))?;
        if saved.faults.iter().any(|saved| saved.status.fault.when.project_id.as_ref() != Some(&id))
        {
            return Err(SnapshotError(format!("{parent}.faults: must be of this project")));
        }
        if saved.tables.is_none() && (is_there || saved.drawn.is_some()) {
            saved.tables = Some(Tables::first(resources()));
        }
        if let Some((info, owner)) = saved.tables.as_ref().and_then(Tables::orphans) {
            let parameter = info.owner.and_then(|owner| owner.id_parameter).unwrap_or_default();
            let table = format!("{parent}.tables.{}", info.name);
            return Err(SnapshotError(format!("{table}: there is no {parameter} {owner}")));
        }
        reading.projects.get_or_insert_default().insert(id, saved);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for &mut ReadProject<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut ReadProject<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a project")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "tables" => map.next_value_seed(ReadTables(self))?,
                // Version 1 has the records of the first resource only, in a field of the project.
                "access_clients" => {
                    let parent = format!("{}.access_clients", self.parent);
                    map.next_value_seed(ReadTable::new(parent, &resources()[0], self))?;
                }
                _ => {
                    let json: Box<RawValue> = map.next_value()?;
                    let field = self.field(&name, &json);
                    self.reading.check(field);
                }
            }
            self.reading.go_on()?;
        }
        Ok(())
    }
}

/// Reads the tables of a project.
struct ReadTables<'a, 'b>(&'a mut ReadProject<'b>);

impl<'de> DeserializeSeed<'de> for ReadTables<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ReadTables<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("tables by the names of their resources")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(project) = self;
        project.saved.tables.get_or_insert_with(|| Tables::first(resources()));
        while let Some(name) = map.next_key::<String>()? {
            let parent = format!("{}.tables.{name}", project.parent);
            match resources().iter().find(|resource| resource.info.name == name) {
                Some(resource) => map.next_value_seed(ReadTable::new(parent, resource, project))?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                    project.reading.check(Err(SnapshotError(format!("{parent}: is no resource"))));
                }
            }
            project.reading.go_on()?;
        }
        Ok(())
    }
}

/// Reads a table: a list of records, or what it has otherwise than that of a project before.
struct ReadTable<'a, 'b> {
    parent: String,
    resource: &'static Registered,
    records: Box<dyn ReadRecords>,
    project: &'a mut ReadProject<'b>,
}

impl<'a, 'b> ReadTable<'a, 'b> {
    fn new(
        parent: String,
        resource: &'static Registered,
        project: &'a mut ReadProject<'b>,
    ) -> Self {
        Self { parent, resource, records: resource.saved(), project }
    }

    fn finish(self, table: Result<Box<dyn AnyTable>, Invalid>) {
        match table {
            Ok(table) => {
                let tables = &mut self.project.saved.tables;
                let tables = tables.get_or_insert_with(|| Tables::first(resources()));
                tables.replace(self.resource.info.name, table);
            }
            Err(invalid) => self.project.reading.check(Err(below(&self.parent, &invalid))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for ReadTable<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadTable<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("records, or what is otherwise than in another project")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, records: A) -> Result<(), A::Error> {
        self.read(&self.parent.clone(), records)?;
        let empty = self.resource.saved();
        let table = std::mem::replace(&mut self.records, empty).finish();
        self.finish(table);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let (mut like, mut without) = (None, Vec::new());
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "like" => like = Some(map.next_value::<String>()?),
                "without" => without = map.next_value::<Vec<String>>()?,
                "records" => {
                    let parent = format!("{}.records", self.parent);
                    map.next_value_seed(ReadSome(&mut self, parent))?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    let reason = format!("{}.{name}: unknown field `{name}`", self.parent);
                    self.project.reading.check(Err(SnapshotError(reason)));
                }
            }
        }
        let empty = self.resource.saved();
        let records = std::mem::replace(&mut self.records, empty);
        let other = like.and_then(|like| self.project.reading.table_of(&like, self.resource));
        let table = match other {
            Some(other) => records.finish_as(other, &without),
            None => Err(Invalid::new("like", "must be a project that stands before this one")),
        };
        self.finish(table);
        Ok(())
    }
}

impl ReadTable<'_, '_> {
    fn read<'de, A: SeqAccess<'de>>(
        &mut self,
        parent: &str,
        mut records: A,
    ) -> Result<(), A::Error> {
        let mut place = 0;
        while let Some(json) = records.next_element::<Box<RawValue>>()? {
            if let Err(invalid) = self.records.read(json.get()) {
                let reading = &mut self.project.reading;
                reading.check(Err(below(&format!("{parent}[{place}]"), &invalid)));
                reading.go_on()?;
            }
            place += 1;
        }
        Ok(())
    }
}

/// Reads the records of a table that is like another.
struct ReadSome<'a, 'b, 'c>(&'a mut ReadTable<'b, 'c>, String);

impl<'de> DeserializeSeed<'de> for ReadSome<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ReadSome<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, records: A) -> Result<(), A::Error> {
        self.0.read(&self.1, records)
    }
}
