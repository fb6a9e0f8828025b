//! Lists of many records, which are looked through beside the calls.

use std::time::{Duration, UNIX_EPOCH};

use fabric_client::{Client, Retry};
use fabric_model::access_client::{AccessClient, ListAccessClientsQuery};
use fabric_server::{Fixtures, MockServer, Settings};
use serde_json::{Value, json};

use crate::raw;

/// So many that a list is looked through in a thread of its own.
const MANY: usize = 12_000;

fn id(number: usize) -> String {
    // As far from the order of the numbers as can be.
    format!("{:016x}-{number}", (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Many access clients, newest first, a few of them of the same time.
async fn many() -> (MockServer, Vec<(String, String)>) {
    let of = |number: usize| {
        let seconds = 1_000_000 - (number / 5) as u64;
        let time = humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_secs(seconds));
        json!({"id": id(number), "name": format!("client-{number}"), "create_time": time.to_string()})
    };
    let mut numbers: Vec<_> = (0..MANY).collect();
    numbers.sort_by_key(|number| (number / 5, id(*number)));
    let expected = numbers.iter().map(|number| (id(*number), format!("client-{number}"))).collect();
    numbers.sort_by_key(|number| id(*number));
    let records: Vec<_> = numbers.into_iter().map(of).collect();
    let fixtures = Fixtures::parse(&json!({"access-clients": records}).to_string()).unwrap();
    let settings =
        Settings { fixtures, deleting_time: Duration::from_secs(5), ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    server.clock().freeze_at(UNIX_EPOCH + Duration::from_secs(2_000_000));
    (server, expected)
}

async fn check(server: &MockServer, expected: &[(String, String)]) {
    let calls = Client::builder(server.endpoint()).retry(Retry::off()).build().unwrap();
    let known = &expected[expected.len() / 3];
    for (name, id) in [
        (None, None),
        (Some("client-"), None),
        (Some("1199"), None),
        (Some("7"), None),
        (Some("client-11999-"), None),
        (Some(known.1.as_str()), None),
        (None, Some(known.0.as_str())),
        (Some("client"), Some(known.0.as_str())),
        (Some("other"), Some(known.0.as_str())),
        (None, Some("0123456789")),
    ] {
        let fits = |(known, called): &&(String, String)| {
            id.is_none_or(|id| id == known) && name.is_none_or(|part| called.contains(part))
        };
        let fitting: Vec<_> = expected.iter().filter(fits).collect();
        for offset in [0, 1, 63, 64, fitting.len() / 2, fitting.len().saturating_sub(3), MANY] {
            let query = ListAccessClientsQuery {
                offset: offset.try_into().unwrap(),
                limit: 7,
                name: name.map(str::to_owned),
                id: id.map(|id| id.parse().unwrap()),
            };
            let page = calls.access_clients().list(query).await.unwrap();
            assert_eq!(page.total, Some(fitting.len() as u64), "{name:?} {id:?} {offset}");
            let shown =
                |shown: &AccessClient| (shown.id.clone().unwrap(), shown.name.clone().unwrap());
            let shown: Vec<_> = page.access_client_infos.iter().map(shown).collect();
            let wanted: Vec<_> = fitting.iter().copied().skip(offset).take(7).cloned().collect();
            assert_eq!(shown, wanted, "{name:?} {id:?} {offset}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_many_shows_what_looking_at_each_would() {
    let (server, mut expected) = many().await;
    check(&server, &expected).await;
    // Names that change are found by their new part, and those that are deleted not when they are gone.
    let calls = Client::builder(server.endpoint()).retry(Retry::off()).build().unwrap();
    for place in (0..200).map(|place| place * 59) {
        let (id, name) = &mut expected[place];
        *name = format!("client-1199-new-{place}");
        let update = fabric_model::access_client::AccessClientUpdate { name: Some(name.clone()) };
        calls.access_clients().update(&*id, update).await.unwrap();
    }
    let goes = |place: usize| place % 61 < 2 || place / 64 == 3;
    for (_, (id, _)) in expected.iter().enumerate().filter(|(place, _)| goes(*place)) {
        calls.access_clients().delete(id).await.unwrap();
    }
    check(&server, &expected).await;
    server.clock().advance(Duration::from_secs(5));
    let mut place = 0..;
    expected.retain(|_| !goes(place.next().unwrap()));
    check(&server, &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_a_workspace_are_found_among_those_of_others() {
    let job = |number: usize| {
        json!({
            "id": format!("{number:032}"), "workspace_id": format!("workspace-{}", number % 3),
            "name": format!("job-{}", MANY - number), "type": if number.is_multiple_of(2) { "RAY_JOB" } else { "PYTHON_JOB" },
        })
    };
    let fixtures = json!({"jobs": (0..MANY).map(job).collect::<Vec<_>>()}).to_string();
    let fixtures = Fixtures::parse(&fixtures).unwrap();
    let settings = Settings { fixtures, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    for (query, wanted) in [
        ("", (0..MANY).filter(|number| number % 3 == 1).collect::<Vec<_>>()),
        ("name=job-1199", (0..MANY).rev().filter(|number| number % 3 == 1).collect()),
        ("sort_by=NAME&order_by=ASC", (0..MANY).filter(|number| number % 3 == 1).collect()),
        ("type=PYTHON_JOB&name=9", (0..MANY).filter(|number| number % 6 == 1).collect()),
    ] {
        let part = query.split("name=").nth(1).unwrap_or("");
        let mut wanted: Vec<_> = wanted
            .into_iter()
            .map(|number| (format!("job-{}", MANY - number), format!("{number:032}")))
            .filter(|(name, _)| name.contains(part))
            .collect();
        if query.starts_with("sort") {
            wanted.sort();
        }
        let target = format!("/v1/workspaces/workspace-1/jobs?{query}&limit=100");
        let (status, page) = raw::call(&server, "GET", &target, Value::Null).await;
        assert_eq!(status, 200, "{page}");
        assert_eq!(page["total"], wanted.len(), "{query}");
        let shown = page["jobs"].as_array().unwrap();
        assert_eq!(shown.len(), wanted.len().min(100));
        for (place, job) in shown.iter().enumerate() {
            let found = (job["name"].as_str().unwrap(), job["id"].as_str().unwrap());
            assert!(
                wanted.iter().any(|(name, id)| (name.as_str(), id.as_str()) == found),
                "{found:?}"
            );
            if query.starts_with("sort") {
                assert_eq!(found.0, wanted[place].0);
            }
        }
    }
    let other = "/v1/workspaces/workspace-2/jobs?id=00000000000000000000000000000001";
    let (_, page) = raw::call(&server, "GET", other, Value::Null).await;
    assert_eq!(page["total"], 0);
}
