//! The examples, run against the mock server as a reader would run them.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use fabric_client::Client;
use fabric_client::model::access_client::AccessClientCreate;
use fabric_server::{Credential, MockServer, Settings};

/// The program of an example. `cargo test` builds them; with less than that they are built here.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples").join(name);
    if !program.exists() {
        let mut cargo = Command::new(env!("CARGO"));
        let status = cargo.args(["build", "--package", "fabric-client", "--examples"]).status();
        assert!(status.unwrap().success());
    }
    program
}

async fn run(name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(example(name));
    command.args(arguments).envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{name}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_does_what_it_says() {
    let settings = Settings {
        creating_time: Duration::from_millis(300),
        credentials: vec![
            Credential::parse_token("a-token").unwrap(),
            Credential::parse_access_key("AKID:the-secret").unwrap(),
        ],
        ..Settings::default()
    };
    let server = MockServer::start_with(settings).await.unwrap();
    let endpoint = server.endpoint();
    let token = [("FABRIC_AUTH_TOKEN", "a-token")];
    let create = [endpoint, "analytics-1", "vpc-1", "subnet-1"];
    let created = run("create_and_wait", &create, &token).await;
    assert!(created.ends_with(" runs, with 0 connections\n"), "{created}");
    let id = created.split(' ').next().unwrap();
    run("rename", &[endpoint, id, "zzh_test1122"], &token).await;
    let key = [("HUAWEICLOUD_SDK_AK", "AKID"), ("HUAWEICLOUD_SDK_SK", "the-secret")];
    assert_eq!(run("list", &[endpoint], &key).await, format!("{id} zzh_test1122\n"));

    let open = MockServer::start().await;
    let client = Client::new(open.endpoint()).unwrap();
    let created = client.access_clients().create(AccessClientCreate::default()).await.unwrap();
    let id = created.id.unwrap();
    assert_eq!(run("errors", &[open.endpoint(), &id], &[]).await, "deleted\n");
    assert_eq!(run("errors", &[open.endpoint(), &id], &[]).await, "there is none\n");
    let invalid = run("errors", &[open.endpoint(), "a/b"], &[]).await;
    assert!(invalid.starts_with("not sent: client_id: must have"), "{invalid}");
}
