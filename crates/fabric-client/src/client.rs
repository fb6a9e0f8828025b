//! The client, its builder, and the one way in which every operation is sent.

use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fabric_model::{ApiError, Nothing, Operation, Payload, ProjectId, Request, header, health};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use reqwest::Response;
use url::{Host, Url};

use crate::Error;

/// Calls the service. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// Without a slash at its end, since every target begins with one.
    endpoint: String,
    headers: HeaderMap,
    timeout: Duration,
}

/// Credentials stand in the headers, so they are left out.
impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("endpoint", &self.endpoint)
            .field("timeout", &self.timeout)
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
        ClientBuilder {
            endpoint: endpoint.to_owned(),
            timeout: TIMEOUT,
            http: None,
            auth_token: None,
            project_id: None,
        }
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
        let url = format!("{}{}", self.endpoint, request.target());
        let mut call = self.http.request(O::METHOD, url).headers(self.headers.clone());
        if let Some(media_type) = O::Body::MEDIA_TYPE {
            call = call.header(CONTENT_TYPE, media_type).body(request.body.write()?);
        }
        let response = call.timeout(self.timeout).send().await.map_err(Error::from_transport)?;
        read::<O>(response).await
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

/// Reads an answer: the documented success, a failure, or neither.
async fn read<O: Operation>(mut response: Response) -> Result<O::Response, Error> {
    let status = response.status();
    let request_id = response.headers().get(header::X_REQUEST_ID);
    let request_id = request_id.map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
    let (body, is_whole) = read_body(&mut response).await?;
    let unexpected = |reason: String, mut body: Bytes| {
        body.truncate(KEPT_MAX_LENGTH);
        Error::Unexpected { status, reason, request_id: request_id.clone(), body }
    };
    if status.is_client_error() || status.is_server_error() {
        // An error that is too large to be one of the service's is text, of which the beginning does.
        let kept = if is_whole { &body[..] } else { &body[..body.len().min(KEPT_MAX_LENGTH)] };
        return Err(Error::Refused(ApiError::read(status, request_id.as_deref(), kept)));
    }
    if status != O::SUCCESS {
        return Err(unexpected(format!("expected {}", O::SUCCESS), body));
    }
    if !is_whole {
        return Err(unexpected(format!("the body has more than {ANSWER_MAX_LENGTH} bytes"), body));
    }
    O::Response::read(&body).map_err(|invalid| unexpected(invalid.to_string(), body))
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
    endpoint: String,
    timeout: Duration,
    http: Option<reqwest::Client>,
    auth_token: Option<String>,
    project_id: Option<ProjectId>,
}

/// The token is left out.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientBuilder")
            .field("endpoint", &self.endpoint)
            .field("timeout", &self.timeout)
            .field("project_id", &self.project_id)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// Sets the longest time that a call may take, from connecting to the end of the answer. 30
    /// seconds unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
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

    /// Sets the token that every request carries, of up to 65,534 characters.
    pub fn auth_token(mut self, token: impl Into<String>) -> Self {
        self.auth_token = Some(token.into());
        self
    }

    /// Sets the project that every request is about. The service takes it from the credentials; a
    /// mock server that asks for none takes it from here.
    pub fn project_id(mut self, project_id: ProjectId) -> Self {
        self.project_id = Some(project_id);
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`]: an endpoint that is no `http` or `https` URL, or has a query; a
    /// token that is too long, or no header can hold; or the HTTP client can't be built, say for want
    /// of certificates.
    pub fn build(self) -> Result<Client, Error> {
        let endpoint = parse_endpoint(&self.endpoint)?;
        let http = match self.http {
            Some(http) => http,
            None => build_http(&endpoint)?,
        };
        let mut headers = HeaderMap::new();
        if let Some(token) = &self.auth_token {
            headers.insert(header::X_AUTH_TOKEN, token_value(token)?);
        }
        if let Some(project) = &self.project_id {
            let value = HeaderValue::from_str(project.as_str())
                .map_err(|_| configuration("the project id must be text"))?;
            headers.insert(header::X_PROJECT_ID, value);
        }
        let endpoint = endpoint.as_str().trim_end_matches('/').to_owned();
        Ok(Client { http, endpoint, headers, timeout: self.timeout })
    }
}

fn parse_endpoint(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).map_err(|error| {
        configuration(format!("the endpoint must be a URL such as https://host: {error}"))
    })?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(configuration("the endpoint must be an http or https URL"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(configuration("the endpoint must have no query and no fragment"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(configuration("the endpoint must hold no user and no password"));
    }
    Ok(url)
}

fn build_http(endpoint: &Url) -> Result<reqwest::Client, Error> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("fabric-client/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT);
    let is_this_machine = match endpoint.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if is_this_machine {
        // A proxy of the environment can't reach what listens here.
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| Error::Configuration {
        reason: "the HTTP client cannot be built".to_owned(),
        source: Some(error),
    })
}

fn token_value(token: &str) -> Result<HeaderValue, Error> {
    let is_plain = token.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if !is_plain || token.len() > header::TOKEN_MAX_LENGTH || token.trim() != token {
        return Err(configuration(format!(
            "the token must have at most {} visible ASCII characters",
            header::TOKEN_MAX_LENGTH
        )));
    }
    let mut value = HeaderValue::from_str(token)
        .map_err(|_| configuration("the token must be fit for a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn configuration(reason: impl Into<String>) -> Error {
    Error::Configuration { reason: reason.into(), source: None }
}
