//! The projects of a mock: their records and their sequences of draws.

use std::collections::HashMap;
use std::ops::Range;
use std::time::SystemTime;

use fabric_model::{ApiError, Failure, Invalid, ProjectId, Resource, ResourceInfo};
use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use serde_json::{Value, json};

use crate::api::callers::DEFAULT_PROJECT;
use crate::mock::behaviour::Behaviour;
use crate::mock::fault::rule::Write;
use crate::mock::owners::{Owners, add_owner, owner_of};
use crate::mock::random::Draws;
use crate::mock::table::answers::AnyAnswers;
use crate::mock::table::{Learned, Making, Record, Table};
use crate::mock::tables::Tables;

/// The records of a project, and its sequences of draws.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) tables: Tables,
    pub(crate) draws: Draws,
    /// For faults in the header of a call.
    pub(crate) header_draws: Draws,
}

impl Project {
    pub(crate) fn new(seed: u64, id: &ProjectId, first: &Tables) -> Self {
        Self {
            tables: first.clone(),
            draws: Draws::new(seed, &["project", id.as_str()]),
            header_draws: Draws::new(seed, &["header", id.as_str()]),
        }
    }

    /// The records of a kind, to be changed.
    pub(crate) fn table<R: Record>(&mut self) -> &mut Table<R> {
        self.tables.of_mut()
    }

    /// The records of a kind, to be read.
    pub(crate) fn records<R: Record>(&self) -> &Table<R> {
        self.tables.of()
    }

    /// An id that no record of a kind has.
    pub(crate) fn new_id<R: Record>(&mut self, now: SystemTime) -> String {
        loop {
            let id = self.draws.uuid().to_string();
            if self.records::<R>().get(&id, now).is_none() {
                return id;
            }
        }
    }

    /// Whether the record that owns others is there.
    ///
    /// # Errors
    ///
    /// 404, if it is not.
    pub(crate) fn owner<R: Record>(&self, id: &str, now: SystemTime) -> Result<(), ApiError> {
        let owner = self.records::<R>().get(id, now);
        owner.map(drop).ok_or_else(|| Failure::NotFound.into())
    }

    /// Deletes a record with all that it owns; `false` if there is none.
    pub(crate) fn remove<R: Record>(&mut self, id: &str, now: SystemTime) -> bool {
        self.tables.remove(R::Resource::INFO, id, now)
    }

    /// Adds or changes a record as another service answered it. An answer that is invalid is ignored.
    pub(crate) fn observe<R: Record>(
        &mut self,
        answer: <R::Resource as Resource>::Answer,
        owners: &Owners,
        behaviour: &Behaviour,
        now: SystemTime,
    ) {
        let of = R::Resource::INFO;
        let mut owners = owners.clone();
        if of.owner_in_answer.is_some() {
            add_owner(of, &serde_json::to_value(&answer).unwrap_or_default(), &mut owners);
        }
        let Ok(owner) = self.adopt(of, &owners, behaviour, now) else { return };
        let mut making = Making { owner: &owner, draws: &mut self.draws, behaviour, now };
        let table = self.tables.of_mut::<R>();
        let Ok(learned) = table.learn(answer, &mut making) else { return };
        let _ = self.learn_owned(R::Resource::INFO, learned, &owners, behaviour, now);
    }

    /// Adds or changes records as fixtures say.
    ///
    /// # Errors
    ///
    /// An answer that is invalid, or an owner that is missing.
    pub(crate) fn learn_all(
        &mut self,
        of: &ResourceInfo,
        answers: &dyn AnyAnswers,
        range: Range<usize>,
        owners: &Owners,
        behaviour: &Behaviour,
        now: SystemTime,
    ) -> Result<(), Invalid> {
        let owner = self.adopt(of, owners, behaviour, now)?;
        let Some(table) = self.tables.named_mut(of.name) else { return Ok(()) };
        let mut making = Making { owner: &owner, draws: &mut self.draws, behaviour, now };
        if answers.fill(table.as_any_mut(), range.clone(), &mut making)? {
            return Ok(());
        }
        for place in range {
            let mut making = Making { owner: &owner, draws: &mut self.draws, behaviour, now };
            let Some(table) = self.tables.named_mut(of.name) else { return Ok(()) };
            let learned = answers.teach(table.as_any_mut(), place, &mut making)?;
            self.learn_owned(of, learned, owners, behaviour, now)?;
        }
        Ok(())
    }

    /// Adds or changes a record as an answer in JSON says.
    ///
    /// # Errors
    ///
    /// An answer that is invalid, or an owner that is missing.
    pub(crate) fn learn_json(
        &mut self,
        of: &ResourceInfo,
        answer: Value,
        owners: &Owners,
        behaviour: &Behaviour,
        now: SystemTime,
    ) -> Result<(), Invalid> {
        let owner = self.adopt(of, owners, behaviour, now)?;
        let mut making = Making { owner: &owner, draws: &mut self.draws, behaviour, now };
        let Some(table) = self.tables.named_mut(of.name) else { return Ok(()) };
        let learned = table.learn_json(answer, &mut making)?;
        self.learn_owned(of, learned, owners, behaviour, now)
    }

    /// Adds or changes the records that a record owns and of which an answer about it told.
    fn learn_owned(
        &mut self,
        owner: &ResourceInfo,
        learned: Learned,
        owners: &Owners,
        behaviour: &Behaviour,
        now: SystemTime,
    ) -> Result<(), Invalid> {
        if learned.owned.is_empty() {
            return Ok(());
        }
        let mut owners = owners.clone();
        owners.extend(owner.id_parameter.map(|parameter| (parameter.to_owned(), learned.id)));
        for (of, answer) in learned.owned {
            self.learn_json(of, answer, &owners, behaviour, now)?;
        }
        Ok(())
    }

    /// The owner of a new record, which is made if it is not there.
    fn adopt(
        &mut self,
        of: &ResourceInfo,
        owners: &Owners,
        behaviour: &Behaviour,
        now: SystemTime,
    ) -> Result<String, Invalid> {
        let Some(owner) = of.owner else { return Ok(String::new()) };
        let id = owner_of(of, owners)?;
        if !self.tables.named(owner.name).is_some_and(|table| table.has(id, now)) {
            self.learn_json(owner, json!({ "id": id }), owners, behaviour, now)?;
        }
        Ok(id.to_owned())
    }
}

/// All projects.
#[derive(Debug)]
pub(crate) struct Projects {
    pub(crate) behaviour: Behaviour,
    /// The most projects, besides the default one.
    pub(crate) most: usize,
    /// Held, to be written, by whatever changes more than one project, or faults, clocks and tokens too: no call
    /// then sees the half of it.
    live: RwLock<Live>,
}

/// The projects as they are now.
#[derive(Debug)]
pub(crate) struct Live {
    /// What ids and draws follow from.
    pub(crate) seed: u64,
    /// How many projects were given an id.
    pub(crate) projects_made: u64,
    /// What a new project begins with.
    pub(crate) first: Tables,
    pub(crate) projects: HashMap<ProjectId, Mutex<Project>, foldhash::fast::RandomState>,
    /// For faults in the header of calls in projects that are not there.
    header_draws: Mutex<Draws>,
}

impl Live {
    pub(crate) fn new(
        seed: u64,
        projects_made: u64,
        first: Tables,
        projects: HashMap<ProjectId, Project>,
    ) -> Self {
        let projects = projects.into_iter().map(|(id, project)| (id, Mutex::new(project)));
        let header_draws = Mutex::new(Draws::new(seed, &["header"]));
        Self { seed, projects_made, first, projects: projects.collect(), header_draws }
    }

    /// Whether a project may be added, where there may be so many besides the default one.
    pub(crate) fn has_room(&self, id: &ProjectId, most: usize) -> bool {
        let others = self.projects.len() - usize::from(self.projects.contains_key(DEFAULT_PROJECT));
        others < most || id.as_str() == DEFAULT_PROJECT
    }

    /// A new project.
    pub(crate) fn new_project(&self, id: &ProjectId) -> Project {
        Project::new(self.seed, id, &self.first)
    }
}

impl Projects {
    pub(crate) fn new(behaviour: Behaviour, most: usize, live: Live) -> Self {
        Self { behaviour, most, live: RwLock::new(live) }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Live> {
        self.live.read()
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Live> {
        self.live.write()
    }

    /// Runs `act` on a project. If the write is discarded, the records are afterwards as they were.
    pub(crate) fn with<T>(
        &self,
        id: &ProjectId,
        write: Write,
        act: impl FnOnce(&mut Project) -> T,
    ) -> T {
        let live = self.live.read();
        let Some(project) = live.projects.get(id) else {
            // There is nothing in it that could be changed.
            return act(&mut live.new_project(id));
        };
        let mut project = project.lock();
        if write == Write::Kept {
            return act(&mut project);
        }
        let before = project.tables.clone();
        let result = act(&mut project);
        project.tables = before;
        result
    }

    /// A copy of a project, to be looked at while calls go on.
    pub(crate) fn copy_of(&self, id: &ProjectId, now: SystemTime) -> Project {
        let live = self.live.read();
        let Some(project) = live.projects.get(id) else { return live.new_project(id) };
        let mut project = project.lock();
        project.tables.remove_gone(now);
        project.clone()
    }

    /// Runs `act` on a project that need not be there yet. It is there afterwards if something is kept in it.
    ///
    /// # Errors
    ///
    /// Those of `act`; 429 if there are as many projects as there may be.
    pub(crate) fn with_new<T>(
        &self,
        id: &ProjectId,
        write: Write,
        act: impl FnOnce(&mut Project) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        if self.live.read().projects.contains_key(id) {
            return self.with(id, write, act);
        }
        let mut live = self.live.write();
        if live.projects.contains_key(id) {
            // Another call was sooner.
            drop(live);
            return self.with(id, write, act);
        }
        let mut project = live.new_project(id);
        let done = act(&mut project)?;
        if write == Write::Kept && !project.tables.is_same(&live.first) {
            if !live.has_room(id, self.most) {
                let message =
                    format!("The quota of projects of the server, {}, has been reached", self.most);
                return Err(ApiError::saying(Failure::Throttled, &message));
            }
            live.projects.insert(id.clone(), Mutex::new(project));
        }
        Ok(done)
    }

    /// The next number for a call in a project that brings its own fault.
    pub(crate) fn draw_for_header(&self, id: &ProjectId) -> u64 {
        let live = self.live.read();
        match live.projects.get(id) {
            Some(project) => project.lock().header_draws.u64(),
            None => live.header_draws.lock().u64(),
        }
    }
}
