//! Much of what costs the server something: connections, projects, streams of events, faults, tokens, users.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::attack::answer::Surface;
use crate::attack::attacker::{Attack, Attacker, On, PATIENCE, Surroundings, request};
use crate::attack::connection::Received;
use crate::attack::frames::{get, preface};
use crate::attack::target;

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "flood-connections",
        does: "connections that ask once and are left open, over the limit of connections",
        promise: "the limit of connections is kept, and what is refused is told so",
        share: 100,
        at_most: 10_000,
        on: On::Server {
            flags: &["--max-connections", "200", "--idle-timeout", "30s", "--head-timeout", "30s"],
            run: |attacker| Box::pin(connections(attacker, 200)),
        },
    },
    Attack {
        name: "flood-reconnects",
        does: "connections that are opened and closed at once",
        promise: "they leave nothing behind",
        share: 100,
        at_most: 50_000,
        on: On::Server { flags: &[], run: |attacker| Box::pin(attacker.crowd(16, reconnects)) },
    },
    Attack {
        name: "flood-projects",
        does: "calls that each name another project, and write into it",
        promise: "the limit of projects is kept",
        share: 150,
        at_most: 50_000,
        on: On::Server {
            flags: &["--max-projects", "500"],
            run: |attacker| {
                Box::pin(async move {
                    attacker.fork_of_all().crowd(8, projects).await?;
                    at_most(&attacker, "projects", 500).await
                })
            },
        },
    },
    Attack {
        name: "flood-forks",
        does: "projects that are made on the control surface",
        promise: "the limit of projects is kept",
        share: 100,
        at_most: 50_000,
        on: On::Server {
            flags: &["--max-projects", "500"],
            run: |attacker| {
                Box::pin(async move {
                    attacker.fork_of_all().crowd(8, forks).await?;
                    at_most(&attacker, "projects", 500).await
                })
            },
        },
    },
    Attack {
        name: "flood-records",
        does: "records without end in one project",
        promise: "the quota is kept",
        share: 100,
        at_most: 50_000,
        on: On::Server {
            flags: &["--quota", "1000"],
            run: |attacker| Box::pin(attacker.crowd(8, records)),
        },
    },
    Attack {
        name: "flood-events",
        does: "streams of events that nobody reads, and calls that fill them",
        promise: "memory is kept, and the server ends the streams or drops events",
        share: 10,
        at_most: 2000,
        on: On::Server {
            flags: &["--max-event-streams", "50"],
            run: |attacker| Box::pin(events(attacker)),
        },
    },
    Attack {
        name: "flood-faults",
        does: "faults for other projects",
        promise: "the limit of faults is kept",
        share: 600,
        at_most: 12_000,
        on: On::Server {
            flags: &[],
            run: |attacker| {
                Box::pin(async move {
                    attacker.fork_of_all().crowd(8, faults).await?;
                    at_most(&attacker, "faults", 10_000).await
                })
            },
        },
    },
    Attack {
        name: "flood-hangs",
        does: "calls that ask for a fault that hangs, at the health check",
        promise: "each ends at the limit of requests",
        share: 10,
        at_most: 500,
        on: On::Server {
            flags: &["--token", crate::attack::attacker::TOKEN, "--request-timeout", "2s"],
            run: |attacker| {
                let amount = attacker.amount;
                Box::pin(attacker.crowd(amount, hangs))
            },
        },
    },
    Attack {
        name: "flood-tokens",
        does: "tokens and temporary keys",
        promise: "memory is kept",
        share: 50,
        at_most: 20_000,
        on: On::Server { flags: &[], run: |attacker| Box::pin(attacker.crowd(8, tokens)) },
    },
    Attack {
        name: "flood-users",
        does: "users that are added, each with a password to hash",
        promise: "memory is kept",
        share: 10,
        at_most: 5000,
        on: On::Server { flags: &[], run: |attacker| Box::pin(attacker.crowd(8, users)) },
    },
    Attack {
        name: "flood-throttled",
        does: "calls of ever other projects, so that the throttle of one is forgotten",
        promise: "the rate of the project is kept",
        share: 600,
        at_most: 15_000,
        on: On::Server {
            flags: &["--rate-limit", "20/1h", "--max-projects", "1000000"],
            run: |attacker| Box::pin(throttled(attacker)),
        },
    },
    Attack {
        name: "flood-log",
        does: "rejections, of which each is logged, where nobody reads the log",
        promise: "everybody is answered",
        share: 250,
        at_most: 50_000,
        on: On::ServerIn {
            surroundings: Surroundings::UnreadLog,
            flags: &["--log-level", "info"],
            run: |attacker| Box::pin(attacker.crowd(4, rejected)),
        },
    },
    Attack {
        name: "flood-descriptors",
        does: "idle connections, of HTTP/2 too, where the system gives the server 100 descriptors",
        promise: "the polite caller is served, and others are once there is room",
        share: 50,
        at_most: 1000,
        on: On::ServerIn {
            surroundings: Surroundings::FewDescriptors,
            flags: &["--head-timeout", "1s", "--idle-timeout", "1s"],
            run: |attacker| Box::pin(descriptors(attacker)),
        },
    },
];

impl Attacker {
    /// The same attacker with the whole amount, so that this one can look at what came of it.
    fn fork_of_all(&self) -> Self {
        let mut copy = Self::new(
            self.address,
            self.process,
            self.judge.clone(),
            self.amount,
            self.random.clone(),
        );
        copy.fork(self.amount)
    }
}

async fn connections(attacker: Attacker, limit: u64) -> Result<(), String> {
    let call = request("GET", "/v1/access-clients", "", b"");
    for _ in 0..attacker.amount {
        attacker.judge.sent();
        let Ok(mut connection) = attacker.connect().await else {
            attacker.judge.got("not connected");
            continue;
        };
        let _ = connection.send(&call).await;
        match connection.answer(false, PATIENCE).await {
            Received::Answer(answer) => {
                attacker.judge.answer(&answer, Surface::Service, true, false);
            }
            Received::Closed => attacker.judge.got("closed"),
            other => return Err(format!("{other:?} to one connection of many")),
        }
        attacker.hold(connection);
    }
    // Besides connections: standard streams, the listener, the polite caller, and those that are being refused.
    let most = limit + 32 + 64;
    match target::descriptors(attacker.process) {
        Some(open) if open > most => {
            Err(format!("{open} descriptors, where {limit} connections are promised"))
        }
        _ => Ok(()),
    }
}

async fn reconnects(mut attacker: Attacker) -> Result<(), String> {
    for number in 0..attacker.amount {
        attacker.judge.sent();
        let Ok(mut connection) = attacker.connect_from_anywhere().await else {
            attacker.judge.got("not connected");
            continue;
        };
        // Some in the midst of something.
        if number % 2 == 0 {
            let _ = connection.send_some(&request("GET", "/v1/access-clients", "", b""));
        }
    }
    Ok(())
}

/// Asks the same again and again on one connection, with a number in it.
async fn repeat(
    mut attacker: Attacker,
    surface: Surface,
    make: impl Fn(u64) -> Vec<u8>,
) -> Result<(), String> {
    let first = attacker.random.u64(..);
    let mut open = None;
    for number in 0..attacker.amount {
        let mut connection = match open.take() {
            Some(connection) => connection,
            None => match attacker.connect().await {
                Ok(connection) => connection,
                Err(_) => continue,
            },
        };
        let bytes = make(first.wrapping_add(number));
        if attacker.ask_on(&mut connection, &bytes, surface).await.is_some() {
            open = Some(connection);
        }
    }
    Ok(())
}

async fn projects(attacker: Attacker) -> Result<(), String> {
    repeat(attacker, Surface::Service, |number| {
        let project = format!("x-project-id: attacked{number}\r\n");
        request("POST", "/v1/workspaces", &project, br#"{"name":"attacked"}"#)
    })
    .await
}

async fn forks(attacker: Attacker) -> Result<(), String> {
    repeat(attacker, Surface::Control, |_| {
        request("POST", "/_mock/v1/projects", "", br#"{"from":"default"}"#)
    })
    .await
}

async fn records(attacker: Attacker) -> Result<(), String> {
    let subnets = vec!["\"01234567890123456789012345678901234567890123456789\""; 100].join(",");
    let body = format!("{{\"subnet_ids\":[{subnets}]}}");
    repeat(attacker, Surface::Service, |_| {
        request("POST", "/v1/access-clients", "", body.as_bytes())
    })
    .await
}

async fn faults(attacker: Attacker) -> Result<(), String> {
    repeat(attacker, Surface::Control, |number| {
        let fault = json!({
            "when": {"project_id": format!("elsewhere{number}")},
            "then": {"kind": "answer", "status": 408},
        });
        request("POST", "/_mock/v1/faults", "", fault.to_string().as_bytes())
    })
    .await
}

async fn tokens(attacker: Attacker) -> Result<(), String> {
    repeat(attacker, Surface::SignIn, |number| {
        let user = json!({"domain": {"name": "d"}, "name": format!("u{number}"), "password": "p"});
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        let scope = json!({"project": {"name": "cn-north-4"}});
        let body = json!({"auth": {"identity": identity, "scope": scope}});
        request("POST", "/v3/auth/tokens", "", body.to_string().as_bytes())
    })
    .await
}

async fn users(attacker: Attacker) -> Result<(), String> {
    repeat(attacker, Surface::Control, |number| {
        let user =
            json!({"domain": "d", "name": format!("u{number}"), "password": "p".repeat(1000)});
        request("PUT", "/_mock/v1/users", "", user.to_string().as_bytes())
    })
    .await
}

async fn hangs(attacker: Attacker) -> Result<(), String> {
    // Without credentials: anybody may ask whether the service is healthy.
    let call = b"GET /healthcheck HTTP/1.1\r\nhost: localhost\r\nx-mock-fault: hang\r\n\r\n";
    attacker.judge.sent();
    let Ok(mut connection) = attacker.connect().await else { return Ok(()) };
    let _ = connection.send(call).await;
    match connection.answer(false, PATIENCE).await {
        Received::Answer(answer) => attacker.judge.answer(&answer, Surface::Service, true, false),
        Received::Closed => attacker.judge.got("closed"),
        other => return Err(format!("{other:?} to a call that is to hang")),
    }
    Ok(())
}

async fn events(attacker: Attacker) -> Result<(), String> {
    for _ in 0..attacker.amount {
        attacker.judge.sent();
        let Ok(mut connection) = attacker.connect().await else { continue };
        let _ = connection.send(&request("GET", "/_mock/v1/journal/stream", "", b"")).await;
        match connection.answer(false, Duration::from_secs(2)).await {
            Received::Answer(answer) => {
                attacker.judge.answer(&answer, Surface::Control, true, false);
            }
            // Nothing is sent before the first event.
            Received::Nothing => attacker.judge.got("a stream"),
            Received::Closed => attacker.judge.got("closed"),
            other @ Received::Broken(_) => return Err(format!("{other:?} to a stream of events")),
        }
        attacker.hold(connection);
    }
    // Each call is an event in each stream.
    let body = format!("{{\"name\":\"{}\"}}", "e".repeat(100_000));
    let call = request("POST", "/v1/workspaces", "", body.as_bytes());
    for _ in 0..100 {
        attacker.ask(&call, Surface::Service).await;
    }
    Ok(())
}

async fn rejected(attacker: Attacker) -> Result<(), String> {
    repeat(attacker, Surface::Service, |_| request("GET", "/v1/none", "", b"")).await
}

async fn descriptors(mut attacker: Attacker) -> Result<(), String> {
    for number in 0..attacker.amount {
        attacker.judge.sent();
        let Ok(mut connection) = attacker.connect_from_anywhere().await else {
            attacker.judge.got("not connected");
            continue;
        };
        let opening =
            if number % 2 == 0 { after_one() } else { request("GET", "/healthcheck", "", b"") };
        let _ = connection.send(&opening).await;
        attacker.hold(connection);
    }
    sleep(Duration::from_secs(3)).await;
    // All that wait are accepted, and end, one after another: then a new caller is answered.
    match attacker.ask(&request("GET", "/healthcheck", "", b""), Surface::Service).await {
        Some(200) => Ok(()),
        other => Err(format!("a new caller is answered {other:?}")),
    }
}

/// HTTP/2 with one request.
fn after_one() -> Vec<u8> {
    [preface(65_535), get(1, "/healthcheck")].concat()
}

/// The calls of a project are counted for an hour, whoever else calls meanwhile.
async fn throttled(attacker: Attacker) -> Result<(), String> {
    let call = |project: u64| {
        request("GET", "/v1/access-clients", &format!("x-project-id: throttled{project}\r\n"), b"")
    };
    let passed = Arc::new(AtomicU64::new(0));
    for round in 0..2 {
        for _ in 0..25 {
            if attacker.ask(&call(0), Surface::Service).await == Some(200) {
                passed.fetch_add(1, Ordering::Relaxed);
            }
        }
        if round == 0 {
            let others = attacker.fork_of_all();
            let count = AtomicU64::new(0);
            repeat(others, Surface::Service, move |_| {
                call(1 + count.fetch_add(1, Ordering::Relaxed))
            })
            .await?;
        }
        sleep(Duration::from_millis(1)).await;
    }
    match passed.load(Ordering::Relaxed) {
        passed if passed > 20 => {
            Err(format!("{passed} calls of a project passed, where 20 are promised"))
        }
        _ => Ok(()),
    }
}

/// Checks how many of something the control surface says that there are.
async fn at_most(attacker: &Attacker, what: &'static str, most: usize) -> Result<(), String> {
    let mut connection = attacker.connect().await.map_err(|error| error.to_string())?;
    let call = request("GET", &format!("/_mock/v1/{what}"), "", b"");
    connection.send(&call).await.map_err(|error| error.to_string())?;
    let Received::Answer(answer) = connection.answer(false, PATIENCE).await else {
        return Err(format!("the {what} are not told"));
    };
    let listed: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match listed[what].as_array().map(Vec::len) {
        None => Err(format!("the {what} are not told: {}", answer.status)),
        // One is there from the start.
        Some(count) if count > most + 1 => {
            Err(format!("there are {count} {what}, where {most} are promised"))
        }
        Some(_) => Ok(()),
    }
}
