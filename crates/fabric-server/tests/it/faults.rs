//! Every fault as a caller meets it, and what it leaves behind.

use std::io::{ErrorKind, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fabric_client::{Client, Retry};
use fabric_model::access_client::{AccessClientCreate, AccessClients, ListAccessClientsQuery};
use fabric_server::fault::{Delay, Effect, Fault, When, Write};
use fabric_server::{MockServer, Settings, Tls};
use serde_json::{Value, json};

use crate::raw;

/// What came over the wire until it ended; of a call that hangs, until the server has met the fault.
#[derive(Debug, PartialEq)]
struct Wire {
    bytes: Vec<u8>,
    end: End,
    took: Duration,
}

#[derive(Debug, PartialEq)]
enum End {
    Closed,
    Reset,
    Silence,
}

fn exchange(address: SocketAddr, request: &[u8]) -> Wire {
    exchange_with(address, request, false)
}

fn exchange_with(address: SocketAddr, request: &[u8], hangs: bool) -> Wire {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    if hangs {
        wait_for_a_hanging_call(address);
        // Whatever was sent is here by now: the call in the journal is answered, or never is.
        stream.set_nonblocking(true).unwrap();
    }
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    let end = loop {
        match stream.read(&mut buffer) {
            Ok(0) => break End::Closed,
            Ok(length) => bytes.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break End::Reset,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                break End::Silence;
            }
        }
    };
    Wire { bytes, end, took: began.elapsed() }
}

/// Waits until a call that is not answered stands in the journal.
fn wait_for_a_hanging_call(address: SocketAddr) {
    loop {
        let journal = raw::send(address, &raw::request("GET", "/_mock/v1/journal", "", b""));
        let entries = journal.json()["entries"].clone();
        if entries.as_array().unwrap().iter().any(|entry| entry["status"].is_null()) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl Wire {
    fn status(&self) -> Option<u16> {
        let text = std::str::from_utf8(self.bytes.get(9..12)?).ok()?;
        text.parse().ok()
    }

    fn head(&self) -> String {
        let end = self.bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        String::from_utf8(self.bytes[..end].to_vec()).unwrap().to_ascii_lowercase()
    }

    fn body(&self) -> &[u8] {
        let end = self.bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        &self.bytes[end + 4..]
    }

    fn announced(&self) -> usize {
        let head = self.head();
        let line = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        line.unwrap().parse().unwrap()
    }

    fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.body()).ok()
    }
}

/// An effect in JSON, whether the write is kept by default, and what a caller of create sees.
type Row = (Value, bool, fn(&Wire));

fn rows() -> Vec<Row> {
    vec![
        (json!({"then": {"kind": "answer", "status": 408}}), false, |wire| {
            let body =
                json!({"error_code": "common.00000408", "error_msg": "timeout exception occurred"});
            assert_eq!((wire.status(), wire.json()), (Some(408), Some(body)));
        }),
        (
            json!({"then": {"kind": "answer", "status": 401, "error_code": "APIG.0301"}}),
            false,
            |wire| {
                assert_eq!(wire.status(), Some(401));
                assert_eq!(wire.json().unwrap()["error_code"], "APIG.0301");
            },
        ),
        (
            json!({"then": {"kind": "answer", "status": 502, "body": "<html>", "headers": {"Content-Type": "text/html"}}}),
            false,
            |wire| {
                assert_eq!((wire.status(), wire.body()), (Some(502), b"<html>".as_slice()));
                assert!(wire.head().contains("content-type: text/html"));
            },
        ),
        (json!({"then": {"kind": "answer", "status": 599, "body": {"any": [1]}}}), false, |wire| {
            assert_eq!((wire.status(), wire.json()), (Some(599), Some(json!({"any": [1]}))));
        }),
        (json!({"then": {"kind": "answer", "status": 200}}), false, |wire| {
            assert_eq!((wire.status(), wire.announced()), (Some(200), 0));
        }),
        (json!({"then": {"kind": "throttle", "retry_after_seconds": 7}}), false, |wire| {
            assert_eq!(wire.status(), Some(429));
            assert!(wire.head().contains("retry-after: 7"));
            assert_eq!(wire.json().unwrap()["error_code"], "APIG.0308");
        }),
        (json!({"then": {"kind": "reset"}}), false, |wire| {
            assert_eq!((wire.bytes.len(), &wire.end), (0, &End::Reset));
        }),
        (json!({"then": {"kind": "drop"}}), false, |wire| {
            assert_eq!((wire.bytes.len(), &wire.end), (0, &End::Closed));
        }),
        (json!({"then": {"kind": "hang"}}), false, |wire| {
            assert_eq!((wire.bytes.len(), &wire.end), (0, &End::Silence));
        }),
        (json!({"then": {"kind": "truncate"}}), true, |wire| {
            assert_eq!((wire.status(), &wire.end), (Some(200), &End::Closed));
            assert_eq!(wire.body().len(), wire.announced() / 2);
        }),
        (json!({"then": {"kind": "truncate", "bytes": 3}}), true, |wire| {
            assert_eq!((wire.body(), &wire.end), (b"{\"i".as_slice(), &End::Closed));
        }),
        (json!({"then": {"kind": "corrupt"}}), true, |wire| {
            assert_eq!((wire.status(), &wire.end), (Some(200), &End::Closed));
            assert_eq!((wire.body().len(), wire.json()), (wire.announced(), None));
        }),
        (
            json!({"then": {"kind": "trickle", "bytes": 60, "every_milliseconds": 40}}),
            true,
            |wire| {
                assert_eq!(wire.json().unwrap()["name"], "by-fault");
                let pieces = u32::try_from(wire.announced().div_ceil(60)).unwrap();
                assert!(wire.took >= pieces * Duration::from_millis(40), "{:?}", wire.took);
            },
        ),
        (json!({"delay": {"kind": "fixed", "milliseconds": 150}}), true, |wire| {
            assert_eq!(wire.json().unwrap()["name"], "by-fault");
            assert!(wire.took >= Duration::from_millis(150), "{:?}", wire.took);
        }),
        (
            json!({"delay": {"kind": "fixed", "milliseconds": 150}, "then": {"kind": "answer", "status": 500}}),
            false,
            |wire| {
                assert_eq!(wire.status(), Some(500));
                assert!(wire.took >= Duration::from_millis(150), "{:?}", wire.took);
            },
        ),
    ]
}

/// Over HTTP as others do it, by rule and by header, with the write kept, discarded, and left open.
#[tokio::test(flavor = "multi_thread")]
async fn each_fault_is_seen_and_leaves_the_state_as_the_rule_says() {
    let mut tasks = Vec::new();
    for (fault, kept_by_default, sees) in rows() {
        for write in [None, Some("kept"), Some("discarded")] {
            for by_header in [false, true] {
                let mut fault = fault.clone();
                if let Some(write) = write {
                    fault["write"] = json!(write);
                }
                let is_kept = write.map_or(kept_by_default, |write| write == "kept");
                tasks.push(tokio::spawn(async move {
                    let server = MockServer::start().await;
                    let address = server.address();
                    let shown = fault.to_string();
                    let hangs = fault["then"]["kind"] == "hang";
                    let wire = tokio::task::spawn_blocking(move || {
                        let mut headers = "Content-Type: application/json\r\n".to_owned();
                        if by_header {
                            headers = format!("{headers}X-Mock-Fault: {fault}\r\n");
                        } else {
                            let body = fault.to_string();
                            let added = raw::send(
                                address,
                                &raw::json("POST", "/_mock/v1/faults", body.as_bytes()),
                            );
                            assert_eq!(
                                added.status,
                                201,
                                "{}",
                                String::from_utf8_lossy(&added.body)
                            );
                        }
                        let create = raw::request(
                            "POST",
                            "/v1/access-clients",
                            &headers,
                            br#"{"name":"by-fault"}"#,
                        );
                        exchange_with(address, &create, hangs)
                    });
                    let wire = wire.await.unwrap();
                    sees(&wire);
                    let left =
                        server.world().records::<AccessClients>(&"default".parse().unwrap(), 0, 10);
                    assert_eq!(left.total == 1, is_kept, "{shown}, by header: {by_header}");
                    let journal =
                        server.world().journal(&fabric_server::journal::Filter::default());
                    let entry = &journal.entries[0];
                    assert_eq!(entry.status, wire.status(), "{shown}");
                    assert_eq!(entry.fault, Some(u64::from(!by_header)), "{shown}");
                    server.shutdown(Duration::from_secs(2)).await;
                }));
            }
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn short_forms_of_the_header_and_what_is_wrong_with_others() {
    let server = MockServer::start().await;
    let address = server.address();
    let call = |header: &str| {
        let header = format!("X-Mock-Fault: {header}\r\n");
        exchange(address, &raw::request("GET", "/v1/access-clients", &header, b""))
    };
    tokio::task::block_in_place(|| {
        assert_eq!(call("503").status(), Some(503));
        assert_eq!(call("reset").end, End::Reset);
        for (wrong, reason) in [
            ("nonsense", "must be a fault in JSON, a status, or one of"),
            ("418", "then.body: must be given: no failure of the contract has the status"),
            ("999", "then.status: must be from 200 to 599"),
            (r#"{"when":{"times":1},"then":{"kind":"reset"}}"#, "`when` is this very call"),
            ("{}", "then: must be given, or a delay or an outcome"),
        ] {
            let wire = call(wrong);
            let message = wire.json().unwrap()["error_msg"].as_str().unwrap().to_owned();
            assert!(message.contains(&format!("X-Mock-Fault: {reason}")), "{message}");
        }
    });
}

#[tokio::test]
async fn a_rule_fires_when_it_says() {
    let server = MockServer::start().await;
    let world = server.world();
    server.clock().freeze_at(UNIX_EPOCH + Duration::from_secs(1_000));
    let client = Client::builder(server.endpoint()).retry(Retry::off()).build().unwrap();
    let create = async || client.access_clients().create(AccessClientCreate::default()).await;
    let list = async || client.access_clients().list(ListAccessClientsQuery::default()).await;
    let fault = |when: When| Fault { when, then: Some(Effect::answer(500)), ..Fault::default() };
    let operation = |id: &str| Some(id.to_owned());

    world
        .add_fault(fault(When { operation: operation("ListVpcepClient"), ..When::default() }))
        .unwrap();
    assert!(create().await.is_ok() && list().await.is_err() && list().await.is_err());
    world.clear_faults(None);

    world.add_fault(fault(When { call: Some(2), ..When::default() })).unwrap();
    assert!(list().await.is_ok() && list().await.is_err() && list().await.is_ok());
    world.clear_faults(None);

    world.add_fault(fault(When { call: Some(1), ..When::default() })).unwrap();
    world.add_fault(fault(When { call: Some(3), ..When::default() })).unwrap();
    assert!(
        list().await.is_err()
            && list().await.is_ok()
            && list().await.is_err()
            && list().await.is_ok()
    );
    world.clear_faults(None);

    let times = world.add_fault(fault(When { times: Some(2), ..When::default() })).unwrap();
    assert!(list().await.is_err() && list().await.is_err() && list().await.is_ok());
    let status = &world.faults(None)[0];
    assert_eq!((status.id, status.matched, status.fired), (times.id, 3, 2));
    world.remove_fault(times.id).unwrap();
    assert!(world.remove_fault(times.id).is_err());

    let id = create().await.unwrap().id.unwrap();
    let other = create().await.unwrap().id.unwrap();
    let parameters = [("client_id".to_owned(), id.clone())].into();
    let of = When { parameters, ..When::default() };
    world.add_fault(fault(of)).unwrap();
    assert!(client.access_clients().show(&id).await.is_err());
    assert!(client.access_clients().show(&other).await.is_ok() && list().await.is_ok());
    world.clear_faults(None);

    let at = |seconds| Some(UNIX_EPOCH + Duration::from_secs(seconds));
    world.add_fault(fault(When { from: at(1_010), until: at(1_020), ..When::default() })).unwrap();
    for (time, fails) in [(1_009, false), (1_010, true), (1_019, true), (1_020, false)] {
        server.clock().freeze_at(UNIX_EPOCH + Duration::from_secs(time));
        assert_eq!(list().await.is_err(), fails, "at {time}");
    }
    world.clear_faults(None);

    let project = world.create_project(None, None).unwrap();
    let in_project = When { project_id: Some(project.project_id), ..When::default() };
    world.add_fault(fault(in_project)).unwrap();
    let theirs = Client::builder(server.endpoint()).retry(Retry::off());
    let theirs = theirs.auth_token(project.token).build().unwrap();
    assert!(list().await.is_ok());
    assert!(theirs.access_clients().list(ListAccessClientsQuery::default()).await.is_err());
}

#[tokio::test]
async fn a_rule_that_can_not_be_kept_to_is_refused_with_the_reason() {
    let server = MockServer::start().await;
    for (rule, reason) in [
        (json!({}), "then: must be given, or a delay or an outcome: the fault would do nothing"),
        (
            json!({"when": {"operation": "Show"}, "then": {"kind": "reset"}}),
            "when.operation: must be one of CreateAccessClientInfo",
        ),
        (
            json!({"when": {"call": 0}, "then": {"kind": "reset"}}),
            "when.call, when.times: must be at least 1",
        ),
        (
            json!({"when": {"probability": 1.5}, "then": {"kind": "reset"}}),
            "when.probability: must be from 0 to 1",
        ),
        (
            json!({"when": {"from": "2030-01-01T00:00:00Z", "until": "2030-01-01T00:00:00Z"}, "then": {"kind": "reset"}}),
            "when.until: must be later than when.from",
        ),
        (
            json!({"when": {"from": "soon"}, "then": {"kind": "reset"}}),
            "when.from: must be a time like",
        ),
        (
            json!({"delay": {"kind": "fixed", "milliseconds": 600_001}}),
            "delay: must be at most 600000",
        ),
        (
            json!({"delay": {"kind": "uniform", "minimum_milliseconds": 2, "maximum_milliseconds": 1}}),
            "delay: must go from a minimum to a maximum",
        ),
        (
            json!({"delay": {"kind": "log_normal", "median_milliseconds": 1, "sigma": -1.0}}),
            "delay.sigma",
        ),
        (
            json!({"then": {"kind": "answer", "status": 199}}),
            "then.status: must be from 200 to 599",
        ),
        (json!({"then": {"kind": "answer", "status": 418}}), "then.body: must be given"),
        (json!({"then": {"kind": "answer", "status": 404, "error_code": "no"}}), "then.error_code"),
        (
            json!({"then": {"kind": "answer", "status": 500, "headers": {"a b": "c"}}}),
            "then.headers",
        ),
        (
            json!({"then": {"kind": "answer", "status": 500, "headers": {"content-length": "1"}}}),
            "then.headers",
        ),
        (json!({"then": {"kind": "trickle", "bytes": 0}}), "then: must be at least 1 byte"),
        (json!({"then": {"kind": "explode"}}), "then"),
        (json!({"whn": {}}), "whn: expected one of"),
    ] {
        let request = raw::json("POST", "/_mock/v1/faults", rule.to_string().as_bytes());
        let address = server.address();
        let answer =
            tokio::task::spawn_blocking(move || raw::send(address, &request)).await.unwrap();
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(
            answer.status == 400 && error.starts_with(reason),
            "{rule}: {} {error}",
            answer.status
        );
    }
    assert!(server.world().faults(None).is_empty());
}

/// What a run under faults of chance comes to.
async fn run(seed: u64) -> Vec<String> {
    let settings = Settings { seed: Some(seed), ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    server.clock().freeze_at(UNIX_EPOCH);
    let when = When { probability: Some(0.4), ..When::default() };
    let delay = Some(Delay::LogNormal { median_milliseconds: 2, sigma: 0.7 });
    let then = Some(Effect::answer(500));
    let write = Some(Write::Kept);
    server.world().add_fault(Fault { when, delay, then, write, ..Fault::default() }).unwrap();
    let delay = Some(Delay::Uniform { minimum_milliseconds: 0, maximum_milliseconds: 5 });
    server.world().add_fault(Fault { delay, ..Fault::default() }).unwrap();
    let client = Client::builder(server.endpoint()).retry(Retry::off()).build().unwrap();
    for _ in 0..40 {
        let _ = client.access_clients().create(AccessClientCreate::default()).await;
    }
    let journal = server.world().journal(&fabric_server::journal::Filter::default());
    let mut run: Vec<_> = journal
        .entries
        .iter()
        .map(|entry| format!("{:?} {} {:?}", entry.status, entry.answer, entry.reason))
        .collect();
    run.push(server.world().snapshot().to_json());
    run
}

#[tokio::test]
async fn the_same_seed_gives_the_same_run_twice() {
    let (first, again, other) = (run(7).await, run(7).await, run(8).await);
    assert_eq!(first, again);
    assert_ne!(first, other);
    let failed = first.iter().filter(|call| call.starts_with("Some(500)")).count();
    assert!((6..=28).contains(&failed), "{failed} of 40 failed");
}

#[tokio::test]
async fn delays_are_spread_as_they_say() {
    let server = MockServer::start().await;
    let delays = async |delay: Value| {
        server.world().clear_faults(None);
        server.world().clear_journal(None);
        server.world().add_fault(serde_json::from_value(json!({"delay": delay})).unwrap()).unwrap();
        let client = Client::new(server.endpoint()).unwrap();
        for _ in 0..60 {
            client.access_clients().list(ListAccessClientsQuery::default()).await.unwrap();
        }
        let journal = server.world().journal(&fabric_server::journal::Filter::default());
        let late = journal.entries.iter().map(|entry| {
            let reason = entry.reason.as_deref().unwrap();
            let late = reason.split(", ").find_map(|part| part.strip_suffix(" ms late"));
            late.map_or(0, |late| late.parse::<u64>().unwrap())
        });
        let mut late: Vec<_> = late.collect();
        late.sort_unstable();
        late
    };
    let uniform =
        delays(json!({"kind": "uniform", "minimum_milliseconds": 2, "maximum_milliseconds": 6}))
            .await;
    assert!(uniform[0] <= 3 && uniform[0] >= 2 && (5..=6).contains(&uniform[59]), "{uniform:?}");
    let log_normal =
        delays(json!({"kind": "log_normal", "median_milliseconds": 8, "sigma": 0.5})).await;
    assert!((5..=12).contains(&log_normal[30]), "{log_normal:?}");
    assert!(
        log_normal[59] > 2 * log_normal[30] - 4 && log_normal[0] < log_normal[30],
        "{log_normal:?}"
    );
}

#[tokio::test]
async fn over_http_2_a_fault_is_seen_too() {
    let tls = Tls::self_signed(&[], SystemTime::now()).unwrap();
    let settings = Settings { tls: Some(tls), ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let client = Client::builder(server.endpoint())
        .root_certificate(server.certificate_authority().unwrap())
        .retry(Retry::off())
        .build()
        .unwrap();
    for kind in ["reset", "drop", "truncate"] {
        let fault = json!({"then": {"kind": kind}, "write": "kept"});
        server.world().add_fault(serde_json::from_value(fault).unwrap()).unwrap();
        let error =
            client.access_clients().create(AccessClientCreate::default()).await.unwrap_err();
        assert!(error.is_in_doubt(), "{kind}: {error}");
        server.world().clear_faults(None);
    }
    let list = client.access_clients().list(ListAccessClientsQuery::default()).await.unwrap();
    assert_eq!(list.total, Some(3));
}
