//! Lists, which the service answers a page at a time.

use crate::{Identified, Operation, Parameters, Payload};

/// An operation that lists: any whose query has an offset and a limit, and whose answer is a page.
pub trait List: Operation<Query: Paging, Response: Page> {}

impl<O: Operation<Query: Paging, Response: Page>> List for O {}

/// The query of a list: where the page begins, and how much it holds at most.
pub trait Paging: Parameters {
    /// The number of matches to skip.
    fn offset(&self) -> u32;

    /// The most that the page holds.
    fn limit(&self) -> u32;

    /// Begins the page elsewhere.
    fn set_offset(&mut self, offset: u32);

    /// Makes the pages larger or smaller.
    fn set_limit(&mut self, limit: u32);
}

/// A page of a list.
pub trait Page: Payload {
    /// What is listed.
    type Item: Identified;

    /// What the page holds.
    fn items(&mut self) -> &mut Vec<Self::Item>;

    /// How many match, on this page and all others, if the service tells.
    fn total(&self) -> Option<u64>;
}

/// Makes lists of a query with `offset` and `limit`, and of an answer with its items in a field and a `total`.
macro_rules! list {
    ($query:ident, $page:ident: $field:ident of $item:ident) => {
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
                self.total.into()
            }
        }
    };
}

pub(crate) use list;
