//! A polite caller beside an attack: one connection, a call every few milliseconds, each of them timed.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::attack::attacker::{PATIENCE, request};
use crate::attack::connection::{Connection, Received};

/// A caller in a thread of its own, whose waiting the attack's tasks do not disturb.
#[derive(Debug)]
pub(crate) struct Polite {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Experience>,
}

/// What a polite caller has met.
#[derive(Debug, Default)]
pub(crate) struct Experience {
    times: Vec<Duration>,
    /// Why calls failed.
    failures: Vec<String>,
}

/// Where it calls from.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// The time between two calls.
const PAUSE: Duration = Duration::from_millis(5);

impl Polite {
    /// Starts to call. `expected` are the statuses that are right.
    pub(crate) fn start(address: SocketAddr, expected: &'static [u16]) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = is_over.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime
                .map(|runtime| {
                    runtime
                        .block_on(call_until(&over, Caller { address, expected, connection: None }))
                })
                .unwrap_or_default()
        });
        Self { is_over, thread }
    }

    pub(crate) fn stop(self) -> Experience {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

impl Experience {
    /// So many of a thousand calls took at most this time; `None` if there were none.
    pub(crate) fn quantile(&self, per_mille: usize) -> Option<Duration> {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get((times.len() * per_mille / 1000).min(times.len().saturating_sub(1))).copied()
    }

    /// Why calls failed, if any did.
    pub(crate) fn failure(&self) -> Option<String> {
        let first = self.failures.first()?;
        let all = self.failures.len() + self.times.len();
        Some(format!("{} of {all} polite calls failed: {first}", self.failures.len()))
    }
}

async fn call_until(is_over: &AtomicBool, mut caller: Caller) -> Experience {
    let mut experience = Experience::default();
    while !is_over.load(Ordering::Relaxed) {
        let begin = Instant::now();
        match caller.call().await {
            Ok(()) => experience.times.push(begin.elapsed()),
            Err(reason) => experience.failures.push(reason),
        }
        tokio::time::sleep(PAUSE).await;
    }
    experience
}

struct Caller {
    address: SocketAddr,
    expected: &'static [u16],
    connection: Option<Connection>,
}

impl Caller {
    async fn call(&mut self) -> Result<(), String> {
        // A server may end a connection between two calls: then the call is repeated on another one.
        let had_one = self.connection.is_some();
        match self.attempt().await {
            Err(_) if had_one => self.attempt().await,
            other => other,
        }
    }

    async fn attempt(&mut self) -> Result<(), String> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            // The attackers come from elsewhere.
            None => {
                Connection::open(self.address, ADDRESS).await.map_err(|error| error.to_string())?
            }
        };
        let call = request("GET", "/v1/access-clients", "x-project-id: polite\r\n", b"");
        connection.send(&call).await.map_err(|error| error.to_string())?;
        match connection.answer(false, PATIENCE).await {
            Received::Answer(answer) => {
                if answer.is_kept {
                    self.connection = Some(connection);
                }
                if self.expected.contains(&answer.status) {
                    Ok(())
                } else {
                    Err(format!("answered {}", answer.shown()))
                }
            }
            Received::Closed => Err("the connection ended without an answer".to_owned()),
            Received::Nothing => Err("no answer came".to_owned()),
            Received::Broken(reason) => Err(reason),
        }
    }
}
