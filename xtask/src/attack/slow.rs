//! Callers that are slow, stall, or say nothing. The server must end each connection by itself.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::attack::answer::Surface;
use crate::attack::attacker::{Attack, Attacker, On, PATIENCE, Running, request};
use crate::attack::connection::{Connection, Received};
use crate::attack::frames::{
    DATA, END_HEADERS, HEADERS, SETTINGS, frame, get, preface, request_block,
};

/// Limits of a second: the attacks wait for them.
const SHORT: &[&str] = &[
    "--head-timeout",
    "1s",
    "--idle-timeout",
    "1s",
    "--answer-timeout",
    "1s",
    "--request-timeout",
    "1s",
    "--body-timeout",
    "1s",
];

/// An attack of callers who do the same.
const fn slow(name: &'static str, does: &'static str, run: fn(Attacker) -> Running) -> Attack {
    let on = On::Server { flags: SHORT, run };
    Attack { name, does, promise: "the server ends every connection", share: 5, at_most: 500, on }
}

pub(crate) const ATTACKS: &[Attack] = &[
    slow("slow-silent", "connections that say nothing", |attacker| each(attacker, Caller::of(b""))),
    slow("slow-half-heads", "heads without end", |attacker| {
        each(attacker, Caller::of(b"GET /v1/access-clients HTTP/1.1\r\nHos"))
    }),
    slow("slow-heads", "heads of a byte now and then", |attacker| {
        each(
            attacker,
            Caller { drip: b"x", ..Caller::of(b"GET /v1/access-clients HTTP/1.1\r\nx-slow: ") },
        )
    }),
    slow("slow-half-bodies", "bodies without end", |attacker| {
        each(attacker, Caller::of(&half("/v1/workspaces")))
    }),
    slow("slow-bodies", "bodies of a byte now and then", |attacker| {
        each(attacker, Caller { drip: b" ", ..Caller::of(&half("/v1/workspaces")) })
    }),
    slow("slow-chunks", "bodies of a chunk now and then", |attacker| {
        let head = b"POST /v1/workspaces HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
        each(attacker, Caller { drip: b"1\r\n \r\n", ..Caller::of(head) })
    }),
    slow("slow-sign-in", "bodies of sign-in without end", |attacker| {
        each(attacker, Caller::of(&half("/v3/auth/tokens")))
    }),
    slow("slow-control", "bodies of the control surface without end", |attacker| {
        each(attacker, Caller::of(&half("/_mock/v1/projects")))
    }),
    slow("slow-snapshots", "snapshots of a byte now and then", |attacker| {
        let snapshot = half("/_mock/v1/snapshot");
        let snapshot = String::from_utf8_lossy(&snapshot).replacen("POST", "PUT", 1);
        each(attacker, Caller { drip: b" ", ..Caller::of(snapshot.as_bytes()) })
    }),
    Attack {
        name: "slow-large-heads",
        does: "heads of 500 KiB without end",
        promise: "the server ends every connection",
        share: 5,
        at_most: 500,
        on: On::Server {
            flags: SHORT,
            run: |attacker| {
                let mut head = b"GET /v1/access-clients HTTP/1.1\r\n".to_vec();
                for number in 0..50 {
                    head.extend(format!("x-{number}: {}\r\n", "h".repeat(10_000)).into_bytes());
                }
                each(attacker, Caller::of(&head))
            },
        },
    },
    slow("slow-idle", "connections that ask once and no more", |attacker| {
        each(
            attacker,
            Caller { answers: 1, ..Caller::of(&request("GET", "/v1/access-clients", "", b"")) },
        )
    }),
    slow("slow-second-heads", "a second head without end", |attacker| {
        let mut opening = request("GET", "/v1/access-clients", "", b"");
        opening.extend_from_slice(b"GET /v1/acc");
        each(attacker, Caller { answers: 1, ..Caller::of(&opening) })
    }),
    slow("slow-http2-silent", "HTTP/2 without a request", |attacker| {
        each(attacker, Caller::of(&preface(65_535)))
    }),
    slow("slow-http2-idle", "HTTP/2 with one request, and then nothing", |attacker| {
        each(attacker, Caller::of(&after_one(&[])))
    }),
    slow("slow-http2-half-frames", "HTTP/2 with one request, and then half a frame", |attacker| {
        each(attacker, Caller::of(&after_one(&frame(SETTINGS, 0, 0, &[0; 12])[..11])))
    }),
    slow(
        "slow-http2-half-heads",
        "HTTP/2 with one request, and then a head without end",
        |attacker| {
            let head = request_block("GET", "/v1/access-clients", &[]);
            each(attacker, Caller::of(&after_one(&frame(HEADERS, 0, 3, &head))))
        },
    ),
    slow("slow-http2-bodies", "HTTP/2 with one request, and then a body without end", |attacker| {
        let head = request_block("POST", "/v1/workspaces", &[]);
        let mut frames = frame(HEADERS, END_HEADERS, 3, &head);
        frames.extend(frame(DATA, 0, 3, b"{"));
        each(attacker, Caller::of(&after_one(&frames)))
    }),
    Attack {
        name: "slow-unread",
        does: "large answers over HTTP/1.1 that nobody reads",
        promise: "the server ends every connection",
        share: 5,
        at_most: 50,
        on: On::Server { flags: SHORT, run: |attacker| Box::pin(unread(attacker)) },
    },
    Attack {
        name: "slow-window",
        does: "three connections of HTTP/2 that ask for 200 large answers and give no room for them",
        promise: "the server ends every connection",
        share: 1,
        at_most: 3,
        on: On::Server { flags: SHORT, run: |attacker| Box::pin(without_window(attacker)) },
    },
    Attack {
        name: "slow-many",
        does: "up to 10,000 connections, silent, idle and with half heads and bodies, for five seconds",
        promise: "the polite caller is served",
        share: 50,
        at_most: 10_000,
        on: On::Server {
            flags: &["--head-timeout", "60s", "--idle-timeout", "60s", "--request-timeout", "5s"],
            run: |attacker| Box::pin(many(attacker)),
        },
    },
];

/// What each of many callers does.
pub(crate) struct Caller {
    opening: Vec<u8>,
    /// How many answers it reads before it waits.
    answers: u32,
    /// What it sends now and then.
    drip: &'static [u8],
}

impl Caller {
    pub(crate) fn of(opening: &[u8]) -> Self {
        Self { opening: opening.to_vec(), answers: 0, drip: b"" }
    }
}

/// The beginning of a request with a body.
fn half(path: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 10000\r\n\r\n{{"
    )
    .into_bytes()
}

/// HTTP/2 with one request that is answered, and what follows.
fn after_one(frames: &[u8]) -> Vec<u8> {
    let mut bytes = preface(65_535);
    bytes.extend(frame(SETTINGS, 1, 0, &[]));
    bytes.extend(get(1, "/v1/access-clients"));
    bytes.extend_from_slice(frames);
    bytes
}

/// Lets all callers do the same at once, and waits until the server has ended the connection of each.
pub(crate) fn each(attacker: Attacker, caller: Caller) -> Running {
    let caller = Arc::new(caller);
    let amount = attacker.amount;
    Box::pin(attacker.crowd(amount, move |attacker| one(attacker, caller.clone())))
}

async fn one(attacker: Attacker, caller: Arc<Caller>) -> Result<(), String> {
    attacker.judge.sent();
    let Ok(mut connection) = attacker.connect().await else {
        attacker.judge.got("not connected");
        return Ok(());
    };
    if begin(&attacker, &mut connection, &caller).await.is_err() {
        attacker.judge.got("ended");
        return Ok(());
    }
    let until = Instant::now() + PATIENCE;
    while !caller.drip.is_empty() && Instant::now() < until {
        if connection.send(caller.drip).await.is_err() {
            attacker.judge.got("ended");
            return Ok(());
        }
        sleep(Duration::from_millis(200)).await;
    }
    // Whatever it still says, 408 perhaps, it must end.
    if connection.is_ended(until.saturating_duration_since(Instant::now())).await {
        attacker.judge.got("ended");
        return Ok(());
    }
    attacker.judge.got("held");
    Err(format!("a connection is open after {} s", PATIENCE.as_secs()))
}

async fn begin(
    attacker: &Attacker,
    connection: &mut Connection,
    caller: &Caller,
) -> io::Result<()> {
    connection.send(&caller.opening).await?;
    for _ in 0..caller.answers {
        if let Received::Answer(answer) = connection.answer(false, PATIENCE).await {
            attacker.judge.answer(&answer, Surface::Service, true, false);
        }
    }
    Ok(())
}

/// How large the answer to [`LIST`] is made, in records of 12 KiB.
const RECORDS: u32 = 100;

/// A list of more than a megabyte.
const LIST: &str = "/v1/access-clients?limit=100";

/// Makes records, so that their list is large.
pub(crate) async fn fill(attacker: &Attacker) {
    let subnets = vec![format!("\"{}\"", "0123456789abcdef".repeat(7)); 100].join(",");
    let body = format!("{{\"subnet_ids\":[{subnets}]}}");
    let create = request("POST", "/v1/access-clients", "", body.as_bytes());
    for _ in 0..RECORDS {
        attacker.ask(&create, Surface::Service).await;
    }
}

async fn unread(attacker: Attacker) -> Result<(), String> {
    fill(&attacker).await;
    let amount = attacker.amount;
    attacker
        .crowd(amount, |attacker| async move {
            attacker.judge.sent();
            let Ok(mut connection) = attacker.connect().await else { return Ok(()) };
            let _ = connection.send(&request("GET", LIST, "", b"").repeat(8)).await;
            // What the system holds for it is some megabytes.
            if connection.is_ended_unread(PATIENCE).await {
                attacker.judge.got("ended");
                Ok(())
            } else {
                attacker.judge.got("held");
                Err(format!("an unread connection is open after {} s", PATIENCE.as_secs()))
            }
        })
        .await
}

async fn without_window(attacker: Attacker) -> Result<(), String> {
    fill(&attacker).await;
    let amount = attacker.amount;
    attacker
        .crowd(amount, |attacker| async move {
            let Ok(mut connection) = attacker.connect().await else { return Ok(()) };
            let mut bytes = preface(0);
            bytes.extend(frame(SETTINGS, 1, 0, &[]));
            for number in 0..200 {
                attacker.judge.sent();
                bytes.extend(get(2 * number + 1, LIST));
            }
            let is_sent = connection.send(&bytes).await.is_ok();
            if !is_sent || connection.is_ended(PATIENCE).await {
                attacker.judge.got("ended");
                Ok(())
            } else {
                attacker.judge.got("held");
                Err(format!("a connection without room is open after {} s", PATIENCE.as_secs()))
            }
        })
        .await
}

/// Holds connections of several kinds for a while, for the sake of the polite caller.
async fn many(attacker: Attacker) -> Result<(), String> {
    let openings = [
        Vec::new(),
        b"GET /v1/access-clients HTTP/1.1\r\nHos".to_vec(),
        half("/v1/workspaces"),
        request("GET", "/v1/access-clients", "", b""),
        after_one(&[]),
    ];
    for number in 0..attacker.amount {
        attacker.judge.sent();
        let Ok(mut connection) = attacker.connect().await else {
            attacker.judge.got("not connected");
            continue;
        };
        let opening = &openings[usize::try_from(number).unwrap_or_default() % openings.len()];
        if connection.send(opening).await.is_ok() {
            attacker.hold(connection);
        }
    }
    attacker.judge.got_times("held", attacker.amount);
    sleep(Duration::from_secs(5)).await;
    Ok(())
}
