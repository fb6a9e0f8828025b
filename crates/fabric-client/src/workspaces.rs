//! The calls on workspaces.

use fabric_model::workspace::{
    CreateWorkspace, DeleteWorkspace, ListWorkspaces, ListWorkspacesQuery, UpdateWorkspace,
    Workspace, WorkspaceCreate, WorkspaceId, WorkspacePage, WorkspacePath, WorkspaceUpdate,
};
use fabric_model::{Nothing, Request};
use futures_util::stream::Stream;

use crate::{Client, Error};

/// The calls on workspaces: see [`Client::workspaces`].
///
/// An id may be a [`WorkspaceId`] or a string, which is checked before the request is sent.
#[derive(Clone, Copy, Debug)]
pub struct Workspaces<'a> {
    client: &'a Client,
}

impl Client {
    /// The calls on workspaces.
    #[must_use]
    pub fn workspaces(&self) -> Workspaces<'_> {
        Workspaces { client: self }
    }
}

impl Workspaces<'_> {
    /// Creates a workspace.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn create(&self, body: WorkspaceCreate) -> Result<Workspace, Error> {
        let (path, query) = (Nothing {}, Nothing {});
        self.client.send(&Request::<CreateWorkspace> { path, query, body }).await
    }

    /// Lists workspaces, newest first: the page that `query` asks for, with the total.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn list(&self, query: ListWorkspacesQuery) -> Result<WorkspacePage, Error> {
        self.client.send(&list_request(query)).await
    }

    /// The workspaces of a list, newest first: see [`Client::pages`].
    ///
    /// # Errors
    ///
    /// Any [`Error`], which ends the stream.
    pub fn items(
        &self,
        query: ListWorkspacesQuery,
    ) -> impl Stream<Item = Result<Workspace, Error>> + Send + use<> {
        self.client.items(list_request(query))
    }

    /// Changes a workspace; what the body leaves out stays as it is.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if it does not exist, or belongs to another project.
    pub async fn update<Id>(&self, id: Id, body: WorkspaceUpdate) -> Result<Workspace, Error>
    where
        Id: TryInto<WorkspaceId>,
        Error: From<Id::Error>,
    {
        let (path, query) = (path(id)?, Nothing {});
        self.client.send(&Request::<UpdateWorkspace> { path, query, body }).await
    }

    /// Deletes a workspace.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if it does not exist, or belongs to another project.
    pub async fn delete<Id>(&self, id: Id) -> Result<(), Error>
    where
        Id: TryInto<WorkspaceId>,
        Error: From<Id::Error>,
    {
        let (path, query, body) = (path(id)?, Nothing {}, Nothing {});
        let Nothing {} =
            self.client.send(&Request::<DeleteWorkspace> { path, query, body }).await?;
        Ok(())
    }
}

fn list_request(query: ListWorkspacesQuery) -> Request<ListWorkspaces> {
    Request { path: Nothing {}, query, body: Nothing {} }
}

fn path<Id>(id: Id) -> Result<WorkspacePath, Error>
where
    Id: TryInto<WorkspaceId>,
    Error: From<Id::Error>,
{
    Ok(WorkspacePath { workspace_id: id.try_into()? })
}
