//! Makes a table of many records at once.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::mock::table::names::Names;
use crate::mock::table::tree::Tree;
use crate::mock::table::{Before, Key, Place, Record, Table, first_of, no_owner};

/// Makes a table of many records: what is sorted once is sooner there than what is put in its place one by one, and
/// nodes are full.
pub(crate) struct TableBuilder<R> {
    items: Vec<(Place, Arc<R>)>,
}

impl<R: Record> TableBuilder<R> {
    pub(crate) fn new() -> Self {
        Self { items: Vec::new() }
    }

    pub(crate) fn push(&mut self, record: R) {
        let last = self.items.last().map(|((owner, ..), _)| owner);
        let owner = match last {
            Some(last) if **last == *record.owner() => last.clone(),
            _ if record.owner().is_empty() => no_owner(),
            _ => record.owner().into(),
        };
        let place = (owner, Reverse(record.created_at()), record.id().into());
        self.items.push((place, Arc::new(record)));
    }

    /// The records in the order in which they came.
    pub(crate) fn into_records(self) -> impl Iterator<Item = Arc<R>> {
        self.items.into_iter().map(|(_, record)| record)
    }

    /// The table.
    ///
    /// # Errors
    ///
    /// The place of a record, and its id, which an earlier one has too.
    pub(crate) fn finish(mut self) -> Result<Table<R>, (usize, String)> {
        let by_id = self.items.iter().map(|((owner, created_at, id), _)| {
            ((first_of(id), id.clone()), (owner.clone(), *created_at))
        });
        let mut by_id: Vec<(Key, Before)> = by_id.collect();
        by_id.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        if let Some([(key, _), _]) = by_id.array_windows().find(|[one, other]| one.0 == other.0) {
            let place = self.items.iter().rposition(|((.., id), _)| *id == key.1);
            return Err((place.unwrap_or_default(), key.1.to_string()));
        }
        let by_id = Tree::of_sorted(by_id);
        let leaving = self.items.iter().filter_map(|(place, record)| {
            let gone = record.gone_from()?;
            Some(((gone, place.2.clone()), ()))
        });
        let mut leaving: Vec<_> = leaving.collect();
        leaving.sort_unstable();
        if !self.items.is_sorted_by(|(one, _), (other, _)| one <= other) {
            self.items.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        }
        let by_place: Tree<Place, Arc<R>, Names> = Tree::of_sorted(self.items);
        Ok(Table { by_place, by_id, leaving: Tree::of_sorted(leaving) })
    }
}
