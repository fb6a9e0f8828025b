//! What the mock server does with good requests, and what it says to the letter.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use fabric_client::Client;
use fabric_client::model::access_client::{
    AccessClientCreate, AccessClientStatus, AccessClientUpdate, ListAccessClientsQuery,
};
use fabric_model::health::ShowHealth;
use fabric_model::{ApiError, Nothing, Request};
use fabric_server::{Api, Caller, Limits, MockServer, Profile, Server, Settings};
use serde_json::{Value, json};

use crate::raw::{self, Answer, request};

async fn send(address: std::net::SocketAddr, bytes: Vec<u8>) -> Answer {
    tokio::task::spawn_blocking(move || raw::send(address, &bytes)).await.unwrap()
}

fn sample(status: u16) -> Value {
    let text = match status {
        400 => include_str!("../../../fabric-model/tests/it/examples/400.json"),
        404 => include_str!("../../../fabric-model/tests/it/examples/404.json"),
        408 => include_str!("../../../fabric-model/tests/it/examples/408.json"),
        _ => include_str!("../../../fabric-model/tests/it/examples/500.json"),
    };
    serde_json::from_str(text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn documented_400_and_404_are_served_to_the_letter() {
    let server = MockServer::start().await;
    let wrong_type = raw::json("POST", "/v1/access-clients", b"[]");
    let answer = send(server.address(), wrong_type).await;
    assert_eq!((answer.status, answer.json()), (400, sample(400)));
    let unknown = request("GET", "/v1/access-clients/unknown", "", b"");
    let answer = send(server.address(), unknown).await;
    assert_eq!((answer.status, answer.json()), (404, sample(404)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_is_answered_with_the_documented_408() {
    let limits = Limits { time: Duration::from_millis(100), ..Limits::default() };
    let server = MockServer::start_with(Settings { limits, ..Settings::default() }).await.unwrap();
    let address = server.address();
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = "POST /v1/access-clients HTTP/1.1\r\nHost: localhost\r\n\
            Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{";
        stream.write_all(head.as_bytes()).unwrap();
        raw::read(&mut stream)
    });
    let answer = answer.await.unwrap();
    assert_eq!((answer.status, answer.json()), (408, sample(408)));
    assert!(answer.header("x-request-id").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_answered_with_the_documented_500_and_the_server_lives_on() {
    async fn panics((): (), _: Caller, _: Request<ShowHealth>) -> Result<Nothing, ApiError> {
        panic!("on purpose")
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::start(listener, Api::new(()).operation(panics).into_router()).unwrap();
    for _ in 0..3 {
        let answer = send(server.address(), request("GET", "/healthcheck", "", b"")).await;
        assert_eq!((answer.status, answer.json()), (500, sample(500)));
        assert!(answer.header("x-request-id").is_some());
    }
    let client = crate::http().http2_prior_knowledge().build().unwrap();
    for _ in 0..3 {
        let url = format!("http://{}/healthcheck", server.address());
        let answer = client.get(url).send().await.unwrap();
        assert_eq!((answer.version(), answer.status().as_u16()), (http::Version::HTTP_2, 500));
        let body: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(body, sample(500));
    }
    assert_eq!(server.connections(), 1, "the connection outlives a panic");
}

#[tokio::test(flavor = "multi_thread")]
async fn head_and_options_behave() {
    let server = MockServer::start().await;
    let head = send(server.address(), request("HEAD", "/v1/access-clients", "", b"")).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    let get = send(server.address(), request("GET", "/v1/access-clients", "", b"")).await;
    assert_eq!(head.header("content-length"), get.header("content-length"));
    let options = send(server.address(), request("OPTIONS", "/v1/access-clients/x", "", b"")).await;
    assert_eq!(options.status, 204);
    assert_eq!(options.header("allow"), Some("DELETE, GET, HEAD, OPTIONS, PUT"));
    let unknown = send(server.address(), request("OPTIONS", "/x", "", b"")).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_token_is_accepted() {
    let server = MockServer::start().await;
    let token = format!("X-Auth-Token: {}\r\n", "t".repeat(65_534));
    let answer = send(server.address(), request("GET", "/v1/access-clients", &token, b"")).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn the_clock_moves_an_access_client_through_its_life() {
    let settings = Settings {
        creating_time: Duration::from_secs(5),
        deleting_time: Duration::from_secs(3),
        ..Settings::default()
    };
    let server = MockServer::start_with(settings).await.unwrap();
    server.clock().freeze_at(std::time::UNIX_EPOCH);
    let client = Client::new(server.endpoint()).unwrap();
    let calls = client.access_clients();
    let created = calls.create(AccessClientCreate::default()).await.unwrap();
    assert_eq!(created.status, Some(AccessClientStatus::Creating));
    assert_eq!(created.create_time.as_deref(), Some("1970-01-01T00:00:00.000Z"));
    let id = created.id.unwrap();
    let status = async || calls.show(&id).await.map(|shown| shown.status.unwrap());
    let rename = AccessClientUpdate { name: Some("zzh_test1122".to_owned()) };
    calls.update(&id, rename.clone()).await.unwrap();
    server.clock().advance(Duration::from_millis(4_999));
    assert_eq!(status().await.unwrap(), AccessClientStatus::Creating);
    server.clock().advance(Duration::from_millis(1));
    assert_eq!(status().await.unwrap(), AccessClientStatus::Running);
    calls.delete(&id).await.unwrap();
    assert_eq!(status().await.unwrap(), AccessClientStatus::Deleting);
    server.clock().advance(Duration::from_secs(2));
    // A second delete is left to the first; it does not take longer for that.
    calls.delete(&id).await.unwrap();
    let rejected = calls.update(&id, rename.clone()).await.unwrap_err();
    assert_eq!(rejected.status().unwrap(), 400);
    server.clock().advance(Duration::from_secs(1));
    assert!(status().await.unwrap_err().is_not_found());
    assert!(calls.update(&id, rename).await.unwrap_err().is_not_found());
    assert!(calls.delete(&id).await.unwrap_err().is_not_found());
    assert_eq!(calls.list(ListAccessClientsQuery::default()).await.unwrap().total, Some(0));
}

#[tokio::test]
async fn subnets_of_a_create_are_answered_as_decided() {
    let server = MockServer::start().await;
    let subnets = async |body: Value| {
        let bytes = raw::json("POST", "/v1/access-clients", body.to_string().as_bytes());
        send(server.address(), bytes).await.json()["subnet_ids"].clone()
    };
    let id = "c4d81f6a-2e59-47b3-a0d7-8e6f1b3c9d25";
    assert_eq!(
        subnets(json!({"subnet_id": id, "subnet_ids": ["a", "b"]})).await,
        json!(["a", "b"])
    );
    assert_eq!(subnets(json!({"subnet_id": id, "subnet_ids": []})).await, json!([id]));
    assert_eq!(subnets(json!({"unknown": 1})).await, json!([]));
}

#[tokio::test]
async fn the_strict_profile_wants_more() {
    let settings = Settings { profile: Profile::Strict, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let client = Client::new(server.endpoint()).unwrap();
    let calls = client.access_clients();
    let full = AccessClientCreate {
        name: Some("analytics-1".to_owned()),
        vpc_id: Some("vpc-1".parse().unwrap()),
        subnet_ids: vec!["subnet-1".to_owned()],
        ..AccessClientCreate::default()
    };
    let id = calls.create(full.clone()).await.unwrap().id.unwrap();
    for lacking in [
        AccessClientCreate { name: None, ..full.clone() },
        AccessClientCreate { vpc_id: None, ..full.clone() },
        AccessClientCreate { subnet_ids: Vec::new(), ..full.clone() },
    ] {
        assert_eq!(calls.create(lacking).await.unwrap_err().status().unwrap(), 400);
    }
    let heart = AccessClientUpdate { name: Some("♥".to_owned()) };
    assert_eq!(calls.update(&id, heart).await.unwrap_err().status().unwrap(), 400);
}
