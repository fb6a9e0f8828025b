//! Lists, which the service answers in pages.

use crate::{Identified, Operation, Parameters, Payload};

/// An operation that lists: its query has an offset and a limit, and its answer is a page.
pub trait List: Operation<Query: Paging, Response: Page> {}

impl<O: Operation<Query: Paging, Response: Page>> List for O {}

/// The query of a list: where the page begins, and how many items it holds at most.
pub trait Paging: Parameters {
    /// The number of matches to skip.
    fn offset(&self) -> u32;

    /// The most items of the page.
    fn limit(&self) -> u32;

    /// Sets the number of matches to skip.
    fn set_offset(&mut self, offset: u32);

    /// Sets the most items of the page.
    fn set_limit(&mut self, limit: u32);
}

/// A page of a list.
pub trait Page: Payload {
    /// The items of the list.
    type Item: Identified;

    /// The items of the page.
    fn items(&mut self) -> &mut Vec<Self::Item>;

    /// The number of matches on all pages, if the answer has it.
    fn total(&self) -> Option<u64>;
}

/// Implements [`Paging`] for a query with `offset` and `limit`, and [`Page`] for an answer with its items in a field.
/// The number of all matches is in the field `total`, in the one that is named last, or nowhere.
macro_rules! list {
    ($query:ident, $page:ident: $field:ident of $item:ident) => {
        $crate::list::list! { $query, $page: $field of $item, total }
    };
    ($query:ident, $page:ident: $field:ident of $item:ident, without a total) => {
        $crate::list::list! { @ $query, $page: $field of $item, |_| None }
    };
    ($query:ident, $page:ident: $field:ident of $item:ident, $total:ident) => {
        $crate::list::list! { @ $query, $page: $field of $item, |page| page.$total.into() }
    };
    (@ $query:ident, $page:ident: $field:ident of $item:ident, $total:expr) => {
        impl $crate::Paging for $query {
            fn offset(&self) -> u32 {
                self.offset
            }

            fn limit(&self) -> u32 {
                self.limit
            }

            fn set_offset(&mut self, offset: u32) {
                self.offset = offset;
            }

            fn set_limit(&mut self, limit: u32) {
                self.limit = limit;
            }
        }

        impl $crate::Page for $page {
            type Item = $item;

            fn items(&mut self) -> &mut Vec<$item> {
                &mut self.$field
            }

            fn total(&self) -> Option<u64> {
                let total: fn(&Self) -> Option<u64> = $total;
                total(self)
            }
        }
    };
}

pub(crate) use list;
