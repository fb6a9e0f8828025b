//! How a client is to be.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fabric_model::{Invalid, ProjectId};
use url::Url;

use crate::client::Shared;
use crate::clock::Clock;
use crate::credentials::project_value;
use crate::renewal::Source;
use crate::retry::Budget;
use crate::{Client, Credentials, CredentialsProvider, Error, Interceptor, Retry, endpoint};

const TIMEOUT: Duration = Duration::from_mins(1);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const IDLE_CONNECTIONS: usize = 8;

/// How a [`Client`] is to be.
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
    now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

#[derive(Clone)]
enum Presented {
    These(Credentials),
    Provided(Arc<dyn CredentialsProvider>),
}

/// Credentials are left out, and the endpoint until it is known to hold none.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientBuilder")
            .field("timeout", &self.timeout)
            .field("project_id", &self.project_id)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    pub(crate) fn new(endpoint: Result<String, String>) -> Self {
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
            now: Arc::new(SystemTime::now),
        }
    }

    /// Sets the longest time that a call may take, with all its attempts and what it waits between them. A
    /// minute, unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the longest time that an attempt may take, from connecting to the end of the answer. 20
    /// seconds, unless set. A provider of credentials has as much, and at most half the time of a call.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Sets how often a call is tried: see [`Retry`].
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Sets who sees every attempt.
    pub fn interceptor(mut self, interceptor: impl Interceptor + 'static) -> Self {
        self.interceptor = Some(Arc::new(interceptor));
        self
    }

    /// Sets what is put before our own name in `User-Agent`, such as `my-program/1.2`.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// Sets the longest time for connecting, TLS included. 10 seconds, unless set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how many idle connections are kept for the next calls. 8, unless set; HTTP/2 needs one.
    pub fn idle_connections(mut self, connections: usize) -> Self {
        self.idle_connections = connections;
        self
    }

    /// Sends through a proxy, such as `http://proxy.example:3128`. Those of the environment
    /// (`HTTPS_PROXY`, `NO_PROXY`, …) count unless this is set, or the endpoint is on this machine.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Sends to an `http` endpoint on another machine: whoever is in between reads and changes what is
    /// sent, tokens included.
    pub fn allow_plain_http(mut self) -> Self {
        self.allow_plain_http = true;
        self
    }

    /// Sets the HTTP client, for what can't be set here. What can, it must bring itself.
    ///
    /// It should not follow redirects (`redirect(Policy::none())`): reqwest would take the token to
    /// wherever they lead. Nor should it try again by itself (`retry(reqwest::retry::never())`): it would
    /// send an old signature.
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// Trusts a certificate, in PEM, besides those that the system trusts: say that of a mock server
    /// with `--tls-self-signed`. An HTTP client of your own has its own certificates.
    #[cfg(feature = "rustls")]
    pub fn root_certificate(mut self, pem: impl Into<String>) -> Self {
        self.root_certificate = Some(pem.into());
        self
    }

    /// Sets what the client presents. Nothing, unless set.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Ok(Presented::These(credentials));
        self
    }

    /// Sets where the client gets what it presents: [`CredentialsChain`](crate::CredentialsChain), or a
    /// provider of your own.
    pub fn credentials_provider(mut self, provider: impl CredentialsProvider + 'static) -> Self {
        self.credentials = Ok(Presented::Provided(Arc::new(provider)));
        self
    }

    /// Sets a token as what the client presents: short for [`Credentials::token`].
    pub fn auth_token(mut self, token: impl Into<String>) -> Self {
        self.credentials = Credentials::token(token.into()).map(Presented::These);
        self
    }

    /// Sets the project of every request, before that of the credentials. The service takes it from the
    /// credentials; a mock server that asks for none takes it from here.
    pub fn project_id(mut self, project_id: ProjectId) -> Self {
        self.project_id = Some(project_id);
        self
    }

    /// Sets what time it is, for signatures and the expiry of credentials. That of the system, unless
    /// set.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.now = Arc::new(now);
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`]: an endpoint that is no `http` or `https` URL, has a query, or is `http`
    /// on another machine; a region that is none; credentials that no header can hold; or the HTTP
    /// client can't be built, say for want of certificates.
    pub fn build(self) -> Result<Client, Error> {
        let endpoint = self.endpoint.clone().and_then(|text| endpoint::parse(&text));
        let endpoint = endpoint.map_err(configuration)?;
        let stays_here = endpoint::is_this_machine(&endpoint);
        if endpoint.scheme() == "http" && !stays_here && !self.allow_plain_http {
            return Err(configuration(
                "plain http shows tokens and data to the network: use https, or allow_plain_http",
            ));
        }
        let http = match &self.http {
            Some(http) => http.clone(),
            None => self.build_http(&endpoint)?,
        };
        let presented = self.credentials.map_err(|invalid| configuration(invalid.to_string()))?;
        let credentials = match presented {
            Presented::These(credentials) => Source::fixed(credentials),
            Presented::Provided(provider) => {
                // An early renewal that hangs must leave time for the call itself.
                Source::renewed(provider, self.attempt_timeout.min(self.timeout / 2))
            }
        };
        let shared = Shared {
            http,
            endpoint: endpoint.as_str().trim_end_matches('/').to_owned(),
            attempt_timeout: self.attempt_timeout,
            project_id: self.project_id.as_ref().map(project_value),
            credentials,
            clock: Clock::new(self.now),
            budget: Budget::default(),
            interceptor: self.interceptor,
        };
        Ok(Client { shared: Arc::new(shared), retry: self.retry, timeout: self.timeout })
    }

    fn build_http(&self, endpoint: &Url) -> Result<reqwest::Client, Error> {
        let ours = concat!("fabric-client/", env!("CARGO_PKG_VERSION"));
        let user_agent = self.user_agent.as_ref().map(|theirs| format!("{theirs} {ours}"));
        let mut builder = reqwest::Client::builder()
            .user_agent(user_agent.unwrap_or_else(|| ours.to_owned()))
            .redirect(reqwest::redirect::Policy::none())
            // It would send the same signature again.
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(self.idle_connections)
            .connect_timeout(self.connect_timeout);
        if let Some(proxy) = &self.proxy {
            // The URL may hold a password.
            let proxy = reqwest::Proxy::all(proxy)
                .map_err(|_| configuration("the proxy must be a URL such as http://proxy:3128"))?;
            builder = builder.proxy(proxy);
        } else if endpoint::is_this_machine(endpoint) {
            // A proxy of the environment can't reach what listens here.
            builder = builder.no_proxy();
        }
        #[cfg(feature = "rustls")]
        let builder = trust(builder, endpoint, self.root_certificate.as_deref())?;
        builder.build().map_err(http_configuration)
    }
}

/// Which certificates are trusted.
#[cfg(feature = "rustls")]
fn trust(
    builder: reqwest::ClientBuilder,
    endpoint: &Url,
    root_certificate: Option<&str>,
) -> Result<reqwest::ClientBuilder, Error> {
    // Without https none is needed, and a small image may have none.
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
