//! The service itself: a handler for each operation, and what a mock has besides.

pub(crate) mod control;
pub(crate) mod coverage;
pub(crate) mod document;
pub(crate) mod fault;
pub(crate) mod journal;
pub(crate) mod page;
pub(crate) mod snapshot;
pub(crate) mod throttle;
pub(crate) mod world;

use fabric_model::access_client::{
    AccessClient, AccessClientPage, AccessClientStatus, AccessConnection, CreateAccessClient,
    DeleteAccessClient, ListAccessClients, ShowAccessClient, UpdateAccessClient,
};
use fabric_model::health::ShowHealth;
use fabric_model::{ApiError, Failure, Invalid, Nothing, Request, charset};
use http::{HeaderName, StatusCode};

use crate::store::{Filter, Record};
use crate::{Api, Caller, Profile, World};

/// On a request: the fault that is to happen to it.
pub(crate) const X_MOCK_FAULT: HeaderName = HeaderName::from_static("x-mock-fault");

/// On a request: asks for [`X_MOCK_REASON`].
pub(crate) const X_MOCK_EXPLAIN: HeaderName = HeaderName::from_static("x-mock-explain");

/// On an answer that is no success: the rule that refused.
pub(crate) const X_MOCK_REASON: HeaderName = HeaderName::from_static("x-mock-reason");

/// On a request: what the caller signed, percent-encoded.
pub(crate) const X_MOCK_CANONICAL_REQUEST: HeaderName =
    HeaderName::from_static("x-mock-canonical-request");

/// On a request to the control surface: its token, where `Authorization: Bearer` won't do.
pub(crate) const X_MOCK_TOKEN: HeaderName = HeaderName::from_static("x-mock-token");

/// What is wrong with a request to the control surface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlError {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl ControlError {
    pub(crate) fn invalid(message: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message }
    }

    pub(crate) fn not_found(message: String) -> Self {
        Self { status: StatusCode::NOT_FOUND, message }
    }

    pub(crate) fn conflict(message: String) -> Self {
        Self { status: StatusCode::CONFLICT, message }
    }

    /// The status with which it is answered over HTTP.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl std::fmt::Display for ControlError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for ControlError {}

impl From<Invalid> for ControlError {
    fn from(invalid: Invalid) -> Self {
        Self::invalid(invalid.to_string())
    }
}

/// A sequence of its own for each name, which follows from the one seed: what happens in one place then
/// changes no draw in another.
pub(crate) fn random_stream(seed: u64, names: &[&str]) -> fastrand::Rng {
    // FNV-1a: the same on every machine and in every version.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed;
    for byte in names.iter().flat_map(|name| name.bytes().chain([0xff])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    fastrand::Rng::with_seed(hash)
}

/// The handler of every operation.
pub(crate) fn api(world: World) -> Api<World> {
    Api::new(world.clone())
        .world(world)
        .operation(create)
        .operation(list)
        .operation(show)
        .operation(update)
        .operation(delete)
        .operation(health)
}

fn found<T>(found: Option<T>) -> Result<T, ApiError> {
    found.ok_or_else(|| Failure::NotFound.into())
}

async fn create(
    world: World,
    caller: Caller,
    request: Request<CreateAccessClient>,
) -> Result<AccessClient, ApiError> {
    let body = request.body;
    if world.profile() == Profile::Strict {
        let is_placed = body.subnet_id.is_some()
            || !body.subnet_ids.is_empty()
            || !body.access_connections.is_empty();
        for (is_given, field) in [
            (body.name.is_some(), "name"),
            (body.vpc_id.is_some(), "vpc_id"),
            (is_placed, "subnet_id, subnet_ids or access_connections"),
        ] {
            if !is_given {
                return Err(Invalid::new(field, "must be given (profile strict)").into());
            }
        }
    }
    let subnet_ids = if body.subnet_ids.is_empty() {
        body.subnet_id.map(String::from).into_iter().collect()
    } else {
        body.subnet_ids
    };
    let now = world.now(&caller.project);
    world.in_project_to_fill(&caller, |project| {
        if world.quota().is_some_and(|quota| project.records.count(now) >= quota) {
            let message = "The quota of access clients of the project has been reached";
            return Err(ApiError::saying(Failure::Throttled, message));
        }
        let access_connections = body.access_connections.into_iter().map(|asked| {
            let vpcep_id = asked.vpcep_id.unwrap_or_else(|| project.make_id());
            AccessConnection {
                vpcep_id: Some(vpcep_id),
                subnet_id: subnet_ids.first().cloned(),
                domain: asked.domain,
                ip: Some(project.make_address()),
                owner: Some(caller.project.to_string()),
            }
        });
        let access_connections = access_connections.collect();
        let name = body.name.unwrap_or_else(|| project.make_name());
        let record = Record {
            id: project.new_client_id(now),
            name,
            vpc_id: body.vpc_id.map(String::from),
            subnet_ids,
            access_connections,
            created_at: now,
            running_from: world.running_from(now),
            gone_from: None,
        };
        let answer = record.answer(now);
        project.records.insert(record, now);
        Ok(answer)
    })
}

async fn list(
    world: World,
    caller: Caller,
    request: Request<ListAccessClients>,
) -> Result<AccessClientPage, ApiError> {
    let query = request.query;
    let filter = Filter { name: query.name.as_deref(), id: query.id.as_ref() };
    let (offset, limit) = (query.offset as usize, query.limit as usize);
    let now = world.now(&caller.project);
    let (access_client_infos, total) =
        world.in_project(&caller, |project| project.records.page(filter, offset, limit, now));
    Ok(AccessClientPage { access_client_infos, total: Some(total as u64) })
}

async fn show(
    world: World,
    caller: Caller,
    request: Request<ShowAccessClient>,
) -> Result<AccessClient, ApiError> {
    let now = world.now(&caller.project);
    let id = &request.path.client_id;
    found(world.in_project(&caller, |project| {
        project.records.get(id, now).map(|record| record.answer(now))
    }))
}

async fn update(
    world: World,
    caller: Caller,
    request: Request<UpdateAccessClient>,
) -> Result<Nothing, ApiError> {
    let name = request.body.name;
    if world.profile() == Profile::Strict
        && let Some(name) = &name
        && !charset::NAME.fits(name)
    {
        let rule = "must have only characters that an answer may hold (profile strict)";
        return Err(Invalid::new("name", rule).into());
    }
    let now = world.now(&caller.project);
    let id = &request.path.client_id;
    world.in_project(&caller, |project| {
        let record = found(project.records.get_mut(id, now))?;
        if record.status(now) == AccessClientStatus::Deleting {
            let rule = "must not be an access client that is DELETING";
            return Err(Invalid::new("client_id", rule).into());
        }
        if let Some(name) = name {
            record.name = name;
        }
        Ok(Nothing {})
    })
}

async fn delete(
    world: World,
    caller: Caller,
    request: Request<DeleteAccessClient>,
) -> Result<Nothing, ApiError> {
    let now = world.now(&caller.project);
    let (id, after) = (&request.path.client_id, world.deleting_time());
    let is_known = world.in_project(&caller, |project| project.records.remove(id, now, after));
    found(is_known.then_some(Nothing {}))
}

async fn health(_: World, _: Caller, _: Request<ShowHealth>) -> Result<Nothing, ApiError> {
    Ok(Nothing {})
}
