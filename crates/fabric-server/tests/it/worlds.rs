//! Projects, snapshots, resets and the clock: worlds that tests do not share.

use std::time::{Duration, UNIX_EPOCH};

use fabric_client::{Client, Retry};
use fabric_model::access_client::{
    AccessClient, AccessClientCreate, AccessClientStatus, AccessClientUpdate, AccessClients,
    ListAccessClientsQuery,
};
use fabric_model::feature::Features;
use fabric_model::workspace::{CreateWorkspace, WorkspaceCreate, Workspaces};
use fabric_model::{Nothing, ProjectId, Request};
use fabric_server::fault::{Effect, Fault, When, Write};
use fabric_server::journal::{Count, Expectation, Filter, Matching};
use fabric_server::{Credential, Fixtures, MockServer, Settings, Snapshot, World};
use serde_json::json;

fn client(server: &MockServer, token: &str) -> Client {
    Client::builder(server.endpoint()).auth_token(token).retry(Retry::off()).build().unwrap()
}

fn named(name: &str) -> AccessClientCreate {
    AccessClientCreate { name: Some(name.to_owned()), ..AccessClientCreate::default() }
}

fn project(id: &str) -> ProjectId {
    id.parse().unwrap()
}

/// A test of somebody's own: records, a fault that keeps the write, one that does not, and the journal.
async fn somebodys_test(server: &MockServer, number: usize) {
    let world = server.world();
    let access = world.create_project(None, None).unwrap();
    let id = access.project_id;
    let client = client(server, &access.token);
    let fault = |status, times, write| Fault {
        when: When {
            project_id: Some(id.clone()),
            operation: Some("CreateAccessClientInfo".to_owned()),
            times: Some(times),
            ..When::default()
        },
        then: Some(Effect::answer(status)),
        write: Some(write),
        ..Fault::default()
    };
    let (kept, discarded) = (1 + number % 3, 1 + number % 2);
    world.add_fault(fault(408, kept as u64, Write::Kept)).unwrap();
    world.add_fault(fault(500, discarded as u64, Write::Discarded)).unwrap();
    let mut statuses = Vec::new();
    for place in 0..8 {
        let created =
            client.access_clients().create(named(&format!("test-{number}-{place}"))).await;
        statuses.push(created.map_or_else(|error| error.status().unwrap().as_u16(), |_| 200));
    }
    let mut expected = vec![408; kept];
    expected.extend(vec![500; discarded]);
    expected.resize(8, 200);
    assert_eq!(statuses, expected, "test {number}");
    let ahead = Duration::from_secs(60 * number as u64);
    server.clock().of(id.clone()).advance(ahead);
    let list = client.access_clients().list(ListAccessClientsQuery::default()).await.unwrap();
    assert_eq!(list.total, Some((8 - discarded) as u64), "test {number}");
    let names = list.access_client_infos.iter().map(|found| found.name.clone().unwrap());
    let prefix = format!("test-{number}-");
    assert!(names.into_iter().all(|name| name.starts_with(&prefix)), "test {number}");
    let calls = Matching {
        project_id: Some(id.clone()),
        operation: Some("CreateAccessClientInfo".to_owned()),
        status: Some(408),
        ..Matching::default()
    };
    let expectation = Expectation { calls, count: Count::Exactly(kept as u64) };
    let verdict = world.verify(&expectation).unwrap();
    assert!(verdict.is_met, "test {number}: {}", verdict.message);
    let journal = world.journal(&Filter { project_id: Some(id.clone()), ..Filter::default() });
    assert_eq!((journal.entries.len(), journal.evicted), (9, 0), "test {number}");
    if number.is_multiple_of(2) {
        world.reset(Some(&id));
        let list = client.access_clients().list(ListAccessClientsQuery::default()).await.unwrap();
        assert_eq!(list.total, Some(0), "test {number}");
    }
    world.delete_project(&id).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_tests_share_a_server_and_do_not_meet() {
    let credentials = vec![Credential::parse_token("of-the-default-project=default").unwrap()];
    let server = MockServer::start_with(Settings { credentials, ..Settings::default() });
    let server = std::sync::Arc::new(server.await.unwrap());
    let tests = (0..200).map(|number| {
        let server = server.clone();
        tokio::spawn(async move { somebodys_test(&server, number).await })
    });
    for test in tests.collect::<Vec<_>>() {
        test.await.unwrap();
    }
    assert_eq!(server.world().projects().len(), 1);
    assert!(server.world().faults(None).is_empty());
}

#[tokio::test]
async fn forks_of_a_project_of_a_hundred_thousand_share_its_records() {
    let mut fixtures = Fixtures::default();
    for number in 0..100_000 {
        let id = Some(format!("00000000-0000-4000-8000-{number:012}"));
        let name = Some(format!("access-client-{number}"));
        let create_time = Some("2025-09-15T08:30:00.000Z".to_owned());
        let access_client = AccessClient { id, name, create_time, ..AccessClient::default() };
        fixtures.add::<AccessClients>(project("large"), access_client).unwrap();
    }
    let settings = Settings { fixtures, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let fork = || server.world().create_project(None, Some(&project("large"))).unwrap();
    // A hundred copies of the records would take gigabytes; forks share them.
    let before = resident_memory();
    let made: Vec<_> = (0..100).map(|_| fork().project_id).collect();
    let grown = resident_memory().saturating_sub(before);
    assert!(grown < 1024 * 1024 * 1024, "{grown} bytes for a hundred forks");
    for id in made {
        server.world().delete_project(&id).unwrap();
    }
    let forks = [fork(), fork()];
    // A fork and what it came from do not change with each other.
    let id = "00000000-0000-4000-8000-000000000042";
    let (fork, large) = (client(&server, &forks[0].token), project("large"));
    fork.access_clients().delete(id).await.unwrap();
    let update = AccessClientUpdate { name: Some("renamed".to_owned()) };
    fork.access_clients().update("00000000-0000-4000-8000-000000000043", update).await.unwrap();
    let count = |id: &ProjectId| server.world().records::<AccessClients>(id, 0, 1).total;
    assert_eq!((count(&forks[0].project_id), count(&large)), (99_999, 100_000));
    assert_eq!(count(&forks[1].project_id), 100_000);
    let origin = Client::builder(server.endpoint()).project_id(large).build().unwrap();
    let shown = origin.access_clients().show("00000000-0000-4000-8000-000000000043").await.unwrap();
    assert_eq!(shown.name.as_deref(), Some("access-client-43"));
}

/// How much memory this process has, where the system tells.
fn resident_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok());
    kilobytes.unwrap_or_default() * 1024
}

/// A world with something of everything.
async fn furnished(server: &MockServer) -> String {
    let world = server.world();
    let access = world.create_project(Some(project("furnished")), None).unwrap();
    let calls = client(server, &access.token);
    for name in ["first", "second", "third"] {
        calls.access_clients().create(named(name)).await.unwrap();
        let body = WorkspaceCreate { name: name.to_owned(), ..WorkspaceCreate::default() };
        let (path, query) = (Nothing {}, Nothing {});
        calls.send(&Request::<CreateWorkspace> { path, query, body }).await.unwrap();
    }
    let when =
        When { project_id: Some(project("furnished")), probability: Some(0.5), ..When::default() };
    let then = Some(Effect::Throttle { retry_after_seconds: 1 });
    world.add_fault(Fault { when, then, ..Fault::default() }).unwrap();
    let call = Some(100);
    world
        .add_fault(Fault {
            when: When { call, ..When::default() },
            then: Some(Effect::Hang),
            ..Fault::default()
        })
        .unwrap();
    let of_nobody = When {
        project_id: Some(project("empty")),
        probability: Some(0.1 + 0.2),
        ..When::default()
    };
    world
        .add_fault(Fault { when: of_nobody, then: Some(Effect::Drop), ..Fault::default() })
        .unwrap();
    for _ in 0..5 {
        let _ = calls.access_clients().list(ListAccessClientsQuery::default()).await;
    }
    server.clock().of(project("furnished")).advance(Duration::from_hours(1));
    server.clock().freeze_at(UNIX_EPOCH + Duration::from_millis(1_234_567));
    access.token
}

async fn start(seed: u64) -> MockServer {
    let creating_time = Duration::from_secs(5);
    let settings = Settings { seed: Some(seed), creating_time, ..Settings::default() };
    MockServer::start_with(settings).await.unwrap()
}

#[tokio::test]
async fn a_snapshot_outlives_the_server() {
    let first = start(1).await;
    let token = furnished(&first).await;
    let snapshot = first.world().snapshot().to_json();
    first.shutdown(Duration::from_secs(1)).await;
    assert!(!snapshot.contains(&token));

    let second = start(2).await;
    second.world().restore(&Snapshot::parse(&snapshot).unwrap());
    assert_eq!(second.world().snapshot().to_json(), snapshot);
    assert_eq!(second.world().records::<Workspaces>(&project("furnished"), 0, 10).total, 3);
    let creating_time = Duration::from_secs(5);
    let snapshot_to_start = Some(Snapshot::parse(&snapshot).unwrap());
    let settings = Settings { creating_time, snapshot: snapshot_to_start, ..Settings::default() };
    let third = MockServer::start_with(settings).await.unwrap();
    assert_eq!(third.world().snapshot().to_json(), snapshot);
    // What follows is the same too: the token, ids, draws and times.
    let mut rest = Vec::new();
    for server in [&second, &third] {
        let calls = client(server, &token);
        let mut statuses = Vec::new();
        for _ in 0..10 {
            let created = calls.access_clients().create(named("later")).await;
            statuses.push(created.map_or_else(
                |error| error.to_string().split(" (").next().unwrap().to_owned(),
                |created| format!("{created:?}"),
            ));
        }
        rest.push((statuses, server.world().snapshot().to_json()));
    }
    assert_eq!(rest[0], rest[1]);
    assert!(rest[0].0.iter().any(|status| status.contains("429")), "{:?}", rest[0].0);
}

/// As version 1 of snapshots has it: access clients only, and the state of a generator that is not used any more.
const VERSION_1: &str = r#"{
  "version": 1, "rng_seed": 7, "projects_made": 2,
  "clocks": {"server": {"stopped": "2025-09-15T08:30:00Z"}, "projects": {"old": {"ahead": 1000}}},
  "projects": {
    "old": {
      "tokens_sha256": ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
      "random": ["00000000deadbeef", "00000000cafef00d"],
      "access_clients": [{
        "id": "3f2c9a5e", "name": "kept", "subnet_ids": ["s-1"], "access_connections": [],
        "created_at": "2025-09-15T08:00:00Z", "running_from": "2025-09-15T08:00:00Z"
      }],
      "faults": [{
        "id": 3, "when": {"project_id": "old", "client_id": "3f2c9a5e", "times": 1},
        "then": {"kind": "answer", "status": 408}, "write": "discarded", "matched": 0, "fired": 0,
        "place": 0, "random": "0000000000000007"
      }]
    }
  },
  "faults": [], "last_fault_id": 3
}"#;

#[tokio::test]
async fn a_snapshot_of_version_1_is_read() {
    let server = MockServer::start().await;
    let world = server.world();
    world.restore(&Snapshot::parse(VERSION_1).unwrap());
    let calls = Client::builder(server.endpoint()).project_id(project("old")).retry(Retry::off());
    let calls = calls.build().unwrap();
    let late = calls.access_clients().show("3f2c9a5e").await.unwrap_err();
    assert_eq!(late.status().unwrap(), 408, "its fault");
    let shown = calls.access_clients().show("3f2c9a5e").await.unwrap();
    assert_eq!((shown.name.as_deref(), shown.subnet_ids.len()), (Some("kept"), 1));
    let now = server.clock().of(project("old")).now();
    assert_eq!(humantime::format_rfc3339(now).to_string(), "2025-09-15T08:30:01Z");
    assert_eq!(world.status().seed, 7);
    // What it did not know is there as in a new project.
    assert_eq!(world.records::<Features>(&project("old"), 0, 10).total, 3);
    let written = world.snapshot().to_json();
    assert!(written.contains(r#""version": 3"#) && !written.contains("random"), "{written}");
    world.restore(&Snapshot::parse(&written).unwrap());
    assert_eq!(world.snapshot().to_json(), written);
}

#[tokio::test]
async fn a_snapshot_that_is_wrong_changes_nothing() {
    let server = start(3).await;
    furnished(&server).await;
    let before = server.world().snapshot().to_json();
    let wrong = |change: fn(&mut serde_json::Value)| {
        let mut snapshot = serde_json::from_str(&before).unwrap();
        change(&mut snapshot);
        snapshot.to_string()
    };
    for (snapshot, reason) in [
        (
            before[..before.len() / 2].to_owned(),
            "the snapshot is wrong: not a whole JSON object: EOF",
        ),
        (
            before[..before.len() - 3].to_owned(),
            "the snapshot is wrong: not a whole JSON object: EOF",
        ),
        (
            wrong(|snapshot| *snapshot = json!({"version": 4, "anything": true})),
            "the snapshot is wrong: version: 4 is not known here, only 1 to 3",
        ),
        (
            wrong(|snapshot| _ = snapshot["version"].take()),
            "the snapshot is wrong: version: must be given",
        ),
        (
            wrong(|snapshot| snapshot["more"] = json!(1)),
            "the snapshot is wrong: more: unknown field `more`",
        ),
        (
            wrong(|snapshot| {
                snapshot["projects"]["furnished"]["tables"]["access-clients"][0]["created_at"] =
                    json!("x");
            }),
            "the snapshot is wrong: projects.furnished.tables.access-clients[0].created_at: must be a time",
        ),
        (
            wrong(|snapshot| {
                let records = &mut snapshot["projects"]["furnished"]["tables"]["access-clients"];
                records[1] = records[0].clone();
            }),
            "the snapshot is wrong: projects.furnished.tables.access-clients[",
        ),
        (
            wrong(|snapshot| snapshot["projects"]["furnished"]["tokens_sha256"] = json!(["ab"])),
            "the snapshot is wrong: projects.furnished.tokens_sha256: must have 64",
        ),
        (
            wrong(|snapshot| {
                snapshot["faults"][0]["then"] = json!({"kind": "answer", "status": 1});
            }),
            "the snapshot is wrong: fault 2: then.status: must be from 200 to 599",
        ),
        (
            wrong(|snapshot| snapshot["faults"][0]["id"] = json!(1)),
            "the snapshot is wrong: fault 1: must have a number of its own",
        ),
        (
            wrong(|snapshot| snapshot["last_fault_id"] = json!(2)),
            "the snapshot is wrong: fault 3: must have a number of its own",
        ),
        (
            wrong(|snapshot| snapshot["faults"][0]["when"]["project_id"] = json!("furnished")),
            "the snapshot is wrong: faults: those of a project must stand in the project",
        ),
        (
            wrong(|snapshot| {
                let record = &mut snapshot["projects"]["furnished"]["tables"]["access-clients"][0];
                record["subnet_ids"] = json!(vec!["a"; 101]);
            }),
            "the snapshot is wrong: projects.furnished.tables.access-clients[",
        ),
    ] {
        let request = crate::raw::json("PUT", "/_mock/v1/snapshot", snapshot.as_bytes());
        let address = server.address();
        let answer =
            tokio::task::spawn_blocking(move || crate::raw::send(address, &request)).await.unwrap();
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(
            answer.status == 400 && error.starts_with(reason),
            "{} {error}, not {reason}",
            answer.status
        );
        assert_eq!(server.world().snapshot().to_json(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_of_one_moment() {
    let server = start(4).await;
    let calls = Client::new(server.endpoint()).unwrap();
    let writer = tokio::spawn(async move {
        for _ in 0..300 {
            calls.access_clients().create(AccessClientCreate::default()).await.unwrap();
        }
    });
    // Where the draws are and which records there are goes together in every snapshot.
    let mut seen = std::collections::BTreeMap::new();
    while !writer.is_finished() {
        let snapshot: serde_json::Value =
            serde_json::from_str(&server.world().snapshot().to_json()).unwrap();
        let of = &snapshot["projects"]["default"];
        let count = of["tables"]["access-clients"].as_array().map_or(0, Vec::len);
        if count == 0 {
            continue;
        }
        let random = of["drawn"].clone();
        assert_eq!(*seen.entry(count).or_insert_with(|| random.clone()), random);
    }
    writer.await.unwrap();
    assert!(seen.len() > 3, "too few snapshots in between: {}", seen.len());
}

#[tokio::test]
async fn a_reset_goes_back_to_the_start() {
    let fixtures = Fixtures::parse(r#"[{"name": "seeded", "project_id": "seeded"}]"#).unwrap();
    let settings = Settings { fixtures, seed: Some(5), ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let start = server.world().snapshot().to_json();
    let token = furnished(&server).await;
    let seeded = Client::builder(server.endpoint()).project_id(project("seeded")).build().unwrap();
    seeded.access_clients().create(named("more")).await.unwrap();
    assert_ne!(server.world().snapshot().to_json(), start);

    // One project: the other stays as it is.
    server.world().reset(Some(&project("furnished")));
    let count = |world: &World, id: &str| world.records::<AccessClients>(&project(id), 0, 1).total;
    assert_eq!((count(server.world(), "furnished"), count(server.world(), "seeded")), (0, 2));
    assert!(server.world().faults(Some(&project("furnished"))).is_empty());
    assert_eq!(server.world().faults(None).len(), 2);
    assert_eq!(server.clock().of(project("furnished")).now(), server.clock().now());
    client(&server, &token).access_clients().create(named("again")).await.unwrap();

    // Everything.
    server.world().reset(None);
    assert_eq!(server.world().snapshot().to_json(), start);
    assert_eq!(server.world().coverage().covered, 0);
    assert!(server.world().journal(&Filter::default()).entries.is_empty());
    let page = server.world().records::<AccessClients>(&project("seeded"), 0, 10);
    assert_eq!(page.records[0].name.as_deref(), Some("seeded"));

    // And on with other fixtures.
    let other = Fixtures::parse(r#"[{"name": "other"}]"#).unwrap();
    server.world().start_from(&other);
    assert_eq!((count(server.world(), "seeded"), count(server.world(), "default")), (0, 1));
    server.world().reset(None);
    assert_eq!(count(server.world(), "default"), 1);
}

#[tokio::test]
async fn a_project_ends_with_its_token_and_can_be_made_anew() {
    let credentials = vec![Credential::parse_token("of-others=others").unwrap()];
    let server =
        MockServer::start_with(Settings { credentials, ..Settings::default() }).await.unwrap();
    let world = server.world();
    let access = world.create_project(Some(project("short")), None).unwrap();
    let calls = client(&server, &access.token);
    let id = calls.access_clients().create(named("here")).await.unwrap().id.unwrap();
    assert_eq!(world.create_project(Some(project("short")), None).unwrap_err().status(), 409);
    assert_eq!(world.create_project(None, Some(&project("none"))).unwrap_err().status(), 404);
    assert_eq!(world.delete_project(&project("none")).unwrap_err().status(), 404);
    let foreign = client(&server, "of-others");
    assert!(foreign.access_clients().show(&id).await.unwrap_err().is_not_found());
    world.delete_project(&project("short")).unwrap();
    let rejected = calls.access_clients().show(&id).await.unwrap_err();
    assert_eq!(rejected.status().unwrap(), 401);
    let again = world.create_project(Some(project("short")), None).unwrap();
    assert_ne!(again.token, access.token);
    let calls = client(&server, &again.token);
    assert!(calls.access_clients().show(&id).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn who_had_a_token_of_a_project_is_nowhere_else_when_it_has_ended() {
    let server = MockServer::start().await;
    let access = server.world().create_project(None, None).unwrap();
    let calls = client(&server, &access.token);
    calls.access_clients().create(named("here")).await.unwrap();
    server.world().reset(None);
    let rejected = calls.access_clients().create(named("nowhere")).await.unwrap_err();
    assert_eq!(rejected.status().unwrap(), 401);
    assert_eq!(server.world().records::<AccessClients>(&project("default"), 0, 1).total, 0);
    // Where any caller is accepted, so is any token, but for one that begins as those of projects do.
    client(&server, "any-token").access_clients().create(named("here")).await.unwrap();
    let typo = client(&server, "mock-token").access_clients().create(named("here")).await;
    assert_eq!(typo.unwrap_err().status().unwrap(), 401);
    assert!(!format!("{access:?}").contains(&access.token));
}

#[tokio::test]
async fn ids_of_projects_follow_from_the_seed() {
    let made = async |seed| {
        let server = start(seed).await;
        let ids = [(); 3].map(|()| server.world().create_project(None, None).unwrap());
        ids.map(|access| (access.project_id, access.token))
    };
    let (first, again, other) = (made(1).await, made(1).await, made(2).await);
    assert!(
        first.iter().zip(&again).all(|(first, again)| first.0 == again.0 && first.1 != again.1)
    );
    assert!(first.iter().zip(&other).all(|(first, other)| first.0 != other.0));
    assert_ne!(first[0].0, first[1].0);
}

#[tokio::test]
async fn a_project_has_a_clock_of_its_own() {
    let expires = UNIX_EPOCH + Duration::from_secs(100);
    let credentials = vec![
        Credential::parse_token("soon=first").unwrap().until(expires),
        Credential::parse_token("later=second").unwrap().until(expires),
    ];
    let creating_time = Duration::from_secs(5);
    let settings = Settings { credentials, creating_time, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    server.clock().freeze_at(UNIX_EPOCH);
    let (first, second) = (client(&server, "soon"), client(&server, "later"));
    let ids = [&first, &second].map(|calls| async {
        calls.access_clients().create(named("aging")).await.unwrap().id.unwrap()
    });
    let [of_first, of_second] = ids;
    let (of_first, of_second) = (of_first.await, of_second.await);
    server.clock().of(project("first")).advance(Duration::from_secs(5));
    let status = async |calls: &Client, id: &str| {
        calls.access_clients().show(id).await.map(|shown| shown.status.unwrap())
    };
    assert_eq!(status(&first, &of_first).await.unwrap(), AccessClientStatus::Running);
    assert_eq!(status(&second, &of_second).await.unwrap(), AccessClientStatus::Creating);
    server.clock().of(project("first")).advance(Duration::from_secs(95));
    assert_eq!(status(&first, &of_first).await.unwrap_err().status().unwrap(), 401);
    assert_eq!(status(&second, &of_second).await.unwrap(), AccessClientStatus::Creating);
    let fork = server.world().create_project(None, Some(&project("first"))).unwrap().project_id;
    assert_eq!(server.clock().of(fork).now(), server.clock().of(project("first")).now());
    // It follows the server's, until that is stopped on its own.
    server.clock().advance(Duration::from_secs(1));
    assert_eq!(server.clock().of(project("first")).now(), UNIX_EPOCH + Duration::from_secs(101));
    server.clock().of(project("first")).follow();
    assert!(status(&first, &of_first).await.is_ok());
}
