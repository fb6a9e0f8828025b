//! What belongs to a workspace alone: its tags and its metrics setting, in fixtures, on the control surface and in a
//! recording; and what keeps a workspace from being deleted.

use std::time::Duration;

use fabric_server::{Fixtures, MockServer, Settings, Snapshot};
use serde_json::{Value, json};

use crate::raw;

const OF_TAGS: &str = "/v1/default/fabric-workspace";

async fn call(server: &MockServer, method: &str, target: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let bytes = raw::request(method, target, "Content-Type: application/json\r\n", body.as_bytes());
    let address = server.address();
    let answer = tokio::task::spawn_blocking(move || raw::send(address, &bytes)).await.unwrap();
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
}

async fn records(server: &MockServer, resource: &str) -> Value {
    let target = format!("/_mock/v1/projects/default/{resource}");
    call(server, "GET", &target, Value::Null).await.1["records"].take()
}

async fn start(fixtures: &Value) -> MockServer {
    let fixtures = Fixtures::parse(&fixtures.to_string()).unwrap();
    MockServer::start_with(Settings { fixtures, ..Settings::default() }).await.unwrap()
}

fn tags(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_workspace_says_of_itself_is_in_fixtures_and_snapshots_and_goes_with_it() {
    let server = start(&json!({
        "tags": [{ "resource_id": "one", "tags": tags(&[("team", "ocean")]) }],
        "metrics": [{ "workspace_id": "one", "enable": true }],
    }))
    .await;
    // Its owner was made.
    let (_, workspaces) = call(&server, "GET", "/v1/workspaces", Value::Null).await;
    assert_eq!(
        (&workspaces["total"], &workspaces["workspaces"][0]["id"]),
        (&json!(1), &json!("one"))
    );
    let add = json!({ "tags": [{ "key": "stage", "value": "test" }] });
    let (status, _) = call(&server, "POST", &format!("{OF_TAGS}/one/tags/create"), add).await;
    assert_eq!(status, 204);
    let switch = json!({ "enable": false });
    assert_eq!(call(&server, "PUT", "/v1/workspaces/one/metrics", switch).await.0, 200);
    let tagged = records(&server, "tags").await;
    assert_eq!(tagged[0]["tags"], tags(&[("stage", "test"), ("team", "ocean")]));
    let metrics = records(&server, "metrics").await;
    assert_eq!(metrics, json!([{ "workspace_id": "one", "enable": false }]));
    // Records are fixtures again, and so is what the service answers.
    let again = start(&json!({ "tags": tagged, "metrics": metrics })).await;
    assert_eq!(
        (records(&again, "tags").await, records(&again, "metrics").await),
        (tagged.clone(), metrics)
    );
    let filter = format!("{OF_TAGS}/resource-instances/filter");
    let (_, page) = call(&server, "POST", &filter, Value::Null).await;
    assert_eq!(records(&start(&page).await, "tags").await, tagged);
    let snapshot = Some(Snapshot::parse(&server.world().snapshot().to_json()).unwrap());
    let restored =
        MockServer::start_with(Settings { snapshot, ..Settings::default() }).await.unwrap();
    assert_eq!(call(&restored, "POST", &filter, Value::Null).await.1, page);
    assert_eq!(call(&restored, "DELETE", "/v1/workspaces/one", Value::Null).await.0, 200);
    for resource in ["workspaces", "tags", "metrics"] {
        assert_eq!(records(&restored, resource).await, json!([]), "{resource}");
    }
    // Another workspace of the same id has none of it.
    let wrong = Fixtures::parse(r#"{"tags":[{"workspace_id":"one","resource_id":"two"}]}"#);
    let wrong = wrong.unwrap_err().to_string();
    assert_eq!(wrong, "tag [0]: resource_id: must be the id of the workspace");
    let twice = Fixtures::parse(r#"{"tags":[{"resource_id":"one"},{"resource_id":"one"}]}"#);
    assert!(twice.unwrap_err().to_string().ends_with("must not be there twice in a project"));
    assert_eq!(
        Fixtures::parse(r#"{"tags": [{}]}"#).unwrap_err().to_string(),
        "tag [0]: workspace_id: must be given"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_goes_only_when_it_is_empty() {
    let settings = Settings {
        fixtures: Fixtures::parse(
            &json!({
                "workspaces": [{ "id": "full" }, { "id": "full", "project_id": "theirs" }],
                "endpoints": [{ "workspace_id": "full", "id": "5ca1ab1e-0000-4000-8000-000000000001" }],
                "jobs": [
                    { "workspace_id": "full", "id": "5ca1ab1e-0000-4000-8000-000000000002" },
                    { "workspace_id": "full", "id": "5ca1ab1e-0000-4000-8000-000000000003" },
                ],
                "models": [{ "workspace_id": "full", "id": "5ca1ab1e-0000-4000-8000-000000000004" }],
                "message-policies": [{ "workspace_id": "full", "notification_types": ["SUCCESS"] }],
                "tags": [{ "resource_id": "full", "tags": tags(&[("team", "ocean")]) }],
            })
            .to_string(),
        )
        .unwrap(),
        deleting_time: Duration::from_secs(5),
        ..Settings::default()
    };
    settings.clock.freeze_at(std::time::UNIX_EPOCH);
    let server = MockServer::start_with(settings).await.unwrap();
    let delete = async |target: &str| call(&server, "DELETE", target, Value::Null).await;
    let contents = async || {
        let (status, body) = delete("/v1/workspaces/full").await;
        assert_eq!((status, &body["error_code"]), (400, &json!("common.01000001")));
        let message = body["error_msg"].as_str().unwrap();
        assert!(message.starts_with(
            "failed to read http request, please check your input, code: 400, reason: workspace_id: "
        ));
        message.split_once("this has ").unwrap().1.to_owned()
    };
    assert_eq!(contents().await, "1 endpoint, 2 jobs, 1 model");
    for item in [
        "jobs/5ca1ab1e-0000-4000-8000-000000000002",
        "jobs/5ca1ab1e-0000-4000-8000-000000000003",
        "models/5ca1ab1e-0000-4000-8000-000000000004",
        "endpoints/5ca1ab1e-0000-4000-8000-000000000001",
    ] {
        let (status, body) = delete(&format!("/v1/workspaces/full/{item}")).await;
        assert!((200..300).contains(&status), "{item}: {body}");
    }
    // An endpoint that is DELETING is still there.
    assert_eq!(contents().await, "1 endpoint");
    assert_eq!(records(&server, "tags").await[0]["resource_id"], "full");
    server.clock().advance(Duration::from_secs(5));
    assert_eq!(delete("/v1/workspaces/full").await.0, 200);
    for resource in ["tags", "message-policies", "job-versions", "model-versions"] {
        assert_eq!(records(&server, resource).await, json!([]), "{resource}");
    }
    assert_eq!(delete("/v1/workspaces/full").await.0, 404);
}
