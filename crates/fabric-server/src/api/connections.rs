//! The connections of a server: how many there may be, how long each may wait, and how they end.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::poll_fn;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::api::budget::Budget;

/// The limits of connections. Times are kept to within a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// How many there may be. If there is one more, the one that has been idle the longest ends; if none is idle,
    /// the new one is refused with 503.
    pub connections: usize,
    /// How many there may be from one address, or from one /64 network of IPv6 addresses. If there is one more, the
    /// same happens to those of the address.
    pub per_address: usize,
    /// How many requests one may have underway over HTTP/2. More are not begun, as HTTP/2 has it.
    pub streams: u32,
    /// How many bytes of answers may wait to be received, in all; of each connection, the first 64 KiB are not
    /// counted. An answer for which there is no room is replaced by 503.
    pub answers: usize,
    /// How long one may take to send the head of its first request. For the head of a later one there is so much
    /// more time than [`Self::idle`].
    pub head: Duration,
    /// How long one may be idle between two requests.
    pub idle: Duration,
    /// How long one may take to receive the next piece of an answer.
    pub answer: Duration,
}

impl Default for ConnectionLimits {
    /// 16,384 connections, be they from one address or many, with 32 streams each; 256 MiB of answers; 30 seconds for
    /// a head, 90 between requests, 60 for a piece of an answer.
    fn default() -> Self {
        Self {
            connections: 16_384,
            per_address: 16_384,
            streams: 32,
            answers: 256 * 1024 * 1024,
            head: Duration::from_secs(30),
            idle: Duration::from_secs(90),
            answer: Duration::from_mins(1),
        }
    }
}

/// How many bytes of answers a connection holds before they count for all.
const HELD_PIECE: usize = 64 * 1024;

/// The open connections of a server. Clones are of the same server.
#[derive(Clone, Debug)]
pub(crate) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: ConnectionLimits,
    /// The seconds since the start: read without asking the system.
    seconds: Arc<AtomicU32>,
    open: Mutex<Open>,
    ended: Notify,
    answers: Budget,
    refused: AtomicU64,
    evicted: AtomicU64,
    late: AtomicU64,
}

#[derive(Debug, Default)]
struct Open {
    last_id: u64,
    connections: HashMap<u64, OpenConnection>,
    /// How many connections each address has.
    addresses: HashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct OpenConnection {
    watch: Arc<Watch>,
    address: IpAddr,
    /// There is none until the task was started.
    task: Option<AbortHandle>,
}

impl Open {
    fn add(&mut self, connection: OpenConnection) -> u64 {
        *self.addresses.entry(connection.address).or_default() += 1;
        self.last_id += 1;
        self.connections.insert(self.last_id, connection);
        self.last_id
    }

    fn remove(&mut self, id: u64) -> Option<OpenConnection> {
        let gone = self.connections.remove(&id)?;
        if let Entry::Occupied(mut count) = self.addresses.entry(gone.address) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        Some(gone)
    }
}

/// What is counted of the connections of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionCounts {
    pub(crate) open: usize,
    /// How many there were too many.
    pub(crate) refused: u64,
    /// How many idle ones had to go for another.
    pub(crate) evicted: u64,
    /// How many took too long.
    pub(crate) late: u64,
    /// How many bytes of answers wait to be received.
    pub(crate) answer_bytes: usize,
    /// How many answers there was no room for.
    pub(crate) answers_rejected: u64,
}

/// What is seen of a connection.
#[derive(Debug)]
pub(crate) struct Watch {
    seconds: Arc<AtomicU32>,
    answers: Budget,
    /// How many bytes its answers hold that were not taken yet.
    held: AtomicUsize,
    /// How many calls are underway: until their answers have been taken whole.
    underway: AtomicU32,
    /// How many of them have an answer that is being sent.
    sending: AtomicU32,
    /// Since when no call is underway.
    waiting_since: AtomicU32,
    /// When a piece of an answer was taken last.
    taken_at: AtomicU32,
    /// Since when nothing can be written; 0 if something can.
    blocked_since: AtomicU32,
    /// Whether a byte has come since no call is underway, or since the connection began.
    is_heard: AtomicBool,
    /// Whether it has brought a request.
    has_served: AtomicBool,
    /// Whether the connection is to end as soon as no call is underway.
    is_finishing: AtomicBool,
    /// Whether a call broke the connection, and how.
    broken: AtomicU8,
    waker: AtomicWaker,
}

impl Connections {
    pub(crate) fn new(limits: ConnectionLimits) -> Self {
        // From 1 on, so that 0 is no time.
        let seconds = Arc::new(AtomicU32::new(1));
        let shared = Shared {
            limits,
            seconds,
            open: Mutex::default(),
            ended: Notify::new(),
            answers: Budget::new(limits.answers),
            refused: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
            late: AtomicU64::new(0),
        };
        Self(Arc::new(shared))
    }

    /// The limits.
    pub(crate) fn limits(&self) -> &ConnectionLimits {
        &self.0.limits
    }

    /// Runs a connection from an address in a task of its own; `None` if there are too many.
    pub(crate) fn spawn<F>(&self, address: IpAddr, run: impl FnOnce(Arc<Watch>) -> F) -> Option<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let address = network(address);
        let watch = Arc::new(Watch::new(self.0.seconds.clone(), self.0.answers.clone()));
        let id = {
            let open = &mut *self.0.open.lock();
            let of_address = open.addresses.get(&address).copied().unwrap_or_default();
            let has_room = if of_address >= self.0.limits.per_address {
                self.end_idle(open, |connection| connection.address == address)
            } else if open.connections.len() >= self.0.limits.connections {
                self.end_idle(open, |_| true)
            } else {
                true
            };
            if !has_room {
                self.0.refused.fetch_add(1, Ordering::Relaxed);
                return None;
            }
            open.add(OpenConnection { watch: watch.clone(), address, task: None })
        };
        let running = run(watch);
        let ending = Ending { connections: self.clone(), id };
        let task = tokio::spawn(async move {
            let _ending = ending;
            running.await;
        });
        // A runtime that stops ends the task while it is started: so the lock was given back before.
        if let Some(connection) = self.0.open.lock().connections.get_mut(&id) {
            connection.task = Some(task.abort_handle());
        }
        Some(())
    }

    /// Ends the connection that has been idle the longest, of some; whether there was one.
    fn end_idle(&self, open: &mut Open, is_of_them: impl Fn(&OpenConnection) -> bool) -> bool {
        let idle = open.connections.iter().filter(|(_, connection)| {
            connection.watch.is_idle() && connection.task.is_some() && is_of_them(connection)
        });
        let since =
            |connection: &OpenConnection| connection.watch.waiting_since.load(Ordering::Relaxed);
        let oldest = idle.min_by_key(|(_, connection)| since(connection)).map(|(id, _)| *id);
        let Some(task) = oldest.and_then(|id| open.remove(id)?.task) else { return false };
        task.abort();
        self.0.evicted.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Makes room where the system has none left for another connection.
    pub(crate) fn make_room(&self) {
        self.end_idle(&mut self.0.open.lock(), |_| true);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.open.lock().connections.len()
    }

    /// What is counted of them.
    pub(crate) fn counts(&self) -> ConnectionCounts {
        ConnectionCounts {
            open: self.count(),
            refused: self.0.refused.load(Ordering::Relaxed),
            evicted: self.0.evicted.load(Ordering::Relaxed),
            late: self.0.late.load(Ordering::Relaxed),
            answer_bytes: self.0.answers.used(),
            answers_rejected: self.0.answers.exceeded(),
        }
    }

    /// Ends what waits for too long, once a second.
    pub(crate) async fn watch_over(self) {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        second.tick().await;
        loop {
            second.tick().await;
            let now = self.0.seconds.fetch_add(1, Ordering::Relaxed) + 1;
            let open = self.0.open.lock();
            for OpenConnection { watch, task, .. } in open.connections.values() {
                match watch.state(now, &self.0.limits) {
                    State::InTime => {}
                    State::Idle => watch.finish(),
                    State::Late => {
                        self.0.late.fetch_add(1, Ordering::Relaxed);
                        task.iter().for_each(AbortHandle::abort);
                    }
                }
            }
        }
    }

    /// Lets every connection end when its calls are answered.
    pub(crate) fn finish(&self) {
        self.0.open.lock().connections.values().for_each(|connection| connection.watch.finish());
    }

    /// Waits until there is none.
    pub(crate) async fn ended(&self) {
        loop {
            let ended = self.0.ended.notified();
            if self.0.open.lock().connections.is_empty() {
                return;
            }
            ended.await;
        }
    }

    /// Ends all at once.
    pub(crate) fn abort(&self) {
        let open = self.0.open.lock();
        open.connections
            .values()
            .filter_map(|connection| connection.task.as_ref())
            .for_each(AbortHandle::abort);
    }
}

/// What counts as one address: somebody who has an IPv6 address has all those of its network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// Removes a connection that has ended, however it did.
struct Ending {
    connections: Connections,
    id: u64,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let Connections(shared) = &self.connections;
        let mut open = shared.open.lock();
        let gone = open.remove(self.id);
        let is_last = open.connections.is_empty();
        drop(open);
        drop(gone);
        if is_last {
            shared.ended.notify_waiters();
        }
    }
}

/// Whether a connection keeps to its limits.
enum State {
    InTime,
    /// It has asked nothing for too long.
    Idle,
    /// It holds something up.
    Late,
}

impl Watch {
    fn new(seconds: Arc<AtomicU32>, answers: Budget) -> Self {
        let now = seconds.load(Ordering::Relaxed);
        Self {
            seconds,
            answers,
            held: AtomicUsize::new(0),
            underway: AtomicU32::new(0),
            sending: AtomicU32::new(0),
            waiting_since: AtomicU32::new(now),
            taken_at: AtomicU32::new(now),
            blocked_since: AtomicU32::new(0),
            // The first head is awaited from the start.
            is_heard: AtomicBool::new(true),
            has_served: AtomicBool::new(false),
            is_finishing: AtomicBool::new(false),
            broken: AtomicU8::new(0),
            waker: AtomicWaker::new(),
        }
    }

    fn now(&self) -> u32 {
        self.seconds.load(Ordering::Relaxed)
    }

    /// Notes that bytes have come.
    pub(crate) fn note_heard(&self) {
        let is_waiting = self.underway.load(Ordering::Relaxed) == 0;
        if is_waiting && !self.is_heard.load(Ordering::Relaxed) {
            self.is_heard.store(true, Ordering::Relaxed);
        }
    }

    /// Notes whether the other side takes nothing more.
    pub(crate) fn note_blocked(&self, is_blocked: bool) {
        let since = if is_blocked { self.now() } else { 0 };
        self.blocked_since.store(since, Ordering::Relaxed);
    }

    /// How the connection was broken, if it was.
    pub(crate) fn broken(&self) -> Option<Broken> {
        match self.broken.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Broken::Closed),
            _ => Some(Broken::Reset),
        }
    }

    /// Notes that an answer of so many bytes is held until it is taken; whether there is room for it.
    ///
    /// Only each 64 KiB that a connection holds changes what all share.
    fn hold(&self, bytes: usize) -> bool {
        let before = self.held.fetch_add(bytes, Ordering::Relaxed);
        let pieces = (before + bytes) / HELD_PIECE - before / HELD_PIECE;
        pieces == 0 || self.answers.add(pieces * HELD_PIECE)
    }

    fn let_go(&self, bytes: usize) {
        let before = self.held.fetch_sub(bytes, Ordering::Relaxed);
        let pieces = before / HELD_PIECE - (before - bytes) / HELD_PIECE;
        if pieces > 0 {
            self.answers.remove(pieces * HELD_PIECE);
        }
    }

    fn is_idle(&self) -> bool {
        self.underway.load(Ordering::Acquire) == 0 && !self.is_heard.load(Ordering::Relaxed)
    }

    fn state(&self, now: u32, limits: &ConnectionLimits) -> State {
        let is_over = |since: &AtomicU32, limit: Duration| {
            u64::from(now.saturating_sub(since.load(Ordering::Relaxed))) > limit.as_secs()
        };
        if self.blocked_since.load(Ordering::Relaxed) != 0
            && is_over(&self.blocked_since, limits.answer)
        {
            return State::Late;
        }
        if self.underway.load(Ordering::Acquire) > 0 {
            let is_taken = self.sending.load(Ordering::Relaxed) == 0
                || !is_over(&self.taken_at, limits.answer);
            return if is_taken { State::InTime } else { State::Late };
        }
        // Over HTTP/2, what comes after a request may be no more than a sign of life.
        let is_first = !self.has_served.load(Ordering::Relaxed);
        if is_first && is_over(&self.waiting_since, limits.head)
            || is_over(&self.waiting_since, limits.idle + limits.head)
        {
            return State::Late;
        }
        if is_over(&self.waiting_since, limits.idle) { State::Idle } else { State::InTime }
    }

    fn finish(&self) {
        self.is_finishing.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Whether the connection is to end; if not, its task is woken when it is.
    pub(crate) fn is_finishing(&self, context: &Context<'_>) -> bool {
        self.waker.register(context.waker());
        self.is_finishing.load(Ordering::Acquire)
    }

    /// Waits for a future, unless the connection is to end.
    pub(crate) async fn unless_finishing<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|context| {
            if self.is_finishing(context) {
                return Poll::Ready(None);
            }
            future.as_mut().poll(context).map(Some)
        })
        .await
    }
}

/// A call that is underway, until its answer was taken or given up.
#[derive(Debug)]
pub(crate) struct Underway {
    watch: Arc<Watch>,
    is_sending: bool,
    /// How many bytes of an answer it holds.
    held: usize,
}

impl Underway {
    pub(crate) fn new(watch: &Arc<Watch>) -> Self {
        watch.underway.fetch_add(1, Ordering::AcqRel);
        watch.has_served.store(true, Ordering::Relaxed);
        Self { watch: watch.clone(), is_sending: false, held: 0 }
    }

    /// The answer is there, and as long as its caller takes it. What has no end of its own is not
    /// awaited.
    pub(crate) fn answered(&mut self) {
        self.is_sending = true;
        self.taken();
        self.watch.sending.fetch_add(1, Ordering::Relaxed);
    }

    /// Holds an answer of so many bytes until the call ends; whether there is room for it.
    pub(crate) fn hold(&mut self, bytes: usize) -> bool {
        self.held += bytes;
        let has_room = self.watch.hold(bytes);
        if !has_room {
            self.watch.let_go(bytes);
            self.held -= bytes;
        }
        has_room
    }

    /// A piece of the answer was taken.
    pub(crate) fn taken(&self) {
        self.watch.taken_at.store(self.watch.now(), Ordering::Relaxed);
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        let watch = &self.watch;
        if self.held > 0 {
            watch.let_go(self.held);
        }
        if self.is_sending {
            watch.sending.fetch_sub(1, Ordering::Relaxed);
            self.taken();
        }
        // Calls of a connection may end at once: whichever is the last says so.
        if watch.underway.fetch_sub(1, Ordering::AcqRel) == 1 {
            watch.waiting_since.store(watch.now(), Ordering::Relaxed);
            watch.is_heard.store(false, Ordering::Relaxed);
        }
    }
}

/// A connection as a call knows it, which may break it. Clones are of the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection(Option<Arc<Watch>>);

/// How a call breaks its connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Broken {
    Closed = 1,
    /// The other side is told that something went wrong.
    Reset = 2,
}

impl Connection {
    pub(crate) fn of(watch: &Arc<Watch>) -> Self {
        Self(Some(watch.clone()))
    }

    /// Ends the connection before another byte is written.
    pub(crate) fn close(&self) {
        self.end(Broken::Closed);
    }

    /// The same, and tells the other side that something went wrong.
    pub(crate) fn reset(&self) {
        self.end(Broken::Reset);
    }

    fn end(&self, how: Broken) {
        if let Some(watch) = &self.0 {
            watch.broken.store(how as u8, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_an_answer_piece_by_piece_is_waited_for() {
        let limits = ConnectionLimits::default();
        let limit = u32::try_from(limits.answer.as_secs()).unwrap_or(u32::MAX);
        let seconds = Arc::new(AtomicU32::new(1));
        let watch = Arc::new(Watch::new(seconds.clone(), Budget::new(0)));
        let late = || {
            let now = seconds.load(Ordering::Relaxed);
            matches!(watch.state(now, &limits), State::Late)
        };
        let wait = |time: u32| seconds.fetch_add(time, Ordering::Relaxed);
        let mut underway = Underway::new(&watch);
        wait(10 * limit);
        assert!(!late(), "a call has limits of its own");
        underway.answered();
        for _ in 0..10 {
            wait(limit);
            assert!(!late());
            underway.taken();
        }
        wait(limit + 1);
        assert!(late());
        drop(underway);
        assert!(!late() && watch.is_idle(), "it waits for another request");
    }

    #[test]
    fn answers_that_are_not_taken_are_counted_beyond_the_first_piece_of_a_connection() {
        let answers = Budget::new(2 * HELD_PIECE);
        let watch = Arc::new(Watch::new(Arc::new(AtomicU32::new(1)), answers.clone()));
        let mut calls: Vec<_> = (0..4).map(|_| Underway::new(&watch)).collect();
        assert!(calls[0].hold(HELD_PIECE - 1));
        assert_eq!(answers.used(), 0);
        assert!(calls[1].hold(2 * HELD_PIECE));
        assert_eq!(answers.used(), 2 * HELD_PIECE);
        assert!(!calls[2].hold(1), "it is one too many");
        assert_eq!((answers.used(), answers.exceeded()), (2 * HELD_PIECE, 1));
        calls.swap_remove(0);
        assert!(calls.iter_mut().any(|call| call.hold(1)), "another was taken");
        drop(calls);
        assert_eq!(answers.used(), 0);
    }

    #[test]
    fn an_address_of_ipv6_is_a_network() {
        let of = |address: &str| network(address.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
