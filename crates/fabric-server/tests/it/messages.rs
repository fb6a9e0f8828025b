//! Message policies, as callers see them.

use fabric_server::{Fixtures, MockServer, Settings};
use serde_json::{Value, json};

use crate::raw::call;

const MESSAGES: &str = "/v1/workspaces/mine/messages";

async fn serve(policies: Value, quota: Option<usize>) -> MockServer {
    let workspaces = json!([{ "id": "mine" }, { "id": "other" }]);
    let fixtures = json!({ "workspaces": workspaces, "message-policies": policies });
    let fixtures = Fixtures::parse(&fixtures.to_string()).unwrap();
    MockServer::start_with(Settings { fixtures, quota, ..Settings::default() }).await.unwrap()
}

fn policies(patterns: &[&str]) -> Value {
    let policies = patterns.iter().map(|pattern| {
        json!({
            "message_type": "job", "name_pattern": pattern,
            "notification_types": ["FAILED"], "topic_urn": "urn:smn:topic",
        })
    });
    json!({ "message_notification_policy_list": policies.collect::<Vec<_>>() })
}

async fn patterns(server: &MockServer, query: &str) -> Vec<String> {
    let (status, page) = call(server, "GET", &format!("{MESSAGES}{query}"), Value::Null).await;
    assert_eq!(status, 200, "{query}: {page}");
    let patterns = page["policies"].as_array().unwrap().iter();
    let mut patterns: Vec<_> =
        patterns.map(|policy| policy["name_pattern"].as_str().unwrap().to_owned()).collect();
    assert_eq!(page["total"], patterns.len());
    patterns.sort();
    patterns
}

#[tokio::test(flavor = "multi_thread")]
async fn all_policies_of_a_request_are_created_or_none() {
    let server = serve(json!([]), Some(3)).await;
    let (status, first) = call(&server, "POST", MESSAGES, policies(&["b*", "a*"])).await;
    assert_eq!((status, &first["name_pattern"]), (200, &json!("b*")));
    assert_eq!(patterns(&server, "").await, ["a*", "b*"]);
    // There is room for one more only.
    let (status, error) = call(&server, "POST", MESSAGES, policies(&["c*", "d*"])).await;
    assert_eq!(status, 429);
    assert!(error["error_msg"].as_str().unwrap().contains("quota of message policies"));
    for rejected in [policies(&[]), json!({}), json!({ "message_notification_policy_list": [{}] })]
    {
        assert_eq!(call(&server, "POST", MESSAGES, rejected).await.0, 400);
    }
    assert_eq!(patterns(&server, "").await, ["a*", "b*"]);
    assert_eq!(call(&server, "POST", MESSAGES, policies(&["a*"])).await.0, 200);
    assert_eq!(patterns(&server, "").await, ["a*", "a*", "b*"]);

    let id = first["id"].as_str().unwrap();
    let elsewhere = format!("/v1/workspaces/other/messages/{id}");
    assert_eq!(call(&server, "DELETE", &elsewhere, Value::Null).await.0, 404);
    let one = format!("{MESSAGES}/{id}");
    assert_eq!(call(&server, "DELETE", &one, Value::Null).await, (200, Value::Null));
    assert_eq!(call(&server, "DELETE", &one, Value::Null).await.0, 404);
    assert_eq!(patterns(&server, "").await, ["a*", "a*"]);
    let gone = "/v1/workspaces/gone/messages";
    assert_eq!(call(&server, "POST", gone, policies(&["a*"])).await.0, 404);
    assert_eq!(call(&server, "GET", gone, Value::Null).await.0, 404);
    // Policies are no contents of a workspace: they go with it.
    assert_eq!(call(&server, "DELETE", "/v1/workspaces/mine", Value::Null).await.0, 200);
    assert_eq!(call(&server, "POST", "/v1/workspaces", json!({ "name": "anew" })).await.0, 200);
    let kept = call(&server, "GET", "/_mock/v1/projects/default/message-policies", Value::Null);
    assert_eq!(kept.await.1["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_found_by_type_pattern_and_result() {
    let policy = |id: &str, pattern: &str, results: Value| json!({ "id": id, "workspace_id": "mine", "name_pattern": pattern, "notification_types": results });
    let server = serve(
        json!([
            policy("both results", "ray_job*", json!(["SUCCESS", "FAILED"])),
            policy("50%", "Ray*", json!(["FAILED"])),
            { "id": "elsewhere", "workspace_id": "other" },
        ]),
        None,
    )
    .await;
    for (query, expected) in [
        ("", &["Ray*", "ray_job*"][..]),
        ("?message_type=job", &["Ray*", "ray_job*"]),
        ("?message_type=jo", &[]),
        ("?message_type=&notify_type=&name_pattern=", &["Ray*", "ray_job*"]),
        ("?name_pattern=ray", &["ray_job*"]),
        ("?name_pattern=*", &["Ray*", "ray_job*"]),
        ("?name_pattern=*y", &[]),
        ("?notify_type=SUCCESS", &["ray_job*"]),
        ("?notify_type=FAILED&name_pattern=Ra", &["Ray*"]),
        ("?notify_type=SUCCESS&name_pattern=Ra", &[]),
    ] {
        assert_eq!(patterns(&server, query).await, expected, "{query}");
    }
    // An id may have any character that a path can hold.
    for (id, status) in [("both%20results", 200), ("50%25", 200), ("a%2Fb", 400), ("a.b", 400)] {
        let target = format!("{MESSAGES}/{id}");
        assert_eq!(call(&server, "DELETE", &target, Value::Null).await.0, status, "{id}");
    }
    assert_eq!(patterns(&server, "").await, Vec::<String>::new());
}
