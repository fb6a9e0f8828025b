//! How long a connection may wait, and how many there may be.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use fabric_model::access_client::{AccessClient, AccessClients};
use fabric_server::{ConnectionLimits, Fixtures, MockServer, Settings};
use serde_json::json;

use crate::raw::{self, request};

const SECOND: Duration = Duration::from_secs(1);

async fn start(connections: ConnectionLimits) -> MockServer {
    MockServer::start_with(Settings { connections, ..Settings::default() }).await.unwrap()
}

/// Waits until there are so many connections; the test runner ends what never comes.
async fn until(server: &MockServer, connections: usize) {
    while server.connections() != connections {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_takes_too_long_ends_the_connection() {
    let server = start(ConnectionLimits { head: SECOND, ..ConnectionLimits::default() }).await;
    for sent in ["", "GET /v1/access-clients HTTP/1.1\r\nHos"] {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let read = tokio::task::spawn_blocking(move || {
            stream.write_all(sent.as_bytes()).unwrap();
            // Waits for the end.
            stream.read(&mut [0; 64]).unwrap_or_default()
        });
        assert_eq!(read.await.unwrap(), 0, "nothing is answered");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_asks_nothing_more_ends() {
    let limits = ConnectionLimits { idle: SECOND, ..ConnectionLimits::default() };
    let server = start(limits).await;
    let url = format!("{}/v1/access-clients", server.endpoint());
    for client in [crate::http(), crate::http().http2_prior_knowledge()] {
        let client = client.build().unwrap();
        assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
        until(&server, 0).await;
        assert_eq!(client.get(&url).send().await.unwrap().status(), 200, "it may come again");
        until(&server, 0).await;
    }
}

/// A server with large answers, and the path of one.
async fn with_large_answers() -> (MockServer, String) {
    let mut fixtures = Fixtures::default();
    for _ in 0..100 {
        let subnet_ids = vec!["0123456789abcdef".repeat(8); 100];
        let client = AccessClient { subnet_ids, ..AccessClient::default() };
        fixtures.add::<AccessClients>("default".parse().unwrap(), client).unwrap();
    }
    let connections = ConnectionLimits { answer: SECOND, ..ConnectionLimits::default() };
    let settings = Settings { fixtures, connections, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    (server, "/v1/access-clients?limit=100".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_not_waited_for() {
    let (server, path) = with_large_answers().await;
    let mut stream = TcpStream::connect(server.address()).unwrap();
    // More than the system holds for a connection.
    stream.write_all(&get(&path).repeat(50)).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        let is_full = |error: &std::io::Error| error.kind() == ErrorKind::WouldBlock;
        while stream.write_all(b"GET").map_or_else(|error| is_full(&error), |()| true) {
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    ended.await.unwrap();
    until(&server, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_no_room_over_http_2_is_not_waited_for() {
    let (server, path) = with_large_answers().await;
    let client = crate::http()
        .http2_prior_knowledge()
        .http2_initial_stream_window_size(1024)
        .build()
        .unwrap();
    let unread = client.get(format!("{}{path}", server.endpoint())).send().await.unwrap();
    assert_eq!(unread.status(), 200);
    until(&server, 0).await;
    assert!(unread.bytes().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_too_many_takes_the_place_of_an_idle_one_or_is_refused() {
    let server = start(ConnectionLimits { connections: 2, ..ConnectionLimits::default() }).await;
    let address = server.address();
    let connect = || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /healthcheck HTTP/1.1\r\n").unwrap();
        stream
    };
    let mut busy = [connect(), connect()];
    until(&server, 2).await;
    let refused = raw::send(address, &request("GET", "/healthcheck", "", b""));
    assert_eq!(refused.status, 503);
    let body = json!({ "error_code": "common.00000503", "error_msg": "service unavailable" });
    assert_eq!(refused.json(), body);
    // One of them is answered, and idle from then on.
    busy[0].write_all(b"Host: localhost\r\n\r\n").unwrap();
    assert_eq!(raw::read(&mut busy[0]).status, 200);
    // It is idle only once its answer is on its way.
    let answer = loop {
        let answer = raw::send(address, &request("GET", "/healthcheck", "", b""));
        if answer.status != 503 {
            break answer;
        }
    };
    assert_eq!(answer.status, 200);
    assert_eq!(busy[0].read(&mut [0; 64]).unwrap_or_default(), 0, "it had to go");
    busy[1].write_all(b"Host: localhost\r\n\r\n").unwrap();
    assert_eq!(raw::read(&mut busy[1]).status, 200, "the other one did not");
}
