//! The command against the mock server: what it prints, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "certificates are made by the system's clock")]

mod readme;
mod resources;
mod sign_in;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use fabric_client::model::access_client::AccessClientCreate;
use fabric_server::{Credential, MockServer, Settings, Tls};

/// What the command printed on both outputs, and its status.
#[derive(Debug)]
struct Ended {
    output: String,
    complaint: String,
    status: i32,
}

/// Runs the command with these arguments and variables, and no others that it would look at.
async fn fabric(endpoint: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    fabric_reading("", endpoint, arguments, variables).await
}

/// The same, with a text on standard input.
async fn fabric_reading(
    input: &str,
    endpoint: &str,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Ended {
    run(input, &[&["--endpoint", endpoint], arguments].concat(), variables).await
}

/// The same, wherever the service is.
async fn run(input: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fabric"));
    command.args(arguments).env_clear();
    command.env("HOME", "/does/not/exist").envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    // The server runs in this process, so it must not be held up.
    let ending = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        // A command that reads nothing may have ended already.
        child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        child.wait_with_output().unwrap()
    });
    let output = ending.await.unwrap();
    Ended {
        output: String::from_utf8(output.stdout).unwrap(),
        complaint: String::from_utf8(output.stderr).unwrap(),
        status: output.status.code().unwrap(),
    }
}

async fn server(creating_time: Duration) -> MockServer {
    let credentials = vec![
        Credential::parse_token("a-token").unwrap(),
        Credential::parse_access_key("AKID:the-secret").unwrap(),
    ];
    let settings = Settings { credentials, creating_time, ..Settings::default() };
    MockServer::start_with(settings).await.unwrap()
}

const TOKEN: (&str, &str) = ("FABRIC_AUTH_TOKEN", "a-token");

#[tokio::test(flavor = "multi_thread")]
async fn an_access_client_from_its_creation_to_its_end() {
    let server = server(Duration::from_millis(1_200)).await;
    let run = async |arguments: &[&str]| {
        let ended = fabric(server.endpoint(), arguments, &[TOKEN]).await;
        assert_eq!(ended.status, 0, "{arguments:?}: {}", ended.complaint);
        let is_created = ended.complaint.starts_with("created ");
        assert_eq!(is_created, arguments.contains(&"create"), "{}", ended.complaint);
        ended.output
    };
    assert_eq!(run(&["health"]).await, "the service is up\n");
    assert_eq!(run(&["access-clients", "list"]).await, "no access clients\n");
    let create = ["ac", "create", "--name", "analytics-1", "--subnet-id", "s-1", "--wait"];
    let connection = ["--connection", "domain=x.example,vpcep_id=e-1", "--output", "json"];
    let created = run(&[&create[..], &connection].concat()).await;
    let created: serde_json::Value = serde_json::from_str(&created).unwrap();
    assert_eq!(created["status"], "RUNNING");
    assert_eq!(created["access_connections"][0]["vpcep_id"], "e-1");
    let id = created["id"].as_str().unwrap();
    let renamed = run(&["ac", "update", id, "--name", "zzh_客户端"]).await;
    assert_eq!(renamed, format!("{id} is now named zzh_客户端\n"));
    let table = run(&["ac", "list", "--name", "zzh_"]).await;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("ID ") && lines.len() == 2, "{table}");
    assert!(lines[1].starts_with(id) && lines[1].contains("zzh_客户端  RUNNING"), "{table}");
    let shown = run(&["ac", "show", id]).await;
    assert!(
        shown.contains("\nsubnet ids  s-1\nconnection  e-1\n            x.example\n"),
        "{shown}"
    );
    assert!(run(&["ac", "wait", id]).await.contains("RUNNING"));
    assert_eq!(run(&["ac", "delete", id, "--wait"]).await, format!("{id} is deleted\n"));
    assert_eq!(run(&["ac", "wait", id, "--for", "deleted"]).await, format!("{id} is deleted\n"));
    assert!(run(&["completions", "bash"]).await.contains("_fabric()"));
}

/// Endpoint, arguments and variables; the status that is expected, and a part of the complaint.
type Case<'a> = (&'a str, &'a [&'a str], &'a [(&'a str, &'a str)], i32, &'a str);

#[tokio::test(flavor = "multi_thread")]
async fn failures_have_a_reason_a_hint_and_a_status() {
    let server = server(Duration::from_hours(1)).await;
    let token = [TOKEN];
    let wrong = [("FABRIC_AUTH_TOKEN", "canary")];
    let id = fabric(server.endpoint(), &["ac", "create", "-o", "json"], &token).await.output;
    let id = id.split('"').skip_while(|text| *text != "id").nth(2).unwrap().to_owned();
    let closed = "http://127.0.0.1:9";
    let here = server.endpoint();
    let cases: [Case<'_>; 17] = [
        (here, &["ac", "list"], &[], 4, "set FABRIC_AUTH_TOKEN, or HUAWEICLOUD_SDK_AK"),
        (here, &["ac", "list", "--anonymous"], &[], 4, "rejected: 401 APIG.1002: Incorrect token"),
        (here, &["ac", "list"], &wrong, 4, "is not known, or has expired"),
        (here, &["ac", "show", "unknown"], &token, 3, "`fabric access-clients list` shows"),
        (here, &["ac", "show", "a_b"], &token, 2, "must have 1 to 64 letters, digits or hyphens"),
        (here, &["ac", "create", "--name", "x"], &token, 2, "name: must have 4 to 32 characters"),
        (here, &["ac", "wait", &id, "--at-most", "0s"], &token, 7, "is not there yet after"),
        (closed, &["health"], &[], 5, "Connection refused"),
        (closed, &["ac", "list"], &token, 5, "can this machine reach it?"),
        (
            closed,
            &["ac", "create", "--name", "analytics-1"],
            &token,
            5,
            "nothing was created, since",
        ),
        (closed, &["ac", "wait", &id, "--at-most", "0s"], &token, 5, "Connection refused"),
        (closed, &["workspaces", "create", "--name", "research"], &token, 5, "Connection refused"),
        (here, &["workspaces", "delete", "unknown"], &token, 3, "`fabric workspaces list` shows"),
        (here, &["workspaces", "create", "--name", "x"], &token, 2, "name: must have 4 to 32"),
        (here, &["workspaces", "create"], &token, 2, "--name <TEXT>"),
        (
            here,
            &["ac", "create", "--connection", "x=1"],
            &token,
            2,
            "the fields are domain, vpcep_id",
        ),
        ("http://fabric.example", &["health"], &[], 2, "use https, or allow_plain_http"),
    ];
    for (endpoint, arguments, variables, status, expected) in cases {
        let ended = fabric(endpoint, arguments, variables).await;
        assert_eq!(ended.status, status, "{arguments:?}: {ended:?}");
        assert!(ended.complaint.contains(expected), "{arguments:?}: {}", ended.complaint);
        assert!(ended.output.is_empty() && !ended.complaint.contains("canary"), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_create_need_not_be_allowed_to_list() {
    let token = Credential::token("a-creator").unwrap();
    let credentials = vec![token.allowing(["DataArtsFabric::createAccessClient"]).unwrap()];
    let settings = Settings { credentials, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let variables = [("FABRIC_AUTH_TOKEN", "a-creator")];
    let created = fabric(server.endpoint(), &["ac", "create", "--name", "mine"], &variables).await;
    assert_eq!(created.status, 0, "{created:?}");
    assert_eq!(fabric(server.endpoint(), &["ac", "list"], &variables).await.status, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_does_not_steer_the_terminal() {
    let server = MockServer::start().await;
    let run = async |arguments: &[&str]| {
        let ended = fabric(server.endpoint(), &[&["--anonymous"], arguments].concat(), &[]).await;
        assert_eq!(ended.status, 0, "{ended:?}");
        ended.output
    };
    let created = run(&["ac", "create", "--output", "json"]).await;
    let created: serde_json::Value = serde_json::from_str(&created).unwrap();
    let id = created["id"].as_str().unwrap();
    let name = "red\u{1b}[31m\u{9b}2J\u{7}";
    let said = run(&["ac", "update", id, "--name", name]).await;
    for output in [said, run(&["ac", "list"]).await, run(&["ac", "show", id]).await] {
        assert!(output.contains("red\u{fffd}[31m"), "{output:?}");
        assert!(!output.contains(|it: char| it.is_control() && it != '\n'), "{output:?}");
    }
    // A program gets the name as it is, though escaped.
    for arguments in [&["ac", "show", id, "--output", "json"][..], &["ac", "list", "-o", "json"]] {
        let shown = run(arguments).await;
        assert!(!shown.trim_end().contains(char::is_control), "{shown:?}");
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown.get(0).unwrap_or(&shown)["name"], name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_fakes_no_row_and_turns_no_line_round() {
    let server = MockServer::start().await;
    let run = async |arguments: &[&str]| {
        let ended = fabric(server.endpoint(), &[&["--anonymous"], arguments].concat(), &[]).await;
        assert_eq!(ended.status, 0, "{ended:?}");
        ended.output
    };
    let created = run(&["ac", "create", "--output", "json"]).await;
    let created: serde_json::Value = serde_json::from_str(&created).unwrap();
    let id = created["id"].as_str().unwrap();
    let rows = run(&["ac", "list"]).await.lines().count();
    let fields = run(&["ac", "show", id]).await.lines().count();
    let turning =
        ["\u{61c}", "\u{200e}", "\u{200f}", "\u{202a}", "\u{202e}", "\u{2066}", "\u{2069}"];
    for ends in [&["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"][..], &turning].concat() {
        let name = format!("a{ends}faked  RUNNING");
        let said = run(&["ac", "update", id, "--name", &name]).await;
        let (listed, shown) = (run(&["ac", "list"]).await, run(&["ac", "show", id]).await);
        assert_eq!((said.lines().count(), listed.lines().count()), (1, rows), "{listed:?}");
        assert_eq!(shown.lines().count(), fields, "{shown:?}");
        for output in [said, listed, shown] {
            assert!(output.contains("a\u{fffd}faked"), "{output:?}");
            assert!(ends == "\n" || !output.contains(ends), "{output:?}");
        }
        let shown = run(&["ac", "show", id, "--output", "json"]).await;
        assert!(ends == "\n" || !shown.contains(ends), "{shown:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap()["name"], name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_beats_the_environment() {
    let server = server(Duration::ZERO).await;
    let elsewhere = [TOKEN, ("FABRIC_ENDPOINT", "http://127.0.0.1:9"), ("FABRIC_REGION", "x")];
    assert_eq!(fabric(server.endpoint(), &["ac", "list"], &elsewhere).await.status, 0);
    let both = fabric(server.endpoint(), &["ac", "list", "--region", "x"], &[TOKEN]).await;
    assert_eq!(both.status, 2, "{both:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_sign_and_certificates_are_trusted() {
    let settings = Settings {
        credentials: vec![Credential::parse_access_key("AKID:the-secret").unwrap()],
        tls: Some(Tls::self_signed(&[], std::time::SystemTime::now()).unwrap()),
        ..Settings::default()
    };
    let server = MockServer::start_with(settings).await.unwrap();
    let path = std::env::temp_dir().join(format!("fabric-cli-{}.pem", std::process::id()));
    std::fs::write(&path, server.certificate_authority().unwrap()).unwrap();
    let certificate = path.to_str().unwrap();
    let key = [("HUAWEICLOUD_SDK_AK", "AKID"), ("HUAWEICLOUD_SDK_SK", "the-secret")];
    let list = ["ac", "list", "--ca-cert", certificate];
    let ended = fabric(server.endpoint(), &list, &key).await;
    let stranger = fabric(server.endpoint(), &["ac", "list"], &key).await;
    std::fs::remove_file(&path).unwrap();
    assert_eq!((ended.status, ended.output.as_str()), (0, "no access clients\n"), "{ended:?}");
    assert_eq!(stranger.status, 5, "{stranger:?}");
    assert!(stranger.complaint.contains("--ca-cert trusts another"), "{stranger:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_has_its_verbs_from_the_list_of_operations() {
    let server = server(Duration::ZERO).await;
    let run = async |input: &'static str, arguments: &[&str]| {
        let ended = fabric_reading(input, server.endpoint(), arguments, &[TOKEN]).await;
        assert_eq!(ended.status, 0, "{arguments:?}: {}", ended.complaint);
        ended.output
    };
    assert_eq!(run("", &["workspaces", "list"]).await, "no workspaces\n");
    let create = ["workspaces", "create", "--name", "research", "--description", "Trials, new"];
    let created = run("", &[&create[..], &["-o", "json"]].concat()).await;
    let created: serde_json::Value = serde_json::from_str(&created).unwrap();
    assert_eq!(
        (&created["name"], &created["description"]),
        (&"research".into(), &"Trials, new".into())
    );
    let id = created["id"].as_str().unwrap();
    let updated = run("", &["workspaces", "update", id, "--description", "old"]).await;
    assert!(updated.starts_with(&format!("id                     {id}\nname  ")), "{updated}");
    assert!(updated.contains("\ndescription            old\n"), "{updated}");
    // A flag replaces a field of --json.
    let update = ["workspaces", "update", id, "--json", "-", "--description", "flag"];
    let updated = run(r#"{"name": "whole-body", "description": "file"}"#, &update).await;
    assert!(updated.contains("whole-body\n") && updated.contains(" flag\n"), "{updated}");
    let listed = run("", &["workspaces", "list", "--name", "whole"]).await;
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[0].starts_with("ID ") && lines[0].ends_with("CREATED"), "{listed}");
    assert!(lines[1].starts_with(&format!("{id}  whole-body  flag  ")), "{listed}");
    assert_eq!(run("", &["workspaces", "list", "--name", "other"]).await, "no workspaces\n");
    assert_eq!(run("", &["workspaces", "delete", id]).await, "done\n");
    let features = run("", &["features", "list"]).await;
    assert!(features.starts_with("KEY ") && features.lines().count() > 2, "{features}");
    assert_eq!(run("", &["features", "list", "--most", "1"]).await.lines().count(), 2);
    assert_eq!(run("", &["service", "show"]).await, "done\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_has_all_pages_unless_most_says_less() {
    let server = server(Duration::ZERO).await;
    let client = fabric_client::Client::builder(server.endpoint()).auth_token("a-token");
    let client = client.build().unwrap();
    for _ in 0..101 {
        client.access_clients().create(AccessClientCreate::default()).await.unwrap();
    }
    for (most, expected) in [(None, 101), (Some("3"), 3), (Some("101"), 101), (Some("500"), 101)] {
        let flag = most.map(|most| ["--most", most]).into_iter().flatten();
        let arguments: Vec<&str> = ["ac", "list", "-o", "json"].into_iter().chain(flag).collect();
        let ended = fabric(server.endpoint(), &arguments, &[TOKEN]).await;
        let listed: Vec<serde_json::Value> = serde_json::from_str(&ended.output).unwrap();
        assert_eq!(listed.len(), expected, "{most:?}");
    }
    let none = fabric(server.endpoint(), &["ac", "list", "--most", "0"], &[TOKEN]).await;
    assert!(none.status == 2 && none.complaint.contains("whole number from 1"), "{none:?}");
}
