//! Jobs, their versions and the frameworks that they depend on, as callers see them.

use std::net::SocketAddr;

use fabric_model::ProjectId;
use fabric_model::framework::Frameworks;
use fabric_model::job::Jobs;
use fabric_model::job_version::JobVersions;
use fabric_model::workspace::Workspaces;
use fabric_server::{Fixtures, MockServer, Profile, Settings};
use serde_json::{Value, json};

use crate::raw;

const WORKSPACE: &str = "e935d0ef-f4eb-4b95-aff1-9d33ae9f57a6";
const JOBS: &str = "/v1/workspaces/e935d0ef-f4eb-4b95-aff1-9d33ae9f57a6/jobs";

/// Sends a request with a JSON body, or none, and gives the status and the body.
async fn call(server: &MockServer, method: &str, target: &str, body: Value) -> (u16, Value) {
    let request = match &body {
        Value::Null => raw::request(method, target, "", b""),
        body => raw::json(method, target, body.to_string().as_bytes()),
    };
    let address: SocketAddr = server.address();
    let answer = tokio::task::spawn_blocking(move || raw::send(address, &request)).await.unwrap();
    let body = if answer.body.is_empty() { Value::Null } else { answer.json() };
    (answer.status, body)
}

async fn serve(fixtures: Value, settings: Settings) -> MockServer {
    let fixtures = Fixtures::parse(&fixtures.to_string()).unwrap();
    MockServer::start_with(Settings { fixtures, ..settings }).await.unwrap()
}

/// A job as a create asks for it.
fn job(name: &str) -> Value {
    json!({ "name": name, "type": "RAY_JOB", "version": version("v1") })
}

fn version(name: &str) -> Value {
    json!({ "name": name, "config": { "ray_job_config": { "entrypoint": "python main.py" } } })
}

fn text(json: &Value, pointer: &str) -> String {
    json.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// How many records of each kind the mock keeps.
fn kept(server: &MockServer) -> [usize; 2] {
    let project: ProjectId = "default".parse().unwrap();
    let world = server.world();
    [
        world.records::<Jobs>(&project, 0, 1).total,
        world.records::<JobVersions>(&project, 0, 1).total,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_always_has_the_version_that_was_made_current_last() {
    let workspaces = json!({ "workspaces": [{ "id": WORKSPACE }, { "id": "other" }] });
    let server = serve(workspaces, Settings::default()).await;
    let (status, created) = call(&server, "POST", JOBS, job("nightly")).await;
    assert_eq!(status, 202);
    let (id, first) = (text(&created, "/id"), text(&created, "/version_id"));
    let one = format!("{JOBS}/{id}");
    let versions = format!("{one}/versions");
    let current = async || {
        let (_, page) = call(&server, "GET", JOBS, Value::Null).await;
        let version = &page["jobs"][0]["current_version"];
        (text(version, "/id"), text(version, "/name"))
    };
    assert_eq!(current().await, (first.clone(), "v1".to_owned()));

    let (status, answer) = call(&server, "PUT", &one, json!({ "version": version("v2") })).await;
    let second = text(&answer, "/version_id");
    assert_eq!((status, text(&answer, "/id")), (202, id.clone()));
    assert_eq!(current().await, (second.clone(), "v2".to_owned()));
    // A version is added, but another is named.
    let body = json!({ "version": version("v3"), "current_version_id": first });
    let third = text(&call(&server, "PUT", &one, body).await.1, "/version_id");
    assert_eq!(current().await, (first.clone(), "v1".to_owned()));
    assert!(third != first && third != second);

    // The current version stays, and so does what belongs to another job.
    let (status, error) =
        call(&server, "DELETE", &format!("{versions}/{first}"), Value::Null).await;
    assert_eq!(status, 400);
    assert!(text(&error, "/error_msg").contains("version_id: must not be the current version"));
    let other = text(&call(&server, "POST", JOBS, job("hourly")).await.1, "/id");
    let (status, error) =
        call(&server, "PUT", &format!("{JOBS}/{other}"), json!({ "current_version_id": third }))
            .await;
    assert_eq!(status, 400);
    assert!(
        text(&error, "/error_msg").contains("current_version_id: must be a version of the job")
    );
    let elsewhere = format!("/v1/workspaces/other/jobs/{id}");
    for (method, target, body) in [
        ("PUT", elsewhere.clone(), json!({})),
        ("DELETE", elsewhere.clone(), Value::Null),
        ("GET", format!("{elsewhere}/versions"), Value::Null),
        ("DELETE", format!("{elsewhere}/versions/{third}"), Value::Null),
        ("DELETE", format!("{JOBS}/{other}/versions/{third}"), Value::Null),
        ("GET", "/v1/workspaces/gone/jobs".to_owned(), Value::Null),
        ("POST", "/v1/workspaces/gone/jobs".to_owned(), job("nightly")),
        ("GET", "/v1/workspaces/gone/frameworks".to_owned(), Value::Null),
    ] {
        assert_eq!(call(&server, method, &target, body).await.0, 404, "{method} {target}");
    }
    assert_eq!(kept(&server), [2, 4]);

    let deleted = call(&server, "DELETE", &format!("{versions}/{second}"), Value::Null).await;
    assert_eq!(deleted, (202, Value::Null));
    let (_, page) = call(&server, "GET", &versions, Value::Null).await;
    assert_eq!(page["total"], 2);
    assert_eq!(call(&server, "DELETE", &one, Value::Null).await, (200, Value::Null));
    assert_eq!(kept(&server), [1, 1]);
    assert_eq!(call(&server, "GET", JOBS, Value::Null).await.1["jobs"][0]["name"], "hourly");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_found_and_sorted_by_what_they_are() {
    let endpoint = "5b5633ba2b904511ad514346f4d23d45";
    let fixture = |number: u32, name: &str, kind: &str, created: u32, updated: u32| {
        json!({
            "id": format!("{number:032}"), "workspace_id": WORKSPACE, "name": name, "type": kind,
            "create_time": format!("2023-05-30T00:00:0{created}.000Z"),
            "update_time": format!("2023-05-30T00:00:0{updated}.000Z"),
        })
    };
    let mut jobs = vec![
        fixture(1, "b_one", "SPARK_JOB", 1, 9),
        fixture(2, "a_two", "PYTHON_JOB", 2, 2),
        fixture(3, "c_two", "RAY_JOB", 3, 3),
        fixture(4, "a_two", "RAY_JOB", 3, 3),
    ];
    jobs[1]["current_endpoint_id"] = endpoint.into();
    jobs[2]["create_user"] = json!({ "user_id": "somebody" });
    let server = serve(json!({ "jobs": jobs }), Settings::default()).await;
    for (query, expected) in [
        ("", &[3, 4, 2, 1][..]),
        ("?sort_by=CREATE_TIME&order_by=ASC", &[1, 2, 3, 4]),
        ("?order_by=ASC", &[1, 2, 3, 4]),
        ("?sort_by=UPDATE_TIME", &[1, 3, 4, 2]),
        ("?sort_by=UPDATE_TIME&order_by=ASC", &[2, 3, 4, 1]),
        ("?sort_by=NAME", &[3, 1, 4, 2]),
        ("?sort_by=NAME&order_by=ASC", &[4, 2, 1, 3]),
        ("?name=two", &[3, 4, 2]),
        ("?name=Two", &[]),
        ("?name=two&sort_by=NAME&order_by=ASC&offset=1&limit=1", &[2]),
        ("?type=RAY_JOB", &[3, 4]),
        ("?type=SPARK_JOB,PYTHON_JOB", &[2, 1]),
        ("?type=SQL_JOB", &[]),
        ("?type=RAY_JOB&name=c", &[3]),
        ("?id=00000000000000000000000000000002", &[2]),
        (&format!("?endpoint_id={endpoint}"), &[2]),
        ("?create_by_me=true", &[4, 2, 1]),
        ("?create_by_me=false", &[3, 4, 2, 1]),
    ] {
        let (status, page) = call(&server, "GET", &format!("{JOBS}{query}"), Value::Null).await;
        assert_eq!(status, 200, "{query}");
        let found = page["jobs"].as_array().unwrap().iter();
        let found: Vec<u32> = found.map(|job| text(job, "/id").parse().unwrap()).collect();
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fixtures_of_jobs_and_of_versions_make_up_one_state() {
    let [one, two] = [1, 2].map(|number| format!("{number:032}"));
    let [first, second, third] = [11, 12, 13].map(|number| format!("{number:032}"));
    let of_two = |id: &str, time: &str| json!({ "id": id, "workspace_id": WORKSPACE, "job_id": two, "create_time": time });
    let fixtures = json!({
        // The version is there with its job.
        "jobs": [{ "id": one, "workspace_id": WORKSPACE,
            "current_version": { "id": first, "name": "of the job", "config": { "queue": false } } }],
        // The job and its workspace are there with the versions, the newest of which is current.
        "job-versions": [
            of_two(&second, "2023-05-30T00:00:01.000Z"), of_two(&third, "2023-05-30T00:00:02.000Z"),
        ],
        "frameworks": [{ "name": "spark", "version_name": "3.4" }],
    });
    let server = serve(fixtures, Settings::default()).await;
    let current = async |job: &str| {
        let (_, page) = call(&server, "GET", &format!("{JOBS}?id={job}"), Value::Null).await;
        page["jobs"][0]["current_version"].clone()
    };
    let (_, page) = call(&server, "GET", &format!("{JOBS}/{one}/versions"), Value::Null).await;
    assert_eq!((&page["total"], &page["versions"][0]), (&1.into(), &current(&one).await));
    assert_eq!(page["versions"][0]["config"], json!({ "queue": false }));
    assert_eq!(text(&current(&two).await, "/id"), third);
    let current_of_two = format!("{JOBS}/{two}/versions/{third}");
    assert_eq!(call(&server, "DELETE", &current_of_two, Value::Null).await.0, 400);
    let project: ProjectId = "default".parse().unwrap();
    assert_eq!(server.world().records::<Workspaces>(&project, 0, 1).total, 1);
    assert_eq!(server.world().records::<Frameworks>(&project, 0, 1).total, 1);

    for (fixtures, expected) in [
        (json!({ "jobs": [{ "id": one }] }), "job [0]: workspace_id: must be given"),
        (
            json!({ "job-versions": [{ "workspace_id": "w" }] }),
            "job version [0]: job_id: must be given",
        ),
        (
            json!({ "jobs": [{ "workspace_id": "w", "current_version": { "id": "short" } }] }),
            "job [0]: current_version.id: must have 32 to 36 letters, digits or hyphens",
        ),
    ] {
        assert_eq!(Fixtures::parse(&fixtures.to_string()).unwrap_err().to_string(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_careful_service_wants_the_configuration_of_the_type_and_limits_versions() {
    let settings = Settings { profile: Profile::Strict, quota: Some(2), ..Settings::default() };
    let server = serve(json!({ "workspaces": [{ "id": WORKSPACE }] }), settings).await;
    let bare = json!({ "name": "v1", "config": {} });
    let mut body = job("nightly");
    body["version"] = bare.clone();
    let (status, error) = call(&server, "POST", JOBS, body).await;
    assert_eq!(status, 400);
    assert!(text(&error, "/error_msg").contains("version.config.ray_job_config: must be given"));

    let one = text(&call(&server, "POST", JOBS, job("nightly")).await.1, "/id");
    let one = format!("{JOBS}/{one}");
    assert_eq!(call(&server, "PUT", &one, json!({ "version": bare })).await.0, 400);
    let added = call(&server, "PUT", &one, json!({ "version": version("v2") })).await;
    assert_eq!(added.0, 202);
    // There may be two jobs, but not a third version, so neither is kept.
    let (status, error) =
        call(&server, "PUT", &one, json!({ "name": "weekly", "version": version("v3") })).await;
    assert_eq!(status, 429);
    assert!(text(&error, "/error_msg").contains("quota of job versions"));
    assert_eq!(call(&server, "POST", JOBS, job("hourly")).await.0, 429);
    assert_eq!(kept(&server), [1, 2]);
    assert_eq!(call(&server, "GET", JOBS, Value::Null).await.1["jobs"][0]["name"], "nightly");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_change_counts_as_the_last_one() {
    let server = serve(json!({ "workspaces": [{ "id": WORKSPACE }] }), Settings::default()).await;
    server.clock().freeze();
    let one = text(&call(&server, "POST", JOBS, job("nightly")).await.1, "/id");
    let one = format!("{JOBS}/{one}");
    let updated = async || {
        let (_, page) = call(&server, "GET", JOBS, Value::Null).await;
        [text(&page, "/jobs/0/create_time"), text(&page, "/jobs/0/update_time")]
    };
    let [created, at_first] = updated().await;
    assert_eq!(created, at_first);
    server.clock().advance(std::time::Duration::from_mins(1));
    assert_eq!(call(&server, "PUT", &one, json!({})).await.0, 202);
    assert_eq!(updated().await, [created.clone(), at_first]);
    assert_eq!(call(&server, "PUT", &one, json!({ "description": "new" })).await.0, 202);
    let [still, at_last] = updated().await;
    assert!(still == created && at_last > created, "{still} {at_last}");
}
