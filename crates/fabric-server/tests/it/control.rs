//! The control surface: who may use it, what it says, and what else a mock has.

use std::time::{Duration, UNIX_EPOCH};

use fabric_client::{Client, Retry};
use fabric_model::access_client::{AccessClientCreate, ListAccessClientsQuery};
use fabric_model::health::ShowHealth;
use fabric_model::{Nothing, Request};
use fabric_server::fault::{Effect, Fault};
use fabric_server::{Credential, Fixtures, MockServer, RateLimit, Settings};
use serde_json::{Value, json};

use crate::raw::{self, Answer};

async fn send(server: &MockServer, request: Vec<u8>) -> Answer {
    let address = server.address();
    tokio::task::spawn_blocking(move || raw::send(address, &request)).await.unwrap()
}

async fn get(server: &MockServer, target: &str, headers: &str) -> Answer {
    send(server, raw::request("GET", target, headers, b"")).await
}

fn error(answer: &Answer) -> String {
    answer.json()["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_surface_is_for_this_machine_or_for_who_has_the_token() {
    let open = MockServer::start().await;
    assert_eq!(get(&open, "/_mock/v1/status", "").await.status, 200);
    assert_eq!(get(&open, "/_mock/v1/status", "Origin: http://localhost\r\n").await.status, 200);
    // A page of another site, or a name that somebody has pointed to this machine.
    for (host, headers) in [
        ("localhost", "Origin: https://example.org\r\n"),
        ("localhost", "Origin: null\r\n"),
        ("localhost", "Origin: http://localhost:3000\r\n"),
        ("localhost:8080", "Origin: http://127.0.0.1:8080\r\n"),
        ("rebound.example.org", ""),
        ("localhost.example.org:80", ""),
    ] {
        let request = format!(
            "POST /_mock/v1/reset HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}Content-Length: 0\r\n\r\n"
        );
        let answer = send(&open, request.into_bytes()).await;
        assert_eq!(answer.status, 403, "{host} {headers}");
        assert!(error(&answer).contains("--control-token"));
    }
    for host in ["127.0.0.1:80", "[::1]:80", "localhost"] {
        let request =
            format!("GET /_mock/v1/status HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_eq!(send(&open, request.into_bytes()).await.status, 200, "{host}");
    }

    let settings = Settings { control_token: Some("control".into()), ..Settings::default() };
    let guarded = MockServer::start_with(settings).await.unwrap();
    for (headers, status) in [
        ("", 401),
        ("Authorization: Bearer wrong\r\n", 401),
        ("X-Auth-Token: control\r\n", 401),
        ("Authorization: Bearer control\r\n", 200),
        ("X-Mock-Token: control\r\n", 200),
    ] {
        assert_eq!(get(&guarded, "/_mock/v1/status", headers).await.status, status, "{headers}");
    }

    // Reached from elsewhere: closed without a token, unless everybody is let in.
    let credentials = vec![Credential::parse_token("token").unwrap()];
    let listen = ([0, 0, 0, 0], 0).into();
    let settings = Settings { listen, credentials: credentials.clone(), ..Settings::default() };
    let closed = MockServer::start_with(settings.clone()).await.unwrap();
    let here = |server: &MockServer| ([127, 0, 0, 1], server.address().port()).into();
    let ask = async |address: std::net::SocketAddr| {
        let request = raw::request("GET", "/_mock/v1/status", "", b"");
        tokio::task::spawn_blocking(move || raw::send(address, &request)).await.unwrap()
    };
    let answer = ask(here(&closed)).await;
    assert_eq!(answer.status, 403);
    assert!(error(&answer).contains("--control-token"));
    let open_to_all =
        MockServer::start_with(Settings { open_to_all: true, ..settings }).await.unwrap();
    assert_eq!(ask(here(&open_to_all)).await.status, 200);
    for (origin, status) in [("http://elsewhere.example.org", 403), ("http://localhost", 200)] {
        let headers = format!("Origin: {origin}\r\n");
        let request = raw::request("POST", "/_mock/v1/reset", &headers, b"");
        let address = here(&open_to_all);
        let answer =
            tokio::task::spawn_blocking(move || raw::send(address, &request)).await.unwrap();
        assert_eq!(answer.status == 403, status == 403, "{origin}");
    }
}

#[tokio::test]
async fn probes_answer_whatever_state_the_mock_is_in() {
    let settings = Settings {
        control_token: Some("control".into()),
        rate_limit: RateLimit::new(1, Duration::from_mins(1)),
        ..Settings::default()
    };
    let server = MockServer::start_with(settings).await.unwrap();
    server.world().add_fault(Fault { then: Some(Effect::Reset), ..Fault::default() }).unwrap();
    server.world().reset(None);
    server
        .world()
        .add_fault(Fault { then: Some(Effect::answer(503)), ..Fault::default() })
        .unwrap();
    for _ in 0..3 {
        assert_eq!(get(&server, "/_mock/v1/live", "").await.body, b"live\n");
        assert_eq!(get(&server, "/_mock/v1/ready", "").await.body, b"ready\n");
    }
    // That of the contract is the service's, and fails like it.
    let client = Client::builder(server.endpoint()).retry(Retry::off()).build().unwrap();
    let request = Request::<ShowHealth> { path: Nothing {}, query: Nothing {}, body: Nothing {} };
    assert_eq!(client.send(&request).await.unwrap_err().status().unwrap(), 503);
}

#[tokio::test]
async fn what_is_wrong_is_said_plainly() {
    let server = MockServer::start().await;
    for (request, status, reason) in [
        (raw::request("GET", "/_mock/v1/nothing", "", b""), 404, "there is no such path or method"),
        (
            raw::request("PATCH", "/_mock/v1/faults", "", b""),
            404,
            "there is no such path or method",
        ),
        (raw::json("POST", "/_mock/v1/projects", b"{"), 400, "body: is not JSON at line 1"),
        (
            raw::json("POST", "/_mock/v1/projects", br#"{"project_id": "a b"}"#),
            400,
            "project_id: must have 1 to 64",
        ),
        (
            raw::json("POST", "/_mock/v1/projects", br#"{"from": "none"}"#),
            404,
            "from: there is no project none",
        ),
        (
            raw::request("DELETE", "/_mock/v1/projects/none", "", b""),
            404,
            "there is no project none",
        ),
        (raw::request("DELETE", "/_mock/v1/faults/7", "", b""), 404, "there is no fault 7"),
        (raw::request("DELETE", "/_mock/v1/faults/x", "", b""), 404, "there is no fault x"),
        (raw::request("POST", "/_mock/v1/reset?projct=none", "", b""), 400, ""),
        (raw::json("PUT", "/_mock/v1/clock", b"{}"), 400, "give time, frozen or advance"),
        (
            raw::json("PUT", "/_mock/v1/clock", br#"{"time": "now"}"#),
            400,
            "time: must be a time like",
        ),
        (
            raw::json("PUT", "/_mock/v1/clock", br#"{"advance": "-1s"}"#),
            400,
            "advance: must be like",
        ),
    ] {
        let shown = String::from_utf8_lossy(&request).into_owned();
        let answer = send(&server, request).await;
        assert_eq!(answer.status, status, "{shown}");
        assert!(error(&answer).starts_with(reason), "{shown}{}", error(&answer));
    }
}

#[tokio::test]
async fn the_clock_is_turned_over_http() {
    let server = MockServer::start().await;
    let put = async |query: &str, body: Value| {
        send(
            &server,
            raw::json("PUT", &format!("/_mock/v1/clock{query}"), body.to_string().as_bytes()),
        )
        .await
        .json()
    };
    let clock = put("", json!({"time": "2030-01-01T00:00:00Z", "frozen": true})).await;
    assert!(
        clock["time"].as_str().unwrap().starts_with("2030-01-01T00:00:00.000")
            && clock["frozen"] == true,
        "{clock}"
    );
    let before = server.clock().now();
    put("", json!({"advance": "1h 5s"})).await;
    assert_eq!(server.clock().now(), before + Duration::from_secs(3_605));
    put("?project_id=ahead", json!({"advance": "1d"})).await;
    let project = server.clock().of("ahead".parse().unwrap());
    assert_eq!(project.now(), before + Duration::from_secs(3_605 + 86_400));
    let running = put("", json!({"frozen": false})).await;
    assert_eq!(running["frozen"], false);
    while server.clock().now() <= before + Duration::from_secs(3_605) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(send(&server, raw::request("DELETE", "/_mock/v1/clock", "", b"")).await.status, 204);
    let clock = get(&server, "/_mock/v1/clock", "").await.json();
    assert_eq!((clock["offset"].as_str(), clock["frozen"].as_bool()), (Some("0s"), Some(false)));
    // No time is too far to be told, and none breaks a call.
    put("", json!({"advance": "100000years"})).await;
    let created = send(&server, raw::json("POST", "/v1/access-clients", b"{}")).await;
    assert_eq!(created.json()["create_time"], "9999-12-31T23:59:59.000Z");
}

#[tokio::test]
async fn coverage_counts_what_callers_met() {
    let server = MockServer::start().await;
    let client = Client::builder(server.endpoint()).retry(Retry::off()).build().unwrap();
    assert_eq!(server.world().coverage().covered, 0);
    client.access_clients().create(AccessClientCreate::default()).await.unwrap();
    client.access_clients().show("unknown").await.unwrap_err();
    for effect in [Effect::answer(408), Effect::answer(429), Effect::Reset] {
        let rule =
            server.world().add_fault(Fault { then: Some(effect), ..Fault::default() }).unwrap();
        client.access_clients().list(ListAccessClientsQuery::default()).await.unwrap_err();
        server.world().remove_fault(rule.id).unwrap();
    }
    let coverage = get(&server, "/_mock/v1/coverage", "").await.json();
    let documented =
        fabric_model::operations().iter().map(|of| 1 + of.failures.len()).sum::<usize>();
    assert_eq!((&coverage["covered"], &coverage["total"]), (&json!(3), &json!(documented)));
    let percent = 300.0 / f64::from(u32::try_from(documented).unwrap());
    assert!((coverage["percent"].as_f64().unwrap() - percent).abs() < 0.051, "{coverage}");
    let calls = |operation: &str, status: Value| {
        let operations = coverage["operations"].as_array().unwrap();
        let of = operations.iter().find(|of| of["operation"] == operation).unwrap();
        let mut answers = of["answers"].as_array().unwrap().iter();
        answers
            .find(|answer| answer["status"] == status)
            .map(|answer| (answer["calls"].as_u64().unwrap(), answer["is_documented"] == true))
    };
    assert_eq!(calls("CreateAccessClientInfo", json!(200)), Some((1, true)));
    assert_eq!(calls("CreateAccessClientInfo", json!(408)), Some((0, true)));
    assert_eq!(calls("ShowAccessClient", json!(404)), Some((1, true)));
    assert_eq!(calls("ListVpcepClient", json!(408)), Some((1, true)));
    assert_eq!(calls("ListVpcepClient", json!(429)), Some((1, false)));
    assert_eq!(calls("ListVpcepClient", Value::Null), Some((1, false)));
    assert_eq!(calls("DeleteVpcepClient", json!(429)), None);

    let metrics = get(&server, "/_mock/v1/metrics", "").await;
    let metrics = String::from_utf8(metrics.body).unwrap();
    for line in [
        r#"fabric_mock_answers_total{operation="ListVpcepClient",status="408",error_code="common.00000408"} 1"#,
        r#"fabric_mock_answer_seconds_bucket{le="+Inf"} 5"#,
        "fabric_mock_answer_seconds_count 5",
        r#"fabric_mock_records{resource="access-clients"} 1"#,
        "fabric_mock_journal_entries 5",
    ] {
        assert!(metrics.lines().any(|given| given == line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn a_refusal_is_explained_to_who_asks() {
    let credentials = vec![
        Credential::parse_token("known=mine").unwrap(),
        Credential::parse_token("reader=mine")
            .unwrap()
            .allowing(["DataArtsFabric::showVpcepClient"])
            .unwrap(),
        Credential::parse_token("old=mine").unwrap().until(UNIX_EPOCH),
    ];
    let server =
        MockServer::start_with(Settings { credentials, ..Settings::default() }).await.unwrap();
    let list = "/v1/access-clients";
    for (target, headers, status, reason) in [
        (list, "", 401, "credentials: there is neither X-Auth-Token nor a signature"),
        (list, "X-Auth-Token: other\r\n", 401, "token: it is not known"),
        (list, "X-Auth-Token: old\r\n", 401, "token: it has expired"),
        (
            list,
            "X-Auth-Token: known\r\nX-Auth-Token: known\r\n",
            401,
            "token: X-Auth-Token is given more than once",
        ),
        (
            list,
            "X-Auth-Token: reader\r\n",
            403,
            "permission: the caller is not allowed DataArtsFabric::listVpcepClient",
        ),
        (
            list,
            "X-Auth-Token: known\r\nX-Project-Id: other\r\n",
            403,
            "permission: the caller belongs to project mine, and asks for other",
        ),
        (
            list,
            "Authorization: SDK-HMAC-SHA256 Access=a\r\n",
            401,
            "signature: X-Sdk-Date is missing",
        ),
        (
            "/v1/access-clients?limit=0",
            "X-Auth-Token: known\r\n",
            400,
            "contract: limit: must be 1 to 100",
        ),
        (
            "/v1/access-clients/none",
            "X-Auth-Token: known\r\n",
            404,
            "state: project mine has no such access client",
        ),
        (
            list,
            "X-Auth-Token: known\r\nX-Mock-Fault: 500\r\n",
            500,
            "fault of X-Mock-Fault, answers 500, write discarded",
        ),
        ("/nowhere", "", 404, "404 APIG.0101: The API does not exist or has not been published"),
    ] {
        let explained = get(&server, target, &format!("{headers}X-Mock-Explain: 1\r\n")).await;
        assert_eq!(explained.status, status, "{headers}");
        assert_eq!(explained.header("x-mock-reason"), Some(reason));
        let plain = get(&server, target, headers).await;
        assert_eq!((plain.status, plain.header("x-mock-reason")), (status, None));
        assert_eq!(plain.body, explained.body);
    }
    let good = get(&server, list, "X-Auth-Token: known\r\nX-Mock-Explain: 1\r\n").await;
    assert_eq!((good.status, good.header("x-mock-reason")), (200, None));
}

#[tokio::test]
async fn quotas_and_rate_limits_refuse_as_a_gateway_does() {
    let settings = Settings {
        quota: Some(2),
        rate_limit: RateLimit::new(4, Duration::from_secs(2)),
        ..Settings::default()
    };
    let server = MockServer::start_with(settings).await.unwrap();
    server.clock().freeze_at(UNIX_EPOCH);
    let create = raw::json("POST", "/v1/access-clients", b"{}");
    for _ in 0..2 {
        assert_eq!(send(&server, create.clone()).await.status, 200);
    }
    let rejected = send(&server, create.clone()).await;
    assert_eq!((rejected.status, rejected.json()["error_code"].as_str()), (429, Some("APIG.0308")));
    assert!(rejected.json()["error_msg"].as_str().unwrap().contains("quota"));
    assert_eq!(get(&server, "/v1/access-clients", "").await.status, 200);
    // Four in two seconds were made. Others still have theirs.
    let rejected = get(&server, "/v1/access-clients", "X-Mock-Explain: 1\r\n").await;
    assert_eq!((rejected.status, rejected.header("retry-after")), (429, Some("1")));
    assert!(rejected.header("x-mock-reason").unwrap().starts_with("throttling"));
    assert_eq!(get(&server, "/v1/access-clients", "X-Project-Id: other\r\n").await.status, 200);
    assert_eq!(get(&server, "/healthcheck", "").await.status, 200);
    server.clock().advance(Duration::from_millis(499));
    assert_eq!(get(&server, "/v1/access-clients", "").await.status, 429);
    server.clock().advance(Duration::from_millis(1));
    assert_eq!(get(&server, "/v1/access-clients", "").await.status, 200);
    assert_eq!(get(&server, "/v1/access-clients", "").await.status, 429);
    server.world().reset(None);
    server.clock().freeze_at(UNIX_EPOCH);
    assert_eq!(get(&server, "/v1/access-clients", "").await.status, 200);
}

#[tokio::test]
async fn browsers_may_call_where_that_is_allowed() {
    let origins = vec!["https://app.example.org".to_owned()];
    let server = MockServer::start_with(Settings { cors_origins: origins, ..Settings::default() })
        .await
        .unwrap();
    let preflight = "Origin: https://app.example.org\r\nAccess-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: x-auth-token\r\n";
    let answer =
        send(&server, raw::request("OPTIONS", "/v1/access-clients/x", preflight, b"")).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example.org"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("PUT"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("x-auth-token"));
    let answer = get(&server, "/v1/access-clients", "Origin: https://app.example.org\r\n").await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example.org"));
    assert!(answer.header("access-control-expose-headers").unwrap().contains("x-request-id"));
    let answer = get(&server, "/v1/access-clients", "Origin: https://other.example.org\r\n").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None));
    let closed = MockServer::start().await;
    let answer = get(&closed, "/v1/access-clients", "Origin: https://app.example.org\r\n").await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let origins = vec!["app.example.org".to_owned()];
    let wrong =
        MockServer::start_with(Settings { cors_origins: origins, ..Settings::default() }).await;
    assert!(wrong.unwrap_err().to_string().contains("must be like https://example.org"));
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let server = MockServer::start().await;
    for (path, media_type) in [
        ("/_mock/", "text/html; charset=utf-8"),
        ("/_mock/page.css", "text/css; charset=utf-8"),
        ("/_mock/page.js", "text/javascript; charset=utf-8"),
        ("/_mock/openapi.json", "application/json"),
        ("/_mock/v1/openapi.json", "application/json"),
    ] {
        let answer = get(&server, path, "").await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some(media_type)),
            "{path}"
        );
        if media_type != "application/json" {
            let policy = answer.header("content-security-policy").unwrap();
            assert!(policy.starts_with("default-src 'self';"));
            let text = String::from_utf8_lossy(&answer.body);
            assert!(!text.contains("https://") && !text.contains("//cdn"), "{path}");
        }
    }
    assert_eq!(get(&server, "/_mock", "").await.header("location"), Some("/_mock/"));
    let page = get(&server, "/_mock/reference/", "").await;
    assert_eq!(page.status, 200);
    let page = String::from_utf8_lossy(&page.body).into_owned();
    // What the page of the reference loads is there, and what the archive brings is compressed as it says.
    let files = page
        .split('"')
        .filter(|text| [".css", ".js"].iter().any(|end| text.strip_suffix(end).is_some()));
    let files = files.collect::<Vec<_>>();
    assert_eq!(files.len(), 4, "{page}");
    for file in files {
        let answer = get(&server, &format!("/_mock/reference/{file}"), "").await;
        assert_eq!(answer.status, 200, "{file}");
        let is_gzip = answer.body.starts_with(&[0x1f, 0x8b, 8]);
        assert_eq!(answer.header("content-encoding"), is_gzip.then_some("gzip"), "{file}");
        assert_eq!(is_gzip, file.starts_with("swagger-ui"), "{file}");
    }
    let document = get(&server, "/_mock/v1/openapi.json", "").await.json();
    assert_eq!(
        document,
        serde_json::from_str::<Value>(&fabric_server::control_document()).unwrap()
    );
}

/// What is rejected for its head is counted where it belongs, so that `--need 414` can be met.
#[tokio::test]
async fn coverage_counts_what_is_rejected_for_its_head() {
    let server = MockServer::start().await;
    let long = format!("/v1/access-clients?name={}", "x".repeat(33_000));
    assert_eq!(get(&server, &long, "").await.status, 414);
    let large = format!("X-Large: {}\r\n", "x".repeat(65_535));
    assert_eq!(get(&server, "/v1/workspaces/known", &large).await.status, 494);
    assert_eq!(get(&server, "/v1/workspaces", &large).await.status, 494);
    let coverage = get(&server, "/_mock/v1/coverage", "").await.json();
    let calls = |operation: &str, status: u16| {
        let mut of = coverage["operations"].as_array().unwrap().iter();
        let of = of.find(|of| of["operation"] == operation).unwrap();
        let mut answers = of["answers"].as_array().unwrap().iter();
        answers.find(|answer| answer["status"] == status).map(|answer| answer["calls"].clone())
    };
    assert_eq!(calls("ListVpcepClient", 414), Some(json!(1)));
    assert_eq!(calls("ListWorkspaces", 494), Some(json!(1)));
    let journal = get(&server, "/_mock/v1/journal", "").await.json();
    // Of the second, the path is none of GET.
    let operations: Vec<_> =
        journal["entries"].as_array().unwrap().iter().map(|of| of["operation"].clone()).collect();
    assert_eq!(operations, [json!("ListWorkspaces"), Value::Null, json!("ListVpcepClient")]);
}

#[tokio::test]
async fn records_of_whatever_resource_are_listed() {
    let server = MockServer::start().await;
    let resources = get(&server, "/_mock/v1/resources", "").await.json();
    let names: Vec<_> =
        resources["resources"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    for name in ["access-clients", "workspaces", "features"] {
        assert!(names.contains(&json!(name)), "{name}");
    }
    let body = br#"{"name": "fabric"}"#;
    assert_eq!(send(&server, raw::json("POST", "/v1/workspaces", body)).await.status, 200);
    let page = get(&server, "/_mock/v1/projects/default/workspaces?limit=1", "").await.json();
    assert_eq!((&page["total"], &page["records"][0]["name"]), (&json!(1), &json!("fabric")));
    let page = get(&server, "/_mock/v1/projects/other/features?offset=2", "").await.json();
    assert_eq!((&page["total"], page["records"].as_array().unwrap().len()), (&json!(3), 1));
    let unknown = get(&server, "/_mock/v1/projects/default/pots", "").await;
    assert_eq!(unknown.status, 404);
    assert!(error(&unknown).contains("there are access-clients, workspaces, "));
    let projects = get(&server, "/_mock/v1/projects", "").await.json();
    let records = &projects["projects"][0]["records"];
    for (resource, count) in [("access-clients", 0), ("workspaces", 1), ("features", 3)] {
        assert_eq!(records[resource], count, "{resource}");
    }
}

#[tokio::test]
async fn fixtures_empty_a_catalogue_and_hold_a_key_once() {
    let fixtures = Fixtures::parse(r#"{"features": []}"#).unwrap();
    let server = MockServer::start_with(Settings { fixtures, ..Settings::default() });
    let server = server.await.unwrap();
    let page = get(&server, "/_mock/v1/projects/default/features", "").await.json();
    assert_eq!(page["total"], 0);
    let twice = Fixtures::parse(r#"{"features": [{"key": "a"}, {"key": "a"}]}"#).unwrap_err();
    assert_eq!(twice.to_string(), "feature [1]: id: must not be there twice in a project");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_snapshot_may_be_large() {
    let server = MockServer::start().await;
    let padding = " ".repeat(3 * 1024 * 1024);
    let fault = format!(r#"{{"then":{{"kind":"reset"}}}}{padding}"#);
    let answer =
        raw::send(server.address(), &raw::json("POST", "/_mock/v1/faults", fault.as_bytes()));
    assert_eq!(answer.status, 413);
    assert!(server.world().faults(None).is_empty());
    let snapshot = format!("{}{padding}", server.world().snapshot().to_json());
    let put = raw::json("PUT", "/_mock/v1/snapshot", snapshot.as_bytes());
    assert_eq!(raw::send(server.address(), &put).status, 204);
}
