//! Lists of any resource, from their first page to their last: as pages, or as items.

use std::collections::HashSet;

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
    /// Any [`Error`], which ends the stream; [`Error::Unexpected`] if 20 pages in a row hold nothing new.
    pub fn pages<O: List>(
        &self,
        request: Request<O>,
    ) -> impl Stream<Item = Result<O::Response, Error>> + Send + use<O> {
        let pages = Pages {
            client: self.clone(),
            start: request.query.offset(),
            request: Some(request),
            total: None,
            seen: HashSet::new(),
            previous: None,
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

/// How many requests in a row may return nothing new before the list ends with an error.
const FRUITLESS_MAX: u32 = 20;

struct Pages<O: List> {
    client: Client,
    /// The next request; `None` after the last page.
    request: Option<Request<O>>,
    /// Where the caller wants to begin.
    start: u32,
    total: Option<u64>,
    /// The ids of all items so far.
    seen: HashSet<String>,
    /// The last page, if its items have no ids: a page that equals it holds nothing new.
    previous: Option<Vec<Item<O>>>,
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
            let is_first = self.seen.is_empty() && self.previous.is_none();
            self.keep_new(page.items());
            let has_new = !page.items().is_empty();
            if length < request.query.limit() {
                return Ok((is_first || has_new).then_some(page));
            }
            request.query.set_offset(offset.saturating_add(length));
            if has_new {
                self.request = Some(request);
                return Ok(Some(page));
            }
        }
        Err(Error::Unexpected {
            status: StatusCode::OK,
            reason: format!("{FRUITLESS_MAX} pages in a row hold nothing new"),
            request_id: None,
            body: Bytes::new(),
        })
    }

    /// Removes the items that an earlier page held.
    fn keep_new(&mut self, items: &mut Vec<Item<O>>) {
        if !items.is_empty() && items.iter().all(|item| item.id().is_none()) {
            if self.previous.as_ref() == Some(items) {
                items.clear();
            } else {
                self.previous = Some(items.clone());
            }
            return;
        }
        items.retain(|item| item.id().is_none_or(|id| self.seen.insert(id.to_owned())));
    }
}
