//! Models, their versions and the base models that they are made from, as callers see them.

use fabric_model::ProjectId;
use fabric_model::model_definition::Models;
use fabric_model::model_version::ModelVersions;
use fabric_model::workspace::Workspaces;
use fabric_server::{Fixtures, MockServer, Profile, Settings};
use serde_json::{Value, json};

use crate::raw::call;

const WORKSPACE: &str = "e935d0ef-f4eb-4b95-aff1-9d33ae9f57a6";
const MODELS: &str = "/v1/workspaces/e935d0ef-f4eb-4b95-aff1-9d33ae9f57a6/models";

async fn serve(fixtures: Value, settings: Settings) -> MockServer {
    let fixtures = Fixtures::parse(&fixtures.to_string()).unwrap();
    MockServer::start_with(Settings { fixtures, ..settings }).await.unwrap()
}

/// A model as a create asks for it.
fn model(name: &str) -> Value {
    json!({ "name": name, "type": "LLM_MODEL", "version": version("v1", "LLAMA_3_8B") })
}

fn version(name: &str, base: &str) -> Value {
    let config = json!({ "base_model_type": base, "model_path": "obs://models/chat/" });
    json!({ "name": name, "config": { "llm_model_config": config } })
}

fn text(json: &Value, pointer: &str) -> String {
    json.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// How many models and versions the mock keeps.
fn kept(server: &MockServer) -> [usize; 2] {
    let project: ProjectId = "default".parse().unwrap();
    let world = server.world();
    [
        world.records::<Models>(&project, 0, 1).total,
        world.records::<ModelVersions>(&project, 0, 1).total,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_always_has_the_version_that_was_made_current_last() {
    let workspaces = json!({ "workspaces": [{ "id": WORKSPACE }, { "id": "other" }] });
    let server = serve(workspaces, Settings::default()).await;
    let (status, created) = call(&server, "POST", MODELS, model("chat")).await;
    assert_eq!(status, 200);
    let (id, first) = (text(&created, "/id"), text(&created, "/version_id"));
    let one = format!("{MODELS}/{id}");
    let versions = format!("{one}/versions");
    let current = async || {
        let (_, page) = call(&server, "GET", MODELS, Value::Null).await;
        assert_eq!(page["models"][0]["visibility"], "PRIVATE");
        page["models"][0]["current_version"].clone()
    };
    assert_eq!(text(&current().await, "/id"), first);
    assert_eq!(current().await["config"], version("v1", "LLAMA_3_8B")["config"]);

    // A version without a configuration has an empty one.
    let (status, model_now) =
        call(&server, "PUT", &one, json!({ "version": { "name": "v2" } })).await;
    let second = text(&model_now, "/current_version/id");
    assert_eq!((status, text(&model_now, "/id")), (200, id.clone()));
    assert_eq!(model_now["current_version"]["config"], json!({}));
    assert_eq!(current().await, model_now["current_version"]);
    // A version is added, but another is named.
    let body = json!({ "version": version("v3", "none"), "current_version_id": first });
    let (_, model_now) = call(&server, "PUT", &one, body).await;
    assert_eq!(text(&model_now, "/current_version/id"), first);
    let (_, page) = call(&server, "GET", &format!("{versions}?limit=100"), Value::Null).await;
    assert_eq!(page["total"], 3);
    let named = |name: &str| {
        let all = page["versions"].as_array().unwrap();
        text(all.iter().find(|version| version["name"] == name).unwrap(), "/id")
    };
    let third = named("v3");
    assert_eq!((named("v1"), named("v2")), (first.clone(), second.clone()));

    // The current version stays, and so does what belongs to another model.
    let (status, error) =
        call(&server, "DELETE", &format!("{versions}/{first}"), Value::Null).await;
    assert_eq!(status, 400);
    assert!(text(&error, "/error_msg").contains("version_id: must not be the current version"));
    let other = text(&call(&server, "POST", MODELS, model("code")).await.1, "/id");
    let body = json!({ "current_version_id": third, "name": "kept as it was" });
    let (status, error) = call(&server, "PUT", &format!("{MODELS}/{other}"), body).await;
    assert_eq!(status, 400);
    let rule = "current_version_id: must be a version of the model";
    assert!(text(&error, "/error_msg").contains(rule));
    let elsewhere = format!("/v1/workspaces/other/models/{id}");
    for (method, target, body) in [
        ("PUT", elsewhere.clone(), json!({})),
        ("DELETE", elsewhere.clone(), Value::Null),
        ("GET", format!("{elsewhere}/versions"), Value::Null),
        ("DELETE", format!("{elsewhere}/versions/{third}"), Value::Null),
        ("DELETE", format!("{MODELS}/{other}/versions/{third}"), Value::Null),
        ("GET", "/v1/workspaces/gone/models".to_owned(), Value::Null),
        ("POST", "/v1/workspaces/gone/models".to_owned(), model("chat")),
    ] {
        assert_eq!(call(&server, method, &target, body).await.0, 404, "{method} {target}");
    }
    assert_eq!(kept(&server), [2, 4]);

    let deleted = call(&server, "DELETE", &format!("{versions}/{second}"), Value::Null).await;
    assert_eq!(deleted, (202, Value::Null));
    assert_eq!(call(&server, "GET", &versions, Value::Null).await.1["total"], 2);
    let workspace = MODELS.trim_end_matches("/models");
    let (status, error) = call(&server, "DELETE", workspace, Value::Null).await;
    assert_eq!(status, 400);
    assert!(text(&error, "/error_msg").contains("this has 2 models"), "{error}");
    assert_eq!(call(&server, "DELETE", &one, Value::Null).await, (200, Value::Null));
    assert_eq!(kept(&server), [1, 1]);
    assert_eq!(call(&server, "GET", MODELS, Value::Null).await.1["models"][0]["name"], "code");
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_found_and_sorted_by_what_they_are() {
    let fixture = |number: u32, name: &str, visibility: &str, created: u32, updated: u32| {
        json!({
            "id": format!("{number:032}"), "workspace_id": WORKSPACE, "name": name,
            "visibility": visibility,
            "create_time": format!("2023-05-30T00:00:0{created}.000Z"),
            "update_time": format!("2023-05-30T00:00:0{updated}.000Z"),
        })
    };
    let mut models = vec![
        fixture(1, "b_one", "PRIVATE", 1, 9),
        fixture(2, "a_two", "PUBLIC", 2, 2),
        fixture(3, "c_two", "PUBLIC", 3, 3),
        fixture(4, "a_two", "PRIVATE", 3, 3),
    ];
    models[2]["create_user"] = json!({ "user_id": "somebody" });
    models[3]["type"] = json!("VISION_MODEL");
    let server = serve(json!({ "models": models }), Settings::default()).await;
    for (query, expected) in [
        // Those that are public and of another user are listed only if they are asked for.
        ("", &[4, 2, 1][..]),
        ("?visibility=ALL", &[3, 4, 2, 1]),
        ("?visibility=PUBLIC", &[3, 2]),
        ("?visibility=PRIVATE", &[4, 1]),
        ("?visibility=ALL&sort_by=CREATE_TIME&order_by=ASC", &[1, 2, 3, 4]),
        ("?order_by=ASC", &[1, 2, 4]),
        ("?visibility=ALL&sort_by=UPDATE_TIME", &[1, 3, 4, 2]),
        ("?visibility=ALL&sort_by=UPDATE_TIME&order_by=ASC", &[2, 3, 4, 1]),
        ("?visibility=ALL&sort_by=NAME", &[3, 1, 4, 2]),
        ("?visibility=ALL&sort_by=NAME&order_by=ASC", &[4, 2, 1, 3]),
        ("?name=two", &[4, 2]),
        ("?name=Two", &[]),
        ("?name=two&visibility=ALL&sort_by=NAME&order_by=ASC&offset=1&limit=1", &[2]),
        ("?type=LLM_MODEL", &[2, 1]),
        ("?type=VISION_MODEL", &[4]),
        ("?type=LLM", &[]),
        ("?id=00000000000000000000000000000002", &[2]),
        ("?id=00000000000000000000000000000002&name=one", &[]),
    ] {
        let (status, page) = call(&server, "GET", &format!("{MODELS}{query}"), Value::Null).await;
        assert_eq!(status, 200, "{query}");
        let found = page["models"].as_array().unwrap().iter();
        let found: Vec<u32> = found.map(|model| text(model, "/id").parse().unwrap()).collect();
        assert_eq!(found, expected, "{query}");
    }
    let (status, page) =
        call(&server, "GET", &format!("{MODELS}?visibility=ALL&limit=1"), Value::Null).await;
    assert_eq!((status, &page["total"]), (200, &json!(4)));
}

#[tokio::test(flavor = "multi_thread")]
async fn fixtures_of_models_and_of_versions_make_up_one_state() {
    let [one, two] = [1, 2].map(|number| format!("{number:032}"));
    let [first, second, third] = [11, 12, 13].map(|number| format!("{number:032}"));
    let of_two = |id: &str, name: &str, time: &str| json!({ "id": id, "name": name, "workspace_id": WORKSPACE, "model_id": two, "create_time": time });
    let fixtures = json!({
        // The version is there with its model.
        "models": [{ "id": one, "workspace_id": WORKSPACE, "current_version": {
            "id": first, "name": "of the model", "config": {}, "cap_white_list": ["ca*"],
        } }],
        // The model and its workspace are there with the versions, the newest of which is current.
        "model-versions": [
            of_two(&second, "older", "2023-05-30T00:00:01.000Z"),
            of_two(&third, "newer", "2023-05-30T00:00:02.000Z"),
        ],
    });
    let server = serve(fixtures, Settings::default()).await;
    let current = async |model: &str| {
        let (_, page) = call(&server, "GET", &format!("{MODELS}?id={model}"), Value::Null).await;
        page["models"][0]["current_version"].clone()
    };
    let (_, page) = call(&server, "GET", &format!("{MODELS}/{one}/versions"), Value::Null).await;
    assert_eq!((&page["total"], &page["versions"][0]), (&1.into(), &current(&one).await));
    assert_eq!(page["versions"][0]["cap_white_list"], json!(["ca*"]));
    assert_eq!(text(&current(&two).await, "/id"), third);
    let versions = format!("{MODELS}/{two}/versions");
    assert_eq!(call(&server, "DELETE", &format!("{versions}/{third}"), Value::Null).await.0, 400);
    for (query, expected) in [
        ("", &["newer", "older"][..]),
        ("?name=olde", &["older"]),
        ("?name=Olde", &[]),
        (&format!("?version_id={third}"), &["newer"]),
        (&format!("?version_id={third}&name=older"), &[]),
        ("?offset=1&limit=1", &["older"]),
    ] {
        let (_, page) = call(&server, "GET", &format!("{versions}{query}"), Value::Null).await;
        let names = page["versions"].as_array().unwrap().iter();
        let names: Vec<_> = names.map(|version| text(version, "/name")).collect();
        assert_eq!(names, expected, "{query}");
    }
    let project: ProjectId = "default".parse().unwrap();
    assert_eq!(server.world().records::<Workspaces>(&project, 0, 1).total, 1);

    for (fixtures, expected) in [
        (json!({ "models": [{ "id": one }] }), "model [0]: workspace_id: must be given"),
        (
            json!({ "model-versions": [{ "workspace_id": "w" }] }),
            "model version [0]: model_id: must be given",
        ),
        (
            json!({ "models": [{ "workspace_id": "w", "current_version": { "id": "short" } }] }),
            "model [0]: current_version.id: must have 32 to 36 characters",
        ),
    ] {
        assert_eq!(Fixtures::parse(&fixtures.to_string()).unwrap_err().to_string(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_careful_service_wants_a_base_model_that_is_there_and_limits_versions() {
    let fixtures = json!({
        "workspaces": [{ "id": WORKSPACE }],
        "base-models": [{ "base_model_type": "LLAMA_3_8B" }],
    });
    let settings = Settings { profile: Profile::Strict, quota: Some(2), ..Settings::default() };
    let server = serve(fixtures, settings).await;
    let (_, page) = call(&server, "GET", "/v1/base-models", Value::Null).await;
    assert_eq!(page["total"], 1);
    assert_eq!(page["models"][0]["base_model_type"], "LLAMA_3_8B");
    let mut body = model("chat");
    body["version"] = version("v1", "LLAMA_3_70B");
    let (status, error) = call(&server, "POST", MODELS, body).await;
    assert_eq!(status, 400);
    let field = "version.config.llm_model_config.base_model_type: must be that of a base model";
    assert!(text(&error, "/error_msg").contains(field), "{error}");
    assert_eq!(kept(&server), [0, 0]);

    let one = text(&call(&server, "POST", MODELS, model("chat")).await.1, "/id");
    let one = format!("{MODELS}/{one}");
    let unknown = json!({ "version": version("v2", "LLAMA_3_70B") });
    assert_eq!(call(&server, "PUT", &one, unknown).await.0, 400);
    let added = call(&server, "PUT", &one, json!({ "version": { "name": "v2" } })).await;
    assert_eq!(added.0, 200);
    // There may be two models, but not a third version, so neither is kept.
    let body = json!({ "name": "talk", "version": { "name": "v3" } });
    let (status, error) = call(&server, "PUT", &one, body).await;
    assert_eq!(status, 429);
    assert!(text(&error, "/error_msg").contains("quota of model versions"));
    assert_eq!(call(&server, "POST", MODELS, model("code")).await.0, 429);
    assert_eq!(kept(&server), [1, 2]);
    assert_eq!(call(&server, "GET", MODELS, Value::Null).await.1["models"][0]["name"], "chat");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_change_counts_as_the_last_one() {
    let server = serve(json!({ "workspaces": [{ "id": WORKSPACE }] }), Settings::default()).await;
    server.clock().freeze();
    let one = text(&call(&server, "POST", MODELS, model("chat")).await.1, "/id");
    let one = format!("{MODELS}/{one}");
    server.clock().advance(std::time::Duration::from_mins(1));
    // No body is the same as an empty one.
    let (status, unchanged) = call(&server, "PUT", &one, Value::Null).await;
    assert_eq!(status, 200);
    assert_eq!(call(&server, "PUT", &one, json!({})).await, (200, unchanged.clone()));
    assert_eq!(unchanged["update_time"], unchanged["create_time"]);
    let (_, changed) = call(&server, "PUT", &one, json!({ "description": "new" })).await;
    assert_eq!(changed["create_time"], unchanged["create_time"]);
    assert!(text(&changed, "/update_time") > text(&unchanged, "/update_time"), "{changed}");
}
