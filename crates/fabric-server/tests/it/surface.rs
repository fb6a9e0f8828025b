//! What the control surface, and what is around the operations, keeps from whom.

use fabric_server::{Credential, Fixtures, MockServer, Settings};
use serde_json::Value;

use crate::raw::{self, Answer};

async fn send(server: &MockServer, request: Vec<u8>) -> Answer {
    let address = server.address();
    tokio::task::spawn_blocking(move || raw::send(address, &request)).await.unwrap()
}

async fn get(server: &MockServer, target: &str, headers: &str) -> Answer {
    send(server, raw::request("GET", target, headers, b"")).await
}

fn known_caller() -> Settings {
    let credentials = vec![Credential::parse_token("the-token=a-project").unwrap()];
    Settings { credentials, ..Settings::default() }
}

#[tokio::test]
async fn a_fault_by_header_is_for_who_is_let_in() {
    let server = MockServer::start_with(known_caller()).await.unwrap();
    for (headers, status) in [
        ("X-Mock-Fault: 503\r\n", 400),
        ("X-Mock-Fault: 503\r\nX-Auth-Token: other\r\n", 400),
        ("X-Mock-Fault: 503\r\nX-Auth-Token: the-token\r\n", 503),
        ("", 200),
    ] {
        assert_eq!(get(&server, "/healthcheck", headers).await.status, status, "{headers}");
    }
    let open = MockServer::start().await;
    assert_eq!(get(&open, "/healthcheck", "X-Mock-Fault: 503\r\n").await.status, 503);
}

#[tokio::test]
async fn the_journal_keeps_no_secret_of_another_service_and_no_token_of_an_address() {
    let fixtures = r#"{"endpoints": [{"id": "7a6d1e0f4c3b48d29e5f8a7b6c5d4e3f", "name": "ray",
        "workspace_id": "5f7a1bf0-a5c9-421d-8259-a3daef9c5a92",
        "urls": [{"address": "https://example.org", "token": "the-secret"}]}]}"#;
    let fixtures = Fixtures::parse(fixtures).unwrap();
    let server =
        MockServer::start_with(Settings { fixtures, ..Settings::default() }).await.unwrap();
    let secret = ["X-Api-Key", "Api-Key", "X-Vault-Token", "X-Client-Secret", "X-Db-Password"];
    let headers = secret.map(|name| format!("{name}: the-secret\r\n")).concat();
    let headers = headers + "X-Trace: told\r\nX-Idempotency-Key: told\r\n";
    let target = "/v1/workspaces/5f7a1bf0-a5c9-421d-8259-a3daef9c5a92/endpoints/7a6d1e0f4c3b48d29e5f8a7b6c5d4e3f";
    let answer = get(&server, target, &headers).await.json();
    assert_eq!(answer["urls"][0]["token"], "the-secret", "{answer}");
    let journal = get(&server, "/_mock/v1/journal", "").await.json();
    let entry = &journal["entries"][0];
    for name in secret {
        assert_eq!(entry["headers"][name.to_lowercase()], "[redacted]", "{name}");
    }
    for name in ["x-trace", "x-idempotency-key"] {
        assert_eq!(entry["headers"][name], "told");
    }
    assert_eq!(entry["answer"]["urls"][0]["token"], "[redacted]");
    assert_eq!(entry["answer"]["name"], "ray");
    assert!(!journal.to_string().contains("the-secret"), "{journal}");
    // A snapshot restores what callers saw.
    let snapshot: Value = get(&server, "/_mock/v1/snapshot", "").await.json();
    assert!(snapshot.to_string().contains("the-secret"));
}
