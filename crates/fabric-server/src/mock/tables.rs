//! The tables of a project, one for each resource that is registered.

use std::any::TypeId;
use std::fmt;
use std::slice;
use std::sync::Arc;
use std::time::SystemTime;

use fabric_model::{Resource, ResourceInfo};

use crate::mock::table::answers::{AnswerReader, ReadAnswers};
use crate::mock::table::erased::AnyTable;
use crate::mock::table::saved::{ReadRecords, RecordReader};
use crate::mock::table::{Record, Table};

/// A resource that the mock serves.
pub(crate) struct Registered {
    pub(crate) info: &'static ResourceInfo,
    record: TypeId,
    first: fn() -> Box<dyn AnyTable>,
    empty: fn() -> Box<dyn AnyTable>,
    saved: fn() -> Box<dyn ReadRecords>,
    reader: fn() -> Box<dyn ReadAnswers>,
    /// Whether every project begins with records of it.
    pub(crate) is_catalogue: bool,
}

impl Registered {
    /// The resource of a record.
    pub(crate) fn of<R: Record>() -> Self {
        Self {
            info: R::Resource::INFO,
            record: TypeId::of::<R>(),
            first: || {
                let mut table = Table::<R>::default();
                for record in R::catalogue() {
                    table.insert(record, SystemTime::UNIX_EPOCH);
                }
                Box::new(table)
            },
            empty: || Box::new(Table::<R>::default()),
            saved: || Box::new(RecordReader::<R>::new()),
            reader: || Box::new(AnswerReader::<R>::new()),
            is_catalogue: !R::catalogue().is_empty(),
        }
    }
}

impl Registered {
    /// Reads its records, as snapshots have them.
    pub(crate) fn saved(&self) -> Box<dyn ReadRecords> {
        (self.saved)()
    }

    /// Reads answers about its records, as fixtures have them.
    pub(crate) fn reader(&self) -> Box<dyn ReadAnswers> {
        (self.reader)()
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Registered").field(&self.info.name).finish()
    }
}

/// A table for each registered resource, in their order. A copy costs nothing; the first change to one of two copies
/// costs as much as there are resources.
#[derive(Clone, Debug)]
pub(crate) struct Tables(Arc<Vec<Named>>);

#[derive(Debug)]
struct Named {
    resource: &'static Registered,
    table: Box<dyn AnyTable>,
}

impl Clone for Named {
    fn clone(&self) -> Self {
        Self { resource: self.resource, table: self.table.boxed() }
    }
}

impl Tables {
    /// What a project begins with.
    pub(crate) fn first(resources: &'static [Registered]) -> Self {
        let first = |resource: &'static Registered| Named { resource, table: (resource.first)() };
        Self(Arc::new(resources.iter().map(first).collect()))
    }

    /// The table of a kind of record, to be changed.
    ///
    /// # Panics
    ///
    /// When its resource is not registered.
    pub(crate) fn of_mut<R: Record>(&mut self) -> &mut Table<R> {
        let wanted = TypeId::of::<R>();
        let named = self.all_mut().find(|named| named.resource.record == wanted);
        named.and_then(|named| named.table.as_any_mut().downcast_mut()).expect(UNREGISTERED)
    }

    /// The table of a kind of record, to be read.
    ///
    /// # Panics
    ///
    /// When its resource is not registered.
    pub(crate) fn of<R: Record>(&self) -> &Table<R> {
        let wanted = TypeId::of::<R>();
        let named = self.0.iter().find(|named| named.resource.record == wanted);
        named.and_then(|named| named.table.as_any().downcast_ref()).expect(UNREGISTERED)
    }

    /// The table of a resource by its name, to be changed.
    pub(crate) fn named_mut(&mut self, name: &str) -> Option<&mut dyn AnyTable> {
        let named = self.all_mut().find(|named| named.resource.info.name == name)?;
        Some(named.table.as_mut())
    }

    /// The table of a resource by its name, to be read.
    pub(crate) fn named(&self, name: &str) -> Option<&dyn AnyTable> {
        let named = self.0.iter().find(|named| named.resource.info.name == name)?;
        Some(named.table.as_ref())
    }

    fn all_mut(&mut self) -> slice::IterMut<'_, Named> {
        Arc::make_mut(&mut self.0).iter_mut()
    }

    /// Whether nothing has changed in either of two copies.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// How many records there are, of all resources.
    pub(crate) fn len(&self, now: SystemTime) -> usize {
        self.0.iter().map(|named| named.table.count(now)).sum()
    }

    /// Drops records that are gone.
    pub(crate) fn remove_gone(&mut self, now: SystemTime) {
        if self.0.iter().any(|named| named.table.has_gone(now)) {
            self.all_mut().for_each(|named| named.table.remove_gone(now));
        }
    }

    /// Deletes a record with all that it owns; `false` if there is none.
    pub(crate) fn remove(&mut self, of: &ResourceInfo, id: &str, now: SystemTime) -> bool {
        let is_known = self.named_mut(of.name).is_some_and(|table| table.remove(id, now));
        let mut owners = vec![(of.name, id.to_owned())];
        while let Some((owner, id)) = owners.pop() {
            for Named { resource, table } in self.all_mut() {
                if resource.info.owner.is_some_and(|known| known.name == owner) {
                    let gone = table.remove_of(&id, now).into_iter();
                    owners.extend(gone.map(|id| (resource.info.name, id)));
                }
            }
        }
        is_known
    }

    /// A resource with records whose owner is not there, and that owner.
    pub(crate) fn orphans(&self) -> Option<(&'static ResourceInfo, String)> {
        self.0.iter().find_map(|Named { resource, table }| {
            let owners = self.named(resource.info.owner?.name)?;
            // None of them goes while they are looked up.
            let is_missing = |id: &&str| !owners.has(id, SystemTime::UNIX_EPOCH);
            let missing = table.owners().into_iter().find(is_missing)?;
            Some((resource.info, missing.to_owned()))
        })
    }

    /// How many records of each resource an owner has, of those that it has any of.
    pub(crate) fn owned(
        &self,
        of: &ResourceInfo,
        id: &str,
        now: SystemTime,
    ) -> Vec<(&'static ResourceInfo, usize)> {
        let owned = self.0.iter().filter_map(|Named { resource, table }| {
            let is_owned = resource.info.owner.is_some_and(|owner| owner.name == of.name);
            let count = if is_owned { table.count_of(id, now) } else { 0 };
            (count > 0).then_some((resource.info, count))
        });
        owned.collect()
    }

    /// How many records each resource has.
    pub(crate) fn counts(&self, now: SystemTime) -> Vec<(&'static str, usize)> {
        self.0.iter().map(|named| (named.resource.info.name, named.table.count(now))).collect()
    }

    /// Empties the table of a resource.
    pub(crate) fn clear(&mut self, name: &str) {
        if let Some(named) = self.all_mut().find(|named| named.resource.info.name == name) {
            named.table = (named.resource.empty)();
        }
    }

    /// Replaces the table of a resource.
    pub(crate) fn replace(&mut self, name: &str, table: Box<dyn AnyTable>) {
        if let Some(named) = self.all_mut().find(|named| named.resource.info.name == name) {
            named.table = table;
        }
    }

    /// The table of each resource, with its name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &dyn AnyTable)> {
        self.0.iter().map(|named| (named.resource.info.name, &*named.table))
    }
}

const UNREGISTERED: &str = "handlers use the tables of registered resources";
