//! What takes more than one call: lists to their end, waiting, and a create that is not made twice.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fabric_client::model::access_client::{
    AccessClientCreate, AccessClientStatus, ListAccessClientsQuery, ShowAccessClient,
};
use fabric_client::{Client, CreateError, Creation, Error, Retry, Wait, WaitError};
use fabric_server::{MockServer, Settings};
use futures_util::{StreamExt, TryStreamExt};

use crate::script::Script;

fn named(name: &str) -> AccessClientCreate {
    AccessClientCreate { name: Some(name.to_owned()), ..Default::default() }
}

async fn create(client: &Client, name: &str) -> String {
    client.access_clients().create(named(name)).await.unwrap().id.unwrap()
}

fn pages_of(limit: u32) -> ListAccessClientsQuery {
    ListAccessClientsQuery { limit, ..Default::default() }
}

async fn with_records(count: usize) -> (MockServer, Client, Vec<String>) {
    let server = MockServer::start().await;
    server.clock().freeze_at(std::time::UNIX_EPOCH);
    let client = Client::new(server.endpoint()).unwrap();
    let mut ids = Vec::new();
    for number in 0..count {
        server.clock().advance(Duration::from_millis(1));
        ids.insert(0, create(&client, &format!("record-{number}")).await);
    }
    (server, client, ids)
}

async fn all(client: &Client, limit: u32) -> Vec<String> {
    let items = client.access_clients().items(pages_of(limit));
    items.map_ok(|found| found.id.unwrap()).try_collect().await.unwrap()
}

#[tokio::test]
async fn items_are_all_there_is_in_order() {
    let (_server, client, ids) = with_records(7).await;
    for limit in [1, 2, 3, 6, 7, 8, 100] {
        assert_eq!(all(&client, limit).await, ids, "pages of {limit}");
    }
    let sizes: Vec<usize> = client
        .access_clients()
        .pages(pages_of(3))
        .map_ok(|page| page.access_client_infos.len())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(sizes, [3, 3, 1]);
    let (_server, client, _) = with_records(0).await;
    assert_eq!(all(&client, 3).await, Vec::<String>::new());
    assert_eq!(client.access_clients().pages(pages_of(3)).count().await, 1);
}

#[tokio::test]
async fn records_that_come_and_go_are_given_once_and_none_that_stays_is_missed() {
    let (server, client, ids) = with_records(9).await;
    let mut items = pin!(client.access_clients().items(pages_of(3)));
    let mut given = Vec::new();
    for _ in 0..3 {
        given.push(items.try_next().await.unwrap().unwrap().id.unwrap());
    }
    // What comes moves everything down, ...
    server.clock().advance(Duration::from_millis(1));
    create(&client, "newcomer-1").await;
    for _ in 0..2 {
        given.push(items.try_next().await.unwrap().unwrap().id.unwrap());
    }
    // ... and what goes moves everything up, past where the list is.
    for id in [&ids[0], &ids[1]] {
        client.access_clients().delete(id).await.unwrap();
    }
    while let Some(item) = items.try_next().await.unwrap() {
        given.push(item.id.unwrap());
    }
    assert_eq!(given, ids);
}

#[tokio::test]
async fn an_error_ends_the_list() {
    let client = Client::builder("http://127.0.0.1:9").retry(Retry::off()).build().unwrap();
    let mut items = pin!(client.access_clients().items(pages_of(3)));
    assert!(matches!(items.next().await, Some(Err(Error::Connect(_)))));
    assert!(items.next().await.is_none());
}

fn quick() -> Wait<ShowAccessClient> {
    Wait::default().intervals(Duration::from_millis(10), Duration::from_millis(20))
}

#[tokio::test]
async fn waits_until_it_runs_and_until_it_is_deleted() {
    let (creating_time, deleting_time) = (Duration::from_hours(1), Duration::from_hours(1));
    let settings = Settings { creating_time, deleting_time, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let client = Client::new(server.endpoint()).unwrap();
    let id = create(&client, "slow").await;
    // By the server's clock each poll takes 25 minutes.
    let polls = Arc::new(AtomicUsize::new(0));
    let (counter, clock) = (polls.clone(), server.clock().clone());
    let observing = quick().observe(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        clock.advance(Duration::from_mins(25));
    });
    let calls = client.access_clients();
    let running = calls.wait_until_running(&id, observing.clone()).await.unwrap();
    assert_eq!(running.status, Some(AccessClientStatus::Running));
    assert_eq!(polls.load(Ordering::SeqCst), 4);
    // It is not deleted as long as nobody deletes it.
    let impatient = quick().timeout(Duration::from_secs(2));
    let error = calls.wait_until_deleted(&id, impatient).await.unwrap_err();
    // On a busy machine the last look may be cut off, and is the source then.
    let WaitError::TimedOut { waited, last, .. } = error else { panic!("{error:?}") };
    assert!(waited >= Duration::from_secs(2), "{waited:?}");
    assert_eq!(last.unwrap().status, Some(AccessClientStatus::Running));
    calls.delete(&id).await.unwrap();
    // While it is deleted it will not run, and afterwards it is gone.
    let error = calls.wait_until_running(&id, quick()).await.unwrap_err();
    assert!(matches!(error, WaitError::Failed { status: AccessClientStatus::Deleting, .. }));
    calls.wait_until_deleted(&id, observing).await.unwrap();
    let error = calls.wait_until_running(&id, quick()).await.unwrap_err();
    assert!(matches!(&error, WaitError::Call(error) if error.is_not_found()), "{error:?}");
    let error = calls.wait_until_running("a/b", quick()).await.unwrap_err();
    assert!(matches!(error, WaitError::Call(Error::Invalid(_))), "{error:?}");
}

fn answer(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_status_that_leads_nowhere_ends_the_wait_and_an_outage_does_not() {
    let failed = answer(r#"{"status": "CREATE_FAIL"}"#);
    let client = Client::new(Script::start([failed.as_str(); 2]).endpoint()).unwrap();
    let error = client.access_clients().wait_until_running("x", quick()).await.unwrap_err();
    assert_eq!(error.to_string(), "the access client is CREATE_FAIL");
    let (creating, running) =
        (answer(r#"{"status": "CREATING"}"#), answer(r#"{"status": "RUNNING"}"#));
    let missing = "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 47\r\n\r\n\
        {\"error_code\":\"common.01000001\",\"error_msg\":\"\"}";
    let undone = Client::new(Script::start([creating.as_str(), missing]).endpoint()).unwrap();
    let error = undone.access_clients().wait_until_running("x", quick()).await.unwrap_err();
    assert!(matches!(error, WaitError::RolledBack { .. }), "{error:?}");
    let outage = "HTTP/1.1 500 Oops\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let script = Script::start([creating.as_str(), outage, outage, running.as_str()]);
    let client = Client::builder(script.endpoint()).retry(Retry::off()).build().unwrap();
    client.access_clients().wait_until_running("x", quick()).await.unwrap();
    // An outage that lasts is told.
    let closed = Client::builder("http://127.0.0.1:9").retry(Retry::off()).build().unwrap();
    let impatient = quick().timeout(Duration::from_millis(50));
    let error = closed.access_clients().wait_until_running("x", impatient).await.unwrap_err();
    let WaitError::TimedOut { source: Some(Error::Connect(_)), .. } = error else {
        panic!("{error:?}")
    };
}

#[tokio::test]
async fn a_wait_is_over_in_time_although_a_look_hangs() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let client = Client::new(&endpoint).unwrap();
    let started = std::time::Instant::now();
    let wait = quick().timeout(Duration::from_millis(1_500));
    let error = client.access_clients().wait_until_running("x", wait).await.unwrap_err();
    assert!(matches!(error, WaitError::TimedOut { source: Some(_), .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_list_that_never_ends_is_ended() {
    // Every page is full and the same, whatever is asked for.
    let page = answer(r#"{"access_client_infos": [{"id": "a"}, {"id": "b"}], "total": 9}"#);
    // Totals that differ from one answer to the next would lead back and forth.
    let other = answer(r#"{"access_client_infos": [{"id": "a"}, {"id": "b"}], "total": 4}"#);
    for answers in
        [[page.as_str(); 30], std::array::from_fn(|n| if n % 2 == 0 { &*page } else { &*other })]
    {
        let client = Client::new(Script::start(answers).endpoint()).unwrap();
        let items = client.access_clients().items(pages_of(2));
        let outcome: Result<Vec<_>, _> = items.try_collect().await;
        assert!(matches!(outcome, Err(Error::Unexpected { .. })), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_found() {
    let none = answer(r#"{"access_client_infos": [{"id": "old", "name": "mine", "vpc_id": "v"}]}"#);
    let created = r#"{"access_client_infos": [{"id": "old", "name": "mine", "vpc_id": "v"},
        {"id": "other", "name": "mine", "vpc_id": "w"}, {"id": "near", "name": "mine-2"},
        {"id": "new", "name": "mine", "vpc_id": "v"}]}"#;
    let created = answer(created);
    let lost = "";
    let body = AccessClientCreate { vpc_id: Some("v".parse().unwrap()), ..named("mine") };
    let create = async |answers: [&str; 3]| {
        let client = Client::new(Script::start(answers).endpoint()).unwrap();
        client.access_clients().create_or_find(body.clone()).await
    };
    let Ok(Creation::Found(found)) = create([&none, lost, &created]).await else { panic!() };
    assert_eq!(found.id.as_deref(), Some("new"));
    // Nothing new: the error is that of the create, and whether it took place is not known.
    let error = create([&none, lost, &none]).await.unwrap_err();
    let is_lost = matches!(error.error(), Error::Interrupted(_));
    assert!(error.is_in_doubt() && is_lost, "{error:?}");
    // What was rejected was not created.
    let rejected = "HTTP/1.1 400 Bad\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let error = create([&none, rejected, &created]).await.unwrap_err();
    assert_eq!(error.status().unwrap(), 400);
    let told = answer(r#"{"id": "new"}"#);
    let Ok(Creation::Created(_)) = create([&none, &told, ""]).await else { panic!() };
    // Without a first list nothing is created, so nothing is in doubt.
    let outage = "HTTP/1.1 500 Oops\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let error = create([outage, outage, outage]).await.unwrap_err();
    assert!(matches!(error, CreateError::Lookup(_)) && !error.is_in_doubt(), "{error:?}");
    assert_eq!(error.status().unwrap(), 500);
    assert!(error.is_retryable() && matches!(Error::from(error), Error::Rejected(_)));
    let nameless = Client::new("http://127.0.0.1:9").unwrap();
    let nameless = nameless.access_clients().create_or_find(AccessClientCreate::default()).await;
    assert!(matches!(nameless, Err(CreateError::Call(Error::Invalid(_)))));
}
