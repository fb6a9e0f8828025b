//! Builds a client.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fabric_model::{Invalid, ProjectId};
use parking_lot::Mutex;
use url::Url;

use crate::clock::Clock;
use crate::credentials::project_value;
use crate::endpoint::IDENTITY_ENDPOINT;
use crate::identity::{Completing, Endpoints, Given, Identity};
use crate::renewal::Source;
use crate::retry::Budget;
use crate::transport::{Project, Transport};
use crate::{
    Client, Credentials, CredentialsProvider, Environment, Error, Interceptor, Retry, endpoint,
};

const TIMEOUT: Duration = Duration::from_mins(1);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const IDLE_CONNECTIONS: usize = 8;

/// Builds a [`Client`].
#[derive(Clone)]
#[must_use]
pub struct ClientBuilder {
    endpoint: Result<String, String>,
    allow_plain_http: bool,
    timeout: Duration,
    attempt_timeout: Duration,
    retry: Retry,
    interceptor: Option<Arc<dyn Interceptor>>,
    http: Option<reqwest::Client>,
    user_agent: Option<String>,
    connect_timeout: Duration,
    idle_connections: usize,
    proxy: Option<String>,
    #[cfg(feature = "rustls")]
    root_certificate: Option<String>,
    credentials: Result<Presented, Invalid>,
    project_id: Option<ProjectId>,
    region: Option<String>,
    identity: IdentityEndpoint,
    now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

/// Where the identity service is.
#[derive(Clone)]
enum IdentityEndpoint {
    /// Where the user of the builder says.
    Chosen(String),
    /// Where the credentials say, else where the environment of the region says.
    Found(Option<String>),
}

#[derive(Clone)]
enum Presented {
    These(Credentials),
    Provided(Arc<dyn CredentialsProvider>),
}

/// Credentials are left out, and so is the endpoint, which may hold some until it is checked.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientBuilder")
            .field("timeout", &self.timeout)
            .field("project_id", &self.project_id)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client with the defaults of [`Client::builder`] and no credentials: enough for a mock server that
    /// accepts any caller.
    ///
    /// # Errors
    ///
    /// See [`ClientBuilder::build`].
    pub fn new(endpoint: &str) -> Result<Self, Error> {
        Self::builder(endpoint).build()
    }

    /// Builds a client for an endpoint, such as `https://fabric.cn-north-4.myhuaweicloud.com`.
    pub fn builder(endpoint: &str) -> ClientBuilder {
        ClientBuilder::new(Ok(endpoint.to_owned()))
    }

    /// Builds a client for a region, such as `cn-north-4`.
    ///
    /// Its endpoint is `https://fabric.cn-north-4.myhuaweicloud.com`, unless the variable
    /// `HUAWEICLOUD_SDK_REGION_DATAARTSFABRIC_CN_NORTH_4` names another. The identity service is that of
    /// [`ClientBuilder::identity_endpoint`].
    ///
    /// An access key without a project calls in the project that has the name of the region. The client looks it up at
    /// the identity service before the first call, once; exactly one project must have the name.
    pub fn for_region(region: &str) -> ClientBuilder {
        Self::for_region_in(region, &Environment::of_process())
    }

    /// Like [`Self::for_region`], with the variable read from the given environment.
    pub fn for_region_in(region: &str, environment: &Environment) -> ClientBuilder {
        ClientBuilder {
            region: Some(region.to_owned()),
            identity: IdentityEndpoint::Found(environment.get(IDENTITY_ENDPOINT)),
            ..ClientBuilder::new(endpoint::of_region(region, environment))
        }
    }
}

impl ClientBuilder {
    #[expect(clippy::disallowed_methods, reason = "the default clock, which `clock` replaces")]
    fn new(endpoint: Result<String, String>) -> Self {
        Self {
            endpoint,
            allow_plain_http: false,
            timeout: TIMEOUT,
            attempt_timeout: ATTEMPT_TIMEOUT,
            retry: Retry::default(),
            interceptor: None,
            http: None,
            user_agent: None,
            connect_timeout: CONNECT_TIMEOUT,
            idle_connections: IDLE_CONNECTIONS,
            proxy: None,
            #[cfg(feature = "rustls")]
            root_certificate: None,
            credentials: Ok(Presented::These(Credentials::anonymous())),
            project_id: None,
            region: None,
            identity: IdentityEndpoint::Found(None),
            now: Arc::new(SystemTime::now),
        }
    }

    /// Sets the longest time for a call, with all attempts and the delays between them. Default: 1 minute.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the longest time for an attempt, from connecting to the end of the answer. Default: 20 seconds. A
    /// credentials provider has the same time, and at most half of [`Self::timeout`].
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Sets when and how often calls are retried: see [`Retry`].
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Sets an interceptor, which sees every attempt.
    pub fn interceptor(mut self, interceptor: impl Interceptor + 'static) -> Self {
        self.interceptor = Some(Arc::new(interceptor));
        self
    }

    /// Puts a name, such as `my-program/1.2`, before that of this crate in `User-Agent`.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// Sets the longest time for connecting, TLS included. Default: 10 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the number of idle connections to keep for later calls. Default: 8; HTTP/2 needs 1.
    pub fn idle_connections(mut self, connections: usize) -> Self {
        self.idle_connections = connections;
        self
    }

    /// Sets a proxy, such as `http://proxy.example:3128`. Default: the proxy that the environment names
    /// (`HTTPS_PROXY`, `NO_PROXY`, …), and none for an endpoint on this machine.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Allows an `http` endpoint on another machine. Everything on the network path can then read and change
    /// requests, tokens included.
    pub fn allow_plain_http(mut self) -> Self {
        self.allow_plain_http = true;
        self
    }

    /// Sets the HTTP client, for settings that this builder does not have. The builder's own settings of
    /// connections, proxy, TLS and `User-Agent` then have no effect.
    ///
    /// It should not follow redirects (`redirect(Policy::none())`), since reqwest would send the token to
    /// their target, and it should not retry (`retry(reqwest::retry::never())`), since it would send an old
    /// signature.
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// Trusts a certificate, in PEM, besides those that the system trusts, such as that of a mock server with
    /// `--tls-self-signed`. It has no effect on [`Self::http_client`].
    #[cfg(feature = "rustls")]
    pub fn root_certificate(mut self, pem: impl Into<String>) -> Self {
        self.root_certificate = Some(pem.into());
        self
    }

    /// Sets the credentials. Default: [`Credentials::anonymous`].
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Ok(Presented::These(credentials));
        self
    }

    /// Sets a provider of credentials: [`CredentialsChain`](crate::CredentialsChain), or your own.
    pub fn credentials_provider(mut self, provider: impl CredentialsProvider + 'static) -> Self {
        self.credentials = Ok(Presented::Provided(Arc::new(provider)));
        self
    }

    /// Sets a token as the credentials: short for [`Credentials::token`].
    pub fn auth_token(mut self, token: impl Into<String>) -> Self {
        self.credentials = Credentials::token(token.into()).map(Presented::These);
        self
    }

    /// Sets the project of every request, in place of that of the credentials. The service takes the project
    /// from the credentials; a mock server that accepts any caller takes this one.
    pub fn project_id(mut self, project_id: ProjectId) -> Self {
        self.project_id = Some(project_id);
        self
    }

    /// Sets the endpoint of the identity service, where users sign in and projects are looked up, such as
    /// `https://iam.cn-north-4.myhuaweicloud.com`.
    ///
    /// Default: that of the credentials (see [`Credentials::with_identity_endpoint`] and
    /// [`CredentialsChain`](crate::CredentialsChain)); else, for a region, that of the variable
    /// `HUAWEICLOUD_SDK_IAM_ENDPOINT`; else the vendor's, if the endpoint of the service is the vendor's; else the
    /// endpoint of the service itself, where a mock server answers sign-in too.
    pub fn identity_endpoint(mut self, url: impl Into<String>) -> Self {
        self.identity = IdentityEndpoint::Chosen(url.into());
        self
    }

    /// Sets the clock, for signatures and the expiry of credentials. Default: the system's.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.now = Arc::new(now);
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`]: an endpoint is no `http` or `https` URL, has a query, or is `http` on another
    /// machine; the region is not like `cn-north-4`; the token does not fit in a header; or the HTTP client
    /// cannot be built, say because the system has no certificates.
    pub fn build(self) -> Result<Client, Error> {
        let safe = |text: &str| endpoint::parse_safe(text, self.allow_plain_http);
        let endpoint = self.endpoint.clone().and_then(|text| safe(&text)).map_err(configuration)?;
        let chosen = match &self.identity {
            IdentityEndpoint::Chosen(chosen) => {
                safe(chosen).map_err(|rule| configuration(format!("sign-in: {rule}")))?;
                Some(chosen.clone())
            }
            IdentityEndpoint::Found(_) => None,
        };
        let http = match &self.http {
            Some(http) => http.clone(),
            None => self.build_http(&endpoint)?,
        };
        let presented = self.credentials.map_err(|invalid| configuration(invalid.to_string()))?;
        // An early renewal that hangs must leave time for the call itself.
        let limit = self.attempt_timeout.min(self.timeout / 2);
        let clock = Clock::new(self.now);
        let region = self.region.as_deref();
        let found = match self.identity {
            IdentityEndpoint::Found(found) => found,
            IdentityEndpoint::Chosen(_) => None,
        };
        let identity = Arc::new(Identity {
            http: http.clone(),
            endpoints: Endpoints {
                chosen,
                default: found.unwrap_or_else(|| endpoint::of_identity(&endpoint, region)),
                allow_plain_http: self.allow_plain_http,
            },
            region: self.region,
            project: self.project_id.clone(),
            retry: self.retry,
            timeout: limit,
            clock: clock.clone(),
            interceptor: self.interceptor.clone(),
            found: Mutex::default(),
        });
        let completed = |provider| {
            Source::renewed(Arc::new(Completing { provider, identity: identity.clone() }), limit)
        };
        let credentials = match presented {
            Presented::These(given) if identity.has_to_complete(&given) => {
                completed(Arc::new(Given(given)) as Arc<dyn CredentialsProvider>)
            }
            Presented::These(given) => Source::fixed(given),
            Presented::Provided(provider) => completed(provider),
        };
        let project = self.project_id.map(|id| Project { header: project_value(&id), id });
        let transport = Transport {
            http,
            endpoint,
            attempt_timeout: self.attempt_timeout,
            project,
            credentials,
            clock,
            budget: Budget::default(),
            interceptor: self.interceptor,
        };
        let transport = Arc::new(transport);
        Ok(Client { transport, identity, retry: self.retry, timeout: self.timeout })
    }

    fn build_http(&self, endpoint: &Url) -> Result<reqwest::Client, Error> {
        let ours = concat!("fabric-client/", env!("CARGO_PKG_VERSION"));
        let user_agent = self.user_agent.as_ref().map(|theirs| format!("{theirs} {ours}"));
        let mut builder = reqwest::Client::builder()
            .user_agent(user_agent.unwrap_or_else(|| ours.to_owned()))
            .redirect(reqwest::redirect::Policy::none())
            // reqwest would send the same signature again.
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(self.idle_connections)
            .connect_timeout(self.connect_timeout);
        if let Some(proxy) = &self.proxy {
            // The URL may hold a password.
            let proxy = reqwest::Proxy::all(proxy)
                .map_err(|_| configuration("the proxy must be a URL such as http://proxy:3128"))?;
            builder = builder.proxy(proxy);
        } else if endpoint::is_this_machine(endpoint) {
            // A proxy of the environment cannot reach this machine's loopback.
            builder = builder.no_proxy();
        }
        #[cfg(feature = "rustls")]
        let builder = {
            // reqwest is built without a provider of cryptography, and takes that of the process. An error
            // says that the program has chosen one already.
            rustls::crypto::ring::default_provider().install_default().ok();
            trust(builder, endpoint, self.root_certificate.as_deref())?
        };
        builder.build().map_err(http_configuration)
    }
}

/// Sets the trusted certificates.
#[cfg(feature = "rustls")]
fn trust(
    builder: reqwest::ClientBuilder,
    endpoint: &Url,
    root_certificate: Option<&str>,
) -> Result<reqwest::ClientBuilder, Error> {
    // Plain HTTP needs none, and a small image may have none.
    if endpoint.scheme() == "http" {
        return Ok(builder.tls_certs_only([]));
    }
    let Some(pem) = root_certificate else { return Ok(builder) };
    let certificates =
        reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(http_configuration)?;
    if certificates.is_empty() {
        return Err(configuration("the root certificate must be in PEM"));
    }
    Ok(builder.tls_certs_merge(certificates))
}

fn http_configuration(error: reqwest::Error) -> Error {
    let reason = "the HTTP client cannot be built".to_owned();
    Error::Configuration { reason, source: Some(error) }
}

fn configuration(reason: impl Into<String>) -> Error {
    Error::Configuration { reason: reason.into(), source: None }
}
