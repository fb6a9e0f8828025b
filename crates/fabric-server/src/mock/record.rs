//! Passes calls on to a real endpoint, and records them: a mock can start from the recording.

use std::borrow::Cow;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use fabric_model::signature::{Algorithm, RequestLine, Signature};
use fabric_model::{ApiError, Failure, OperationInfo, ProjectId, header};
use futures_util::StreamExt;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, ORIGIN, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::ExposeSecret;

use crate::api::answer::Answer;
use crate::api::callers::{Callers, asked_project};
use crate::api::clock::Clock;
use crate::api::credentials::{Credential, Secret};
use crate::api::limits::{Bodies, Limits, check_head};
use crate::api::request_id::RequestIds;
use crate::api::server::Server;
use crate::mock::around::AroundWorld;
use crate::mock::control;
use crate::mock::control::access::{Access, AllowedCallers, Hosts};
use crate::mock::fault::rule::Write;
use crate::mock::header::{X_MOCK_CANONICAL_REQUEST, X_MOCK_EXPLAIN, X_MOCK_FAULT, X_MOCK_TOKEN};
use crate::mock::journal::packed;
use crate::mock::journal::secret::without_secrets;
use crate::mock::operations::{self, Lessons};
use crate::mock::service::service;
use crate::mock::settings::Settings;
use crate::mock::world::World;

/// The settings of a [`Recorder`].
#[derive(Clone, Debug)]
pub struct RecorderSettings {
    /// Where to listen; port 0 stands for a free one.
    pub listen: SocketAddr,
    /// The endpoint that calls are passed on to, such as `https://fabric.cn-north-4.myhuaweicloud.com`.
    pub upstream: String,
    /// The credential to call with, in place of what the callers present. A caller's own signature covers the
    /// host of the recorder, so an endpoint may reject it.
    pub credential: Option<Credential>,
    /// Authorities to trust besides those of the system, in PEM.
    pub certificate_authorities: Option<Vec<u8>>,
    /// The project of the recorded records, for callers that name none.
    pub project: ProjectId,
}

/// Passes calls on to a real endpoint, and records them. A mock can start from its [`World::snapshot`] and
/// [`World::journal`]; neither holds credentials.
///
/// Answers are passed back unchanged, except for the headers of the connection.
#[derive(Debug)]
pub struct Recorder {
    server: Server,
    world: World,
}

#[derive(Debug)]
struct Relay {
    upstream: String,
    client: reqwest::Client,
    credential: Option<Credential>,
    project: ProjectId,
    world: World,
    lessons: Lessons,
    request_ids: RequestIds,
    bodies: Bodies,
}

impl Recorder {
    /// Starts to record.
    ///
    /// # Errors
    ///
    /// It cannot listen on the address, the upstream is not a URL with only a host, or it would lend its
    /// credential to callers on other machines.
    #[expect(clippy::unused_async, reason = "it must run in a runtime")]
    pub async fn start(settings: RecorderSettings) -> io::Result<Self> {
        Self::begin(settings)
    }

    // Not async, as in `MockServer`.
    fn begin(settings: RecorderSettings) -> io::Result<Self> {
        let RecorderSettings { listen, upstream, credential, certificate_authorities, project } =
            settings;
        let invalid = |reason: String| io::Error::new(io::ErrorKind::InvalidInput, reason);
        if !listen.ip().is_loopback() && credential.is_some() {
            let reason = "any caller that reaches the recorder would call with its credentials: listen on 127.0.0.1";
            return Err(invalid(reason.to_owned()));
        }
        let upstream = upstream.trim_end_matches('/').to_owned();
        let is_endpoint = upstream.split_once("://").is_some_and(|(scheme, authority)| {
            ["http", "https"].contains(&scheme)
                && !authority.is_empty()
                && !authority.contains(['/', '?', '#', '@'])
        });
        if !is_endpoint {
            let reason = "the upstream must be like https://fabric.cn-north-4.myhuaweicloud.com, without a path";
            return Err(invalid(reason.to_owned()));
        }
        // reqwest is built without a provider of cryptography, and takes that of the process. An error says
        // that the program has chosen one already.
        rustls::crypto::ring::default_provider().install_default().ok();
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_mins(1));
        if let Some(pem) = certificate_authorities {
            let certificates = reqwest::Certificate::from_pem_bundle(&pem)
                .map_err(|_| invalid("the certificate authorities are no PEM".to_owned()))?;
            builder = builder.tls_certs_merge(certificates);
        } else if upstream.starts_with("http://") {
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(io::Error::other)?;
        let settings = Settings { listen, clock: Clock::system(), ..Settings::default() };
        let world = World::new(&settings, Callers::everybody());
        let lessons = service(AroundWorld(world.clone())).lessons;
        let limits = settings.limits;
        let request_ids = RequestIds::random(settings.hostname);
        let relay = Relay {
            upstream,
            client,
            credential,
            project,
            world: world.clone(),
            lessons,
            request_ids,
            bodies: Bodies::new(&limits),
        };
        let callers = if listen.ip().is_loopback() {
            AllowedCallers::ThisMachine
        } else {
            AllowedCallers::Nobody
        };
        let access = Access { callers, hosts: Hosts::default(), origins: Vec::new() };
        let router = Router::new()
            .fallback(pass_on)
            .with_state(Arc::new(relay))
            .merge(control::router(world.clone(), access, limits.time));
        let server = Server::start(TcpListener::bind(listen)?, router)?;
        Ok(Self { server, world })
    }

    /// The URL for a client.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// The recorded records and calls.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Accepts no more calls, finishes the open ones and stops, at the latest after `grace`.
    pub async fn shutdown(self, grace: Duration) {
        self.world.stop().stop();
        self.server.shutdown(grace).await;
    }
}

async fn pass_on(State(relay): State<Arc<Relay>>, request: Request) -> Response {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let mut sent = Bytes::new();
    let answer = match relay.answer(&parts, body, &mut sent).await {
        Ok(answer) => answer,
        Err(error) => {
            let (method, path) = (&parts.method, parts.uri.path());
            tracing::info!(%method, path, %error, "the recorder answers by itself");
            let mut answer = Answer::of(&error);
            let id = relay.request_ids.next(relay.world.clock().now());
            answer.headers.insert(header::X_REQUEST_ID, id);
            answer
        }
    };
    relay.note(&parts, &sent, &answer, began.elapsed());
    IntoResponse::into_response(answer)
}

impl Relay {
    /// Answers a request as the upstream does, or fails as the recorder itself. `sent` becomes the body.
    async fn answer(
        &self,
        parts: &Parts,
        body: Body,
        sent: &mut Bytes,
    ) -> Result<Answer, ApiError> {
        check_head(parts)?;
        // A page of some site must not call with what the recorder has.
        let is_of_page = parts.headers.contains_key(ORIGIN);
        let is_of_here = Hosts::default().are_named_by(&parts.uri, &parts.headers);
        if self.credential.is_some() && (is_of_page || !is_of_here) {
            return Err(Failure::Forbidden.into());
        }
        *sent = self.bodies.read(parts, body).await?;
        self.call(parts, sent).await.map_err(|reason| {
            tracing::warn!(%reason, "the upstream did not answer");
            Failure::Unavailable.into()
        })
    }

    async fn call(&self, parts: &Parts, body: &Bytes) -> Result<Answer, String> {
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let mut headers = parts.headers.clone();
        for name in of_the_connection(&parts.headers) {
            headers.remove(name);
        }
        // What comes back is to be read here.
        if self.credential.is_some() || !Signature::is_given(&headers) {
            headers.remove(ACCEPT_ENCODING);
        }
        self.authenticate(parts, &mut headers, body);
        let request = self
            .client
            .request(parts.method.clone(), format!("{}{target}", self.upstream))
            .headers(headers)
            .body(body.clone());
        let answer = request.send().await.map_err(|error| innermost(&error.without_url()))?;
        let status = answer.status();
        let mut headers = answer.headers().clone();
        for name in of_the_connection(answer.headers()) {
            headers.remove(name);
        }
        let mut body = BytesMut::new();
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            body.extend_from_slice(&chunk.map_err(|error| error.without_url().to_string())?);
            if body.len() > Limits::default().body {
                return Err("the answer is larger than 12 MiB".to_owned());
            }
        }
        Ok(Answer { status, headers, body: body.freeze() })
    }

    fn authenticate(&self, parts: &Parts, headers: &mut HeaderMap, body: &Bytes) {
        let Some(credential) = &self.credential else {
            // The host is a part of what the caller signed.
            if !Signature::is_given(headers) {
                headers.remove(HOST);
            }
            return;
        };
        for name in [
            HOST,
            AUTHORIZATION,
            header::X_AUTH_TOKEN,
            header::X_SDK_DATE,
            header::X_SECURITY_TOKEN,
        ] {
            headers.remove(name);
        }
        match &credential.secret {
            Secret::Token(token) => {
                if let Ok(mut value) = HeaderValue::try_from(token.expose_secret()) {
                    value.set_sensitive(true);
                    headers.insert(header::X_AUTH_TOKEN, value);
                }
            }
            Secret::AccessKey(key) => {
                let host = self.upstream.split_once("://").map_or("", |(_, host)| host);
                let line = RequestLine {
                    method: &parts.method,
                    path: parts.uri.path(),
                    query: parts.uri.query().unwrap_or_default(),
                    host: host.as_bytes(),
                };
                key.sign(&Algorithm::Sha256, line, headers, body, Clock::system().now());
            }
        }
    }

    /// Records a call, and what it tells of the state of the service.
    fn note(&self, parts: &Parts, body: &Bytes, answer: &Answer, took: Duration) {
        let project =
            asked_project(&parts.headers).ok().flatten().unwrap_or_else(|| self.project.clone());
        let operation = operation_of(&parts.method, parts.uri.path());
        let code = if answer.status.is_success() {
            None
        } else {
            ApiError::read(answer.status, None, &answer.body).code().map(Cow::into_owned)
        };
        if let Some(operation) = operation.filter(|operation| operation.success == answer.status) {
            let (behaviour, now) = (self.world.behaviour(), self.world.now(&project));
            // A recording is to hold no credentials: what is learned of an address is that it has a token.
            let seen = without_secrets(Some(operation), &answer.body);
            let call = operations::Call { parts, body, answer: &seen };
            let learned = self.world.all_projects().with_new(&project, Write::Kept, |project| {
                self.lessons.learn(operation.id, &call, project, behaviour, now);
                Ok(())
            });
            if let Err(error) = learned {
                tracing::warn!(%project, %error, "nothing is learned of a project");
            }
        }
        let status = answer.status;
        self.world.counts().add(operation, Some(status.as_u16()), code.as_deref(), took);
        self.world.calls().add(&packed::Call {
            at: self.world.clock().now(),
            project: Some(&project),
            operation,
            method: &parts.method,
            target: parts.uri.path_and_query().map_or("", |target| target.as_str()),
            headers: &parts.headers,
            // Of calls to something else nobody knows what is secret in them.
            body: if operation.is_some() { body } else { b"" },
            status: Some(status),
            error_code: code.as_deref(),
            answer: if operation.is_some() { &answer.body } else { b"" },
            request_id: answer.headers.get(header::X_REQUEST_ID).map_or(b"", HeaderValue::as_bytes),
            took,
            fault: None,
            reason: None,
            signature: None,
        });
    }
}

/// Headers that are between two neighbours only.
fn of_the_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let mut names = vec![
        CONNECTION,
        CONTENT_LENGTH,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ];
    names.extend(["keep-alive", "proxy-connection"].map(HeaderName::from_static));
    // What is for a mock, its control token above all, is for nobody else.
    names.extend([X_MOCK_CANONICAL_REQUEST, X_MOCK_EXPLAIN, X_MOCK_FAULT, X_MOCK_TOKEN]);
    for value in headers.get_all(CONNECTION) {
        let listed = value.to_str().unwrap_or_default().split(',');
        names.extend(listed.filter_map(|name| HeaderName::try_from(name.trim()).ok()));
    }
    names
}

/// The operation that a method and a path are of.
fn operation_of(method: &Method, path: &str) -> Option<&'static OperationInfo> {
    let is_it =
        |operation: &&&OperationInfo| operation.method == *method && operation.has_path(path);
    fabric_model::operations().iter().find(is_it).copied()
}

/// The innermost cause of an error, which says most.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
