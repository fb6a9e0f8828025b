//! What the client presents: where it finds it, when it renews it, and that it shows it to nobody.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fabric_client::model::access_client::{AccessClientCreate, ListAccessClientsQuery};
use fabric_client::{
    Client, Credentials, CredentialsChain, CredentialsProvider, Environment, Error,
    ProvidedCredentials,
};
use fabric_server::{Credential, MockServer, Settings};

use crate::log::Log;
use crate::script::Script;

async fn list(client: &Client) -> Result<(), Error> {
    client.access_clients().list(ListAccessClientsQuery::default()).await.map(drop)
}

async fn twenty_at_once(client: &Client) -> Vec<Result<(), Error>> {
    let call = |_| {
        let client = client.clone();
        tokio::spawn(async move { list(&client).await })
    };
    let calls: Vec<_> = (0..20).map(call).collect();
    let mut outcomes = Vec::new();
    for call in calls {
        outcomes.push(call.await.unwrap());
    }
    outcomes
}

async fn server(credentials: &[&str]) -> MockServer {
    let parse = |text: &&str| {
        let is_key = text.contains(':');
        if is_key { Credential::parse_access_key(text) } else { Credential::parse_token(text) }
    };
    let credentials = credentials.iter().map(parse).collect::<Result<_, _>>().unwrap();
    MockServer::start_with(Settings { credentials, ..Settings::default() }).await.unwrap()
}

/// Gives tokens named `PREFIX1`, `PREFIX2`, …, each for a while, or fails.
#[derive(Clone, Debug)]
struct Tokens {
    given: Arc<AtomicUsize>,
    life: Option<Duration>,
    /// From which token on there are no more.
    fails_from: usize,
}

impl Tokens {
    fn new(life: Option<Duration>) -> Self {
        Self { given: Arc::default(), life, fails_from: usize::MAX }
    }

    fn given(&self) -> usize {
        self.given.load(Ordering::SeqCst)
    }
}

impl CredentialsProvider for Tokens {
    fn provide(&self) -> ProvidedCredentials<'_> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let number = self.given.fetch_add(1, Ordering::SeqCst) + 1;
            if number >= self.fails_from {
                return Err("the token service is down".into());
            }
            let token = Credentials::token(format!("token-{number}"))?;
            Ok(match self.life {
                Some(life) => token.until(UNIX_EPOCH + life * u32::try_from(number)?),
                None => token,
            })
        })
    }
}

#[tokio::test]
async fn every_kind_of_credentials_is_let_in_and_others_are_not() {
    let server = server(&["token=p", "AKID:secret=p"]).await;
    let client =
        |credentials| Client::builder(server.endpoint()).credentials(credentials).build().unwrap();
    let key = |secret: &str| Credentials::access_key("AKID", secret).unwrap();
    list(&client(Credentials::token("token").unwrap())).await.unwrap();
    list(&client(key("secret"))).await.unwrap();
    list(&client(key("secret").with_project_id("p".parse().unwrap()))).await.unwrap();
    let create = AccessClientCreate { name: Some("signed-body".to_owned()), ..Default::default() };
    client(key("secret")).access_clients().create(create).await.unwrap();
    let codes = [
        (Credentials::anonymous(), "APIG.1002"),
        (Credentials::token("other").unwrap(), "APIG.1002"),
        (key("other"), "APIG.0301"),
        (key("secret").with_security_token("other").unwrap(), "APIG.0301"),
        (key("secret").with_project_id("other".parse().unwrap()), "403"),
    ];
    for (credentials, code) in codes {
        let error = list(&client(credentials)).await.unwrap_err();
        assert_eq!(error.api_error().unwrap().code().unwrap(), code);
    }
    // Health is nobody's secret, so no credentials are asked for.
    let health = Client::builder(server.endpoint())
        .credentials_provider(Tokens { fails_from: 1, ..Tokens::new(None) });
    health.build().unwrap().show_health().await.unwrap();
}

#[tokio::test]
async fn the_provider_is_asked_once_for_many_waiters() {
    let server = server(&["token-1"]).await;
    let tokens = Tokens::new(None);
    let client = Client::builder(server.endpoint()).credentials_provider(tokens.clone());
    let client = client.build().unwrap();
    for outcome in twenty_at_once(&client).await {
        outcome.unwrap();
    }
    assert_eq!(tokens.given(), 1);
}

#[tokio::test]
async fn a_failure_of_the_provider_is_told_to_all_who_wait() {
    let tokens = Tokens { fails_from: 1, ..Tokens::new(None) };
    let client = Client::builder("http://127.0.0.1:9").credentials_provider(tokens.clone());
    let client = client.build().unwrap();
    for outcome in twenty_at_once(&client).await {
        let error = outcome.unwrap_err();
        assert!(matches!(error, Error::Credentials(_)), "{error:?}");
        assert_eq!(error.to_string(), "no credentials available");
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), "the token service is down");
    }
    // The next who comes asks anew.
    assert_eq!(tokens.given(), 1);
    list(&client).await.unwrap_err();
    assert_eq!(tokens.given(), 2);
}

#[tokio::test]
async fn what_is_refused_is_renewed_once() {
    let server = server(&["token-2"]).await;
    let tokens = Tokens::new(None);
    let client = Client::builder(server.endpoint()).credentials_provider(tokens.clone());
    let client = client.build().unwrap();
    // All are rejected with the first token, and all share the second.
    for outcome in twenty_at_once(&client).await {
        outcome.unwrap();
    }
    assert_eq!(tokens.given(), 2);
}

const REJECTED: &str =
    "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test]
async fn a_service_that_always_refuses_is_not_asked_for_ever() {
    let script = Script::start([REJECTED; 5]);
    let client = Client::builder(script.endpoint()).credentials_provider(Tokens::new(None));
    let error = list(&client.build().unwrap()).await.unwrap_err();
    assert_eq!(error.status().unwrap(), 401);
    assert_eq!(script.asked("x-auth-token"), ["token-1", "token-2"]);

    // The same once more would be rejected once more.
    let script = Script::start([REJECTED; 5]);
    let environment = Environment::from([("HUAWEICLOUD_SDK_AK", "A"), ("HUAWEICLOUD_SDK_SK", "S")]);
    let chain = CredentialsChain::new(environment);
    let client = Client::builder(script.endpoint()).credentials_provider(chain);
    assert_eq!(list(&client.build().unwrap()).await.unwrap_err().status().unwrap(), 401);
    assert_eq!(script.asked("authorization").len(), 1);

    // When there are no others to be had, that is the error.
    let script = Script::start([REJECTED; 5]);
    let tokens = Tokens { fails_from: 2, ..Tokens::new(None) };
    let client = Client::builder(script.endpoint()).credentials_provider(tokens);
    let error = list(&client.build().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::Credentials(_)), "{error:?}");
}

#[tokio::test]
async fn what_expires_is_renewed_ahead_of_time() {
    let server = server(&["token-1", "token-2", "token-3"]).await;
    let hour = Duration::from_hours(1);
    let tokens = Tokens { fails_from: 3, ..Tokens::new(Some(hour)) };
    let now = Arc::new(AtomicUsize::new(0));
    let clock = now.clone();
    let client = Client::builder(server.endpoint())
        .credentials_provider(tokens.clone())
        .clock(move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::SeqCst) as u64))
        .build()
        .unwrap();
    for (second, given) in [
        // Renewed five minutes ahead of the hour,
        (0, 1),
        (3_299, 1),
        (3_300, 2),
        (3_600, 2),
        // and when that fails, the old ones do while they last; the next try is half a minute later.
        (6_900, 3),
        (6_910, 3),
        (6_930, 4),
    ] {
        now.store(second, Ordering::SeqCst);
        list(&client).await.unwrap_or_else(|error| panic!("second {second}: {error}"));
        assert_eq!(tokens.given(), given, "second {second}");
    }
    now.store(7_200, Ordering::SeqCst);
    assert!(matches!(list(&client).await, Err(Error::Credentials(_))));
}

/// Gives one token that is about to expire, and then nothing, for ever.
#[derive(Debug, Default)]
struct Hanging(AtomicUsize);

impl CredentialsProvider for Hanging {
    fn provide(&self) -> ProvidedCredentials<'_> {
        let is_first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
        Box::pin(async move {
            if !is_first {
                std::future::pending::<()>().await;
            }
            Ok(Credentials::token("token-1")?.until(UNIX_EPOCH + Duration::from_hours(1)))
        })
    }
}

#[tokio::test]
async fn a_provider_that_hangs_holds_nobody_up_for_ever() {
    let server = server(&["token-1"]).await;
    let now = Arc::new(AtomicUsize::new(0));
    let clock = now.clone();
    let client = Client::builder(server.endpoint())
        .credentials_provider(Hanging::default())
        .timeout(Duration::from_secs(6))
        .clock(move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::SeqCst) as u64))
        .build()
        .unwrap();
    list(&client).await.unwrap();
    now.store(3_500, Ordering::SeqCst);
    list(&client).await.unwrap();
    now.store(3_600, Ordering::SeqCst);
    let error = list(&client).await.unwrap_err();
    assert!(matches!(error, Error::Credentials(_)), "{error:?}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_corrected_by_the_service() {
    let server = server(&["AKID:secret"]).await;
    for (here, there) in [(0, 1_757_925_000), (1_757_925_000, 3_600)] {
        server.clock().freeze_at(UNIX_EPOCH + Duration::from_secs(there));
        let client = Client::builder(server.endpoint())
            .credentials(Credentials::access_key("AKID", "secret").unwrap())
            .clock(move || UNIX_EPOCH + Duration::from_secs(here))
            .build()
            .unwrap();
        // Many at once, none of which knows yet: a date that is off does not lock a key.
        for outcome in twenty_at_once(&client).await {
            outcome.unwrap();
        }
    }
}

#[tokio::test]
async fn what_was_learned_of_the_clock_is_kept_and_not_from_a_cache() {
    let late =
        "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ndate: Mon, 15 Sep 2025 08:30:00 GMT\r\n";
    let body = r#"{"error_code":"APIG.0301","error_msg":"late"}"#;
    let rejected = format!("{late}content-length: {}\r\n\r\n{body}", body.len());
    let cached = format!("{late}age: 1\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let of_a_proxy = format!("{late}content-length: 2\r\n\r\n{{}}");
    let done = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    let client = |script: &Script| {
        let client = Client::builder(script.endpoint());
        let client = client.credentials(Credentials::access_key("AKID", "secret").unwrap());
        client.clock(|| UNIX_EPOCH).build().unwrap()
    };
    let script = Script::start([rejected.as_str(), done, done]);
    let signing = client(&script);
    list(&signing).await.unwrap();
    list(&signing).await.unwrap();
    assert_eq!(
        script.asked("x-sdk-date"),
        ["19700101T000000Z", "20250915T083000Z", "20250915T083000Z"]
    );
    // A second rejection is final, whatever date it has.
    let earlier = rejected.replace("Mon, 15 Sep 2025", "Tue, 15 Sep 2020");
    let script = Script::start([rejected.as_str(), earlier.as_str(), rejected.as_str(), done]);
    assert_eq!(list(&client(&script)).await.unwrap_err().status().unwrap(), 401);
    assert_eq!(script.asked("x-sdk-date").len(), 2);
    for not_to_be_believed in [cached, of_a_proxy] {
        let script = Script::start([not_to_be_believed.as_str(); 3]);
        assert_eq!(list(&client(&script)).await.unwrap_err().status().unwrap(), 401);
        assert_eq!(script.asked("x-sdk-date").len(), 1);
    }
    // A date that can't be, of a service that is out of its mind, is followed without harm.
    let mad = rejected.replace("Mon, 15 Sep 2025", "Fri, 31 Dec 9999");
    let script = Script::start([mad.as_str(), done, done]);
    let signing = client(&script);
    list(&signing).await.unwrap();
    list(&signing).await.unwrap();
}

/// A home with a profile file of the vendor's.
struct Home(PathBuf);

impl Home {
    fn new(name: &str, profile: &str) -> Self {
        let home = std::env::temp_dir().join(format!("fabric-home-{}-{name}", std::process::id()));
        std::fs::create_dir_all(home.join(".huaweicloud")).unwrap();
        std::fs::write(home.join(".huaweicloud/credentials"), profile).unwrap();
        Self(home)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

#[tokio::test]
async fn the_chain_finds_keys_where_the_vendor_does() {
    let server = server(&["ENVIRONMENT:s=e", "PROFILE:s#1;2=p"]).await;
    let profile = "# ours\n[global]\nak = GLOBAL\nsk = s\n\n[basic]\nak = PROFILE\nsk= s#1;2\nproject_id =p\n";
    let home = Home::new("chain", profile);
    let found = async |environment: Environment| {
        let client = Client::builder(server.endpoint());
        list(&client.credentials_provider(CredentialsChain::new(environment)).build().unwrap())
            .await
    };
    let pair = [("HUAWEICLOUD_SDK_AK", "ENVIRONMENT"), ("HUAWEICLOUD_SDK_SK", "s")];
    let [ak, sk] = pair;
    // The environment comes first, whatever stands in the profile.
    found([ak, sk, ("HUAWEICLOUD_SDK_PROJECT_ID", "e"), ("HOME", home.path())].into())
        .await
        .unwrap();
    found([("HOME", home.path())].into()).await.unwrap();
    let named = format!("{}/.huaweicloud/credentials", home.path());
    found([("HUAWEICLOUD_SDK_CREDENTIALS_FILE", &*named)].into()).await.unwrap();
    // A project that is not that of the key shows that it is sent.
    let other = [ak, sk, ("HUAWEICLOUD_SDK_PROJECT_ID", "other")];
    assert_eq!(found(other.into()).await.unwrap_err().status().unwrap(), 403);
    let security = [ak, sk, ("HUAWEICLOUD_SDK_SECURITY_TOKEN", "t")];
    assert_eq!(found(security.into()).await.unwrap_err().status().unwrap(), 401);
}

#[test]
fn the_chain_says_what_is_missing_and_shows_no_secret() {
    let why = |environment: Environment| {
        CredentialsChain::new(environment).find().unwrap_err().to_string()
    };
    let nowhere = ("HOME", "/does/not/exist");
    assert_eq!(
        why([nowhere].into()),
        "neither HUAWEICLOUD_SDK_AK nor OS_USERNAME is set, and there is no \
         /does/not/exist/.huaweicloud/credentials"
    );
    assert!(why(Environment::from([])).contains("there is no home"));
    let file = ("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/does/not/exist");
    assert!(why([file].into()).starts_with("cannot read /does/not/exist: "));
    assert_eq!(
        why([("HUAWEICLOUD_SDK_AK", "A"), nowhere].into()),
        "the environment: the secret (SK) of the access key is missing"
    );
    assert_eq!(
        why([("HUAWEICLOUD_SDK_SK", "canary"), nowhere].into()),
        "the environment: the id (AK) of the access key is missing"
    );
    for profile in
        ["[basic]\nak = A\n", "[basic\nsk = canary\n", "[basic]\nak = can ary\nsk = canary"]
    {
        let home = Home::new("wrong", profile);
        let reason = why([("HOME", home.path())].into());
        assert!(reason.starts_with(home.path()), "{reason}");
        assert!(!reason.contains("canary"), "{reason}");
    }
    let empty = Home::new("empty", "[global]\nak = A\nsk = S\n");
    assert!(why([("HOME", empty.path())].into()).ends_with("section [basic] has no ak and sk"));
}

#[test]
fn a_region_has_an_endpoint_that_the_environment_overrides() {
    const VARIABLE: &str = "HUAWEICLOUD_SDK_REGION_DATAARTSFABRIC_CN_NORTH_4";
    let endpoint = |environment: Environment| {
        let client = Client::for_region_in("cn-north-4", &environment).build();
        client.map(|client| format!("{client:?}"))
    };
    let debug = endpoint(Environment::from([])).unwrap();
    assert!(debug.contains("\"https://fabric.cn-north-4.myhuaweicloud.com\""), "{debug}");
    for (value, expected) in [
        ("https://one.example,https://two.example", "\"https://one.example\""),
        ("one.example", "\"https://one.example\""),
        ("http://127.0.0.1:8080/", "\"http://127.0.0.1:8080\""),
    ] {
        let debug = endpoint([(VARIABLE, value)].into()).unwrap();
        assert!(debug.contains(expected), "{debug}");
    }
    assert!(endpoint([(VARIABLE, ",")].into()).is_err());
    for region in ["", "CN", "cn.north", "x/../y", "evil.example/#", "-x"] {
        let built = Client::for_region_in(region, &Environment::from([])).build();
        assert!(matches!(built, Err(Error::Configuration { .. })), "{region}");
    }
}

#[test]
fn plain_http_leaves_this_machine_only_when_asked() {
    for endpoint in
        ["http://127.1.2.3:1", "http://[::1]:1", "http://localhost", "http://a.localhost"]
    {
        Client::new(endpoint).unwrap();
    }
    for endpoint in
        ["http://fabric.example", "http://192.0.2.1", "http://localhost.example", "http://0.0.0.0"]
    {
        let error = Client::new(endpoint).unwrap_err().to_string();
        assert!(error.contains("use https, or allow_plain_http"), "{error}");
        Client::builder(endpoint).allow_plain_http().build().unwrap();
    }
}

#[test]
fn no_secret_is_printed_and_bad_settings_are_refused() {
    let printed = |builder: fabric_client::ClientBuilder| {
        let client = builder.clone().build();
        format!("{builder:?} {client:?}")
    };
    let builder = || Client::builder("http://127.0.0.1:9");
    let key = || Credentials::access_key("AKID", "canary").unwrap();
    let all = [
        Credentials::token("canary").unwrap(),
        key(),
        key().with_security_token("canary").unwrap(),
    ];
    for credentials in all {
        assert!(!format!("{credentials:?}").contains("canary"));
        assert!(!printed(builder().credentials(credentials)).contains("canary"));
    }
    assert!(!printed(builder().auth_token("canary")).contains("canary"));
    let environment = Environment::from([("HUAWEICLOUD_SDK_SK", "canary")]);
    assert!(!format!("{environment:?}").contains("canary"));
    assert!(
        !printed(builder().credentials_provider(CredentialsChain::new(environment)))
            .contains("canary")
    );
    for endpoint in ["", "localhost:8080", "ftp://x", "http://x/?a=b", "http://u:canary@x"] {
        let builder = Client::builder(endpoint).allow_plain_http();
        assert!(matches!(builder.clone().build(), Err(Error::Configuration { .. })), "{endpoint}");
        assert!(!printed(builder).contains("canary"));
    }
    builder().auth_token("t".repeat(65_534)).build().unwrap();
    for token in ["t".repeat(65_535), "canary\n".to_owned(), "canary é".to_owned(), String::new()]
    {
        let builder = builder().auth_token(token);
        assert!(matches!(builder.clone().build(), Err(Error::Configuration { .. })));
        assert!(!printed(builder).contains("canary"));
    }
    assert!(Credentials::token("t").unwrap().with_security_token("t").is_err());
    assert!(Client::builder("https://x").root_certificate("no PEM").build().is_err());
    let now = Credentials::anonymous().until(SystemTime::now());
    builder().credentials(now).build().unwrap();
}

#[tokio::test]
async fn errors_of_a_call_hold_no_secret() {
    let server = server(&["AKID:canary-right"]).await;
    let closed = "http://127.0.0.1:9";
    let key = |secret: &str| Credentials::access_key("AKID", secret).unwrap();
    for (endpoint, credentials) in [
        (server.endpoint(), key("canary-wrong")),
        (server.endpoint(), Credentials::token("canary-token").unwrap()),
        (closed, Credentials::token("canary-token").unwrap()),
        (closed, key("canary-right").with_security_token("canary-security").unwrap()),
    ] {
        let client = Client::builder(endpoint).credentials(credentials).build().unwrap();
        let error = list(&client).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            assert!(!format!("{cause} {cause:?}").contains("canary"), "{cause:?}");
            source = cause.source();
        }
    }
}

#[tokio::test]
async fn nothing_that_client_and_server_log_in_a_process_holds_a_secret() {
    let log = Log::default();
    // One thread runs client, server and HTTP libraries.
    let _guard = log.listen();
    let server = server(&["canary-token=p", "AKID:canary-secret=p"]).await;
    let key = |secret: &str| Credentials::access_key("AKID", secret).unwrap();
    for http in [crate::http().http1_only(), crate::http().http2_prior_knowledge()] {
        let http = http.build().unwrap();
        for credentials in [
            Credentials::token("canary-token").unwrap(),
            Credentials::token("canary-unknown").unwrap(),
            key("canary-secret"),
            key("canary-wrong"),
            key("canary-secret").with_security_token("canary-security").unwrap(),
        ] {
            let client = Client::builder(server.endpoint()).http_client(http.clone());
            list(&client.credentials(credentials).build().unwrap()).await.ok();
        }
    }
    let log = log.text();
    assert!(log.contains("does not match what the server signs"), "{log}");
    assert!(log.contains("TRACE hyper_util") && log.contains("TRACE h2"), "{log}");
    let line = log.lines().find(|line| line.contains("canary"));
    assert_eq!(line, None);
}
