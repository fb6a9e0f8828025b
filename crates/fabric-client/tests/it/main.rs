//! The client against the real server, and against what is no server at all.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use fabric_client::model::access_client::{
    AccessClientCreate, AccessClientUpdate, ListAccessClientsQuery,
};
use fabric_client::{Client, Error};
use fabric_server::MockServer;

#[tokio::test]
async fn the_calls_create_list_show_rename_and_delete() {
    let server = MockServer::start().await;
    let client = Client::new(server.endpoint()).unwrap();
    client.show_health().await.unwrap();
    let calls = client.access_clients();
    let create = AccessClientCreate { name: Some("analytics-1".into()), ..Default::default() };
    let id = calls.create(create).await.unwrap().id.unwrap();
    calls.update(&id, AccessClientUpdate { name: Some("zzh_test1122".into()) }).await.unwrap();
    assert_eq!(calls.show(&id).await.unwrap().name.as_deref(), Some("zzh_test1122"));
    let query = ListAccessClientsQuery { name: Some("zzh_".into()), ..Default::default() };
    assert_eq!(calls.list(query).await.unwrap().total, Some(1));
    calls.delete(&id).await.unwrap();
    let gone = calls.show(&id).await.unwrap_err();
    assert!(gone.is_not_found());
    assert_eq!(
        gone.to_string(),
        "refused: 404 common.01000001: response status exception, code: 404"
    );
    assert!(gone.request_id().unwrap().ends_with("-localhost"));
}

#[tokio::test]
async fn the_longest_token_crosses_http_1_and_http_2() {
    let server = MockServer::start().await;
    for builder in [
        reqwest::Client::builder().http1_only(),
        reqwest::Client::builder().http2_prior_knowledge(),
    ] {
        let http = builder.no_proxy().build().unwrap();
        let client = Client::builder(server.endpoint()).http_client(http);
        let client = client.auth_token("t".repeat(65_534)).build().unwrap();
        client.access_clients().create(AccessClientCreate::default()).await.unwrap();
    }
}

#[tokio::test]
async fn what_breaks_the_contract_is_not_sent() {
    // Nobody listens there, so anything sent would be another error.
    let client = Client::new("http://127.0.0.1:9").unwrap();
    let calls = client.access_clients();
    for id in ["..", "a/b", ""] {
        assert!(matches!(calls.show(id).await, Err(Error::Invalid(_))), "{id}");
    }
    let error =
        calls.update("x", AccessClientUpdate { name: Some(String::new()) }).await.unwrap_err();
    assert_eq!(error.to_string(), "the request was not sent: name: must have 1 to 64 characters");
    let query = ListAccessClientsQuery { limit: 101, ..Default::default() };
    assert!(matches!(calls.list(query).await, Err(Error::Invalid(_))));
}

/// Answers one connection with these bytes, after reading what came, then closes it.
fn answer_once(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // The request is short enough to come at once.
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        stream.write_all(answer).unwrap();
    });
    endpoint
}

async fn show(answer: &'static [u8]) -> Error {
    let client = Client::new(&answer_once(answer)).unwrap();
    client.access_clients().show("x").await.unwrap_err()
}

#[tokio::test]
async fn errors_tell_how_far_the_request_came() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = Client::new(&format!("http://{closed}")).unwrap();
    assert!(matches!(client.show_health().await, Err(Error::Connect(_))));

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let client = Client::builder(&endpoint).timeout(Duration::from_millis(100)).build().unwrap();
    assert!(matches!(client.show_health().await, Err(Error::TimedOut(_))));

    assert!(matches!(show(b"").await, Error::Interrupted(_)));
    let cut = show(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await;
    assert!(matches!(cut, Error::Interrupted(_)), "{cut:?}");

    let html = show(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 6\r\n\r\n<html>").await;
    assert_eq!(html.to_string(), "refused: 502: <html>");
    let odd = show(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-request-id: r\r\n\r\n[]").await;
    assert!(matches!(odd, Error::Unexpected { .. }), "{odd:?}");
    assert_eq!(odd.request_id(), Some("r"));
    let moved = show(b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(moved.status().unwrap(), 302);
}

#[test]
fn the_token_is_never_printed_and_bad_settings_are_refused() {
    let builder = Client::builder("http://127.0.0.1:9").auth_token("canary");
    assert!(!format!("{builder:?}").contains("canary"));
    assert!(!format!("{:?}", builder.build().unwrap()).contains("canary"));
    let build = |endpoint: &str, token: String| Client::builder(endpoint).auth_token(token).build();
    for endpoint in ["", "localhost:8080", "ftp://x", "http://x/?a=b", "http://u:canary@x"] {
        let error = build(endpoint, String::new()).unwrap_err();
        assert!(matches!(error, Error::Configuration { .. }), "{endpoint}");
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
    assert!(build("http://x", "t".repeat(65_534)).is_ok());
    for token in ["t".repeat(65_535), "canary\n".to_owned(), "canary é".to_owned()] {
        let error = build("http://x", token).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
