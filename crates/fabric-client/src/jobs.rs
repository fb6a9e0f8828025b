//! The calls on the jobs of a workspace, and on their versions.

use fabric_model::job::{
    CreateJob, DeleteJob, Job, JobCreate, JobId, JobPage, JobPath, JobReference, JobUpdate,
    JobVersion, ListJobs, ListJobsQuery, UpdateJob,
};
use fabric_model::job_version::{
    DeleteJobVersion, JobVersionId, JobVersionPath, ListJobVersions, ListJobVersionsQuery,
};
use fabric_model::workspace::{WorkspaceId, WorkspacePath};
use fabric_model::{Nothing, Request};
use futures_util::stream::Stream;

use crate::{Client, Error};

/// The calls on the jobs of a workspace, and on their versions: see [`Client::jobs`].
///
/// An id may be a [`JobId`] or a string, which is checked before the request is sent.
#[derive(Clone, Debug)]
pub struct Jobs<'a> {
    client: &'a Client,
    workspace_id: WorkspaceId,
}

impl Client {
    /// The calls on the jobs of a workspace.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the id of the workspace breaks the contract.
    pub fn jobs<Id>(&self, workspace_id: Id) -> Result<Jobs<'_>, Error>
    where
        Id: TryInto<WorkspaceId>,
        Error: From<Id::Error>,
    {
        Ok(Jobs { client: self, workspace_id: workspace_id.try_into()? })
    }
}

impl Jobs<'_> {
    /// Creates a job with its first version.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn create(&self, body: JobCreate) -> Result<JobReference, Error> {
        let (path, query) = (self.workspace(), Nothing {});
        self.client.send(&Request::<CreateJob> { path, query, body }).await
    }

    /// Lists jobs: the page that `query` asks for, with the total.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn list(&self, query: ListJobsQuery) -> Result<JobPage, Error> {
        self.client.send(&self.list_request(query)).await
    }

    /// The jobs of a list: see [`Client::pages`].
    ///
    /// # Errors
    ///
    /// Any [`Error`], which ends the stream.
    pub fn items(
        &self,
        query: ListJobsQuery,
    ) -> impl Stream<Item = Result<Job, Error>> + Send + use<> {
        self.client.items(self.list_request(query))
    }

    /// Changes a job; with a version in the body, that is a new version.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if the job or the workspace does not exist.
    pub async fn update<Id>(&self, id: Id, body: JobUpdate) -> Result<JobReference, Error>
    where
        Id: TryInto<JobId>,
        Error: From<Id::Error>,
    {
        let (path, query) = (self.path(id)?, Nothing {});
        self.client.send(&Request::<UpdateJob> { path, query, body }).await
    }

    /// Deletes a job with its versions.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if the job or the workspace does not exist.
    pub async fn delete<Id>(&self, id: Id) -> Result<(), Error>
    where
        Id: TryInto<JobId>,
        Error: From<Id::Error>,
    {
        let (path, query, body) = (self.path(id)?, Nothing {}, Nothing {});
        self.client.send(&Request::<DeleteJob> { path, query, body }).await.map(drop)
    }

    /// The versions of a job: see [`Client::pages`].
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the id breaks the contract; any [`Error`], which ends the stream.
    pub fn versions<Id>(
        &self,
        id: Id,
        query: ListJobVersionsQuery,
    ) -> Result<impl Stream<Item = Result<JobVersion, Error>> + Send + use<Id>, Error>
    where
        Id: TryInto<JobId>,
        Error: From<Id::Error>,
    {
        let path = self.path(id)?;
        Ok(self.client.items(Request::<ListJobVersions> { path, query, body: Nothing {} }))
    }

    /// Deletes a version of a job.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::is_not_found`] if the version, the job or the workspace does not exist.
    pub async fn delete_version<Id, VersionId>(
        &self,
        id: Id,
        version_id: VersionId,
    ) -> Result<(), Error>
    where
        Id: TryInto<JobId>,
        VersionId: TryInto<JobVersionId>,
        Error: From<Id::Error> + From<VersionId::Error>,
    {
        let JobPath { workspace_id, job_id } = self.path(id)?;
        let path = JobVersionPath { workspace_id, job_id, version_id: version_id.try_into()? };
        let (query, body) = (Nothing {}, Nothing {});
        self.client.send(&Request::<DeleteJobVersion> { path, query, body }).await.map(drop)
    }

    fn workspace(&self) -> WorkspacePath {
        WorkspacePath { workspace_id: self.workspace_id.clone() }
    }

    fn path<Id>(&self, id: Id) -> Result<JobPath, Error>
    where
        Id: TryInto<JobId>,
        Error: From<Id::Error>,
    {
        Ok(JobPath { workspace_id: self.workspace_id.clone(), job_id: id.try_into()? })
    }

    fn list_request(&self, query: ListJobsQuery) -> Request<ListJobs> {
        Request { path: self.workspace(), query, body: Nothing {} }
    }
}
