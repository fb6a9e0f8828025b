//! The calls, and how far a request came that failed.

use std::net::TcpListener;
use std::time::{Duration, SystemTime};

use fabric_client::model::access_client::{
    AccessClientCreate, AccessClientUpdate, ListAccessClientsQuery,
};
use fabric_client::{Client, Error, Retry};
use fabric_server::{MockServer, Settings, Tls};
use http::Version;

use crate::script::Script;

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
        "rejected: 404 common.01000001: response status exception, code: 404"
    );
    assert!(gone.request_id().unwrap().ends_with("-localhost"));
}

#[tokio::test]
async fn the_longest_token_crosses_http_1_and_http_2_with_and_without_tls() {
    let plain = MockServer::start().await;
    let tls = Some(Tls::self_signed(&[], SystemTime::now()).unwrap());
    let secure = MockServer::start_with(Settings { tls, ..Settings::default() }).await.unwrap();
    let authority = secure.certificate_authority().unwrap().as_bytes();
    let trusting = || {
        let certificate = reqwest::Certificate::from_pem(authority).unwrap();
        crate::http().tls_certs_only([certificate])
    };
    for server in [&plain, &secure] {
        let is_secure = server.endpoint().starts_with("https");
        // With TLS, HTTP/2 is agreed upon; without, it must be known.
        let http_2 = if is_secure { trusting() } else { trusting().http2_prior_knowledge() };
        for (http, version) in
            [(trusting().http1_only(), Version::HTTP_11), (http_2, Version::HTTP_2)]
        {
            let http = http.build().unwrap();
            let probe = http.get(server.endpoint()).send().await.unwrap();
            assert_eq!(probe.version(), version);
            let client = Client::builder(server.endpoint()).http_client(http);
            let client = client.auth_token("t".repeat(65_534)).build().unwrap();
            client.access_clients().create(AccessClientCreate::default()).await.unwrap();
        }
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

#[tokio::test]
async fn a_target_stays_on_the_host_and_below_the_path_of_the_endpoint() {
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    for (before, target, expected) in [
        ("", "/v1/things?a=1", "/v1/things?a=1"),
        ("/", "/v1/things?", "/v1/things?"),
        ("/base", "/v1/things", "/base/v1/things"),
        ("/base/", "/v1/a%2Fb?q=x?y&z=%20|", "/base/v1/a%2Fb?q=x?y&z=%20|"),
        ("", "//evil.example/a", "//evil.example/a"),
        ("", r"/\evil.example/a", "//evil.example/a"),
    ] {
        let script = Script::start([ok]);
        let client = Client::new(&format!("{}{before}", script.endpoint())).unwrap();
        let request = http::Request::get(target).body(bytes::Bytes::new()).unwrap();
        client.execute(request).await.unwrap();
        let sent = script.requests().remove(0);
        assert_eq!(sent.lines().next(), Some(&*format!("GET {expected} HTTP/1.1")), "{target}");
    }
}

async fn show(answer: &str) -> Error {
    let client = Client::builder(Script::start([answer]).endpoint()).retry(Retry::off());
    let client = client.build().unwrap();
    client.access_clients().show("x").await.unwrap_err()
}

#[tokio::test]
async fn errors_tell_how_far_the_request_came() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = Client::new(&format!("http://{closed}")).unwrap();
    assert!(matches!(client.show_health().await, Err(Error::Connect(_))));

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let client = Client::builder(&endpoint)
        .timeout(Duration::from_secs(1))
        .retry(Retry::off())
        .build()
        .unwrap();
    assert!(matches!(client.show_health().await, Err(Error::TimedOut(_))));

    assert!(matches!(show("").await, Error::Interrupted(_)));
    let cut = show("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await;
    assert!(matches!(cut, Error::Interrupted(_)), "{cut:?}");

    let html = show("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 6\r\n\r\n<html>").await;
    assert_eq!(html.to_string(), "rejected: 502: <html>");
    let odd = show("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-request-id: r\r\n\r\n[]").await;
    assert!(matches!(odd, Error::Unexpected { .. }), "{odd:?}");
    assert_eq!(odd.request_id(), Some("r"));
    let moved = show("HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(moved.status().unwrap(), 302);
}
