//! All state of a mock at a moment.

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use fabric_model::ProjectId;

use crate::api::callers::default_project;
use crate::api::clock::Readings;
use crate::api::issued::Tokens;
use crate::api::time;
use crate::mock::behaviour::Behaviour;
use crate::mock::fault::FaultSet;
use crate::mock::fixtures::{Batch, Fixtures};
use crate::mock::identity::accounts::Accounts;
use crate::mock::projects::Project;
use crate::mock::service::resources;
use crate::mock::tables::Tables;

/// All state of a mock at a moment. A copy costs as much as there are projects, whatever is in them.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) seed: u64,
    pub(crate) projects_made: u64,
    /// What a new project begins with.
    pub(crate) first: Tables,
    pub(crate) projects: HashMap<ProjectId, Project>,
    pub(crate) faults: FaultSet,
    pub(crate) clocks: Readings,
    /// What each token is good for, by its SHA-256.
    pub(crate) tokens: Tokens,
    /// The users and the names of projects that were added.
    pub(crate) accounts: Accounts,
}

impl State {
    /// The same with records from fixtures, which were checked when they were read.
    pub(crate) fn with(mut self, fixtures: &Fixtures, behaviour: &Behaviour) -> Self {
        let Self { seed, first, projects, clocks, .. } = &mut self;
        let mut replaced = HashSet::new();
        // What every project begins with comes before projects are made.
        let (of_all, of_projects): (Vec<_>, Vec<_>) =
            fixtures.batches.iter().partition(|batch| batch.project.is_none());
        let mut every = Project::new(*seed, &default_project(), first);
        fixtures.emptied.iter().for_each(|name| every.tables.clear(name));
        for batch in of_all {
            if replaced.insert((None, batch.resource.name)) {
                every.tables.clear(batch.resource.name);
            }
            put(&mut every, batch, behaviour, SystemTime::UNIX_EPOCH);
        }
        *first = every.tables;
        let catalogues: Vec<_> = resources()
            .iter()
            .filter(|resource| resource.is_catalogue)
            .map(|resource| resource.info.name)
            .collect();
        for batch in of_projects {
            let Some(id) = &batch.project else { continue };
            let now = time::whole_milliseconds(clocks.time(Some(id)));
            let project =
                projects.entry(id.clone()).or_insert_with(|| Project::new(*seed, id, first));
            let is_first = replaced.insert((Some(id), batch.resource.name));
            if is_first && catalogues.contains(&batch.resource.name) {
                project.tables.clear(batch.resource.name);
            }
            put(project, batch, behaviour, now);
        }
        self
    }
}

fn put(project: &mut Project, batch: &Batch, behaviour: &Behaviour, now: SystemTime) {
    let Batch { resource, owners, answers, range, .. } = batch;
    let learned = project.learn_all(resource, &**answers, range.clone(), owners, behaviour, now);
    if let Err(invalid) = learned {
        let resource = resource.name;
        tracing::error!(resource, %invalid, "a fixture that was checked does not fit");
    }
}
