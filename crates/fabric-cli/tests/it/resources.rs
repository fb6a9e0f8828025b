//! Resources that belong to others: the flags of their owners, nested bodies, and waits.

use std::time::Duration;

use serde_json::Value;

use crate::{TOKEN, fabric, fabric_reading, server};

#[tokio::test(flavor = "multi_thread")]
async fn records_belong_to_what_their_flags_or_the_environment_name() {
    let server = server(Duration::ZERO).await;
    let done = async |arguments: &[&str], variables: &[(&str, &str)]| {
        let ended = fabric(server.endpoint(), arguments, &[&[TOKEN], variables].concat()).await;
        assert_eq!(ended.status, 0, "{arguments:?}: {}", ended.complaint);
        ended.output
    };
    let json = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    let create = ["workspaces", "create", "--name", "research", "-o", "json"];
    let workspace = json(done(&create, &[]).await)["id"].as_str().unwrap().to_owned();
    let here = [("FABRIC_WORKSPACE_ID", &*workspace)];
    // A body within a body: by its fields, and as JSON.
    let version = "name=v1,config.timeout_seconds=60,config.max_retries=2";
    let create = ["jobs", "create", "--name", "nightly", "--type", "PYTHON_JOB", "-o", "json"];
    let by_fields = [&create[..], &["--version", version]].concat();
    let job = json(done(&by_fields, &here).await)["id"].as_str().unwrap().to_owned();
    let by_json = [&create[..], &["--version", r#"{"name": "v1", "config": {}}"#]].concat();
    let owner = ["--workspace-id", &*workspace];
    done(&[&by_json[..], &owner].concat(), &[]).await;
    let jobs = json(done(&[&["jobs", "list", "-o", "json"][..], &owner].concat(), &[]).await);
    assert_eq!(jobs.as_array().unwrap().len(), 2);
    let versions = ["job-versions", "list", "--job-id", &job, "-o", "json"];
    let versions = json(done(&versions, &here).await);
    assert_eq!(versions[0]["config"]["timeout_seconds"], 60);
    assert_eq!(versions[0]["config"]["max_retries"], 2);
    // What is not there has the command that lists what is.
    let unknown = "0".repeat(32);
    let gone = fabric(server.endpoint(), &["jobs", "delete", &unknown], &[TOKEN, here[0]]).await;
    assert_eq!(gone.status, 3, "{gone:?}");
    let hint = "`fabric jobs list --workspace-id WORKSPACE_ID` shows which there are";
    assert!(gone.complaint.contains(hint), "{gone:?}");
    let homeless = fabric(server.endpoint(), &["jobs", "list"], &[TOKEN]).await;
    assert_eq!(homeless.status, 2, "{homeless:?}");
    assert!(homeless.complaint.contains("--workspace-id <ID>"), "{homeless:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_waited_for_from_its_creation_to_its_end() {
    let server = server(Duration::from_millis(1_200)).await;
    let workspace = fabric_reading(
        r#"{"name": "research"}"#,
        server.endpoint(),
        &["workspaces", "create", "--json", "-", "-o", "json"],
        &[TOKEN],
    );
    let workspace: Value = serde_json::from_str(&workspace.await.output).unwrap();
    let variables = [TOKEN, ("FABRIC_WORKSPACE_ID", workspace["id"].as_str().unwrap())];
    let run = async |arguments: &[&str]| fabric(server.endpoint(), arguments, &variables).await;
    let create = ["endpoints", "create", "--name", "trials", "--type", "ray"];
    let created = run(&[&create[..], &["--wait", "-o", "json"]].concat()).await;
    assert!(created.complaint.starts_with("created "), "{created:?}");
    let running: Value = serde_json::from_str(&created.output).unwrap();
    assert_eq!(running["status"], "RUNNING");
    let id = running["id"].as_str().unwrap();
    let update = ["endpoints", "update", id, "--description", "nightly", "--wait"];
    let updated = run(&update).await.output;
    for shown in [&["status", "RUNNING"], &["description", "nightly"]] {
        let is_shown = |line: &str| line.split_whitespace().eq(shown.iter().copied());
        assert!(updated.lines().any(is_shown), "{updated}");
    }
    // A flag of a query need not give way to that of the command's own version.
    let previous = run(&["endpoints", "show", id, "--version", "PREVIOUS", "-o", "json"]).await;
    let previous: Value = serde_json::from_str(&previous.output).unwrap();
    assert!(previous["description"].is_null(), "{previous}");
    let late = run(&["endpoints", "wait", id, "--for", "deleted", "--at-most", "0s"]).await;
    assert_eq!(late.status, 7, "{late:?}");
    let deleted = run(&["endpoints", "delete", id, "--wait"]).await;
    assert_eq!(deleted.output, format!("{id} is deleted\n"), "{deleted:?}");
    let gone = run(&["endpoints", "wait", id]).await;
    assert_eq!(gone.status, 3, "{gone:?}");
}
