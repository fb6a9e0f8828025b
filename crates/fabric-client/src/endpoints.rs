//! The calls on the endpoints of a workspace.

use fabric_model::endpoint::{
    CreateEndpoint, DeleteEndpoint, Endpoint, EndpointCreate, EndpointId, EndpointPage,
    EndpointPath, EndpointStatus, EndpointSummary, EndpointUpdate, ListEndpoints,
    ListEndpointsQuery, ShowEndpoint, ShowEndpointQuery, SubscribeEndpoint, UpdateEndpoint,
};
use fabric_model::workspace::{WorkspaceId, WorkspacePath};
use fabric_model::{Nothing, Request};
use futures_util::stream::Stream;

use crate::{Client, Error, Progress, Wait, WaitError};

/// The calls on the endpoints of a workspace: see [`Client::endpoints`].
///
/// An id may be an [`EndpointId`] or a string, which is checked before the request is sent.
#[derive(Clone, Debug)]
pub struct Endpoints<'a> {
    client: &'a Client,
    workspace_id: WorkspaceId,
}

impl Client {
    /// The calls on the endpoints of a workspace.
    ///
    /// ```no_run
    /// # async fn example(client: fabric_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use fabric_client::Wait;
    ///
    /// let endpoints = client.endpoints("e935d0ef-f4eb-4b95-aff1-9d33ae9f57a6")?;
    /// let running = endpoints.wait_until_running("ac8111bf", Wait::default()).await?;
    /// println!("{:?}", running.urls);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the id of the workspace breaks the contract.
    pub fn endpoints<Id>(&self, workspace_id: Id) -> Result<Endpoints<'_>, Error>
    where
        Id: TryInto<WorkspaceId>,
        Error: From<Id::Error>,
    {
        Ok(Endpoints { client: self, workspace_id: workspace_id.try_into()? })
    }
}

impl Endpoints<'_> {
    /// Creates an endpoint, which is `CREATING` at first: see [`Self::wait_until_running`].
    ///
    /// Sent twice, it creates two endpoints, so the client does not repeat a create that the service may have
    /// received.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn create(&self, body: EndpointCreate) -> Result<Endpoint, Error> {
        let (path, query) = (self.workspace(), Nothing {});
        self.client.send(&Request::<CreateEndpoint> { path, query, body }).await
    }

    /// Lists endpoints, newest first: the page that `query` asks for, with the total.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn list(&self, query: ListEndpointsQuery) -> Result<EndpointPage, Error> {
        self.client.send(&self.list_request(query)).await
    }

    /// The endpoints of a list, newest first: see [`Client::pages`].
    ///
    /// # Errors
    ///
    /// Any [`Error`], which ends the stream.
    pub fn items(
        &self,
        query: ListEndpointsQuery,
    ) -> impl Stream<Item = Result<EndpointSummary, Error>> + Send + use<> {
        self.client.items(self.list_request(query))
    }

    /// Shows an endpoint as it is configured now.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if the endpoint or the workspace does not exist.
    pub async fn show<Id>(&self, id: Id) -> Result<Endpoint, Error>
    where
        Id: TryInto<EndpointId>,
        Error: From<Id::Error>,
    {
        self.client.send(&self.show_request(id)?).await
    }

    /// Changes an endpoint, which is `UPDATING` at first: see [`Self::wait_until_running`]. What the body leaves out
    /// stays as it is.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if the endpoint or the workspace does not exist.
    pub async fn update<Id>(&self, id: Id, body: EndpointUpdate) -> Result<Endpoint, Error>
    where
        Id: TryInto<EndpointId>,
        Error: From<Id::Error>,
    {
        let (path, query) = (self.path(id)?, Nothing {});
        self.client.send(&Request::<UpdateEndpoint> { path, query, body }).await
    }

    /// Deletes an endpoint, which is `DELETING` at first: see [`Self::wait_until_deleted`].
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if the endpoint or the workspace does not exist.
    pub async fn delete<Id>(&self, id: Id) -> Result<(), Error>
    where
        Id: TryInto<EndpointId>,
        Error: From<Id::Error>,
    {
        let (path, query, body) = (self.path(id)?, Nothing {}, Nothing {});
        self.client.send(&Request::<DeleteEndpoint> { path, query, body }).await.map(drop)
    }

    /// Subscribes the workspace to a public endpoint.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if the endpoint or the workspace does not exist.
    pub async fn subscribe<Id>(&self, id: Id) -> Result<(), Error>
    where
        Id: TryInto<EndpointId>,
        Error: From<Id::Error>,
    {
        let (path, query, body) = (self.path(id)?, Nothing {}, Nothing {});
        self.client.send(&Request::<SubscribeEndpoint> { path, query, body }).await.map(drop)
    }

    /// Polls an endpoint until it is `RUNNING`, and returns it: see [`Client::wait_until`]. That it cannot be created
    /// or changed is a [`WaitError::Failed`], whose last answer says why.
    ///
    /// # Errors
    ///
    /// Any [`WaitError`].
    pub async fn wait_until_running<Id>(
        &self,
        id: Id,
        wait: Wait<ShowEndpoint>,
    ) -> Result<Endpoint, WaitError<ShowEndpoint>>
    where
        Id: TryInto<EndpointId>,
        Error: From<Id::Error>,
    {
        let judge = |status: &EndpointStatus| match status {
            EndpointStatus::Running => Progress::Reached,
            EndpointStatus::Creating | EndpointStatus::Updating => Progress::Pending,
            _ => Progress::Failed,
        };
        self.client.wait_until(&self.show_request(id)?, wait, judge).await
    }

    /// Polls an endpoint until it is deleted: see [`Client::wait_until_gone`].
    ///
    /// # Errors
    ///
    /// Any [`WaitError`] but [`WaitError::RolledBack`].
    pub async fn wait_until_deleted<Id>(
        &self,
        id: Id,
        wait: Wait<ShowEndpoint>,
    ) -> Result<(), WaitError<ShowEndpoint>>
    where
        Id: TryInto<EndpointId>,
        Error: From<Id::Error>,
    {
        let judge = |status: &EndpointStatus| match status {
            EndpointStatus::Deleted => Progress::Reached,
            EndpointStatus::DeleteFailed | EndpointStatus::Unknown(_) => Progress::Failed,
            _ => Progress::Pending,
        };
        self.client.wait_until_gone(&self.show_request(id)?, wait, judge).await
    }

    fn workspace(&self) -> WorkspacePath {
        WorkspacePath { workspace_id: self.workspace_id.clone() }
    }

    fn path<Id>(&self, id: Id) -> Result<EndpointPath, Error>
    where
        Id: TryInto<EndpointId>,
        Error: From<Id::Error>,
    {
        let workspace_id = self.workspace_id.clone();
        Ok(EndpointPath { workspace_id, endpoint_id: id.try_into()? })
    }

    fn list_request(&self, query: ListEndpointsQuery) -> Request<ListEndpoints> {
        Request { path: self.workspace(), query, body: Nothing {} }
    }

    fn show_request<Id>(&self, id: Id) -> Result<Request<ShowEndpoint>, Error>
    where
        Id: TryInto<EndpointId>,
        Error: From<Id::Error>,
    {
        let query = ShowEndpointQuery::default();
        Ok(Request { path: self.path(id)?, query, body: Nothing {} })
    }
}
