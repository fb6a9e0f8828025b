//! Requests over HTTP/1.1 that are odd: by their bytes, by the grammar of the documents, and by how they are framed.

use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::attack::answer::Surface;
use crate::attack::attacker::{Attack, Attacker, On, PATIENCE, request};
use crate::attack::connection::{Connection, Received};
use crate::attack::grammar::{Documents, Generated};

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "http1-bytes",
        does: "requests with flipped, missing, doubled and foreign bytes",
        promise: "each answer is one of the contract",
        share: 200,
        at_most: u64::MAX,
        on: On::Server { flags: &[], run: |attacker| Box::pin(attacker.crowd(128, bytes)) },
    },
    Attack {
        name: "http1-grammar",
        does: "valid HTTP with odd methods, paths, queries, headers and bodies, for every path of the documents",
        promise: "each is answered, by the contract of its surface",
        share: 450,
        at_most: u64::MAX,
        on: On::Server { flags: &[], run: |attacker| Box::pin(attacker.crowd(16, grammar)) },
    },
    Attack {
        name: "http1-strict",
        does: "the same, where callers need a token, a create needs more, and there are a quota and a rate limit",
        promise: "each is answered, by the contract of its surface",
        share: 100,
        at_most: u64::MAX,
        on: On::Server {
            flags: &[
                "--credentials",
                "{folder}/credentials.json",
                "--profile",
                "strict",
                "--quota",
                "3",
                "--rate-limit",
                "100000/s",
            ],
            run: |attacker| Box::pin(attacker.crowd(16, grammar)),
        },
    },
    Attack {
        name: "http1-framing",
        does: "two lengths, length and chunks, odd chunks, odd versions, upgrades, pipelines, Expect",
        promise: "each answer is one of the contract",
        share: 50,
        at_most: u64::MAX,
        on: On::Server { flags: &[], run: |attacker| Box::pin(attacker.crowd(64, framing)) },
    },
];

/// How long to wait for an answer to what may not be a request.
const DOUBT: Duration = Duration::from_millis(250);

async fn bytes(mut attacker: Attacker) -> Result<(), String> {
    let documents = Documents::read(&attacker.documents)?;
    let mut connection = None;
    for _ in 0..attacker.amount {
        let Generated { mut bytes, is_head, .. } = documents.request(&mut attacker.random);
        // Whether what comes of it is still a HEAD, whose answer has no body, is not known.
        if is_head {
            bytes.splice(..4, *b"GET");
        }
        for _ in 0..attacker.random.u32(1..8) {
            mutate(&mut bytes, &mut attacker.random);
        }
        attacker.judge.sent();
        let mut open = match connection.take() {
            Some(open) => open,
            None => match attacker.connect_from_anywhere().await {
                Ok(open) => open,
                Err(_) => continue,
            },
        };
        if open.send(&bytes).await.is_err() {
            attacker.judge.got("closed");
            continue;
        }
        if judge_doubtful(&attacker, &mut open).await {
            connection = Some(open);
        }
    }
    Ok(())
}

/// Judges the answer to what may not be a request; says whether the connection is of further use.
async fn judge_doubtful(attacker: &Attacker, connection: &mut Connection) -> bool {
    match connection.answer(false, DOUBT).await {
        Received::Answer(answer) => {
            attacker.judge.answer(&answer, Surface::Unknown, false, false);
            answer.is_kept
        }
        Received::Closed => {
            attacker.judge.got("closed");
            false
        }
        Received::Nothing => {
            attacker.judge.got("not answered, being incomplete");
            false
        }
        // Of a HEAD that came of it, the answer has no body.
        Received::Broken(_) => {
            attacker.judge.got("cut off");
            false
        }
    }
}

/// Changes bytes as noise would, and as those do who know HTTP.
fn mutate(bytes: &mut Vec<u8>, random: &mut Rng) {
    const KNOWN: &[&[u8]] = &[
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b"\t",
        b":",
        b"\xff",
        b"\xe2\x80\xae",
        b"%00",
        b"%",
        b"..",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\n",
        b"Host: \r\n",
        b"HTTP/1.1",
        b"HTTP/1.0",
        b"HTTP/9.9",
        b"0\r\n\r\n",
        b"\x16\x03\x01",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"{",
        b"}",
        b"[",
        b"\"",
        b"null",
    ];
    let at = random.usize(..=bytes.len());
    match random.u8(..6) {
        0 if at < bytes.len() => bytes[at] = random.u8(..),
        1 if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
        2 => {
            let end = (at + random.usize(1..20)).min(bytes.len());
            bytes.drain(at..end);
        }
        3 => {
            let end = (at + random.usize(1..60)).min(bytes.len());
            let part = bytes[at..end].to_vec();
            bytes.splice(at..at, part);
        }
        4 => bytes.truncate(at),
        _ => {
            let known = random.choice(KNOWN).copied().unwrap_or_default();
            bytes.splice(at..at, known.iter().copied());
        }
    }
}

async fn grammar(mut attacker: Attacker) -> Result<(), String> {
    let documents = Documents::read(&attacker.documents)?;
    let mut connection = None;
    for _ in 0..attacker.amount {
        let generated = documents.request(&mut attacker.random);
        let (mut open, is_new) = match connection.take() {
            Some(open) => (open, false),
            None => match attacker.connect_from_anywhere().await {
                Ok(open) => (open, true),
                Err(error) => return Err(format!("cannot connect: {error}")),
            },
        };
        attacker.judge.sent();
        let is_sent = open.send(&generated.bytes).await.is_ok();
        match open.answer(generated.is_head, PATIENCE).await {
            Received::Answer(answer) => {
                attacker.judge.answer(&answer, generated.surface, true, generated.is_head);
                if answer.is_kept {
                    connection = Some(open);
                }
            }
            // The server had ended the connection before.
            Received::Closed if !is_new || !is_sent => attacker.judge.got("closed"),
            other => {
                let shown =
                    String::from_utf8_lossy(&generated.bytes[..generated.bytes.len().min(200)])
                        .into_owned();
                attacker.judge.violation(format!("{other:?} to {shown:?}"));
            }
        }
    }
    Ok(())
}

async fn framing(mut attacker: Attacker) -> Result<(), String> {
    let cases = framed();
    for _ in 0..attacker.amount {
        let case = attacker.random.choice(&cases).cloned().unwrap_or_default();
        attacker.judge.sent();
        let Ok(mut connection) = attacker.connect_from_anywhere().await else { continue };
        // In two pieces, as a network might deliver it.
        let middle = attacker.random.usize(..=case.len());
        for piece in [&case[..middle], &case[middle..]] {
            let _ = connection.send(piece).await;
        }
        while judge_doubtful(&attacker, &mut connection).await {}
    }
    Ok(())
}

/// Requests whose end, version or purpose is in doubt.
fn framed() -> Vec<Vec<u8>> {
    let post = |headers: &str, body: &str| {
        format!("POST /v1/workspaces HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n{body}")
            .into_bytes()
    };
    let line = |line: &str| format!("{line}\r\nhost: localhost\r\n\r\n").into_bytes();
    let hidden = "GET /v1/hidden HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let get = request("GET", "/v1/access-clients", "", b"");
    let long = "a".repeat(5000);
    let mut cases = vec![
        post("content-length: 2\r\ncontent-length: 3\r\n", "{}}"),
        post("content-length: 2, 2\r\n", "{}"),
        post("content-length: -1\r\n", "{}"),
        post("content-length: +2\r\n", "{}"),
        post("content-length: 0x2\r\n", "{}"),
        post("content-length: 18446744073709551616\r\n", "{}"),
        post("content-length: 99999999999999\r\n", "{}"),
        post("content-length: 4\r\ntransfer-encoding: chunked\r\n", &format!("0\r\n\r\n{hidden}")),
        post(
            "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
            &format!("0\r\n\r\n{hidden}"),
        ),
        post("transfer-encoding: xchunked\r\n", &format!("0\r\n\r\n{hidden}")),
        post("transfer-encoding : chunked\r\n", &format!("0\r\n\r\n{hidden}")),
        post("transfer-encoding:\tchunked\r\n", "2\r\n{}\r\n0\r\n\r\n"),
        post("transfer-encoding: gzip, chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"),
        post("transfer-encoding: chunked\r\n", "FFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n"),
        post("transfer-encoding: chunked\r\n", "fffffffffffffffff1\r\n{}\r\n0\r\n\r\n"),
        post("transfer-encoding: chunked\r\n", "-2\r\n{}\r\n0\r\n\r\n"),
        post("transfer-encoding: chunked\r\n", &format!("2;{long}={long}\r\n{{}}\r\n0\r\n\r\n")),
        post("transfer-encoding: chunked\r\n", &format!("2\r\n{{}}\r\n0\r\nx: {long}\r\n\r\n")),
        post("transfer-encoding: chunked\r\n", "2\n{}\n0\n\n"),
        post("transfer-encoding: chunked\r\nexpect: 100-continue\r\n", "2\r\n{}\r\n0\r\n\r\n"),
        post("content-length: 2\r\nexpect: 200-ok\r\n", "{}"),
        post("content-length: 2\r\nexpect: 100-continue\r\n", "{}"),
        post(
            "content-length: 2\r\nconnection: upgrade\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n",
            "{}",
        ),
        post("content-length: 2\r\nconnection: upgrade\r\nupgrade: websocket\r\n", "{}"),
        post("content-length: 2\r\n folded: yes\r\n", "{}"),
        post("content-length: 2\r\nhost: elsewhere\r\n", "{}"),
        line("CONNECT localhost:80 HTTP/1.1"),
        line("OPTIONS * HTTP/1.1"),
        line("GET http://elsewhere/v1/workspaces HTTP/1.1"),
        line("GET //v1/workspaces HTTP/1.1"),
        line("GET /v1/workspaces HTTP/1.0"),
        line("GET /v1/workspaces HTTP/2.0"),
        line("GET /v1/workspaces HTTP/0.9"),
        line("GET /v1/workspaces"),
        line("TRACE /v1/workspaces HTTP/1.1"),
        line("\r\n\r\nGET /v1/workspaces HTTP/1.1"),
        line("GET /v1/../_mock/v1/status HTTP/1.1"),
        line("GET /%2e%2e/_mock HTTP/1.1"),
        line("GET /v1/workspaces#fragment HTTP/1.1"),
        b"GET /v1/workspaces HTTP/1.1\r\n\r\n".to_vec(),
        b"GET /v1/workspaces HTTP/1.1\nhost: localhost\n\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET / HTTP/1.1\r\n\r\n".to_vec(),
        get.repeat(50),
    ];
    let body: Value = json!({ "name": "fabric" });
    let chunked: Vec<u8> = body
        .to_string()
        .bytes()
        .flat_map(|byte| [b'1', b'\r', b'\n', byte, b'\r', b'\n'])
        .collect();
    let mut single = post("content-type: application/json\r\ntransfer-encoding: chunked\r\n", "");
    single.extend(chunked);
    single.extend_from_slice(b"0\r\n\r\n");
    cases.push(single);
    cases
}
