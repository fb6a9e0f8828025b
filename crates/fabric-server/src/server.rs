//! A mock server: settings in, an address out.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::str::FromStr;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::accept::{Accept, NoDelayAcceptor};
use axum_server::service::SendService;
use http::Method;
use http::Request as HttpRequest;
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::limits::HEADERS_MAX_LENGTH;
use crate::mock::Mock;
#[cfg(feature = "tls")]
use crate::tls::Tls;
use crate::{Callers, Clock, Credential, Limits, RequestIds, Seed};

/// How the mock server fills the gaps of the documentation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// As documented: every field of a request is optional, and a new name may hold any character.
    #[default]
    Documented,
    /// As a careful service would be: an access client needs a name, a VPC and a subnet or a
    /// connection, and a new name has only characters that answers may hold.
    Strict,
}

impl FromStr for Profile {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "documented" => Ok(Self::Documented),
            "strict" => Ok(Self::Strict),
            _ => Err("must be documented or strict"),
        }
    }
}

/// How a mock server is to be.
///
/// ```
/// use std::time::Duration;
/// use fabric_server::{Profile, Settings};
///
/// let settings = Settings {
///     profile: Profile::Strict,
///     creating_time: Duration::from_secs(5),
///     ..Settings::default()
/// };
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen; port 0 stands for a free one.
    pub listen: SocketAddr,
    /// What callers may present. With none, everybody is let in.
    pub credentials: Vec<Credential>,
    /// Listen beyond this machine even if everybody is let in.
    pub open_to_all: bool,
    /// How to speak TLS, if at all.
    #[cfg(feature = "tls")]
    pub tls: Option<Tls>,
    /// How to fill the gaps of the documentation.
    pub profile: Profile,
    /// How long an access client is `CREATING`.
    pub creating_time: Duration,
    /// How long an access client is `DELETING`.
    pub deleting_time: Duration,
    /// What ids, made-up names and addresses follow from; drawn when absent.
    pub rng_seed: Option<u64>,
    /// The access clients that are there from the start.
    pub access_clients: Vec<Seed>,
    /// What a request may cost.
    pub limits: Limits,
    /// The clock.
    pub clock: Clock,
    /// The end of every request id.
    pub hostname: String,
}

impl Default for Settings {
    /// A free port of this machine, an empty store, everything done at once.
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            credentials: Vec::new(),
            open_to_all: false,
            #[cfg(feature = "tls")]
            tls: None,
            profile: Profile::default(),
            creating_time: Duration::ZERO,
            deleting_time: Duration::ZERO,
            rng_seed: None,
            access_clients: Vec::new(),
            limits: Limits::default(),
            clock: Clock::system(),
            hostname: "localhost".to_owned(),
        }
    }
}

impl Settings {
    /// Whether it listens beyond this machine, and whoever reaches it there is let in.
    #[must_use]
    pub fn is_open_beyond_this_machine(&self) -> bool {
        self.credentials.is_empty() && !self.listen.ip().is_loopback()
    }
}

/// A running mock server. It stops when it is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use fabric_client::Client;
/// use fabric_model::access_client::{AccessClientCreate, AccessClientUpdate};
/// use fabric_server::MockServer;
///
/// let server = MockServer::start().await;
/// let client = Client::new(server.endpoint())?;
///
/// let created = client.access_clients().create(AccessClientCreate::default()).await?;
/// let id = created.id.expect("the mock server answers every field");
/// let update = AccessClientUpdate { name: Some("zzh_test1122".to_owned()) };
/// client.access_clients().update(&id, update).await?;
/// assert_eq!(client.access_clients().show(&id).await?.name.as_deref(), Some("zzh_test1122"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MockServer {
    server: Server,
    endpoint: String,
    clock: Clock,
    operations: Vec<(Method, &'static str)>,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
}

impl MockServer {
    /// Starts a mock server with default [`Settings`] on a free port of this machine.
    ///
    /// # Panics
    ///
    /// When there is no free port, or no tokio runtime.
    pub async fn start() -> Self {
        Self::start_with(Settings::default()).await.expect("a free port on the loopback interface")
    }

    /// Starts a mock server.
    ///
    /// # Errors
    ///
    /// When it can't listen where the settings say; when that is beyond this machine, and nobody would
    /// be refused; when a credential is there twice.
    #[expect(
        clippy::unused_async,
        reason = "it must run in a runtime, and stores will need to wait"
    )]
    pub async fn start_with(settings: Settings) -> io::Result<Self> {
        if settings.is_open_beyond_this_machine() && !settings.open_to_all {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "everybody who reaches this machine would be let in: set `credentials`, or `open_to_all`",
            ));
        }
        let seed = settings.rng_seed.unwrap_or_else(|| fastrand::u64(..));
        let clock = settings.clock.clone();
        // Request ids have a sequence of their own: how many requests came must not change the ids
        // of access clients.
        let request_ids = RequestIds::new(!seed, settings.hostname.clone());
        let mut api = Mock::new(&settings, seed)
            .api()
            .limits(settings.limits)
            .clock(clock.clone())
            .request_ids(request_ids);
        if !settings.credentials.is_empty() {
            let callers = Callers::known(settings.credentials)
                .map_err(|invalid| io::Error::new(io::ErrorKind::InvalidInput, invalid))?;
            api = api.callers(callers);
        }
        let operations = api.served().collect();
        let listener = TcpListener::bind(settings.listen)?;
        #[cfg(feature = "tls")]
        if let Some(tls) = settings.tls {
            let server = Server::start_tls(listener, api.into_router(), &tls)?;
            let endpoint = format!("https://{}", server.address());
            return Ok(Self { server, endpoint, clock, operations, tls: Some(tls) });
        }
        let server = Server::start(listener, api.into_router())?;
        let endpoint = format!("http://{}", server.address());
        Ok(Self {
            server,
            endpoint,
            clock,
            operations,
            #[cfg(feature = "tls")]
            tls: None,
        })
    }

    /// The address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The certificate that a client must trust to reach a server with [`Tls::self_signed`], in PEM.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn certificate_authority(&self) -> Option<&str> {
        self.tls.as_ref()?.certificate_authority()
    }

    /// The URL for a client, `http://127.0.0.1:PORT`, or `https` with TLS.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Method and path of every operation that is served.
    #[must_use]
    pub fn operations(&self) -> &[(Method, &'static str)] {
        &self.operations
    }

    /// The clock of the server: set it, and access clients grow older.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Takes no more requests, finishes the open ones, and stops; after `grace` in any case.
    ///
    /// # Errors
    ///
    /// What went wrong while the server ran.
    pub async fn shutdown(self, grace: Duration) -> io::Result<()> {
        self.server.shutdown(grace).await
    }
}

/// A router that is being served. It stops when it is dropped.
///
/// [`Api::into_router`](crate::Api::into_router) gives a router; this serves it within the limits of
/// the contract, where the defaults of axum and hyper would refuse a long token or wait forever.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    task: JoinHandle<io::Result<()>>,
}

/// How long a connection may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// hyper answers more headers than this by itself, without a body.
const HYPER_MAX_HEADERS: usize = 1_000;

impl Server {
    /// Serves a router on a listener.
    ///
    /// # Errors
    ///
    /// When the listener is of no use.
    pub fn start(listener: TcpListener, router: Router) -> io::Result<Self> {
        Self::serve(listener, router, NoDelayAcceptor::new())
    }

    /// Serves a router on a listener, over TLS.
    ///
    /// # Errors
    ///
    /// When the listener is of no use.
    #[cfg(feature = "tls")]
    pub fn start_tls(listener: TcpListener, router: Router, tls: &Tls) -> io::Result<Self> {
        use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
        let config = RustlsConfig::from_config(tls.config.clone());
        let acceptor = RustlsAcceptor::new(config).acceptor(NoDelayAcceptor::new());
        Self::serve(listener, router, acceptor)
    }

    fn serve<A>(listener: TcpListener, router: Router, acceptor: A) -> io::Result<Self>
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
        // Wider than our own limits, so that it is us who refuse, with an error of the contract.
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

    /// Takes no more requests, finishes the open ones, and stops; after `grace` in any case.
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
