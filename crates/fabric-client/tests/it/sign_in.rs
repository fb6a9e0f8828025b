//! Users who sign in with a password, and projects that are looked up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fabric_client::model::access_client::ListAccessClientsQuery;
use fabric_client::model::tag::{Tag, TagsCreate};
use fabric_client::model::workspace::WorkspaceCreate;
use fabric_client::{
    Attempt, Client, ClientBuilder, Credentials, CredentialsChain, Environment, Error,
    IdentityError, Interceptor, Retry,
};
use fabric_server::{Accounts, Clock, Credential, MockServer, Settings};

use crate::log::Log;
use crate::script::Script;

const ACCOUNTS: &str = r#"{
    "users": [{ "domain": "IAMDomain", "name": "IAMUser", "password": "canary-password" }],
    "projects": [
        { "project_id": "p-north", "name": "cn-north-4", "domain": "IAMDomain" },
        { "project_id": "p-tests", "name": "cn-north-4_tests", "domain": "IAMDomain" }
    ]
}"#;

const SIGN_IN: &str = "KeystoneCreateUserTokenByPassword";
const LOOK_UP: &str = "KeystoneListProjects";
const REGION: &str = "HUAWEICLOUD_SDK_REGION_DATAARTSFABRIC_CN_NORTH_4";

async fn server() -> MockServer {
    let accounts = Accounts::parse_file(ACCOUNTS).unwrap();
    let credentials = ["AKID:secret", "BOUND:secret=p-tests"].map(Credential::parse_access_key);
    let credentials = credentials.into_iter().collect::<Result<_, _>>().unwrap();
    let settings = Settings { accounts, credentials, ..Settings::default() };
    MockServer::start_with(settings).await.unwrap()
}

fn user() -> Credentials {
    Credentials::password("IAMDomain", "IAMUser", "canary-password").unwrap()
}

fn key() -> Credentials {
    Credentials::access_key("AKID", "secret").unwrap()
}

/// Counts the attempts of each operation.
#[derive(Clone, Default)]
struct Counter(Arc<Mutex<HashMap<&'static str, usize>>>);

impl Counter {
    fn of(&self, operation: &str) -> usize {
        self.0.lock().unwrap().get(operation).copied().unwrap_or_default()
    }
}

impl Interceptor for Counter {
    fn before(&self, attempt: &mut Attempt<'_>) {
        *self.0.lock().unwrap().entry(attempt.operation.unwrap_or_default()).or_default() += 1;
    }
}

fn following(builder: ClientBuilder, clock: &Clock) -> ClientBuilder {
    let clock = clock.clone();
    builder.clock(move || clock.now())
}

async fn list(client: &Client) -> Result<(), Error> {
    client.access_clients().list(ListAccessClientsQuery::default()).await.map(drop)
}

async fn twenty_at_once(client: &Client) {
    let call = |_| {
        let client = client.clone();
        tokio::spawn(async move { list(&client).await })
    };
    for call in (0..20).map(call).collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_user_signs_in_once_for_many_calls_and_again_ahead_of_expiry() {
    let server = server().await;
    server.clock().freeze();
    let counter = Counter::default();
    let credentials = user().with_project_name("cn-north-4");
    let builder = Client::builder(server.endpoint()).credentials(credentials);
    let builder = builder.interceptor(counter.clone());
    let client = following(builder, server.clock()).build().unwrap();
    twenty_at_once(&client).await;
    assert_eq!(client.project_id().await.unwrap().as_str(), "p-north");
    // A token is good for 24 hours; in the last five minutes of them there is another.
    for (advance, sign_ins) in [(0, 1), (23 * 60 + 54, 1), (2, 2), (10, 2)] {
        server.clock().advance(Duration::from_mins(advance));
        twenty_at_once(&client).await;
        assert_eq!(counter.of(SIGN_IN), sign_ins, "{advance} minutes later");
    }
}

#[tokio::test]
async fn a_token_that_has_expired_unnoticed_is_renewed_once() {
    // The clock of the client stands still, half a century before that of the server or after it.
    for here in [UNIX_EPOCH, UNIX_EPOCH + Duration::from_hours(100 * 365 * 24)] {
        let server = server().await;
        let counter = Counter::default();
        let client = Client::builder(server.endpoint())
            .credentials(user().with_project_id("p-tests".parse().unwrap()))
            .interceptor(counter.clone())
            .clock(move || here)
            .build()
            .unwrap();
        twenty_at_once(&client).await;
        list(&client).await.unwrap();
        assert_eq!(counter.of(SIGN_IN), 1);
        server.clock().advance(Duration::from_hours(25));
        twenty_at_once(&client).await;
        assert_eq!(counter.of(SIGN_IN), 2);
    }
}

#[tokio::test]
async fn the_project_of_a_user_is_the_first_that_is_set() {
    let server = server().await;
    let of_region = Environment::from([(REGION, server.endpoint())]);
    let named = || user().with_project_name("cn-north-4");
    let project_id = |id: &str| id.parse().unwrap();
    for (credentials, of_builder, expected) in [
        (user(), None, "p-north"),
        (user().with_project_name("cn-north-4_tests"), None, "p-tests"),
        (named().with_project_id(project_id("p-tests")), None, "p-tests"),
        (named().with_project_id(project_id("p-north")), Some("p-tests"), "p-tests"),
    ] {
        let mut builder = Client::for_region_in("cn-north-4", &of_region).credentials(credentials);
        if let Some(id) = of_builder {
            builder = builder.project_id(project_id(id));
        }
        let client = builder.build().unwrap();
        list(&client).await.unwrap();
        let caller = client.whoami().await.unwrap();
        assert_eq!(caller.project_id.as_deref(), Some(expected));
        assert_eq!(client.project_id().await.unwrap().as_str(), expected);
    }
}

/// The error of the identity service, after a look for the password wherever it could show.
fn checked(error: &Error) -> &IdentityError {
    let Error::Credentials(source) = error else { panic!("{error:?}") };
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(shown) = next {
        assert!(!format!("{shown} {shown:?}").contains("canary"), "{shown:?}");
        next = shown.source();
    }
    source.downcast_ref().unwrap()
}

#[tokio::test]
async fn a_sign_in_that_is_rejected_says_why_and_shows_no_password() {
    let server = server().await;
    let fails = async |credentials: Credentials| {
        let client = Client::builder(server.endpoint()).credentials(credentials).build().unwrap();
        list(&client).await.unwrap_err()
    };
    let wrong = Credentials::password("IAMDomain", "IAMUser", "canary-wrong").unwrap();
    let error = fails(wrong.with_project_name("cn-north-4")).await;
    let rejected = checked(&error).call().unwrap();
    assert_eq!(rejected.to_string(), "rejected: 401: The username or password is wrong.");
    assert!(!error.is_retryable());
    let endpoint = server.endpoint();
    assert_eq!(checked(&error).to_string(), format!("the sign-in at {endpoint} failed"));
    let error = fails(user().with_project_name("cn-south-1")).await;
    assert_eq!(checked(&error).call().unwrap().status().unwrap(), 404);
    // Without a project nothing is sent.
    let error = fails(user()).await;
    assert!(matches!(checked(&error), IdentityError::Configuration(_)), "{error:?}");
    assert!(checked(&error).to_string().starts_with("a user signs in to a project"), "{error:?}");

    let closed = Client::builder("http://127.0.0.1:9").retry(Retry::off());
    let closed = closed.credentials(user().with_project_name("p")).build().unwrap();
    let error = list(&closed).await.unwrap_err();
    assert!(matches!(checked(&error).call(), Some(Error::Connect(_))), "{error:?}");
    assert!(error.is_retryable());
    for (domain, name, password) in [("", "u", "p"), ("d", "", "p"), ("d", "u", "")] {
        assert!(Credentials::password(domain, name, password).is_err());
    }
}

#[tokio::test]
async fn the_project_of_a_key_is_looked_up_by_region_once() {
    let server = server().await;
    let environment = Environment::from([(REGION, server.endpoint())]);
    let counter = Counter::default();
    let client = Client::for_region_in("cn-north-4", &environment).credentials(key());
    let client = client.interceptor(counter.clone()).build().unwrap();
    twenty_at_once(&client).await;
    assert_eq!(client.project_id().await.unwrap().as_str(), "p-north");
    assert_eq!(counter.of(LOOK_UP), 1);
    // All calls are of that project, those whose path names it and the others.
    let name = "research".to_owned();
    let create = WorkspaceCreate { name, ..WorkspaceCreate::default() };
    let workspace = client.workspaces().create(create).await.unwrap().id.unwrap();
    let tag = Tag { key: "team".to_owned(), value: None };
    let body = TagsCreate { tags: Some(vec![tag]), ..TagsCreate::default() };
    client.tags().add(&workspace, body).await.unwrap();
    assert_eq!(counter.of(LOOK_UP), 1);
    // A project that is known is not looked up, nor is one without a region.
    let known = key().with_project_id("p-tests".parse().unwrap());
    for builder in [
        Client::for_region_in("cn-north-4", &environment).credentials(known),
        Client::builder(server.endpoint()).credentials(key()),
    ] {
        list(&builder.interceptor(counter.clone()).build().unwrap()).await.unwrap();
        assert_eq!(counter.of(LOOK_UP), 1);
    }
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn exactly_one_project_must_have_the_name_of_the_region() {
    let found = async |answers: [&str; 2]| {
        let script = Script::start(answers);
        let environment = Environment::from([(REGION, script.endpoint())]);
        let client = Client::for_region_in("cn-north-4", &environment).credentials(key());
        let outcome = list(&client.retry(Retry::off()).build().unwrap()).await;
        (outcome, script.requests())
    };
    let page = answer("200 OK", "{}");
    let one = answer("200 OK", r#"{"projects": [{"id": "p-1"}]}"#);
    let (outcome, requests) = found([&one, &page]).await;
    outcome.unwrap();
    let [look_up, call] = &requests[..] else { panic!("{requests:?}") };
    assert!(look_up.starts_with("GET /v3/projects?name=cn-north-4 HTTP/1.1\r\n"), "{look_up}");
    assert!(Script::header(look_up, "authorization").starts_with("SDK-HMAC-SHA256 Access=AKID"));
    assert_eq!(Script::header(look_up, "x-project-id"), "");
    assert_eq!(Script::header(call, "x-project-id"), "p-1");
    let none = answer("200 OK", r#"{"projects": []}"#);
    let two = answer("200 OK", r#"{"projects": [{"id": "p-1"}, {"id": "p-2"}]}"#);
    for (projects, expected) in [(&none, "have 0 projects"), (&two, "have 2 projects")] {
        let (outcome, requests) = found([projects, &page]).await;
        let error = outcome.unwrap_err();
        assert!(checked(&error).to_string().contains(expected), "{error:?}");
        assert_eq!(requests.len(), 1);
    }
    let forbidden = answer("403 Forbidden", r#"{"error": {"code": 403, "message": "no"}}"#);
    let (outcome, _) = found([&forbidden, &page]).await;
    let error = outcome.unwrap_err();
    assert!(matches!(checked(&error), IdentityError::Lookup { .. }), "{error:?}");
    assert_eq!(checked(&error).call().unwrap().status().unwrap(), 403);
}

#[tokio::test]
async fn a_look_up_is_signed_by_the_clock_of_the_service() {
    let server = server().await;
    let environment = Environment::from([(REGION, server.endpoint())]);
    let client = Client::for_region_in("cn-north-4", &environment).credentials(key());
    let client = client.clock(|| UNIX_EPOCH).build().unwrap();
    twenty_at_once(&client).await;
}

#[tokio::test]
async fn the_chain_finds_a_user_where_openstack_does() {
    let server = server().await;
    let environment = |more: &[(&str, &str)]| {
        let mut all = [("HOME", "/does/not/exist"); 8];
        all[..more.len()].copy_from_slice(more);
        Environment::from(all)
    };
    let whoami = async |more: &[(&str, &str)]| {
        let chain = CredentialsChain::new(environment(more));
        let client = Client::builder(server.endpoint()).credentials_provider(chain);
        client.build().unwrap().whoami().await
    };
    let user = [
        ("OS_USERNAME", "IAMUser"),
        ("OS_PASSWORD", "canary-password"),
        ("OS_USER_DOMAIN_NAME", "IAMDomain"),
    ];
    let [name, password, domain] = user;
    let of_north = ("OS_PROJECT_NAME", "cn-north-4");
    let of_tests = ("OS_PROJECT_ID", "p-tests");
    let caller = whoami(&[name, password, domain, of_north]).await.unwrap();
    assert_eq!(caller.user.as_deref(), Some("IAMUser"));
    assert_eq!(caller.domain.as_deref(), Some("IAMDomain"));
    assert_eq!(caller.project.as_deref(), Some("cn-north-4"));
    assert_eq!(caller.endpoint, server.endpoint());
    let life = caller.expires_at.unwrap().duration_since(SystemTime::now()).unwrap();
    assert!(life > Duration::from_hours(23), "{life:?}");
    // An id comes before a name, and the vendor's variable before that of OpenStack.
    for (more, expected) in [
        ([of_north, of_tests], "p-tests"),
        ([("HUAWEICLOUD_SDK_PROJECT_ID", "p-north"), of_tests], "p-north"),
    ] {
        let domain = ("OS_DOMAIN_NAME", "IAMDomain");
        let caller = whoami(&[&[name, password, domain], &more[..]].concat()).await.unwrap();
        assert_eq!(caller.project_id.as_deref(), Some(expected));
    }
    // A key in the environment comes before a user, and a user before a profile.
    let key = [("HUAWEICLOUD_SDK_AK", "AKID"), ("HUAWEICLOUD_SDK_SK", "secret")];
    let caller = whoami(&[&user[..], &key[..], &[of_north]].concat()).await.unwrap();
    assert_eq!((caller.access_key_id.as_deref(), caller.user), (Some("AKID"), None));
    let profile = ("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/does/not/exist");
    whoami(&[&user[..], &[of_north, profile]].concat()).await.unwrap();
    // Where users sign in.
    let closed = "http://127.0.0.1:9";
    let versioned = format!("{}/v3/", server.endpoint());
    for (variables, is_right) in [
        (vec![("OS_AUTH_URL", &*versioned)], true),
        (vec![("OS_AUTH_URL", closed)], false),
        (vec![("OS_AUTH_URL", closed), ("HUAWEICLOUD_SDK_IAM_ENDPOINT", &*versioned)], true),
    ] {
        let outcome = whoami(&[&user[..], &[of_north], &variables].concat()).await;
        assert_eq!(outcome.is_ok(), is_right, "{variables:?}: {outcome:?}");
    }
    // A part of a user is an error, whatever else there is.
    for (part, missing) in [
        (&[name, domain][..], "OS_PASSWORD"),
        (&[password, domain], "OS_USERNAME"),
        (&[name, password], "OS_USER_DOMAIN_NAME"),
    ] {
        let chain = CredentialsChain::new(environment(part));
        let error = chain.find().unwrap_err().to_string();
        assert!(error.ends_with(&format!("but {missing} is not set")), "{error}");
        assert!(!format!("{error} {chain:?}").contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn a_password_goes_to_no_other_machine_in_the_clear() {
    let far = "http://iam.example";
    let client = Client::builder("https://fabric.example").identity_endpoint(far);
    let error = client.build().unwrap_err();
    assert!(error.to_string().contains("use https, or allow_plain_http"), "{error}");
    let credentials = user().with_project_name("p").with_identity_endpoint(far);
    let client = Client::builder("https://fabric.example").credentials(credentials.clone());
    let error = list(&client.build().unwrap()).await.unwrap_err();
    assert!(checked(&error).to_string().contains("use https, or allow_plain_http"), "{error:?}");
    // What the builder says comes first.
    let server = server().await;
    let credentials = credentials.with_project_name("cn-north-4");
    let client = Client::builder(server.endpoint()).credentials(credentials);
    let client = client.identity_endpoint(server.endpoint()).build().unwrap();
    list(&client).await.unwrap();
    for shown in [format!("{client:?}"), format!("{:?}", user())] {
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[tokio::test]
async fn whoever_calls_is_told_with_any_credentials() {
    let server = server().await;
    let client =
        |credentials| Client::builder(server.endpoint()).credentials(credentials).build().unwrap();
    let bound = Credentials::access_key("BOUND", "secret").unwrap();
    let caller = client(bound.with_project_id("p-tests".parse().unwrap())).whoami().await.unwrap();
    assert_eq!(caller.access_key_id.as_deref(), Some("BOUND"));
    assert_eq!(caller.project_id.as_deref(), Some("p-tests"));
    assert!(caller.domain.is_some() && caller.expires_at.is_none(), "{caller:?}");
    let wrong = Credentials::access_key("BOUND", "canary").unwrap();
    assert_eq!(client(wrong).whoami().await.unwrap_err().status().unwrap(), 401);
    let unknown = client(Credentials::token("canary").unwrap());
    assert_eq!(unknown.whoami().await.unwrap_err().status().unwrap(), 401);
    // The project of a token is that of the sign-in, which another client has done.
    let token = server_token(&server).await;
    let holder = client(Credentials::token(token).unwrap());
    let caller = holder.whoami().await.unwrap();
    assert_eq!(caller.user.as_deref(), Some("IAMUser"));
    assert_eq!(holder.project_id().await.unwrap().as_str(), "p-north");
    let nobody = Client::new(server.endpoint()).unwrap().whoami().await.unwrap();
    assert_eq!((nobody.user, nobody.access_key_id, nobody.project_id), (None, None, None));
}

/// A token of the user, got without the client.
async fn server_token(server: &MockServer) -> String {
    let body = r#"{"auth": {"identity": {"methods": ["password"], "password": {"user": {
        "domain": {"name": "IAMDomain"}, "name": "IAMUser", "password": "canary-password"}}},
        "scope": {"project": {"name": "cn-north-4"}}}}"#;
    let http = crate::http().build().unwrap();
    let request = http.post(format!("{}/v3/auth/tokens", server.endpoint()));
    let request = request.header("content-type", "application/json").body(body);
    let answer = request.send().await.unwrap();
    answer.headers()["x-subject-token"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn no_log_of_client_and_server_shows_a_password_or_a_token() {
    let log = Log::default();
    // One thread runs client, server and HTTP libraries.
    let _guard = log.listen();
    let server = server().await;
    let token = server_token(&server).await;
    for http in [crate::http().http1_only(), crate::http().http2_prior_knowledge()] {
        let http = http.build().unwrap();
        let wrong = Credentials::password("IAMDomain", "IAMUser", "canary-wrong").unwrap();
        for credentials in [user(), wrong, Credentials::token(token.clone()).unwrap()] {
            let client = Client::builder(server.endpoint()).http_client(http.clone());
            let credentials = credentials.with_project_name("cn-north-4");
            let client = client.credentials(credentials).build().unwrap();
            list(&client).await.ok();
            client.whoami().await.ok();
        }
    }
    let log = log.text();
    assert!(log.contains("TRACE hyper_util") && log.contains("TRACE h2"), "{log}");
    // Every token of the server begins alike.
    let prefix = &token[..token.len() / 2];
    let line = log.lines().find(|line| line.contains("canary") || line.contains(prefix));
    assert_eq!(line, None);
}
