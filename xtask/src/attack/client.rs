//! Hostile servers, which the command `fabric` calls, and those commands of `fabric-server` that call one.

use std::fmt::Write;
use std::future::pending;
use std::io;
use std::time::Duration;

use fastrand::Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::attack::attacker::{Attack, Ends, On, Serving};
use crate::attack::frames::{
    ACK, CONTINUATION, DATA, END_HEADERS, HEADERS, PING, SETTINGS, block, frame,
};

/// The words of a command, and what each has: a hostile server, and little time.
macro_rules! words {
    ($($word:literal),* $(,)?) => {
        words!(at "http://{address}", $($word),*)
    };
    (at $endpoint:literal, $($word:literal),*) => {
        &[$($word,)* "--endpoint", $endpoint, "--timeout", "3s"]
    };
}

const LIST: &[&str] = words!["--anonymous", "access-clients", "list"];
const LIST_JSON: &[&str] = words!["--anonymous", "access-clients", "list", "-o", "json"];
const SHOW: &[&str] = words!["--anonymous", "access-clients", "show", "one"];
const SHOW_JSON: &[&str] = words!["--anonymous", "access-clients", "show", "one", "-o", "json"];
const OVER_TLS: &[&str] = words![at "https://{address}", "--anonymous", "access-clients", "list"];
const COVERAGE: &[&str] = words!["coverage"];
const HEALTH: &[&str] = words!["healthcheck"];

/// The most connections of a command: for each of its attempts one, and one more.
const CONNECTIONS_MAX: u64 = 6;

const fn hostile(
    name: &'static str,
    does: &'static str,
    arguments: &'static [&'static str],
    serve: fn(TcpStream, Rng) -> Serving,
) -> Attack {
    let on = On::Command { program: "fabric", arguments, serve, ends: Ends::ByItself };
    let promise = "the command ends, within its memory, and prints no control characters";
    Attack { name, does, promise, share: 1, at_most: CONNECTIONS_MAX, on }
}

const fn asked(
    name: &'static str,
    does: &'static str,
    arguments: &'static [&'static str],
    serve: fn(TcpStream, Rng) -> Serving,
) -> Attack {
    let on = On::Command { program: "fabric-server", arguments, serve, ends: Ends::ByItself };
    let promise = "the command ends, within its memory, and prints no control characters";
    Attack { name, does, promise, share: 1, at_most: 1, on }
}

pub(crate) const ATTACKS: &[Attack] = &[
    hostile("client-pages-same", "the same full page for ever", LIST, |stream, _| {
        Box::pin(answer(stream, |_| {
            page(100, |number| format!("{{\"id\":\"same-{number}\"}}"), "")
        }))
    }),
    hostile("client-pages-without-ids", "full pages of items without ids", LIST, |stream, _| {
        Box::pin(answer(stream, |_| page(100, |_| "{}".to_owned(), "")))
    }),
    hostile("client-pages-long", "pages longer than asked for", LIST, |stream, _| {
        Box::pin(answer(stream, |_| page(1_000_000, |_| "{}".to_owned(), "")))
    }),
    hostile(
        "client-pages-beyond-total",
        "a total of ten, and pages for ever",
        LIST,
        |stream, mut random| {
            Box::pin(answer(stream, move |_| {
                page(100, |_| format!("{{\"id\":\"{}\"}}", random.u64(..)), ",\"total\":10")
            }))
        },
    ),
    Attack {
        name: "client-pages-new",
        does: "pages of ever other items for ever",
        promise: "the command keeps its memory",
        share: 1,
        at_most: 1,
        on: On::Command {
            program: "fabric",
            arguments: LIST,
            serve: |stream, mut random| {
                Box::pin(answer(stream, move |_| {
                    let name = "n".repeat(4000);
                    page(
                        100,
                        |_| format!("{{\"id\":\"{}\",\"name\":\"{name}\"}}", random.u64(..)),
                        "",
                    )
                }))
            },
            ends: Ends::MayGoOn,
        },
    },
    hostile("client-body-endless", "a body without end", SHOW, |stream, _| {
        Box::pin(endless(stream, "HTTP/1.1 200 OK\r\n\r\n", &[b' '; 65_536]))
    }),
    hostile("client-chunks-endless", "chunks without end", SHOW, |stream, _| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        Box::pin(endless(stream, head, b"8\r\n        \r\n"))
    }),
    hostile("client-trailers-endless", "trailers without end", SHOW, |stream, _| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n";
        Box::pin(endless(stream, head, b"x-more: more\r\n"))
    }),
    hostile("client-head-endless", "a head without end", SHOW, |stream, _| {
        Box::pin(endless(stream, "HTTP/1.1 200 OK\r\n", b"x-more: more\r\n"))
    }),
    hostile("client-informed-endless", "100 Continue without end", SHOW, |stream, _| {
        Box::pin(endless(stream, "", b"HTTP/1.1 100 Continue\r\n\r\n"))
    }),
    hostile("client-silence", "no answer", SHOW, |stream, _| Box::pin(silent(stream))),
    hostile("client-trickle", "an answer of a byte now and then", SHOW, |stream, _| {
        Box::pin(trickle(stream))
    }),
    hostile("client-redirects", "redirects in a circle", SHOW, |stream, _| {
        Box::pin(send_once(stream, REDIRECT))
    }),
    hostile("client-errors", "503 for ever, with a year to wait", SHOW, |stream, _| {
        Box::pin(send_to_each(
            stream,
            "HTTP/1.1 503 Service Unavailable\r\nretry-after: 31536000\r\ncontent-length: 2\r\n\r\n{}",
        ))
    }),
    hostile("client-control-list", "control characters in a table", LIST, |stream, _| {
        Box::pin(answer(stream, |_| page(1, |_| of_odd_characters(), ",\"total\":1")))
    }),
    hostile(
        "client-control-list-json",
        "control characters in a list as JSON",
        LIST_JSON,
        |stream, _| Box::pin(answer(stream, |_| page(1, |_| of_odd_characters(), ",\"total\":1"))),
    ),
    hostile("client-control-show", "control characters in a record", SHOW, |stream, _| {
        Box::pin(answer(stream, |_| of_odd_characters()))
    }),
    hostile(
        "client-control-show-json",
        "control characters in a record as JSON",
        SHOW_JSON,
        |stream, _| Box::pin(answer(stream, |_| of_odd_characters())),
    ),
    hostile("client-control-error", "control characters in an error", SHOW, |stream, _| {
        let text = odd_characters();
        let body = format!(
            "{{\"error_code\":\"{text}\",\"error_msg\":\"{text}\",\"solution_msg\":\"{text}\"}}"
        );
        let length = body.len();
        let id = "x-request-id: \u{9b}31m\u{202e}";
        let all =
            format!("HTTP/1.1 400 Bad Request\r\n{id}\r\ncontent-length: {length}\r\n\r\n{body}");
        Box::pin(async move { send_to_each(stream, &all).await })
    }),
    hostile(
        "client-control-html",
        "control characters in an error that is no JSON",
        SHOW,
        |stream, _| {
            let body = "\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}<html>\u{0}\u{8}";
            let all = format!(
                "HTTP/1.1 502 Bad\u{9b}31m Gateway\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            Box::pin(async move { send_to_each(stream, &all).await })
        },
    ),
    hostile("client-json-deep", "a body of a million brackets", SHOW, |stream, _| {
        Box::pin(answer(stream, |_| "[".repeat(1_000_000)))
    }),
    hostile("client-noise", "random bytes", SHOW, |stream, random| Box::pin(noise(stream, random))),
    hostile("client-http2", "HTTP/2, which was not asked for", SHOW, |stream, _| {
        Box::pin(http2(stream))
    }),
    hostile("client-tls-noise", "random bytes in place of TLS", OVER_TLS, |stream, random| {
        Box::pin(noise(stream, random))
    }),
    hostile("client-tls-silence", "a TLS handshake that is not answered", OVER_TLS, |stream, _| {
        Box::pin(silent(stream))
    }),
    hostile(
        "client-tls-endless",
        "records of a TLS handshake without end",
        OVER_TLS,
        |stream, _| {
            // A message of 16 MiB, in records of 16 KiB.
            let mut record = vec![0x16, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff];
            record.resize(5 + 0x4000, 0);
            Box::pin(async move { endless(stream, "", &record).await })
        },
    ),
    asked(
        "asked-coverage-endless",
        "a body without end for `fabric-server coverage`",
        COVERAGE,
        |stream, _| Box::pin(endless(stream, "HTTP/1.1 200 OK\r\n\r\n", &[b' '; 65_536])),
    ),
    asked(
        "asked-health-endless",
        "a body without end for `fabric-server healthcheck`",
        HEALTH,
        |stream, _| Box::pin(endless(stream, "HTTP/1.1 500 Broken\r\n\r\n", &[b'x'; 65_536])),
    ),
    asked(
        "asked-health-control",
        "control characters for `fabric-server healthcheck`",
        HEALTH,
        |stream, _| Box::pin(owned(stream)),
    ),
    asked(
        "asked-coverage-control",
        "control characters for `fabric-server coverage`",
        COVERAGE,
        |stream, _| Box::pin(owned(stream)),
    ),
    asked(
        "asked-health-redirect",
        "a redirect for `fabric-server healthcheck`",
        HEALTH,
        |stream, _| Box::pin(send_once(stream, REDIRECT)),
    ),
    asked(
        "asked-coverage-redirect",
        "a redirect for `fabric-server coverage`",
        COVERAGE,
        |stream, _| Box::pin(send_once(stream, REDIRECT)),
    ),
];

/// An error that a terminal would act on.
async fn owned(stream: TcpStream) -> io::Result<()> {
    let body = "{\"error\":\"\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}\\u001b[31m\\u202e\"}";
    let head = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json";
    let all = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    send_to_each(stream, &all).await
}

/// Whoever follows it connects again.
const REDIRECT: &str = "HTTP/1.1 307 Temporary Redirect\r\nlocation: /followed\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

async fn send_once(mut stream: TcpStream, all: &str) -> io::Result<()> {
    read(&mut stream).await?;
    stream.write_all(all.as_bytes()).await
}

/// Reads a request, of which it believes what comes at once to be all.
async fn read(stream: &mut TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    match stream.read(&mut buffer).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// Answers each request with 200 and a body.
async fn answer(mut stream: TcpStream, mut body: impl FnMut(u64) -> String) -> io::Result<()> {
    for number in 0.. {
        read(&mut stream).await?;
        let body = body(number);
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await?;
    }
    Ok(())
}

async fn send_to_each(mut stream: TcpStream, all: &str) -> io::Result<()> {
    loop {
        read(&mut stream).await?;
        stream.write_all(all.as_bytes()).await?;
    }
}

async fn endless(mut stream: TcpStream, head: &str, piece: &[u8]) -> io::Result<()> {
    read(&mut stream).await?;
    stream.write_all(head.as_bytes()).await?;
    let pieces = piece.repeat((65_536 / piece.len()).max(1));
    loop {
        stream.write_all(&pieces).await?;
    }
}

async fn silent(mut stream: TcpStream) -> io::Result<()> {
    read(&mut stream).await?;
    pending().await
}

async fn trickle(mut stream: TcpStream) -> io::Result<()> {
    read(&mut stream).await?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n{").await?;
    loop {
        stream.write_all(b" ").await?;
        sleep(Duration::from_millis(100)).await;
    }
}

async fn noise(mut stream: TcpStream, mut random: Rng) -> io::Result<()> {
    read(&mut stream).await?;
    let bytes: Vec<u8> = (0..100_000).map(|_| random.u8(..)).collect();
    stream.write_all(&bytes).await
}

async fn http2(mut stream: TcpStream) -> io::Result<()> {
    read(&mut stream).await?;
    let mut bytes = frame(SETTINGS, 0, 0, &[]);
    bytes.extend(frame(SETTINGS, ACK, 0, &[]));
    bytes.extend(frame(HEADERS, 0, 1, &block(&[(":status", b"200")])));
    bytes.extend(frame(CONTINUATION, END_HEADERS, 1, &[]));
    bytes.extend(frame(DATA, 0, 1, b"{"));
    bytes.extend(frame(PING, 0, 0, b"12345678").repeat(10_000));
    stream.write_all(&bytes).await?;
    pending().await
}

/// A page of so many items, and what else stands in it.
fn page(count: u32, mut item: impl FnMut(u32) -> String, more: &str) -> String {
    let mut page = "{\"access_client_infos\":[".to_owned();
    for number in 0..count {
        if number > 0 {
            page.push(',');
        }
        page.push_str(&item(number));
    }
    write!(page, "]{more}}}").unwrap_or_default();
    page
}

/// What a terminal acts on, as it may stand in JSON.
fn odd_characters() -> String {
    let odd = [
        "\\u001b[31m",
        "\\u009b31m",
        "\u{9b}31m",
        "\\u202e",
        "\u{202e}",
        "\u{2066}",
        "\\r",
        "\\n",
        "\\u0007",
        "\\u0000",
    ];
    odd.join("x")
}

fn of_odd_characters() -> String {
    let text = odd_characters();
    format!(
        "{{\"id\":\"{text}\",\"name\":\"{text}\",\"status\":\"{text}\",\"vpc_id\":\"{text}\",\"create_time\":\"{text}\"}}"
    )
}
