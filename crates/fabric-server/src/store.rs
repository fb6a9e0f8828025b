//! Where state lives: the records of a project, in memory, of which a copy costs nothing.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fabric_model::AccessClientId;
use fabric_model::access_client::{AccessClient, AccessClientStatus, AccessConnection};
use imbl::{HashMap, OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use crate::time;

/// What is kept of an access client: times, from which its status follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub(crate) id: AccessClientId,
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) vpc_id: Option<String>,
    pub(crate) subnet_ids: Vec<String>,
    pub(crate) access_connections: Vec<AccessConnection>,
    /// In whole milliseconds, since that is what callers see and lists are sorted by.
    #[serde(with = "time")]
    pub(crate) created_at: SystemTime,
    #[serde(with = "time")]
    pub(crate) running_from: SystemTime,
    #[serde(with = "time::optional", default, skip_serializing_if = "Option::is_none")]
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
            create_time: Some(time::write(self.created_at)),
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

/// Newest first, then by id.
type Place = (Reverse<SystemTime>, AccessClientId);

/// The records of a project. Each call sees those that are not gone at `now`.
///
/// Copies share what has not changed since: a project is forked, and a write tried and taken back, in
/// the same time whatever its size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    by_place: OrdMap<Place, Arc<Record>>,
    places: HashMap<AccessClientId, Place>,
    leaving: OrdSet<(SystemTime, Place)>,
}

impl Records {
    /// Adds a record; `false` if there is one of the same id.
    pub(crate) fn insert(&mut self, record: Record, now: SystemTime) -> bool {
        self.forget_gone(now);
        if self.places.contains_key(&record.id) {
            return false;
        }
        let place = (Reverse(record.created_at), record.id.clone());
        if let Some(gone) = record.gone_from {
            self.leaving.insert((gone, place.clone()));
        }
        self.places.insert(record.id.clone(), place.clone());
        self.by_place.insert(place, Arc::new(record));
        true
    }

    /// A record, if there is one.
    pub(crate) fn get(&mut self, id: &AccessClientId, now: SystemTime) -> Option<&Record> {
        self.forget_gone(now);
        self.by_place.get(self.places.get(id)?).map(Arc::as_ref)
    }

    /// A record, to be changed. Its place in lists stays.
    pub(crate) fn get_mut(&mut self, id: &AccessClientId, now: SystemTime) -> Option<&mut Record> {
        self.forget_gone(now);
        self.by_place.get_mut(self.places.get(id)?).map(Arc::make_mut)
    }

    /// Marks a record as gone `after` a while, unless it is marked already; `false` if there is none.
    pub(crate) fn remove(&mut self, id: &AccessClientId, now: SystemTime, after: Duration) -> bool {
        let Some(record) = self.get_mut(id, now) else { return false };
        if record.gone_from.is_none() {
            let gone = time::later(now, after);
            record.gone_from = Some(gone);
            let place = (Reverse(record.created_at), record.id.clone());
            self.leaving.insert((gone, place));
        }
        true
    }

    /// Takes a record out at once.
    #[cfg(feature = "record")]
    pub(crate) fn take(&mut self, id: &AccessClientId, now: SystemTime) {
        self.remove(id, now, Duration::ZERO);
        self.forget_gone(now);
    }

    /// A page of records as they are answered, and how many match on all pages.
    pub(crate) fn page(
        &mut self,
        filter: Filter<'_>,
        offset: usize,
        limit: usize,
        now: SystemTime,
    ) -> (Vec<AccessClient>, usize) {
        self.forget_gone(now);
        let answer = |record: &Arc<Record>| record.answer(now);
        if filter.name.is_none() && filter.id.is_none() {
            let page = self.by_place.values().skip(offset).take(limit).map(answer);
            return (page.collect(), self.by_place.len());
        }
        let is_match = |record: &&Arc<Record>| {
            filter.id.is_none_or(|id| record.id == *id)
                && filter.name.is_none_or(|part| record.name.contains(part))
        };
        let matches = || self.by_place.values().filter(is_match);
        (matches().skip(offset).take(limit).map(answer).collect(), matches().count())
    }

    /// How many there are.
    pub(crate) fn count(&mut self, now: SystemTime) -> usize {
        self.forget_gone(now);
        self.by_place.len()
    }

    /// Every record, newest first, also those that are gone and have not been met since.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.by_place.values().map(Arc::as_ref)
    }

    fn forget_gone(&mut self, now: SystemTime) {
        while self.leaving.get_min().is_some_and(|(gone, _)| *gone <= now) {
            let Some((_, place)) = self.leaving.remove_min() else { return };
            self.places.remove(&place.1);
            self.by_place.remove(&place);
        }
    }
}
