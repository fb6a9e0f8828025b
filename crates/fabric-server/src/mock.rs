//! The service itself: its state, and a handler for each operation.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fabric_model::access_client::{
    AccessClient, AccessClientPage, AccessClientStatus, AccessConnection, CreateAccessClient,
    DeleteAccessClient, ListAccessClients, ShowAccessClient, UpdateAccessClient,
};
use fabric_model::health::ShowHealth;
use fabric_model::{
    AccessClientId, ApiError, Failure, Invalid, Nothing, ProjectId, Request, charset,
};
use parking_lot::Mutex;

use crate::request_id::random_uuid;
use crate::seed::Seed;
use crate::store::{Filter, Record, Store};
use crate::{Api, Caller, Clock, Profile, Settings};

/// The mock service. Clones share their state.
#[derive(Clone, Debug)]
pub(crate) struct Mock(Arc<State>);

#[derive(Debug)]
struct State {
    profile: Profile,
    creating_time: Duration,
    deleting_time: Duration,
    clock: Clock,
    random: Mutex<fastrand::Rng>,
    store: Store,
}

impl Mock {
    /// The service as the settings want it, with the access clients that they bring.
    pub(crate) fn new(settings: &Settings, random_seed: u64) -> Self {
        let mock = Self(Arc::new(State {
            profile: settings.profile,
            creating_time: settings.creating_time,
            deleting_time: settings.deleting_time,
            clock: settings.clock.clone(),
            random: Mutex::new(fastrand::Rng::with_seed(random_seed)),
            store: Store::default(),
        }));
        for seed in &settings.access_clients {
            mock.plant(seed);
        }
        mock
    }

    /// The handler of every operation.
    pub(crate) fn api(self) -> Api<Self> {
        Api::new(self)
            .operation(create)
            .operation(list)
            .operation(show)
            .operation(update)
            .operation(delete)
            .operation(health)
    }

    fn plant(&self, seed: &Seed) {
        let now = self.now();
        let Seed { project, access_client: given, created_at } = seed;
        let created_at = created_at.map_or(now, whole_milliseconds);
        let record = |id| Record {
            id,
            name: given.name.clone().unwrap_or_else(|| self.make_name()),
            vpc_id: given.vpc_id.clone(),
            subnet_ids: given.subnet_ids.clone(),
            access_connections: given.access_connections.clone(),
            created_at,
            running_from: match given.status {
                Some(AccessClientStatus::Creating) => now + self.0.creating_time,
                _ => created_at,
            },
            gone_from: match given.status {
                Some(AccessClientStatus::Deleting) => Some(now + self.0.deleting_time),
                _ => None,
            },
        };
        match &seed.id() {
            Some(id) => _ = self.0.store.insert(project, record(id.clone())),
            None => _ = self.insert(project, record),
        }
    }

    /// Adds a record under a new id, and answers it.
    fn insert(
        &self,
        project: &ProjectId,
        record: impl Fn(AccessClientId) -> Record,
    ) -> AccessClient {
        loop {
            let id = random_uuid(&self.0.random).to_string();
            let record = record(id.try_into().expect("a UUID is an id"));
            let answer = record.answer(self.now());
            if self.0.store.insert(project, record) {
                return answer;
            }
        }
    }

    fn now(&self) -> SystemTime {
        whole_milliseconds(self.0.clock.now())
    }

    fn make_name(&self) -> String {
        format!("client-{:08x}", self.0.random.lock().u32(..))
    }

    /// An address of the range that is set aside for documentation.
    fn make_address(&self) -> String {
        format!("192.0.2.{}", self.0.random.lock().u8(1..=254))
    }
}

fn whole_milliseconds(time: SystemTime) -> SystemTime {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::new(since_epoch.as_secs(), since_epoch.subsec_millis() * 1_000_000)
}

fn found<T>(found: Option<T>) -> Result<T, ApiError> {
    found.ok_or_else(|| Failure::NotFound.into())
}

async fn create(
    mock: Mock,
    caller: Caller,
    request: Request<CreateAccessClient>,
) -> Result<AccessClient, ApiError> {
    let body = request.body;
    if mock.0.profile == Profile::Strict {
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
    let access_connections = body.access_connections.into_iter().map(|asked| AccessConnection {
        vpcep_id: Some(asked.vpcep_id.unwrap_or_else(|| random_uuid(&mock.0.random).to_string())),
        subnet_id: subnet_ids.first().cloned(),
        domain: asked.domain,
        ip: Some(mock.make_address()),
        owner: Some(caller.project.to_string()),
    });
    let access_connections: Vec<_> = access_connections.collect();
    let name = body.name.unwrap_or_else(|| mock.make_name());
    let vpc_id = body.vpc_id.map(String::from);
    let now = mock.now();
    Ok(mock.insert(&caller.project, |id| Record {
        id,
        name: name.clone(),
        vpc_id: vpc_id.clone(),
        subnet_ids: subnet_ids.clone(),
        access_connections: access_connections.clone(),
        created_at: now,
        running_from: now + mock.0.creating_time,
        gone_from: None,
    }))
}

async fn list(
    mock: Mock,
    caller: Caller,
    request: Request<ListAccessClients>,
) -> Result<AccessClientPage, ApiError> {
    let query = request.query;
    let filter = Filter { name: query.name.as_deref(), id: query.id.as_ref() };
    let (offset, limit) = (query.offset as usize, query.limit as usize);
    let (access_client_infos, total) =
        mock.0.store.page(&caller.project, filter, offset, limit, mock.now());
    Ok(AccessClientPage { access_client_infos, total: Some(total as u64) })
}

async fn show(
    mock: Mock,
    caller: Caller,
    request: Request<ShowAccessClient>,
) -> Result<AccessClient, ApiError> {
    let now = mock.now();
    let id = &request.path.client_id;
    found(mock.0.store.read(&caller.project, id, now, |record| record.answer(now)))
}

async fn update(
    mock: Mock,
    caller: Caller,
    request: Request<UpdateAccessClient>,
) -> Result<Nothing, ApiError> {
    let name = request.body.name;
    if mock.0.profile == Profile::Strict
        && let Some(name) = &name
        && !name.chars().all(charset::is_name_character)
    {
        let rule = "must have only characters that an answer may hold (profile strict)";
        return Err(Invalid::new("name", rule).into());
    }
    let now = mock.now();
    let changed = mock.0.store.change(&caller.project, &request.path.client_id, now, |record| {
        if record.status(now) == AccessClientStatus::Deleting {
            return Err(Invalid::new("client_id", "must not be an access client that is DELETING"));
        }
        if let Some(name) = name {
            record.name = name;
        }
        Ok(Nothing {})
    });
    Ok(found(changed)??)
}

async fn delete(
    mock: Mock,
    caller: Caller,
    request: Request<DeleteAccessClient>,
) -> Result<Nothing, ApiError> {
    let id = &request.path.client_id;
    let is_known = mock.0.store.remove(&caller.project, id, mock.now(), mock.0.deleting_time);
    found(is_known.then_some(Nothing {}))
}

async fn health(_: Mock, _: Caller, _: Request<ShowHealth>) -> Result<Nothing, ApiError> {
    Ok(Nothing {})
}
