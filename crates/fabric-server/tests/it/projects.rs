//! How many projects there may be, and what snapshots of them share.

use std::time::Duration;

use fabric_model::ProjectId;
use fabric_model::access_client::AccessClients;
use fabric_server::fault::{Effect, Fault, Write};
use fabric_server::{Fixtures, MockServer, Settings, Snapshot};
use serde_json::{Value, json};

use crate::raw::{self, Answer};

fn project(id: &str) -> ProjectId {
    id.parse().unwrap()
}

async fn send(server: &MockServer, request: Vec<u8>) -> Answer {
    let address = server.address();
    tokio::task::spawn_blocking(move || raw::send(address, &request)).await.unwrap()
}

/// Calls in a project, with more headers.
async fn call_in(
    server: &MockServer,
    project: &str,
    (method, path): (&str, &str),
    more: &str,
    body: &str,
) -> Answer {
    let headers = format!("X-Project-Id: {project}\r\nContent-Type: application/json\r\n{more}");
    send(server, raw::request(method, path, &headers, body.as_bytes())).await
}

const CREATE: (&str, &str) = ("POST", "/v1/access-clients");
const LIST: (&str, &str) = ("GET", "/v1/access-clients");

#[tokio::test]
async fn a_project_is_there_only_once_something_is_kept_in_it() {
    let server = MockServer::start().await;
    let discarded = Fault {
        then: Some(Effect::answer(500)),
        write: Some(Write::Discarded),
        ..Fault::default()
    };
    server.world().add_fault(discarded).unwrap();
    for number in 0..20 {
        let of = format!("fresh-{number}");
        assert_eq!(call_in(&server, &of, CREATE, "", "{}").await.status, 500);
    }
    server.world().clear_faults(None);
    for number in 0..20 {
        let of = format!("fresh-{number}");
        let fault = "X-Mock-Fault: {\"delay\":{\"kind\":\"uniform\",\"minimum_milliseconds\":0,\"maximum_milliseconds\":1}}\r\n";
        let answer = call_in(&server, &of, LIST, fault, "").await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let unknown = ("DELETE", "/v1/access-clients/0123456789");
        assert_eq!(call_in(&server, &of, unknown, "", "").await.status, 404);
        let agreements = ("POST", "/v1/agreements");
        call_in(&server, &of, agreements, "", "{\"agreements\":[]}").await;
    }
    assert_eq!(server.world().projects().len(), 1);
    let full = Settings { quota: Some(0), ..Settings::default() };
    let full = MockServer::start_with(full).await.unwrap();
    assert_eq!(call_in(&full, "fresh", CREATE, "", "{}").await.status, 429);
    assert_eq!(full.world().projects().len(), 1);
    assert_eq!(call_in(&server, "fresh-1", CREATE, "", "{}").await.status, 200);
    assert_eq!(server.world().projects().len(), 2);
}

#[tokio::test]
async fn one_project_too_many_is_rejected_and_the_others_go_on() {
    let settings = Settings { max_projects: 3, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let world = server.world();
    world.create_project(Some(project("made")), None).unwrap();
    for of in ["first", "second"] {
        assert_eq!(call_in(&server, of, CREATE, "", "{}").await.status, 200);
    }
    let rejected = call_in(&server, "third", CREATE, "", "{}").await;
    assert_eq!(rejected.status, 429);
    let message = rejected.json()["error_msg"].as_str().unwrap().to_owned();
    assert!(message.contains("quota of projects") && message.contains('3'), "{message}");
    let refused = world.create_project(None, None).unwrap_err();
    assert_eq!(refused.status(), 409);
    assert!(refused.to_string().contains("--max-projects"), "{refused}");
    for of in ["first", "made", "default"] {
        assert_eq!(call_in(&server, of, CREATE, "", "{}").await.status, 200, "{of}");
    }
    assert_eq!(call_in(&server, "third", LIST, "", "").await.status, 200);
    let metrics = world.metrics();
    for line in ["fabric_mock_projects 4", "fabric_mock_projects_limit 3", "fabric_mock_tokens 1"] {
        assert!(metrics.lines().any(|given| given == line), "{line} is not in {metrics}");
    }
    world.delete_project(&project("second")).unwrap();
    assert_eq!(call_in(&server, "third", CREATE, "", "{}").await.status, 200);
    assert_eq!(call_in(&server, "fourth", CREATE, "", "{}").await.status, 429);
}

#[tokio::test]
async fn a_snapshot_of_more_than_there_may_be_changes_nothing() {
    let large = MockServer::start().await;
    for number in 0..4 {
        large.world().create_project(Some(project(&format!("p{number}"))), None).unwrap();
    }
    let four: Value = serde_json::from_str(&large.world().snapshot().to_json()).unwrap();
    let settings = Settings { max_projects: 3, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let before = server.world().snapshot().to_json();
    let token = |number: usize| format!("{number:064x}");
    let with = |change: &dyn Fn(&mut Value)| {
        let mut snapshot = four.clone();
        for number in 0..4 {
            snapshot["projects"][format!("p{number}")]["tokens_sha256"].take();
            snapshot["projects"][format!("p{number}")]
                .as_object_mut()
                .unwrap()
                .remove("tokens_sha256");
        }
        snapshot["projects"].as_object_mut().unwrap().remove("p3");
        change(&mut snapshot);
        snapshot
    };
    let user = |number: usize, secret: &str| json!({"name": format!("user-{number}"), secret: "$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$BnR5ChpVlHS5hyDiY4KZqmXXPpHrHmVdWNkd4ZNlqeE"});
    for (snapshot, status, reason) in [
        (four.clone(), 409, "there may be 3"),
        (
            with(&|snapshot| {
                snapshot["projects"]["p0"]["tokens_sha256"] = (0..4).map(token).collect();
            }),
            409,
            "4 tokens of projects",
        ),
        (
            with(&|snapshot| {
                let sign_in = |number| {
                    json!({
                        "token_sha256": token(number), "domain": "d", "user": "u",
                        "issued_at": "2025-09-15T08:00:00Z", "expires_at": "2025-09-16T08:00:00Z",
                    })
                };
                snapshot["sign_ins"] = (0..10_001).map(sign_in).collect();
            }),
            409,
            "10001 tokens of users",
        ),
        (
            with(&|snapshot| {
                let users: Vec<_> =
                    (0..1_001).map(|number| user(number, "password_hash")).collect();
                snapshot["accounts"] = json!({"users": users});
            }),
            400,
            "accounts.users: must have at most 1000 items",
        ),
        (
            with(&|snapshot| {
                let users: Vec<_> = (0..101).map(|number| user(number, "password")).collect();
                snapshot["accounts"] = json!({"users": users});
            }),
            400,
            "accounts.users: must have a password_hash",
        ),
    ] {
        let (answered, error) = raw::call(&server, "PUT", "/_mock/v1/snapshot", snapshot).await;
        assert_eq!(answered, status, "{reason}: {error}");
        assert!(error["error"].as_str().unwrap().contains(reason), "{error}");
        assert_eq!(server.world().snapshot().to_json(), before);
    }
    let fits = with(&|_| ());
    assert_eq!(raw::call(&server, "PUT", "/_mock/v1/snapshot", fits).await, (204, Value::Null));
    assert_eq!(server.world().projects().len(), 4);
}

#[tokio::test]
async fn a_snapshot_has_once_what_forks_share() {
    const COUNT: usize = 2_000;
    let record = |number: usize| json!({"id": format!("{number:08}"), "name": format!("client-{number}"), "project_id": "origin"});
    let fixtures = json!({"access-clients": (0..COUNT).map(record).collect::<Vec<_>>()});
    let fixtures = Fixtures::parse(&fixtures.to_string()).unwrap();
    let settings = Settings { fixtures, seed: Some(1), ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let world = server.world();
    let alone = world.snapshot().to_json().len();
    for fork in ["fork-1", "fork-2", "a-fork"] {
        world.create_project(Some(project(fork)), Some(&project("origin"))).unwrap();
    }
    let (update, delete) =
        (("PUT", "/v1/access-clients/00000042"), ("DELETE", "/v1/access-clients/00001234"));
    assert_eq!(call_in(&server, "fork-1", update, "", "{\"name\":\"renamed\"}").await.status, 200);
    assert_eq!(call_in(&server, "fork-1", delete, "", "").await.status, 200);
    assert_eq!(call_in(&server, "fork-1", CREATE, "", "{\"name\":\"made\"}").await.status, 200);
    assert_eq!(call_in(&server, "origin", delete, "", "").await.status, 200);
    server.clock().advance(Duration::from_mins(1));
    let written = send(&server, raw::request("GET", "/_mock/v1/snapshot", "", b"")).await;
    assert_eq!(written.header("content-type"), Some("application/json"));
    let json = String::from_utf8(written.body).unwrap();
    assert!(json.len() < alone * 5 / 4, "{} bytes for four projects, {alone} for one", json.len());
    assert_eq!(json, world.snapshot().to_json());
    let value: Value = serde_json::from_str(&json).unwrap();
    let of = &value["projects"]["fork-1"]["tables"]["access-clients"];
    assert_eq!(of["like"], "a-fork");
    assert_eq!(of["records"].as_array().unwrap().len(), 2, "{of}");
    assert_eq!(of["without"], json!(["00001234"]));
    assert!(value["projects"]["a-fork"]["tables"]["access-clients"].is_array());

    let other = MockServer::start().await;
    let put = raw::json("PUT", "/_mock/v1/snapshot", json.as_bytes());
    assert_eq!(send(&other, put).await.status, 204);
    for of in ["origin", "fork-1", "fork-2", "a-fork"] {
        let all = |server: &MockServer| {
            server.world().records::<AccessClients>(&project(of), 0, COUNT + 1)
        };
        assert_eq!(all(&other), all(&server), "{of}");
    }
    // What was shared is shared again; what was gone has been dropped by now.
    assert_eq!(other.world().snapshot().to_json(), world.snapshot().to_json());

    let wrong = json.replace("\"like\": \"a-fork\"", "\"like\": \"nobody\"");
    let error = Snapshot::parse(&wrong).unwrap_err().to_string();
    assert!(error.contains("access-clients.like: must be a project that stands before"), "{error}");
    let wrong = json.replace("\"00001234\"\n", "\"00009999\"\n");
    let error = Snapshot::parse(&wrong).unwrap_err().to_string();
    assert!(error.contains("access-clients.without[0]: must be the id of a record"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_snapshot_is_read_at_a_time() {
    use std::io::Write as _;

    let server = MockServer::start().await;
    let json = server.world().snapshot().to_json();
    let request = raw::json("PUT", "/_mock/v1/snapshot", json.as_bytes());
    let (mut slow, rejected) = 'slow: loop {
        let mut slow = std::net::TcpStream::connect(server.address()).unwrap();
        slow.write_all(&request[..request.len() - 1]).unwrap();
        loop {
            let answer = send(&server, request.clone()).await;
            if answer.status == 409 {
                break 'slow (slow, answer);
            }
            assert_eq!(answer.status, 204);
            // The slow one is the later, or has met this one and was rejected itself.
            slow.set_nonblocking(true).unwrap();
            if slow.peek(&mut [0]).is_ok() {
                break;
            }
            slow.set_nonblocking(false).unwrap();
        }
    };
    let error = rejected.json()["error"].to_string();
    assert!(error.contains("another snapshot"), "{error}");
    slow.write_all(&request[request.len() - 1..]).unwrap();
    let answer = tokio::task::spawn_blocking(move || raw::read(&mut slow)).await.unwrap();
    assert_eq!(answer.status, 204);
    assert_eq!(send(&server, request).await.status, 204);
}
