//! The calls on access clients.

use fabric_model::access_client::{
    AccessClient, AccessClientCreate, AccessClientPage, AccessClientPath, AccessClientStatus,
    AccessClientUpdate, CreateAccessClient, DeleteAccessClient, ListAccessClients,
    ListAccessClientsQuery, ShowAccessClient, UpdateAccessClient,
};
use fabric_model::{AccessClientId, Invalid, Nothing, Request};
use futures_util::stream::Stream;

use crate::{Client, CreateError, Creation, Error, Progress, Wait, WaitError};

/// The calls on access clients: see [`Client::access_clients`].
///
/// An id may be an [`AccessClientId`] or a string, which is checked before the request is sent.
#[derive(Clone, Copy, Debug)]
pub struct AccessClients<'a> {
    client: &'a Client,
}

impl Client {
    /// The calls on access clients.
    #[must_use]
    pub fn access_clients(&self) -> AccessClients<'_> {
        AccessClients { client: self }
    }
}

impl AccessClients<'_> {
    /// Creates an access client, which is `CREATING` at first: see [`Self::wait_until_running`].
    ///
    /// Sent twice, it creates two access clients, since names need not be unique. The client therefore does not
    /// repeat a create that the service may have received: see [`Self::create_or_find`].
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn create(&self, body: AccessClientCreate) -> Result<AccessClient, Error> {
        self.client.send(&create_request(body)).await
    }

    /// Lists access clients, newest first: the page that `query` asks for, with the total. For more than one
    /// page see [`Self::items`] and [`Self::pages`].
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn list(&self, query: ListAccessClientsQuery) -> Result<AccessClientPage, Error> {
        self.client.send(&list_request(query)).await
    }

    /// Shows an access client.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if it does not exist, or belongs to another project.
    pub async fn show<Id>(&self, id: Id) -> Result<AccessClient, Error>
    where
        Id: TryInto<AccessClientId>,
        Error: From<Id::Error>,
    {
        self.client.send(&show_request(id)?).await
    }

    /// Renames an access client.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if it does not exist, or belongs to another project.
    pub async fn update<Id>(&self, id: Id, body: AccessClientUpdate) -> Result<(), Error>
    where
        Id: TryInto<AccessClientId>,
        Error: From<Id::Error>,
    {
        let (path, query) = (path(id)?, Nothing {});
        let Nothing {} =
            self.client.send(&Request::<UpdateAccessClient> { path, query, body }).await?;
        Ok(())
    }

    /// Deletes an access client. If the answer to an attempt was lost and the next attempt finds nothing to
    /// delete, that is a success.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if it does not exist, or belongs to another project.
    pub async fn delete<Id>(&self, id: Id) -> Result<(), Error>
    where
        Id: TryInto<AccessClientId>,
        Error: From<Id::Error>,
    {
        let (path, query, body) = (path(id)?, Nothing {}, Nothing {});
        let Nothing {} =
            self.client.send(&Request::<DeleteAccessClient> { path, query, body }).await?;
        Ok(())
    }

    /// The pages of a list: see [`Client::pages`].
    ///
    /// # Errors
    ///
    /// Any [`Error`], which ends the stream.
    pub fn pages(
        &self,
        query: ListAccessClientsQuery,
    ) -> impl Stream<Item = Result<AccessClientPage, Error>> + Send + use<> {
        self.client.pages(list_request(query))
    }

    /// The access clients of a list, newest first: see [`Client::pages`].
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
    /// Any [`Error`], which ends the stream.
    pub fn items(
        &self,
        query: ListAccessClientsQuery,
    ) -> impl Stream<Item = Result<AccessClient, Error>> + Send + use<> {
        self.client.items(list_request(query))
    }

    /// Creates an access client, and finds it if the answer is lost: see [`Client::create_or_find`]. It
    /// recognizes the access client by its name, VPC and subnets.
    ///
    /// # Errors
    ///
    /// Any [`CreateError`]; [`Error::Invalid`] without a name.
    pub async fn create_or_find(
        &self,
        body: AccessClientCreate,
    ) -> Result<Creation<AccessClient>, CreateError> {
        let Some(name) = body.name.clone() else {
            return Err(Invalid::new("name", "must be given, to find by").into());
        };
        let query = ListAccessClientsQuery { limit: 100, name: Some(name), ..Default::default() };
        let is_meant =
            |found: &AccessClient| found.name == body.name && is_in_network(found, &body);
        let create = create_request(body.clone());
        self.client.create_or_find(&create, list_request(query), is_meant).await
    }

    /// Polls an access client until it is `RUNNING`, and returns it: see [`Client::wait_until`].
    ///
    /// ```no_run
    /// # async fn example(client: fabric_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use fabric_client::Wait;
    ///
    /// let wait = Wait::default().timeout(std::time::Duration::from_secs(120));
    /// let running = client.access_clients().wait_until_running("3f2c9a5e", wait).await?;
    /// println!("{:?}", running.access_connections);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any [`WaitError`]; [`WaitError::RolledBack`] if it was `CREATING` and then was gone. One that never
    /// existed is a [`WaitError::Call`] with [`Error::is_not_found`].
    pub async fn wait_until_running<Id>(
        &self,
        id: Id,
        wait: Wait<ShowAccessClient>,
    ) -> Result<AccessClient, WaitError<ShowAccessClient>>
    where
        Id: TryInto<AccessClientId>,
        Error: From<Id::Error>,
    {
        let judge = |status: &AccessClientStatus| match status {
            AccessClientStatus::Running => Progress::Reached,
            AccessClientStatus::Creating => Progress::Pending,
            _ => Progress::Failed,
        };
        self.client.wait_until(&show_request(id)?, wait, judge).await
    }

    /// Polls an access client until it is deleted: see [`Client::wait_until_gone`].
    ///
    /// # Errors
    ///
    /// Any [`WaitError`] but [`WaitError::RolledBack`].
    pub async fn wait_until_deleted<Id>(
        &self,
        id: Id,
        wait: Wait<ShowAccessClient>,
    ) -> Result<(), WaitError<ShowAccessClient>>
    where
        Id: TryInto<AccessClientId>,
        Error: From<Id::Error>,
    {
        let judge = |status: &AccessClientStatus| match status {
            AccessClientStatus::Deleted => Progress::Reached,
            AccessClientStatus::Unknown(_) => Progress::Failed,
            _ => Progress::Pending,
        };
        self.client.wait_until_gone(&show_request(id)?, wait, judge).await
    }
}

fn create_request(body: AccessClientCreate) -> Request<CreateAccessClient> {
    Request { path: Nothing {}, query: Nothing {}, body }
}

fn list_request(query: ListAccessClientsQuery) -> Request<ListAccessClients> {
    Request { path: Nothing {}, query, body: Nothing {} }
}

fn show_request<Id>(id: Id) -> Result<Request<ShowAccessClient>, Error>
where
    Id: TryInto<AccessClientId>,
    Error: From<Id::Error>,
{
    Ok(Request { path: path(id)?, query: Nothing {}, body: Nothing {} })
}

fn path<Id>(id: Id) -> Result<AccessClientPath, Error>
where
    Id: TryInto<AccessClientId>,
    Error: From<Id::Error>,
{
    Ok(AccessClientPath { client_id: id.try_into()? })
}

/// Whether an access client is in the network that a create asks for.
fn is_in_network(found: &AccessClient, asked: &AccessClientCreate) -> bool {
    let vpc = asked.vpc_id.as_ref().map(AsRef::as_ref);
    let mut subnets: Vec<&str> = asked.subnet_ids.iter().map(String::as_str).collect();
    if subnets.is_empty() {
        subnets.extend(asked.subnet_id.as_ref().map(AsRef::<str>::as_ref));
    }
    let mut theirs: Vec<&str> = found.subnet_ids.iter().map(String::as_str).collect();
    subnets.sort_unstable();
    theirs.sort_unstable();
    // A field that the answer leaves out says nothing.
    let has_vpc = vpc.is_none() || found.vpc_id.is_none() || found.vpc_id.as_deref() == vpc;
    has_vpc && (subnets.is_empty() || theirs.is_empty() || subnets == theirs)
}
