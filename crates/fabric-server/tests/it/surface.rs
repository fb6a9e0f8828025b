//! What the control surface, and what is around the operations, keeps from whom.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use fabric_server::journal::Filter;
use fabric_server::{
    Budgets, Credential, Fixtures, Limits, MockServer, Recorder, RecorderSettings, Settings,
};
use serde_json::{Value, json};

use crate::raw::{self, Answer};

async fn send(server: &MockServer, request: Vec<u8>) -> Answer {
    let address = server.address();
    tokio::task::spawn_blocking(move || raw::send(address, &request)).await.unwrap()
}

async fn get(server: &MockServer, target: &str, headers: &str) -> Answer {
    send(server, raw::request("GET", target, headers, b"")).await
}

async fn with(budgets: Budgets, time: Duration) -> MockServer {
    let limits = Limits { time, ..Limits::default() };
    MockServer::start_with(Settings { budgets, limits, ..Settings::default() }).await.unwrap()
}

fn error(answer: &Answer) -> String {
    answer.json()["error"].as_str().unwrap().to_owned()
}

async fn metric(server: &MockServer, name: &str) -> u64 {
    let metrics = String::from_utf8(get(server, "/_mock/v1/metrics", "").await.body).unwrap();
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    value.trim().parse().unwrap()
}

/// The head of a request under another name, or from a page.
fn named(host: &str, target: &str, headers: &str) -> Vec<u8> {
    let head =
        format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
    head.into_bytes()
}

fn known_caller() -> Settings {
    let credentials = vec![Credential::parse_token("the-token=a-project").unwrap()];
    Settings { credentials, ..Settings::default() }
}

#[tokio::test]
async fn a_fault_by_header_is_for_who_is_let_in() {
    let server = MockServer::start_with(known_caller()).await.unwrap();
    for (headers, status) in [
        ("X-Mock-Fault: 503\r\n", 400),
        ("X-Mock-Fault: 503\r\nX-Auth-Token: other\r\n", 400),
        ("X-Mock-Fault: 503\r\nX-Auth-Token: the-token\r\n", 503),
        ("", 200),
    ] {
        assert_eq!(get(&server, "/healthcheck", headers).await.status, status, "{headers}");
    }
    let open = MockServer::start().await;
    assert_eq!(get(&open, "/healthcheck", "X-Mock-Fault: 503\r\n").await.status, 503);
}

#[tokio::test]
async fn the_journal_keeps_no_secret_of_another_service_and_no_token_of_an_address() {
    let fixtures = r#"{"endpoints": [{"id": "7a6d1e0f4c3b48d29e5f8a7b6c5d4e3f", "name": "ray",
        "workspace_id": "5f7a1bf0-a5c9-421d-8259-a3daef9c5a92",
        "urls": [{"address": "https://example.org", "token": "the-secret"}]}]}"#;
    let fixtures = Fixtures::parse(fixtures).unwrap();
    let server =
        MockServer::start_with(Settings { fixtures, ..Settings::default() }).await.unwrap();
    let secret = ["X-Api-Key", "Api-Key", "X-Vault-Token", "X-Client-Secret", "X-Db-Password"];
    let headers = secret.map(|name| format!("{name}: the-secret\r\n")).concat();
    let headers = headers + "X-Trace: told\r\nX-Idempotency-Key: told\r\n";
    let target = "/v1/workspaces/5f7a1bf0-a5c9-421d-8259-a3daef9c5a92/endpoints/7a6d1e0f4c3b48d29e5f8a7b6c5d4e3f";
    let answer = get(&server, target, &headers).await.json();
    assert_eq!(answer["urls"][0]["token"], "the-secret", "{answer}");
    let journal = get(&server, "/_mock/v1/journal", "").await.json();
    let entry = &journal["entries"][0];
    for name in secret {
        assert_eq!(entry["headers"][name.to_lowercase()], "[redacted]", "{name}");
    }
    for name in ["x-trace", "x-idempotency-key"] {
        assert_eq!(entry["headers"][name], "told");
    }
    assert_eq!(entry["answer"]["urls"][0]["token"], "[redacted]");
    assert_eq!(entry["answer"]["name"], "ray");
    assert!(!journal.to_string().contains("the-secret"), "{journal}");
    // A snapshot restores what callers saw.
    let snapshot: Value = get(&server, "/_mock/v1/snapshot", "").await.json();
    assert!(snapshot.to_string().contains("the-secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_the_surface_share_a_budget_and_have_a_time() {
    let budgets = Budgets { control_bodies: 1_000, ..Budgets::default() };
    let server = with(budgets, Duration::from_secs(30)).await;
    let fault = |length: usize| {
        let padding = " ".repeat(length);
        raw::json(
            "POST",
            "/_mock/v1/faults",
            format!("{{\"then\":{{\"kind\":\"reset\"}}}}{padding}").as_bytes(),
        )
    };
    let answer = send(&server, fault(1_000)).await;
    assert_eq!(answer.status, 503);
    assert!(error(&answer).contains("--control-bodies-limit"), "{}", error(&answer));
    for _ in 0..3 {
        // What a body took is given back.
        assert_eq!(send(&server, fault(900)).await.status, 201);
    }
    assert_eq!(metric(&server, "fabric_mock_budget_rejected{budget=\"control_bodies\"}").await, 1);
    assert_eq!(metric(&server, "fabric_mock_budget_taken{budget=\"control_bodies\"}").await, 0);
    let long = send(&server, raw::json("POST", "/_mock/v1/faults", &vec![b' '; 3_000_000])).await;
    assert_eq!((long.status, error(&long).starts_with("body: ")), (413, true));

    let server = with(Budgets::default(), Duration::from_millis(200)).await;
    let head = "POST /_mock/v1/faults HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n{";
    let late = send(&server, head.as_bytes().to_vec()).await;
    assert_eq!((late.status, error(&late).contains("--request-timeout")), (408, true));
    // So is a look-up that there is no room for.
    let server =
        with(Budgets { lookups: 0, ..Budgets::default() }, Duration::from_millis(200)).await;
    assert_eq!(get(&server, "/_mock/v1/journal", "").await.status, 408);
    let verify = raw::json("POST", "/_mock/v1/journal/verify", br#"{"count":0}"#);
    assert_eq!(send(&server, verify).await.status, 408);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_events_are_so_many_and_a_place_is_given_back() {
    let budgets = Budgets { event_streams: 1, ..Budgets::default() };
    let server = with(budgets, Duration::from_secs(30)).await;
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(b"GET /_mock/v1/journal/stream HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let taken = "fabric_mock_budget_taken{budget=\"event_streams\"}";
    while metric(&server, taken).await != 1 {
        tokio::task::yield_now().await;
    }
    let more = get(&server, "/_mock/v1/journal/stream", "").await;
    assert_eq!(more.status, 503);
    assert!(error(&more).contains("--max-event-streams"), "{}", error(&more));
    drop(stream);
    while metric(&server, taken).await != 0 {
        // The server notices when it has something to send.
        get(&server, "/v1/access-clients", "").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_is_sent_call_by_call_as_the_world_has_it() {
    let server = MockServer::start().await;
    for place in 0..30 {
        get(&server, &format!("/v1/access-clients?limit={place}"), "").await;
    }
    for (query, filter) in [
        ("", Filter::default()),
        ("?limit=7", Filter { limit: Some(7), ..Filter::default() }),
        ("?path=/none", Filter { path: Some("/none".to_owned()), ..Filter::default() }),
    ] {
        let answer = get(&server, &format!("/_mock/v1/journal{query}"), "").await;
        assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let expected = serde_json::to_value(server.world().journal(&filter)).unwrap();
        assert_eq!(answer.json(), expected, "{query}");
    }
}

#[tokio::test]
async fn an_open_server_is_called_by_the_names_of_this_machine() {
    let list = "/v1/access-clients";
    let open = MockServer::start().await;
    for target in [list, "/healthcheck", "/v3/projects"] {
        let rebound = send(&open, named("rebound.example.org", target, "")).await;
        assert_eq!(rebound.status, 400, "{target}");
        // Sign-in has messages of its own.
        let message = String::from_utf8_lossy(&rebound.body).into_owned();
        assert!(
            target.starts_with("/v3") || message.contains("Host: must be localhost"),
            "{message}"
        );
        assert_eq!(send(&open, named("localhost:8080", target, "")).await.status, 200, "{target}");
    }
    let settings = Settings { allowed_hosts: vec!["mock.test".to_owned()], ..Settings::default() };
    let allowing = MockServer::start_with(settings).await.unwrap();
    let open_to_all = Settings { open_to_all: true, ..Settings::default() };
    let open_to_all = MockServer::start_with(open_to_all).await.unwrap();
    for (server, target) in
        [(&allowing, list), (&allowing, "/_mock/v1/status"), (&open_to_all, list)]
    {
        assert_eq!(send(server, named("mock.test:80", target, "")).await.status, 200, "{target}");
    }
    // Where callers are known, a page that was led here knows no credential.
    let known = MockServer::start_with(known_caller()).await.unwrap();
    let token = "X-Auth-Token: the-token\r\n";
    assert_eq!(send(&known, named("rebound.example.org", list, token)).await.status, 200);
}

#[tokio::test]
async fn pages_use_the_surface_if_they_are_its_own_or_named() {
    for (origins, origin, status) in [
        (vec![], "http://localhost:8080", 200),
        (vec![], "http://localhost:3000", 403),
        (vec!["http://localhost:3000"], "http://localhost:3000", 200),
        (vec!["http://localhost:3000"], "http://localhost:4000", 403),
        (vec!["https://example.org"], "https://example.org", 200),
        (vec!["*"], "https://example.org", 403),
    ] {
        let cors_origins = origins.iter().map(ToString::to_string).collect();
        let server = MockServer::start_with(Settings { cors_origins, ..Settings::default() });
        let headers = format!("Origin: {origin}\r\n");
        let request = named("localhost:8080", "/_mock/v1/status", &headers);
        assert_eq!(
            send(&server.await.unwrap(), request).await.status,
            status,
            "{origins:?} {origin}"
        );
    }
}

#[tokio::test]
async fn whatever_is_no_success_says_so_in_json_and_echoes_nothing() {
    let server = MockServer::start().await;
    let broken = "POST /_mock/v1/projects HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
        Transfer-Encoding: chunked\r\n\r\nzzz\r\n";
    let snapshot = br#"{"version": "canary", "seed": "canary"}"#;
    for (request, status) in [
        (broken.as_bytes().to_vec(), 400),
        (raw::request("GET", "/_mock/reference/nothing.js", "", b""), 404),
        (raw::request("POST", "/_mock/reference/", "", b""), 404),
        (raw::request("GET", "/_mock/nothing", "", b""), 404),
        (raw::request("GET", "/_mock/v1/projects/%ff/workspaces", "", b""), 400),
        (raw::json("PUT", "/_mock/v1/snapshot", snapshot), 400),
        (raw::json("PUT", "/_mock/v1/snapshot", br#"{"canary": 1}"#), 400),
        (raw::json("POST", "/_mock/v1/faults", br#"{"then": {"kind": "canary"}}"#), 400),
    ] {
        let shown = String::from_utf8_lossy(&request).into_owned();
        let answer = send(&server, request).await;
        assert_eq!(answer.status, status, "{shown}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{shown}");
        let error = error(&answer);
        assert!(!error.is_empty() && !error.contains("canary"), "{shown}{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_recorder_answers_by_itself_has_an_id_and_leaves_a_trace() {
    let recorder = Recorder::start(RecorderSettings {
        listen: ([127, 0, 0, 1], 0).into(),
        // Nobody listens there.
        upstream: "http://127.0.0.1:1".to_owned(),
        credential: None,
        certificate_authorities: None,
        project: "default".parse().unwrap(),
    });
    let recorder = recorder.await.unwrap();
    let address: std::net::SocketAddr =
        recorder.endpoint().trim_start_matches("http://").parse().unwrap();
    let long = format!("X-Long: {}\r\n", "a".repeat(66_000));
    for (headers, status) in [("", 503), (&*long, 494)] {
        let request = raw::request("GET", "/v1/workspaces", headers, b"");
        let answer =
            tokio::task::spawn_blocking(move || raw::send(address, &request)).await.unwrap();
        assert_eq!(answer.status, status);
        let id = answer.header("x-request-id").unwrap().to_owned();
        let entry = recorder.world().journal(&Filter::default()).entries.remove(0);
        assert_eq!(json!([entry.status, entry.request_id]), json!([status, id]));
    }
}
