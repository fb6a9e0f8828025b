//! The program: what it says when it starts, and how it stops.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use fabric_client::model::access_client::ListAccessClientsQuery;
use fabric_client::{Client, Credentials};

use crate::raw::{self, request};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fabric-server"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn start(arguments: &[&str]) -> (Child, SocketAddr) {
    let (child, endpoint) = launch(&mut program(arguments));
    (child, endpoint.strip_prefix("http://").unwrap().parse().unwrap())
}

/// Starts the program, and reads from its first line where it listens.
fn launch(command: &mut Command) -> (Child, String) {
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    (child, line["listening"].as_str().unwrap().to_owned())
}

/// Asks the program to stop, and reads its log.
fn stop(mut child: Child) -> String {
    child.kill().unwrap();
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    child.wait().unwrap();
    log
}

/// A file of its own for a test, removed with it.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fabric-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

fn fails(arguments: &[&str]) -> String {
    fails_when(&mut program(arguments))
}

fn fails_when(command: &mut Command) -> String {
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    if !line.is_empty() {
        child.kill().unwrap();
    }
    assert_eq!(line, "", "{command:?} starts");
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    assert_eq!(status.code(), Some(2), "{command:?}");
    let text = String::from_utf8(stderr).unwrap();
    let lines: Vec<&str> =
        text.lines().filter(|line| line.starts_with("fabric-server: ")).collect();
    assert_eq!(lines.len(), 1, "{text}");
    lines[0].to_owned()
}

#[test]
fn a_wrong_start_is_explained_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert!(fails(&["--listen", &address]).contains("the port is taken"));
    assert!(fails(&["--listen", "nowhere"]).contains("expected a PORT, or ADDRESS:PORT"));
    assert!(fails(&["--port", "1"]).contains("unexpected argument '--port'"));
    assert!(fails(&["--profile", "lax"]).contains("must be documented or strict"));
    assert!(fails(&["--creating-time", "soon"]).contains("--creating-time"));
    assert!(fails(&["--log-level", "loud"]).contains("possible values: error, warn, info, debug"));
    assert!(fails(&["--body-limit", "12MB"]).contains("expected a whole number"));
    assert!(fails(&["--request-timeout", "0s"]).contains("must not be 0"));
    assert!(fails(&["--seed", "/does/not/exist"]).contains("cannot read the seed"));
    let seed = File::new("seed.json", r#"[{}, {"name": 5}]"#);
    let reason = fails(&["--listen", "0", "--seed", seed.path()]);
    assert!(reason.contains("access client [1]: name:"), "{reason}");
}

#[test]
fn a_start_that_would_let_everybody_in_or_show_a_secret_is_refused() {
    let open = fails(&["--listen", "0.0.0.0:0"]);
    assert!(
        open.contains("--token, --access-key or --credentials, or say --open-to-all"),
        "{open}"
    );
    let flag = fails(&["--token", "canary=no_project"]);
    assert!(flag.contains("--token or FABRIC_TOKEN: project: must have"), "{flag}");
    let key = fails(&["--access-key", "canary"]);
    assert!(key.contains("FABRIC_ACCESS_KEY: access key: must be AK:SK"), "{key}");
    assert!(fails(&["--token", ""]).contains("token: must have 1 to 65534"));
    let mut empty = program(&["--listen", "0"]);
    assert!(fails_when(empty.env("FABRIC_TOKEN", " ")).ends_with("FABRIC_TOKEN is set, but empty"));
    let twice = fails(&["--listen", "0", "--token", "canary", "--token", "canary"]);
    assert!(twice.ends_with("fabric-server: a token: must not be there twice"), "{twice}");
    let file = File::new("credentials.json", r#"{"tokens": [{"token": "canary", "expires": 1}]}"#);
    let wrong = fails(&["--credentials", file.path()]);
    assert!(wrong.contains("are wrong: tokens[0]: has an unknown field, expected one of `token`"));
    let empty = File::new("empty.json", "{}");
    assert!(
        fails(&["--credentials", empty.path()]).ends_with("hold neither tokens nor access_keys")
    );
    assert!(fails(&["--tls-cert", file.path()]).contains("--tls-key"));
    let no_pem = fails(&["--tls-cert", file.path(), "--tls-key", file.path()]);
    assert!(no_pem.contains("--tls-cert, --tls-key: the certificate file holds no"), "{no_pem}");
    let precious = fails(&["--listen", "0", "--tls-self-signed", file.path()]);
    assert!(precious.ends_with("the file is there and is no certificate; name another"));
    let nowhere = fails(&["--listen", "0", "--tls-self-signed", "/does/not/exist/ca.pem"]);
    assert!(nowhere.contains("cannot write the certificate /does/not/exist/ca.pem"), "{nowhere}");
    for refusal in [flag, key, twice, wrong, no_pem] {
        assert!(!refusal.contains("canary"), "{refusal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_and_credentials_from_the_environment_work_and_no_log_shows_a_secret() {
    let certificate = File::new("ca.pem", "");
    let file = File::new(
        "keys.json",
        r#"{"access_keys": [
        {"access_key_id": "AKID", "secret_access_key": "canary-secret", "security_token": "canary-security"}
    ]}"#,
    );
    let mut command = program(&["--listen", "0", "--log-level", "trace"]);
    command.args(["--tls-self-signed", certificate.path(), "--credentials", file.path()]);
    command.args(["--token", "canary-three"]).env("FABRIC_TOKEN", "canary-one=p canary-two");
    let (child, endpoint) = launch(&mut command);
    assert!(endpoint.starts_with("https://127.0.0.1:"), "{endpoint}");
    let authority = std::fs::read_to_string(certificate.path()).unwrap();
    let client = |credentials: Credentials| {
        let builder = Client::builder(&endpoint).root_certificate(authority.clone());
        builder.credentials(credentials).build().unwrap()
    };
    let key = |secret: &str, token: &str| {
        Credentials::access_key("AKID", secret).unwrap().with_security_token(token).unwrap()
    };
    let token = |token: &str| Credentials::token(token).unwrap();
    let cases = [
        (token("canary-one"), None),
        (token("canary-two"), None),
        (token("canary-three"), None),
        (token("canary-unknown"), Some("APIG.1002")),
        (key("canary-secret", "canary-security"), None),
        (key("canary-wrong", "canary-security"), Some("APIG.0301")),
        (key("canary-secret", "canary-wrong"), Some("APIG.0301")),
    ];
    for (credentials, code) in cases {
        let list = ListAccessClientsQuery::default();
        let outcome = client(credentials).access_clients().list(list).await;
        let refused =
            outcome.err().map(|error| error.api_error().unwrap().code().unwrap().into_owned());
        assert_eq!(refused.as_deref(), code);
    }
    let log = tokio::task::spawn_blocking(|| stop(child)).await.unwrap();
    // The wrong signature is explained, and the rest has been logged in detail.
    assert!(log.contains("does not match what the server signs"), "{log}");
    assert!(log.contains(r"GET\n/v1/access-clients/\nlimit=10&offset=0\nhost:127.0.0.1:"), "{log}");
    assert!(log.contains("x-security-token:[redacted]"), "{log}");
    assert!(log.contains("DEBUG fabric_server::api: answered"), "{log}");
    assert!(
        log.contains("error=401 APIG.1002: Incorrect token or token resolution failed"),
        "{log}"
    );
    assert!(log.contains("credentials=4"), "{log}");
    assert!(!log.contains("canary"), "{log}");
}

#[cfg(unix)]
#[test]
fn a_signal_finishes_open_requests_and_ends_with_success() {
    let (mut child, address) = start(&["--listen", "0"]);
    let mut open = TcpStream::connect(address).unwrap();
    let bytes = raw::json("POST", "/v1/access-clients", b"{}");
    let (first, last) = bytes.split_at(bytes.len() - 1);
    open.write_all(first).unwrap();
    // The request must be under way before the signal comes.
    std::thread::sleep(Duration::from_millis(200));
    let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    std::thread::sleep(Duration::from_millis(200));
    open.write_all(last).unwrap();
    assert_eq!(raw::read(&mut open).status, 200);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("stopping"), "{log}");
}

#[test]
fn the_same_seed_gives_the_same_ids_and_the_environment_is_heard() {
    let create = || {
        let mut command = program(&["--listen", "0"]);
        let (child, endpoint) = launch(command.env("FABRIC_RNG_SEED", "7"));
        let address = endpoint.strip_prefix("http://").unwrap().parse().unwrap();
        raw::send(address, &request("GET", "/healthcheck", "", b""));
        let answer = raw::send(address, &raw::json("POST", "/v1/access-clients", b"{}"));
        stop(child);
        answer.json()["id"].clone()
    };
    assert_eq!(create(), create());
}
