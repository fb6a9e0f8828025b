//! Random calls by several callers at once, over every resource that can be created, against a simple reference
//! model.
//!
//! Calls come in rounds; those of a round are under way together. Their answers must be those of the reference
//! in some order of the calls. Every order that fits is followed on, so a lost update, a wrong page, or a leak
//! between projects or resources leaves none. At the end a server that starts from the snapshot must be the same.

use std::time::Duration;

use bytes::Bytes;
use fabric_client::{Client, Error};
use fabric_model::{OperationInfo, operations};
use fabric_server::{Credential, MockServer, Settings, Snapshot};
use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// Each with a token of its own.
const PROJECTS: usize = 2;

/// A resource that can be created, listed, updated and deleted.
#[derive(Clone, Copy)]
struct Kind {
    create: &'static OperationInfo,
    list: &'static OperationInfo,
}

impl Kind {
    fn all() -> Vec<Self> {
        let find = |method: Method, path: String| {
            let mut all = operations().iter();
            all.find(|operation| operation.method == method && operation.path == path).copied()
        };
        let creates = operations().iter().filter(|operation| operation.id_in_response.is_some());
        let kinds = creates.filter_map(|create| {
            let list = find(Method::GET, create.path.to_owned())?;
            let item = format!("{}/{{{}}}", create.path, create.resource.id_parameter?);
            find(Method::PUT, item.clone())?;
            find(Method::DELETE, item)?;
            Some(Self { create, list })
        });
        kinds.collect()
    }
}

/// A call by a caller of a project. `target` picks one of the ids seen so far, of any project and resource.
#[derive(Clone, Debug)]
enum Call {
    Create { name: String },
    Update { target: usize, name: String },
    Show { target: usize },
    Delete { target: usize },
    List { offset: u32, limit: u32, part: Option<String> },
}

/// What a caller sees of a call.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Created { id: String, name: String },
    Shown { id: String, name: String },
    Done,
    NotFound,
    Listed { page: Vec<(String, String)>, total: u64 },
}

/// The service as simple as can be: what there is, with the round of its creation.
#[derive(Clone, Debug, Default, PartialEq)]
struct Reference(Vec<Known>);

#[derive(Clone, Debug, PartialEq)]
struct Known {
    project: usize,
    kind: usize,
    round: usize,
    id: String,
    name: String,
}

/// Which project, and which kind.
type Place = (usize, usize);

impl Reference {
    fn find(&mut self, place: Place, id: Option<&String>) -> Option<usize> {
        let is_it = |known: &Known| (known.project, known.kind) == place && Some(&known.id) == id;
        self.0.iter().position(is_it)
    }

    /// What the caller must see. Only the id of something new is taken from what was seen.
    fn expect(
        &mut self,
        round: usize,
        place: Place,
        call: &Call,
        ids: &[String],
        seen: &Seen,
    ) -> Seen {
        let id = |target: &usize| ids.get(target % ids.len().max(1));
        match call {
            Call::Create { name } => {
                let Seen::Created { id, .. } = seen else { return Seen::Done };
                if self.0.iter().any(|known| known.id == *id) {
                    return Seen::NotFound;
                }
                let (project, kind) = place;
                self.0.push(Known { project, kind, round, id: id.clone(), name: name.clone() });
                Seen::Created { id: id.clone(), name: name.clone() }
            }
            Call::Update { target, name } => match self.find(place, id(target)) {
                Some(found) => {
                    self.0[found].name.clone_from(name);
                    Seen::Done
                }
                None => Seen::NotFound,
            },
            Call::Show { target } => match self.find(place, id(target)) {
                Some(found) => {
                    let Known { id, name, .. } = self.0[found].clone();
                    Seen::Shown { id, name }
                }
                None => Seen::NotFound,
            },
            Call::Delete { target } => match self.find(place, id(target)) {
                Some(found) => {
                    self.0.remove(found);
                    Seen::Done
                }
                None => Seen::NotFound,
            },
            Call::List { offset, limit, part } => {
                self.list(place, *offset, *limit, part.as_deref())
            }
        }
    }

    fn list(&self, place: Place, offset: u32, limit: u32, part: Option<&str>) -> Seen {
        let mut all: Vec<&Known> = self
            .0
            .iter()
            .filter(|known| (known.project, known.kind) == place)
            .filter(|known| part.is_none_or(|part| known.name.contains(part)))
            .collect();
        all.sort_by(|a, b| b.round.cmp(&a.round).then_with(|| a.id.cmp(&b.id)));
        let page = all.iter().skip(offset as usize).take(limit as usize);
        let page = page.map(|known| (known.id.clone(), known.name.clone())).collect();
        Seen::Listed { page, total: all.len() as u64 }
    }
}

/// Makes a call, and returns what is answered; `None` for what is not found.
async fn ask(client: &Client, method: Method, target: &str, body: Option<Value>) -> Option<Value> {
    let bytes = body.as_ref().map_or(Bytes::new(), |body| body.to_string().into());
    let mut request = http::Request::builder().method(method).uri(target);
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    match client.execute(request.body(bytes).unwrap()).await {
        Ok(answer) if answer.body().is_empty() => Some(Value::Null),
        Ok(answer) => Some(serde_json::from_slice(answer.body()).unwrap()),
        Err(error) if Error::is_not_found(&error) => None,
        Err(error) => panic!("{target}: {error}"),
    }
}

/// The id and the name of one thing.
fn named(answer: &Value) -> (String, String) {
    let text = |field: &str| answer[field].as_str().unwrap().to_owned();
    (text("id"), text("name"))
}

fn listed(kind: Kind, page: &Value) -> Seen {
    let items = page.pointer(kind.list.items_in_response.unwrap()).unwrap();
    let page_of = items.as_array().unwrap().iter().map(named).collect();
    Seen::Listed { page: page_of, total: page["total"].as_u64().unwrap() }
}

async fn perform(client: &Client, kind: Kind, call: &Call, ids: &[String]) -> Seen {
    let collection = kind.create.path;
    let id =
        |target: &usize| ids.get(target % ids.len().max(1)).cloned().unwrap_or("none".to_owned());
    let item = |target: &usize| format!("{collection}/{}", id(target));
    let done = |answer: Option<Value>| answer.map_or(Seen::NotFound, |_| Seen::Done);
    match call {
        Call::Create { name } => {
            let body = Some(json!({ "name": name }));
            let (id, name) = named(&ask(client, Method::POST, collection, body).await.unwrap());
            Seen::Created { id, name }
        }
        Call::Update { target, name } => {
            let body = Some(json!({ "name": name }));
            done(ask(client, Method::PUT, &item(target), body).await)
        }
        Call::Delete { target } => done(ask(client, Method::DELETE, &item(target), None).await),
        Call::Show { target } => {
            // Not every resource shows one of them alone.
            let target = format!("{collection}?id={}", id(target));
            let page = ask(client, Method::GET, &target, None).await.unwrap();
            let Seen::Listed { page, .. } = listed(kind, &page) else { return Seen::NotFound };
            let found = page.into_iter().next();
            found.map_or(Seen::NotFound, |(id, name)| Seen::Shown { id, name })
        }
        Call::List { offset, limit, part } => {
            let part = part.as_ref().map(|part| format!("&name={part}")).unwrap_or_default();
            let target = format!("{collection}?offset={offset}&limit={limit}{part}");
            listed(kind, &ask(client, Method::GET, &target, None).await.unwrap())
        }
    }
}

fn call() -> impl Strategy<Value = Call> {
    let target = any::<usize>();
    prop_oneof![
        3 => "[ab]{4,6}".prop_map(|name| Call::Create { name }),
        3 => (target, "[ab]{4,6}").prop_map(|(target, name)| Call::Update { target, name }),
        2 => target.prop_map(|target| Call::Show { target }),
        1 => target.prop_map(|target| Call::Delete { target }),
        2 => (0_u32..4, 1_u32..5, proptest::option::of("[ab]{4}"))
            .prop_map(|(offset, limit, part)| Call::List { offset, limit, part }),
    ]
}

fn permutations(length: usize) -> Vec<Vec<usize>> {
    if length == 0 {
        return vec![vec![]];
    }
    let shorter = permutations(length - 1);
    let insert = |order: &Vec<usize>, place: usize| {
        let mut order = order.clone();
        order.insert(place, length - 1);
        order
    };
    shorter.iter().flat_map(|order| (0..length).map(move |place| insert(order, place))).collect()
}

fn settings() -> Settings {
    let credentials = ["token=project-0", "other=project-1"].map(Credential::parse_token);
    Settings { credentials: credentials.map(Result::unwrap).to_vec(), ..Settings::default() }
}

fn clients(server: &MockServer) -> [Client; PROJECTS] {
    ["token", "other"]
        .map(|token| Client::builder(server.endpoint()).auth_token(token).build().unwrap())
}

async fn run(history: Vec<Vec<(usize, usize, Call)>>) -> Result<(), TestCaseError> {
    let kinds = Kind::all();
    let server = MockServer::start_with(settings()).await.unwrap();
    server.clock().freeze_at(std::time::UNIX_EPOCH);
    let clients = clients(&server);
    let mut states = vec![Reference::default()];
    let mut ids: Vec<String> = Vec::new();
    for (round, calls) in history.into_iter().enumerate() {
        server.clock().advance(Duration::from_millis(1));
        let mut tasks = Vec::new();
        for (project, kind, call) in calls.clone() {
            let (client, kind, ids) =
                (clients[project].clone(), kinds[kind % kinds.len()], ids.clone());
            tasks.push(tokio::spawn(async move { perform(&client, kind, &call, &ids).await }));
        }
        let mut seen = Vec::new();
        for task in tasks {
            seen.push(task.await.unwrap());
        }
        let mut next: Vec<Reference> = Vec::new();
        for order in permutations(calls.len()) {
            for state in &states {
                let mut state = state.clone();
                let fits = order.iter().all(|&place| {
                    let (project, kind, call) = &calls[place];
                    let of = (*project, kind % kinds.len());
                    state.expect(round, of, call, &ids, &seen[place]) == seen[place]
                });
                state.0.sort_by(|a, b| a.id.cmp(&b.id));
                if fits && !next.contains(&state) {
                    next.push(state);
                }
            }
        }
        prop_assert!(!next.is_empty(), "round {round}: no order explains {calls:?} -> {seen:?}");
        states = next;
        for seen in seen {
            if let Seen::Created { id, .. } = seen {
                ids.push(id);
            }
        }
    }
    restart(&server, &kinds, &states).await
}

/// A server that starts from the snapshot of another has the same records of every project and resource.
async fn restart(
    server: &MockServer,
    kinds: &[Kind],
    states: &[Reference],
) -> Result<(), TestCaseError> {
    let snapshot = server.world().snapshot().to_json();
    let restored = Some(Snapshot::parse(&snapshot).unwrap());
    let second =
        MockServer::start_with(Settings { snapshot: restored, ..settings() }).await.unwrap();
    prop_assert_eq!(second.world().snapshot().to_json(), snapshot);
    let mut seen = Vec::new();
    for (project, client) in clients(&second).iter().enumerate() {
        for (place, kind) in kinds.iter().enumerate() {
            let all = Call::List { offset: 0, limit: 100, part: None };
            seen.push(((project, place), perform(client, *kind, &all, &[]).await));
        }
    }
    let explains = |state: &Reference| {
        seen.iter().all(|(place, seen)| state.list(*place, 0, 100, None) == *seen)
    };
    prop_assert!(states.iter().any(explains), "no order explains what is there: {seen:?}");
    Ok(())
}

#[test]
fn two_resources_are_created_in_these_histories() {
    let names: Vec<_> = Kind::all().iter().map(|kind| kind.create.resource.name).collect();
    assert!(names.contains(&"access-clients") && names.contains(&"workspaces"), "{names:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn calls_at_once_are_as_if_one_after_another(
        history in proptest::collection::vec(
            proptest::collection::vec((0..PROJECTS, any::<usize>(), call()), 1..5),
            1..14,
        )
    ) {
        Runtime::new().unwrap().block_on(run(history))?;
    }
}
