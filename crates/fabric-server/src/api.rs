//! Joins handlers to operations: extract, validate, answer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter};
use bytes::Bytes;
use fabric_model::{ApiError, Failure, Invalid, Operation, Payload, ProjectId, Request, header};
use futures_util::FutureExt;
use futures_util::future::poll_immediate;
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method};
use parking_lot::Mutex;

use crate::answer::Answer;
use crate::auth::{Refused, anybody, asked_project, default_project};
use crate::connection::Connection;
use crate::delivery::deliver;
use crate::limits::{check_head, read_body};
use crate::mock::fault::{self, Firing};
use crate::mock::journal::{self, SignatureMismatch};
use crate::mock::{X_MOCK_CANONICAL_REQUEST, X_MOCK_EXPLAIN, X_MOCK_REASON};
use crate::{Caller, Callers, Clock, Limits, RequestIds, World};

/// An HTTP service made of handlers.
///
/// The operation that a handler serves is the type of its request. Method, path, status, extraction,
/// validation and errors follow from it, so a handler sees valid requests only, and one whose answer
/// is of the wrong type does not compile.
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
pub struct Api<S> {
    shared: Shared<S>,
    paths: BTreeMap<&'static str, Path<S>>,
}

/// What a path has been given so far.
#[derive(Debug)]
struct Path<S> {
    router: MethodRouter<Arc<Shared<S>>>,
    methods: Vec<Method>,
}

#[derive(Debug)]
struct Shared<S> {
    state: S,
    limits: Limits,
    callers: Callers,
    clock: Clock,
    request_ids: RequestIds,
    /// What a mock does with every call besides answering it.
    world: Option<World>,
}

impl<S: Clone + Send + Sync + 'static> Api<S> {
    /// A service without operations, open to everybody. Each handler gets a clone of `state`.
    pub fn new(state: S) -> Self {
        let shared = Shared {
            state,
            limits: Limits::default(),
            callers: Callers::everybody(),
            clock: Clock::system(),
            request_ids: RequestIds::new(fastrand::u64(..), "localhost".to_owned()),
            world: None,
        };
        Self { shared, paths: BTreeMap::new() }
    }

    /// Sets what a request may cost.
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

    /// Sets the clock: that of signatures, tokens, request ids, and the `Date` of answers.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.shared.clock = clock;
        self
    }

    /// Sets where the ids of requests come from.
    #[must_use]
    pub fn request_ids(mut self, request_ids: RequestIds) -> Self {
        self.shared.request_ids = request_ids;
        self
    }

    /// Has the faults of a world happen, and its journal tell of every call.
    pub(crate) fn world(mut self, world: World) -> Self {
        self.shared.world = Some(world);
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
        Handler: Fn(S, Caller, Request<O>) -> Outcome + Clone + Send + Sync + 'static,
        Outcome: Future<Output = Result<O::Response, ApiError>> + Send + 'static,
    {
        let route = async move |State(shared): State<Arc<Shared<S>>>, request: HttpRequest| {
            let (parts, body) = request.into_parts();
            let seen = Seen::default();
            let answer = answer::<S, O, _, _>(&shared, handler, &parts, body, &seen);
            guard(&shared, &parts, &seen, answer).await
        };
        let filter = MethodFilter::try_from(O::METHOD).expect("the operation has a usual method");
        let path = self
            .paths
            .entry(O::PATH)
            .or_insert_with(|| Path { router: MethodRouter::new(), methods: Vec::new() });
        path.router = std::mem::take(&mut path.router).on(filter, route);
        path.methods.push(O::METHOD);
        self
    }

    /// Method and path of every operation added so far.
    pub fn served(&self) -> impl Iterator<Item = (Method, &'static str)> {
        let paths = self.paths.iter();
        paths.flat_map(|(name, path)| path.methods.iter().map(|method| (method.clone(), *name)))
    }

    /// The service, for axum. Whatever it refuses, it refuses with an error of the contract.
    pub fn into_router(self) -> Router {
        let shared = Arc::new(self.shared);
        let mut router = Router::new();
        for (name, path) in self.paths {
            let allowed = allow(&path.methods);
            let fallback = async move |State(shared): State<Arc<Shared<S>>>,
                                       request: HttpRequest| {
                let (parts, _) = request.into_parts();
                let answer = async { Ok(Answer::no_such_method(&parts.method, &allowed)) };
                guard(&shared, &parts, &Seen::default(), answer).await
            };
            router = router.route(name, path.router.fallback(fallback));
        }
        let fallback = async |State(shared): State<Arc<Shared<S>>>, request: HttpRequest| {
            let (parts, _) = request.into_parts();
            let answer = async { Err(Failure::NoSuchApi.into()) };
            guard(&shared, &parts, &Seen::default(), answer).await
        };
        router.fallback(fallback).with_state(shared)
    }
}

/// What is found out about a call while it is answered.
#[derive(Debug, Default)]
struct Seen(Mutex<Observations>);

#[derive(Debug, Default)]
struct Observations {
    operation: Option<&'static str>,
    project: Option<ProjectId>,
    body: Bytes,
    reason: Option<Cow<'static, str>>,
    signature: Option<SignatureMismatch>,
    retry_after: Option<Duration>,
    firing: Option<Firing>,
}

impl Observations {
    fn refuse(&mut self, parts: &Parts, refused: Refused) -> ApiError {
        self.signature = refused.explanation.map(|explanation| {
            let given = parts.headers.get(X_MOCK_CANONICAL_REQUEST);
            let given = given.and_then(|value| value.to_str().ok());
            SignatureMismatch::new(explanation, given, &parts.headers)
        });
        self.reason = Some(refused.reason);
        refused.error
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

/// What every request goes through: the limits, a net under what panics, an id for its answer, and in a
/// mock the journal and what a fault makes of the answer.
///
/// A function around each handler, and no middleware: axum would box its future and clone its state
/// for every request.
async fn guard<S>(
    shared: &Shared<S>,
    parts: &Parts,
    seen: &Seen,
    answer: impl Future<Output = Result<Answer, ApiError>>,
) -> Response {
    let began = Instant::now();
    let outcome = match check_head(parts) {
        Ok(()) => in_time(shared.limits.time, AssertUnwindSafe(answer).catch_unwind()).await,
        Err(error) => Some(Ok(Err(error))),
    };
    let mut seen = std::mem::take(&mut *seen.0.lock());
    let asked = || asked_project(&parts.headers).ok().flatten();
    let project = seen.project.take().or_else(asked).unwrap_or_else(default_project);
    let now = shared.clock.now_in(&project);
    let id = shared.request_ids.next(now);
    let (method, path) = (&parts.method, parts.uri.path());
    let request_id = id.to_str().unwrap_or_default();
    let mut code = None;
    let mut answer = match settled(outcome) {
        Ok(answer) => {
            let status = answer.status.as_u16();
            tracing::debug!(%method, path, status, request_id, "answered");
            answer
        }
        Err(error) => {
            let reason = seen.reason.get_or_insert_with(|| Cow::Owned(error.to_string()));
            if error.status().is_server_error() {
                tracing::error!(%method, path, request_id, %error, "failed");
            } else {
                tracing::info!(%method, path, request_id, %error, %reason, "refused");
            }
            code = error.code().map(Cow::into_owned);
            Answer::of(&error)
        }
    };
    if let Some(wait) = seen.retry_after {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        answer.headers.insert(RETRY_AFTER, seconds.into());
    }
    let firing = seen.firing.take();
    if let Some(firing) = &firing {
        let fault = firing.in_words();
        tracing::info!(%method, path, request_id, %fault, "goes wrong");
        seen.reason = Some(Cow::Owned(match seen.reason.take() {
            Some(reason) => format!("{fault}; {reason}"),
            None => fault,
        }));
        if let Some(replacement) = firing.replacement() {
            let told = ApiError::read(replacement.status, None, &replacement.body);
            code = told.code().map(Cow::into_owned);
            answer = replacement;
        }
    }
    if let Some(world) = &shared.world {
        let status = match &firing {
            Some(firing) if !firing.is_answered() => None,
            _ => Some(answer.status),
        };
        let took = began.elapsed();
        world.counts().add(
            seen.operation,
            status.map(|status| status.as_u16()),
            code.as_deref(),
            took,
        );
        if world.calls().is_on() {
            let target = parts.uri.path_and_query();
            world.calls().add(&journal::Call {
                at: now,
                project: &project,
                operation: seen.operation,
                method,
                target: target.map_or("", |target| target.as_str()),
                headers: &parts.headers,
                body: &seen.body,
                status,
                error_code: code.as_deref(),
                answer: &answer.body,
                request_id,
                took,
                fault: firing.as_ref().map(|firing| firing.id.unwrap_or_default()),
                reason: seen.reason.as_deref(),
                signature: seen.signature.as_ref(),
            });
        }
        if !answer.status.is_success() && parts.headers.contains_key(X_MOCK_EXPLAIN) {
            answer.headers.extend(seen.reason.as_deref().map(reason_header));
        }
    }
    answer.headers.insert(header::X_REQUEST_ID, id);
    // hyper adds the date of the system, by which no caller could set a clock to ours.
    answer.headers.extend(shared.clock.http_date(&project).map(|date| (DATE, date)));
    match (firing, &shared.world) {
        (Some(firing), Some(world)) => {
            let connection = parts.extensions.get::<Connection>().cloned();
            deliver(&firing, answer, connection, world).await
        }
        _ => answer.into_response(),
    }
}

/// The header that tells the reason of a refusal, in the characters that a header may have.
fn reason_header(reason: &str) -> (HeaderName, HeaderValue) {
    let plain = reason.bytes().map(|byte| if (b' '..=b'~').contains(&byte) { byte } else { b'?' });
    let value = HeaderValue::from_bytes(&plain.collect::<Vec<_>>());
    (X_MOCK_REASON, value.expect("printable ASCII can stand in a header"))
}

/// What came of a future that may have taken too long, or panicked.
fn settled(
    outcome: Option<std::thread::Result<Result<Answer, ApiError>>>,
) -> Result<Answer, ApiError> {
    match outcome {
        Some(Ok(outcome)) => outcome,
        Some(Err(_panic)) => Err(Failure::Internal.into()),
        None => Err(Failure::TimedOut.into()),
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

async fn answer<S, O, Handler, Outcome>(
    shared: &Shared<S>,
    handler: Handler,
    parts: &Parts,
    body: Body,
    seen: &Seen,
) -> Result<Answer, ApiError>
where
    S: Clone,
    O: Operation,
    Handler: Fn(S, Caller, Request<O>) -> Outcome,
    Outcome: Future<Output = Result<O::Response, ApiError>>,
{
    seen.0.lock().operation = Some(O::ID);
    let body = read_body(parts, body, shared.limits.body).await?;
    if shared.world.is_some() {
        seen.0.lock().body = body.clone();
    }
    let caller = match O::ACTION {
        Some(action) => shared.callers.identify(action, parts, &body, &shared.clock),
        None => Ok(anybody()),
    };
    let mut caller = caller.map_err(|refused| seen.0.lock().refuse(parts, *refused))?;
    if let Some(world) = &shared.world {
        caller = meet_faults::<O>(world, caller, parts, seen)?;
    }
    let request = Request::<O>::read(
        parts.uri.path(),
        parts.uri.query().unwrap_or_default(),
        parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes),
        &body,
    )
    .map_err(|invalid: Invalid| {
        seen.0.lock().reason = Some(Cow::Owned(format!("contract: {invalid}")));
        invalid
    })?;
    let answer = handler(shared.state.clone(), caller, request).await.inspect_err(|error| {
        let mut seen = seen.0.lock();
        if let Some(project) = seen.project.as_ref().filter(|_| error.is_not_found()) {
            let reason = format!("state: project {project} has no such access client");
            seen.reason = Some(Cow::Owned(reason));
        }
    })?;
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

/// What a mock does with a call before anybody reads it: counts it against the limit of its project, and
/// finds the fault that is to happen to it.
fn meet_faults<O: Operation>(
    world: &World,
    mut caller: Caller,
    parts: &Parts,
    seen: &Seen,
) -> Result<Caller, ApiError> {
    let now = world.now(&caller.project);
    let mut seen = seen.0.lock();
    seen.project = Some(caller.project.clone());
    if O::ACTION.is_some()
        && let Some(throttle) = world.throttle()
        && let Err(wait) = throttle.admit(&caller.project, now)
    {
        seen.reason = Some("throttling: the project makes more calls than its rate limit".into());
        seen.retry_after = Some(wait);
        return Err(Failure::Throttled.into());
    }
    let client_id = O::PATH.ends_with("{client_id}").then(|| parts.uri.path().rsplit('/').next());
    let firing = match Firing::of_header(&parts.headers, || world.header_random(&caller.project)) {
        Ok(Some(firing)) => Some(firing),
        Ok(None) => world.rules().draw(&fault::Call {
            operation: O::ID,
            project: &caller.project,
            client_id: client_id.flatten(),
            now,
        }),
        Err(error) => return Err(Invalid::new("X-Mock-Fault", error.message).into()),
    };
    if let Some(firing) = firing {
        caller.keeps_writes = firing.is_write_kept;
        seen.firing = Some(firing);
    }
    Ok(caller)
}
