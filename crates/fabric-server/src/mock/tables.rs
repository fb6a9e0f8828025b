//! The tables of a project, one for each resource that is registered.

use std::any::TypeId;
use std::fmt;
use std::time::SystemTime;

use fabric_model::{Invalid, Resource, ResourceInfo};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::mock::table::{AnyTable, Record, Table, read_records};

/// A resource that the mock serves.
#[derive(Clone, Copy)]
pub(crate) struct Registered {
    pub(crate) info: &'static ResourceInfo,
    record: TypeId,
    first: fn() -> Box<dyn AnyTable>,
    read: fn(&str) -> Result<Box<dyn AnyTable>, Invalid>,
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
            read: |json| Ok(Box::new(read_records::<R>(json)?)),
            is_catalogue: !R::catalogue().is_empty(),
        }
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Registered").field(&self.info.name).finish()
    }
}

/// A table for each registered resource, in their order. A copy costs as much as there are resources.
#[derive(Debug)]
pub(crate) struct Tables(Vec<Named>);

#[derive(Debug)]
struct Named {
    resource: Registered,
    table: Box<dyn AnyTable>,
}

impl Clone for Tables {
    fn clone(&self) -> Self {
        let copy =
            |Named { resource, table }: &Named| Named { resource: *resource, table: table.boxed() };
        Self(self.0.iter().map(copy).collect())
    }
}

impl Tables {
    /// What a project begins with.
    pub(crate) fn first(resources: &[Registered]) -> Self {
        let first =
            |resource: &Registered| Named { resource: *resource, table: (resource.first)() };
        Self(resources.iter().map(first).collect())
    }

    /// The table of a kind of record.
    ///
    /// # Panics
    ///
    /// When its resource is not registered.
    pub(crate) fn of<R: Record>(&mut self) -> &mut Table<R> {
        let wanted = TypeId::of::<R>();
        let named = self.0.iter_mut().find(|named| named.resource.record == wanted);
        named
            .and_then(|named| named.table.as_any_mut().downcast_mut())
            .expect("handlers use the tables of registered resources")
    }

    /// The table of a resource by its name.
    pub(crate) fn named(&mut self, name: &str) -> Option<&mut dyn AnyTable> {
        let named = self.0.iter_mut().find(|named| named.resource.info.name == name)?;
        Some(named.table.as_mut())
    }

    /// Deletes a record with all that it owns; `false` if there is none.
    pub(crate) fn remove(&mut self, of: &ResourceInfo, id: &str, now: SystemTime) -> bool {
        let is_known = self.named(of.name).is_some_and(|table| table.remove(id, now));
        let mut owners = vec![(of.name, id.to_owned())];
        while let Some((owner, id)) = owners.pop() {
            for Named { resource, table } in &mut self.0 {
                if resource.info.owner.is_some_and(|known| known.name == owner) {
                    let gone = table.remove_of(&id, now).into_iter();
                    owners.extend(gone.map(|id| (resource.info.name, id)));
                }
            }
        }
        is_known
    }

    /// A resource with records whose owner is not there, and that owner.
    pub(crate) fn orphans(&mut self) -> Option<(&'static ResourceInfo, String)> {
        let owned = self.0.iter().filter_map(|named| {
            let owner = named.resource.info.owner?;
            Some((named.resource.info, owner.name, named.table.owners()))
        });
        let owned: Vec<_> = owned.collect();
        owned.into_iter().find_map(|(info, owner, ids)| {
            let table = self.named(owner)?;
            // None of them goes while they are looked up.
            let missing = ids.iter().find(|id| !table.has(id, SystemTime::UNIX_EPOCH))?;
            Some((info, missing.to_string()))
        })
    }

    /// How many records of each resource an owner has, of those that it has any of.
    pub(crate) fn owned(
        &mut self,
        of: &ResourceInfo,
        id: &str,
        now: SystemTime,
    ) -> Vec<(&'static ResourceInfo, usize)> {
        let owned = self.0.iter_mut().filter_map(|Named { resource, table }| {
            let is_owned = resource.info.owner.is_some_and(|owner| owner.name == of.name);
            let count = if is_owned { table.count_of(id, now) } else { 0 };
            (count > 0).then_some((resource.info, count))
        });
        owned.collect()
    }

    /// How many records each resource has.
    pub(crate) fn counts(&mut self, now: SystemTime) -> Vec<(&'static str, usize)> {
        self.0.iter_mut().map(|named| (named.resource.info.name, named.table.count(now))).collect()
    }

    /// Empties the table of a resource.
    pub(crate) fn clear(&mut self, name: &str) {
        if let Some(named) = self.0.iter_mut().find(|named| named.resource.info.name == name) {
            // No list has no records but an empty one.
            if let Ok(empty) = (named.resource.read)("[]") {
                named.table = empty;
            }
        }
    }

    /// Replaces the table of a resource by one read from JSON; `Ok(false)` if there is no such resource.
    pub(crate) fn read(&mut self, name: &str, json: &str) -> Result<bool, Invalid> {
        let Some(named) = self.0.iter_mut().find(|named| named.resource.info.name == name) else {
            return Ok(false);
        };
        named.table = (named.resource.read)(json)?;
        Ok(true)
    }
}

/// The records of each resource by its name.
impl Serialize for Tables {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for Named { resource, table } in &self.0 {
            map.serialize_entry(resource.info.name, &*table.records())?;
        }
        map.end()
    }
}
