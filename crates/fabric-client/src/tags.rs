//! The calls on the tags of workspaces.

use fabric_model::tag::{
    BatchCreateFabricWorkspaceTags, BatchDeleteFabricWorkspaceTags, CountTagFabricWorkspaces,
    FilterWorkspacesQuery, ListFabricProjectTags, ListFabricWorkspaceTags, ListProjectTagsQuery,
    ListTagFabricWorkspaces, ListTagsQuery, ProjectInPath, ProjectTagsPath, TagValues,
    TaggedWorkspacePage, TagsCreate, TagsDelete, WorkspaceFilter, WorkspaceTags, WorkspaceTagsPath,
};
use fabric_model::workspace::WorkspaceId;
use fabric_model::{Nothing, Request};
use futures_util::stream::{StreamExt, TryStreamExt};

use crate::{Client, Error};

/// The calls on the tags of workspaces: see [`Client::tags`].
///
/// Their paths name the project, which is [`Client::project_id`].
#[derive(Clone, Copy, Debug)]
pub struct Tags<'a> {
    client: &'a Client,
}

impl Client {
    /// The calls on the tags of workspaces.
    ///
    /// ```no_run
    /// # async fn example(client: fabric_client::Client) -> Result<(), fabric_client::Error> {
    /// use fabric_client::model::tag::{Tag, TagsCreate};
    ///
    /// let tag = Tag { key: "team".to_owned(), value: Some("research".to_owned()) };
    /// let body = TagsCreate { tags: Some(vec![tag]), ..Default::default() };
    /// client.tags().add("e935d0ef-f4eb-4b95-aff1-9d33ae9f57a6", body).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn tags(&self) -> Tags<'_> {
        Tags { client: self }
    }
}

impl Tags<'_> {
    /// Adds tags to a workspace; a key that it has gets the new value.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if the workspace does not exist.
    pub async fn add<Id>(&self, workspace_id: Id, body: TagsCreate) -> Result<(), Error>
    where
        Id: TryInto<WorkspaceId>,
        Error: From<Id::Error>,
    {
        let (path, query) = (self.workspace(workspace_id.try_into()?).await?, Nothing {});
        let request = Request::<BatchCreateFabricWorkspaceTags> { path, query, body };
        self.client.send(&request).await.map(drop)
    }

    /// Removes tags from a workspace. One that it does not have is no error.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if the workspace does not exist.
    pub async fn remove<Id>(&self, workspace_id: Id, body: TagsDelete) -> Result<(), Error>
    where
        Id: TryInto<WorkspaceId>,
        Error: From<Id::Error>,
    {
        let (path, query) = (self.workspace(workspace_id.try_into()?).await?, Nothing {});
        let request = Request::<BatchDeleteFabricWorkspaceTags> { path, query, body };
        self.client.send(&request).await.map(drop)
    }

    /// The tags of a workspace, up to 1,000, with its system tag. For more see [`Client::items`].
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if the workspace does not exist.
    pub async fn of_workspace<Id>(&self, workspace_id: Id) -> Result<WorkspaceTags, Error>
    where
        Id: TryInto<WorkspaceId>,
        Error: From<Id::Error>,
    {
        let path = self.workspace(workspace_id.try_into()?).await?;
        let query = ListTagsQuery::default();
        self.client
            .send(&Request::<ListFabricWorkspaceTags> { path, query, body: Nothing {} })
            .await
    }

    /// All keys that the workspaces of the project have, each with its values.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn of_project(&self) -> Result<Vec<TagValues>, Error> {
        let (path, query) = (self.project().await?, ListProjectTagsQuery::default());
        let request = Request::<ListFabricProjectTags> { path, query, body: Nothing {} };
        self.client.items(request).boxed().try_collect().await
    }

    /// The workspaces that a filter matches, with their tags: the page that `query` asks for, with the total. For more
    /// than one page see [`Client::items`].
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn workspaces(
        &self,
        query: FilterWorkspacesQuery,
        body: WorkspaceFilter,
    ) -> Result<TaggedWorkspacePage, Error> {
        let path = self.project().await?;
        self.client.send(&Request::<ListTagFabricWorkspaces> { path, query, body }).await
    }

    /// The number of workspaces that a filter matches.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn count(&self, body: WorkspaceFilter) -> Result<u64, Error> {
        let (path, query) = (self.project().await?, Nothing {});
        let request = Request::<CountTagFabricWorkspaces> { path, query, body };
        Ok(self.client.send(&request).await?.total_count.unwrap_or_default())
    }

    async fn project(&self) -> Result<ProjectTagsPath, Error> {
        let project = self.client.project_id().await?;
        Ok(ProjectTagsPath { project_id: ProjectInPath::try_from(project.as_str())? })
    }

    async fn workspace(&self, workspace_id: WorkspaceId) -> Result<WorkspaceTagsPath, Error> {
        let ProjectTagsPath { project_id } = self.project().await?;
        Ok(WorkspaceTagsPath { project_id, workspace_id })
    }
}
