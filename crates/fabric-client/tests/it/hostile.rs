//! A server that does everything wrong that a server and a network can: what the client makes of it, how
//! often it tries, and how long that takes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use fabric_client::model::access_client::{
    AccessClientCreate, AccessClientUpdate, ListAccessClientsQuery,
};
use fabric_client::{Client, ClientBuilder, Error, Finished, Retry};

/// What the server does with one request.
#[derive(Clone, Copy, Debug)]
enum Deed {
    /// Sends these bytes, and keeps the connection.
    Send(&'static str),
    /// Sends these bytes, and closes the connection.
    SendAndClose(&'static str),
    /// Resets the connection.
    Reset,
    /// Sends the beginning of an answer, and resets the connection.
    SendAndReset(&'static str),
    /// Closes the connection and listens no more.
    Leave,
    /// Says nothing, for as long as anybody listens.
    Hang,
    /// Sends the head of an answer, and then a byte now and then.
    Trickle,
    /// Sends an answer of a hundred megabytes.
    Flood,
    /// Sends the first bytes once, and then the others for as long as anybody listens.
    Repeat(&'static [u8], &'static [u8]),
    /// HTTP/2: says that no stream was processed, and closes.
    GoAway,
}

use Deed::{Flood, GoAway, Hang, Leave, Repeat, Reset, Send, SendAndClose, SendAndReset, Trickle};

const SHOWN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{\"name\": \"n\"}";
const DONE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const MISSING: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 83\r\n\r\n\
    {\"error_code\":\"common.01000001\",\"error_msg\":\"response status exception, code: 404\"}";
const THROTTLED: &str =
    "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";
const HTML: &str =
    "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>";
const EMPTY_500: &str = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n";
const EMPTY_408: &str = "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n";
const FULL_503: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{}";
const EMPTY_503: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";

/// A server that does one deed after another, and the last one again and again.
struct Hostile {
    endpoint: String,
    requests: Arc<AtomicU32>,
}

impl Hostile {
    fn start(deeds: &[Deed]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicU32::new(0));
        let (counter, deeds) = (requests.clone(), deeds.to_vec());
        let is_open = Arc::new(AtomicBool::new(true));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if !is_open.load(Ordering::SeqCst) {
                    return;
                }
                let (counter, deeds, is_open) = (counter.clone(), deeds.clone(), is_open.clone());
                // Connections may be opened while others are kept.
                std::thread::spawn(move || {
                    serve(&mut stream.unwrap(), &counter, &deeds, &is_open);
                });
            }
        });
        Self { endpoint, requests }
    }

    fn requests(&self) -> u32 {
        self.requests.load(Ordering::SeqCst)
    }

    fn client(&self) -> ClientBuilder {
        let retry = Retry::default().delays(Duration::from_millis(20), Duration::from_millis(40));
        Client::builder(&self.endpoint).retry(retry)
    }
}

fn serve(stream: &mut TcpStream, counter: &AtomicU32, deeds: &[Deed], is_open: &AtomicBool) {
    let mut request = [0; 4096];
    while stream.read(&mut request).is_ok_and(|length| length > 0) {
        let number = counter.fetch_add(1, Ordering::SeqCst) as usize;
        let deed = deeds.get(number).or(deeds.last()).copied().unwrap();
        let is_over = match deed {
            Send(answer) => stream.write_all(answer.as_bytes()).is_err(),
            SendAndClose(answer) => {
                stream.write_all(answer.as_bytes()).ok();
                true
            }
            Reset | SendAndReset(_) => {
                if let SendAndReset(beginning) = deed {
                    stream.write_all(beginning.as_bytes()).ok();
                    std::thread::sleep(Duration::from_millis(20));
                }
                // Without time to linger, what is left is thrown away and the other side told so.
                socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO)).unwrap();
                return;
            }
            Leave => {
                is_open.store(false, Ordering::SeqCst);
                // The listener is waiting for a last connection.
                TcpStream::connect(stream.local_addr().unwrap()).ok();
                std::thread::sleep(Duration::from_millis(20));
                true
            }
            Hang => {
                std::thread::sleep(Duration::from_mins(2));
                true
            }
            Trickle => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").ok();
                while stream.write_all(b" ").is_ok() {
                    std::thread::sleep(Duration::from_millis(50));
                }
                true
            }
            Flood => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n").ok();
                let megabyte = vec![b' '; 1024 * 1024];
                while stream.write_all(&megabyte).is_ok() {}
                true
            }
            Repeat(first, again) => {
                stream.write_all(first).ok();
                // Whatever the client says meanwhile must not fill the buffers, or it would wait for us.
                stream.set_nonblocking(true).ok();
                let (many, mut from) = (again.repeat(64 * 1024 / again.len() + 1), 0);
                loop {
                    while stream.read(&mut request).is_ok_and(|length| length > 0) {}
                    match stream.write(&many[from..]) {
                        Ok(length) => from = (from + length) % many.len(),
                        Err(error) if error.kind() == ErrorKind::WouldBlock => {
                            std::thread::sleep(Duration::from_millis(1));
                        }
                        Err(_) => break,
                    }
                }
                true
            }
            GoAway => {
                let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
                let nothing_processed = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                stream.write_all(&settings).ok();
                stream.write_all(&nothing_processed).ok();
                true
            }
        };
        if is_over {
            break;
        }
    }
    stream.shutdown(Shutdown::Both).ok();
}

async fn show(client: &Client) -> Result<(), Error> {
    client.access_clients().show("x").await.map(drop)
}

async fn create(client: &Client) -> Result<(), Error> {
    client.access_clients().create(AccessClientCreate::default()).await.map(drop)
}

/// The kind of an error, with the status if there was an answer.
fn kind(outcome: &Result<(), Error>) -> String {
    match outcome {
        Ok(()) => "success".to_owned(),
        Err(Error::Connect(_)) => "connect".to_owned(),
        Err(Error::TimedOut(_)) => "timed out".to_owned(),
        Err(Error::Interrupted(_)) => "interrupted".to_owned(),
        Err(Error::Rejected(error)) => format!("rejected {}", error.status().as_u16()),
        Err(Error::Unexpected { status, .. }) => format!("unexpected {}", status.as_u16()),
        Err(error) => panic!("{error:?}"),
    }
}

/// What the server does; the outcome of a show and its number of attempts; the same of a create.
type Case<'a> = (&'a [Deed], (&'static str, u32), (&'static str, u32));

#[tokio::test]
async fn each_hostile_deed_has_its_error_its_attempts_and_its_time() {
    let broken = Send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"name\": ");
    let cut = SendAndClose("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"name\"");
    let no_object = Send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>");
    let text = Send("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\n{}");
    let moved =
        Send("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n");
    let no_http = SendAndClose("no HTTP at all\r\n\r\n");
    let cases: &[Case<'_>] = &[
        (&[Send(SHOWN)], ("success", 1), ("success", 1)),
        (&[Reset], ("interrupted", 3), ("interrupted", 1)),
        (&[Reset, Send(SHOWN)], ("success", 2), ("interrupted", 1)),
        (&[cut], ("interrupted", 3), ("interrupted", 1)),
        (&[SendAndReset("HTTP/1.1 200 OK\r\n")], ("interrupted", 3), ("interrupted", 1)),
        (&[Hang], ("timed out", 3), ("timed out", 1)),
        (&[Trickle], ("timed out", 3), ("timed out", 1)),
        (&[broken], ("unexpected 200", 1), ("unexpected 200", 1)),
        (&[no_object], ("unexpected 200", 1), ("unexpected 200", 1)),
        (&[no_http], ("interrupted", 3), ("interrupted", 1)),
        // The body is what it should be, whatever it is called.
        (&[text], ("success", 1), ("success", 1)),
        (&[moved], ("unexpected 302", 1), ("unexpected 302", 1)),
        (&[Send(HTML)], ("rejected 502", 3), ("rejected 502", 1)),
        (&[Send(HTML), Send(SHOWN)], ("success", 2), ("rejected 502", 1)),
        (&[Send(EMPTY_500)], ("rejected 500", 3), ("rejected 500", 1)),
        (&[Send(EMPTY_503), Send(SHOWN)], ("success", 2), ("success", 2)),
        (&[Send(FULL_503), Send(SHOWN)], ("success", 2), ("rejected 503", 1)),
        (&[Send(EMPTY_408), Send(SHOWN)], ("success", 2), ("rejected 408", 1)),
        (&[Send(MISSING)], ("rejected 404", 1), ("rejected 404", 1)),
        (&[Flood], ("unexpected 200", 1), ("unexpected 200", 1)),
        // A connection that is kept, and closed under the next request.
        (&[Send(HTML), Reset, Send(SHOWN)], ("success", 3), ("rejected 502", 1)),
    ];
    for (deeds, shown, created) in cases {
        for (what, expected) in [("show", shown), ("create", created)] {
            let server = Hostile::start(deeds);
            // Only what hangs is meant to time out, however busy the machine is.
            let hangs = matches!(deeds, [Hang | Trickle]);
            let limit = if hangs { Duration::from_millis(400) } else { Duration::from_secs(20) };
            let client = server.client().attempt_timeout(limit).build().unwrap();
            let started = Instant::now();
            let outcome = if what == "show" { show(&client).await } else { create(&client).await };
            let took = started.elapsed();
            let seen = (kind(&outcome), server.requests());
            assert_eq!((seen.0.as_str(), seen.1), *expected, "{what}: {deeds:?}: {outcome:?}");
            // Without a timeout, what hangs would take a call to its end after a minute.
            assert!(took < Duration::from_secs(50), "{what}: {deeds:?} took {took:?}");
            if let Err(error) = outcome {
                let line = error.to_string();
                assert!(!line.contains('\n') && line.len() < 300, "{line}");
            }
        }
    }
}

/// Keeps the number of the last attempt, none of which may be answered.
struct Counting(Arc<AtomicU32>);

impl fabric_client::Interceptor for Counting {
    fn after(&self, finished: &Finished<'_>) {
        assert!(matches!(finished.error, Some(Error::Connect(_))));
        self.0.store(finished.number, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_whatever_the_call() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let attempts = Arc::new(AtomicU32::new(0));
    let retry = Retry::default().delays(Duration::from_millis(1), Duration::from_millis(2));
    let client = Client::builder(&format!("http://{closed}")).retry(retry);
    let client = client.interceptor(Counting(attempts.clone())).build().unwrap();
    assert_eq!(kind(&create(&client).await), "connect");
    assert_eq!(attempts.load(Ordering::SeqCst), 3);
    assert_eq!(kind(&create(&client.with_retry(Retry::off())).await), "connect");
    assert_eq!(attempts.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_connection_that_goes_away_is_replaced() {
    let server = Hostile::start(&[GoAway]);
    let http = crate::http().http2_prior_knowledge().build().unwrap();
    let client = server.client().http_client(http).build().unwrap();
    assert_eq!(kind(&show(&client).await), "interrupted");
    // The preface and the request come apart or together.
    assert!(server.requests() >= 3, "{}", server.requests());
}

#[tokio::test]
async fn what_never_ends_is_not_kept_and_not_waited_for() {
    let head = b"HTTP/1.1 200 OK\r\n";
    let chunk: &str = format!("10000\r\n{}\r\n", "x".repeat(65_536)).leak();
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let failed = b"HTTP/1.1 500 Oh\r\ntransfer-encoding: chunked\r\n\r\n";
    let trailers = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n";
    for (deed, expected) in [
        (Repeat(b"", b"x"), "interrupted"),
        (Repeat(head, b"x-more: more\r\n"), "interrupted"),
        (Repeat(b"HTTP/1.1 200 OK\r\nx: ", b"x"), "interrupted"),
        (Repeat(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "timed out"),
        (Repeat(chunked, chunk.as_bytes()), "unexpected 200"),
        (Repeat(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", b"x"), "interrupted"),
        (Repeat(trailers, b"x-more: more\r\n"), "interrupted"),
        // Of an error, the beginning is enough.
        (Repeat(failed, b"1\r\nx\r\n"), "rejected 500"),
    ] {
        let server = Hostile::start(&[deed]);
        let limit = if expected == "timed out" { 1 } else { 25 };
        let client =
            server.client().attempt_timeout(Duration::from_secs(limit)).retry(Retry::off());
        let client = client.build().unwrap();
        let started = Instant::now();
        let outcome = show(&client).await;
        assert_eq!(kind(&outcome), expected, "{deed:?}: {outcome:?}");
        assert!(started.elapsed() < Duration::from_secs(50), "{deed:?}");
    }
}

#[tokio::test]
async fn http_2_that_never_ends_is_not_kept_and_not_waited_for() {
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let acknowledged = [0, 0, 0, 4, 1, 0, 0, 0, 0];
    let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    // The status 200 by the static table, without the end of the head; then ever more of the head.
    let begun = [&settings[..], &[0, 0, 1, 1, 0, 0, 0, 0, 1, 0x88]].concat();
    let more = [0, 0, 4, 9, 0, 0, 0, 0, 1, 0x40, 1, b'x', 0];
    // The whole head, and then ever more of a body, in frames without a byte.
    let answered = [&settings[..], &[0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88]].concat();
    let nothing = [0, 0, 0, 0, 0, 0, 0, 0, 1];
    let leak = |bytes: Vec<u8>| &*bytes.leak();
    let (begun, answered) = (leak(begun), leak(answered));
    let leak = |bytes: &[u8]| &*bytes.to_vec().leak();
    for (deed, expected) in [
        (Repeat(b"", leak(&settings)), "timed out"),
        (Repeat(leak(&settings), leak(&acknowledged)), "interrupted"),
        (Repeat(leak(&settings), leak(&ping)), "timed out"),
        (Repeat(begun, leak(&more)), "interrupted"),
        (Repeat(answered, leak(&nothing)), "interrupted"),
        (Repeat(leak(&settings), b"x"), "interrupted"),
    ] {
        let server = Hostile::start(&[deed]);
        let http = crate::http().http2_prior_knowledge().build().unwrap();
        let limit = if expected == "timed out" { 1 } else { 25 };
        let client = server.client().http_client(http).retry(Retry::off());
        let client = client.attempt_timeout(Duration::from_secs(limit)).build().unwrap();
        let started = Instant::now();
        let outcome = show(&client).await;
        assert_eq!(kind(&outcome), expected, "{deed:?}: {outcome:?}");
        assert!(started.elapsed() < Duration::from_secs(50), "{deed:?}");
    }
}

#[tokio::test]
async fn tls_that_goes_wrong_is_no_connection() {
    let alert = [21, 3, 3, 0, 2, 2, 40];
    let handshake = [22, 3, 3, 0, 4, 1, 0, 0, 0];
    let leak = |bytes: &[u8]| &*bytes.to_vec().leak();
    for deed in [
        Send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
        Reset,
        Hang,
        Repeat(b"", leak(&alert)),
        Repeat(b"", leak(&handshake)),
        Repeat(b"", b"x"),
    ] {
        let server = Hostile::start(&[deed]);
        let endpoint = server.endpoint.replace("http://", "https://");
        let client = Client::builder(&endpoint).connect_timeout(Duration::from_secs(1));
        let client = client.retry(Retry::off()).build().unwrap();
        let outcome = show(&client).await;
        assert_eq!(kind(&outcome), "connect", "{deed:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn retry_after_is_waited_for_unless_there_is_no_time() {
    let server = Hostile::start(&[Send(THROTTLED), Send(SHOWN)]);
    let client = server.client().build().unwrap();
    let started = Instant::now();
    create(&client).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.requests(), 2);
    // With less time than that, the rejection is the result, at once.
    let patient = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 600\r\ncontent-length: 0\r\n\r\n";
    let server = Hostile::start(&[Send(patient), Send(SHOWN)]);
    assert_eq!(kind(&create(&server.client().build().unwrap()).await), "rejected 429");
    // However long the service asks for, nothing breaks.
    let for_ever = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 18446744073709551615\r\n\
        content-length: 0\r\n\r\n";
    let server = Hostile::start(&[Send(for_ever)]);
    let client = server.client().timeout(Duration::MAX).build().unwrap();
    assert_eq!(kind(&create(&client).await), "rejected 429");
    // A date counts as well: here two seconds by the clock of the client.
    let date = "HTTP/1.1 429 Too Many Requests\r\nretry-after: Mon, 15 Sep 2025 08:30:02 GMT\r\n\
        content-length: 0\r\n\r\n";
    let server = Hostile::start(&[Send(date), Send(SHOWN)]);
    let now = std::time::UNIX_EPOCH + Duration::from_secs(1_757_925_001);
    let started = Instant::now();
    create(&server.client().clock(move || now).build().unwrap()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
    // One that has passed asks for nothing.
    let passed = "HTTP/1.1 429 Too Many Requests\r\nretry-after: Mon, 15 Sep 2025 08:30:00 GMT\r\n\
        content-length: 0\r\n\r\n";
    let server = Hostile::start(&[Send(passed), Send(SHOWN)]);
    create(&server.client().build().unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_call_ends_by_its_deadline_whatever_its_attempts_may_take() {
    let server = Hostile::start(&[Hang]);
    let client = server.client().attempt_timeout(Duration::from_mins(1)).build().unwrap();
    let client = client.with_timeout(Duration::from_millis(300));
    let started = Instant::now();
    assert_eq!(kind(&show(&client).await), "timed out");
    assert!(started.elapsed() < Duration::from_secs(50), "{:?}", started.elapsed());
}

#[tokio::test]
async fn what_a_lost_answer_has_deleted_is_deleted() {
    let delete = async |deeds: &[Deed]| {
        let server = Hostile::start(deeds);
        let client = server.client().build().unwrap();
        kind(&client.access_clients().delete("x").await)
    };
    assert_eq!(delete(&[Reset, Send(MISSING)]).await, "success");
    assert_eq!(delete(&[Send(HTML), Send(MISSING)]).await, "success");
    assert_eq!(delete(&[Reset, Send(DONE)]).await, "success");
    // Nothing was deleted by what was not received, nor by nobody.
    assert_eq!(delete(&[Send(MISSING)]).await, "rejected 404");
    assert_eq!(delete(&[Send(EMPTY_503), Send(MISSING)]).await, "rejected 404");
    // A rename of what is not there stays an error.
    let server = Hostile::start(&[Reset, Send(MISSING)]);
    let client = server.client().build().unwrap();
    let update = AccessClientUpdate::default();
    assert_eq!(kind(&client.access_clients().update("x", update).await), "rejected 404");
}

#[tokio::test]
async fn an_outage_is_not_made_worse() {
    let server = Hostile::start(&[Send(EMPTY_500)]);
    let client = server.client().build().unwrap();
    for _ in 0..50 {
        assert_eq!(kind(&show(&client).await), "rejected 500");
    }
    // The budget of a hundred is good for twenty retries.
    assert_eq!(server.requests(), 50 + 20);
    // Clones share it.
    let other = client.clone();
    assert_eq!(kind(&show(&other).await), "rejected 500");
    assert_eq!(server.requests(), 71);
}

#[tokio::test]
async fn that_nothing_was_done_at_last_does_not_hide_what_may_have_been_done_before() {
    let update = async |deeds: &[Deed]| {
        let server = Hostile::start(deeds);
        let client = server.client().build().unwrap();
        let update = AccessClientUpdate::default();
        let error = client.access_clients().update("x", update).await.unwrap_err();
        assert!(error.is_in_doubt(), "{error:?}");
        kind(&Err(error))
    };
    // The first attempt is answered with what leaves it open, and then there is nobody.
    assert_eq!(update(&[Send(HTML), Leave]).await, "interrupted");
    assert_eq!(update(&[Reset, Send(THROTTLED), Send(THROTTLED)]).await, "interrupted");
    let not_allowed = Send("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\n{}");
    assert_eq!(update(&[Send(EMPTY_500), not_allowed]).await, "rejected 500");
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_not_used_again() {
    let server = Hostile::start(&[SendAndClose(SHOWN)]);
    let client = server.client().build().unwrap();
    for number in 1..4 {
        show(&client).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(server.requests(), number);
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_is_over() {
    let server = Hostile::start(&[Reset]);
    let retry =
        Retry::default().attempts(50).delays(Duration::from_millis(50), Duration::from_millis(50));
    let client = server.client().retry(retry).build().unwrap();
    let outcome = tokio::time::timeout(Duration::from_millis(120), show(&client)).await;
    assert!(outcome.is_err());
    // A call that went on would have made all its attempts by then.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(server.requests() < 50, "{} requests", server.requests());
}

#[tokio::test]
async fn an_answer_too_large_for_an_error_is_cut() {
    let head = "HTTP/1.1 400 Bad Request\r\ncontent-length: 200000\r\n\r\n";
    let answer = head.to_owned() + &"x".repeat(200_000);
    let server = Hostile::start(&[Send(answer.leak())]);
    let list = ListAccessClientsQuery::default();
    let client = server.client().build().unwrap();
    let error = client.access_clients().list(list).await.unwrap_err();
    assert_eq!(error.api_error().unwrap().to_bytes().len(), 65_536);
    assert!(error.to_string().len() < 300, "{error}");
}
