//! The connections of a server: how many there may be, how long each may wait, and how they end.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

/// The limits of connections. Times are kept to within a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// How many there may be. If there is one more, the one that has been idle the longest ends; if none is idle,
    /// the new one is refused with 503.
    pub connections: usize,
    /// How long one may take to send the head of its first request. For the head of a later one there is so much
    /// more time than [`Self::idle`].
    pub head: Duration,
    /// How long one may be idle between two requests.
    pub idle: Duration,
    /// How long one may take to receive the next piece of an answer.
    pub answer: Duration,
}

impl Default for ConnectionLimits {
    /// 16,384 connections, 30 seconds for a head, 90 between requests, 60 for a piece of an answer.
    fn default() -> Self {
        Self {
            connections: 16_384,
            head: Duration::from_secs(30),
            idle: Duration::from_secs(90),
            answer: Duration::from_mins(1),
        }
    }
}

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
}

#[derive(Debug, Default)]
struct Open {
    last_id: u64,
    /// A connection has no handle until its task was started.
    connections: HashMap<u64, (Arc<Watch>, Option<AbortHandle>)>,
}

/// What is seen of a connection.
#[derive(Debug)]
pub(crate) struct Watch {
    seconds: Arc<AtomicU32>,
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
        let shared = Shared { limits, seconds, open: Mutex::default(), ended: Notify::new() };
        Self(Arc::new(shared))
    }

    /// Runs a connection in a task of its own; `None` if there are too many.
    pub(crate) fn spawn<F>(&self, run: impl FnOnce(Arc<Watch>) -> F) -> Option<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let watch = Arc::new(Watch::new(self.0.seconds.clone()));
        let id = {
            let open = &mut *self.0.open.lock();
            if open.connections.len() >= self.0.limits.connections {
                Self::end_idle(open)?;
            }
            open.last_id += 1;
            open.connections.insert(open.last_id, (watch.clone(), None));
            open.last_id
        };
        let running = run(watch);
        let ending = Ending { connections: self.clone(), id };
        let task = tokio::spawn(async move {
            let _ending = ending;
            running.await;
        });
        // A runtime that stops ends the task while it is started: so the lock was given back before.
        if let Some((_, handle)) = self.0.open.lock().connections.get_mut(&id) {
            *handle = Some(task.abort_handle());
        }
        Some(())
    }

    /// Ends the connection that has been idle the longest; `None` if none is.
    fn end_idle(open: &mut Open) -> Option<()> {
        let is_started = |task: &Option<AbortHandle>| task.is_some();
        let idle = open.connections.iter();
        let idle = idle.filter(|(_, (watch, task))| watch.is_idle() && is_started(task));
        let since = |watch: &Watch| watch.waiting_since.load(Ordering::Relaxed);
        let (id, _) = idle.min_by_key(|(_, (watch, _))| since(watch))?;
        let id = *id;
        let (_, task) = open.connections.remove(&id)?;
        task?.abort();
        Some(())
    }

    /// Makes room where the system has none left for another connection.
    pub(crate) fn make_room(&self) {
        let _ = Self::end_idle(&mut self.0.open.lock());
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.open.lock().connections.len()
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
            for (watch, task) in open.connections.values() {
                match watch.state(now, &self.0.limits) {
                    State::InTime => {}
                    State::Idle => watch.finish(),
                    State::Late => task.iter().for_each(AbortHandle::abort),
                }
            }
        }
    }

    /// Lets every connection end when its calls are answered.
    pub(crate) fn finish(&self) {
        self.0.open.lock().connections.values().for_each(|(watch, _)| watch.finish());
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
            .filter_map(|(_, task)| task.as_ref())
            .for_each(AbortHandle::abort);
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
        let gone = open.connections.remove(&self.id);
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
    fn new(seconds: Arc<AtomicU32>) -> Self {
        let now = seconds.load(Ordering::Relaxed);
        Self {
            seconds,
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
}

impl Underway {
    pub(crate) fn new(watch: &Arc<Watch>) -> Self {
        watch.underway.fetch_add(1, Ordering::AcqRel);
        watch.has_served.store(true, Ordering::Relaxed);
        Self { watch: watch.clone(), is_sending: false }
    }

    /// The answer is there, and as long as its caller takes it. What has no end of its own is not awaited.
    pub(crate) fn answered(&mut self) {
        self.is_sending = true;
        self.taken();
        self.watch.sending.fetch_add(1, Ordering::Relaxed);
    }

    /// A piece of the answer was taken.
    pub(crate) fn taken(&self) {
        self.watch.taken_at.store(self.watch.now(), Ordering::Relaxed);
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        let watch = &self.watch;
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

const CLOSED: u8 = 1;
const RESET: u8 = 2;

impl Connection {
    pub(crate) fn of(watch: &Arc<Watch>) -> Self {
        Self(Some(watch.clone()))
    }

    /// Ends the connection before another byte is written.
    pub(crate) fn close(&self) {
        self.end(CLOSED);
    }

    /// The same, and tells the other side that something went wrong.
    pub(crate) fn reset(&self) {
        self.end(RESET);
    }

    fn end(&self, how: u8) {
        if let Some(watch) = &self.0 {
            watch.broken.store(how, Ordering::Release);
        }
    }
}

/// What a connection over HTTP/2 begins with.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The stream of a connection, which tells its [`Watch`] what goes over it.
#[derive(Debug)]
pub(crate) struct Watched {
    stream: TcpStream,
    watch: Arc<Watch>,
    is_blocked: bool,
    /// What was read to tell the version of HTTP, and is still to be passed on.
    start: [u8; PREFACE.len()],
    start_length: u8,
}

impl Watched {
    pub(crate) fn new(stream: TcpStream, watch: Arc<Watch>) -> Self {
        let start = [0; PREFACE.len()];
        Self { stream, watch, is_blocked: false, start, start_length: 0 }
    }

    fn note<T>(&mut self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_pending() != self.is_blocked {
            self.is_blocked = written.is_pending();
            let since = if self.is_blocked { self.watch.now() } else { 0 };
            self.watch.blocked_since.store(since, Ordering::Relaxed);
        }
        written
    }

    fn check(&self) -> io::Result<()> {
        match self.watch.broken.load(Ordering::Acquire) {
            0 => return Ok(()),
            // What is then dropped is not closed in order.
            RESET => self.stream.set_zero_linger()?,
            _ => {}
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

impl Watched {
    /// Whether the other side speaks HTTP/2 from the start.
    ///
    /// # Errors
    ///
    /// The stream cannot be read.
    pub(crate) async fn begins_http_2(&mut self) -> io::Result<bool> {
        let mut length = 0;
        while length < PREFACE.len() {
            let read = self.stream.read(&mut self.start[length..]).await?;
            length += read;
            self.start_length = u8::try_from(length).unwrap_or(u8::MAX);
            if read == 0 || self.start[..length] != PREFACE[..length] {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Passes on what was read to tell the version; whether nothing more fits.
    fn pass_start_on(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let length = usize::from(self.start_length);
        let passed = length.min(buffer.remaining());
        buffer.put_slice(&self.start[..passed]);
        self.start.copy_within(passed..length, 0);
        self.start_length = u8::try_from(length - passed).unwrap_or(u8::MAX);
        buffer.remaining() == 0
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.start_length > 0 {
            // Together with what follows: hyper makes room for another piece when it gets a small one.
            if !self.pass_start_on(buffer) {
                let _ = Pin::new(&mut self.stream).poll_read(context, buffer)?;
            }
            return Poll::Ready(Ok(()));
        }
        let filled = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let watch = &self.watch;
        if buffer.filled().len() > filled
            && watch.underway.load(Ordering::Relaxed) == 0
            && !watch.is_heard.load(Ordering::Relaxed)
        {
            watch.is_heard.store(true, Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut self.stream).poll_write(context, buffer);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
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
        let watch = Arc::new(Watch::new(seconds.clone()));
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
}
