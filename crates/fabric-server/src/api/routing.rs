//! Joins handlers to operations: extract, validate, answer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter};
use bytes::Bytes;
use fabric_model::identity::IdentityFailure;
use fabric_model::signature::Signature;
use fabric_model::{ApiError, Failure, Operation, Payload, ProjectId, Request, header};
use futures_util::FutureExt;
use futures_util::future::poll_immediate;
use http::header::{CONTENT_TYPE, DATE, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::api::answer::Answer;
use crate::api::around::{Around, Call};
use crate::api::callers::{Caller, Callers, asked_project};
use crate::api::clock::Clock;
use crate::api::credentials::Grant;
use crate::api::limits::{Limits, check_head, discard_body, read_body};
use crate::api::rejected::Rejected;
use crate::api::request_id::RequestIds;

/// An HTTP service made of handlers.
///
/// The type of its request says which operation a handler serves. Method, path, status, extraction,
/// validation and errors follow from it: a handler gets only valid requests of authorised callers, and a
/// handler whose answer has the wrong type does not compile.
///
/// ```
/// use fabric_model::access_client::{AccessClient, ShowAccessClient};
/// use fabric_model::{ApiError, Failure, Request};
/// use fabric_server::{Api, Caller};
///
/// async fn show(
///     known_id: &'static str,
///     _caller: Caller,
///     request: Request<ShowAccessClient>,
/// ) -> Result<AccessClient, ApiError> {
///     let id = request.path.client_id.as_str();
///     if id != known_id {
///         return Err(Failure::NotFound.into());
///     }
///     Ok(AccessClient { id: Some(id.to_owned()), ..AccessClient::default() })
/// }
///
/// let router: axum::Router = Api::new("3f2c9a5e").operation(show).into_router();
/// ```
#[derive(Debug)]
pub struct Api<S, A = ()> {
    shared: Shared<S, A>,
    paths: BTreeMap<&'static str, Path<S, A>>,
}

/// The operations of a path.
#[derive(Debug)]
struct Path<S, A> {
    router: MethodRouter<Arc<Shared<S, A>>>,
    methods: Vec<Method>,
    service: Service,
}

/// The services that answer on the address, each with errors of its own form.
#[derive(Clone, Copy, Debug)]
enum Service {
    Fabric,
    Identity,
}

/// A call of sign-in, as its handler gets it.
#[derive(Debug)]
pub(crate) struct SignInCall<O: Operation> {
    /// What the credentials of the caller are good for.
    pub(crate) grant: Arc<Grant>,
    /// The time, in the project of the caller.
    pub(crate) now: std::time::SystemTime,
    pub(crate) headers: HeaderMap,
    /// The host that the caller knows the server by, with its port.
    pub(crate) host: String,
    pub(crate) request: Request<O>,
}

/// What a handler of sign-in answers.
#[derive(Debug)]
pub(crate) struct SignInAnswer<R> {
    pub(crate) response: R,
    /// The header `X-Subject-Token`.
    pub(crate) subject_token: Option<SecretString>,
    /// The project of the call, where it is not that of the caller's credentials.
    pub(crate) project: Option<ProjectId>,
}

impl<R> From<R> for SignInAnswer<R> {
    fn from(response: R) -> Self {
        Self { response, subject_token: None, project: None }
    }
}

#[derive(Debug)]
struct Shared<S, A> {
    state: S,
    around: A,
    limits: Limits,
    callers: Callers,
    clock: Clock,
    request_ids: RequestIds,
}

impl<S: Clone + Send + Sync + 'static> Api<S> {
    /// A service without operations that accepts any caller. Each handler gets a clone of `state`.
    pub fn new(state: S) -> Self {
        Self::with_around(state, ())
    }
}

impl<S: Clone + Send + Sync + 'static, A: Around> Api<S, A> {
    /// The same, with an [`Around`], which gives handlers their second argument.
    pub fn with_around(state: S, around: A) -> Self {
        let shared = Shared {
            state,
            around,
            limits: Limits::default(),
            callers: Callers::everybody(),
            clock: Clock::system(),
            request_ids: RequestIds::random("localhost".to_owned()),
        };
        Self { shared, paths: BTreeMap::new() }
    }

    /// Sets the limits of a request.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.shared.limits = limits;
        self
    }

    /// Sets who may call.
    #[must_use]
    pub fn callers(mut self, callers: Callers) -> Self {
        self.shared.callers = callers;
        self
    }

    /// Sets the clock, for signatures, tokens, request ids and the `Date` of answers.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.shared.clock = clock;
        self
    }

    /// Sets the source of the ids of requests.
    #[must_use]
    pub fn request_ids(mut self, request_ids: RequestIds) -> Self {
        self.shared.request_ids = request_ids;
        self
    }

    /// Adds the operation that `handler` serves.
    ///
    /// # Panics
    ///
    /// When the operation has been added before.
    #[must_use]
    pub fn operation<O, Handler, Outcome>(mut self, handler: Handler) -> Self
    where
        O: Operation,
        Handler: Fn(S, A::Context, Request<O>) -> Outcome + Clone + Send + Sync + 'static,
        Outcome: Future<Output = Result<O::Response, ApiError>> + Send + 'static,
    {
        let route = async move |State(shared): State<Arc<Shared<S, A>>>, request: HttpRequest| {
            let (parts, body) = request.into_parts();
            let mut call = Call::new(Some(O::INFO));
            let answer = shared.answer::<O, _, _>(handler, &parts, body, &mut call);
            let outcome =
                in_time(shared.limits.time, AssertUnwindSafe(answer).catch_unwind()).await;
            shared.finish(&mut call, &parts, settled(outcome)).await
        };
        let filter = MethodFilter::try_from(O::METHOD).expect("the operation has a usual method");
        let path = self.path::<O>(Service::Fabric);
        path.router = std::mem::take(&mut path.router).on(filter, route);
        self
    }

    /// The same for an operation of sign-in. Its failures are errors of the identity service. A token that the
    /// caller gives in the body, at this JSON pointer, counts where there is none in a header.
    pub(crate) fn sign_in<O, Handler, Outcome>(
        mut self,
        token_in_body: Option<&'static str>,
        handler: Handler,
    ) -> Self
    where
        O: Operation,
        Handler: Fn(S, A::Context, SignInCall<O>) -> Outcome + Clone + Send + Sync + 'static,
        Outcome: Future<Output = Result<SignInAnswer<O::Response>, Box<Rejected>>> + Send + 'static,
    {
        let route = async move |State(shared): State<Arc<Shared<S, A>>>, request: HttpRequest| {
            let (mut parts, body) = request.into_parts();
            let mut call = Call::new(Some(O::INFO));
            let answer = shared.answer_sign_in(handler, token_in_body, &mut parts, body, &mut call);
            let outcome =
                in_time(shared.limits.time, AssertUnwindSafe(answer).catch_unwind()).await;
            let outcome = settled(outcome).map_err(of_identity_service);
            shared.finish(&mut call, &parts, outcome).await
        };
        let filter = MethodFilter::try_from(O::METHOD).expect("the operation has a usual method");
        let path = self.path::<O>(Service::Identity);
        path.router = std::mem::take(&mut path.router).on(filter, route);
        self
    }

    /// The path of an operation, which is about to be added.
    fn path<O: Operation>(&mut self, service: Service) -> &mut Path<S, A> {
        let new = || Path { router: MethodRouter::new(), methods: Vec::new(), service };
        let path = self.paths.entry(O::PATH).or_insert_with(new);
        path.methods.push(O::METHOD);
        path
    }

    /// Method and path of every operation added so far.
    pub fn served(&self) -> impl Iterator<Item = (Method, &'static str)> {
        let paths = self.paths.iter();
        paths.flat_map(|(name, path)| path.methods.iter().map(|method| (method.clone(), *name)))
    }

    /// The service as a router of axum. Every rejection is an error of the contract.
    pub fn into_router(self) -> Router {
        let shared = Arc::new(self.shared);
        let mut router = Router::new();
        for (name, path) in self.paths {
            let allowed = allow(&path.methods);
            let rejection: ApiError = match path.service {
                Service::Fabric => Failure::NoSuchApi.into(),
                Service::Identity => IdentityFailure::MethodNotAllowed.into(),
            };
            let fallback = async move |State(shared): State<Arc<Shared<S, A>>>,
                                       request: HttpRequest| {
                let (parts, _) = request.into_parts();
                let answer = Answer::no_such_method(&parts.method, &allowed, &rejection);
                shared
                    .finish(&mut Call::new(None), &parts, check_head(&parts).map(|()| answer))
                    .await
            };
            router = router.route(name, path.router.fallback(fallback));
        }
        let fallback = async |State(shared): State<Arc<Shared<S, A>>>, request: HttpRequest| {
            let (parts, _) = request.into_parts();
            let outcome = check_head(&parts).and(Err(Failure::NoSuchApi.into()));
            shared.finish(&mut Call::new(None), &parts, outcome).await
        };
        router.fallback(fallback).with_state(shared)
    }
}

/// The value of `Allow`: what a path has, what follows from it, and `OPTIONS` itself.
fn allow(methods: &[Method]) -> HeaderValue {
    let mut names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    if methods.contains(&Method::GET) {
        names.push(Method::HEAD.as_str());
    }
    names.push(Method::OPTIONS.as_str());
    names.sort_unstable();
    HeaderValue::from_str(&names.join(", ")).expect("the names of methods are plain text")
}

/// Maps a time-out to 408 and a panic to 500.
fn settled(
    outcome: Option<std::thread::Result<Result<Answer, ApiError>>>,
) -> Result<Answer, ApiError> {
    match outcome {
        Some(Ok(outcome)) => outcome,
        Some(Err(_panic)) => Err(Failure::Internal.into()),
        None => Err(Failure::TimedOut.into()),
    }
}

/// An error as the identity service words it. What is not of it, such as a head that is too large, is of the
/// gateway, and stays as it is.
fn of_identity_service(error: ApiError) -> ApiError {
    if error.json().is_some_and(|body| !body.contains_key("error_code")) {
        return error;
    }
    let mut failures = IdentityFailure::ALL.into_iter();
    match failures.find(|failure| failure.status() == error.status()) {
        // Nothing was said of a password.
        Some(IdentityFailure::PasswordRejected) => IdentityFailure::CallerRejected.into(),
        Some(failure) => failure.into(),
        None => error,
    }
}

/// Waits for a future, but not for longer than `limit`. Most answers need no waiting, and so no timer.
async fn in_time<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    match poll_immediate(future.as_mut()).await {
        Some(output) => Some(output),
        None => tokio::time::timeout(limit, future).await.ok(),
    }
}

/// Reads and validates a request.
fn read_request<O: Operation, Note>(
    parts: &Parts,
    call: &mut Call<Note>,
) -> Result<Request<O>, ApiError> {
    let request = Request::read(
        parts.uri.path(),
        parts.uri.query().unwrap_or_default(),
        parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes),
        &call.body,
    );
    let request = request
        .inspect_err(|invalid| call.reason = Some(Cow::Owned(format!("contract: {invalid}"))));
    Ok(request?)
}

/// Notes why a caller is rejected, and gives the error.
fn note<Note>(rejected: Rejected, call: &mut Call<Note>) -> ApiError {
    (call.project, call.explanation) = (rejected.project, rejected.explanation);
    call.reason = Some(rejected.reason);
    rejected.error
}

/// Moves the token in a body to the header, unless the head has credentials.
fn present_token_of_body(parts: &mut Parts, body: &[u8], pointer: &str) {
    if parts.headers.contains_key(header::X_AUTH_TOKEN) || Signature::is_given(&parts.headers) {
        return;
    }
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return };
    let token = body.pointer(pointer).and_then(Value::as_str);
    if let Some(Ok(mut token)) = token.map(HeaderValue::from_str) {
        token.set_sensitive(true);
        parts.headers.insert(header::X_AUTH_TOKEN, token);
    }
}

// Functions around each handler, and no middleware: axum would box its future and clone its state for every
// request.
impl<S: Clone, A: Around> Shared<S, A> {
    /// Takes a request from its head to its answer: limits, token, body, signature, [`Around`], request, handler.
    async fn answer<O, Handler, Outcome>(
        &self,
        handler: Handler,
        parts: &Parts,
        body: Body,
        call: &mut Call<A::Note>,
    ) -> Result<Answer, ApiError>
    where
        O: Operation,
        Handler: Fn(S, A::Context, Request<O>) -> Outcome,
        Outcome: Future<Output = Result<O::Response, ApiError>>,
    {
        check_head(parts)?;
        // Whoever is rejected for a token is not to fill the memory with a body.
        let caller = if self.callers.need_no_body(&parts.headers) {
            match self.identify::<O>(parts, call).await {
                Ok(caller) => Some(caller),
                Err(error) => {
                    discard_body(parts, body).await;
                    return Err(error);
                }
            }
        } else {
            None
        };
        call.body = read_body(parts, body, self.limits.body).await?;
        let caller = match caller {
            Some(caller) => caller,
            None => self.identify::<O>(parts, call).await?,
        };
        let context = self.around.admit(call, parts, caller)?;
        let request = read_request::<O, _>(parts, call)?;
        let answer = handler(self.state.clone(), context, request).await?;
        match O::Response::MEDIA_TYPE {
            None => Ok(Answer::new(O::SUCCESS, Bytes::new())),
            Some(media_type) => {
                let body = answer.write().map_err(|_| Failure::Internal)?;
                let mut answer = Answer::new(O::SUCCESS, Bytes::from(body));
                answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
                Ok(answer)
            }
        }
    }

    /// The same for an operation of sign-in.
    async fn answer_sign_in<O, Handler, Outcome>(
        &self,
        handler: Handler,
        token_in_body: Option<&str>,
        parts: &mut Parts,
        body: Body,
        call: &mut Call<A::Note>,
    ) -> Result<Answer, ApiError>
    where
        O: Operation,
        Handler: Fn(S, A::Context, SignInCall<O>) -> Outcome,
        Outcome: Future<Output = Result<SignInAnswer<O::Response>, Box<Rejected>>>,
    {
        check_head(parts)?;
        call.body = read_body(parts, body, self.limits.body).await?;
        if let Some(pointer) = token_in_body {
            present_token_of_body(parts, &call.body, pointer);
        }
        let mut caller = self.identify::<O>(parts, call).await?;
        if O::IS_OPEN {
            // Whose call it is turns out when the user is known. Until then a fault can be for a project that
            // the caller names.
            call.project = None;
            if let Some(project) = asked_project(&parts.headers)? {
                caller.now = self.clock.now_in(&project);
                caller.project = project;
            }
        }
        let (grant, now) = (caller.grant.clone(), caller.now);
        let context = self.around.admit(call, parts, caller)?;
        let request = read_request::<O, _>(parts, call).map_err(|error| match &call.reason {
            // The documented message blames the body, where there is none.
            Some(reason) if O::Body::MEDIA_TYPE.is_none() => {
                let rule = reason.trim_start_matches("contract: ");
                IdentityFailure::InvalidRequest.saying(&format!("The request is invalid: {rule}"))
            }
            _ => error,
        })?;
        let host = parts.uri.authority().map(|authority| authority.as_str().to_owned());
        let host = host.or_else(|| Some(parts.headers.get(HOST)?.to_str().ok()?.to_owned()));
        let sign_in = SignInCall {
            grant,
            now,
            headers: parts.headers.clone(),
            host: host.unwrap_or_else(|| "localhost".to_owned()),
            request,
        };
        let outcome = handler(self.state.clone(), context, sign_in).await;
        let answered = outcome.map_err(|rejected| note(*rejected, call))?;
        if let Some(project) = answered.project {
            call.now = Some(self.clock.now_in(&project));
            call.project = Some(project);
        }
        let body = answered.response.write().map_err(|_| Failure::Internal)?;
        let mut answer = Answer::json(O::SUCCESS, Bytes::from(body));
        if let Some(token) = answered.subject_token {
            let value = HeaderValue::try_from(token.expose_secret());
            let mut value = value.map_err(|_| Failure::Internal)?;
            value.set_sensitive(true);
            answer.headers.insert(header::X_SUBJECT_TOKEN, value);
        }
        Ok(answer)
    }

    /// Identifies the caller, and notes whose call it is.
    async fn identify<O: Operation>(
        &self,
        parts: &Parts,
        call: &mut Call<A::Note>,
    ) -> Result<Caller, ApiError> {
        let identified = self.callers.identify(O::INFO, parts, &call.body, &self.clock).await;
        let caller = identified.map_err(|rejected| note(*rejected, call))?;
        (call.project, call.now) = (Some(caller.project.clone()), Some(caller.now));
        Ok(caller)
    }

    /// Adds the headers of every answer, writes the log, and hands the answer to [`Around`].
    async fn finish(
        &self,
        call: &mut Call<A::Note>,
        parts: &Parts,
        outcome: Result<Answer, ApiError>,
    ) -> Response {
        let now = *call.now.get_or_insert_with(|| self.clock.now());
        let id = self.request_ids.next(now);
        let (method, path) = (&parts.method, parts.uri.path());
        let request_id = id.to_str().unwrap_or_default();
        let mut answer = match outcome {
            Ok(answer) => {
                let status = answer.status.as_u16();
                tracing::debug!(%method, path, status, request_id, "answered");
                answer
            }
            Err(error) => {
                if call.reason.is_none() {
                    let reason = self.around.explain(call, &error);
                    call.reason = Some(reason.unwrap_or_else(|| error.to_string()).into());
                }
                let reason = call.reason.as_deref().unwrap_or_default();
                if error.status().is_server_error() {
                    tracing::error!(%method, path, request_id, %error, "failed");
                } else {
                    tracing::info!(%method, path, request_id, %error, reason, "rejected");
                }
                let answer = Answer::of(&error);
                call.error = Some(error);
                answer
            }
        };
        answer.headers.insert(header::X_REQUEST_ID, id.clone());
        call.request_id = Some(id);
        // hyper adds the date of the system, by which no caller could set a clock to ours.
        let date = self.clock.http_date(call.project.as_ref(), now);
        answer.headers.extend(date.map(|date| (DATE, date)));
        self.around.finish(call, parts, answer).await
    }
}
