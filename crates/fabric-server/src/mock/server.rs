//! A mock server: settings in, an address out.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use fabric_model::header;
use http::{HeaderValue, Method};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};

use crate::api::callers::Callers;
use crate::api::clock::Clock;
use crate::api::connections::Connections;
use crate::api::request_id::RequestIds;
use crate::api::server::{Acceptor, Server};
#[cfg(feature = "tls")]
use crate::api::tls::Tls;
use crate::mock::around::AroundWorld;
use crate::mock::control;
use crate::mock::control::access::{Access, AllowedCallers, Hosts};
use crate::mock::header::X_MOCK_REASON;
use crate::mock::identity;
use crate::mock::service::service;
use crate::mock::settings::Settings;
use crate::mock::world::World;

/// How the token of a project begins.
const TOKEN_PREFIX: &str = "mock-";

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
    /// It cannot listen on the address; the address is beyond this machine and any caller would be accepted
    /// (see [`Settings::open_to_all`]); a credential is there twice.
    #[expect(
        clippy::unused_async,
        reason = "it must run in a runtime, and stores will need to wait"
    )]
    pub async fn start_with(settings: Settings) -> io::Result<Self> {
        Self::begin(&settings)
    }

    // Not async: the body of an async function is compiled in each crate that awaits it, and with it, since they
    // are generic, all handlers and what they read and write.
    fn begin(settings: &Settings) -> io::Result<Self> {
        if settings.is_open_beyond_this_machine() && !settings.open_to_all {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "any caller that reaches this machine would be accepted: set `credentials`, or `open_to_all`",
            ));
        }
        let invalid = |reason: String| io::Error::new(io::ErrorKind::InvalidInput, reason);
        let callers = if settings.accepts_any_caller() {
            Callers::everybody()
        } else {
            Callers::known(settings.credentials.iter().cloned())
                .map_err(|error| invalid(error.to_string()))?
        };
        let callers = callers.issuing(TOKEN_PREFIX);
        let world = World::new(settings, callers.clone());
        // Request ids have a sequence of their own: how many requests came must not change the ids
        // of access clients.
        let request_ids = RequestIds::new(!world.status().seed, settings.hostname.clone());
        #[cfg(feature = "tls")]
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        #[cfg(not(feature = "tls"))]
        let scheme = "http";
        let api = service(AroundWorld(world.clone())).api;
        let api = identity::operations(api, world.clone(), scheme)
            .limits(settings.limits)
            .clock(settings.clock.clone())
            .callers(callers)
            .request_ids(request_ids);
        let connections = Connections::new(settings.connections);
        world.count_of_server(connections.clone(), api.bodies().budget().clone());
        let methods_and_paths = api.served().collect();
        let allowed = match settings.control_token.clone() {
            Some(token) => AllowedCallers::Token(token),
            None if settings.listen.ip().is_loopback() => AllowedCallers::ThisMachine,
            None if settings.open_to_all => AllowedCallers::Everybody,
            None => AllowedCallers::Nobody,
        };
        let access = Access {
            callers: allowed,
            hosts: Hosts::new(&settings.allowed_hosts),
            origins: settings.cors_origins.clone(),
        };
        let operations = api.into_operations();
        let router = operations.clone().router().merge(control::router(
            world.clone(),
            access,
            settings.limits.time,
        ));
        let (operations, router) = if settings.cors_origins.is_empty() {
            (Some(operations), router)
        } else {
            (None, router.layer(cors(&settings.cors_origins).map_err(invalid)?))
        };
        let listener = TcpListener::bind(settings.listen)?;
        let acceptor = Acceptor { connections, ..Acceptor::new(operations, router) };
        #[cfg(feature = "tls")]
        let acceptor = Acceptor { tls: settings.tls.as_ref().map(Tls::acceptor), ..acceptor };
        let server = acceptor.start(listener)?;
        let endpoint = format!("{scheme}://{}", server.address());
        Ok(Self {
            server,
            endpoint,
            world,
            operations: methods_and_paths,
            #[cfg(feature = "tls")]
            tls: settings.tls.clone(),
        })
    }

    /// The address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.server.connections()
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

    /// The state of the server, and what a test may do with it: records, faults, journal, clock.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The clock of the server: states, expiry and faults follow it.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.world.clock()
    }

    /// Accepts no more requests, finishes the open ones and stops, at the latest after `grace`.
    pub async fn shutdown(self, grace: Duration) {
        self.world.stop().stop();
        self.server.shutdown(grace).await;
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
    let exposed =
        [header::X_REQUEST_ID, header::X_SUBJECT_TOKEN, X_MOCK_REASON, http::header::RETRY_AFTER];
    Ok(CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed))
}
