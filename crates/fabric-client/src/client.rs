//! The client, its builder, and the one way in which every operation is sent.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use fabric_model::{
    ApiError, Invalid, Nothing, Operation, Payload, ProjectId, Request, header, health,
};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::Response;
use url::Url;

use crate::clock::Clock;
use crate::credentials::project_value;
use crate::renewal::Source;
use crate::{Credentials, CredentialsProvider, Environment, Error, endpoint};

/// Calls the service. Clones share their connections, their credentials, and what they learned of the
/// service's clock.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    http: reqwest::Client,
    /// Without a slash at its end, since every target begins with one.
    endpoint: String,
    timeout: Duration,
    project_id: Option<HeaderValue>,
    credentials: Source,
    clock: Clock,
}

/// Credentials are left out.
impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("endpoint", &self.0.endpoint)
            .field("timeout", &self.0.timeout)
            .finish_non_exhaustive()
    }
}

/// The largest answer that is read: a page of a hundred access clients has a fraction of it.
const ANSWER_MAX_LENGTH: usize = 16 * 1024 * 1024;

/// The most of a body that an error keeps.
const KEPT_MAX_LENGTH: usize = 64 * 1024;

const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

impl Client {
    /// A client with the defaults of [`Client::builder`] and no credentials, as a mock server wants
    /// it.
    ///
    /// # Errors
    ///
    /// See [`ClientBuilder::build`].
    pub fn new(endpoint: &str) -> Result<Self, Error> {
        Self::builder(endpoint).build()
    }

    /// Starts a client for an endpoint, such as `https://fabric.cn-north-4.myhuaweicloud.com`.
    pub fn builder(endpoint: &str) -> ClientBuilder {
        ClientBuilder::new(Ok(endpoint.to_owned()))
    }

    /// Starts a client for a region, such as `cn-north-4`.
    ///
    /// Its endpoint is `https://fabric.cn-north-4.myhuaweicloud.com`, unless the variable
    /// `HUAWEICLOUD_SDK_REGION_DATAARTSFABRIC_CN_NORTH_4` names another.
    pub fn for_region(region: &str) -> ClientBuilder {
        Self::for_region_in(region, &Environment::of_process())
    }

    /// The same, with the variable looked up in an environment of one's own.
    pub fn for_region_in(region: &str, environment: &Environment) -> ClientBuilder {
        ClientBuilder::new(endpoint::of_region(region, environment))
    }

    /// Sends a request, of whatever operation, and reads its answer.
    ///
    /// ```no_run
    /// # async fn example(client: fabric_client::Client) -> Result<(), fabric_client::Error> {
    /// use fabric_client::model::health::ShowHealth;
    /// use fabric_client::model::{Nothing, Request};
    ///
    /// let (path, query, body) = (Nothing {}, Nothing {}, Nothing {});
    /// client.send(&Request::<ShowHealth> { path, query, body }).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn send<O: Operation>(&self, request: &Request<O>) -> Result<O::Response, Error> {
        request.validate()?;
        let url = self.url(&request.target())?;
        let body = match O::Body::MEDIA_TYPE {
            Some(media_type) => Some((media_type, Bytes::from(request.body.write()?))),
            None => None,
        };
        let is_open = O::ACTION.is_none();
        let response = self.call(is_open, || {
            let mut call = reqwest::Request::new(O::METHOD, url.clone());
            if let Some((media_type, body)) = &body {
                call.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
                *call.body_mut() = Some(body.clone().into());
            }
            call
        });
        understand::<O>(response.await?.success()?)
    }

    /// Sends any request to the service, such as an operation that is not here yet, and returns its
    /// answer as it came. The URI is a path and a query; credentials and errors are as in
    /// [`Self::send`].
    ///
    /// ```no_run
    /// # async fn example(client: fabric_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let request = http::Request::get("/v1/workspaces?limit=5").body(bytes::Bytes::new())?;
    /// let answer = client.execute(request).await?;
    /// println!("{}: {:?}", answer.status(), answer.body());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::Invalid`] for a URI that names a host.
    pub async fn execute(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, Error> {
        let (parts, body) = request.into_parts();
        let target = parts.uri.path_and_query().filter(|target| target.as_str().starts_with('/'));
        let (Some(target), None) = (target, parts.uri.authority()) else {
            return Err(Invalid::new("URI", "must be a path and a query").into());
        };
        let url = self.url(target.as_str())?;
        let response = self.call(false, || {
            let mut call = reqwest::Request::new(parts.method.clone(), url.clone());
            call.headers_mut().clone_from(&parts.headers);
            *call.body_mut() = Some(body.clone().into());
            call
        });
        response.await?.success()
    }

    fn url(&self, target: &str) -> Result<Url, Error> {
        Url::parse(&format!("{}{target}", self.0.endpoint))
            .map_err(|error| Invalid::new("URI", error.to_string()).into())
    }

    /// Sends what `make` makes, with credentials unless it is open to everybody. What the service
    /// refuses for its date is signed again by the service's clock, once; with credentials that can be
    /// renewed, they are, once.
    async fn call(
        &self,
        is_open: bool,
        make: impl Fn() -> reqwest::Request,
    ) -> Result<Answer, Error> {
        let Shared { http, credentials, clock, project_id, timeout, .. } = &*self.0;
        let execute = async |mut request: reqwest::Request| {
            *request.timeout_mut() = Some(*timeout);
            Answer::read(http.execute(request).await.map_err(Error::from_transport)?).await
        };
        if is_open {
            return execute(make()).await;
        }
        let mut ready = credentials.current(clock.read().corrected).await?;
        let (mut may_correct, mut may_renew) = (ready.is_signing(), true);
        loop {
            let mut request = make();
            if let Some(project) = project_id {
                request.headers_mut().insert(header::X_PROJECT_ID, project.clone());
            }
            let sent = clock.read();
            ready.authorize(&mut request, sent.corrected);
            let answer = execute(request).await?;
            if answer.status != StatusCode::UNAUTHORIZED {
                return Ok(answer);
            }
            if may_correct && answer.is_of_the_gateway() && clock.learn(&answer.headers, sent) {
                may_correct = false;
            } else if may_renew
                && let Some(next) = credentials.renew(&ready, sent.corrected).await?
            {
                (ready, may_renew) = (next, false);
            } else {
                return Ok(answer);
            }
        }
    }

    /// Asks whether the service is up.
    ///
    /// # Errors
    ///
    /// Any [`Error`]: it is not, or can't be reached.
    pub async fn show_health(&self) -> Result<(), Error> {
        let (path, query, body) = (Nothing {}, Nothing {}, Nothing {});
        let Nothing {} = self.send(&Request::<health::ShowHealth> { path, query, body }).await?;
        Ok(())
    }
}

/// An answer as it came.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// Whether the body is all there, or was too large to be read to its end.
    is_whole: bool,
}

impl Answer {
    async fn read(mut response: Response) -> Result<Self, Error> {
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let (body, is_whole) = read_body(&mut response).await?;
        Ok(Self { status, headers, body, is_whole })
    }

    /// Whether the one who checks signatures speaks, and not a proxy on the way.
    fn is_of_the_gateway(&self) -> bool {
        let error = ApiError::read(self.status, None, &self.body);
        error.code().is_some_and(|code| code.starts_with("APIG"))
    }

    /// The answer, unless it is a failure.
    fn success(self) -> Result<http::Response<Bytes>, Error> {
        let Self { status, headers, mut body, is_whole } = self;
        if status.is_client_error() || status.is_server_error() {
            // An error that is too large to be one of the service's is text, of which the beginning
            // does.
            if !is_whole {
                body.truncate(KEPT_MAX_LENGTH);
            }
            let request_id = request_id(&headers);
            return Err(Error::Refused(ApiError::read(status, request_id.as_deref(), &body)));
        }
        let mut answer = http::Response::new(body);
        (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
        if !is_whole {
            let reason = format!("the body has more than {ANSWER_MAX_LENGTH} bytes");
            return Err(unexpected(answer, reason));
        }
        Ok(answer)
    }
}

/// Finds the documented success in an answer.
fn understand<O: Operation>(answer: http::Response<Bytes>) -> Result<O::Response, Error> {
    if answer.status() != O::SUCCESS {
        return Err(unexpected(answer, format!("expected {}", O::SUCCESS)));
    }
    O::Response::read(answer.body()).map_err(|invalid| unexpected(answer, invalid.to_string()))
}

fn unexpected(answer: http::Response<Bytes>, reason: String) -> Error {
    let (status, request_id) = (answer.status(), request_id(answer.headers()));
    let mut body = answer.into_body();
    body.truncate(KEPT_MAX_LENGTH);
    Error::Unexpected { status, reason, request_id, body }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(header::X_REQUEST_ID)?;
    Some(String::from_utf8_lossy(id.as_bytes()).into_owned())
}

/// Reads a body to its end, or says that it goes on.
async fn read_body(response: &mut Response) -> Result<(Bytes, bool), Error> {
    let Some(first) = response.chunk().await.map_err(Error::from_transport)? else {
        return Ok((Bytes::new(), true));
    };
    let mut body = BytesMut::from(first);
    while let Some(chunk) = response.chunk().await.map_err(Error::from_transport)? {
        if body.len() + chunk.len() > ANSWER_MAX_LENGTH {
            return Ok((body.freeze(), false));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body.freeze(), true))
}

/// How a [`Client`] is to be.
#[derive(Clone)]
#[must_use]
pub struct ClientBuilder {
    endpoint: Result<String, String>,
    allow_plain_http: bool,
    timeout: Duration,
    http: Option<reqwest::Client>,
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
    fn new(endpoint: Result<String, String>) -> Self {
        Self {
            endpoint,
            allow_plain_http: false,
            timeout: TIMEOUT,
            http: None,
            #[cfg(feature = "rustls")]
            root_certificate: None,
            credentials: Ok(Presented::These(Credentials::anonymous())),
            project_id: None,
            now: Arc::new(SystemTime::now),
        }
    }

    /// Sets the longest time that an attempt may take, from connecting to the end of the answer, and a
    /// provider to give credentials. 30 seconds unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends to an `http` endpoint on another machine: whoever is in between reads and changes what is
    /// sent, tokens included.
    pub fn allow_plain_http(mut self) -> Self {
        self.allow_plain_http = true;
        self
    }

    /// Sets the HTTP client, for a proxy, certificates or a pool of your own.
    ///
    /// It should not follow redirects (`redirect(Policy::none())`): reqwest would take the token to
    /// wherever they lead.
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
        let endpoint =
            self.endpoint.and_then(|text| endpoint::parse(&text)).map_err(configuration)?;
        let is_this_machine = endpoint::is_this_machine(&endpoint);
        if endpoint.scheme() == "http" && !is_this_machine && !self.allow_plain_http {
            return Err(configuration(
                "plain http shows tokens and data to the network: use https, or allow_plain_http",
            ));
        }
        let http = if let Some(http) = self.http {
            http
        } else {
            let builder = http_builder(is_this_machine);
            #[cfg(feature = "rustls")]
            let builder = trust(builder, &endpoint, self.root_certificate.as_deref())?;
            builder.build().map_err(http_configuration)?
        };
        let credentials =
            match self.credentials.map_err(|invalid| configuration(invalid.to_string()))? {
                Presented::These(credentials) => Source::fixed(credentials),
                Presented::Provided(provider) => Source::renewed(provider, self.timeout),
            };
        let project_id = self.project_id.as_ref().map(project_value);
        let endpoint = endpoint.as_str().trim_end_matches('/').to_owned();
        let (timeout, clock) = (self.timeout, Clock::new(self.now));
        Ok(Client(Arc::new(Shared { http, endpoint, timeout, project_id, credentials, clock })))
    }
}

fn http_builder(is_this_machine: bool) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("fabric-client/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        // It would send the same signature again.
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT);
    // A proxy of the environment can't reach what listens here.
    if is_this_machine { builder.no_proxy() } else { builder }
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
