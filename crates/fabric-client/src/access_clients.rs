//! The pleasant calls: create, list, show, update, delete.

use fabric_model::access_client::{
    AccessClient, AccessClientCreate, AccessClientPage, AccessClientPath, AccessClientUpdate,
    CreateAccessClient, DeleteAccessClient, ListAccessClients, ListAccessClientsQuery,
    ShowAccessClient, UpdateAccessClient,
};
use fabric_model::{AccessClientId, Nothing, Request};

use crate::{Client, Error};

/// The calls on access clients: see [`Client::access_clients`].
///
/// Where an id is asked for, a string does as well: it is checked before anything is sent.
#[derive(Clone, Copy, Debug)]
pub struct AccessClients<'a> {
    pub(crate) client: &'a Client,
}

impl Client {
    /// The calls on access clients.
    #[must_use]
    pub fn access_clients(&self) -> AccessClients<'_> {
        AccessClients { client: self }
    }
}

impl AccessClients<'_> {
    /// Creates an access client. It may take a while until it is `RUNNING`.
    ///
    /// Sent twice, it makes two: names need not be unique. So it is not tried again once it may have been
    /// received: see [`Self::create_or_find`].
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn create(&self, body: AccessClientCreate) -> Result<AccessClient, Error> {
        let (path, query) = (Nothing {}, Nothing {});
        self.client.send(&Request::<CreateAccessClient> { path, query, body }).await
    }

    /// Lists access clients, newest first: the page that `query` asks for, with the number of all. For
    /// more than a page there are [`Self::items`] and [`Self::pages`].
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn list(&self, query: ListAccessClientsQuery) -> Result<AccessClientPage, Error> {
        let (path, body) = (Nothing {}, Nothing {});
        self.client.send(&Request::<ListAccessClients> { path, query, body }).await
    }

    /// Shows an access client.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if there is none, or it belongs to another project.
    pub async fn show<Id>(&self, id: Id) -> Result<AccessClient, Error>
    where
        Id: TryInto<AccessClientId>,
        Error: From<Id::Error>,
    {
        let (path, query, body) = (path(id)?, Nothing {}, Nothing {});
        self.client.send(&Request::<ShowAccessClient> { path, query, body }).await
    }

    /// Renames an access client.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if there is none, or it belongs to another project.
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

    /// Deletes an access client. Where it was tried before and the answer was lost, one that is not found
    /// is a success.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if there is none, or it belongs to another project.
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
}

fn path<Id>(id: Id) -> Result<AccessClientPath, Error>
where
    Id: TryInto<AccessClientId>,
    Error: From<Id::Error>,
{
    Ok(AccessClientPath { client_id: id.try_into()? })
}
