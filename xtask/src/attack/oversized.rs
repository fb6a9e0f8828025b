//! Requests of which some part is too large, too deep or too many.

use fastrand::Rng;

use crate::attack::answer::Surface;
use crate::attack::attacker::{Attack, Attacker, On, PATIENCE, TOKEN, request};
use crate::attack::connection::Received;

const ANSWERED: &str = "each is answered, by the contract or by hyper";

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "oversized-heads",
        does: "targets, headers, cookies and queries that are too long or too many",
        promise: ANSWERED,
        share: 50,
        at_most: u64::MAX,
        on: On::Server { flags: &[], run: |attacker| Box::pin(attacker.crowd(8, heads)) },
    },
    Attack {
        name: "oversized-bodies",
        does: "bodies over the limit, deep, with thousands of names, or with numbers of a thousand digits",
        promise: ANSWERED,
        share: 20,
        at_most: 20_000,
        on: On::Server { flags: &[], run: |attacker| Box::pin(attacker.crowd(8, bodies)) },
    },
    Attack {
        name: "oversized-at-once",
        does: "bodies of 8 MiB at once, without credentials, that stop before their end",
        promise: "the budget of all bodies is kept",
        share: 5,
        at_most: 100,
        on: On::Server {
            flags: &[
                "--token",
                TOKEN,
                "--body-limit",
                "12582912",
                "--bodies-limit",
                "33554432",
                "--request-timeout",
                "3s",
            ],
            run: |attacker| {
                Box::pin(at_once(attacker, "/v1/workspaces", "x-auth-token: wrong\r\n"))
            },
        },
    },
    Attack {
        name: "oversized-let-in",
        does: "the same with credentials",
        promise: "the budget of all bodies is kept",
        share: 5,
        at_most: 100,
        on: On::Server {
            flags: &[
                "--token",
                TOKEN,
                "--body-limit",
                "12582912",
                "--bodies-limit",
                "33554432",
                "--request-timeout",
                "3s",
            ],
            run: |attacker| {
                Box::pin(at_once(
                    attacker,
                    "/v1/workspaces",
                    "x-auth-token: attack-polite-token\r\n",
                ))
            },
        },
    },
    Attack {
        name: "oversized-signed",
        does: "the same with a signature, which is checked after the body",
        promise: "the budget of all bodies is kept",
        share: 5,
        at_most: 100,
        on: On::Server {
            flags: &[
                "--token",
                TOKEN,
                "--access-key",
                "attack-key:attack-secret",
                "--body-limit",
                "12582912",
                "--bodies-limit",
                "33554432",
                "--request-timeout",
                "3s",
            ],
            run: |attacker| Box::pin(at_once(attacker, "/v1/workspaces", SIGNED)),
        },
    },
    Attack {
        name: "oversized-journal",
        does: "bodies of a megabyte that the journal is to keep",
        promise: "the budget of the journal is kept",
        share: 10,
        at_most: 2000,
        on: On::Server { flags: &[], run: |attacker| Box::pin(attacker.crowd(4, journalled)) },
    },
    Attack {
        name: "oversized-redaction",
        does: "wrong signatures of a known key with many short secrets, which the journal redacts",
        promise: ANSWERED,
        share: 5,
        at_most: 1000,
        on: On::Server {
            flags: &["--credentials", "{folder}/credentials.json"],
            run: |attacker| Box::pin(attacker.crowd(4, redacted)),
        },
    },
];

/// A signature of a known key that is wrong.
const SIGNED: &str = "x-sdk-date: 20250915T083000Z\r\nauthorization: SDK-HMAC-SHA256 Access=attack-key, \
    SignedHeaders=host;x-sdk-date, Signature=0000000000000000000000000000000000000000000000000000000000000000\r\n";

async fn heads(mut attacker: Attacker) -> Result<(), String> {
    for _ in 0..attacker.amount {
        let (target, headers) = large_head(&mut attacker.random);
        let bytes = request("GET", &target, &headers, b"");
        // hyper refuses what is larger than this, and more headers than 128.
        let is_ours =
            bytes.len() < 400_000 && target.len() < 60_000 && headers.lines().count() < 120;
        exchange(&mut attacker, &bytes, is_ours).await;
    }
    Ok(())
}

fn large_head(random: &mut Rng) -> (String, String) {
    let path = "/v1/access-clients".to_owned();
    let size = 1 << random.u32(6..20);
    match random.u8(..8) {
        0 => (format!("{path}/{}", "a".repeat(size)), String::new()),
        1 => (format!("{path}?name={}", "a".repeat(size)), String::new()),
        2 => (format!("{path}?{}", "name=a&".repeat(size / 7)), String::new()),
        3 => (format!("/v1{}", "/..".repeat(size / 3)), String::new()),
        4 => (path, format!("x-long: {}\r\n", "a".repeat(size))),
        5 => (path, format!("x-auth-token: {}\r\n", "a".repeat(size))),
        6 => (path, "cookie: e\r\n".repeat(size / 512)),
        _ => {
            let headers: Vec<_> =
                (0..size / 512).map(|number| format!("x-{number}: {number}\r\n")).collect();
            (path, headers.concat())
        }
    }
}

async fn bodies(mut attacker: Attacker) -> Result<(), String> {
    for _ in 0..attacker.amount {
        let size = 1 << attacker.random.u32(8..21);
        let body = match attacker.random.u8(..7) {
            0 => "[".repeat(size),
            1 => format!("{{\"name\":{}", "{\"name\":".repeat(size / 8)),
            2 => format!("{{\"name\":\"{}\"}}", "a".repeat(size)),
            3 => format!("{{\"total\":{}}}", "9".repeat(size)),
            4 => format!(
                "{{{}}}",
                (0..size / 10)
                    .map(|number| format!("\"k{number}\":1"))
                    .collect::<Vec<_>>()
                    .join(",")
            ),
            5 => format!("{{{}}}", vec!["\"name\":\"a\""; size / 11].join(",")),
            _ => format!("{{\"name\":\"{}\"}}", "\\ud83d\\udca9".repeat(size / 12)),
        };
        let paths = [
            "/v1/workspaces",
            "/v1/access-clients",
            "/v3/auth/tokens",
            "/_mock/v1/journal/verify",
            "/_mock/v1/projects",
        ];
        let path = attacker.random.choice(paths).unwrap_or_default();
        let bytes = request("POST", path, "", body.as_bytes());
        exchange(&mut attacker, &bytes, true).await;
    }
    Ok(())
}

async fn exchange(attacker: &mut Attacker, bytes: &[u8], is_http: bool) {
    attacker.judge.sent();
    let Ok(mut connection) = attacker.connect_from_anywhere().await else { return };
    let _ = connection.send(bytes).await;
    match connection.answer(false, PATIENCE).await {
        Received::Answer(answer) => {
            attacker.judge.answer(&answer, Surface::Unknown, is_http, false);
        }
        Received::Closed if bytes.len() > 100_000 => attacker.judge.got("closed"),
        other => {
            attacker.judge.violation(format!("{other:?} to a request of {} bytes", bytes.len()));
        }
    }
}

/// Sends most of a body, at once with all others, and waits for what comes of it.
async fn at_once(
    attacker: Attacker,
    path: &'static str,
    headers: &'static str,
) -> Result<(), String> {
    const LENGTH: usize = 8 << 20;
    let amount = attacker.amount;
    attacker
        .crowd(amount, move |attacker| async move {
            attacker.judge.sent();
            let Ok(mut connection) = attacker.connect().await else { return Ok(()) };
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{headers}\
                 content-length: {LENGTH}\r\n\r\n{{"
            );
            let mut is_sent = connection.send(head.as_bytes()).await.is_ok();
            let piece = vec![b' '; 64 * 1024];
            let mut left = LENGTH - 1024;
            while is_sent && left > piece.len() {
                is_sent = connection.send(&piece).await.is_ok();
                left -= piece.len();
            }
            match connection.answer(false, PATIENCE).await {
                Received::Answer(answer) => attacker.judge.answer(&answer, Surface::Service, true, false),
                Received::Closed => attacker.judge.got("closed"),
                other => return Err(format!("{other:?} to a body without end")),
            }
            Ok(())
        })
        .await
}

async fn journalled(attacker: Attacker) -> Result<(), String> {
    // It takes no room when compressed only if it is all the same.
    let mut random = attacker.random.clone();
    let text: String = (0..1_000_000).map(|_| random.alphanumeric()).collect();
    let body = format!("{{\"name\":\"{text}\"}}");
    let create = request("POST", "/v1/workspaces", "", body.as_bytes());
    for number in 0..attacker.amount {
        attacker.ask(&create, Surface::Service).await;
        if number % 10 == 0 {
            attacker
                .ask(&request("GET", "/_mock/v1/journal?limit=100", "", b""), Surface::Control)
                .await;
        }
    }
    Ok(())
}

async fn redacted(attacker: Attacker) -> Result<(), String> {
    let cookies = "cookie: e\r\n".repeat(60);
    let headers = format!(
        "{SIGNED}{cookies}x-mock-explain: 1\r\nx-mock-canonical-request: {}\r\n",
        "e".repeat(4000)
    );
    for _ in 0..attacker.amount {
        let bytes = request("GET", "/v1/access-clients", &headers, b"");
        // With a token the signature would not be looked at.
        let bytes =
            String::from_utf8_lossy(&bytes).replace(&format!("x-auth-token: {TOKEN}\r\n"), "");
        attacker.ask(bytes.as_bytes(), Surface::Service).await;
    }
    Ok(())
}
