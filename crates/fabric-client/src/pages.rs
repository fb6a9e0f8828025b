//! Lists from their beginning to their end: as pages, or as items.

use std::collections::HashSet;

use bytes::Bytes;

use fabric_model::access_client::{AccessClient, AccessClientPage, ListAccessClientsQuery};
use futures_util::stream::{Stream, TryStreamExt, iter, try_unfold};

use http::StatusCode;

use crate::{AccessClients, Client, Error};

impl AccessClients<'_> {
    /// The pages of a list, from the one that `query` asks for to the last, each fetched when it is asked
    /// for. `query.limit` is the size of a page.
    ///
    /// The service counts from the newest, so what is created or deleted meanwhile moves everything else.
    /// No access client with an id is given twice. One that is there all the time is not missed as long as
    /// the service tells the `total`, unless as much is created as is deleted between two pages: then one
    /// can be. What is created after the first page is not promised to be there.
    ///
    /// ```no_run
    /// # async fn example(client: fabric_client::Client) -> Result<(), fabric_client::Error> {
    /// use std::pin::pin;
    ///
    /// use fabric_client::model::access_client::ListAccessClientsQuery;
    /// use futures_util::TryStreamExt;
    ///
    /// let query = ListAccessClientsQuery { limit: 100, ..Default::default() };
    /// let mut items = pin!(client.access_clients().items(query));
    /// while let Some(access_client) = items.try_next().await? {
    ///     println!("{}", access_client.id.unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any [`Error`], which ends the stream; [`Error::Unexpected`] if page after page holds nothing new.
    pub fn pages(
        &self,
        query: ListAccessClientsQuery,
    ) -> impl Stream<Item = Result<AccessClientPage, Error>> + Send + use<> {
        let start = query.offset;
        let (total, seen) = (None, HashSet::new());
        let pages = Pages { client: self.client.clone(), query: Some(query), start, total, seen };
        try_unfold(pages, async |mut pages| Ok(pages.next().await?.map(|page| (page, pages))))
    }

    /// The access clients of a list: see [`Self::pages`].
    ///
    /// # Errors
    ///
    /// Any [`Error`], which ends the stream.
    pub fn items(
        &self,
        query: ListAccessClientsQuery,
    ) -> impl Stream<Item = Result<AccessClient, Error>> + Send + use<> {
        let pages = self.pages(query);
        pages.map_ok(|page| iter(page.access_client_infos.into_iter().map(Ok))).try_flatten()
    }
}

struct Pages {
    client: Client,
    /// What to ask for next; `None` after the last page.
    query: Option<ListAccessClientsQuery>,
    /// Where the caller wants to begin.
    start: u32,
    total: Option<u64>,
    seen: HashSet<String>,
}

/// How many requests in a row may bring nothing new, before it is not worth asking on.
const FRUITLESS_MAX: u32 = 20;

impl Pages {
    async fn next(&mut self) -> Result<Option<AccessClientPage>, Error> {
        let Some(mut query) = self.query.take() else { return Ok(None) };
        for _ in 0..FRUITLESS_MAX {
            let mut page = self.client.access_clients().list(query.clone()).await?;
            let gone = self.total.zip(page.total).map_or(0, |(old, new)| old.saturating_sub(new));
            self.total = page.total;
            if gone > 0 && query.offset > self.start {
                // Whatever stands behind what is gone has moved up, perhaps past this page: go back.
                let gone = u32::try_from(gone).unwrap_or(u32::MAX);
                query.offset = query.offset.saturating_sub(gone).max(self.start);
                continue;
            }
            let length = u32::try_from(page.access_client_infos.len()).unwrap_or(u32::MAX);
            let is_first = self.seen.is_empty();
            let mut is_new = |found: &AccessClient| {
                found.id.as_ref().is_none_or(|id| self.seen.insert(id.clone()))
            };
            page.access_client_infos.retain(&mut is_new);
            let is_last = length < query.limit;
            query.offset = query.offset.saturating_add(length);
            if is_last {
                let is_worth_giving = is_first || !page.access_client_infos.is_empty();
                return Ok(is_worth_giving.then_some(page));
            }
            if !page.access_client_infos.is_empty() {
                self.query = Some(query);
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
}
