//! Serves a router on a socket, within the limits of the contract.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::accept::{Accept, NoDelayAcceptor};
use axum_server::service::SendService;
use http::Request as HttpRequest;
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::api::limits::HEADERS_MAX_LENGTH;
#[cfg(feature = "tls")]
use crate::api::tls::Tls;

/// A router that is being served. It stops when it is dropped.
///
/// It serves the router of [`Api::into_router`](crate::Api::into_router) within the limits of the contract. The
/// defaults of axum and hyper would reject a long token, or wait forever for a request.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    task: JoinHandle<io::Result<()>>,
}

/// How long a connection may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// hyper answers more headers than this by itself, without a body. It makes room for as many with every
/// request, so that a large number is paid for every time.
const HYPER_MAX_HEADERS: usize = 128;

impl Server {
    /// Serves a router on a listener.
    ///
    /// # Errors
    ///
    /// When the listener is of no use.
    pub fn start(listener: TcpListener, router: Router) -> io::Result<Self> {
        Self::accept_by(NoDelayAcceptor::new(), listener, router)
    }

    /// Serves a router on a listener, over TLS.
    ///
    /// # Errors
    ///
    /// When the listener is of no use.
    #[cfg(feature = "tls")]
    pub fn start_tls(listener: TcpListener, router: Router, tls: &Tls) -> io::Result<Self> {
        Self::accept_by(tls.acceptor(NoDelayAcceptor::new()), listener, router)
    }

    /// Serves a router on connections that an acceptor prepares.
    pub(crate) fn accept_by<A>(
        acceptor: A,
        listener: TcpListener,
        router: Router,
    ) -> io::Result<Self>
    where
        A: Accept<TcpStream, Router> + Clone + Send + Sync + 'static,
        A::Stream: AsyncRead + AsyncWrite + Unpin + Send,
        A::Service: SendService<HttpRequest<Incoming>> + Send,
        A::Future: Send,
    {
        let address = listener.local_addr()?;
        let handle = Handle::new();
        let mut server = axum_server::from_tcp(listener)?
            .acceptor(acceptor)
            .first_request_timeout(HEAD_TIMEOUT)
            .handle(handle.clone());
        let builder = server.http_builder();
        // Wider than our own limits, so that it is us who reject, with an error of the contract.
        builder
            .http1()
            .max_headers(HYPER_MAX_HEADERS)
            .max_buf_size(4 * HEADERS_MAX_LENGTH)
            .header_read_timeout(HEAD_TIMEOUT);
        builder
            .http2()
            .max_header_list_size(2 * u32::try_from(HEADERS_MAX_LENGTH).unwrap_or(u32::MAX));
        let task = tokio::spawn(server.serve(router.into_make_service()));
        Ok(Self { address, handle, task })
    }

    /// The address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more requests, finishes the open ones and stops, at the latest after `grace`.
    ///
    /// # Errors
    ///
    /// What went wrong while the server ran.
    pub async fn shutdown(mut self, grace: Duration) -> io::Result<()> {
        self.handle.graceful_shutdown(Some(grace));
        (&mut self.task).await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}
