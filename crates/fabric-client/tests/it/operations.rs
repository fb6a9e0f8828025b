//! Operations that the client knows nothing about, declared here: lists, waits, reads by POST, and a project in
//! the path.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use fabric_client::model::{
    Example, Identified, Nothing, Operation, Page, Paging, Parameters, Payload, ProjectId, Request,
    Resource, Stateful,
};
use fabric_client::{
    Client, Credentials, CredentialsProvider, Error, Progress, ProvidedCredentials, Retry, Wait,
    WaitError,
};
use futures_util::{StreamExt, TryStreamExt};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::script::Script;

struct Things;

impl Resource for Things {
    const NAME: &'static str = "things";
    const SINGULAR: &'static str = "thing";
    const DESCRIPTION: &'static str = "Things";
    const ID_PARAMETER: Option<&'static str> = None;

    type Answer = Thing;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
struct Thing {
    id: Option<String>,
    status: Option<String>,
}

impl Payload for Thing {}

impl Identified for Thing {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl Stateful for Thing {
    type Status = String;

    fn status(&self) -> Option<&String> {
        self.status.as_ref()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
struct ThingPage {
    things: Vec<Thing>,
    total: Option<u64>,
}

impl Payload for ThingPage {}

impl Page for ThingPage {
    type Item = Thing;

    fn items(&mut self) -> &mut Vec<Thing> {
        &mut self.things
    }

    fn total(&self) -> Option<u64> {
        self.total
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, IntoParams)]
struct ThingQuery {
    offset: u32,
    limit: u32,
}

impl Parameters for ThingQuery {}

impl Paging for ThingQuery {
    fn offset(&self) -> u32 {
        self.offset
    }

    fn limit(&self) -> u32 {
        self.limit
    }

    fn set_offset(&mut self, offset: u32) {
        self.offset = offset;
    }

    fn set_limit(&mut self, limit: u32) {
        self.limit = limit;
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, IntoParams)]
struct OfProject {
    project_id: String,
}

impl Parameters for OfProject {}

/// Declares an operation of things.
macro_rules! operation {
    ($name:ident, $method:ident, $path:literal, $project:expr, $reads:literal,
        $path_type:ty, $query:ty => $response:ty) => {
        #[derive(Clone, Debug, PartialEq)]
        struct $name;

        impl Operation for $name {
            const ID: &'static str = stringify!($name);
            const METHOD: Method = Method::$method;
            const PATH: &'static str = $path;
            const SUCCESS: StatusCode = StatusCode::OK;
            const ACTION: Option<&'static str> = None;
            const SUMMARY: &'static str = "";
            const DESCRIPTION: &'static str = "";
            const PROJECT_PARAMETER: Option<&'static str> = $project;
            const ONLY_READS: bool = $reads;

            type Resource = Things;
            type Path = $path_type;
            type Query = $query;
            type Body = Nothing;
            type Response = $response;

            fn example() -> Example<Self> {
                unreachable!("nobody asks for it")
            }
        }
    };
}

operation!(ShowThing, GET, "/v1/thing", None, true, Nothing, Nothing => Thing);
operation!(ListThings, GET, "/v1/things", None, true, Nothing, ThingQuery => ThingPage);
operation!(CreateThing, POST, "/v1/things", None, false, Nothing, Nothing => Thing);
operation!(FilterThings, POST, "/v1/{project_id}/things/filter",
    Some("project_id"), true, OfProject, ThingQuery => ThingPage);

const SHOW: Request<ShowThing> = Request { path: Nothing {}, query: Nothing {}, body: Nothing {} };
const LOST: &str = "";

fn list(limit: u32) -> Request<ListThings> {
    Request { path: Nothing {}, query: ThingQuery { offset: 0, limit }, body: Nothing {} }
}

fn filter(project: &str) -> Request<FilterThings> {
    let path = OfProject { project_id: project.to_owned() };
    Request { path, query: ThingQuery { offset: 0, limit: 2 }, body: Nothing {} }
}

fn answer(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn client(script: &Script) -> Client {
    let retry = Retry::default().delays(Duration::from_millis(1), Duration::from_millis(2));
    Client::builder(script.endpoint()).retry(retry).build().unwrap()
}

/// The request lines, without the version.
fn targets(script: &Script) -> Vec<String> {
    let line = |request: &String| {
        let mut words = request.split(' ').map(str::to_owned);
        format!("{} {}", words.next().unwrap(), words.next().unwrap())
    };
    script.requests().iter().map(line).collect()
}

#[tokio::test]
async fn any_list_is_read_to_its_end() {
    let first = answer(r#"{"things": [{"id": "a"}, {"id": "b"}], "total": 4}"#);
    // Another was created meanwhile, so one is on both pages.
    let second = answer(r#"{"things": [{"id": "b"}, {"id": "c"}], "total": 5}"#);
    let third = answer(r#"{"things": [{"id": "d"}], "total": 5}"#);
    let script = Script::start([&*first, &*second, &*third]);
    let items: Vec<Thing> = client(&script).items(list(2)).try_collect().await.unwrap();
    let ids: Vec<&str> = items.iter().filter_map(Thing::id).collect();
    assert_eq!(ids, ["a", "b", "c", "d"]);
    let expected = [0, 2, 4].map(|offset| format!("GET /v1/things?offset={offset}&limit=2"));
    assert_eq!(targets(&script), expected);

    // A POST that only reads lists as well.
    let script = Script::start([&*first, &*third]);
    let pages: Vec<ThingPage> = client(&script).pages(filter("p")).try_collect().await.unwrap();
    assert_eq!(pages.len(), 2);
    let expected = [0, 2].map(|offset| format!("POST /v1/p/things/filter?offset={offset}&limit=2"));
    assert_eq!(targets(&script), expected);
}

#[tokio::test]
async fn items_without_ids_are_all_returned_and_end() {
    let full = answer(r#"{"things": [{"status": "A"}, {"status": "A"}]}"#);
    let other = answer(r#"{"things": [{"status": "A"}, {"status": "B"}]}"#);
    let empty = answer(r#"{"things": []}"#);
    let script = Script::start([&*full, &*other, &*empty]);
    let items: Vec<Thing> = client(&script).items(list(2)).try_collect().await.unwrap();
    assert_eq!(items.len(), 4);
    assert_eq!(client(&Script::start([&*empty])).pages(list(2)).count().await, 1);
    // A service that knows no offset would answer the same page for ever.
    let script = Script::start([&*full; 30]);
    let outcome: Result<Vec<Thing>, Error> = client(&script).items(list(2)).try_collect().await;
    assert!(matches!(outcome, Err(Error::Unexpected { .. })), "{outcome:?}");
}

#[tokio::test]
async fn pages_that_come_round_again_end_the_list() {
    // Three pages without ids, of a service that does not know the offset.
    let page = |status: &str| {
        answer(&format!(r#"{{"things": [{{"status": "A"}}, {{"status": "{status}"}}]}}"#))
    };
    let pages = ["A", "B", "C"].map(page);
    let script = Script::start::<200>(std::array::from_fn(|at| &*pages[at % 3]));
    let outcome: Result<Vec<Thing>, Error> = client(&script).items(list(2)).try_collect().await;
    assert!(matches!(outcome, Err(Error::Unexpected { .. })), "{outcome:?}");
    assert!(script.requests().len() < 100);
}

#[tokio::test]
async fn a_list_ends_at_its_total() {
    let page =
        |items: &str, total: u64| answer(&format!(r#"{{"things": [{items}], "total": {total}}}"#));
    let full = page(r#"{"id": "a"}, {"id": "b"}"#, 2);
    let script = Script::start([&*full]);
    let things: Vec<Thing> = client(&script).items(list(2)).try_collect().await.unwrap();
    assert_eq!((things.len(), script.requests().len()), (2, 1));
    // Nor are items without ids asked for beyond it.
    let unnamed = page(r#"{"status": "A"}, {"status": "B"}"#, 2);
    let script = Script::start([&*unnamed]);
    assert_eq!(client(&script).pages(list(2)).count().await, 1);
    // At a hundred the service may have stopped counting.
    let items = |range: std::ops::Range<u32>| {
        range.map(|id| format!(r#"{{"id": "{id}"}}"#)).collect::<Vec<_>>().join(",")
    };
    let script = Script::start([&*page(&items(0..100), 100), &*page(&items(100..101), 100)]);
    let things: Vec<Thing> = client(&script).items(list(100)).try_collect().await.unwrap();
    assert_eq!(things.len(), 101);
}

#[tokio::test]
async fn a_page_longer_than_asked_for_is_unexpected() {
    let long = answer(r#"{"things": [{"id": "a"}, {"id": "b"}, {"id": "c"}]}"#);
    let mut items = client(&Script::start([&*long])).items(list(2)).boxed();
    let error = items.try_next().await.unwrap_err();
    assert!(error.to_string().ends_with("a page has 3 items in place of 2"), "{error}");
    assert!(items.next().await.is_none());
}

/// A server that answers every request with the page of its number, and the number of requests so far.
fn endless(page: impl Fn(u32) -> String + Send + 'static) -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicU32::new(0));
    let counter = requests.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // A request is short enough to come at once.
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let number = counter.fetch_add(1, Ordering::SeqCst);
            stream.write_all(answer(&page(number)).as_bytes()).ok();
        }
    });
    (endpoint, requests)
}

#[tokio::test]
async fn a_list_that_goes_on_for_ever_ends() {
    const PAGE: u32 = 50_000;
    let of = |thing: fn(u32) -> String, rest: &'static str| {
        move |number: u32| {
            let things = (number * PAGE..(number + 1) * PAGE).map(thing).collect::<Vec<_>>();
            format!(r#"{{"things":[{}]{rest}}}"#, things.join(","))
        }
    };
    let with_id = |number: u32| format!(r#"{{"id":"{number}"}}"#);
    let without_id = |number: u32| format!(r#"{{"status":"{number}"}}"#);
    for (thing, rest) in [
        (with_id as fn(u32) -> String, ""),
        (without_id, ""),
        // The total is never reached, or may be where the service stopped counting.
        (with_id, r#","total":4000000000"#),
        (without_id, r#","total":100"#),
    ] {
        let (endpoint, requests) = endless(of(thing, rest));
        let client = Client::builder(&endpoint).build().unwrap();
        let mut pages = client.pages(list(PAGE)).boxed();
        let error = loop {
            match pages.try_next().await {
                Ok(page) => assert_eq!(page.unwrap().things.len(), PAGE as usize),
                Err(error) => break error,
            }
        };
        let said = "the list has more than 2000000 items";
        assert!(error.to_string().ends_with(said), "{error}");
        assert!(pages.next().await.is_none());
        assert_eq!(requests.load(Ordering::SeqCst), 41);
    }
}

#[tokio::test]
async fn a_body_that_would_take_much_more_memory_is_not_read() {
    let bomb = |opening: &str, value: &str, closing: &str| {
        answer(&format!("{opening}{}{closing}", vec![value; 150_000].join(",")))
    };
    for bomb in [
        bomb(r#"{"things":["#, "{}", "]}"),
        bomb(r#"{"unknown":["#, "[]", r#"],"things":[]}"#),
        // With a null, it would be read as a tree.
        bomb(r#"{"total":null,"unknown":["#, r#"{"":0}"#, r#"],"things":[]}"#),
        bomb(r#"{"text":"\"","unknown":["#, "[]", r#"],"things":[]}"#),
    ] {
        let error = client(&Script::start([&*bomb])).send(&list(2)).await.unwrap_err();
        assert!(error.to_string().ends_with("the body has more than 200000 values"), "{error}");
    }
    // Texts may hold what they want.
    let text = answer(&format!(r#"{{"things":[{{"status":"{}"}}]}}"#, "{[,\\\"".repeat(60_000)));
    client(&Script::start([&*text])).send(&list(2)).await.unwrap();
}

#[tokio::test]
async fn a_wait_on_a_hostile_service_ends_at_its_timeout() {
    // Each answer is whole, and tells something new.
    let (endpoint, _) = endless(|number| format!(r#"{{"id":"{number}","status":"CREATING"}}"#));
    let client = Client::builder(&endpoint).build().unwrap();
    let wait = quick().timeout(Duration::from_millis(300));
    let error = client.wait_until(&SHOW, wait, judge).await.unwrap_err();
    assert!(matches!(error, WaitError::TimedOut { last: Some(_), .. }), "{error:?}");
    // The answer never ends, so the one call that is made ends a second later, as does every try of it.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let client = Client::builder(&endpoint).timeout(Duration::from_hours(1)).build().unwrap();
    let wait = quick().timeout(Duration::from_millis(300));
    let started = Instant::now();
    let error = client.wait_until(&SHOW, wait, judge).await.unwrap_err();
    assert!(matches!(error, WaitError::TimedOut { last: None, source: Some(_), .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(50), "{:?}", started.elapsed());
}

fn quick() -> Wait<ShowThing> {
    Wait::default().intervals(Duration::from_millis(1), Duration::from_millis(2))
}

#[expect(clippy::ptr_arg, reason = "a status is a `String` here")]
fn judge(status: &String) -> Progress {
    match status.as_str() {
        "RUNNING" => Progress::Reached,
        "CREATING" | "UPDATING" => Progress::Pending,
        _ => Progress::Failed,
    }
}

#[tokio::test]
async fn any_resource_with_a_status_is_waited_for() {
    let is = |status: &str| answer(&format!(r#"{{"status": "{status}"}}"#));
    let missing = "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 47\r\n\r\n\
        {\"error_code\":\"common.01000001\",\"error_msg\":\"\"}";
    let wait = async |answers: [&str; 3]| {
        client(&Script::start(answers)).wait_until(&SHOW, quick(), judge).await
    };
    let (creating, updating, failed) = (is("CREATING"), is("UPDATING"), is("CREATE_FAILED"));
    let running = is("RUNNING");
    let shown = wait([&creating, &updating, &running]).await.unwrap();
    assert_eq!(shown.status.as_deref(), Some("RUNNING"));
    let error = wait([&creating, &failed, LOST]).await.unwrap_err();
    assert_eq!(error.to_string(), "the thing is CREATE_FAILED");
    assert!(matches!(error, WaitError::Failed { status, .. } if status == "CREATE_FAILED"));
    let error = wait([&creating, missing, LOST]).await.unwrap_err();
    assert!(error.to_string().starts_with("the thing is gone"), "{error}");
    assert!(matches!(error, WaitError::RolledBack { .. }), "{error:?}");
    let error = wait([missing, LOST, LOST]).await.unwrap_err();
    assert!(matches!(&error, WaitError::Call(error) if error.is_not_found()), "{error:?}");
    let error = wait([&answer("{}"), LOST, LOST]).await.unwrap_err();
    assert_eq!(error.to_string(), "the thing has no status");

    let script = Script::start([&*is("DELETING"), missing]);
    let pending = |_: &String| Progress::Pending;
    client(&script).wait_until_gone(&SHOW, quick(), pending).await.unwrap();
    let script = Script::start([&*is("DELETE_FAILED")]);
    let gone = client(&script).wait_until_gone(&SHOW, quick(), judge).await;
    assert_eq!(gone.unwrap_err().to_string(), "the thing is DELETE_FAILED");
}

#[tokio::test]
async fn a_post_that_only_reads_is_repeated_in_doubt() {
    let page = answer(r#"{"things": []}"#);
    let script = Script::start([LOST, LOST, &*page]);
    client(&script).send(&filter("p")).await.unwrap();
    assert_eq!(script.requests().len(), 3);
    // Any other POST is not,
    let script = Script::start([LOST, &*page]);
    let create = Request::<CreateThing> { path: Nothing {}, query: Nothing {}, body: Nothing {} };
    let error = client(&script).send(&create).await.unwrap_err();
    assert!(error.is_in_doubt() && script.requests().len() == 1, "{error:?}");
    // and of a request that is no operation only the method is known.
    let script = Script::start([LOST, &*page]);
    let request = http::Request::post("/v1/p/things/filter?offset=0&limit=2");
    let error = client(&script).execute(request.body(bytes::Bytes::new()).unwrap()).await;
    assert!(error.unwrap_err().is_in_doubt() && script.requests().len() == 1);
}

#[derive(Debug)]
struct OneProject;

impl CredentialsProvider for OneProject {
    fn provide(&self) -> ProvidedCredentials<'_> {
        let project = "of-provider".parse::<ProjectId>();
        Box::pin(async { Ok(Credentials::token("t")?.with_project_id(project?)) })
    }
}

#[tokio::test]
async fn a_path_takes_the_project_of_the_client() {
    let of_key = Credentials::access_key("A", "S").unwrap();
    let of_key = of_key.with_project_id("of-key".parse().unwrap());
    let of_builder: ProjectId = "of-builder".parse().unwrap();
    let page = answer(r#"{"things": []}"#);
    let script = Script::start([&*page; 3]);
    let builder = || Client::builder(script.endpoint());
    for (builder, expected) in [
        (builder().credentials(of_key.clone()).project_id(of_builder), "of-builder"),
        (builder().credentials(of_key), "of-key"),
        (builder().credentials_provider(OneProject), "of-provider"),
    ] {
        let client = builder.build().unwrap();
        let project = client.project_id().await.unwrap();
        client.send(&filter(project.as_str())).await.unwrap();
        let target = format!("POST /v1/{expected}/things/filter?offset=0&limit=2");
        assert_eq!(targets(&script), [target]);
    }
    let error = builder().build().unwrap().project_id().await.unwrap_err();
    assert!(error.to_string().contains("project_id: must be set"), "{error}");
}
