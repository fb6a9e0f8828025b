//! The calls on the models of a workspace, and on their versions.

use fabric_model::model_definition::{
    CleanupModel, CreateModelDefinition, ListModels, ListModelsQuery, Model, ModelCreate, ModelId,
    ModelPage, ModelPath, ModelReference, ModelUpdate, ModelVersion, UpdateModelDefinition,
};
use fabric_model::model_version::{
    DeleteModelVersion, ListModelVersions, ListModelVersionsQuery, ModelVersionId, ModelVersionPath,
};
use fabric_model::workspace::{WorkspaceId, WorkspacePath};
use fabric_model::{Nothing, Request};
use futures_util::stream::Stream;

use crate::{Client, Error};

/// The calls on the models of a workspace, and on their versions: see [`Client::models`].
///
/// An id may be a [`ModelId`] or a string, which is checked before the request is sent.
#[derive(Clone, Debug)]
pub struct Models<'a> {
    client: &'a Client,
    workspace_id: WorkspaceId,
}

impl Client {
    /// The calls on the models of a workspace.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the id of the workspace breaks the contract.
    pub fn models<Id>(&self, workspace_id: Id) -> Result<Models<'_>, Error>
    where
        Id: TryInto<WorkspaceId>,
        Error: From<Id::Error>,
    {
        Ok(Models { client: self, workspace_id: workspace_id.try_into()? })
    }
}

impl Models<'_> {
    /// Creates a model with its first version.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn create(&self, body: ModelCreate) -> Result<ModelReference, Error> {
        let (path, query) = (self.workspace(), Nothing {});
        self.client.send(&Request::<CreateModelDefinition> { path, query, body }).await
    }

    /// Lists models: the page that `query` asks for, with the total.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn list(&self, query: ListModelsQuery) -> Result<ModelPage, Error> {
        self.client.send(&self.list_request(query)).await
    }

    /// The models of a list: see [`Client::pages`].
    ///
    /// # Errors
    ///
    /// Any [`Error`], which ends the stream.
    pub fn items(
        &self,
        query: ListModelsQuery,
    ) -> impl Stream<Item = Result<Model, Error>> + Send + use<> {
        self.client.items(self.list_request(query))
    }

    /// Changes a model; with a version in the body, that is a new version.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if the model or the workspace does not exist.
    pub async fn update<Id>(&self, id: Id, body: ModelUpdate) -> Result<Model, Error>
    where
        Id: TryInto<ModelId>,
        Error: From<Id::Error>,
    {
        let (path, query) = (self.path(id)?, Nothing {});
        self.client.send(&Request::<UpdateModelDefinition> { path, query, body }).await
    }

    /// Deletes a model with its versions.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if the model or the workspace does not exist.
    pub async fn delete<Id>(&self, id: Id) -> Result<(), Error>
    where
        Id: TryInto<ModelId>,
        Error: From<Id::Error>,
    {
        let (path, query, body) = (self.path(id)?, Nothing {}, Nothing {});
        self.client.send(&Request::<CleanupModel> { path, query, body }).await.map(drop)
    }

    /// The versions of a model: see [`Client::pages`].
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the id breaks the contract; any [`Error`], which ends the stream.
    pub fn versions<Id>(
        &self,
        id: Id,
        query: ListModelVersionsQuery,
    ) -> Result<impl Stream<Item = Result<ModelVersion, Error>> + Send + use<Id>, Error>
    where
        Id: TryInto<ModelId>,
        Error: From<Id::Error>,
    {
        let path = self.path(id)?;
        Ok(self.client.items(Request::<ListModelVersions> { path, query, body: Nothing {} }))
    }

    /// Deletes a version of a model.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if the version, the model or the workspace does not exist.
    pub async fn delete_version<Id, VersionId>(
        &self,
        id: Id,
        version_id: VersionId,
    ) -> Result<(), Error>
    where
        Id: TryInto<ModelId>,
        VersionId: TryInto<ModelVersionId>,
        Error: From<Id::Error> + From<VersionId::Error>,
    {
        let ModelPath { workspace_id, model_id } = self.path(id)?;
        let path = ModelVersionPath { workspace_id, model_id, version_id: version_id.try_into()? };
        let (query, body) = (Nothing {}, Nothing {});
        self.client.send(&Request::<DeleteModelVersion> { path, query, body }).await.map(drop)
    }

    fn workspace(&self) -> WorkspacePath {
        WorkspacePath { workspace_id: self.workspace_id.clone() }
    }

    fn path<Id>(&self, id: Id) -> Result<ModelPath, Error>
    where
        Id: TryInto<ModelId>,
        Error: From<Id::Error>,
    {
        Ok(ModelPath { workspace_id: self.workspace_id.clone(), model_id: id.try_into()? })
    }

    fn list_request(&self, query: ListModelsQuery) -> Request<ListModels> {
        Request { path: self.workspace(), query, body: Nothing {} }
    }
}
