//! Workspaces: what the mock keeps of them, and how it answers.

use std::time::SystemTime;

use fabric_model::message::MessagePolicies;
use fabric_model::metrics::Metrics;
use fabric_model::tag::Tags;
use fabric_model::workspace::{
    CreateWorkspace, DeleteWorkspace, ListWorkspaces, ListWorkspacesQuery, UpdateWorkspace,
    Workspace, WorkspaceId, WorkspacePage, Workspaces,
};
use fabric_model::{ApiError, Invalid, Nothing, Request, Resource};
use serde::{Deserialize, Serialize};

use crate::api::around::Around;
use crate::api::time;
use crate::mock::operations::{Mock, Seen, Service, found, page_of};
use crate::mock::projects::Project;
use crate::mock::table::{Making, Record, Selection};
use crate::mock::tables::Registered;

pub(super) fn resource() -> Registered {
    Registered::of::<WorkspaceRecord>()
}

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service
        .operation(create)
        .operation(list)
        .operation(update)
        .operation(delete)
        .teaching(|_: Request<CreateWorkspace>, answer| vec![there(answer)])
        .teaching(|_: Request<ListWorkspaces>, page| {
            page.workspaces.into_iter().map(there).collect()
        })
        .teaching(|_: Request<UpdateWorkspace>, answer| vec![there(answer)])
        .teaching(|request: Request<DeleteWorkspace>, _| {
            vec![Seen::<WorkspaceRecord>::Gone(request.path.workspace_id.into())]
        })
}

fn there(answer: Workspace) -> Seen<WorkspaceRecord> {
    Seen::There(answer)
}

/// The enterprise project of a workspace that names none.
pub(super) const DEFAULT_ENTERPRISE_PROJECT: &str = "0";

/// The account and the user who create workspaces in a mock, which has neither.
const CREATOR: &str = "mock";

/// What is kept of a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkspaceRecord {
    id: WorkspaceId,
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    pub(super) enterprise_project_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metastore_id: Option<String>,
    access_url: String,
    create_domain_name: String,
    create_user_name: String,
    /// In whole milliseconds.
    #[serde(with = "time")]
    created_at: SystemTime,
}

impl Record for WorkspaceRecord {
    type Resource = Workspaces;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn created_at(&self) -> SystemTime {
        self.created_at
    }

    fn answer(&self, _: SystemTime) -> Workspace {
        Workspace {
            id: Some(self.id.to_string()),
            name: Some(self.name.clone()),
            description: self.description.clone(),
            enterprise_project_id: Some(self.enterprise_project_id.clone()),
            metastore_id: self.metastore_id.clone(),
            access_url: Some(self.access_url.clone()),
            create_domain_name: Some(self.create_domain_name.clone()),
            create_user_name: Some(self.create_user_name.clone()),
            create_time: Some(time::write(self.created_at)),
        }
    }

    fn learn(
        answer: Workspace,
        known: Option<&Self>,
        making: &mut Making<'_>,
    ) -> Result<Self, Invalid> {
        let id: WorkspaceId = making.id(answer.id)?;
        let created_at = making
            .created_at(answer.create_time.as_deref(), known.map(|known| known.created_at))?;
        let known = known.cloned().unwrap_or_else(|| Self {
            name: format!("workspace_{:08x}", making.draws.between(0..=u32::MAX.into())),
            access_url: access_url(&id),
            id: id.clone(),
            description: None,
            enterprise_project_id: DEFAULT_ENTERPRISE_PROJECT.to_owned(),
            metastore_id: None,
            create_domain_name: CREATOR.to_owned(),
            create_user_name: CREATOR.to_owned(),
            created_at,
        });
        Ok(Self {
            id,
            name: answer.name.unwrap_or(known.name),
            description: answer.description.or(known.description),
            enterprise_project_id: answer
                .enterprise_project_id
                .unwrap_or(known.enterprise_project_id),
            metastore_id: answer.metastore_id.or(known.metastore_id),
            access_url: answer.access_url.unwrap_or(known.access_url),
            create_domain_name: answer.create_domain_name.unwrap_or(known.create_domain_name),
            create_user_name: answer.create_user_name.unwrap_or(known.create_user_name),
            created_at,
        })
    }
}

fn access_url(id: &WorkspaceId) -> String {
    format!("https://{id}.fabric.example.com/")
}

async fn create(mock: Mock, request: Request<CreateWorkspace>) -> Result<Workspace, ApiError> {
    let body = request.body;
    mock.project_to_fill::<WorkspaceRecord, _>(|project| {
        let id = WorkspaceId::try_from(project.new_id::<WorkspaceRecord>(mock.now))?;
        let record = WorkspaceRecord {
            name: body.name,
            description: body.description,
            enterprise_project_id: body
                .enterprise_project_id
                .unwrap_or_else(|| DEFAULT_ENTERPRISE_PROJECT.to_owned()),
            metastore_id: body.metastore_id,
            access_url: access_url(&id),
            id,
            create_domain_name: CREATOR.to_owned(),
            create_user_name: CREATOR.to_owned(),
            created_at: mock.now,
        };
        let answer = record.answer(mock.now);
        project.table().insert(record, mock.now);
        Ok(answer)
    })
}

async fn list(mock: Mock, request: Request<ListWorkspaces>) -> Result<WorkspacePage, ApiError> {
    let (query, now) = (request.query, mock.now);
    let list = mock.look(move |project| {
        let enterprise_project = query.enterprise_project_id.as_str();
        let is_narrowed = enterprise_project != ListWorkspacesQuery::ALL_ENTERPRISE_PROJECTS;
        let is_match =
            |record: &WorkspaceRecord| record.enterprise_project_id == enterprise_project;
        let selection = Selection {
            id: query.id.as_ref().map(WorkspaceId::as_str),
            name: query.name.as_deref(),
            is_match: is_narrowed.then_some(&is_match),
            ..Selection::default()
        };
        let table = project.records::<WorkspaceRecord>();
        table.page(&selection, page_of(&query), now, |record| record.answer(now))
    });
    let (workspaces, total) = list.await;
    Ok(WorkspacePage { workspaces, total: total as u64 })
}

async fn update(mock: Mock, request: Request<UpdateWorkspace>) -> Result<Workspace, ApiError> {
    let (id, body) = (request.path.workspace_id.as_str(), request.body);
    mock.project(|project| {
        let record = found(project.table::<WorkspaceRecord>().get_mut(id, mock.now))?;
        if let Some(name) = body.name {
            record.name = name;
        }
        record.description = body.description.or(record.description.take());
        record.metastore_id = body.metastore_id.or(record.metastore_id.take());
        Ok(record.answer(mock.now))
    })
}

async fn delete(mock: Mock, request: Request<DeleteWorkspace>) -> Result<Nothing, ApiError> {
    let id = request.path.workspace_id.as_str();
    mock.project(|project| {
        project.owner::<WorkspaceRecord>(id, mock.now)?;
        check_empty(project, id, mock.now)?;
        project.remove::<WorkspaceRecord>(id, mock.now);
        Ok(Nothing {})
    })
}

/// What says something of a workspace, and goes with it: whatever else a workspace owns is in it.
const SETTINGS: [&str; 3] = [Tags::NAME, Metrics::NAME, MessagePolicies::NAME];

/// Checks that nothing is in a workspace.
fn check_empty(project: &Project, id: &str, now: SystemTime) -> Result<(), Invalid> {
    let owned = project.tables.owned(Workspaces::INFO, id, now);
    let contents = owned.iter().filter(|(resource, _)| !SETTINGS.contains(&resource.name));
    let contents = contents.map(|(resource, count)| match count {
        1 => format!("1 {}", resource.singular),
        _ => format!("{count} {}", resource.plural()),
    });
    let contents = contents.collect::<Vec<_>>().join(", ");
    if contents.is_empty() {
        return Ok(());
    }
    Err(Invalid::new("workspace_id", format!("must name an empty workspace; this has {contents}")))
}
