//! Random calls by several callers at once, against a simple reference model.
//!
//! Calls come in rounds; those of a round are under way together. Whatever they answer must be what
//! the reference would answer to them in some order. Every order that fits is followed on, so a lost
//! update, a wrong page or a leak between projects leaves none.

use std::time::Duration;

use fabric_client::model::access_client::{
    AccessClientCreate, AccessClientUpdate, ListAccessClientsQuery,
};
use fabric_client::{Client, Error};
use fabric_server::{Credential, MockServer, Settings};
use proptest::prelude::*;
use tokio::runtime::Runtime;

/// Each with a token of its own.
const PROJECTS: usize = 2;

/// A call by a caller of a project. `target` picks one of the ids seen so far, of any project.
#[derive(Clone, Debug)]
enum Call {
    Create { name: String },
    Update { target: usize, name: String },
    Show { target: usize },
    Delete { target: usize },
    List { offset: u32, limit: u32, part: Option<String> },
}

/// What a call came to: all that a caller can see.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Created { id: String, name: String },
    Shown { id: String, name: String },
    Done,
    NotFound,
    Listed { page: Vec<(String, String)>, total: u64 },
}

/// The service as simple as can be: what there is, oldest first, with the round of its creation.
#[derive(Clone, Debug, Default, PartialEq)]
struct Reference(Vec<Known>);

#[derive(Clone, Debug, PartialEq)]
struct Known {
    project: usize,
    round: usize,
    id: String,
    name: String,
}

impl Reference {
    fn find(&mut self, project: usize, id: Option<&String>) -> Option<usize> {
        self.0.iter().position(|known| known.project == project && Some(&known.id) == id)
    }

    /// What the call must come to. Only the id of something new is taken from what was seen.
    fn expect(
        &mut self,
        round: usize,
        project: usize,
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
                self.0.push(Known { project, round, id: id.clone(), name: name.clone() });
                Seen::Created { id: id.clone(), name: name.clone() }
            }
            Call::Update { target, name } => match self.find(project, id(target)) {
                Some(place) => {
                    self.0[place].name.clone_from(name);
                    Seen::Done
                }
                None => Seen::NotFound,
            },
            Call::Show { target } => match self.find(project, id(target)) {
                Some(place) => {
                    let Known { id, name, .. } = self.0[place].clone();
                    Seen::Shown { id, name }
                }
                None => Seen::NotFound,
            },
            Call::Delete { target } => match self.find(project, id(target)) {
                Some(place) => {
                    self.0.remove(place);
                    Seen::Done
                }
                None => Seen::NotFound,
            },
            Call::List { offset, limit, part } => {
                let mut all: Vec<&Known> = self
                    .0
                    .iter()
                    .filter(|known| known.project == project)
                    .filter(|known| part.as_ref().is_none_or(|part| known.name.contains(part)))
                    .collect();
                all.sort_by(|a, b| b.round.cmp(&a.round).then_with(|| a.id.cmp(&b.id)));
                let page = all.iter().skip(*offset as usize).take(*limit as usize);
                let page = page.map(|known| (known.id.clone(), known.name.clone())).collect();
                Seen::Listed { page, total: all.len() as u64 }
            }
        }
    }
}

async fn perform(client: &Client, call: &Call, ids: &[String]) -> Seen {
    let calls = client.access_clients();
    let id =
        |target: &usize| ids.get(target % ids.len().max(1)).cloned().unwrap_or("none".to_owned());
    let done = |outcome: Result<(), Error>| match outcome {
        Ok(()) => Seen::Done,
        Err(error) if error.is_not_found() => Seen::NotFound,
        Err(error) => panic!("{error}"),
    };
    match call {
        Call::Create { name } => {
            let body = AccessClientCreate { name: Some(name.clone()), ..Default::default() };
            let created = calls.create(body).await.unwrap();
            Seen::Created { id: created.id.unwrap(), name: created.name.unwrap() }
        }
        Call::Update { target, name } => {
            let update = AccessClientUpdate { name: Some(name.clone()) };
            done(calls.update(id(target), update).await)
        }
        Call::Delete { target } => done(calls.delete(id(target)).await),
        Call::Show { target } => match calls.show(id(target)).await {
            Ok(shown) => Seen::Shown { id: shown.id.unwrap(), name: shown.name.unwrap() },
            Err(error) if error.is_not_found() => Seen::NotFound,
            Err(error) => panic!("{error}"),
        },
        Call::List { offset, limit, part } => {
            let (offset, limit, name) = (*offset, *limit, part.clone());
            let query = ListAccessClientsQuery { offset, limit, name, id: None };
            let listed = calls.list(query).await.unwrap();
            let page = listed.access_client_infos.into_iter();
            let page = page.map(|shown| (shown.id.unwrap(), shown.name.unwrap())).collect();
            Seen::Listed { page, total: listed.total.unwrap() }
        }
    }
}

fn call() -> impl Strategy<Value = Call> {
    let target = any::<usize>();
    prop_oneof![
        3 => "[ab]{4,6}".prop_map(|name| Call::Create { name }),
        3 => (target, "[ab]{1,3}").prop_map(|(target, name)| Call::Update { target, name }),
        2 => target.prop_map(|target| Call::Show { target }),
        1 => target.prop_map(|target| Call::Delete { target }),
        2 => (0_u32..4, 1_u32..5, proptest::option::of("[ab]{1,2}"))
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

async fn run(history: Vec<Vec<(usize, Call)>>) -> Result<(), TestCaseError> {
    let credentials = ["token=project-0", "other=project-1"].map(Credential::parse_token);
    let credentials = credentials.map(Result::unwrap).to_vec();
    let settings = Settings { credentials, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    server.clock().freeze_at(std::time::UNIX_EPOCH);
    let clients = ["token", "other"]
        .map(|token| Client::builder(server.endpoint()).auth_token(token).build().unwrap());
    let mut states = vec![Reference::default()];
    let mut ids: Vec<String> = Vec::new();
    for (round, calls) in history.into_iter().enumerate() {
        server.clock().advance(Duration::from_millis(1));
        let mut tasks = Vec::new();
        for (project, call) in calls.clone() {
            let (client, ids) = (clients[project].clone(), ids.clone());
            tasks.push(tokio::spawn(async move { perform(&client, &call, &ids).await }));
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
                    let (project, call) = &calls[place];
                    state.expect(round, *project, call, &ids, &seen[place]) == seen[place]
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
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn calls_at_once_are_as_if_one_after_another(
        history in proptest::collection::vec(
            proptest::collection::vec((0..PROJECTS, call()), 1..5),
            1..14,
        )
    ) {
        Runtime::new().unwrap().block_on(run(history))?;
    }
}
