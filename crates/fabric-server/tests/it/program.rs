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

pub(crate) fn start(arguments: &[&str]) -> (Child, SocketAddr) {
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
pub(crate) fn stop(mut child: Child) -> String {
    // Only a program that stops in order has written all of it.
    #[cfg(unix)]
    terminate(&child);
    #[cfg(not(unix))]
    child.kill().unwrap();
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    child.wait().unwrap();
    log
}

#[cfg(unix)]
fn terminate(child: &Child) {
    let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
}

/// Waits until the log has a line with a text.
#[cfg(unix)]
fn wait_for(child: &mut Child, text: &str) {
    let mut byte = [0];
    let mut line = Vec::new();
    // By single bytes, so that whoever reads on misses none.
    while !String::from_utf8_lossy(&line).contains(text) {
        child.stderr.as_mut().unwrap().read_exact(&mut byte).unwrap();
        if byte == *b"\n" { line.clear() } else { line.push(byte[0]) }
    }
}

/// A file of its own for a test, removed with it.
pub(crate) struct File(PathBuf);

impl File {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fabric-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
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
    assert!(fails(&["--fixtures", "/does/not/exist"]).contains("cannot read the fixtures"));
    let fixtures = File::new("seed.json", r#"[{}, {"name": 5}]"#);
    let reason = fails(&["--listen", "0", "--fixtures", fixtures.path()]);
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
        fails(&["--credentials", empty.path()])
            .ends_with("hold neither tokens nor access_keys nor users")
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
    assert!(log.contains("DEBUG fabric_server::api::routing: answered"), "{log}");
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
    let headers = "Content-Type: application/json\r\nExpect: 100-continue\r\n";
    let bytes = request("POST", "/v1/access-clients", headers, b"{}");
    let (head, body) = bytes.split_at(bytes.len() - 2);
    open.write_all(head).unwrap();
    // The server asks for the body: the request is under way.
    let mut interim = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    open.read_exact(&mut interim).unwrap();
    terminate(&child);
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(log.any(|line| line.unwrap().contains("stopping")));
    open.write_all(body).unwrap();
    assert_eq!(raw::read(&mut open).status, 200);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Makes 2,000 calls that are rejected, each of which logs a line with its path.
#[cfg(unix)]
fn be_rejected_often(address: SocketAddr, path: &str) {
    for _ in 0..2_000 {
        assert_eq!(raw::send(address, &request("GET", path, "", b"")).status, 404);
    }
}

#[cfg(unix)]
#[test]
fn a_log_that_nobody_reads_holds_up_neither_calls_nor_the_end() {
    let (mut child, address) = start(&["--listen", "0"]);
    be_rejected_often(address, &format!("/{}", "long".repeat(500)));
    assert_eq!(raw::send(address, &request("GET", "/healthcheck", "", b"")).status, 200);
    terminate(&child);
    // The log is still open, and still full.
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[test]
fn log_lines_that_are_dropped_are_counted() {
    let (mut child, address) = start(&["--listen", "0", "--log-format", "json"]);
    be_rejected_often(address, &format!("/{}", "long".repeat(500)));
    let (mut told, mut dropped) = (0, 0);
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let message = line["message"].as_str().unwrap();
        told += usize::from(message == "rejected");
        if let Some((count, _)) = message.split_once(" log lines were dropped: nobody read") {
            dropped += count.parse::<usize>().unwrap();
            // There is room again.
            terminate(&child);
        }
    }
    assert!(told > 0 && dropped > 0, "{told} {dropped}");
    assert_eq!(told + dropped, 2_000);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_same_seed_gives_the_same_ids_and_the_environment_is_heard() {
    let create = || {
        let mut command = program(&["--listen", "0"]);
        let (child, endpoint) = launch(command.env("FABRIC_SEED", "7"));
        let address = endpoint.strip_prefix("http://").unwrap().parse().unwrap();
        raw::send(address, &request("GET", "/healthcheck", "", b""));
        let answer = raw::send(address, &raw::json("POST", "/v1/access-clients", b"{}"));
        stop(child);
        answer.json()["id"].clone()
    };
    assert_eq!(create(), create());
}

fn run(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn settings_come_from_flags_then_the_environment_then_the_file() {
    let file = File::new(
        "settings.toml",
        "listen = \"127.0.0.1:1\"\nseed = 1\nquota = 1\nopen-to-all = true\ncreating-time = \"1s\"\n\
         token = [\"canary-1\", \"canary-2=mine\"]\ncontrol-token = \"canary-3\"\n",
    );
    let arguments = ["--config", file.path(), "--quota", "3", "--print-config"];
    let (status, shown, log) = run(program(&arguments)
        .env("FABRIC_QUOTA", "2")
        .env("FABRIC_SEED", "2")
        .env("FABRIC_ACCESS_KEY", "AK:canary-4"));
    assert_eq!((status, log.as_str()), (0, ""));
    for line in [
        "listen = \"127.0.0.1:1\" # --config",
        "seed = 2 # FABRIC_SEED",
        "quota = 3 # --quota",
        "open-to-all = true # --config",
        "watch-fixtures = false # default",
        "creating-time = \"1s\" # --config",
        "deleting-time = \"0s\" # default",
        "token = [\"[redacted]\", \"[redacted]\"] # --config",
        "# access-key is not set and those in FABRIC_ACCESS_KEY",
        "control-token = \"[redacted]\" # --config",
        "# rate-limit is not set",
    ] {
        assert!(shown.lines().any(|given| given == line), "{line} is not in\n{shown}");
    }
    assert!(!shown.contains("canary"));

    // And what is printed is what is done.
    let arguments = ["--config", file.path(), "--listen", "0", "--quota", "1"];
    let (child, address) = start(&arguments);
    let create = |token: &str| {
        let headers = format!("Content-Type: application/json\r\nX-Auth-Token: {token}\r\n");
        raw::send(address, &request("POST", "/v1/access-clients", &headers, b"{}")).status
    };
    assert_eq!((create("canary-2"), create("canary-2"), create("other")), (200, 429, 401));
    stop(child);

    // The environment can name the file, and what is wrong in it is said without what it holds.
    for (text, reason) in [
        ("lisen = 1", ": lisen: is no setting; there are listen, token, access-key"),
        ("quota = [1, 2]", ": quota: must be one value, not several"),
        ("quota = 1.5", ": quota: must be a string, a whole number, true or false"),
        ("quota = \"many\"", "invalid value 'many' for '--quota <N>': expected a whole number"),
        ("\ntoken = \"canary", "are no TOML, line 2: "),
        ("config = \"x\"", ": config: is no setting"),
    ] {
        let wrong = File::new("wrong.toml", text);
        let said = fails_when(program(&["--listen", "0"]).env("FABRIC_CONFIG", wrong.path()));
        assert!(said.contains(reason) && !said.contains("canary"), "{said}");
    }
    assert!(
        fails(&["--config", "/does/not/exist"])
            .contains("cannot read the settings /does/not/exist")
    );
}

#[test]
fn more_wrong_starts_are_explained_in_one_line() {
    let snapshot = File::new("cut.json", "{\"version\": 1, ");
    for (arguments, reason) in [
        (vec!["--snapshot", snapshot.path()], "is wrong: not a whole JSON object"),
        (vec!["--snapshot", "/does/not/exist"], "cannot read the snapshot"),
        (vec!["--journal", snapshot.path()], "is wrong at line 1 column "),
        (vec!["--watch-fixtures"], "--watch-fixtures needs --fixtures"),
        (
            vec!["--snapshot", snapshot.path(), "--time", "2030-01-01T00:00:00Z"],
            "leave out --time and --seed",
        ),
        (
            vec!["--journal", snapshot.path(), "--journal-limit", "0"],
            "--journal needs a --journal-limit above 0",
        ),
        (vec!["coverage", "--fail-under", "101"], "--fail-under"),
        (vec!["--rate-limit", "often"], "must be calls per time, such as 20/s"),
        (vec!["--cors-origin", "example.org"], "an origin must be like https://example.org"),
        (vec!["--control-token", " "], "--control-token: must have 1 to"),
        (vec!["--tls-cert", "/tmp/x"], "--tls-cert and --tls-key go together"),
        (
            vec!["--tls-self-signed", "/tmp/x", "--tls-key", "/tmp/y"],
            "leave out --tls-cert and --tls-key",
        ),
        (vec!["record", "--upstream", "ftp://x"], "the upstream must be like https://"),
        (vec!["record"], "required arguments were not provided: --upstream <URL>"),
        (
            vec!["record", "--upstream", "http://127.0.0.1:1", "--project", "a b"],
            "--project must have 1 to 64",
        ),
        (
            vec!["record", "--upstream", "http://127.0.0.1:1", "--out", "/dev/null/x"],
            "cannot make the directory",
        ),
        (
            vec!["coverage", "--endpoint", "http://127.0.0.1:1"],
            "no answer from http://127.0.0.1:1: ",
        ),
        (
            vec!["coverage", "--endpoint", "127.0.0.1:1"],
            "--endpoint must be like http://127.0.0.1:8080",
        ),
        (vec!["--creating-time", "soon"], "expected a duration such as 500ms or 2s"),
        (vec!["--time", "soon"], "expected a time such as 2025-09-15T08:30:00Z"),
        (vec!["serve"], "unrecognized subcommand 'serve'"),
    ] {
        let mut arguments = arguments;
        if arguments[0].starts_with("--") {
            arguments.extend(["--listen", "0"]);
        }
        let said = fails(&arguments);
        assert!(said.contains(reason), "{arguments:?}: {said}");
    }
}

#[test]
fn a_server_is_asked_for_its_health_and_its_coverage() {
    let (child, address) = start(&["--listen", "0", "--control-token", "control"]);
    let endpoint = format!("http://{address}");
    let healthy = run(&mut program(&["healthcheck", "--endpoint", &endpoint]));
    assert_eq!((healthy.0, healthy.1.as_str()), (0, "ready\n"));
    // Without a flag, where a server listens that was started in the same environment.
    let port = format!("0.0.0.0:{}", address.port());
    assert_eq!(run(program(&["healthcheck"]).env("FABRIC_LISTEN", port)).0, 0);
    raw::send(address, &request("GET", "/v1/access-clients/none", "", b""));
    let coverage = |arguments: &[&str]| {
        let mut command = program(&["coverage", "--endpoint", &endpoint]);
        run(command.args(arguments).env("FABRIC_CONTROL_TOKEN", "control"))
    };
    let (status, text, _) = coverage(&[]);
    assert_eq!(status, 0);
    assert!(text.contains("ShowAccessClient\n     never  200\n"), "{text}");
    let documented =
        fabric_model::operations().iter().map(|of| 1 + of.failures.len()).sum::<usize>();
    assert!(text.contains(&format!("\n1 of {documented} documented answers met, ")), "{text}");
    assert_eq!(coverage(&["--fail-under", "0", "--need", "404"]).0, 0);
    let (status, _, log) = coverage(&["--fail-under", "50", "--need", "408"]);
    assert_eq!(status, 1);
    assert!(log.contains("no caller ever met a 408") && log.contains("wanted are 50 %"), "{log}");
    let (_, json, _) = coverage(&["--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["total"], documented);
    let refused = run(&mut program(&["coverage", "--endpoint", &endpoint]));
    assert!(
        refused.0 == 2
            && refused.2.contains("401 Unauthorized")
            && refused.2.contains("--control-token"),
        "{}",
        refused.2
    );
    stop(child);
    let ill = run(&mut program(&["healthcheck", "--endpoint", &endpoint]));
    assert!(ill.0 == 1 && ill.1.contains("no answer from"), "{ill:?}");
    let script = run(&mut program(&["completions", "bash"])).1;
    assert!(script.contains("--fail-under") && script.contains("_fabric__server"));
}

#[test]
fn who_asks_a_hostile_server_reads_little_follows_nothing_and_prints_it_plainly() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (answers, coming) = std::sync::mpsc::channel::<(String, usize)>();
    std::thread::spawn(move || {
        for ((head, more), stream) in coming.iter().zip(listener.incoming()) {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            for _ in 0..more {
                if stream.write_all(&vec![b'x'; 64 * 1024]).is_err() {
                    break;
                }
            }
        }
    });
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let body = |body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let hostile = "a\u{1b}[31m\u{9b}2J\u{202e}\nb";
    let coverage = format!(
        r#"{{"covered":0,"total":1,"percent":0.0,"operations":[{{"operation":{hostile:?},
            "answers":[{{"status":404,"error_code":{hostile:?},"is_documented":true,"calls":1}}]}}]}}"#
    )
    .replace("\\u{1b}", "\\u001b")
    .replace("\\u{9b}", "\\u009b")
    .replace("\\u{202e}", "\\u202e");
    let endless = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_owned();
    let redirect = format!(
        "HTTP/1.1 302 Found\r\nlocation: http://{}/\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        elsewhere.local_addr().unwrap()
    );
    for (head, more, arguments, status, says) in [
        (body(hostile), 0, &["healthcheck"][..], 0, "a\u{fffd}[31m\u{fffd}2J\u{fffd}\u{fffd}b\n"),
        (body(&"y".repeat(100_000)), 0, &["healthcheck"], 0, "yyy"),
        (endless.clone(), 10_000, &["healthcheck"], 1, "more than 1048576 bytes"),
        (endless, 10_000, &["coverage"], 2, "more than 1048576 bytes"),
        (redirect.clone(), 0, &["healthcheck"], 1, "302 Found"),
        (redirect, 0, &["coverage"], 2, "302 Found"),
        (body(hostile), 0, &["coverage"], 2, "no mock server"),
        (body(&coverage), 0, &["coverage"], 0, "a\u{fffd}[31m\u{fffd}2J\u{fffd}\u{fffd}b\n"),
        (body(&coverage), 0, &["coverage", "--json"], 0, r"a\u001b[31m\u009b2J\u202e\nb"),
    ] {
        answers.send((head, more)).unwrap();
        let (ended, output, log) =
            run(program(arguments).args(["--endpoint", &endpoint, "--timeout", "1m"]));
        assert_eq!(ended, status, "{arguments:?}: {output:?} {log:?}");
        let said = [output, log].concat();
        assert!(said.contains(says) && said.len() < 1000, "{arguments:?}: {said:?}");
        let obeyed = |it: char| it != '\n' && fabric_model::charset::steers(it);
        assert!(!said.contains(obeyed), "{arguments:?}: {said:?}");
    }
    assert!(elsewhere.accept().is_err(), "a redirection was followed");
}

#[cfg(unix)]
#[test]
fn fixtures_are_read_again_when_asked_or_when_they_change() {
    let fixtures = File::new("changing.json", r#"[{"name": "first"}]"#);
    let (mut child, address) = start(&["--listen", "0", "--fixtures", fixtures.path()]);
    let names = || {
        let answer = raw::send(address, &request("GET", "/v1/access-clients", "", b"")).json();
        let infos = answer["access_client_infos"].as_array().unwrap().clone();
        infos.iter().map(|found| found["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let becomes = |wanted: &str| {
        while names() != [wanted] {
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    becomes("first");
    std::fs::write(fixtures.path(), r#"[{"name": "second"}]"#).unwrap();
    assert_eq!(names(), ["first"], "nobody asked");
    let id = child.id().to_string();
    let hangup = || Command::new("kill").args(["-HUP", &id]).status().unwrap();
    hangup();
    becomes("second");
    std::fs::write(fixtures.path(), "[{").unwrap();
    hangup();
    wait_for(&mut child, "nothing changes: the fixtures");
    assert_eq!(names(), ["second"]);
    stop(child);

    let (mut child, address) = start(&["--listen", "0"]);
    let create = || raw::send(address, &raw::json("POST", "/v1/access-clients", b"{}"));
    create();
    Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap();
    wait_for(&mut child, "there are no --fixtures to read again");
    let total =
        raw::send(address, &request("GET", "/v1/access-clients", "", b"")).json()["total"].clone();
    assert_eq!(total, 1);
    stop(child);

    std::fs::write(fixtures.path(), r#"[{"name": "first"}]"#).unwrap();
    let (child, address) =
        start(&["--listen", "0", "--fixtures", fixtures.path(), "--watch-fixtures"]);
    let watched = || {
        raw::send(address, &request("GET", "/v1/access-clients?name=third", "", b"")).json()["total"]
            == 1
    };
    assert!(!watched());
    std::fs::write(fixtures.path(), r#"[{"name": "third"}]"#).unwrap();
    while !watched() {
        std::thread::sleep(Duration::from_millis(20));
    }
    stop(child);
}

#[test]
fn what_a_real_endpoint_does_is_recorded_and_played() {
    let (upstream, real) =
        start(&["--listen", "0", "--token", "canary=theirs", "--creating-time", "1h"]);
    let endpoint = format!("http://{real}");
    let out = std::env::temp_dir().join(format!("fabric-{}-recording", std::process::id()));
    let out_path = out.to_str().unwrap();
    let (recorder, address) =
        start(&["record", "--upstream", &endpoint, "--listen", "0", "--out", out_path]);
    let call = |address: SocketAddr, method: &str, target: &str, body: &[u8]| {
        let headers = "Content-Type: application/json\r\nX-Auth-Token: canary\r\n";
        raw::send(address, &request(method, target, headers, body))
    };
    let create = |name: &str| {
        let answer = call(
            address,
            "POST",
            "/v1/access-clients",
            format!(r#"{{"name":"{name}"}}"#).as_bytes(),
        );
        assert!(answer.header("x-request-id").is_some());
        answer.json()["id"].as_str().unwrap().to_owned()
    };
    let (first, second) = (create("first"), create("second"));
    let target = |id: &str| format!("/v1/access-clients/{id}");
    assert_eq!(call(address, "PUT", &target(&first), br#"{"name":"renamed"}"#).status, 200);
    assert_eq!(call(address, "DELETE", &target(&second), b"").status, 200);
    let here = call(address, "GET", "/v1/access-clients", b"");
    assert_eq!(here.body, call(real, "GET", "/v1/access-clients", b"").body);
    assert_eq!(call(address, "GET", &target("none"), b"").status, 404);
    assert_eq!(raw::send(address, &request("GET", "/v1/access-clients", "", b"")).status, 401);
    // What is for a mock stays here.
    let for_a_mock = "X-Auth-Token: canary\r\nX-Mock-Token: control\r\nX-Mock-Fault: 500\r\n";
    let passed = raw::send(address, &request("GET", &target("last"), for_a_mock, b""));
    assert_eq!(passed.status, 404);
    let seen = raw::send(real, &request("GET", "/_mock/v1/journal?limit=1", "", b"")).json();
    let headers = seen["entries"][0]["headers"].as_object().unwrap();
    assert!(!headers.keys().any(|name| name.starts_with("x-mock-")), "{headers:?}");
    Command::new("kill").arg(recorder.id().to_string()).status().unwrap();
    let ended = recorder.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    stop(upstream);
    let again = fails(&["record", "--upstream", &endpoint, "--listen", "0", "--out", out_path]);
    assert!(again.contains("has a recording already"), "{again}");
    let [snapshot, journal] = ["snapshot.json", "journal.json"].map(|name| out.join(name));
    for file in [&snapshot, &journal] {
        assert!(!std::fs::read_to_string(file).unwrap().contains("canary"), "{}", file.display());
    }
    let (mock, address) = start(&[
        "--listen",
        "0",
        "--snapshot",
        snapshot.to_str().unwrap(),
        "--journal",
        journal.to_str().unwrap(),
    ]);
    let mut list = raw::send(address, &request("GET", "/v1/access-clients", "", b"")).json();
    let mut seen = here.json();
    // How long it would still have been CREATING nobody can know.
    for page in [&mut list, &mut seen] {
        page["access_client_infos"][0]["status"].take();
    }
    assert_eq!(list, seen);
    let calls = raw::send(address, &request("GET", "/_mock/v1/journal", "", b"")).json();
    let operations: Vec<_> = calls["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["operation"].as_str().unwrap())
        .collect();
    let list = "ListVpcepClient";
    let (update, delete, create) =
        ("UpdateAccessClientInfo", "DeleteVpcepClient", "CreateAccessClientInfo");
    let show = "ShowAccessClient";
    assert_eq!(operations, [list, show, list, show, list, delete, update, create, create]);
    stop(mock);
    std::fs::remove_dir_all(out).unwrap();
}

#[test]
fn a_recorder_with_credentials_calls_for_nobody_elses_page() {
    let (upstream, real) =
        start(&["--listen", "0", "--access-key", "AKIDEXAMPLE:the-secret=theirs"]);
    let endpoint = format!("http://{real}");
    let out = std::env::temp_dir().join(format!("fabric-{}-signed", std::process::id()));
    let arguments =
        ["record", "--upstream", &endpoint, "--listen", "0", "--out", out.to_str().unwrap()];
    let (recorder, endpoint) =
        launch(program(&arguments).env("FABRIC_UPSTREAM_ACCESS_KEY", "AKIDEXAMPLE:the-secret"));
    let address: SocketAddr = endpoint.strip_prefix("http://").unwrap().parse().unwrap();
    let create = |headers: &str| {
        let headers =
            format!("Content-Type: application/json\r\nX-Auth-Token: ignored\r\n{headers}");
        raw::send(address, &request("POST", "/v1/access-clients", &headers, b"{}")).status
    };
    assert_eq!(create(""), 200);
    assert_eq!(create("Origin: https://elsewhere.example.org\r\n"), 403);
    stop(recorder);
    stop(upstream);
    std::fs::remove_dir_all(out).unwrap();
}

#[test]
fn a_recorder_learns_only_from_answers_of_operations() {
    // A real endpoint whose health has an id, as has each of its workspaces.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let real = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = String::new();
            BufReader::new(&stream).read_line(&mut head).unwrap();
            let thing = r#"{"id":"w-1","name":"thing"}"#;
            let body = match head.split(' ').nth(1).unwrap() {
                "/v1/workspaces" => format!(r#"{{"workspaces":[{thing}],"total":1}}"#),
                _ => thing.to_owned(),
            };
            let length = body.len();
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n";
            write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").unwrap();
        }
    });
    let out = std::env::temp_dir().join(format!("fabric-{}-learned", std::process::id()));
    let endpoint = format!("http://{real}");
    let arguments = ["record", "--upstream", &endpoint, "--listen", "0", "--out"];
    let (recorder, address) = start(&[&arguments[..], &[out.to_str().unwrap()]].concat());
    for target in ["/healthcheck", "/v1/pots/w-1", "/v1/workspaces"] {
        assert_eq!(raw::send(address, &request("GET", target, "", b"")).status, 200);
    }
    let records = |resource: &str| {
        let target = format!("/_mock/v1/projects/default/{resource}");
        raw::send(address, &request("GET", &target, "", b"")).json()["records"].clone()
    };
    assert_eq!(records("access-clients"), serde_json::json!([]));
    assert_eq!(records("workspaces")[0]["name"], "thing");
    stop(recorder);
    std::fs::remove_dir_all(out).unwrap();
}

#[test]
fn a_recorder_learns_jobs_with_their_versions() {
    let (upstream, real) = start(&["--listen", "0"]);
    let out = std::env::temp_dir().join(format!("fabric-{}-jobs", std::process::id()));
    let endpoint = format!("http://{real}");
    let arguments = ["record", "--upstream", &endpoint, "--listen", "0", "--out"];
    let (recorder, address) = start(&[&arguments[..], &[out.to_str().unwrap()]].concat());
    let call = |method: &str, target: &str, body: serde_json::Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = raw::send(address, &raw::json(method, target, body.as_bytes()));
        assert!((200..300).contains(&answer.status), "{method} {target}: {answer:?}");
        if answer.body.is_empty() { serde_json::Value::Null } else { answer.json() }
    };
    let id = |answer: &serde_json::Value, name: &str| answer[name].as_str().unwrap().to_owned();
    let version = |name: &str| serde_json::json!({ "name": name, "config": { "queue": false } });

    let workspace = call("POST", "/v1/workspaces", serde_json::json!({ "name": "fabric" }));
    let jobs = format!("/v1/workspaces/{}/jobs", id(&workspace, "id"));
    let job = |name: &str| serde_json::json!({ "name": name, "type": "SPARK_JOB", "version": version("v1") });
    let created = call("POST", &jobs, job("nightly"));
    let one = format!("{jobs}/{}", id(&created, "id"));
    let other = call("POST", &jobs, job("hourly"));
    let added =
        call("PUT", &one, serde_json::json!({ "name": "weekly", "version": version("v2") }));
    // What the mock would answer of both, but for times, which the answers to these calls do not have.
    let known = |address: SocketAddr, resource: &str| {
        let target = format!("/_mock/v1/projects/default/{resource}");
        let mut json = raw::send(address, &request("GET", &target, "", b"")).json();
        for record in json["records"].as_array_mut().unwrap() {
            for time in ["create_time", "update_time"] {
                record.as_object_mut().unwrap().remove(time);
            }
        }
        json["records"].as_array_mut().unwrap().sort_by_key(|record| id(record, "id"));
        json
    };
    let check = |versions: usize| {
        for resource in ["jobs", "job-versions"] {
            assert_eq!(known(address, resource), known(real, resource), "{resource}");
        }
        assert_eq!(known(address, "job-versions")["total"], versions);
    };
    check(3);
    let first = id(&created, "version_id");
    call("PUT", &one, serde_json::json!({ "current_version_id": first }));
    check(3);
    call(
        "DELETE",
        &format!("{one}/versions/{}", id(&added, "version_id")),
        serde_json::Value::Null,
    );
    check(2);
    call("DELETE", &format!("{jobs}/{}", id(&other, "id")), serde_json::Value::Null);
    check(1);
    // Who comes later learns the same from lists.
    let again = std::env::temp_dir().join(format!("fabric-{}-jobs-again", std::process::id()));
    let (late, address) = start(&[&arguments[..], &[again.to_str().unwrap()]].concat());
    let list = raw::send(address, &request("GET", &jobs, "", b""));
    assert_eq!(list.json()["jobs"][0]["current_version"]["name"], "v1");
    for resource in ["jobs", "job-versions"] {
        assert_eq!(known(address, resource), known(real, resource), "{resource}");
    }
    stop(late);
    stop(recorder);
    stop(upstream);
    for folder in [out, again] {
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn a_recorder_learns_models_message_policies_the_agency_and_agreements() {
    use serde_json::{Value, json};

    let (upstream, real) = start(&["--listen", "0"]);
    let out = std::env::temp_dir().join(format!("fabric-{}-models", std::process::id()));
    let endpoint = format!("http://{real}");
    let arguments = ["record", "--upstream", &endpoint, "--listen", "0", "--out"];
    let (recorder, recording) = start(&[&arguments[..], &[out.to_str().unwrap()]].concat());
    let call = |address: SocketAddr, method: &str, target: &str, body: Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = raw::send(address, &raw::json(method, target, body.as_bytes()));
        assert!((200..300).contains(&answer.status), "{method} {target}: {answer:?}");
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    };
    // What the mock would answer, but for times, which the answers to these calls do not have.
    let known = |address: SocketAddr, resource: &str| {
        let target = format!("/_mock/v1/projects/default/{resource}");
        let mut json = raw::send(address, &request("GET", &target, "", b"")).json();
        let records = json["records"].as_array_mut().unwrap();
        for record in records.iter_mut().filter_map(Value::as_object_mut) {
            record.retain(|name, _| !["create_time", "update_time"].contains(&name.as_str()));
        }
        records.sort_by_key(Value::to_string);
        json
    };
    let check = |recording: SocketAddr, totals: [usize; 5]| {
        let resources = ["models", "model-versions", "message-policies", "agencies", "agreements"];
        for (resource, total) in resources.into_iter().zip(totals) {
            let learned = known(recording, resource);
            assert_eq!(learned, known(real, resource), "{resource}");
            assert_eq!(learned["total"], total, "{resource}");
        }
    };
    let learn = |method: &str, target: &str, body: Value| call(recording, method, target, body);

    let workspace = learn("POST", "/v1/workspaces", json!({ "name": "fabric" }));
    let workspace = format!("/v1/workspaces/{}", workspace["id"].as_str().unwrap());
    let (models, messages) = (format!("{workspace}/models"), format!("{workspace}/messages"));
    let version = |name: &str| json!({ "name": name });
    let model = json!({ "name": "chat", "type": "LLM_MODEL", "version": version("v1") });
    let created = learn("POST", &models, model.clone());
    let one = format!("{models}/{}", created["id"].as_str().unwrap());
    let other = learn("POST", &models, model);
    let policy = json!({
        "message_type": "job", "name_pattern": "*", "notification_types": ["FAILED"],
        "topic_urn": "urn:smn:topic",
    });
    let policies = json!({ "message_notification_policy_list": [policy] });
    let policy = learn("POST", &messages, policies.clone());
    learn("POST", "/v1/agency", json!({ "policy_types": ["FABRIC_SMN_POLICY"] }));
    let agreement = json!({ "agreement_name": "terms", "agreement_version": "v1" });
    learn("POST", "/v1/agreement", json!({ "agreements": [agreement] }));
    check(recording, [2, 2, 1, 1, 1]);
    learn("PUT", &one, json!({ "name": "talk", "version": version("v2") }));
    let first = created["version_id"].as_str().unwrap();
    learn("DELETE", &format!("{one}/versions/{first}"), Value::Null);
    learn("DELETE", &format!("{models}/{}", other["id"].as_str().unwrap()), Value::Null);
    learn("DELETE", &format!("{messages}/{}", policy["id"].as_str().unwrap()), Value::Null);
    learn("DELETE", "/v1/agency?policy_type=FABRIC_SMN_POLICY", Value::Null);
    check(recording, [1, 1, 0, 1, 1]);

    // Who comes later learns the same from lists, also of policies that the answer to a create lacks.
    learn(
        "POST",
        &messages,
        json!({ "message_notification_policy_list": [
        policies["message_notification_policy_list"][0],
        policies["message_notification_policy_list"][0],
    ] }),
    );
    let again = std::env::temp_dir().join(format!("fabric-{}-models-again", std::process::id()));
    let (late, listing) = start(&[&arguments[..], &[again.to_str().unwrap()]].concat());
    for target in [&models, &messages, "/v1/agency", "/v1/agreement"] {
        call(listing, "GET", target, Value::Null);
    }
    check(listing, [1, 1, 2, 1, 1]);
    learn("DELETE", "/v1/agency", Value::Null);
    learn("DELETE", "/v1/agreement", Value::Null);
    learn("GET", &messages, Value::Null);
    check(recording, [1, 1, 2, 0, 0]);
    // An agreement that was revoked elsewhere is not in the list; an agency is answered also where there is none.
    call(listing, "GET", "/v1/agreement", Value::Null);
    assert_eq!(known(listing, "agreements")["total"], 0);
    call(listing, "GET", "/v1/agency", Value::Null);
    assert_eq!(known(listing, "agencies")["total"], 0);
    stop(late);
    stop(recorder);
    stop(upstream);
    for folder in [out, again] {
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn a_file_after_seed_is_answered_with_a_hint() {
    let said = fails(&["--seed", "fixtures.json"]);
    assert!(said.contains("--seed <N>") && said.contains("goes after --fixtures"), "{said}");
    let said = fails_when(program(&["--listen", "0"]).env("FABRIC_SEED", "fixtures.json"));
    assert!(said.contains("FABRIC_FIXTURES"), "{said}");
}
