//! What others see of a call: the span with its fields, the interceptor, and the `User-Agent`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fabric_client::{Attempt, Client, Finished, Interceptor, Retry};
use http::HeaderValue;

use crate::log::Log;
use crate::script::Script;

const FAILED: &str = "HTTP/1.1 500 Oops\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
const DONE: &str =
    "HTTP/1.1 200 OK\r\nconnection: close\r\nx-request-id: r-1\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test]
async fn a_span_tells_operation_attempts_status_and_request_id() {
    let log = Log::default();
    let _guard = log.listen();
    let script = Script::start([FAILED, DONE]);
    let retry = Retry::default().delays(Duration::from_millis(1), Duration::from_millis(1));
    let client =
        Client::builder(script.endpoint()).retry(retry).auth_token("canary").build().unwrap();
    client.access_clients().show("x").await.unwrap();
    let log = log.text();
    let closed = log.lines().find(|line| line.contains("close")).unwrap();
    for field in [
        r#"operation="ShowAccessClient""#,
        "method=GET",
        "attempts=2",
        "status=200",
        r#"request_id="r-1""#,
    ] {
        assert!(closed.contains(field), "{field} is not in {closed}");
    }
    assert!(log.contains("retrying") && !log.contains("canary"), "{log}");
}

/// Adds a header to each attempt, and keeps what it has seen.
#[derive(Clone, Default)]
struct Witness(Arc<Mutex<Vec<String>>>);

impl Interceptor for Witness {
    fn before(&self, attempt: &mut Attempt<'_>) {
        attempt.headers.insert("x-trace", HeaderValue::from(attempt.number));
        let operation = attempt.operation.unwrap_or("any");
        let line = format!("{operation} {} {}", attempt.method, attempt.target);
        self.0.lock().unwrap().push(line);
    }

    fn after(&self, finished: &Finished<'_>) {
        assert!(finished.took < Duration::from_mins(1));
        assert_eq!(finished.status.is_none(), finished.error.is_some());
        let (number, status) = (finished.number, finished.status.map(|status| status.as_u16()));
        self.0.lock().unwrap().push(format!("{number}: {status:?} {:?}", finished.request_id));
    }
}

#[tokio::test]
async fn an_interceptor_sees_every_attempt_and_what_it_adds_is_sent() {
    let script = Script::start(["", DONE, DONE]);
    let witness = Witness::default();
    let retry = Retry::default().delays(Duration::from_millis(1), Duration::from_millis(1));
    let client = Client::builder(script.endpoint()).retry(retry).interceptor(witness.clone());
    let client = client.user_agent("my-program/1.2").build().unwrap();
    client.access_clients().show("x").await.unwrap();
    let any = http::Request::get("/v1/other?a=b").body(bytes::Bytes::new()).unwrap();
    client.execute(any).await.unwrap();
    let seen = witness.0.lock().unwrap().clone();
    let shown = "ShowAccessClient GET /v1/access-clients/x";
    let done = r#"Some(200) Some("r-1")"#;
    let (second, first) = (format!("2: {done}"), format!("1: {done}"));
    let expected = [shown, "1: None None", shown, &second, "any GET /v1/other?a=b", &first];
    assert_eq!(seen, expected);
    let requests = script.requests();
    let header =
        |name| requests.iter().map(|request| Script::header(request, name)).collect::<Vec<_>>();
    assert_eq!(header("x-trace"), ["1", "2", "1"]);
    assert!(header("user-agent")[0].starts_with("my-program/1.2 fabric-client/"), "{requests:?}");
}
