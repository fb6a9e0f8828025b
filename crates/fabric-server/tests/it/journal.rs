//! What the journal tells, what it keeps to itself, and how much it takes.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use fabric_client::{Client, Credentials, Retry};
use fabric_model::access_client::{AccessClientCreate, AccessClientUpdate, ListAccessClientsQuery};
use fabric_server::journal::{Count, Expectation, Filter, Matching, Range};
use fabric_server::{Credential, MockServer, Settings};
use serde_json::{Value, json};

use crate::raw::{self, Answer};

async fn send(server: &MockServer, request: Vec<u8>) -> Answer {
    let address = server.address();
    tokio::task::spawn_blocking(move || raw::send(address, &request)).await.unwrap()
}

fn named(name: &str) -> AccessClientCreate {
    AccessClientCreate { name: Some(name.to_owned()), ..AccessClientCreate::default() }
}

#[tokio::test]
async fn every_call_is_told_and_no_credential() {
    let credentials = vec![
        Credential::parse_token("the-token=a-project").unwrap(),
        Credential::parse_access_key("AKIDEXAMPLE:the-secret=a-project").unwrap(),
    ];
    let settings = Settings { credentials, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let body = br#"{"name":"analytics-1"}"#;
    let secrets = "Content-Type: application/json\r\nX-Auth-Token: the-token\r\nCookie: a=the-cookie\r\n\
                   X-Security-Token: the-security-token\r\nX-Mock-Token: the-control-token\r\n\
                   Proxy-Authorization: the-proxy\r\nX-Kept: a\r\nX-Kept: b\r\n";
    send(&server, raw::request("POST", "/v1/access-clients?a=1", secrets, body)).await;
    send(
        &server,
        raw::request("GET", "/v1/access-clients/unknown", "X-Auth-Token: other-token\r\n", b""),
    )
    .await;
    send(&server, raw::request("BREW", "/v1/pot", "", b"")).await;
    let journal = server.world().journal(&Filter::default());
    let [pot, rejected, created] = &journal.entries[..] else { panic!("{journal:?}") };
    assert_eq!((created.sequence, created.project_id.as_deref()), (1, Some("a-project")));
    assert_eq!(created.operation.as_deref(), Some("CreateAccessClientInfo"));
    assert_eq!(
        (created.method.as_str(), created.target.as_str()),
        ("POST", "/v1/access-clients?a=1")
    );
    assert_eq!((&created.body, created.body_bytes), (&json!({"name": "analytics-1"}), 22));
    assert_eq!((created.status, &created.answer["name"]), (Some(200), &json!("analytics-1")));
    assert_eq!(created.headers["x-kept"], "a, b");
    for hidden in
        ["x-auth-token", "cookie", "x-security-token", "x-mock-token", "proxy-authorization"]
    {
        assert_eq!(created.headers[hidden], "[redacted]");
    }
    assert_eq!((rejected.status, rejected.error_code.as_deref()), (Some(401), Some("APIG.1002")));
    assert_eq!(rejected.reason.as_deref(), Some("token: it is not known"));
    assert_eq!((pot.operation.as_deref(), pot.status), (None, Some(404)));
    let text = serde_json::to_string(&journal).unwrap();
    for secret in [
        "the-token",
        "the-cookie",
        "the-security-token",
        "the-control-token",
        "the-proxy",
        "other-token",
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_refused_signature_is_told_with_what_both_sides_made_of_it() {
    let credentials = vec![Credential::parse_access_key("AKIDEXAMPLE:the-secret").unwrap()];
    let server =
        MockServer::start_with(Settings { credentials, ..Settings::default() }).await.unwrap();
    let client = Client::builder(server.endpoint())
        .credentials(Credentials::access_key("AKIDEXAMPLE", "another-secret").unwrap())
        .retry(Retry::off())
        .build()
        .unwrap();
    let rejected =
        client.access_clients().list(ListAccessClientsQuery::default()).await.unwrap_err();
    assert_eq!(rejected.status().unwrap(), 401);
    let journal = server.world().journal(&Filter::default());
    let entry = &journal.entries[0];
    assert_eq!(entry.headers["authorization"], "[redacted]");
    let signature = entry.signature.as_ref().unwrap();
    assert!(
        signature.canonical_request.starts_with("GET\n/v1/access-clients/\nlimit=10&offset=0\n"),
        "{signature:?}"
    );
    assert!(signature.string_to_sign.starts_with("SDK-HMAC-SHA256\n"), "{signature:?}");
    assert_eq!(signature.canonical_request_of_caller, None);

    // A caller may tell what it signed.
    let headers = "X-Sdk-Date: 20260101T000000Z\r\n\
                   Authorization: SDK-HMAC-SHA256 Access=AKIDEXAMPLE, SignedHeaders=host;x-sdk-date, Signature=00\r\n\
                   X-Mock-Canonical-Request: GET%0A/v1/access-clients/%0A%0Ahost:elsewhere%0Ax-auth-token:the-token%0A\r\n";
    server.clock().freeze_at(humantime("2026-01-01T00:00:00Z"));
    send(&server, raw::request("GET", "/v1/access-clients", headers, b"")).await;
    let journal = server.world().journal(&Filter { limit: Some(1), ..Filter::default() });
    let signature = journal.entries[0].signature.as_ref().unwrap();
    assert_eq!(signature.first_difference, Some(4), "{signature:?}");
    let of_caller = signature.canonical_request_of_caller.as_deref().unwrap();
    assert!(of_caller.contains("host:elsewhere\nx-auth-token:[redacted]"), "{of_caller}");
    assert!(!serde_json::to_string(&journal).unwrap().contains("the-token"));
}

fn humantime(text: &str) -> std::time::SystemTime {
    humantime::parse_rfc3339(text).unwrap()
}

#[tokio::test]
async fn filters_and_pages() {
    let server = MockServer::start().await;
    let client = Client::builder(server.endpoint()).retry(Retry::off()).build().unwrap();
    let id = client.access_clients().create(named("analytics-1")).await.unwrap().id.unwrap();
    client.access_clients().show(&id).await.unwrap();
    client.access_clients().show("unknown").await.unwrap_err();
    client.access_clients().delete(&id).await.unwrap();
    for (query, sequences) in [
        ("", vec![4, 3, 2, 1]),
        ("operation=ShowAccessClient", vec![3, 2]),
        ("status=404", vec![3]),
        ("error_code=common.01000001", vec![3]),
        ("method=DELETE", vec![4]),
        (&format!("client_id={id}"), vec![4, 2]),
        (&format!("path=/v1/access-clients/{id}&method=GET"), vec![2]),
        ("limit=1", vec![4]),
        ("before=3", vec![2, 1]),
        ("after=3", vec![4]),
        ("project_id=default&limit=2", vec![4, 3]),
        ("project_id=other", vec![]),
    ] {
        let answer =
            send(&server, raw::request("GET", &format!("/_mock/v1/journal?{query}"), "", b""))
                .await;
        let found: Vec<_> = answer.json()["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["sequence"].as_u64().unwrap())
            .collect();
        assert_eq!(found, sequences, "{query}");
    }
    for (query, reason) in [("statsu=404", "unknown field `statsu`"), ("status=x", "status")] {
        let answer =
            send(&server, raw::request("GET", &format!("/_mock/v1/journal?{query}"), "", b""))
                .await;
        assert!(
            answer.status == 400 && answer.json()["error"].as_str().unwrap().contains(reason),
            "{query}: {:?}",
            answer.json()
        );
    }
}

#[tokio::test]
async fn what_is_expected_is_verified_and_what_came_instead_is_told() {
    let server = MockServer::start().await;
    let client = Client::new(server.endpoint()).unwrap();
    let id = client.access_clients().create(named("analytics-1")).await.unwrap().id.unwrap();
    client
        .access_clients()
        .update(&id, AccessClientUpdate { name: Some("zzh_test1122".to_owned()) })
        .await
        .unwrap();
    let verify = async |expectation: Value| {
        let request =
            raw::json("POST", "/_mock/v1/journal/verify", expectation.to_string().as_bytes());
        let answer = send(&server, request).await;
        (answer.status, answer.json())
    };
    let update = json!({"operation": "UpdateAccessClientInfo", "client_id": id, "body": {"name": "zzh_test1122"}});
    for (expectation, is_met) in [
        (json!({"calls": update, "count": 1}), true),
        (json!({"calls": update}), true),
        (json!({"calls": update, "count": {"at_most": 1}}), true),
        (json!({"calls": update, "count": {"at_least": 2}}), false),
        (json!({"calls": update, "count": 0}), false),
        (json!({"calls": {"status": 404}, "count": 0}), true),
        (json!({"count": 2}), true),
        (json!({"calls": {"body_contains": {"name": "analytics-1"}}, "count": 1}), true),
        (json!({"calls": {"operation": "CreateAccessClientInfo", "body": {}}, "count": 1}), false),
        (
            json!({"calls": {"operation": "CreateAccessClientInfo", "body_contains": {}}, "count": 1}),
            true,
        ),
    ] {
        let (status, verdict) = verify(expectation.clone()).await;
        assert_eq!(
            (status == 200, verdict["is_met"].as_bool()),
            (is_met, Some(is_met)),
            "{expectation}: {verdict}"
        );
    }
    let wrong_name = json!({"calls": {"operation": "UpdateAccessClientInfo", "body": {"name": "other", "more": 1}}, "count": 1});
    let (_, verdict) = verify(wrong_name).await;
    assert_eq!(verdict["message"], "found 0, expected exactly 1; see `instead` for what came");
    assert_eq!(verdict["instead"][0]["differs_in"], json!(["body.more is missing", "body.name"]));
    assert_eq!(verdict["instead"][0]["call"]["operation"], "UpdateAccessClientInfo");
    for (wrong, reason) in [
        (json!({"count": {"exactly": 1}}), "count"),
        (json!({"count": {"at_lest": 1}}), "count"),
        (json!({"count": {}}), "count: must be a number, or have at_least"),
        (
            json!({"count": {"at_least": 2, "at_most": 1}}),
            "count: must be a number, or have at_least",
        ),
        (json!({"calls": {"operation": "Create"}, "count": 0}), "calls.operation: must be one of"),
    ] {
        let (status, error) = verify(wrong.clone()).await;
        assert!(
            status == 400 && error["error"].as_str().unwrap().starts_with(reason),
            "{wrong}: {error}"
        );
    }
    let (status, _) = verify(json!({"calls": {"method": "GET", "body": null}, "count": 0})).await;
    assert_eq!(status, 200);
    let (status, _) = verify(json!({"calls": {"body": null}, "count": 0})).await;
    assert_eq!(status, 200);
    let (status, error) = verify(json!({"calls": {"opration": "x"}})).await;
    assert!(
        status == 400 && error["error"].as_str().unwrap().contains("calls.opration"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_method_counts_towards_the_budget() {
    let settings = Settings { journal_limit: 60_000, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let method = "A".repeat(100_000);
    write!(stream, "{method} /v1/access-clients HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status).unwrap();
    assert!(status.starts_with("HTTP/1.1 404"), "{status}");
    let status = server.world().status().journal;
    assert_eq!((status.entries, status.evicted), (0, 1), "{status:?}");
}

#[tokio::test]
async fn the_budget_is_kept_and_a_busy_project_leaves_the_others_theirs() {
    let settings = Settings { journal_limit: 60_000, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let world = server.world();
    let quiet = world.create_project(None, None).unwrap();
    let calls = Client::builder(server.endpoint()).auth_token(quiet.token).build().unwrap();
    calls.access_clients().create(named("only-one")).await.unwrap();
    let busy = Client::new(server.endpoint()).unwrap();
    for _ in 0..300 {
        busy.access_clients().list(ListAccessClientsQuery::default()).await.unwrap();
        let status = world.status().journal;
        assert!(status.bytes <= status.limit, "{status:?}");
    }
    let status = world.status().journal;
    assert!(status.evicted > 100 && status.entries > 30 && status.bytes > 40_000, "{status:?}");
    let of_quiet = Filter { project_id: Some(quiet.project_id.clone()), ..Filter::default() };
    assert_eq!(world.journal(&of_quiet).entries.len(), 1);
    let newest = &world.journal(&Filter::default()).entries[0];
    assert_eq!(newest.sequence, 301);
    // What were evicted can't be verified, even where what is left seems to be it.
    let calls = Matching { operation: Some("ListVpcepClient".to_owned()), ..Matching::default() };
    let left = status.entries as u64 - 1;
    for (count, is_met) in [
        (Count::Exactly(300), false),
        (Count::Exactly(left), false),
        (Count::Range(Range { at_least: Some(left), at_most: None }), true),
    ] {
        let verdict = world.verify(&Expectation { calls: calls.clone(), count }).unwrap();
        assert_eq!(verdict.is_met, is_met, "{}", verdict.message);
        assert!(is_met || verdict.message.contains("were evicted"), "{}", verdict.message);
    }
    let calls = Matching { project_id: Some(quiet.project_id), ..Matching::default() };
    assert!(world.verify(&Expectation { calls, count: Count::Exactly(1) }).unwrap().is_met);

    // A project that came later has lost nothing.
    let later = world.create_project(None, None).unwrap();
    let calls = Matching { project_id: Some(later.project_id), ..Matching::default() };
    assert!(world.verify(&Expectation { calls, count: Count::Exactly(0) }).unwrap().is_met);

    // One call alone may be too large: it is not kept, and breaks nothing.
    let body = format!(r#"{{"name":"analytics-1","unknown":"{}"}}"#, "x".repeat(64_000));
    let answer = send(&server, raw::json("POST", "/v1/access-clients", body.as_bytes())).await;
    assert_eq!(answer.status, 200);
    let status = world.status().journal;
    assert!(status.bytes <= status.limit, "{status:?}");
}

#[tokio::test]
async fn many_projects_keep_to_the_budget_too() {
    let settings = Settings { journal_limit: 60_000, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let address = server.address();
    let flood = move || {
        for number in 0..300 {
            let headers = format!("X-Project-Id: project-{number}\r\n");
            raw::send(address, &raw::request("GET", "/v1/access-clients", &headers, b""));
        }
    };
    tokio::task::spawn_blocking(flood).await.unwrap();
    let status = server.world().status().journal;
    assert!(status.bytes <= status.limit && status.entries > 10, "{status:?}");
}

#[tokio::test]
async fn off_means_off() {
    let settings = Settings { journal_limit: 0, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let client = Client::new(server.endpoint()).unwrap();
    client.access_clients().list(ListAccessClientsQuery::default()).await.unwrap();
    let status = server.world().status().journal;
    assert!(!status.is_on && status.entries == 0 && status.bytes == 0);
    for request in [
        raw::json("POST", "/_mock/v1/journal/verify", b"{}"),
        raw::request("GET", "/_mock/v1/journal/stream", "", b""),
    ] {
        let answer = send(&server, request).await;
        assert_eq!(answer.status, 409);
        assert!(answer.json()["error"].as_str().unwrap().contains("the journal is off"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_streamed_as_they_come_and_the_stream_ends_with_the_server() {
    let server = MockServer::start().await;
    let client = Client::new(server.endpoint()).unwrap();
    client.access_clients().create(named("before-1")).await.unwrap();
    let address = server.address();
    let (events, received) = std::sync::mpsc::channel::<String>();
    let reader = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let request = "GET /_mock/v1/journal/stream?after=0&operation=CreateAccessClientInfo HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if let Some(data) = line.strip_prefix("data: ").or_else(|| line.strip_prefix("data:")) {
                let entry: Value = serde_json::from_str(data).unwrap();
                events.send(entry["body"]["name"].as_str().unwrap().to_owned()).unwrap();
            }
        }
    });
    let next = || received.recv().unwrap();
    assert_eq!(next(), "before-1");
    client.access_clients().list(ListAccessClientsQuery::default()).await.unwrap();
    client.access_clients().create(named("live-1")).await.unwrap();
    assert_eq!(next(), "live-1");
    // The stream would hold up the end for as long as this.
    server.shutdown(Duration::from_hours(1)).await;
    reader.join().unwrap();
}

#[tokio::test]
async fn path_parameters_are_those_that_the_route_decodes() {
    let server = MockServer::start().await;
    let client = Client::new(server.endpoint()).unwrap();
    let id = client.access_clients().create(named("analytics-1")).await.unwrap().id.unwrap();
    let encoded = format!("/v1/access-clients/%{:02X}{}", id.as_bytes()[0], &id[1..]);
    assert_eq!(send(&server, raw::request("GET", &encoded, "", b"")).await.status, 200);
    client.access_clients().list(ListAccessClientsQuery::default()).await.unwrap();
    let found = async |query: &str| {
        let target = format!("/_mock/v1/journal?{query}");
        let journal = send(&server, raw::request("GET", &target, "", b"")).await.json();
        journal["entries"].as_array().unwrap().clone()
    };
    let of_id = found(&format!("client_id={id}")).await;
    assert_eq!(of_id.len(), 1);
    assert_eq!(of_id[0]["parameters"], json!({"client_id": id}));
    assert!(found("client_id=access-clients").await.is_empty(), "no part of a path that is no id");
    let by_id = Matching {
        parameters: [("client_id".to_owned(), id.clone())].into(),
        ..Matching::default()
    };
    let expectation = Expectation { calls: by_id, count: Count::Exactly(1) };
    assert!(server.world().verify(&expectation).unwrap().is_met);
    let wrong = "/_mock/v1/journal?operation=ListVpcepClient&client_id=x";
    let wrong = send(&server, raw::request("GET", wrong, "", b"")).await;
    assert_eq!(wrong.json()["error"], "client_id: is not in the path of ListVpcepClient");

    // A fault goes by the same.
    let fault = json!({"when": {"client_id": id}, "then": {"kind": "answer", "status": 408}});
    let fault = raw::json("POST", "/_mock/v1/faults", fault.to_string().as_bytes());
    assert_eq!(send(&server, fault).await.status, 201);
    assert_eq!(send(&server, raw::request("GET", &encoded, "", b"")).await.status, 408);
}

#[tokio::test]
async fn a_rejected_call_is_of_the_project_of_its_credentials_or_of_none() {
    let credentials = vec![
        Credential::parse_token("good=mine").unwrap(),
        Credential::token("late")
            .unwrap()
            .for_project(Some("mine".parse().unwrap()))
            .until(std::time::UNIX_EPOCH),
    ];
    let settings = Settings { credentials, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    for (headers, target, status, project) in [
        ("X-Project-Id: theirs\r\n", "/v1/workspaces", 401, None),
        ("X-Auth-Token: bad\r\nX-Project-Id: theirs\r\n", "/v1/workspaces", 401, None),
        ("X-Auth-Token: good\r\nX-Project-Id: theirs\r\n", "/v1/workspaces", 403, Some("mine")),
        ("X-Auth-Token: late\r\n", "/v1/workspaces", 401, Some("mine")),
        ("X-Auth-Token: good\r\n", "/v1/pots", 404, Some("mine")),
        ("X-Project-Id: theirs\r\n", "/v1/pots", 404, None),
        ("X-Auth-Token: good\r\n", "/v1/workspaces", 200, Some("mine")),
    ] {
        let answer = send(&server, raw::request("GET", target, headers, b"")).await;
        assert_eq!(answer.status, status, "{headers}{target}");
        let newest = Filter { limit: Some(1), ..Filter::default() };
        let entry = &server.world().journal(&newest).entries[0];
        assert_eq!(entry.project_id.as_deref(), project, "{headers}{target}");
    }
    let mut of_mine = Filter { project_id: Some("mine".parse().unwrap()), ..Filter::default() };
    assert_eq!(server.world().journal(&of_mine).entries.len(), 4);
    of_mine.unattributed = Some(true);
    assert_eq!(server.world().journal(&of_mine).entries.len(), 7);
}

/// One reading of the clock serves a whole call, however the clock is turned meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_knows_one_time_only() {
    let server = MockServer::start().await;
    let (clock, stop) =
        (server.clock().clone(), std::sync::Arc::<std::sync::OnceLock<()>>::default());
    clock.freeze();
    let stopped = stop.clone();
    let turning = std::thread::spawn(move || {
        while stopped.get().is_none() {
            clock.advance(Duration::from_millis(1_001));
            std::thread::yield_now();
        }
    });
    for _ in 0..200 {
        let answer = send(&server, raw::json("POST", "/v1/access-clients", b"{}")).await;
        let created = answer.json()["create_time"].as_str().unwrap().to_owned();
        let newest = Filter { limit: Some(1), ..Filter::default() };
        let entry = server.world().journal(&newest).entries.remove(0);
        let time = humantime(&created);
        assert_eq!(entry.time, created);
        let milliseconds = time.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
        let id = answer.header("x-request-id").unwrap();
        assert!(id.contains(&format!("-{milliseconds}-")), "{id} is not of {created}");
        let date = httpdate::fmt_http_date(time);
        assert_eq!(answer.header("date"), Some(date.as_str()));
    }
    stop.set(()).unwrap();
    turning.join().unwrap();
}
