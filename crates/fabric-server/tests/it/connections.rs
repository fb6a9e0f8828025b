//! How long a connection may wait, and how many there may be.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use fabric_model::access_client::{AccessClient, AccessClients};
use fabric_server::{ConnectionLimits, Fixtures, Limits, MockServer, Settings, Tls};
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

/// The settings of a server with large answers, and the path of one.
fn large_answers() -> (Settings, String) {
    let mut fixtures = Fixtures::default();
    for _ in 0..100 {
        let subnet_ids = vec!["0123456789abcdef".repeat(8); 100];
        let client = AccessClient { subnet_ids, ..AccessClient::default() };
        fixtures.add::<AccessClients>("default".parse().unwrap(), client).unwrap();
    }
    let settings = Settings { fixtures, ..Settings::default() };
    (settings, "/v1/access-clients?limit=100".to_owned())
}

/// A server with large answers that waits a second for who takes them, and the path of one.
async fn with_large_answers() -> (MockServer, String) {
    let (mut settings, path) = large_answers();
    settings.connections = ConnectionLimits { answer: SECOND, ..ConnectionLimits::default() };
    (MockServer::start_with(settings).await.unwrap(), path)
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

/// The value of a metric.
fn metric(server: &MockServer, name: &str) -> u64 {
    let metrics = server.world().metrics();
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is not in {metrics}")).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_a_limit_of_its_own() {
    let limits = ConnectionLimits { per_address: 1, ..ConnectionLimits::default() };
    let server = start(limits).await;
    let address = server.address();
    let mut busy = TcpStream::connect(address).unwrap();
    busy.write_all(b"GET /healthcheck HTTP/1.1\r\n").unwrap();
    until(&server, 1).await;
    let refused = raw::send(address, &request("GET", "/healthcheck", "", b""));
    assert_eq!(refused.status, 503);
    assert_eq!(metric(&server, "fabric_mock_connections"), 1);
    assert_eq!(metric(&server, "fabric_mock_connections_ended{reason=\"refused\"}"), 1);
    busy.write_all(b"Host: localhost\r\n\r\n").unwrap();
    assert_eq!(raw::read(&mut busy).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_have_a_budget_together() {
    let limits = Limits { body: 300_000, bodies: 300_000, ..Limits::default() };
    let server = MockServer::start_with(Settings { limits, ..Settings::default() }).await.unwrap();
    let address = server.address();
    let head = |length: usize| {
        format!(
            "POST /v1/access-clients HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let mut slow = TcpStream::connect(address).unwrap();
    slow.write_all(head(200_000).as_bytes()).unwrap();
    slow.write_all(&vec![b' '; 199_998]).unwrap();
    while metric(&server, "fabric_mock_body_bytes") < 199_998 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let large = [head(200_000).into_bytes(), vec![b' '; 200_000]].concat();
    let send = async |bytes: Vec<u8>| {
        tokio::task::spawn_blocking(move || raw::send(address, &bytes)).await.unwrap()
    };
    let rejected = send(large).await;
    assert_eq!(rejected.status, 503);
    let body = json!({ "error_code": "common.00000503", "error_msg": "service unavailable" });
    assert_eq!(rejected.json(), body);
    assert_eq!(metric(&server, "fabric_mock_bodies_rejected"), 1);
    let small = [head(2).into_bytes(), b"{}".to_vec()].concat();
    assert_eq!(send(small).await.status, 200, "what comes in one piece needs no room");
    slow.write_all(b"{}").unwrap();
    assert_eq!(raw::read(&mut slow).status, 200);
    while metric(&server, "fabric_mock_body_bytes") > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_takes_too_long_is_rejected() {
    let limits = Limits { body_time: Duration::from_millis(100), ..Limits::default() };
    let server = MockServer::start_with(Settings { limits, ..Settings::default() }).await.unwrap();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = "POST /v1/access-clients HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    let answer = tokio::task::spawn_blocking(move || raw::read(&mut stream)).await.unwrap();
    assert_eq!(
        (answer.status, answer.json()["error_code"].as_str()),
        (408, Some("common.00000408"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_takes_have_a_budget_together() {
    let (mut settings, path) = large_answers();
    // An answer is a little more than 1.2 MB.
    settings.connections = ConnectionLimits { answers: 2_000_000, ..ConnectionLimits::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let client = crate::http()
        .http2_prior_knowledge()
        .http2_initial_stream_window_size(1024)
        .build()
        .unwrap();
    let url = format!("{}{path}", server.endpoint());
    let unread = client.get(&url).send().await.unwrap();
    assert_eq!(unread.status(), 200);
    let rejected = client.get(&url).send().await.unwrap();
    assert_eq!(rejected.status(), 503);
    assert!(rejected.headers().contains_key("x-request-id"));
    assert!(rejected.text().await.unwrap().contains("common.00000503"));
    assert_eq!(metric(&server, "fabric_mock_answers_rejected"), 1);
    let small = client.get(format!("{}/healthcheck", server.endpoint())).send().await.unwrap();
    assert_eq!(small.status(), 200);
    drop(unread);
    while metric(&server, "fabric_mock_answer_bytes") > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
}

/// A frame of HTTP/2 for the whole connection.
fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, 0, 0, 0, 0, 0], payload].concat()
}

const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_frames_that_ask_nothing_end_the_connection() {
    let server = MockServer::start().await;
    for flood in [frame(SETTINGS, b""), frame(PING, &[0; 8]), frame(WINDOW_UPDATE, &[0, 0, 0, 1])] {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(&[PREFACE, &frame(SETTINGS, b"")].concat()).unwrap();
        let mut reading = stream.try_clone().unwrap();
        let read = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while matches!(reading.read(&mut buffer), Ok(1..)) {}
        });
        let flood = flood.repeat(100);
        // The test runner ends what is never ended.
        tokio::task::spawn_blocking(move || {
            while stream.write_all(&flood).is_ok() {}
            read.join().unwrap();
        })
        .await
        .unwrap();
    }
    until(&server, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_over_http_2_is_told_how_much_it_may_ask_at_once() {
    const MAX_CONCURRENT_STREAMS: [u8; 2] = [0, 3];
    let limits = ConnectionLimits { streams: 7, ..ConnectionLimits::default() };
    let server = start(limits).await;
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(&[PREFACE, &frame(SETTINGS, b"")].concat()).unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[3], SETTINGS);
    let mut settings = vec![0; usize::from(head[2])];
    stream.read_exact(&mut settings).unwrap();
    let told = settings.chunks(6).find(|setting| setting[..2] == MAX_CONCURRENT_STREAMS);
    assert_eq!(told.unwrap()[2..], [0, 0, 0, 7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_in_pieces_is_understood_over_either_version() {
    let server = MockServer::start().await;
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in [&b"P"[..], b"UT /x HTTP/1.1\r\nHo", b"st: localhost\r\n\r\n"] {
        stream.write_all(piece).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(raw::read(&mut stream).status, 404);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in [&PREFACE[..3], &PREFACE[3..20], &PREFACE[20..], &frame(SETTINGS, b"")] {
        stream.write_all(piece).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut head = [0; 9];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[3], SETTINGS);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_begun_does_not_hold_up_the_end() {
    for tls in [None, Some(Tls::self_signed(&[], std::time::SystemTime::now()).unwrap())] {
        let server = MockServer::start_with(Settings { tls, ..Settings::default() }).await.unwrap();
        let mut silent = TcpStream::connect(server.address()).unwrap();
        until(&server, 1).await;
        // It would wait for a minute; the test runner ends what takes that long.
        let begun = std::time::Instant::now();
        server.shutdown(Duration::from_mins(1)).await;
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert_eq!(silent.read(&mut [0; 64]).unwrap_or_default(), 0);
    }
}
