//! Which callers are accepted, to do what, and how the others are rejected.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use fabric_model::signature::{AccessKey, Algorithm, RequestLine};
use fabric_model::workspace::DeleteWorkspace;
use fabric_model::{Example, Operation, OperationVisitor, Payload, visit_operations};
use fabric_server::journal::Filter;
use fabric_server::{Credential, Fixtures, MockServer, Settings};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::raw::{self, Answer};

const COLLECTION: &str = "/v1/access-clients";
const ITEM: &str = "/v1/access-clients/3f2c9a5e-7b1d-4c86-9f10-2a4b6c8d0e1f";

/// Every operation that asks who is calling, as its example calls it in the project `mine`: method, target, and a
/// body if it takes one. Those that delete come last, and first of them what others own.
static OPERATIONS: LazyLock<Vec<(&str, &str, &str)>> = LazyLock::new(|| {
    struct Calls(Vec<(&'static str, &'static str, &'static str)>);
    impl OperationVisitor for Calls {
        fn visit<O: Operation>(&mut self) {
            if !O::IS_OPEN {
                let request = O::example().request;
                let body = String::from_utf8(request.body.write().unwrap()).unwrap();
                let method = O::METHOD.to_string();
                let mut target = request.target();
                if let Some(project) = O::PROJECT_PARAMETER {
                    let path = target.split('?').next().unwrap().to_owned();
                    let mut given = O::INFO.path_parameters(&path);
                    let id = given.find(|(name, _)| *name == project).unwrap().1.into_owned();
                    target = target.replace(&id, "mine");
                }
                self.0.push((method.leak(), target.leak(), body.leak()));
            }
        }
    }
    let mut calls = Calls(Vec::new());
    visit_operations(&mut calls);
    let (mut deletes, mut calls): (Vec<_>, Vec<_>) =
        calls.0.into_iter().partition(|(method, _, _)| *method == "DELETE");
    deletes.reverse();
    calls.append(&mut deletes);
    calls
});

fn target_of<O: Operation>() -> String {
    O::example().request.target()
}

/// What the examples are about, in a project.
fn fixtures(project: &str) -> Fixtures {
    struct Lists<'a>(serde_json::Map<String, Value>, &'a str);
    impl OperationVisitor for Lists<'_> {
        fn visit<O: Operation>(&mut self) {
            let Some(items) = O::ITEMS_IN_RESPONSE else { return };
            let Example { request, response } = O::example();
            let target = request.target();
            let owners = O::INFO.path_parameters(target.split('?').next().unwrap());
            let chain = std::iter::successors(O::INFO.resource.owner, |owner| owner.owner);
            let known: Vec<_> = chain.filter_map(|owner| owner.id_parameter).collect();
            let owners: Vec<_> = owners.filter(|(name, _)| known.contains(name)).collect();
            let mut page: Value = serde_json::to_value(response).unwrap();
            let list = page.pointer_mut(items).unwrap();
            for item in list.as_array_mut().unwrap() {
                item["project_id"] = json!(self.1);
                // Only what is public is subscribed to.
                if O::INFO.resource.name == "endpoints" {
                    item["visibility"] = json!("PUBLIC");
                }
                for (name, id) in &owners {
                    item[*name] = json!(id);
                }
            }
            self.0.insert(O::INFO.resource.name.to_owned(), list.take());
        }
    }
    /// What an example names beside: the version of a job that may go, since it is not the current one.
    struct Others(serde_json::Map<String, Value>);
    impl OperationVisitor for Others {
        fn visit<O: Operation>(&mut self) {
            let resource = O::INFO.resource;
            let Some(Value::Array(items)) = self.0.get_mut(resource.name) else { return };
            let target = O::example().request.target();
            let mut given = O::INFO.path_parameters(target.split('?').next().unwrap());
            let id = given.find(|(name, _)| Some(*name) == resource.id_parameter);
            if let Some((_, id)) = id
                && items.iter().all(|item| item["id"] != *id)
            {
                let mut other = items[0].clone();
                other["id"] = json!(id);
                items.push(other);
            }
        }
    }
    let mut lists = Lists(serde_json::Map::new(), project);
    visit_operations(&mut lists);
    let mut lists = Others(lists.0);
    visit_operations(&mut lists);
    Fixtures::parse(&Value::Object(lists.0).to_string()).unwrap()
}

fn now() -> SystemTime {
    humantime::parse_rfc3339("2025-09-15T08:30:00Z").unwrap()
}

fn key(secret: &str) -> AccessKey {
    AccessKey::new("AKID", secret).unwrap()
}

async fn server() -> MockServer {
    let file = json!({
        "tokens": [
            { "token": "good", "project_id": "mine", "expires_at": "2025-09-15T08:31:00Z" },
            { "token": "expired", "project_id": "mine", "expires_at": "2025-09-15T08:30:00Z" },
            { "token": "reader", "project_id": "mine", "actions": ["DataArtsFabric::showVpcepClient"] },
            { "token": "idle", "project_id": "mine", "actions": [] },
            { "token": "roaming" },
            { "token": "theirs", "project_id": "theirs" },
        ],
        "access_keys": [
            { "access_key_id": "AKID", "secret_access_key": "secret", "project_id": "mine" },
            { "access_key_id": "TEMPORARY", "secret_access_key": "secret", "security_token": "st", "project_id": "mine" },
            { "access_key_id": "ENDED", "secret_access_key": "secret", "expires_at": "2025-09-15T08:30:00Z" },
        ],
    });
    let settings = Settings {
        credentials: Credential::parse_file(&file.to_string()).unwrap(),
        fixtures: fixtures("mine"),
        ..Settings::default()
    };
    let server = MockServer::start_with(settings).await.unwrap();
    server.clock().freeze_at(now());
    server
}

/// Sends an operation with headers.
async fn call(server: &MockServer, operation: (&str, &str, &str), headers: String) -> Answer {
    let (method, target, body) = operation;
    let content_type = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let headers = format!("{headers}{content_type}");
    let bytes = raw::request(method, target, &headers, body.as_bytes());
    let address = server.address();
    tokio::task::spawn_blocking(move || raw::send(address, &bytes)).await.unwrap()
}

/// The headers that sign an operation.
fn signed(key: &AccessKey, at: SystemTime, operation: (&str, &str, &str)) -> String {
    signed_with(&Algorithm::Sha256, key, at, operation)
}

fn signed_with(
    algorithm: &Algorithm,
    key: &AccessKey,
    at: SystemTime,
    (method, target, body): (&str, &str, &str),
) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let method: Method = method.parse().unwrap();
    let line = RequestLine { method: &method, path, query, host: b"localhost" };
    let mut headers = HeaderMap::new();
    key.sign(algorithm, line, &mut headers, body.as_bytes(), at);
    let line = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        format!("{name}: {}\r\n", value.to_str().unwrap())
    };
    headers.iter().map(line).collect()
}

fn is_success(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

/// Whether an operation needs an action.
fn needs_action((method, target, _): (&str, &str, &str)) -> bool {
    let path = target.split('?').next().unwrap();
    let mut operations = fabric_model::operations().iter();
    let is_it = |it: &&&fabric_model::OperationInfo| it.method == method && it.has_path(path);
    operations.find(is_it).unwrap().action.is_some()
}

fn token(token: &str) -> String {
    format!("X-Auth-Token: {token}\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_caller_presents_meets_the_same_answer_in_every_operation() {
    type Present = fn((&str, &str, &str)) -> String;
    type Refused = Option<(u16, Value)>;
    let hours = Duration::from_hours(1);
    let refused_token = Some((401, json!("APIG.1002")));
    let refused_signature = Some((401, json!("APIG.0301")));
    let forbidden = Some((403, json!(403)));
    let rows: [(&str, Present, Refused); 20] = [
        ("no credentials", |_| String::new(), refused_token.clone()),
        ("an empty token", |_| token(""), refused_token.clone()),
        ("an unknown token", |_| token("unknown"), refused_token.clone()),
        ("two tokens", |_| token("good") + &token("good"), refused_token.clone()),
        ("an expired token", |_| token("expired"), refused_token.clone()),
        ("a token without the action", |_| token("idle"), forbidden.clone()),
        ("a token of another project", |_| token("good") + "X-Project-Id: theirs\r\n", forbidden),
        ("nobody, for no project", |_| "X-Project-Id: !\r\n".to_owned(), refused_token.clone()),
        (
            "an unknown algorithm",
            |call| signed(&key("secret"), now(), call).replace("SDK-HMAC-SHA256", "SDK-SM2-SM3"),
            refused_signature.clone(),
        ),
        ("a good token", |_| token("good"), None),
        ("a good token, and its project", |_| token("good") + "X-Project-Id: mine\r\n", None),
        ("a token of any project", |_| token("roaming") + "X-Project-Id: mine\r\n", None),
        ("a bad signature", |call| signed(&key("another"), now(), call), refused_signature.clone()),
        (
            "a bad signature with a good token",
            |call| signed(&key("another"), now(), call) + &token("good"),
            refused_signature.clone(),
        ),
        (
            "an unknown key",
            |call| signed(&AccessKey::new("NOBODY", "secret").unwrap(), now(), call),
            refused_signature.clone(),
        ),
        (
            "an expired key",
            |call| signed(&AccessKey::new("ENDED", "secret").unwrap(), now(), call),
            refused_signature.clone(),
        ),
        (
            "a temporary key without its token",
            |call| signed(&AccessKey::new("TEMPORARY", "secret").unwrap(), now(), call),
            refused_signature.clone(),
        ),
        (
            "a temporary key with its token",
            |call| {
                let key = AccessKey::new("TEMPORARY", "secret").unwrap();
                signed(&key.with_security_token("st").unwrap(), now(), call)
            },
            None,
        ),
        ("a good signature", |call| signed(&key("secret"), now(), call), None),
        (
            "a good signature with a bad token",
            |call| signed(&key("secret"), now(), call) + &token("unknown"),
            None,
        ),
    ];
    for (what, present, expected) in rows {
        let server = server().await;
        for &operation in OPERATIONS.iter() {
            let answer = call(&server, operation, present(operation)).await;
            let code = || answer.json()["error_code"].clone();
            let got = (!is_success(&answer)).then(|| (answer.status, code()));
            // Some operations need no action, so that any caller that is known may call them.
            let is_for_all = what == "a token without the action" && !needs_action(operation);
            let expected = expected.clone().filter(|_| !is_for_all);
            // The calls before have filled the workspace.
            let is_filled =
                operation.0 == "DELETE" && operation.1 == target_of::<DeleteWorkspace>();
            let filled = || is_filled.then(|| (400, json!("common.01000001")));
            let expected = expected.or_else(filled);
            assert_eq!(got, expected, "{what}: {operation:?}");
            assert!(answer.header("x-request-id").is_some());
        }
        let health = call(&server, ("GET", "/healthcheck", ""), present(("GET", "/", ""))).await;
        assert_eq!(health.status, 200, "{what}: health is open to everybody");
    }
    for &operation in OPERATIONS.iter() {
        let server = server().await;
        let attempt = async |key: &AccessKey, at: SystemTime| {
            let answer = call(&server, operation, signed(key, at, operation)).await;
            let (status, body) = (answer.status, answer.json());
            assert_eq!(Some((status, body["error_code"].clone())), refused_signature);
            body["error_msg"].as_str().unwrap().to_owned()
        };
        for at in [now() - hours, now() + hours] {
            let message = attempt(&key("secret"), at).await;
            assert!(message.ends_with("more than 15 minutes off"), "{operation:?}: {message}");
        }
        for _ in 0..6 {
            let message = attempt(&key("another"), now()).await;
            assert!(message.ends_with("verify aksk signature fail"), "{operation:?}: {message}");
        }
        let message = attempt(&key("secret"), now()).await;
        assert!(message.ends_with("limit,forbidden"), "a locked key: {operation:?}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_guesses_at_once_are_no_more_than_six() {
    let server = server().await;
    let show = ("GET", ITEM, "");
    let mut calls = Vec::new();
    for _ in 0..40 {
        let headers = signed(&key("another"), now(), show);
        let bytes = raw::request("GET", ITEM, &headers, b"");
        let address = server.address();
        calls.push(tokio::task::spawn_blocking(move || raw::send(address, &bytes)));
    }
    let mut mismatches = 0;
    for call in calls {
        let message = call.await.unwrap().json()["error_msg"].as_str().unwrap().to_owned();
        mismatches += usize::from(message.ends_with("verify aksk signature fail"));
    }
    assert_eq!(mismatches, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_does_only_what_it_is_allowed() {
    let server = server().await;
    for &operation in OPERATIONS.iter() {
        let answer = call(&server, operation, token("reader")).await;
        let is_allowed = operation == ("GET", ITEM, "") || !needs_action(operation);
        assert_eq!(is_success(&answer), is_allowed, "{operation:?}");
        if !is_allowed {
            assert_eq!(answer.status, 403, "{operation:?}");
            let sample = include_str!("../../../fabric-model/tests/it/examples/403.json");
            assert_eq!(answer.json(), serde_json::from_str::<Value>(sample).unwrap());
        }
    }
    // Who may not call is not told that the call is wrong, either.
    let wrong = call(&server, ("POST", COLLECTION, "[]"), token("reader")).await;
    assert_eq!(wrong.status, 403);
    let wrong = call(&server, ("POST", COLLECTION, "[]"), String::new()).await;
    assert_eq!(wrong.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_locked_for_five_minutes_after_six_refusals_in_a_row() {
    let server = server().await;
    let show = ("GET", ITEM, "");
    let attempt = async |secret: &str| {
        let at = server.clock().now();
        call(&server, show, signed(&key(secret), at, show)).await.status
    };
    // A good signature in between begins the count anew.
    for _ in 0..5 {
        assert_eq!(attempt("another").await, 401);
    }
    assert_eq!(attempt("secret").await, 200);
    for _ in 0..5 {
        assert_eq!(attempt("another").await, 401);
    }
    assert_eq!(attempt("secret").await, 200);
    for _ in 0..6 {
        assert_eq!(attempt("another").await, 401);
    }
    assert_eq!(attempt("secret").await, 401);
    server.clock().advance(Duration::from_secs(299));
    assert_eq!(attempt("secret").await, 401);
    server.clock().advance(Duration::from_secs(1));
    assert_eq!(attempt("secret").await, 200);
    // Other callers were never in question.
    assert_eq!(call(&server, show, token("roaming") + "X-Project-Id: mine\r\n").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_after_signing_is_rejected() {
    let server = server().await;
    let update = ("PUT", ITEM, r#"{"name": "one"}"#);
    let headers = signed(&key("secret"), now(), update);
    assert_eq!(
        call(&server, ("PUT", ITEM, r#"{"name": "two"}"#), headers.clone()).await.status,
        401
    );
    assert_eq!(
        call(&server, ("PUT", ITEM, r#"{"name": "one"} "#), headers.clone()).await.status,
        401
    );
    let other = "/v1/access-clients/3f2c9a5e-7b1d-4c86-9f10-2a4b6c8d0e1e";
    assert_eq!(call(&server, ("PUT", other, update.2), headers.clone()).await.status, 401);
    assert_eq!(call(&server, update, headers).await.status, 200);
    let list = ("GET", "/v1/access-clients?limit=5", "");
    let headers = signed(&key("secret"), now(), list);
    let longer = ("GET", "/v1/access-clients?limit=50", "");
    assert_eq!(call(&server, longer, headers).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_algorithms_are_verified() {
    let server = server().await;
    let derived = Algorithm::Derived {
        region: "cn-north-4".to_owned(),
        service: "dataartsfabric".to_owned(),
    };
    for algorithm in [Algorithm::Sm3, derived] {
        for &operation in OPERATIONS.iter() {
            for (secret, is_good) in [("another", false), ("secret", true)] {
                let headers = signed_with(&algorithm, &key(secret), now(), operation);
                // A record deleted before is not what this is about.
                if operation.0 != "DELETE" {
                    let answer = call(&server, operation, headers).await;
                    assert_eq!(is_success(&answer), is_good, "{algorithm:?}: {operation:?}");
                    assert!(is_good || answer.status == 401, "{algorithm:?}: {operation:?}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_another_project_does_not_exist() {
    let server = server().await;
    for &operation in OPERATIONS.iter().filter(|(_, target, _)| *target == ITEM) {
        for who in
            [token("theirs"), token("roaming"), token("roaming") + "X-Project-Id: theirs\r\n"]
        {
            let answer = call(&server, operation, who).await;
            assert_eq!(
                (answer.status, answer.json()["error_code"].clone()),
                (404, json!("common.01000001"))
            );
        }
    }
    let listed = |answer: Answer| answer.json()["total"].clone();
    assert_eq!(listed(call(&server, ("GET", COLLECTION, ""), token("theirs")).await), json!(0));
    assert_eq!(listed(call(&server, ("GET", COLLECTION, ""), token("good")).await), json!(1));
}

#[tokio::test]
async fn beyond_this_machine_somebody_must_be_refused() {
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let open = Settings { listen: everywhere, ..Settings::default() };
    assert!(MockServer::start_with(open.clone()).await.is_err());
    MockServer::start_with(Settings { open_to_all: true, ..open.clone() }).await.unwrap();
    let credentials = vec![Credential::token("t").unwrap()];
    MockServer::start_with(Settings { credentials, ..open }).await.unwrap();
    let twice = vec![Credential::token("t").unwrap(), Credential::token("t").unwrap()];
    let twice = Settings { credentials: twice, ..Settings::default() };
    assert!(MockServer::start_with(twice).await.is_err());
}

#[test]
fn wrong_credentials_are_explained_and_not_quoted() {
    let file = |json: &str| Credential::parse_file(json).unwrap_err().to_string();
    let cases = [
        (file(r#"{"tokens": [{"token": "canary"}, {"token": 5}]}"#), "tokens[1].token: "),
        (
            file(r#"{"tokens": [{"token": "canary", "canary": "p"}]}"#),
            "tokens[0]: has an unknown field, expected one of `token`, `project_id`",
        ),
        (file(r#"{"canary": []}"#), "file: has an unknown field, expected"),
        (file(r#"{"tokens": ["canary"]}"#), "tokens[0]: "),
        (file(r#"{"tokens": {"canary": "p"}}"#), "tokens: "),
        (file(r#"{"tokens": [{"token": "canary\n"}]}"#), "tokens[0].token: must have 1 to 65534"),
        (file(r#"{"tokens": [{"token": "canary"}"#), "file: is not JSON at line 1"),
        (
            file(r#"{"tokens": [{"token": "canary", "expires_at": "canary"}]}"#),
            "tokens[0].expires_at: must be like 2030",
        ),
        (
            file(r#"{"tokens": [{"token": "canary", "actions": ["canary"]}]}"#),
            "tokens[0].actions: must be some of DataArtsFabric::alterAccessClient",
        ),
        (
            file(r#"{"access_keys": [{"access_key_id": "A", "secret_access_key": ""}]}"#),
            "access_keys[0].secret access key: must not be empty",
        ),
        (
            Credential::parse_token("canary=no project").unwrap_err().to_string(),
            "project: must have",
        ),
        (Credential::parse_token("").unwrap_err().to_string(), "token: must have 1 to 65534"),
        (
            Credential::parse_access_key("canary").unwrap_err().to_string(),
            "access key: must be AK:SK",
        ),
        (
            Credential::parse_access_key("can ary:canary").unwrap_err().to_string(),
            "access key id: ",
        ),
    ];
    for (error, beginning) in cases {
        assert!(error.starts_with(beginning), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }
    let token = Credential::parse_token("gQpjbi1ub3J0aC00/+==").unwrap();
    assert_eq!(token.project(), None);
    assert!(!format!("{token:?}").contains("gQpj"));
    let key = Credential::parse_access_key("AKID:canary=p").unwrap();
    assert_eq!(key.project().unwrap().as_str(), "p");
    assert!(!format!("{key:?}").contains("canary"));
}

/// The headers of a call with a bad signature, and with what its caller made of it, percent-encoded.
fn explained(signed_headers: &str, canonical_request: &str, more: &str) -> String {
    format!(
        "X-Sdk-Date: 20250915T083000Z\r\n\
         Authorization: SDK-HMAC-SHA256 Access=AKID, SignedHeaders={signed_headers}, Signature=00\r\n\
         X-Mock-Canonical-Request: {canonical_request}\r\n{more}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn many_secrets_in_what_a_caller_signed_are_redacted_at_a_bounded_cost() {
    let server = server().await;
    let list = ("GET", COLLECTION, "");
    let lines = [
        "GET",
        "/v1/access-clients/",
        "",
        "cookie:e",
        "  Cookie: short",
        "cookie:",
        "note:[a-long-secret] and a-long-secret-2, even a-long-secreta-long-secret.",
        "note:seen more than once: the-head-and-the-tail-of-it",
        "",
        "host;x-sdk-date",
    ];
    // What replaces them holds them again. Were that searched too, each `e` would double its length: a
    // dozen are enough to notice, and too few to take the memory of the machine.
    let secrets = "Cookie: x\r\nCookie: redacted\r\n".repeat(28)
        + &"Cookie: e\r\n".repeat(12)
        + "X-Subject-Token: a-long-secret\r\nX-Mock-Token: a-long-secret-2\r\n\
           Cookie: the-head-and\r\nProxy-Authorization: and-the-tail\r\n";
    let headers = explained("host;x-sdk-date", &lines.join("%0A"), &secrets);
    let rejected = call(&server, list, headers).await;
    assert_eq!((rejected.status, &rejected.json()["error_code"]), (401, &json!("APIG.0301")));

    let journal = server.world().journal(&Filter::default());
    let text = serde_json::to_string(&journal).unwrap();
    assert!(text.len() < 16 * 1024, "{} bytes", text.len());
    let signature = journal.entries[0].signature.as_ref().unwrap();
    let of_caller = signature.canonical_request_of_caller.as_deref().unwrap();
    let lines: Vec<_> = of_caller.lines().collect();
    assert_eq!(
        lines[3..8],
        [
            "cookie:[redacted]",
            "  Cookie:[redacted]",
            "cookie:[redacted]",
            "note:[[redacted]] and [redacted], even [redacted].",
            "note:seen more than once: [redacted]-of-it",
        ]
    );
    assert_eq!(signature.first_difference, Some(4));
    for secret in ["a-long-secret", "the-head", "the-tail"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_a_canonical_request_is_limited() {
    let server = server().await;
    // What each line becomes is more than twice as long; and a limit falls within a character.
    let of_caller = format!("GET%0A{}", "cookie:%0A".repeat(5_000));
    let note = format!("X-Note: {}\r\n", "\u{20ac}".repeat(12_000));
    let note_of_another_length = format!("X-Note: e{}\r\n", "\u{20ac}".repeat(12_000));
    let headers =
        explained("host;x-note;x-sdk-date", &of_caller, &(note + &note_of_another_length));
    assert_eq!(call(&server, ("GET", COLLECTION, ""), headers).await.status, 401);
    let journal = server.world().journal(&Filter::default());
    let signature = journal.entries[0].signature.as_ref().unwrap();
    let of_caller = signature.canonical_request_of_caller.as_deref().unwrap();
    assert!(of_caller.starts_with("GET\ncookie:[redacted]\n"));
    assert_eq!(of_caller.len(), 64 * 1024);
    let of_server = &signature.canonical_request;
    assert!(of_server.starts_with("GET\n/v1/access-clients/\n"));
    assert!(of_server.ends_with('\u{20ac}'));
    assert!((64 * 1024 - 2..=64 * 1024).contains(&of_server.len()), "{}", of_server.len());
    assert_eq!(signature.first_difference, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_rejected_for_a_token_has_no_body_read() {
    let server = server().await;
    let address = server.address();
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let head = "POST /v1/access-clients HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: unknown\r\n\
            Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{";
        std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
        raw::read(&mut stream)
    });
    // With the body read first, it would be a 413.
    assert_eq!(answer.await.unwrap().status, 401);
    let entry = &server.world().journal(&Filter::default()).entries[0];
    assert_eq!((entry.status, entry.body.is_null()), (Some(401), true));
}
