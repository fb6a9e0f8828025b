//! Lists of any resource, from their first page to their last: as pages, or as items.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;
use fabric_model::{Identified, List, Page, Paging, Request};
use futures_util::stream::{Stream, TryStreamExt, iter, try_unfold};
use http::StatusCode;

use crate::{Client, Error};

/// The items of a list.
type Item<O> = <<O as fabric_model::Operation>::Response as Page>::Item;

impl Client {
    /// The pages of a list, from the one that `request` asks for to the last. Each is fetched when the stream
    /// is polled for it. `request.query.limit` is the size of a page.
    ///
    /// The service counts from the newest item, so creating or deleting an item while the list is read moves
    /// all others. The stream makes up for it:
    ///
    /// * No item with an id is returned twice.
    /// * The stream ends with a page that is not full, or that reaches the `total`. A total that is a multiple of 100
    ///   may be the most that the service counts to, so there the stream asks for one more page.
    /// * An item that exists from the first page to the last is returned, provided that the service tells the
    ///   `total`, and unless as many items are created as are deleted between two pages: then one may be
    ///   missed.
    /// * An item that is created after the first page may or may not be returned.
    ///
    /// ```no_run
    /// # async fn example(client: fabric_client::Client) -> Result<(), fabric_client::Error> {
    /// use std::pin::pin;
    ///
    /// use fabric_client::model::access_client::{ListAccessClients, ListAccessClientsQuery};
    /// use fabric_client::model::{Nothing, Request};
    /// use futures_util::TryStreamExt;
    ///
    /// let query = ListAccessClientsQuery { limit: 100, ..Default::default() };
    /// let request = Request::<ListAccessClients> { path: Nothing {}, query, body: Nothing {} };
    /// let mut pages = pin!(client.pages(request));
    /// while let Some(page) = pages.try_next().await? {
    ///     println!("{} of {:?}", page.access_client_infos.len(), page.total);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any [`Error`], which ends the stream; [`Error::Unexpected`] if a page is longer than the limit, if 20 pages in a
    /// row hold nothing new, if 20 pages of items without ids repeat earlier ones, or after two million items.
    pub fn pages<O: List>(
        &self,
        request: Request<O>,
    ) -> impl Stream<Item = Result<O::Response, Error>> + Send + use<O> {
        let pages = Pages {
            client: self.clone(),
            start: request.query.offset(),
            request: Some(request),
            total: None,
            returned: 0,
            seen: Seen::default(),
            without_ids: WithoutIds::new(),
        };
        try_unfold(pages, async |mut pages| Ok(pages.next().await?.map(|page| (page, pages))))
    }

    /// The items of a list: see [`Self::pages`].
    ///
    /// ```no_run
    /// # async fn example(client: fabric_client::Client) -> Result<(), fabric_client::Error> {
    /// use fabric_client::model::access_client::{ListAccessClients, ListAccessClientsQuery};
    /// use fabric_client::model::{Nothing, Request};
    /// use futures_util::TryStreamExt;
    ///
    /// let query = ListAccessClientsQuery { limit: 100, ..Default::default() };
    /// let request = Request::<ListAccessClients> { path: Nothing {}, query, body: Nothing {} };
    /// let all: Vec<_> = client.items(request).try_collect().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any [`Error`], which ends the stream.
    pub fn items<O: List>(
        &self,
        request: Request<O>,
    ) -> impl Stream<Item = Result<Item<O>, Error>> + Send + use<O> {
        self.pages(request)
            .map_ok(|mut page| iter(std::mem::take(page.items()).into_iter().map(Ok)))
            .try_flatten()
    }
}

/// How many requests in a row may return nothing new before the list ends with an error. Of items without ids, it is
/// how many pages of the whole list may repeat earlier ones.
const FRUITLESS_MAX: u32 = 20;

/// The most items of a list: more than a project can have, so that the list of a service that goes on for ever ends.
const ITEMS_MAX: usize = 2_000_000;

/// The documentation limits some totals to 100 or 1,000. A service that keeps to it would count no further.
const TOTAL_STEP: u64 = 100;

struct Pages<O: List> {
    client: Client,
    /// The next request; `None` after the last page.
    request: Option<Request<O>>,
    /// Where the caller wants to begin.
    start: u32,
    total: Option<u64>,
    /// The number of items so far.
    returned: usize,
    seen: Seen,
    /// The pages so far whose items have no ids.
    without_ids: WithoutIds<Item<O>>,
}

impl<O: List> Pages<O> {
    async fn next(&mut self) -> Result<Option<O::Response>, Error> {
        let Some(mut request) = self.request.take() else { return Ok(None) };
        for _ in 0..FRUITLESS_MAX {
            let mut page = self.client.send(&request).await?;
            let total = page.total();
            let deleted = self.total.zip(total).map_or(0, |(old, new)| old.saturating_sub(new));
            self.total = total;
            let offset = request.query.offset();
            if deleted > 0 && offset > self.start {
                // The items behind the deleted ones have moved up, perhaps past this page: go back.
                let deleted = u32::try_from(deleted).unwrap_or(u32::MAX);
                request.query.set_offset(offset.saturating_sub(deleted).max(self.start));
                continue;
            }
            let length = u32::try_from(page.items().len()).unwrap_or(u32::MAX);
            let limit = request.query.limit();
            if length > limit {
                // Counting on would miss items, or return some twice.
                return Err(unexpected(format!("a page has {length} items in place of {limit}")));
            }
            let is_first = self.returned == 0;
            self.keep_new(page.items());
            self.returned += page.items().len();
            if self.returned > ITEMS_MAX {
                return Err(unexpected(format!("the list has more than {ITEMS_MAX} items")));
            }
            let has_new = !page.items().is_empty();
            if length < limit {
                return Ok((is_first || has_new).then_some(page));
            }
            let end = offset.saturating_add(length);
            request.query.set_offset(end);
            if has_new {
                let is_last =
                    |total: u64| u64::from(end) >= total && !total.is_multiple_of(TOTAL_STEP);
                self.request = Some(request).filter(|_| !total.is_some_and(is_last));
                return Ok(Some(page));
            }
            if self.without_ids.repeated >= FRUITLESS_MAX {
                break;
            }
        }
        Err(unexpected(format!("{FRUITLESS_MAX} pages hold nothing new")))
    }

    /// Removes the items that an earlier page held.
    fn keep_new(&mut self, items: &mut Vec<Item<O>>) {
        if !items.is_empty() && items.iter().all(|item| item.id().is_none()) {
            if self.without_ids.is_repeated(items) {
                items.clear();
            }
            return;
        }
        items.retain(|item| item.id().is_none_or(|id| self.seen.insert(id)));
    }
}

/// The ids of all items so far, as hashes of 16 bytes: an id may be long.
#[derive(Default)]
struct Seen {
    hashes: HashSet<[u64; 2]>,
    keys: [RandomState; 2],
}

impl Seen {
    /// Adds an id, and tells whether it is new.
    fn insert(&mut self, id: &str) -> bool {
        self.hashes.insert(self.keys.each_ref().map(|key| key.hash_one(id)))
    }
}

/// Tells whether pages of items without ids repeat, and keeps one page only: the last whose number is a power of two.
/// Pages that come round again, after however many others, then meet it again and again.
struct WithoutIds<T> {
    kept: Vec<T>,
    pages: u64,
    repeated: u32,
}

impl<T: Clone + PartialEq> WithoutIds<T> {
    fn new() -> Self {
        Self { kept: Vec::new(), pages: 0, repeated: 0 }
    }

    fn is_repeated(&mut self, items: &[T]) -> bool {
        let is_repeated = self.kept == items;
        self.pages += 1;
        self.repeated += u32::from(is_repeated);
        if self.pages.is_power_of_two() {
            self.kept = items.to_vec();
        }
        is_repeated
    }
}

fn unexpected(reason: String) -> Error {
    let (status, request_id, body) = (StatusCode::OK, None, Bytes::new());
    Error::Unexpected { status, reason, request_id, body }
}
