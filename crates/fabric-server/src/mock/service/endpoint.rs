//! Endpoints: what the mock keeps of them, and how it answers.

use std::time::SystemTime;

use fabric_model::endpoint::{
    AddressType, CreateEndpoint, DeleteEndpoint, DeletedEndpoint, Endpoint, EndpointAddress,
    EndpointEnvironment, EndpointId, EndpointPage, EndpointPath, EndpointRevision, EndpointStatus,
    EndpointSummary, EndpointType, Endpoints, ListEndpoints, ListEndpointsQuery, ShowEndpoint,
    SubscribeEndpoint, TokenQuota, UpdateEndpoint,
};
use fabric_model::user::User;
use fabric_model::visibility::{Visibility, VisibilityFilter};
use fabric_model::workspace::WorkspaceId;
use fabric_model::{ApiError, Failure, Invalid, Nothing, Request};
use serde::{Deserialize, Serialize};

use super::workspace::WorkspaceRecord;
use crate::api::around::Around;
use crate::api::time;
use crate::mock::fault::rule::Outcome;
use crate::mock::operations::{Mock, Seen, Service, found, page_of};
use crate::mock::table::{Making, Record, Selection};
use crate::mock::tables::Registered;

pub(super) fn resource() -> Registered {
    Registered::of::<EndpointRecord>()
}

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service
        .operation(create)
        .operation(list)
        .operation(show)
        .operation(update)
        .operation(delete)
        .operation(subscribe)
        .teaching(|_: Request<CreateEndpoint>, answer| vec![there(answer)])
        .teaching(|_: Request<ListEndpoints>, page| {
            page.endpoints.into_iter().map(|endpoint| there(endpoint.into())).collect()
        })
        .teaching(|request: Request<ShowEndpoint>, answer| match request.query.version {
            EndpointRevision::Previous => Vec::new(),
            _ => vec![there(answer)],
        })
        .teaching(|_: Request<UpdateEndpoint>, answer| vec![there(answer)])
        .teaching(|request: Request<DeleteEndpoint>, _| {
            vec![Seen::<EndpointRecord>::Gone(request.path.endpoint_id.into())]
        })
        .teaching(|request: Request<SubscribeEndpoint>, _| {
            vec![there(Endpoint {
                id: Some(request.path.endpoint_id.into()),
                visibility: Some(Visibility::Public),
                status: Some(EndpointStatus::Running),
                ..Endpoint::default()
            })]
        })
}

fn there(answer: Endpoint) -> Seen<EndpointRecord> {
    Seen::There(answer)
}

/// The account and the user who create endpoints in a mock, which has neither.
const CREATOR: &str = "mock";

/// What is kept of an endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointRecord {
    id: EndpointId,
    workspace_id: WorkspaceId,
    /// In whole milliseconds.
    #[serde(with = "time")]
    created_at: SystemTime,
    current: Revision,
    /// What it was before the last update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Revision>,
    #[serde(default)]
    rest: Rest,
    change: Change,
}

/// What an endpoint is, or was before an update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Revision {
    /// As it is answered, but for its id, state and times.
    endpoint: Endpoint,
    #[serde(with = "time")]
    updated_at: SystemTime,
}

/// What an endpoint is when nothing is under way and nothing has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Rest {
    #[default]
    Running,
    Frozen,
    Inactive,
}

/// What an endpoint is going through, or went through last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    kind: ChangeKind,
    #[serde(with = "time")]
    ends_at: SystemTime,
    /// Why it ends in failure, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ChangeKind {
    Creation,
    Update,
    Deletion,
}

/// Why a change failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cause {
    code: String,
    message: String,
}

impl Cause {
    /// What the mock says where nobody has said more.
    fn new(kind: ChangeKind) -> Self {
        let what = match kind {
            ChangeKind::Creation => "creation",
            ChangeKind::Update => "update",
            ChangeKind::Deletion => "deletion",
        };
        Self {
            code: Failure::Internal.code().to_owned(),
            message: format!("the {what} of the endpoint failed"),
        }
    }
}

impl Change {
    /// A change that a call begins.
    fn begun(kind: ChangeKind, mock: &Mock) -> Self {
        let ends_at = match kind {
            ChangeKind::Creation => mock.behaviour().running_from(mock.now),
            ChangeKind::Update => mock.behaviour().updated_from(mock.now),
            ChangeKind::Deletion => mock.behaviour().gone_from(mock.now),
        };
        let cause = mock.outcome.map(|Outcome::Failed| Cause::new(kind));
        Self { kind, ends_at, cause }
    }
}

impl EndpointRecord {
    /// Where the endpoint is in its life at a time.
    fn status(&self, now: SystemTime) -> EndpointStatus {
        let Change { kind, ends_at, cause } = &self.change;
        match (kind, now < *ends_at, cause) {
            (ChangeKind::Creation, true, _) => EndpointStatus::Creating,
            (ChangeKind::Creation, false, Some(_)) => EndpointStatus::CreateFailed,
            (ChangeKind::Update, true, _) => EndpointStatus::Updating,
            (ChangeKind::Update, false, Some(_)) => EndpointStatus::UpdateFailed,
            (ChangeKind::Deletion, true, _) => EndpointStatus::Deleting,
            (ChangeKind::Deletion, false, Some(_)) => EndpointStatus::DeleteFailed,
            (ChangeKind::Deletion, false, None) => EndpointStatus::Deleted,
            (ChangeKind::Creation | ChangeKind::Update, false, None) => match self.rest {
                Rest::Running => EndpointStatus::Running,
                Rest::Frozen => EndpointStatus::Frozen,
                Rest::Inactive => EndpointStatus::Inactive,
            },
        }
    }

    /// The answer with the configuration of a revision.
    fn answer_with(&self, revision: &Revision, now: SystemTime) -> Endpoint {
        let cause = self.change.cause.as_ref().filter(|_| self.change.ends_at <= now);
        Endpoint {
            id: Some(self.id.to_string()),
            status: Some(self.status(now)),
            error_code: cause.map(|cause| cause.code.clone()),
            error_msg: cause.map(|cause| cause.message.clone()),
            create_time: Some(time::write(self.created_at)),
            update_time: Some(time::write(revision.updated_at)),
            ..revision.endpoint.clone()
        }
    }

    /// Whether a list shows it, but for its id and name.
    fn is_listed(&self, query: &ListEndpointsQuery) -> bool {
        let endpoint = &self.current.endpoint;
        let is_public = endpoint.visibility == Some(Visibility::Public);
        let is_visible = match query.visibility {
            Some(VisibilityFilter::Public) => is_public,
            Some(VisibilityFilter::Private) => !is_public,
            Some(_) => true,
            None => !is_public || self.is_own(),
        };
        // No answer says which model an endpoint serves.
        is_visible
            && query.model_id.is_none()
            && query.r#type.as_ref().is_none_or(|kind| endpoint.r#type.as_ref() == Some(kind))
    }

    /// Whether it was created by the user whom the mock takes all callers for.
    fn is_own(&self) -> bool {
        let owner = self.current.endpoint.owner.as_ref();
        owner.is_some_and(|owner| owner.user_name.as_deref() == Some(CREATOR))
    }
}

impl Record for EndpointRecord {
    type Resource = Endpoints;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn owner(&self) -> &str {
        self.workspace_id.as_str()
    }

    fn name(&self) -> &str {
        self.current.endpoint.name.as_deref().unwrap_or_default()
    }

    fn created_at(&self) -> SystemTime {
        self.created_at
    }

    fn gone_from(&self) -> Option<SystemTime> {
        let Change { kind, ends_at, cause } = &self.change;
        (*kind == ChangeKind::Deletion && cause.is_none()).then_some(*ends_at)
    }

    fn answer(&self, now: SystemTime) -> Endpoint {
        self.answer_with(&self.current, now)
    }

    fn learn(
        answer: Endpoint,
        known: Option<&Self>,
        making: &mut Making<'_>,
    ) -> Result<Self, Invalid> {
        let id: EndpointId = making.id(answer.id.clone())?;
        let created_at = making
            .created_at(answer.create_time.as_deref(), known.map(|known| known.created_at))?;
        let updated_at = match &answer.update_time {
            Some(text) => time::read(text).map_err(|rule| Invalid::new("update_time", rule))?,
            None => known.map_or(created_at, |known| known.current.updated_at),
        };
        let (rest, change) = state_of(&answer, known, created_at, making)?;
        let made_up = || {
            let kind = answer.r#type.clone().unwrap_or(EndpointType::Job);
            let mut endpoint = new_endpoint(&id, kind, AddressType::Private);
            endpoint.business_engine_instance_ids = vec![making.draws.uuid().to_string()];
            endpoint.name =
                Some(format!("endpoint-{:08x}", making.draws.between(0..=u32::MAX.into())));
            endpoint
        };
        let before = known.map_or_else(made_up, |known| known.current.endpoint.clone());
        let endpoint = filled_in(answer, before);
        Ok(Self {
            workspace_id: WorkspaceId::try_from(making.owner)?,
            id,
            created_at,
            current: Revision { endpoint, updated_at: time::whole_milliseconds(updated_at) },
            previous: known.and_then(|known| known.previous.clone()),
            rest,
            change,
        })
    }
}

/// The state that an answer or fixtures tell of. What is under way and has an error ends in failure.
fn state_of(
    answer: &Endpoint,
    known: Option<&EndpointRecord>,
    created_at: SystemTime,
    making: &Making<'_>,
) -> Result<(Rest, Change), Invalid> {
    let (now, behaviour) = (making.now, making.behaviour);
    let rest = known.map_or(Rest::Running, |known| known.rest);
    let status = match (&answer.status, known) {
        (Some(status), _) => status,
        (None, Some(known)) => return Ok((rest, known.change.clone())),
        (None, None) => &EndpointStatus::Running,
    };
    let (rest, kind, ends_at) = match status {
        EndpointStatus::Running => (Rest::Running, ChangeKind::Creation, created_at),
        EndpointStatus::Frozen => (Rest::Frozen, ChangeKind::Creation, created_at),
        EndpointStatus::Inactive => (Rest::Inactive, ChangeKind::Creation, created_at),
        EndpointStatus::Creating => (rest, ChangeKind::Creation, behaviour.running_from(now)),
        EndpointStatus::CreateFailed => (rest, ChangeKind::Creation, created_at),
        EndpointStatus::Updating => (rest, ChangeKind::Update, behaviour.updated_from(now)),
        EndpointStatus::UpdateFailed => (rest, ChangeKind::Update, created_at),
        EndpointStatus::Deleting => (rest, ChangeKind::Deletion, behaviour.gone_from(now)),
        EndpointStatus::DeleteFailed => (rest, ChangeKind::Deletion, created_at),
        _ => return Err(Invalid::new("status", "must be a documented state other than DELETED")),
    };
    let is_at_rest = matches!(
        status,
        EndpointStatus::Running | EndpointStatus::Frozen | EndpointStatus::Inactive
    );
    let has_failed = matches!(
        status,
        EndpointStatus::CreateFailed | EndpointStatus::UpdateFailed | EndpointStatus::DeleteFailed
    );
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (code, message) = (given(&answer.error_code), given(&answer.error_msg));
    let fails = has_failed || (!is_at_rest && (code.is_some() || message.is_some()));
    let cause = fails.then(|| {
        let made_up = Cause::new(kind);
        Cause { code: code.unwrap_or(made_up.code), message: message.unwrap_or(made_up.message) }
    });
    Ok((rest, Change { kind, ends_at, cause }))
}

/// An endpoint as it was seen, and where that says nothing as it is known; without what a record keeps apart.
fn filled_in(seen: Endpoint, known: Endpoint) -> Endpoint {
    fn list<T>(seen: Vec<T>, known: Vec<T>) -> Vec<T> {
        if seen.is_empty() { known } else { seen }
    }
    Endpoint {
        visibility: seen.visibility.or(known.visibility),
        name: seen.name.or(known.name),
        description: seen.description.or(known.description),
        r#type: seen.r#type.or(known.r#type),
        owner: seen.owner.or(known.owner),
        cap: seen.cap.or(known.cap),
        custom_image_id: seen.custom_image_id.or(known.custom_image_id),
        reserved_resource: seen.reserved_resource.or(known.reserved_resource),
        ray_resource: seen.ray_resource.or(known.ray_resource),
        config: seen.config.or(known.config),
        urls: list(seen.urls, known.urls),
        business_engine_instance_ids: list(
            seen.business_engine_instance_ids,
            known.business_engine_instance_ids,
        ),
        runtime_env_type: seen.runtime_env_type.or(known.runtime_env_type),
        tokens_quota: seen.tokens_quota.or(known.tokens_quota),
        id: None,
        status: None,
        error_code: None,
        error_msg: None,
        create_time: None,
        update_time: None,
    }
}

/// What the service would make up of a new endpoint.
fn new_endpoint(id: &EndpointId, kind: EndpointType, reach: AddressType) -> Endpoint {
    let tokens_quota = (kind == EndpointType::Inference).then_some(TokenQuota {
        total: Some(TOKENS),
        used: Some(0),
        expire_time: None,
    });
    Endpoint {
        visibility: Some(Visibility::Private),
        r#type: Some(kind),
        owner: Some(User {
            domain_name: Some(CREATOR.to_owned()),
            user_name: Some(CREATOR.to_owned()),
            ..User::default()
        }),
        urls: vec![EndpointAddress {
            address: Some(format!("https://{id}.fabric.example.com/")),
            name: Some("ApiInvoke".to_owned()),
            token: None,
            r#type: Some(reach),
        }],
        runtime_env_type: Some(EndpointEnvironment::Release),
        tokens_quota,
        ..Endpoint::default()
    }
}

/// How many tokens an endpoint for inference may process.
const TOKENS: i64 = 1_000_000;

async fn create(mock: Mock, request: Request<CreateEndpoint>) -> Result<Endpoint, ApiError> {
    let (workspace_id, body, now) = (request.path.workspace_id, request.body, mock.now);
    mock.project_to_fill::<EndpointRecord, _>(|project| {
        project.owner::<WorkspaceRecord>(workspace_id.as_str(), now)?;
        let id = EndpointId::try_from(project.new_id::<EndpointRecord>(now))?;
        let reach = match body.public_access {
            Some(true) => AddressType::Public,
            _ => AddressType::Private,
        };
        let endpoint = Endpoint {
            name: Some(body.name),
            description: body.description,
            cap: body.cap,
            custom_image_id: body.custom_image_id,
            reserved_resource: body.reserved_resource,
            ray_resource: body.ray_resource.map(Into::into),
            config: body.config.map(Into::into),
            business_engine_instance_ids: vec![project.draws.uuid().to_string()],
            ..new_endpoint(&id, body.r#type, reach)
        };
        let record = EndpointRecord {
            id,
            workspace_id,
            created_at: now,
            current: Revision { endpoint, updated_at: now },
            previous: None,
            rest: Rest::Running,
            change: Change::begun(ChangeKind::Creation, &mock),
        };
        let answer = record.answer(now);
        project.table().insert(record, now);
        Ok(answer)
    })
}

async fn list(mock: Mock, request: Request<ListEndpoints>) -> Result<EndpointPage, ApiError> {
    let (workspace, query, now) = (request.path.workspace_id, request.query, mock.now);
    let list = mock.look(move |project| {
        project.owner::<WorkspaceRecord>(workspace.as_str(), now)?;
        let is_match = |record: &EndpointRecord| record.is_listed(&query);
        let selection = Selection {
            owner: Some(workspace.as_str()),
            id: query.endpoint_id.as_deref(),
            name: query.name.as_deref(),
            is_match: Some(&is_match),
            ..Selection::default()
        };
        let table = project.records::<EndpointRecord>();
        let (endpoints, total) = table.page(&selection, page_of(&query), now, |record| {
            EndpointSummary::from(record.answer(now))
        });
        Ok(EndpointPage { endpoints, total: Some(total as u64) })
    });
    list.await
}

async fn show(mock: Mock, request: Request<ShowEndpoint>) -> Result<Endpoint, ApiError> {
    let EndpointPath { workspace_id, endpoint_id } = request.path;
    let (workspace, id) = (workspace_id.as_str(), endpoint_id.as_str());
    found(mock.project(|project| {
        let record = project.records::<EndpointRecord>().get_of(workspace, id, mock.now)?;
        let revision = match request.query.version {
            EndpointRevision::Previous => record.previous.as_ref()?,
            _ => &record.current,
        };
        Some(record.answer_with(revision, mock.now))
    }))
}

async fn update(mock: Mock, request: Request<UpdateEndpoint>) -> Result<Endpoint, ApiError> {
    let EndpointPath { workspace_id, endpoint_id } = request.path;
    let (workspace, id) = (workspace_id.as_str(), endpoint_id.as_str());
    let body = request.body;
    mock.project(|project| {
        let table = project.table::<EndpointRecord>();
        let record = found(table.get_mut_of(workspace, id, mock.now))?;
        let status = record.status(mock.now);
        if !matches!(status, EndpointStatus::Running | EndpointStatus::UpdateFailed) {
            let rule = format!("must be RUNNING or UPDATE_FAILED, not {status}");
            return Err(Invalid::new("endpoint_id", rule).into());
        }
        record.previous = Some(record.current.clone());
        let Revision { endpoint, updated_at } = &mut record.current;
        endpoint.name = body.name.or(endpoint.name.take());
        endpoint.description = body.description.or(endpoint.description.take());
        endpoint.cap = body.cap.or(endpoint.cap.take());
        endpoint.reserved_resource = body.reserved_resource.or(endpoint.reserved_resource.take());
        endpoint.ray_resource = body.ray_resource.map(Into::into).or(endpoint.ray_resource.take());
        *updated_at = mock.now;
        record.change = Change::begun(ChangeKind::Update, &mock);
        Ok(record.answer(mock.now))
    })
}

async fn delete(mock: Mock, request: Request<DeleteEndpoint>) -> Result<DeletedEndpoint, ApiError> {
    let EndpointPath { workspace_id, endpoint_id } = request.path;
    let (workspace, id) = (workspace_id.as_str(), endpoint_id.as_str());
    found(mock.project(|project| {
        let table = project.table::<EndpointRecord>();
        if table.get_of(workspace, id, mock.now)?.status(mock.now) != EndpointStatus::Deleting {
            let change = Change::begun(ChangeKind::Deletion, &mock);
            table.delete(id, mock.now, |record| record.change = change);
        }
        Some(DeletedEndpoint { id: Some(id.to_owned()) })
    }))
}

async fn subscribe(mock: Mock, request: Request<SubscribeEndpoint>) -> Result<Nothing, ApiError> {
    let EndpointPath { workspace_id, endpoint_id } = request.path;
    let (workspace, id) = (workspace_id.as_str(), endpoint_id.as_str());
    mock.project(|project| {
        let table = project.table::<EndpointRecord>();
        let record = found(table.get_mut_of(workspace, id, mock.now))?;
        if record.current.endpoint.visibility != Some(Visibility::Public) {
            return Err(Invalid::new("endpoint_id", "must be a public endpoint").into());
        }
        match record.status(mock.now) {
            EndpointStatus::Frozen => {
                return Err(Invalid::new("endpoint_id", "must not be FROZEN").into());
            }
            EndpointStatus::Inactive => record.rest = Rest::Running,
            _ => {}
        }
        Ok(Nothing {})
    })
}
