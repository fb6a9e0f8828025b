//! Serves a router on a socket, within the limits of the contract.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::Router;
use bytes::Bytes;
use fabric_model::{ApiError, Failure, header};
use http::{Request, Response};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tower::Service;

use crate::api::answer::{Answer, AnswerBody};
use crate::api::around::Around;
use crate::api::connections::{Connection, ConnectionLimits, Connections, Underway, Watch};
use crate::api::frames::Frames;
use crate::api::limits::HEADERS_MAX_LENGTH;
use crate::api::routing::Operations;
use crate::api::stream::{PREFACE, Watched};
#[cfg(feature = "tls")]
use crate::api::tls::Tls;

/// A router that is being served. It stops when it is dropped.
///
/// It serves the router of [`Api::into_router`](crate::Api::into_router) within the limits of the contract. The
/// defaults of axum and hyper would reject a long token, or wait forever for a request.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    connections: Connections,
    tasks: [JoinHandle<()>; 2],
}

/// How much of an answer is handed over at once: so much is held for a caller who does not take it.
const PIECE: usize = 64 * 1024;

/// How much a connection over HTTP/2 may send before it is read: so much is held for a call that does not read.
const UNREAD_MAX: u32 = 256 * 1024;

/// How long the server waits where the system lets it accept no connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How many connections may be told at once that there are too many.
const REFUSALS_MAX: usize = 64;

impl Server {
    /// Serves a router on a listener, with the default [`ConnectionLimits`].
    ///
    /// # Errors
    ///
    /// When the listener is of no use.
    pub fn start(listener: TcpListener, router: Router) -> io::Result<Self> {
        Acceptor::<(), ()>::new(None, router).start(listener)
    }

    /// Serves a router on a listener, over TLS.
    ///
    /// # Errors
    ///
    /// When the listener is of no use.
    #[cfg(feature = "tls")]
    pub fn start_tls(listener: TcpListener, router: Router, tls: &Tls) -> io::Result<Self> {
        let acceptor = Acceptor::<(), ()>::new(None, router);
        Acceptor { tls: Some(tls.acceptor()), ..acceptor }.start(listener)
    }

    /// The address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.count()
    }

    /// Accepts no more requests, finishes the open ones and stops, at the latest after `grace`.
    pub async fn shutdown(self, grace: Duration) {
        self.tasks[0].abort();
        self.connections.finish();
        let _ = tokio::time::timeout(grace, self.connections.ended()).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.connections.abort();
    }
}

/// What makes a [`Server`].
pub(crate) struct Acceptor<S, A: Around> {
    /// What answers at the paths of its operations.
    pub(crate) operations: Option<Arc<Operations<S, A>>>,
    /// What answers at all other paths.
    pub(crate) router: Router,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<tokio_rustls::TlsAcceptor>,
    pub(crate) connections: Connections,
}

impl<S: Clone + Send + Sync + 'static, A: Around> Acceptor<S, A> {
    pub(crate) fn new(operations: Option<Arc<Operations<S, A>>>, router: Router) -> Self {
        Self {
            operations,
            router,
            #[cfg(feature = "tls")]
            tls: None,
            connections: Connections::new(ConnectionLimits::default()),
        }
    }

    /// Starts to accept connections.
    pub(crate) fn start(self, listener: TcpListener) -> io::Result<Server> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let connections = self.connections.clone();
        let tasks = [
            tokio::spawn(self.accept(listener, connections.clone())),
            tokio::spawn(connections.clone().watch_over()),
        ];
        Ok(Server { address, connections, tasks })
    }

    async fn accept(self, listener: tokio::net::TcpListener, connections: Connections) {
        let http = Arc::new(Http::new(connections.limits()));
        #[cfg(feature = "tls")]
        let is_plain = self.tls.is_none();
        #[cfg(not(feature = "tls"))]
        let is_plain = true;
        let mut complaints = Complaints::default();
        let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
        loop {
            let (stream, address) = match listener.accept().await {
                Ok((stream, address)) => (stream, address.ip()),
                Err(error) => {
                    // Of a connection that ended before it was accepted there is nothing to say.
                    if error.kind() != io::ErrorKind::ConnectionAborted {
                        complaints.add(&format!("no connection can be accepted: {error}"));
                        connections.make_room();
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                    continue;
                }
            };
            // Answers are small, and are not to wait for more of them.
            let _ = stream.set_nodelay(true);
            let mut stream = Some(stream);
            let spawned = connections.spawn(address, |watch| {
                let stream = stream.take();
                self.serve(stream, http.clone(), watch)
            });
            if spawned.is_none() {
                complaints.add("a connection was refused: there are too many");
                if let (Some(stream), Ok(permit)) = (stream, refusals.clone().try_acquire_owned()) {
                    tokio::spawn(async move {
                        let _permit = permit;
                        let telling = refuse(stream, is_plain);
                        let _ = tokio::time::timeout(Duration::from_secs(1), telling).await;
                    });
                }
            }
        }
    }

    /// Serves a connection to its end.
    fn serve(
        &self,
        stream: Option<TcpStream>,
        http: Arc<Http>,
        watch: Arc<Watch>,
    ) -> impl Future<Output = ()> + Send + use<S, A> {
        let (operations, router) = (self.operations.clone(), self.router.clone());
        #[cfg(feature = "tls")]
        let tls = self.tls.clone();
        async move {
            let Some(stream) = stream else { return };
            let mut stream = Watched::new(stream, watch.clone());
            let requests = Arc::new(Requests { operations, router, watch: watch.clone() });
            // What takes too long here ends with the connection: it has sent no head in time.
            #[cfg(feature = "tls")]
            if let Some(tls) = tls {
                match watch.unless_finishing(Box::pin(tls.accept(stream))).await {
                    Some(Ok(stream)) => {
                        let version = Version::of(&stream);
                        Box::pin(http.exchange(version, stream, requests)).await;
                    }
                    Some(Err(error)) => tracing::debug!(%error, "no TLS"),
                    None => {}
                }
                return;
            }
            let is_http_2 = watch.unless_finishing(stream.begins_http_2()).await;
            let Some(Ok(is_http_2)) = is_http_2 else { return };
            let version = if is_http_2 { Version::Http2 } else { Version::Http1 };
            http.exchange(version, stream, requests).await;
        }
    }
}

/// What a connection speaks.
#[derive(Clone, Copy)]
enum Version {
    Http1,
    Http2,
}

#[cfg(feature = "tls")]
impl Version {
    /// What was agreed on while TLS began.
    fn of<S>(stream: &tokio_rustls::server::TlsStream<S>) -> Self {
        let (_, tls) = stream.get_ref();
        if tls.alpn_protocol() == Some(b"h2") { Self::Http2 } else { Self::Http1 }
    }
}

/// Serves connections over either version. hyper-util can tell the versions apart too, but then the buffer of a
/// connection over HTTP/1.1 is twice as large: what was read for that comes to hyper as a piece of its own.
struct Http {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

impl Http {
    /// Wider than our own limits, so that it is us who reject, with an error of the contract; but for more than
    /// [`HEADERS_MAX_COUNT`](crate::api::limits::HEADERS_MAX_COUNT) headers over HTTP/1.1, which hyper has on
    /// the stack only if nobody sets their number. Times are kept by [`Connections`]: a timer of hyper's would be
    /// made for each request.
    fn new(limits: &ConnectionLimits) -> Self {
        let mut http1 = http1::Builder::new();
        http1.max_buf_size(2 * HEADERS_MAX_LENGTH);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        let headers_max = u32::try_from(HEADERS_MAX_LENGTH).unwrap_or(u32::MAX);
        http2.max_header_list_size(2 * headers_max);
        http2.max_concurrent_streams(limits.streams).max_send_buf_size(PIECE);
        http2.initial_stream_window_size(UNREAD_MAX).initial_connection_window_size(UNREAD_MAX);
        Self { http1, http2 }
    }

    /// Answers the requests of a connection until it ends, or is to end.
    async fn exchange<Stream, S, A>(
        &self,
        version: Version,
        stream: Stream,
        requests: Arc<Requests<S, A>>,
    ) where
        Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Clone + Send + Sync + 'static,
        A: Around,
    {
        let watch = requests.watch.clone();
        let service = service_fn(move |request| requests.clone().answer(request));
        // On the heap: the task of a connection is not to have room for what other connections speak.
        match version {
            Version::Http1 => {
                let connection = self.http1.serve_connection(TokioIo::new(stream), service);
                drive(Box::pin(connection), &watch).await;
            }
            Version::Http2 => {
                let stream = TokioIo::new(Frames::new(stream, PREFACE.len()));
                drive(Box::pin(self.http2.serve_connection(stream, service)), &watch).await;
            }
        }
    }
}

/// Runs a connection, and lets it end when its calls are answered once it is to.
async fn drive<C>(mut connection: Pin<Box<C>>, watch: &Watch)
where
    C: GracefulConnection<Error = hyper::Error>,
{
    let mut is_asked = false;
    let served = poll_fn(|context| {
        if !is_asked && watch.is_finishing(context) {
            is_asked = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(context)
    });
    if let Err(error) = served.await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Tells a caller that there are too many connections, in the form of the contract.
async fn refuse(mut stream: TcpStream, is_plain: bool) -> io::Result<()> {
    if !is_plain {
        return Ok(());
    }
    let error = ApiError::from(Failure::Unavailable);
    let body = error.to_bytes();
    let head = format!(
        "HTTP/1.1 {}\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        error.status(),
        ApiError::MEDIA_TYPE,
        body.len(),
    );
    stream.write_all(&[head.into_bytes(), body].concat()).await?;
    stream.shutdown().await?;
    // What is closed before it was read to its end is reset, and the answer may be lost with it.
    let mut unread = [0; 4096];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

/// Warnings of which many come at once: one a second is told.
#[derive(Default)]
struct Complaints {
    told: Option<Instant>,
    more: u64,
}

impl Complaints {
    fn add(&mut self, reason: &str) {
        if self.told.is_some_and(|told| told.elapsed() < Duration::from_secs(1)) {
            self.more += 1;
            return;
        }
        let more = std::mem::take(&mut self.more);
        tracing::warn!(more, "{reason}");
        self.told = Some(Instant::now());
    }
}

/// The requests of a connection.
struct Requests<S, A: Around> {
    operations: Option<Arc<Operations<S, A>>>,
    router: Router,
    watch: Arc<Watch>,
}

impl<S: Clone + Send + Sync + 'static, A: Around> Requests<S, A> {
    // hyper moves the future of each call into its place. So what is seldom needed stands on the heap.
    async fn answer(
        self: Arc<Self>,
        mut request: Request<Incoming>,
    ) -> Result<Response<Taken>, Infallible> {
        let underway = Underway::new(&self.watch);
        let connection = Connection::of(&self.watch);
        let operations = self.operations.as_deref();
        let found = operations
            .and_then(|operations| Some((operations, operations.find(request.uri().path())?)));
        let response = if let Some((operations, place)) = found {
            pin!(operations.answer(Some(place), request, connection)).await
        } else {
            request.extensions_mut().insert(connection);
            // A router is always ready.
            let Ok(response) = Box::pin(self.router.clone().call(request)).await;
            response.map(AnswerBody::Streamed)
        };
        Ok(Taken::response(response, underway))
    }
}

/// The body of an answer, which is handed over in pieces, and seen to be taken.
struct Taken {
    body: AnswerBody,
    /// What is left of a piece that was too large.
    rest: Bytes,
    underway: Underway,
}

impl Taken {
    /// Sends an answer, or 503 in its place if too much waits to be received by others.
    fn response(mut response: Response<AnswerBody>, mut underway: Underway) -> Response<Self> {
        // A stream of events has no end by which it could be late, and is not held.
        if let Some(length) = response.body().size_hint().exact() {
            if !underway.hold(usize::try_from(length).unwrap_or(usize::MAX)) {
                no_room_for(&mut response);
            }
            underway.answered();
        }
        response.map(|body| Self { body, rest: Bytes::new(), underway })
    }
}

/// Replaces an answer by 503. It has the same request id.
#[cold]
fn no_room_for(response: &mut Response<AnswerBody>) {
    let id = response.headers_mut().remove(header::X_REQUEST_ID);
    *response = Answer::of(&Failure::Unavailable.into()).into_response();
    response.headers_mut().extend(id.map(|id| (header::X_REQUEST_ID, id)));
}

impl HttpBody for Taken {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.underway.taken();
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)).transpose()? {
                None => return Poll::Ready(None),
                Some(frame) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
            }
        }
        let piece = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        let rest = self.rest.len() as u64;
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}
