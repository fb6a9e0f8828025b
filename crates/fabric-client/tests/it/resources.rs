//! The calls on workspaces, and on what belongs to them.

use std::time::Duration;

use fabric_client::model::Operation;
use fabric_client::model::endpoint::{
    CreateEndpoint, EndpointCreate, EndpointStatus, EndpointUpdate, ListEndpointsQuery,
    ShowEndpoint,
};
use fabric_client::model::job::{CreateJob, JobUpdate, JobVersionInput, ListJobsQuery};
use fabric_client::model::job_version::ListJobVersionsQuery;
use fabric_client::model::model_definition::{CreateModelDefinition, ListModelsQuery, ModelUpdate};
use fabric_client::model::model_version::ListModelVersionsQuery;
use fabric_client::model::tag::{
    FilterWorkspacesQuery, Tag, TagSelector, TagValues, TagsCreate, TagsDelete, WorkspaceFilter,
};
use fabric_client::model::workspace::{ListWorkspacesQuery, WorkspaceCreate, WorkspaceUpdate};
use fabric_client::{Client, Error, Wait, WaitError};
use fabric_server::{MockServer, Settings};
use futures_util::TryStreamExt;

async fn workspace(client: &Client) -> String {
    let create = WorkspaceCreate { name: "research".to_owned(), ..WorkspaceCreate::default() };
    client.workspaces().create(create).await.unwrap().id.unwrap()
}

async fn server() -> (MockServer, Client) {
    let hour = Duration::from_hours(1);
    let (creating_time, updating_time, deleting_time) = (hour, hour, hour);
    let settings = Settings { creating_time, updating_time, deleting_time, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let client = Client::builder(server.endpoint()).project_id("default".parse().unwrap());
    let client = client.build().unwrap();
    (server, client)
}

#[tokio::test]
async fn workspaces_are_created_listed_changed_and_deleted() {
    let (_server, client) = server().await;
    let id = workspace(&client).await;
    let update =
        WorkspaceUpdate { description: Some("old".to_owned()), ..WorkspaceUpdate::default() };
    let updated = client.workspaces().update(&id, update).await.unwrap();
    assert_eq!(updated.description.as_deref(), Some("old"));
    let query = ListWorkspacesQuery::default();
    assert_eq!(client.workspaces().list(query.clone()).await.unwrap().workspaces, [updated]);
    let all: Vec<_> = client.workspaces().items(query).try_collect().await.unwrap();
    assert_eq!(all.len(), 1);
    client.workspaces().delete(&id).await.unwrap();
    assert!(client.workspaces().delete(&id).await.unwrap_err().is_not_found());
    assert!(matches!(client.workspaces().delete("a/b").await, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn endpoints_are_waited_for_through_their_life() {
    let (server, client) = server().await;
    let workspace = workspace(&client).await;
    let endpoints = client.endpoints(&workspace).unwrap();
    let body: EndpointCreate = CreateEndpoint::example().request.body;
    let id = endpoints.create(body).await.unwrap().id.unwrap();
    // By the server's clock each poll takes 25 minutes.
    let clock = server.clock().clone();
    let wait: Wait<ShowEndpoint> =
        Wait::default().intervals(Duration::from_millis(10), Duration::from_millis(20));
    let wait = wait.observe(move |_| clock.advance(Duration::from_mins(25)));
    let running = endpoints.wait_until_running(&id, wait.clone()).await.unwrap();
    assert_eq!(running.status, Some(EndpointStatus::Running));
    let update =
        EndpointUpdate { description: Some("night".to_owned()), ..EndpointUpdate::default() };
    let updating = endpoints.update(&id, update).await.unwrap();
    assert_eq!(updating.status, Some(EndpointStatus::Updating));
    let running = endpoints.wait_until_running(&id, wait.clone()).await.unwrap();
    assert_eq!(running.description.as_deref(), Some("night"));
    let query = ListEndpointsQuery::default();
    assert_eq!(endpoints.list(query.clone()).await.unwrap().total, Some(1));
    let listed: Vec<_> = endpoints.items(query).try_collect().await.unwrap();
    assert_eq!(listed[0].id.as_deref(), Some(&*id));
    // It is the workspace's, and not public.
    assert_eq!(endpoints.subscribe(&id).await.unwrap_err().status().unwrap(), 400);
    let error = client.workspaces().delete(&workspace).await.unwrap_err();
    assert_eq!(error.status().unwrap(), 400);
    endpoints.delete(&id).await.unwrap();
    let error = endpoints.wait_until_running(&id, wait.clone()).await.unwrap_err();
    assert!(matches!(error, WaitError::Failed { status: EndpointStatus::Deleting, .. }));
    endpoints.wait_until_deleted(&id, wait).await.unwrap();
    assert!(endpoints.show(&id).await.unwrap_err().is_not_found());
    let elsewhere = client.endpoints("unknown").unwrap();
    assert!(elsewhere.show(&id).await.unwrap_err().is_not_found());
    assert!(matches!(client.endpoints("a/b"), Err(Error::Invalid(_))));
}

#[tokio::test]
async fn jobs_and_models_have_versions() {
    let (_server, client) = server().await;
    let workspace = workspace(&client).await;
    let jobs = client.jobs(&workspace).unwrap();
    let mut body = CreateJob::example().request.body;
    body.current_endpoint_id = None;
    let job = jobs.create(body).await.unwrap();
    let id = job.id.unwrap();
    let version = JobVersionInput { name: "v2".to_owned(), ..JobVersionInput::default() };
    let update = JobUpdate { version: Some(version), ..JobUpdate::default() };
    assert_ne!(jobs.update(&id, update).await.unwrap().version_id, job.version_id);
    let versions = async || {
        let versions = jobs.versions(&id, ListJobVersionsQuery::default()).unwrap();
        versions.try_collect::<Vec<_>>().await.unwrap().len()
    };
    assert_eq!(versions().await, 2);
    jobs.delete_version(&id, job.version_id.unwrap()).await.unwrap();
    assert_eq!(versions().await, 1);
    assert_eq!(jobs.list(ListJobsQuery::default()).await.unwrap().jobs.len(), 1);
    jobs.delete(&id).await.unwrap();
    let left: Vec<_> = jobs.items(ListJobsQuery::default()).try_collect().await.unwrap();
    assert!(left.is_empty());

    let models = client.models(&workspace).unwrap();
    let body = CreateModelDefinition::example().request.body;
    let mut version = body.version.clone();
    let model = models.create(body).await.unwrap();
    let id = model.id.unwrap();
    version.name = "v2-of-model".to_owned();
    let update = ModelUpdate { version: Some(version), ..ModelUpdate::default() };
    assert_eq!(models.update(&id, update).await.unwrap().id.as_ref(), Some(&id));
    let versions = async || {
        let versions = models.versions(&id, ListModelVersionsQuery::default()).unwrap();
        versions.try_collect::<Vec<_>>().await.unwrap().len()
    };
    assert_eq!(versions().await, 2);
    models.delete_version(&id, model.version_id.unwrap()).await.unwrap();
    assert_eq!(versions().await, 1);
    assert_eq!(models.list(ListModelsQuery::default()).await.unwrap().models.len(), 1);
    models.delete(&id).await.unwrap();
    let left: Vec<_> = models.items(ListModelsQuery::default()).try_collect().await.unwrap();
    assert!(left.is_empty());
}

#[tokio::test]
async fn tags_are_added_found_and_removed() {
    let (_server, client) = server().await;
    let (tagged, other) = (workspace(&client).await, workspace(&client).await);
    let tags = client.tags();
    let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: Some(value.to_owned()) };
    let both = vec![tag("team", "research"), tag("stage", "trial")];
    tags.add(&tagged, TagsCreate { tags: Some(both), sys_tags: None }).await.unwrap();
    let found = tags.of_workspace(&tagged).await.unwrap().tags;
    assert_eq!(found, [tag("stage", "trial"), tag("team", "research")]);
    let wanted = TagValues { key: "team".to_owned(), values: Some(vec!["research".to_owned()]) };
    let filter = WorkspaceFilter { tags: Some(vec![wanted.clone()]), ..WorkspaceFilter::default() };
    let page = tags.workspaces(FilterWorkspacesQuery::default(), filter.clone()).await.unwrap();
    assert_eq!(page.resources[0].resource_id.as_ref(), Some(&tagged));
    assert_eq!((page.total_count, tags.count(filter).await.unwrap()), (Some(1), 1));
    let untagged = WorkspaceFilter { without_any_tag: Some(true), ..WorkspaceFilter::default() };
    assert_eq!(tags.count(untagged).await.unwrap(), 1);
    let stage = TagSelector { key: "stage".to_owned(), value: None };
    let removed = TagsDelete { tags: Some(vec![stage]), sys_tags: None };
    tags.remove(&tagged, removed.clone()).await.unwrap();
    tags.remove(&other, removed).await.unwrap();
    assert_eq!(tags.of_project().await.unwrap(), [wanted]);
    assert!(tags.of_workspace("unknown").await.unwrap_err().is_not_found());
}
