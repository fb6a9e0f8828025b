//! Where state lives: records by project, in memory.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, SystemTime};

use fabric_model::access_client::{AccessClient, AccessClientStatus, AccessConnection};
use fabric_model::{AccessClientId, ProjectId};
use parking_lot::Mutex;

/// What is kept of an access client: times, from which its status follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) id: AccessClientId,
    pub(crate) name: String,
    pub(crate) vpc_id: Option<String>,
    pub(crate) subnet_ids: Vec<String>,
    pub(crate) access_connections: Vec<AccessConnection>,
    /// In whole milliseconds, since that is what callers see and lists are sorted by.
    pub(crate) created_at: SystemTime,
    pub(crate) running_from: SystemTime,
    pub(crate) gone_from: Option<SystemTime>,
}

impl Record {
    /// Where the access client is in its life at a time.
    pub(crate) fn status(&self, now: SystemTime) -> AccessClientStatus {
        match self.gone_from {
            Some(gone) if gone <= now => AccessClientStatus::Deleted,
            Some(_) => AccessClientStatus::Deleting,
            None if self.running_from <= now => AccessClientStatus::Running,
            None => AccessClientStatus::Creating,
        }
    }

    /// The access client as it is answered at a time.
    pub(crate) fn answer(&self, now: SystemTime) -> AccessClient {
        AccessClient {
            id: Some(self.id.to_string()),
            name: Some(self.name.clone()),
            status: Some(self.status(now)),
            vpc_id: self.vpc_id.clone(),
            subnet_ids: self.subnet_ids.clone(),
            access_connections: self.access_connections.clone(),
            create_time: Some(humantime::format_rfc3339_millis(self.created_at).to_string()),
        }
    }
}

/// Which records of a project a list is about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Filter<'a> {
    /// A part of the name.
    pub(crate) name: Option<&'a str>,
    /// The whole id.
    pub(crate) id: Option<&'a AccessClientId>,
}

/// All records, in memory. Each call sees the records that are not gone at `now`.
#[derive(Debug, Default)]
pub(crate) struct Store {
    projects: Mutex<HashMap<ProjectId, Project>>,
}

/// Newest first, then by id.
type Place = (Reverse<SystemTime>, AccessClientId);

#[derive(Debug, Default)]
struct Project {
    records: BTreeMap<Place, Record>,
    places: HashMap<AccessClientId, Place>,
    leaving: BTreeSet<(SystemTime, Place)>,
}

impl Store {
    /// Adds a record; `false` if its project has one of the same id.
    pub(crate) fn insert(&self, project: &ProjectId, record: Record) -> bool {
        let mut projects = self.projects.lock();
        let project = projects.entry(project.clone()).or_default();
        if project.places.contains_key(&record.id) {
            return false;
        }
        let place = (Reverse(record.created_at), record.id.clone());
        project.leaving.extend(record.gone_from.map(|gone| (gone, place.clone())));
        project.places.insert(record.id.clone(), place.clone());
        project.records.insert(place, record);
        true
    }

    /// Shows `act` a record, if there is one.
    pub(crate) fn read<T>(
        &self,
        project: &ProjectId,
        id: &AccessClientId,
        now: SystemTime,
        act: impl FnOnce(&Record) -> T,
    ) -> Option<T> {
        self.in_project(project, now, |project| {
            project.records.get(project.places.get(id)?).map(act)
        })
        .flatten()
    }

    /// Has `act` change a record, if there is one. Its place in lists stays.
    pub(crate) fn change<T>(
        &self,
        project: &ProjectId,
        id: &AccessClientId,
        now: SystemTime,
        act: impl FnOnce(&mut Record) -> T,
    ) -> Option<T> {
        self.in_project(project, now, |project| {
            project.records.get_mut(project.places.get(id)?).map(act)
        })
        .flatten()
    }

    /// Marks a record as gone `after` a while, unless it is marked already; `false` if there is none.
    pub(crate) fn remove(
        &self,
        project: &ProjectId,
        id: &AccessClientId,
        now: SystemTime,
        after: Duration,
    ) -> bool {
        let removed = self.in_project(project, now, |project| {
            let place = project.places.get(id)?;
            let record = project.records.get_mut(place)?;
            if record.gone_from.is_none() {
                let gone = now + after;
                record.gone_from = Some(gone);
                project.leaving.insert((gone, place.clone()));
            }
            Some(())
        });
        removed.flatten().is_some()
    }

    /// A page of records as they are answered, and how many match on all pages.
    pub(crate) fn page(
        &self,
        project: &ProjectId,
        filter: Filter<'_>,
        offset: usize,
        limit: usize,
        now: SystemTime,
    ) -> (Vec<AccessClient>, usize) {
        let page = self.in_project(project, now, |project| {
            let answer = |record: &Record| record.answer(now);
            if filter.name.is_none() && filter.id.is_none() {
                let page = project.records.values().skip(offset).take(limit).map(answer);
                return (page.collect(), project.records.len());
            }
            let is_match = |record: &&Record| {
                filter.id.is_none_or(|id| record.id == *id)
                    && filter.name.is_none_or(|part| record.name.contains(part))
            };
            let matches = || project.records.values().filter(is_match);
            (matches().skip(offset).take(limit).map(answer).collect(), matches().count())
        });
        page.unwrap_or_default()
    }

    /// Runs `act` on a project from which what is gone has been taken, if it has any record.
    fn in_project<T>(
        &self,
        id: &ProjectId,
        now: SystemTime,
        act: impl FnOnce(&mut Project) -> T,
    ) -> Option<T> {
        let mut projects = self.projects.lock();
        let project = projects.get_mut(id)?;
        while let Some((_, place)) = project.leaving.first().filter(|(gone, _)| *gone <= now) {
            project.places.remove(&place.1);
            project.records.remove(place);
            project.leaving.pop_first();
        }
        if project.records.is_empty() {
            projects.remove(id);
            return None;
        }
        Some(act(project))
    }
}
