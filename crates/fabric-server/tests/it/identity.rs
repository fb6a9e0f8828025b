//! Users sign in, projects are looked up by name, temporary keys sign, and no secret shows.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use fabric_model::identity::{Scope, SignIn, TemporaryKeyCreate};
use fabric_model::signature::{AccessKey, Algorithm, RequestLine};
use fabric_server::journal::Filter;
use fabric_server::{
    Accounts, Budgets, Credential, MockServer, NewUser, ProjectName, Settings, Snapshot,
};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::program::{File, start, stop};
use crate::raw::{self, Answer};

const PROJECT: &str = "7a6d1e0f4c3b48d29e5f8a7b6c5d4e3f";
const PASSWORD: &str = "IAMPassword";
const TOKENS: &str = "/v3/auth/tokens";
const SECURITY_TOKENS: &str = "/v3.0/OS-CREDENTIAL/securitytokens";
const SERVICE: &str = "/v1/access-clients";

fn file() -> String {
    let user = |name: &str, more: Value| {
        let mut user = json!({ "domain": "IAMDomain", "name": name, "password": PASSWORD });
        user.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        user
    };
    let reads = json!(["DataArtsFabric::listVpcepClient", "DataArtsFabric::showVpcepClient"]);
    let file = json!({
        "tokens": [{ "token": "operator" }],
        "access_keys": [
            { "access_key_id": "OWN", "secret_access_key": "secret", "project_id": "p1" },
            { "access_key_id": "NAMED", "secret_access_key": "secret", "project_id": PROJECT },
            { "access_key_id": "ROAMING", "secret_access_key": "secret" },
        ],
        "users": [
            user("IAMUser", json!({ "project_ids": [PROJECT, "p1"], "actions": reads })),
            user("Disabled", json!({ "enabled": false })),
            user("Everywhere", json!({})),
        ],
        "projects": [
            { "project_id": PROJECT, "name": "cn-north-4", "domain": "IAMDomain" },
            { "project_id": "theirs", "name": "cn-southwest-2", "domain": "Others" },
        ],
    });
    file.to_string()
}

fn now() -> SystemTime {
    humantime::parse_rfc3339("2025-09-15T08:30:00Z").unwrap()
}

/// A server that knows its callers.
async fn server() -> MockServer {
    let settings = Settings {
        credentials: Credential::parse_file(&file()).unwrap(),
        accounts: Accounts::parse_file(&file()).unwrap(),
        ..Settings::default()
    };
    let server = MockServer::start_with(settings).await.unwrap();
    server.clock().freeze_at(now());
    server
}

async fn call(
    server: &MockServer,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let line = |(name, value): &(&str, &str)| format!("{name}: {value}\r\n");
    let mut lines: String = headers.iter().map(line).collect();
    if !body.is_empty() {
        lines += "Content-Type: application/json\r\n";
    }
    let bytes = raw::request(method, target, &lines, body.as_bytes());
    let address = server.address();
    tokio::task::spawn_blocking(move || raw::send(address, &bytes)).await.unwrap()
}

async fn get(server: &MockServer, target: &str, headers: &[(&str, &str)]) -> Answer {
    call(server, "GET", target, headers, "").await
}

fn sign_in_body(name: &str, password: &str, scope: Scope) -> String {
    serde_json::to_string(&SignIn::new("IAMDomain", name, password, scope)).unwrap()
}

async fn sign_in(server: &MockServer, name: &str, password: &str, scope: Scope) -> Answer {
    let target = format!("{TOKENS}?nocatalog=true");
    call(server, "POST", &target, &[], &sign_in_body(name, password, scope)).await
}

/// The token of a user who signs in.
async fn token(server: &MockServer, name: &str, scope: Scope) -> String {
    let answer = sign_in(server, name, PASSWORD, scope).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    answer.header("x-subject-token").unwrap().to_owned()
}

/// The headers that sign a call without a body.
fn signed(key: &AccessKey, target: &str, at: SystemTime) -> Vec<(String, String)> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let line = RequestLine { method: &Method::GET, path, query, host: b"localhost" };
    let mut headers = HeaderMap::new();
    key.sign(&Algorithm::Sha256, line, &mut headers, b"", at);
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    headers.iter().map(text).collect()
}

async fn get_signed(server: &MockServer, key: &AccessKey, target: &str) -> Answer {
    let headers = signed(key, target, server.clock().now());
    let headers: Vec<_> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    get(server, target, &headers).await
}

fn key(id: &str) -> AccessKey {
    AccessKey::new(id, "secret").unwrap()
}

/// Ids and names of the projects in an answer.
fn projects(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let json = answer.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let projects = json["projects"].as_array().unwrap().iter();
    projects.map(|project| (text(&project["id"]), text(&project["name"]))).collect()
}

fn pair(id: &str, name: &str) -> (String, String) {
    (id.to_owned(), name.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_gives_a_token_that_is_good_until_it_expires() {
    let server = server().await;
    let answer = sign_in(&server, "IAMUser", PASSWORD, Scope::project("cn-north-4")).await;
    assert_eq!(answer.status, 201);
    let token = answer.header("x-subject-token").unwrap().to_owned();
    let told = &answer.json()["token"];
    assert_eq!(told["issued_at"], "2025-09-15T08:30:00.000000Z");
    assert_eq!(told["expires_at"], "2025-09-16T08:30:00.000000Z");
    assert_eq!(
        (&told["project"]["id"], &told["project"]["name"]),
        (&json!(PROJECT), &json!("cn-north-4"))
    );
    assert_eq!(
        (&told["user"]["name"], &told["user"]["domain"]["name"]),
        (&json!("IAMUser"), &json!("IAMDomain"))
    );
    assert_eq!(
        (&told["catalog"], &told["methods"], &told["domain"]),
        (&json!([]), &json!(["password"]), &Value::Null)
    );
    assert_eq!(told["roles"][0], json!({ "id": "0", "name": "DataArtsFabric::listVpcepClient" }));

    let own = [("X-Auth-Token", &*token)];
    assert_eq!(get(&server, SERVICE, &own).await.status, 200);
    assert_eq!(
        call(&server, "POST", SERVICE, &own, "{}").await.status,
        403,
        "not one of the actions"
    );
    let abroad = [own[0], ("X-Project-Id", "theirs")];
    assert_eq!(get(&server, SERVICE, &abroad).await.status, 403, "not the project");
    let entries = server.world().journal(&Filter::default()).entries;
    assert_eq!(entries.last().unwrap().project_id.as_deref(), Some(PROJECT), "of the sign-in");
    assert_eq!(entries[entries.len() - 2].project_id.as_deref(), Some(PROJECT), "of the call");

    let both = [own[0], ("X-Subject-Token", &*token)];
    let shown = get(&server, TOKENS, &both).await;
    assert_eq!((shown.status, shown.header("x-subject-token")), (200, Some(&*token)));
    assert_eq!(shown.json()["token"]["expires_at"], told["expires_at"]);
    assert_eq!(shown.json()["token"]["catalog"][1]["name"], "dataartsfabric");

    server.clock().advance(Duration::from_hours(24) - Duration::from_millis(1));
    assert_eq!(get(&server, SERVICE, &own).await.status, 200);
    server.clock().advance(Duration::from_millis(1));
    let expired = get(&server, SERVICE, &own).await;
    assert_eq!((expired.status, &expired.json()["error_code"]), (401, &json!("APIG.1002")));
    let subject = [("X-Auth-Token", "operator"), both[1]];
    let gone = get(&server, TOKENS, &subject).await;
    let sample = json!({ "error": {
        "code": 404, "message": "X-Subject-Token is invalid in the request", "title": "Not Found",
    } });
    assert_eq!((gone.status, gone.json()), (404, sample));
    assert_eq!(get(&server, TOKENS, &both).await.status, 401, "the caller's own has expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_token_is_for_sign_in_only_and_tells_of_no_other_user() {
    let server = server().await;
    let of_domain = token(&server, "IAMUser", Scope::domain("IAMDomain")).await;
    let other = token(&server, "Everywhere", Scope::project("cn-north-4")).await;
    let own = [("X-Auth-Token", &*of_domain)];
    assert_eq!(get(&server, SERVICE, &own).await.status, 403);
    assert_eq!(get(&server, SERVICE, &[own[0], ("X-Project-Id", PROJECT)]).await.status, 403);
    let expected = [pair(PROJECT, "cn-north-4"), pair("p1", "p1")];
    assert_eq!(projects(&get(&server, "/v3/auth/projects", &own).await), expected);
    assert_eq!(
        projects(&get(&server, "/v3/projects?page=2&per_page=1", &own).await),
        expected[1..]
    );
    let domains = get(&server, "/v3/auth/domains", &own).await.json();
    assert_eq!(domains["domains"][0]["name"], "IAMDomain");
    let shown = get(&server, TOKENS, &[own[0], ("X-Subject-Token", &*of_domain)]).await.json();
    assert_eq!(
        shown["token"]["domain"],
        json!({
            "id": domains["domains"][0]["id"], "name": "IAMDomain",
        })
    );
    assert_eq!(get(&server, TOKENS, &[own[0], ("X-Subject-Token", &*other)]).await.status, 404);
    assert_eq!(get(&server, TOKENS, &[own[0], ("X-Subject-Token", "operator")]).await.status, 404);
    let operator = [("X-Auth-Token", "operator"), ("X-Subject-Token", &*other)];
    assert_eq!(get(&server, TOKENS, &operator).await.json()["token"]["user"]["name"], "Everywhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_sign_in_meets_the_documented_errors() {
    let server = server().await;
    let error = |code: u16, message: &str, title: &str| json!({ "error": { "code": code, "message": message, "title": title } });
    let invalid = error(400, "The request body is invalid", "Bad Request");
    let wrong = error(401, "The username or password is wrong.", "Unauthorized");
    let unknown = error(404, "What the request names does not exist", "Not Found");
    let here = || Scope::project("cn-north-4");
    let mut both = Scope::project("cn-north-4");
    both.domain = Scope::domain("IAMDomain").domain;
    let id_and_name = json!({ "project": { "id": PROJECT, "name": "cn-north-4" } });
    let with_scope = |scope: Value| {
        let mut body: Value =
            serde_json::from_str(&sign_in_body("IAMUser", PASSWORD, here())).unwrap();
        body["auth"]["scope"] = scope;
        body.to_string()
    };
    for (body, expected) in [
        (sign_in_body("IAMUser", "another", here()), &wrong),
        (sign_in_body("Nobody", PASSWORD, here()), &wrong),
        (sign_in_body("Disabled", PASSWORD, here()), &wrong),
        (
            sign_in_body("IAMUser", PASSWORD, Scope::project("cn-southwest-2"))
                .replace("IAMUser", "Everywhere"),
            &unknown,
        ),
        (sign_in_body("IAMUser", PASSWORD, Scope::project_id("theirs")), &unknown),
        (sign_in_body("IAMUser", PASSWORD, Scope::project_id("../theirs")), &unknown),
        (sign_in_body("IAMUser", PASSWORD, Scope::domain("Others")), &unknown),
        (sign_in_body("IAMUser", PASSWORD, both), &invalid),
        (with_scope(id_and_name), &invalid),
        (with_scope(json!({})), &invalid),
        (with_scope(Value::Null), &invalid),
        (
            sign_in_body("IAMUser", PASSWORD, here()).replace("[\"password\"]", "[\"token\"]"),
            &invalid,
        ),
        ("{".to_owned(), &invalid),
        ("[]".to_owned(), &invalid),
    ] {
        let answer = call(&server, "POST", TOKENS, &[], &body).await;
        assert_eq!(&answer.json(), expected, "{body}");
        assert_eq!(json!(answer.status), expected["error"]["code"], "{body}");
        assert_eq!(answer.header("x-subject-token"), None);
    }
    // An unnamed project of the user goes by any name, so only a user without one meets 404 for a name.
    assert_eq!(
        sign_in(&server, "IAMUser", PASSWORD, Scope::project("cn-east-3")).await.json()["token"]["project"]
            ["id"],
        "p1"
    );
    let reasons = server.world().journal(&Filter::default()).entries;
    let mut reasons = reasons.iter().rev().filter_map(|entry| entry.reason.as_deref());
    assert_eq!(reasons.next(), Some("sign-in: the password is wrong"));
    assert_eq!(reasons.next(), Some("sign-in: there is no such user"));
    assert_eq!(reasons.next(), Some("sign-in: the user is disabled"));

    let answer = call(&server, "DELETE", TOKENS, &[], "").await;
    assert_eq!((answer.status, answer.json()["error"]["code"].clone()), (405, json!(405)));
    assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS, POST"));
    for target in ["/v3/projects", "/v3/auth/projects", "/v3/auth/domains", TOKENS] {
        let answer = get(&server, target, &[("X-Auth-Token", "unknown")]).await;
        assert_eq!(
            (answer.status, answer.json()["error"]["title"].clone()),
            (401, json!("Unauthorized"))
        );
    }
    let answer =
        get(&server, "/v3/projects?page=0&per_page=1", &[("X-Auth-Token", "operator")]).await;
    let rule = "The request is invalid: page: must be";
    assert!(answer.json()["error"]["message"].as_str().unwrap().starts_with(rule));
    assert_eq!(
        get(&server, "/v3/projects?page=1", &[("X-Auth-Token", "operator")]).await.status,
        400
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_has_one_project_where_any_caller_is_accepted() {
    let (server, other) = (MockServer::start().await, MockServer::start().await);
    let target = "/v3/projects?name=cn-north-4";
    let found = projects(&get(&server, target, &[]).await);
    let [(id, name)] = &found[..] else { panic!("{found:?}") };
    assert_eq!((id.len(), &**name), (32, "cn-north-4"));
    assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert_eq!(projects(&get(&other, target, &[]).await), found, "stable for its name");
    assert_eq!(projects(&get_signed(&server, &key("ANY"), target).await), found);
    assert_eq!(projects(&get(&server, target, &[("X-Auth-Token", "any")]).await), found);
    assert_ne!(projects(&get(&server, "/v3/projects?name=cn-east-3", &[]).await)[0].0, *id);
    assert_eq!(projects(&get(&server, "/v3/projects", &[]).await), [pair("default", "default")]);

    // Any name and password will do, and the token is of the same project.
    let token = token(&server, "Whoever", Scope::project("cn-north-4")).await;
    let created = call(&server, "POST", SERVICE, &[("X-Auth-Token", &token)], "{}").await;
    assert_eq!(created.status, 200);
    assert_eq!(get(&server, SERVICE, &[("X-Project-Id", id)]).await.json()["total"], 1);
    assert_eq!(get(&server, SERVICE, &[]).await.json()["total"], 0);

    // The token of a project knows that project only.
    let own = server.world().create_project(None, None).unwrap();
    let headers = [("X-Auth-Token", &*own.token)];
    assert_eq!(
        projects(&get(&server, target, &headers).await),
        [pair(own.project_id.as_str(), "cn-north-4")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_key_finds_its_own_project_by_the_name_of_a_region() {
    let server = server().await;
    let found = async |id: &str, name: &str| {
        projects(&get_signed(&server, &key(id), &format!("/v3/projects?name={name}")).await)
    };
    assert_eq!(found("OWN", "cn-north-4").await, [pair("p1", "cn-north-4")]);
    assert_eq!(found("OWN", "cn-east-3").await, [pair("p1", "cn-east-3")]);
    assert_eq!(found("NAMED", "cn-north-4").await, [pair(PROJECT, "cn-north-4")]);
    assert_eq!(found("NAMED", "cn-east-3").await, []);
    assert_eq!(found("ROAMING", "cn-north-4").await, [pair(PROJECT, "cn-north-4")]);
    let [(id, name)] = &found("ROAMING", "cn-east-3").await[..] else { panic!("not one") };
    assert_eq!((id.len(), &**name), (32, "cn-east-3"));
    let unsigned = get(&server, "/v3/projects?name=cn-north-4", &[]).await;
    assert_eq!((unsigned.status, &unsigned.json()["error"]["code"]), (401, &json!(401)));
    let headers = signed(&AccessKey::new("OWN", "wrong").unwrap(), "/v3/projects", now());
    let headers: Vec<_> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(get(&server, "/v3/projects", &headers).await.status, 401);
}

/// The temporary key in an answer, with its security token and without.
fn temporary(answer: &Answer) -> (AccessKey, AccessKey) {
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    let credential = &answer.json()["credential"];
    let text = |name: &str| credential[name].as_str().unwrap().to_owned();
    let bare = AccessKey::new(text("access"), text("secret")).unwrap();
    (bare.clone().with_security_token(text("securitytoken")).unwrap(), bare)
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_keys_sign_until_they_expire() {
    let server = server().await;
    let token = token(&server, "IAMUser", Scope::project("cn-north-4")).await;
    let own = [("X-Auth-Token", &*token)];
    let body = serde_json::to_string(&TemporaryKeyCreate::lasting(1_800)).unwrap();
    let answer = call(&server, "POST", SECURITY_TOKENS, &own, &body).await;
    assert_eq!(answer.json()["credential"]["expires_at"], "2025-09-15T09:00:00.000000Z");
    let (key, bare) = temporary(&answer);
    assert_eq!(get_signed(&server, &key, SERVICE).await.status, 200);
    assert_eq!(get_signed(&server, &bare, SERVICE).await.status, 401, "no security token");
    let expected = [pair(PROJECT, "cn-north-4")];
    assert_eq!(
        projects(&get_signed(&server, &key, "/v3/projects?name=cn-north-4").await),
        expected
    );
    let entries = server.world().journal(&Filter::default()).entries;
    assert_eq!(entries[0].project_id.as_deref(), Some(PROJECT));

    // The token may stand in the body; the time is 15 minutes unless another is asked for.
    let body =
        json!({ "auth": { "identity": { "methods": ["token"], "token": { "id": token } } } });
    let (short, _) =
        temporary(&call(&server, "POST", SECURITY_TOKENS, &[], &body.to_string()).await);
    assert_eq!(
        call(
            &server,
            "POST",
            SECURITY_TOKENS,
            &[],
            r#"{"auth":{"identity":{"methods":["token"]}}}"#
        )
        .await
        .status,
        401
    );
    server.clock().advance(Duration::from_mins(15));
    assert_eq!(get_signed(&server, &short, SERVICE).await.status, 401);
    assert_eq!(get_signed(&server, &key, SERVICE).await.status, 200);
    server.clock().advance(Duration::from_mins(15));
    let expired = get_signed(&server, &key, SERVICE).await;
    assert_eq!((expired.status, &expired.json()["error_code"]), (401, &json!("APIG.0301")));
    for wrong in ["899", "86401", "\"900\""] {
        let body = body
            .to_string()
            .replace("{\"id\":", &format!("{{\"duration_seconds\":{wrong},\"id\":"));
        assert_eq!(call(&server, "POST", SECURITY_TOKENS, &[], &body).await.status, 400, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_keys_are_verified_where_any_other_key_is_accepted() {
    let server = MockServer::start().await;
    server.clock().freeze_at(now());
    let token = token(&server, "Whoever", Scope::project_id("p7")).await;
    let body = serde_json::to_string(&TemporaryKeyCreate::lasting(900)).unwrap();
    let answer = call(&server, "POST", SECURITY_TOKENS, &[("X-Auth-Token", &token)], &body).await;
    let (key, bare) = temporary(&answer);
    assert_eq!(get_signed(&server, &key, SERVICE).await.status, 200);
    assert_eq!(
        server.world().journal(&Filter::default()).entries[0].project_id.as_deref(),
        Some("p7")
    );
    assert_eq!(get_signed(&server, &bare, SERVICE).await.status, 401);
    server.world().delete_project(&"p7".parse().unwrap()).unwrap();
    assert_eq!(get_signed(&server, &key, SERVICE).await.status, 401, "the project is gone");
    assert_eq!(get(&server, SERVICE, &[("X-Auth-Token", &token)]).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_added_changed_and_removed_by_the_control_surface() {
    let server = MockServer::start().await;
    let control =
        async |method, target, body: String| call(&server, method, target, &[], &body).await;
    let scope = || Scope::project("cn-north-4");
    let user = json!({ "domain": "IAMDomain", "name": "IAMUser", "password": PASSWORD, "project_ids": ["mine"] });
    let put = control("PUT", "/_mock/v1/users", user.to_string()).await;
    assert_eq!((put.status, &put.json()["project_ids"]), (200, &json!(["mine"])));
    assert!(!String::from_utf8_lossy(&put.body).contains(PASSWORD));
    assert_eq!(sign_in(&server, "IAMUser", "another", scope()).await.status, 401);
    assert_eq!(sign_in(&server, "Whoever", "another", scope()).await.status, 201, "any other");
    let token = token(&server, "IAMUser", scope()).await;
    let own = [("X-Auth-Token", &*token)];
    assert_eq!(
        projects(&get(&server, "/v3/projects?name=cn-north-4", &own).await),
        [pair("mine", "cn-north-4")]
    );
    let named = control(
        "PUT",
        "/_mock/v1/projects",
        r#"{"project_id":"mine","name":"cn-east-3"}"#.to_owned(),
    )
    .await;
    assert_eq!(named.status, 204);
    assert_eq!(projects(&get(&server, "/v3/projects?name=cn-north-4", &own).await), []);

    // A change ends what the user has.
    let mut disabled = user.clone();
    disabled["enabled"] = json!(false);
    assert_eq!(control("PUT", "/_mock/v1/users", disabled.to_string()).await.status, 200);
    assert_eq!(get(&server, SERVICE, &own).await.status, 401);
    assert_eq!(sign_in(&server, "IAMUser", PASSWORD, Scope::project_id("mine")).await.status, 401);
    let listed = control("GET", "/_mock/v1/users", String::new()).await.json();
    assert_eq!(
        (&listed["users"][0]["name"], &listed["users"][0]["enabled"]),
        (&json!("IAMUser"), &json!(false))
    );
    let target = "/_mock/v1/users?domain=IAMDomain&name=IAMUser";
    assert_eq!(control("DELETE", target, String::new()).await.status, 204);
    assert_eq!(control("DELETE", target, String::new()).await.status, 404);
    for wrong in [
        r#"{"name":"IAMUser"}"#,
        r#"{"name":"","password":"x"}"#,
        r#"{"name":"a","password":""}"#,
        r#"{"name":"a","password":"x","password_hash":"y"}"#,
        r#"{"name":"a","password_hash":"hunter2"}"#,
        r#"{"name":"a","password":"hunter2","actions":["hunter2"]}"#,
        r#"{"name":"a","pasword":"hunter2"}"#,
    ] {
        let answer = control("PUT", "/_mock/v1/users", wrong.to_owned()).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status == 400 && !text.contains("hunter2"), "{wrong}: {text}");
    }

    // One that the server was started with is disabled, not removed.
    let server = self::server().await;
    let refused = server.world().remove_user("IAMDomain", "IAMUser").unwrap_err();
    assert_eq!(refused.status(), 409);
    let off = NewUser { enabled: false, ..NewUser::new("IAMDomain", "IAMUser", PASSWORD) };
    server.world().put_user(off).unwrap();
    let refused = server.world().remove_user("IAMDomain", "IAMUser").unwrap_err();
    assert_eq!(refused.status(), 409, "it would be enabled again");
    assert_eq!(sign_in(&server, "IAMUser", PASSWORD, scope()).await.status, 401);
    server.world().reset(None);
    assert_eq!(sign_in(&server, "IAMUser", PASSWORD, scope()).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_keeps_users_and_their_tokens_and_no_password() {
    let server = MockServer::start().await;
    server.clock().freeze_at(now());
    let user = NewUser {
        project_ids: Some(vec!["mine".parse().unwrap()]),
        ..NewUser::new("IAMDomain", "IAMUser", PASSWORD)
    };
    server.world().put_user(user).unwrap();
    let name = ProjectName {
        project_id: "mine".parse().unwrap(),
        name: "cn-north-4".to_owned(),
        domain: "IAMDomain".to_owned(),
    };
    server.world().name_project(name).unwrap();
    let token = token(&server, "IAMUser", Scope::project("cn-north-4")).await;
    let snapshot = server.world().snapshot().to_json();
    assert!(!snapshot.contains(&token) && !snapshot.contains(PASSWORD), "{snapshot}");

    let settings =
        Settings { snapshot: Some(Snapshot::parse(&snapshot).unwrap()), ..Settings::default() };
    let later = MockServer::start_with(settings).await.unwrap();
    assert_eq!(later.world().snapshot().to_json(), snapshot);
    let own = [("X-Auth-Token", &*token)];
    assert_eq!(projects(&get(&later, "/v3/projects", &own).await), [pair("mine", "cn-north-4")]);
    assert_eq!(get(&later, SERVICE, &own).await.status, 200);
    assert_eq!(
        sign_in(&later, "IAMUser", "another", Scope::project("cn-north-4")).await.status,
        401
    );
    later.clock().advance(Duration::from_hours(24));
    assert_eq!(get(&later, SERVICE, &own).await.status, 401);
    server.world().reset(None);
    assert_eq!(get(&server, SERVICE, &own).await.status, 401);
    for (from, to) in [("\"token_sha256\": \"", "\"token_sha256\": \"x"), ("$argon2id$", "$plain$")]
    {
        assert!(Snapshot::parse(&snapshot.replace(from, to)).is_err(), "{from}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_meets_only_faults_that_name_it() {
    use fabric_server::fault::{Effect, Fault, When};
    let server = MockServer::start().await;
    let of = |operation: Option<&str>| Fault {
        when: When { operation: operation.map(str::to_owned), ..When::default() },
        then: Some(Effect::answer(503)),
        ..Fault::default()
    };
    server.world().add_fault(of(None)).unwrap();
    let token = token(&server, "Whoever", Scope::project("cn-north-4")).await;
    assert_eq!(get(&server, SERVICE, &[("X-Auth-Token", &token)]).await.status, 503);
    server.world().add_fault(of(Some("KeystoneCreateUserTokenByPassword"))).unwrap();
    let before = server.world().snapshot().to_json().matches("token_sha256").count();
    assert_eq!(
        sign_in(&server, "Whoever", PASSWORD, Scope::project("cn-north-4")).await.status,
        503
    );
    let after = server.world().snapshot().to_json().matches("token_sha256").count();
    assert_eq!((before, after), (1, 1), "a discarded sign-in leaves no token");
    assert_eq!(server.world().coverage().operations.len(), fabric_model::operations().len());
}

/// Signs in by a program and presents what it gets, with secrets where they belong and where they do not.
fn call_with_secrets(address: SocketAddr) -> Vec<String> {
    let mut secrets = vec!["IAMPassword".to_owned()];
    let send = |request: Vec<u8>| raw::send(address, &request);
    let scope = Scope::project("cn-north-4");
    let body = sign_in_body("IAMUser", PASSWORD, scope.clone());
    let answer = send(raw::json("POST", TOKENS, body.as_bytes()));
    let token = answer.header("x-subject-token").unwrap().to_owned();
    for body in [
        sign_in_body("IAMUser", "hunter2", scope),
        body.replace("\"password\":\"IAMPassword\"", "\"Password\":\"hunter2\""),
        body.replace("\"password\":\"IAMPassword\"", "\"password\":[\"hunter2\"]"),
        body.replace("[\"password\"]", "[\"password\",\"hunter2\"]")
            .replace("\"methods\"", "\"method\""),
        body.replace("\"password\":\"IAMPassword\"", "\"password\":31337"),
        r#"{"password":"hunter2""#.to_owned(),
        r#""hunter2""#.to_owned(),
    ] {
        assert_ne!(send(raw::json("POST", TOKENS, body.as_bytes())).status, 201, "{body}");
    }
    secrets.extend(["hunter2".to_owned(), "31337".to_owned(), token.clone()]);
    let headers = format!("X-Auth-Token: {token}\r\nX-Subject-Token: {token}\r\n");
    assert_eq!(send(raw::request("GET", TOKENS, &headers, b"")).status, 200);
    let body =
        json!({ "auth": { "identity": { "methods": ["token"], "token": { "id": token } } } });
    let answer = send(raw::json("POST", SECURITY_TOKENS, body.to_string().as_bytes())).json();
    for name in ["secret", "securitytoken"] {
        secrets.push(answer["credential"][name].as_str().unwrap().to_owned());
    }
    secrets
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_shows_in_the_journal_or_in_debug_output() {
    let server = server().await;
    let address = server.address();
    let secrets = tokio::task::spawn_blocking(move || call_with_secrets(address)).await.unwrap();
    let journal = server.world().journal(&Filter::default());
    let told = &journal.entries.last().unwrap().body;
    assert_eq!(told.pointer("/auth/identity/password/user/name"), Some(&json!("IAMUser")));
    assert_eq!(told.pointer("/auth/identity/password/user/password"), Some(&json!("[redacted]")));
    assert_eq!(told.pointer("/auth/scope/project/name"), Some(&json!("cn-north-4")));
    let key = &journal.entries[0].answer["credential"];
    assert!(key["access"].as_str().unwrap().starts_with("MOCK"), "{key}");
    assert_eq!(
        (&key["secret"], &key["securitytoken"]),
        (&json!("[redacted]"), &json!("[redacted]"))
    );
    let user = NewUser::new("IAMDomain", "IAMUser", PASSWORD);
    let sign_in = SignIn::new("IAMDomain", "IAMUser", PASSWORD, Scope::default());
    let shown = format!(
        "{} {:?} {user:?} {sign_in:?} {:?}",
        serde_json::to_string(&journal).unwrap(),
        server.world(),
        Accounts::parse_file(&file()).unwrap(),
    );
    for secret in secrets.iter().map(String::as_str).chain(["$argon2"]) {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}

#[test]
fn no_secret_of_sign_in_shows_in_a_log() {
    let file = File::new("users.json", &file());
    let (child, address) =
        start(&["--listen", "0", "--credentials", file.path(), "--log-level", "trace"]);
    let secrets = call_with_secrets(address);
    let log = stop(child);
    assert!(log.contains("sign-in: the password is wrong"), "{log}");
    for secret in secrets.iter().map(String::as_str).chain(["$argon2"]) {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_guesses_at_once_are_bounded_and_hold_up_nobody_else() {
    let server = server().await;
    let address = server.address();
    let body = sign_in_body("IAMUser", "another", Scope::project("cn-north-4"));
    let guess = move || raw::send(address, &raw::json("POST", TOKENS, body.as_bytes())).status;
    let guesses: Vec<_> = (0..300).map(|_| std::thread::spawn(guess.clone())).collect();
    // Where hashes held up the runtime, this call would wait for all of them.
    let other = get(&server, SERVICE, &[("X-Auth-Token", "operator")]).await;
    assert_eq!(other.status, 200);
    let statuses: Vec<_> = guesses.into_iter().map(|guess| guess.join().unwrap()).collect();
    let of = |status| statuses.iter().filter(|given| **given == status).count();
    assert_eq!(of(401) + of(503), 300, "{statuses:?}");
    assert!(of(401) >= 64 && of(503) > 0, "{} and {}", of(401), of(503));
    let answer = sign_in(&server, "IAMUser", PASSWORD, Scope::project("cn-north-4")).await;
    assert_eq!(answer.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_is_named_for_a_domain_is_for_no_user_of_another() {
    let server = server().await;
    let user = NewUser::new("Elsewhere", "bob", PASSWORD);
    server.world().put_user(user).unwrap();
    let of_bob = async |scope: Scope| {
        let body = SignIn::new("Elsewhere", "bob", PASSWORD, scope);
        call(&server, "POST", TOKENS, &[], &serde_json::to_string(&body).unwrap()).await
    };
    // By its name, bob has a project of his own, which keeps that name.
    let answer = of_bob(Scope::project("cn-north-4")).await;
    let project = answer.json()["token"]["project"].clone();
    assert_eq!((answer.status, &project["name"]), (201, &json!("cn-north-4")));
    assert_ne!(project["id"], PROJECT);
    let token = answer.header("x-subject-token").unwrap().to_owned();
    let shown =
        get(&server, TOKENS, &[("X-Auth-Token", &token), ("X-Subject-Token", &token)]).await;
    assert_eq!(shown.json()["token"]["project"]["name"], "cn-north-4");
    let list = get(&server, "/v3/auth/projects", &[("X-Auth-Token", &token)]).await;
    assert_eq!(projects(&list), [pair(project["id"].as_str().unwrap(), "cn-north-4")]);
    // By its id, it is not there for him.
    assert_eq!(of_bob(Scope::project_id(PROJECT)).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_key_ends_with_what_it_was_made_from() {
    let server = MockServer::start().await;
    server.clock().freeze_at(now());
    let token = token(&server, "Whoever", Scope::project_id("p7")).await;
    server.clock().advance(Duration::from_hours(23));
    let body = serde_json::to_string(&TemporaryKeyCreate::lasting(86_400)).unwrap();
    let answer = call(&server, "POST", SECURITY_TOKENS, &[("X-Auth-Token", &token)], &body).await;
    assert_eq!(answer.json()["credential"]["expires_at"], "2025-09-16T08:30:00.000000Z");
    let (key, _) = temporary(&answer);
    server.clock().advance(Duration::from_mins(59));
    assert_eq!(get_signed(&server, &key, SERVICE).await.status, 200);
    server.clock().advance(Duration::from_mins(1));
    assert_eq!(get_signed(&server, &key, SERVICE).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_of_pages_keep_the_filters() {
    let server = server().await;
    let target = "/v3/projects?page=2&per_page=1&enabled=true";
    let answer = get(&server, target, &[("X-Auth-Token", "operator")]).await.json();
    let previous = answer["links"]["previous"].as_str().unwrap();
    for part in ["page=1", "per_page=1", "enabled=true"] {
        assert!(previous.contains(part), "{previous}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_judged_before_the_body_of_sign_in_which_is_small() {
    let server = server().await;
    for (target, token, status) in [
        (SECURITY_TOKENS, "X-Auth-Token: unknown\r\n", 401),
        (SECURITY_TOKENS, "X-Auth-Token: operator\r\n", 413),
        (SECURITY_TOKENS, "", 413),
        (TOKENS, "", 413),
    ] {
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{token}\
             Content-Type: application/json\r\nContent-Length: 200000\r\n\r\n"
        );
        let body = if status == 413 { vec![b' '; 200_000] } else { Vec::new() };
        let request = [head.into_bytes(), body].concat();
        let address = server.address();
        let answer = tokio::task::spawn_blocking(move || raw::send(address, &request));
        assert_eq!(answer.await.unwrap().status, status, "{target} {token}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_where_there_is_no_room_left_is_told_to_come_again() {
    let budgets = Budgets { sign_ins: 0, ..Budgets::default() };
    let server = MockServer::start_with(Settings { budgets, ..Settings::default() }).await.unwrap();
    server.world().put_user(NewUser::new("IAMDomain", "IAMUser", PASSWORD)).unwrap();
    let answer = sign_in(&server, "IAMUser", PASSWORD, Scope::project("cn-north-4")).await;
    assert_eq!(answer.status, 503);
    let metrics = server.world().metrics();
    assert!(metrics.contains("fabric_mock_budget_rejected{budget=\"sign_ins\"} 1\n"), "{metrics}");
    assert!(metrics.contains("fabric_mock_budget_limit{budget=\"sign_ins\"} 0\n"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_clock_of_a_project_unlocks_a_key_of_none() {
    let server = server().await;
    let far = server.clock().of("far".parse().unwrap());
    let attempt = async |secret: &str| {
        let key = AccessKey::new("ROAMING", secret).unwrap();
        let headers = signed(&key, SERVICE, far.now());
        let headers = headers.iter().map(|(name, value)| (&**name, &**value));
        let headers: Vec<_> = headers.chain([("X-Project-Id", "far")]).collect();
        get(&server, SERVICE, &headers).await.status
    };
    assert_eq!(attempt("secret").await, 200);
    for _ in 0..6 {
        assert_eq!(attempt("another").await, 401);
    }
    far.advance(Duration::from_hours(1));
    assert_eq!(attempt("secret").await, 401);
    server.clock().advance(Duration::from_mins(5));
    assert_eq!(attempt("secret").await, 200);
}
