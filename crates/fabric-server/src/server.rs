//! A mock server: settings in, an address out.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::str::FromStr;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::accept::Accept;
use axum_server::service::SendService;
use fabric_model::header;
use http::{HeaderValue, Method, Request as HttpRequest};
use hyper::body::Incoming;
use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};

use crate::connection::BreakableAcceptor;
use crate::limits::HEADERS_MAX_LENGTH;
use crate::mock::{self, control};
#[cfg(feature = "tls")]
use crate::tls::Tls;
use crate::{Callers, Clock, Credential, Limits, RateLimit, RequestIds, Seed, Snapshot, World};

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
    /// All state to start with, besides the access clients.
    pub snapshot: Option<Snapshot>,
    /// What a request may cost.
    pub limits: Limits,
    /// How many access clients a project may have; any number when absent. One more is refused as a
    /// gateway refuses, with 429.
    pub quota: Option<usize>,
    /// How many calls a project may make; any number when absent.
    pub rate_limit: Option<RateLimit>,
    /// How much memory the journal may take, in bytes; with 0 there is none.
    pub journal_limit: usize,
    /// What who uses the control surface must present. With none, it is open to this machine alone, or
    /// to whom [`Self::open_to_all`] opens it.
    pub control_token: Option<SecretString>,
    /// Sites whose pages may call: `https://example.org`, or `*` for all.
    pub cors_origins: Vec<String>,
    /// The clock.
    pub clock: Clock,
    /// The end of every request id.
    pub hostname: String,
}

/// 16 MiB: some twenty thousand calls.
const JOURNAL_LIMIT: usize = 16 * 1024 * 1024;

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
            snapshot: None,
            limits: Limits::default(),
            quota: None,
            rate_limit: None,
            journal_limit: JOURNAL_LIMIT,
            control_token: None,
            cors_origins: Vec::new(),
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
    world: World,
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
        let invalid = |reason: String| io::Error::new(io::ErrorKind::InvalidInput, reason);
        let callers = if settings.credentials.is_empty() {
            Callers::everybody()
        } else {
            Callers::known(settings.credentials.iter().cloned())
                .map_err(|error| invalid(error.to_string()))?
        };
        let world = World::new(&settings, callers.clone());
        // Request ids have a sequence of their own: how many requests came must not change the ids
        // of access clients.
        let request_ids = RequestIds::new(!world.status().rng_seed, settings.hostname.clone());
        let api = mock::api(world.clone())
            .limits(settings.limits)
            .clock(settings.clock.clone())
            .callers(callers)
            .request_ids(request_ids);
        let operations = api.served().collect();
        let access = match settings.control_token.clone() {
            Some(token) => control::Access::Token(token),
            None if settings.listen.ip().is_loopback() => control::Access::ThisMachine,
            None if settings.open_to_all => control::Access::Everybody,
            None => control::Access::Nobody,
        };
        let mut router = api.into_router().merge(control::router(world.clone(), access));
        if !settings.cors_origins.is_empty() {
            router = router.layer(cors(&settings.cors_origins).map_err(invalid)?);
        }
        let listener = TcpListener::bind(settings.listen)?;
        #[cfg(feature = "tls")]
        let (server, scheme) = match &settings.tls {
            Some(tls) => (Server::start_tls(listener, router, tls)?, "https"),
            None => (Server::start(listener, router)?, "http"),
        };
        #[cfg(not(feature = "tls"))]
        let (server, scheme) = (Server::start(listener, router)?, "http");
        let endpoint = format!("{scheme}://{}", server.address());
        Ok(Self {
            server,
            endpoint,
            world,
            operations,
            #[cfg(feature = "tls")]
            tls: settings.tls,
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

    /// What the server knows, and what a test may do with it: records, faults, journal, clock.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The clock of the server: set it, and access clients grow older.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.world.clock()
    }

    /// Takes no more requests, finishes the open ones, and stops; after `grace` in any case.
    ///
    /// # Errors
    ///
    /// What went wrong while the server ran.
    pub async fn shutdown(self, grace: Duration) -> io::Result<()> {
        self.world.stop();
        self.server.shutdown(grace).await
    }
}

/// What tells a browser that pages of these sites may call.
fn cors(origins: &[String]) -> Result<CorsLayer, String> {
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        let values = origins.iter().map(|origin| {
            let value = HeaderValue::try_from(origin.as_str());
            let is_origin = origin.split_once("://").is_some_and(|(_, host)| !host.is_empty() && !host.contains('/'));
            value.ok().filter(|_| is_origin).ok_or_else(|| {
                format!("an origin must be like https://example.org, without a path, or *: {origin} is not")
            })
        });
        AllowOrigin::list(values.collect::<Result<Vec<_>, _>>()?)
    };
    let exposed = [header::X_REQUEST_ID, mock::X_MOCK_REASON, http::header::RETRY_AFTER];
    Ok(CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed))
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
        Self::serve(listener, router, BreakableAcceptor)
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
        let acceptor = RustlsAcceptor::new(config).acceptor(BreakableAcceptor);
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
