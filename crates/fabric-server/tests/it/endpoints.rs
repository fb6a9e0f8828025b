//! Endpoints: their life by the clock, changes that fail, and whose they are.

use std::time::{Duration, UNIX_EPOCH};

use fabric_server::fault::{Fault, Outcome, When};
use fabric_server::{Fixtures, MockServer, Settings};
use serde_json::{Value, json};

use crate::raw;

/// A mock server whose clock stands still, with a workspace in each of two projects.
struct Service {
    server: MockServer,
}

const ENDPOINTS: &str = "/v1/workspaces/mine/endpoints";
const CREATING: Duration = Duration::from_secs(5);
const UPDATING: Duration = Duration::from_secs(3);
const DELETING: Duration = Duration::from_secs(2);

impl Service {
    async fn start(endpoints: Value) -> Self {
        let workspaces =
            json!([{"id": "mine"}, {"id": "other"}, {"id": "mine", "project_id": "theirs"}]);
        let fixtures = json!({"workspaces": workspaces, "endpoints": endpoints});
        let settings = Settings {
            creating_time: CREATING,
            updating_time: UPDATING,
            deleting_time: DELETING,
            fixtures: Fixtures::parse(&fixtures.to_string()).unwrap(),
            ..Settings::default()
        };
        settings.clock.freeze_at(UNIX_EPOCH);
        Self { server: MockServer::start_with(settings).await.unwrap() }
    }

    async fn call(&self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        self.call_with(method, target, "", body).await
    }

    async fn call_with(
        &self,
        method: &str,
        target: &str,
        headers: &str,
        body: &Value,
    ) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = format!("Content-Type: application/json\r\n{headers}");
        let bytes = raw::request(method, target, &headers, body.as_bytes());
        let address = self.server.address();
        let answer = tokio::task::spawn_blocking(move || raw::send(address, &bytes));
        let answer = answer.await.unwrap();
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    async fn create(&self) -> String {
        let body = json!({"name": "analytics", "type": "ray"});
        let (status, endpoint) = self.call("POST", ENDPOINTS, &body).await;
        assert_eq!(status, 202, "{endpoint}");
        endpoint["id"].as_str().unwrap().to_owned()
    }

    /// The state of an endpoint, or the status of the answer that rejects the call.
    async fn state(&self, id: &str) -> String {
        match self.call("GET", &format!("{ENDPOINTS}/{id}"), &Value::Null).await {
            (200, endpoint) => endpoint["status"].as_str().unwrap().to_owned(),
            (status, _) => status.to_string(),
        }
    }

    async fn update(&self, id: &str, body: &Value) -> (u16, Value) {
        self.call("PUT", &format!("{ENDPOINTS}/{id}"), body).await
    }

    async fn delete(&self, id: &str) -> u16 {
        self.call("DELETE", &format!("{ENDPOINTS}/{id}"), &Value::Null).await.0
    }

    async fn names(&self, query: &str) -> Vec<String> {
        let (status, page) = self.call("GET", &format!("{ENDPOINTS}{query}"), &Value::Null).await;
        assert_eq!(status, 200, "{page}");
        let endpoints = page["endpoints"].as_array().unwrap();
        assert_eq!(page["total"], endpoints.len());
        endpoints.iter().map(|endpoint| endpoint["name"].as_str().unwrap().to_owned()).collect()
    }

    fn advance(&self, by: Duration) {
        self.server.clock().advance(by);
    }

    /// Lets what a call of an operation begins fail, once.
    fn fail(&self, operation: &str) {
        let when =
            When { operation: Some(operation.to_owned()), times: Some(1), ..When::default() };
        let fault = Fault { when, outcome: Some(Outcome::Failed), ..Fault::default() };
        self.server.world().add_fault(fault).unwrap();
    }
}

const INSTANT: Duration = Duration::from_millis(1);

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_moves_an_endpoint_through_its_life() {
    let service = Service::start(json!([])).await;
    let id = service.create().await;
    service.advance(CREATING.saturating_sub(INSTANT));
    assert_eq!(service.state(&id).await, "CREATING");
    // What is not there yet can't be changed.
    assert_eq!(service.update(&id, &json!({"name": "too early"})).await.0, 400);
    service.advance(INSTANT);
    assert_eq!(service.state(&id).await, "RUNNING");

    let (status, updated) = service.update(&id, &json!({"name": "renamed"})).await;
    assert_eq!((status, &updated["status"]), (202, &json!("UPDATING")));
    assert_eq!(updated["name"], "renamed");
    assert_eq!(updated["create_time"], "1970-01-01T00:00:00.000Z");
    assert_eq!(updated["update_time"], "1970-01-01T00:00:05.000Z");
    service.advance(UPDATING.saturating_sub(INSTANT));
    assert_eq!(service.state(&id).await, "UPDATING");
    service.advance(INSTANT);
    assert_eq!(service.state(&id).await, "RUNNING");

    let (status, deleted) =
        service.call("DELETE", &format!("{ENDPOINTS}/{id}"), &Value::Null).await;
    assert_eq!((status, deleted), (202, json!({"id": id})));
    service.advance(DELETING.saturating_sub(INSTANT));
    assert_eq!(service.state(&id).await, "DELETING");
    assert_eq!(service.update(&id, &json!({})).await.0, 400);
    // A second delete is left to the first.
    assert_eq!(service.delete(&id).await, 202);
    service.advance(INSTANT);
    assert_eq!(service.state(&id).await, "404");
    assert_eq!(service.delete(&id).await, 404);
    assert_eq!(service.update(&id, &json!({})).await.0, 404);
    assert!(service.names("").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_before_the_last_update_is_shown() {
    let service = Service::start(json!([])).await;
    let id = service.create().await;
    service.advance(CREATING);
    let previous = format!("{ENDPOINTS}/{id}?version=PREVIOUS");
    assert_eq!(service.call("GET", &previous, &Value::Null).await.0, 404);
    service.update(&id, &json!({"name": "second"})).await;
    service.advance(UPDATING);
    service.update(&id, &json!({"description": "third"})).await;
    let (status, shown) = service.call("GET", &previous, &Value::Null).await;
    assert_eq!((status, &shown["name"]), (200, &json!("second")));
    assert_eq!((shown.get("description"), &shown["status"]), (None, &json!("UPDATING")));
    assert_eq!(shown["update_time"], "1970-01-01T00:00:05.000Z");
    let current = format!("{ENDPOINTS}/{id}?version=CURRENT");
    let (_, shown) = service.call("GET", &current, &Value::Null).await;
    assert_eq!((&shown["name"], &shown["description"]), (&json!("second"), &json!("third")));
    assert_eq!(service.call("GET", &format!("{current}S"), &Value::Null).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_makes_what_a_call_begins_fail() {
    let service = Service::start(json!([])).await;
    let show =
        async |id: &str| service.call("GET", &format!("{ENDPOINTS}/{id}"), &Value::Null).await.1;

    service.fail("CreateEndpoint");
    let id = service.create().await;
    assert_eq!(show(&id).await.get("error_code"), None, "nothing has failed yet");
    assert_eq!(service.state(&id).await, "CREATING");
    service.advance(CREATING);
    let failed = show(&id).await;
    assert_eq!(failed["status"], "CREATE_FAILED");
    assert_eq!(failed["error_code"], "common.00000500");
    assert_eq!(failed["error_msg"], "the creation of the endpoint failed");
    // It is good for nothing but to be deleted, and the list says so too.
    assert_eq!(service.update(&id, &json!({})).await.0, 400);
    let (_, page) = service.call("GET", ENDPOINTS, &Value::Null).await;
    assert_eq!(page["endpoints"][0]["status"], "CREATE_FAILED");
    assert_eq!(page["endpoints"][0]["error_code"], "common.00000500");
    assert_eq!(service.delete(&id).await, 202);
    service.advance(DELETING);
    assert_eq!(service.state(&id).await, "404");

    // The fault was for one call. The next endpoint runs, and its update fails, then succeeds.
    let id = service.create().await;
    service.advance(CREATING);
    assert_eq!(service.state(&id).await, "RUNNING");
    service.fail("UpdateEndpoint");
    let (status, updated) = service.update(&id, &json!({"name": "renamed"})).await;
    assert_eq!((status, &updated["status"]), (202, &json!("UPDATING")));
    service.advance(UPDATING);
    let failed = show(&id).await;
    assert_eq!((&failed["status"], &failed["name"]), (&json!("UPDATE_FAILED"), &json!("renamed")));
    assert_eq!(failed["error_msg"], "the update of the endpoint failed");
    assert_eq!(service.update(&id, &json!({"name": "again"})).await.0, 202);
    service.advance(UPDATING);
    let running = show(&id).await;
    assert_eq!((&running["status"], running.get("error_msg")), (&json!("RUNNING"), None));

    service.fail("DeleteEndpoint");
    assert_eq!(service.delete(&id).await, 202);
    assert_eq!(service.state(&id).await, "DELETING");
    // A second delete is left to the first, which fails.
    assert_eq!(service.delete(&id).await, 202);
    service.advance(DELETING);
    let failed = show(&id).await;
    assert_eq!(failed["status"], "DELETE_FAILED");
    assert_eq!(failed["error_msg"], "the deletion of the endpoint failed");
    assert_eq!(service.names("").await, ["again"]);
    assert_eq!(service.delete(&id).await, 202);
    service.advance(DELETING);
    assert_eq!(service.state(&id).await, "404");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_comes_by_header_and_with_any_answer_that_keeps_the_write() {
    let service = Service::start(json!([])).await;
    let body = json!({"name": "analytics", "type": "sql"});
    let header = "X-Mock-Fault: {\"outcome\":\"failed\"}\r\n";
    let (status, created) = service.call_with("POST", ENDPOINTS, header, &body).await;
    assert_eq!((status, &created["status"]), (202, &json!("CREATING")));
    let id = created["id"].as_str().unwrap();
    service.advance(CREATING);
    assert_eq!(service.state(id).await, "CREATE_FAILED");

    let fault = r#"{"then":{"kind":"answer","status":408},"write":"kept","outcome":"failed"}"#;
    let header = format!("X-Mock-Fault: {fault}\r\n");
    assert_eq!(
        service.call_with("DELETE", &format!("{ENDPOINTS}/{id}"), &header, &Value::Null).await.0,
        408
    );
    service.advance(DELETING);
    assert_eq!(service.state(id).await, "DELETE_FAILED");

    // Where nothing begins, or nothing is kept, an outcome is a mistake.
    let show = format!("{ENDPOINTS}/{id}");
    let header = "X-Mock-Fault: {\"outcome\":\"failed\"}\r\n";
    let (status, rejected) = service.call_with("GET", &show, header, &Value::Null).await;
    let reason = "outcome: needs an operation that begins something: CreateEndpoint, \
                  UpdateEndpoint, DeleteEndpoint";
    assert_eq!(status, 400);
    assert!(rejected["error_msg"].as_str().unwrap().contains(reason), "{rejected}");
    for (fault, reason) in [
        (json!({"outcome": "failed"}), reason),
        (json!({"when": {"operation": "ShowEndpoint"}, "outcome": "failed"}), reason),
        (json!({"when": {"operation": "CreateAccessClientInfo"}, "outcome": "failed"}), reason),
        (
            json!({"when": {"operation": "CreateEndpoint"}, "write": "discarded", "outcome": "failed"}),
            "outcome: needs write kept: a discarded call begins nothing",
        ),
        (
            json!({"when": {"operation": "CreateEndpoint"}, "then": {"kind": "reset"}, "outcome": "failed"}),
            "outcome: needs write kept: a discarded call begins nothing",
        ),
    ] {
        let (status, rejected) = service.call("POST", "/_mock/v1/faults", &fault).await;
        assert_eq!((status, rejected["error"].as_str()), (400, Some(reason)), "{fault}");
    }
    let fault = json!({"when": {"operation": "CreateEndpoint"}, "outcome": "failed"});
    let (status, added) = service.call("POST", "/_mock/v1/faults", &fault).await;
    assert_eq!(
        (status, &added["outcome"], &added["write"]),
        (201, &json!("failed"), &json!("kept"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fixtures_say_every_state() {
    let cases = [
        ("CREATING", None, "RUNNING", 400),
        ("CREATING", Some("no room"), "CREATE_FAILED", 400),
        ("RUNNING", Some("stale"), "RUNNING", 202),
        ("CREATE_FAILED", Some("no room"), "CREATE_FAILED", 400),
        ("UPDATING", None, "RUNNING", 400),
        ("UPDATING", Some("no room"), "UPDATE_FAILED", 400),
        ("UPDATE_FAILED", Some("no room"), "UPDATE_FAILED", 202),
        ("DELETING", None, "404", 400),
        ("DELETING", Some("in use"), "DELETE_FAILED", 400),
        ("DELETE_FAILED", Some("in use"), "DELETE_FAILED", 400),
        ("FROZEN", None, "FROZEN", 400),
        ("INACTIVE", None, "INACTIVE", 400),
    ];
    let id = |place: usize| format!("{place:032}");
    let fixture = |(place, (state, message, ..)): (usize, &(&str, Option<&str>, &str, u16))| {
        let mut fixture = json!({"workspace_id": "mine", "id": id(place), "status": state});
        if let Some(message) = message {
            fixture["error_msg"] = json!(message);
            fixture["error_code"] = json!("Fabric.0001");
        }
        fixture
    };
    let service = Service::start(cases.iter().enumerate().map(fixture).collect()).await;
    for (place, (state, ..)) in cases.iter().enumerate() {
        assert_eq!(service.state(&id(place)).await, *state);
    }
    for (place, (state, _, _, update)) in cases.iter().enumerate() {
        let header = "X-Mock-Fault: {\"write\":\"discarded\",\"delay\":{\"kind\":\"fixed\",\"milliseconds\":0}}\r\n";
        let target = format!("{ENDPOINTS}/{}", id(place));
        let (status, _) = service.call_with("PUT", &target, header, &json!({})).await;
        assert_eq!(status, *update, "update of one that is {state}");
    }
    service.advance(CREATING);
    for (place, (state, message, then, _)) in cases.iter().enumerate() {
        let target = format!("{ENDPOINTS}/{}", id(place));
        let (_, shown) = service.call("GET", &target, &Value::Null).await;
        assert_eq!(service.state(&id(place)).await, *then, "of {state}");
        let message = message.filter(|_| then.ends_with("_FAILED"));
        if *then != "404" {
            assert_eq!(shown.get("error_msg").and_then(Value::as_str), message, "of {state}");
            let code = message.map(|_| "Fabric.0001");
            assert_eq!(shown.get("error_code").and_then(Value::as_str), code, "of {state}");
        }
        // Whatever the state, it can be deleted.
        let deleted = service.delete(&id(place)).await;
        assert_eq!(deleted, if *then == "404" { 404 } else { 202 }, "delete of one that is {then}");
    }
    service.advance(DELETING);
    assert!(service.names("?visibility=ALL").await.is_empty());
    let deleted = json!({"endpoints": [{"workspace_id": "mine", "status": "DELETED"}]}).to_string();
    let error = Fixtures::parse(&deleted).unwrap_err().to_string();
    assert_eq!(error, "endpoint [0]: status: must be a documented state other than DELETED");
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_belong_to_their_workspace_and_project() {
    let service = Service::start(json!([])).await;
    let id = service.create().await;
    service.advance(CREATING);
    let theirs = "X-Project-Id: theirs\r\n";
    let by_others = [
        ("", format!("/v1/workspaces/other/endpoints/{id}")),
        ("", format!("/v1/workspaces/unknown/endpoints/{id}")),
        (theirs, format!("{ENDPOINTS}/{id}")),
    ];
    for (headers, target) in &by_others {
        for (method, target, body) in [
            ("GET", target.clone(), Value::Null),
            ("PUT", target.clone(), json!({"name": "theirs"})),
            ("DELETE", target.clone(), Value::Null),
            ("POST", format!("{target}/subscribe"), Value::Null),
        ] {
            let (status, _) = service.call_with(method, &target, headers, &body).await;
            assert_eq!(status, 404, "{method} {target} {headers}");
        }
    }
    let unknown = "/v1/workspaces/unknown/endpoints";
    let body = json!({"name": "analytics", "type": "ray"});
    assert_eq!(service.call("GET", unknown, &Value::Null).await.0, 404);
    assert_eq!(service.call("POST", unknown, &body).await.0, 404);
    for (headers, target) in [(theirs, ENDPOINTS), ("", "/v1/workspaces/other/endpoints")] {
        let (status, page) = service.call_with("GET", target, headers, &Value::Null).await;
        assert_eq!((status, page), (200, json!({"endpoints": [], "total": 0})));
    }
    assert_eq!(service.names("").await, ["analytics"]);
    assert_eq!(service.state(&id).await, "RUNNING");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_narrowed_by_what_is_given() {
    let second = |second: u32| format!("1970-01-01T00:00:0{second}.000Z");
    let service = Service::start(json!([
        {"workspace_id": "mine", "id": "0".repeat(32), "name": "ray_a", "type": "ray",
            "create_time": second(1)},
        {"workspace_id": "mine", "name": "ray_b", "type": "ray", "create_time": second(2),
            "visibility": "PUBLIC"},
        {"workspace_id": "mine", "name": "sql_a", "type": "sql", "create_time": second(3)},
        {"workspace_id": "mine", "name": "shared", "type": "inference", "create_time": second(4),
            "visibility": "PUBLIC", "owner": {"user_name": "somebody"}},
        {"workspace_id": "other", "name": "ray_c", "type": "ray"},
    ]))
    .await;
    for (query, names) in [
        ("", vec!["sql_a", "ray_b", "ray_a"]),
        ("?name=_a", vec!["sql_a", "ray_a"]),
        ("?name=_A", vec![]),
        ("?type=ray", vec!["ray_b", "ray_a"]),
        ("?type=ray&name=_a", vec!["ray_a"]),
        ("?visibility=ALL", vec!["shared", "sql_a", "ray_b", "ray_a"]),
        ("?visibility=PUBLIC", vec!["shared", "ray_b"]),
        ("?visibility=PRIVATE", vec!["sql_a", "ray_a"]),
        ("?endpoint_id=00000000000000000000000000000000", vec!["ray_a"]),
        ("?endpoint_id=00000000000000000000000000000001", vec![]),
        ("?model_id=00000000000000000000000000000000", vec![]),
    ] {
        assert_eq!(service.names(query).await, names, "{query}");
    }
    let (_, page) =
        service.call("GET", &format!("{ENDPOINTS}?offset=1&limit=1"), &Value::Null).await;
    assert_eq!((&page["endpoints"][0]["name"], &page["total"]), (&json!("ray_b"), &json!(3)));
    for query in ["?type=tea", "?visibility=", "?visibility=NOBODY", "?name=", "?endpoint_id=x"] {
        let (status, rejected) =
            service.call("GET", &format!("{ENDPOINTS}{query}"), &Value::Null).await;
        assert_eq!(status, 400, "{query}: {rejected}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn public_endpoints_are_subscribed_to() {
    let public = |id: &str, status: &str| json!({"workspace_id": "mine", "id": id.repeat(32), "visibility": "PUBLIC", "status": status});
    let private = json!({"workspace_id": "mine", "id": "d".repeat(32)});
    let service = Service::start(json!([
        public("a", "INACTIVE"),
        public("b", "FROZEN"),
        public("c", "RUNNING"),
        private,
    ]))
    .await;
    let subscribe = async |id: &str| {
        let target = format!("{ENDPOINTS}/{}/subscribe", id.repeat(32));
        service.call("POST", &target, &Value::Null).await
    };
    assert_eq!(service.state(&"a".repeat(32)).await, "INACTIVE");
    assert_eq!(subscribe("a").await, (200, Value::Null));
    assert_eq!(service.state(&"a".repeat(32)).await, "RUNNING");
    assert_eq!(subscribe("a").await.0, 200);
    assert_eq!(subscribe("b").await.0, 400);
    assert_eq!(service.state(&"b".repeat(32)).await, "FROZEN");
    assert_eq!(subscribe("c").await.0, 200);
    assert_eq!(subscribe("d").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_is_answered() {
    let service = Service::start(json!([])).await;
    let amount = json!({"cpu_resource": 4, "memory_resource": 16});
    let service_config = json!({
        "ray_cluster_config": {
            "enable_custom": true,
            "head_group_spec": {"limits": amount},
            "worker_group_specs": [{"name": "w", "min_replicas": 0, "max_replicas": 2}],
        },
        "ray_serve_config": {"applications": [{
            "name": "app", "import_path": "text:app", "runtime_env": {"env_vars": {"A": "b"}},
            "deployments": [{"max_queued_requests": -1, "user_config": {"any": [1, null]},
                "ray_actor_options": {"num_cpus": 0.5}}],
        }]},
        "data_infos": [{"input_path": "OBS://bucket/dir/"}],
    });
    let body = json!({
        "name": "端点 1.a", "description": "d", "type": "inference", "public_access": true,
        "custom_image_id": "0b5633ba2b904511ad514346f4d23d4b",
        "cap": {"cap_id": "0b5633ba2b904511ad514346f4d23d4b"},
        "cache_list": [{"cache_ins_id": "1", "mnt_path": "/mnt/cache"}],
        "reserved_resource": {"dpu": {"spec_code": "dpu.d1x", "warm_up_num": 1}},
        "ray_resource": {
            "head_node_resource": {"spec_code": "mrs.c1m4"},
            "work_node_resources": [
                {"name": "a.b-1", "resource": {"max": 20000, "min": 0, "spec_code": "mrs.c1m4"}},
            ],
        },
        "config": {"ray_service_config": service_config},
    });
    let (status, created) = service.call("POST", ENDPOINTS, &body).await;
    assert_eq!(status, 202, "{created}");
    for field in
        ["name", "description", "type", "custom_image_id", "cap", "reserved_resource", "config"]
    {
        assert_eq!(created[field], body[field], "{field}");
    }
    let cluster = json!({
        "head_group_spec": {"spec_code": "mrs.c1m4"},
        "worker_group_spec": [
            {"name": "a.b-1", "max_replicas": 20000, "min_replicas": 0, "spec_code": "mrs.c1m4"},
        ],
    });
    assert_eq!(created["ray_resource"], cluster);
    assert_eq!(created["visibility"], "PRIVATE");
    assert_eq!(created["owner"]["user_name"], "mock");
    assert_eq!(created["runtime_env_type"], "RELEASE");
    assert_eq!(created["tokens_quota"], json!({"total": 1_000_000, "used": 0}));
    assert_eq!(created["urls"][0]["type"], "PUBLIC");
    // A list tells less.
    let (_, page) = service.call("GET", ENDPOINTS, &Value::Null).await;
    let listed = &page["endpoints"][0];
    assert_eq!((&listed["ray_resource"], listed.get("config")), (&cluster, None));

    for (change, field) in [
        (json!({"/type": "tea"}), "type"),
        (json!({"/name": "a/b"}), "name"),
        (json!({"/reserved_resource/dpu/warm_up_num": 0}), "reserved_resource.dpu.warm_up_num"),
        (json!({"/cache_list/0/mnt_path": "mnt"}), "cache_list[0].mnt_path"),
        (
            json!({"/ray_resource/work_node_resources/0/name": "-a"}),
            "ray_resource.work_node_resources[0].name",
        ),
        (
            json!({"/config/ray_service_config/ray_serve_config/applications/0/deployments/0/max_queued_requests": -2}),
            "config.ray_service_config.ray_serve_config.applications[0].deployments[0].max_queued_requests",
        ),
    ] {
        let mut wrong = body.clone();
        for (pointer, value) in change.as_object().unwrap() {
            *wrong.pointer_mut(pointer).unwrap() = value.clone();
        }
        let (status, rejected) = service.call("POST", ENDPOINTS, &wrong).await;
        assert_eq!(status, 400, "{change}");
        let message = rejected["error_msg"].as_str().unwrap();
        assert!(message.contains(&format!("reason: {field}: ")), "{message}");
    }
    assert_eq!(service.names("").await, ["端点 1.a"]);
}
