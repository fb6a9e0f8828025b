//! Access clients: what the mock keeps of them, and how it answers.

use std::time::SystemTime;

use fabric_model::access_client::{
    AccessClient, AccessClientCreate, AccessClientPage, AccessClientStatus, AccessClients,
    AccessConnection, CreateAccessClient, DeleteAccessClient, ListAccessClients, ShowAccessClient,
    UpdateAccessClient,
};
use fabric_model::{AccessClientId, ApiError, Invalid, Nothing, Request, charset};
use serde::{Deserialize, Serialize};

use crate::api::around::Around;
use crate::api::time;
use crate::mock::behaviour::Profile;
use crate::mock::operations::{Mock, Seen, Service, found, page_of};
use crate::mock::random::Draws;
use crate::mock::table::{Making, Record, Selection};
use crate::mock::tables::Registered;

pub(super) fn resource() -> Registered {
    Registered::of::<AccessClientRecord>()
}

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service
        .operation(create)
        .operation(list)
        .operation(show)
        .operation(update)
        .operation(delete)
        .teaching(|_: Request<CreateAccessClient>, answer| vec![there(answer)])
        .teaching(|_: Request<ListAccessClients>, page| {
            page.access_client_infos.into_iter().map(there).collect()
        })
        .teaching(|_: Request<ShowAccessClient>, answer| vec![there(answer)])
        .teaching(|request: Request<UpdateAccessClient>, _| {
            let (id, name) = (Some(request.path.client_id.into()), request.body.name);
            vec![there(AccessClient { id, name, ..AccessClient::default() })]
        })
        .teaching(|request: Request<DeleteAccessClient>, _| {
            vec![Seen::<AccessClientRecord>::Gone(request.path.client_id.into())]
        })
}

fn there(answer: AccessClient) -> Seen<AccessClientRecord> {
    Seen::There(answer)
}

/// What is kept of an access client: times, from which its status follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessClientRecord {
    id: AccessClientId,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vpc_id: Option<String>,
    subnet_ids: Vec<String>,
    access_connections: Vec<AccessConnection>,
    /// In whole milliseconds, since that is what callers see and lists are sorted by.
    #[serde(with = "time")]
    created_at: SystemTime,
    #[serde(with = "time")]
    running_from: SystemTime,
    #[serde(with = "time::optional", default, skip_serializing_if = "Option::is_none")]
    gone_from: Option<SystemTime>,
}

impl AccessClientRecord {
    /// Where the access client is in its life at a time.
    fn status(&self, now: SystemTime) -> AccessClientStatus {
        match self.gone_from {
            Some(gone) if gone <= now => AccessClientStatus::Deleted,
            Some(_) => AccessClientStatus::Deleting,
            None if self.running_from <= now => AccessClientStatus::Running,
            None => AccessClientStatus::Creating,
        }
    }
}

impl Record for AccessClientRecord {
    type Resource = AccessClients;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn created_at(&self) -> SystemTime {
        self.created_at
    }

    fn gone_from(&self) -> Option<SystemTime> {
        self.gone_from
    }

    fn answer(&self, now: SystemTime) -> AccessClient {
        AccessClient {
            id: Some(self.id.to_string()),
            name: Some(self.name.clone()),
            status: Some(self.status(now)),
            vpc_id: self.vpc_id.clone(),
            subnet_ids: self.subnet_ids.clone(),
            access_connections: self.access_connections.clone(),
            create_time: Some(time::write(self.created_at)),
        }
    }

    fn learn(
        answer: AccessClient,
        known: Option<&Self>,
        making: &mut Making<'_>,
    ) -> Result<Self, Invalid> {
        let id = making.id(answer.id)?;
        let created_at = making
            .created_at(answer.create_time.as_deref(), known.map(|known| known.created_at))?;
        let (running_from, gone_from) = match (answer.status, known) {
            (Some(AccessClientStatus::Creating), _) => {
                (making.behaviour.running_from(making.now), None)
            }
            (Some(AccessClientStatus::Deleting), _) => {
                (created_at, Some(making.behaviour.gone_from(making.now)))
            }
            (Some(AccessClientStatus::Running), _) | (None, None) => (created_at, None),
            (None, Some(known)) => (known.running_from, known.gone_from),
            (Some(_), _) => {
                return Err(Invalid::new("status", "must be CREATING, RUNNING or DELETING"));
            }
        };
        let made = known.cloned();
        Ok(Self {
            id,
            name: answer
                .name
                .or(made.as_ref().map(|known| known.name.clone()))
                .unwrap_or_else(|| new_name(making.draws)),
            vpc_id: answer.vpc_id.or(made.as_ref().and_then(|known| known.vpc_id.clone())),
            subnet_ids: kept(answer.subnet_ids, known.map(|known| &known.subnet_ids)),
            access_connections: kept(
                answer.access_connections,
                known.map(|known| &known.access_connections),
            ),
            created_at,
            running_from,
            gone_from,
        })
    }
}

/// A list as it was seen, or else as it is known.
fn kept<T: Clone>(seen: Vec<T>, known: Option<&Vec<T>>) -> Vec<T> {
    if seen.is_empty() { known.cloned().unwrap_or_default() } else { seen }
}

fn new_name(draws: &mut Draws) -> String {
    format!("client-{:08x}", draws.between(0..=u32::MAX.into()))
}

/// An address of the range that is set aside for documentation.
fn new_address(draws: &mut Draws) -> String {
    format!("192.0.2.{}", draws.between(1..=254))
}

async fn create(
    mock: Mock,
    request: Request<CreateAccessClient>,
) -> Result<AccessClient, ApiError> {
    let body = request.body;
    if mock.behaviour().profile == Profile::Strict {
        check_strictly(&body)?;
    }
    let subnet_ids = if body.subnet_ids.is_empty() {
        body.subnet_id.map(String::from).into_iter().collect()
    } else {
        body.subnet_ids
    };
    let now = mock.now;
    mock.project_to_fill::<AccessClientRecord, _>(|project| {
        let access_connections = body.access_connections.into_iter().map(|asked| {
            let draws = &mut project.draws;
            AccessConnection {
                vpcep_id: Some(asked.vpcep_id.unwrap_or_else(|| draws.uuid().to_string())),
                subnet_id: subnet_ids.first().cloned(),
                domain: asked.domain,
                ip: Some(new_address(draws)),
                owner: Some(mock.project.to_string()),
            }
        });
        let access_connections = access_connections.collect();
        let name = body.name.unwrap_or_else(|| new_name(&mut project.draws));
        let record = AccessClientRecord {
            id: AccessClientId::try_from(project.new_id::<AccessClientRecord>(now))?,
            name,
            vpc_id: body.vpc_id.map(String::from),
            subnet_ids,
            access_connections,
            created_at: now,
            running_from: mock.behaviour().running_from(now),
            gone_from: None,
        };
        let answer = record.answer(now);
        project.table().insert(record, now);
        Ok(answer)
    })
}

/// What a careful service would want of a new access client.
fn check_strictly(body: &AccessClientCreate) -> Result<(), Invalid> {
    let is_placed = body.subnet_id.is_some()
        || !body.subnet_ids.is_empty()
        || !body.access_connections.is_empty();
    for (is_given, field) in [
        (body.name.is_some(), "name"),
        (body.vpc_id.is_some(), "vpc_id"),
        (is_placed, "subnet_id, subnet_ids or access_connections"),
    ] {
        if !is_given {
            return Err(Invalid::new(field, "must be given (profile strict)"));
        }
    }
    Ok(())
}

async fn list(
    mock: Mock,
    request: Request<ListAccessClients>,
) -> Result<AccessClientPage, ApiError> {
    let (query, now) = (request.query, mock.now);
    let list = mock.look(move |project| {
        let selection = Selection {
            id: query.id.as_ref().map(AccessClientId::as_str),
            name: query.name.as_deref(),
            ..Selection::default()
        };
        let table = project.records::<AccessClientRecord>();
        table.page(&selection, page_of(&query), now, |record| record.answer(now))
    });
    let (access_client_infos, total) = list.await;
    Ok(AccessClientPage { access_client_infos, total: Some(total as u64) })
}

async fn show(mock: Mock, request: Request<ShowAccessClient>) -> Result<AccessClient, ApiError> {
    let id = request.path.client_id.as_str();
    found(mock.project(|project| {
        let record = project.records::<AccessClientRecord>().get(id, mock.now)?;
        Some(record.answer(mock.now))
    }))
}

async fn update(mock: Mock, request: Request<UpdateAccessClient>) -> Result<Nothing, ApiError> {
    let name = request.body.name;
    if mock.behaviour().profile == Profile::Strict
        && let Some(name) = &name
        && !charset::NAME.fits(name)
    {
        let rule = "must have only characters that an answer may hold (profile strict)";
        return Err(Invalid::new("name", rule).into());
    }
    let id = request.path.client_id.as_str();
    mock.project(|project| {
        let record = found(project.table::<AccessClientRecord>().get_mut(id, mock.now))?;
        if record.status(mock.now) == AccessClientStatus::Deleting {
            let rule = "must not be an access client that is DELETING";
            return Err(Invalid::new("client_id", rule).into());
        }
        if let Some(name) = name {
            record.name = name;
        }
        Ok(Nothing {})
    })
}

async fn delete(mock: Mock, request: Request<DeleteAccessClient>) -> Result<Nothing, ApiError> {
    let id = request.path.client_id.as_str();
    let gone = mock.behaviour().gone_from(mock.now);
    let is_known = mock.project(|project| {
        let table = project.table::<AccessClientRecord>();
        table.delete(id, mock.now, |record| record.gone_from = Some(gone))
    });
    found(is_known.then_some(Nothing {}))
}
