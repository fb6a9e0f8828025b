//! Tags of workspaces: what the mock keeps of them, and how it answers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::SystemTime;

use fabric_model::tag::{
    BatchCreateFabricWorkspaceTags, BatchDeleteFabricWorkspaceTags, CountTagFabricWorkspaces,
    ListFabricProjectTags, ListFabricWorkspaceTags, ListTagFabricWorkspaces, ProjectTags,
    SystemTag, Tag, TagValues, TaggedWorkspace, TaggedWorkspacePage, Tags, TagsCreate, TagsDelete,
    WorkspaceCount, WorkspaceFilter, WorkspaceTags,
};
use fabric_model::workspace::{Workspace, WorkspaceId};
use fabric_model::{ApiError, Invalid, Nothing, Request};
use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::workspace::{DEFAULT_ENTERPRISE_PROJECT, WorkspaceRecord};
use crate::api::around::Around;
use crate::mock::operations::{Learning, Mock, Service, found, page_of};
use crate::mock::projects::Project;
use crate::mock::table::{Making, Record, Selection};
use crate::mock::tables::Registered;

pub(super) fn resource() -> Registered {
    Registered::of::<TagsRecord>()
}

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service
        .operation(create)
        .operation(delete)
        .operation(list)
        .operation(list_of_project)
        .operation(filter)
        .operation(count)
        .learning(|request: Request<BatchCreateFabricWorkspaceTags>, _, learning| {
            let id = request.path.workspace_id;
            learning.observe::<WorkspaceRecord>(workspace(&id));
            let _ = add(learning.project, &id, request.body, learning.now);
        })
        .learning(|request: Request<BatchDeleteFabricWorkspaceTags>, _, learning| {
            let id = request.path.workspace_id;
            learning.observe::<WorkspaceRecord>(workspace(&id));
            let _ = remove(learning.project, &id, &request.body, learning.now);
        })
        .learning(|request: Request<ListFabricWorkspaceTags>, page, learning| {
            let WorkspaceTags { tags, sys_tags } = page;
            let (query, id) = (request.query, Some(request.path.workspace_id.into()));
            // A part of the tags does not tell which others there are.
            if query.offset == 0 && tags.len() < query.limit as usize {
                let seen =
                    TaggedWorkspace { resource_id: id, tags, sys_tags, ..Default::default() };
                observe(learning, seen);
            }
        })
        .learning(|_: Request<ListTagFabricWorkspaces>, page, learning| {
            page.resources.into_iter().for_each(|seen| observe(learning, seen));
        })
}

/// Learns of a workspace and its tags.
fn observe(learning: &mut Learning<'_>, seen: TaggedWorkspace) {
    learning.observe::<WorkspaceRecord>(Workspace {
        id: seen.resource_id.clone(),
        name: seen.resource_name.clone(),
        enterprise_project_id: seen.sys_tags.first().map(|tag| tag.value.clone()),
        ..Workspace::default()
    });
    learning.observe::<TagsRecord>(seen);
}

/// What is known of a workspace that can be tagged: that it is there.
fn workspace(id: &WorkspaceId) -> Workspace {
    Workspace { id: Some(id.to_string()), ..Workspace::default() }
}

/// What is kept of the tags of a workspace. Its name and its enterprise project are kept of the workspace itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TagsRecord {
    workspace_id: WorkspaceId,
    /// The value of each key.
    tags: BTreeMap<String, String>,
}

impl Record for TagsRecord {
    type Resource = Tags;

    fn id(&self) -> &str {
        self.workspace_id.as_str()
    }

    fn owner(&self) -> &str {
        self.workspace_id.as_str()
    }

    fn answer(&self, _: SystemTime) -> TaggedWorkspace {
        TaggedWorkspace {
            resource_id: Some(self.workspace_id.to_string()),
            tags: tags_of(&self.tags).collect(),
            ..TaggedWorkspace::default()
        }
    }

    fn learn(
        answer: TaggedWorkspace,
        _: Option<&Self>,
        making: &mut Making<'_>,
    ) -> Result<Self, Invalid> {
        if answer.resource_id.is_some_and(|id| id != making.owner) {
            return Err(Invalid::new("resource_id", "must be the id of the workspace"));
        }
        let tags = answer.tags.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default()));
        Ok(Self { workspace_id: WorkspaceId::try_from(making.owner)?, tags: tags.collect() })
    }
}

/// The tags of a workspace, ordered by key.
fn tags_of(tags: &BTreeMap<String, String>) -> impl Iterator<Item = Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: Some(value.clone()) })
}

/// The system tag of a workspace: its enterprise project.
fn system_tag_of(workspace: &WorkspaceRecord) -> SystemTag {
    SystemTag { key: SystemTag::KEY.to_owned(), value: workspace.enterprise_project_id.clone() }
}

async fn create(
    mock: Mock,
    request: Request<BatchCreateFabricWorkspaceTags>,
) -> Result<Nothing, ApiError> {
    let id = request.path.workspace_id;
    mock.project(|project| add(project, &id, request.body, mock.now))
}

fn add(
    project: &mut Project,
    id: &WorkspaceId,
    asked: TagsCreate,
    now: SystemTime,
) -> Result<Nothing, ApiError> {
    let workspace = found(project.table::<WorkspaceRecord>().get_mut(id.as_str(), now))?;
    for tag in asked.sys_tags.into_iter().flatten() {
        workspace.enterprise_project_id = tag.value;
    }
    let tags = asked.tags.unwrap_or_default();
    if tags.is_empty() {
        return Ok(Nothing {});
    }
    let table = project.table::<TagsRecord>();
    table.insert(TagsRecord { workspace_id: id.clone(), tags: BTreeMap::new() }, now);
    if let Some(record) = table.get_mut(id.as_str(), now) {
        record.tags.extend(tags.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())));
    }
    Ok(Nothing {})
}

async fn delete(
    mock: Mock,
    request: Request<BatchDeleteFabricWorkspaceTags>,
) -> Result<Nothing, ApiError> {
    let id = request.path.workspace_id;
    mock.project(|project| remove(project, &id, &request.body, mock.now))
}

fn remove(
    project: &mut Project,
    id: &WorkspaceId,
    asked: &TagsDelete,
    now: SystemTime,
) -> Result<Nothing, ApiError> {
    let workspace = found(project.table::<WorkspaceRecord>().get_mut(id.as_str(), now))?;
    for selector in asked.sys_tags.iter().flatten() {
        let is_value =
            selector.value.as_ref().is_none_or(|value| *value == workspace.enterprise_project_id);
        if selector.key == SystemTag::KEY && is_value {
            DEFAULT_ENTERPRISE_PROJECT.clone_into(&mut workspace.enterprise_project_id);
        }
    }
    let table = project.table::<TagsRecord>();
    let Some(record) = table.get_mut(id.as_str(), now) else { return Ok(Nothing {}) };
    for selector in asked.tags.iter().flatten() {
        let known = record.tags.get(&selector.key);
        if selector.value.is_none() || selector.value.as_ref() == known {
            record.tags.remove(&selector.key);
        }
    }
    // A workspace without tags is as one that never had any.
    if record.tags.is_empty() {
        table.remove(id.as_str(), now);
    }
    Ok(Nothing {})
}

async fn list(
    mock: Mock,
    request: Request<ListFabricWorkspaceTags>,
) -> Result<WorkspaceTags, ApiError> {
    let id = request.path.workspace_id.as_str();
    let (offset, limit) = page_of(&request.query);
    mock.project(|project| {
        let workspace = found(project.records::<WorkspaceRecord>().get(id, mock.now))?;
        let sys_tags = vec![system_tag_of(workspace)];
        let record = project.records::<TagsRecord>().get(id, mock.now);
        let tags = record.into_iter().flat_map(|record| tags_of(&record.tags));
        Ok(WorkspaceTags { tags: tags.skip(offset).take(limit).collect(), sys_tags })
    })
}

async fn list_of_project(
    mock: Mock,
    request: Request<ListFabricProjectTags>,
) -> Result<ProjectTags, ApiError> {
    let (offset, limit) = page_of(&request.query);
    let list = mock.look(move |project| {
        let mut values_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (key, value) in project.records::<TagsRecord>().iter().flat_map(|record| &record.tags) {
            values_of.entry(key).or_default().insert(value);
        }
        let tags = values_of.into_iter().skip(offset).take(limit).map(|(key, values)| TagValues {
            key: key.to_owned(),
            values: Some(values.into_iter().map(str::to_owned).collect()),
        });
        ProjectTags { tags: tags.collect() }
    });
    Ok(list.await)
}

async fn filter(
    mock: Mock,
    request: Request<ListTagFabricWorkspaces>,
) -> Result<TaggedWorkspacePage, ApiError> {
    let (page, body, now) = (page_of(&request.query), request.body, mock.now);
    let (resources, total) = mock.look(move |project| find(project, &body, page, now)).await;
    Ok(TaggedWorkspacePage { resources, total_count: Some(total as u64) })
}

async fn count(
    mock: Mock,
    request: Request<CountTagFabricWorkspaces>,
) -> Result<WorkspaceCount, ApiError> {
    let (body, now) = (request.body, mock.now);
    let (_, total) = mock.look(move |project| find(project, &body, (0, 0), now)).await;
    Ok(WorkspaceCount { total_count: Some(total as u64) })
}

/// A page of the workspaces that a filter matches, and how many are on all pages.
fn find(
    project: &Project,
    filter: &WorkspaceFilter,
    page: (usize, usize),
    now: SystemTime,
) -> (Vec<TaggedWorkspace>, usize) {
    let tagged = project.records::<TagsRecord>().iter();
    let tagged: HashMap<&str, _> = tagged.map(|record| (record.id(), &record.tags)).collect();
    let none = BTreeMap::new();
    let of = |workspace: &WorkspaceRecord| *tagged.get(workspace.id()).unwrap_or(&&none);
    let is_match = |workspace: &WorkspaceRecord| is_match(filter, workspace, of(workspace));
    let selection = Selection { is_match: Some(&is_match), ..Selection::default() };
    project.records::<WorkspaceRecord>().page(&selection, page, now, |workspace| TaggedWorkspace {
        resource_id: Some(workspace.id().to_owned()),
        resource_name: Some(workspace.name.clone()),
        resource_detail: Some(Map::new()),
        tags: tags_of(of(workspace)).collect(),
        sys_tags: vec![system_tag_of(workspace)],
    })
}

fn is_match(
    filter: &WorkspaceFilter,
    workspace: &WorkspaceRecord,
    tags: &BTreeMap<String, String>,
) -> bool {
    let is_tagged_so = if filter.without_any_tag == Some(true) {
        tags.is_empty()
    } else {
        filter.tags.iter().flatten().all(|wanted| {
            let values = wanted.values.as_deref().unwrap_or_default();
            let value = tags.get(&wanted.key);
            value.is_some_and(|value| values.is_empty() || values.contains(value))
        })
    };
    let mut parts = filter.matches.iter().flatten().filter_map(|wanted| wanted.value.as_ref());
    let mut enterprise_projects = filter.sys_tags.iter().flatten();
    is_tagged_so
        && parts.all(|part| workspace.name.contains(part))
        && enterprise_projects
            .all(|wanted| wanted.values.contains(&workspace.enterprise_project_id))
}
