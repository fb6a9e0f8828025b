//! The order of lists that callers can have sorted.

use std::cmp::Ordering;
use std::time::SystemTime;

use fabric_model::order::{OrderBy, SortBy};

use crate::mock::table::Record;

/// A record by which lists can be sorted.
pub(super) trait Sortable: Record {
    fn updated_at(&self) -> SystemTime;
}

/// An order of records, for a selection.
pub(super) type Order<R> = Box<dyn Fn(&R, &R) -> Ordering>;

/// The order that a caller asks for; `None` if it is that of the table.
pub(super) fn order<R: Sortable>(sort_by: Option<SortBy>, order_by: &OrderBy) -> Option<Order<R>> {
    let is_ascending = *order_by == OrderBy::Ascending;
    if !is_ascending && matches!(sort_by, None | Some(SortBy::CreateTime)) {
        return None;
    }
    Some(Box::new(move |one: &R, other: &R| {
        let ascending = match sort_by {
            Some(SortBy::Name) => one.name().cmp(other.name()),
            Some(SortBy::UpdateTime) => one.updated_at().cmp(&other.updated_at()),
            _ => one.created_at().cmp(&other.created_at()),
        };
        if is_ascending { ascending } else { ascending.reverse() }
    }))
}
