//! Joins handlers to operations: extract, validate, answer.

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
use fabric_model::{ApiError, Failure, Operation, Payload, Request, header};
use futures_util::FutureExt;
use futures_util::future::poll_immediate;
use http::header::{CONTENT_TYPE, DATE};
use http::{HeaderValue, Method};

use crate::auth::anybody;
use crate::limits::{check_head, read_body};
use crate::refusal::{no_such_method, refuse};
use crate::{Caller, Callers, Clock, Limits, RequestIds};

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

    /// Adds the operation that `handler` serves.
    ///
    /// # Panics
    ///
    /// When the operation has been added before.
    #[must_use]
    pub fn operation<O, Handler, Answer>(mut self, handler: Handler) -> Self
    where
        O: Operation,
        Handler: Fn(S, Caller, Request<O>) -> Answer + Clone + Send + Sync + 'static,
        Answer: Future<Output = Result<O::Response, ApiError>> + Send + 'static,
    {
        let route = async move |State(shared): State<Arc<Shared<S>>>, request: HttpRequest| {
            guard(&shared, request, |request| answer::<S, O, _, _>(&shared, handler, request)).await
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
                guard(&shared, request, async |request| {
                    Ok(no_such_method(request.method(), &allowed))
                })
                .await
            };
            router = router.route(name, path.router.fallback(fallback));
        }
        let fallback = async |State(shared): State<Arc<Shared<S>>>, request: HttpRequest| {
            guard(&shared, request, async |_| Err(Failure::NoSuchApi.into())).await
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

/// What every request goes through: the limits, a net under what panics, and an id for its answer.
///
/// A function around each handler, and no middleware: axum would box its future and clone its state
/// for every request.
async fn guard<S, Answer>(
    shared: &Shared<S>,
    request: HttpRequest,
    answer: impl FnOnce(HttpRequest) -> Answer,
) -> Response
where
    Answer: Future<Output = Result<Response, ApiError>>,
{
    let (parts, body) = request.into_parts();
    let (method, uri) = (parts.method.clone(), parts.uri.clone());
    let outcome = match check_head(&parts) {
        Ok(()) => {
            let answer = answer(HttpRequest::from_parts(parts, body));
            in_time(shared.limits.time, AssertUnwindSafe(answer).catch_unwind()).await
        }
        Err(error) => Some(Ok(Err(error))),
    };
    let outcome = match outcome {
        Some(Ok(outcome)) => outcome,
        Some(Err(_panic)) => Err(Failure::Internal.into()),
        None => Err(Failure::TimedOut.into()),
    };
    let now = shared.clock.now();
    let id = shared.request_ids.next(now);
    let (request_id, path) = (id.to_str().unwrap_or_default(), uri.path());
    let mut response = match outcome {
        Ok(response) => {
            let status = response.status().as_u16();
            tracing::debug!(%method, path, status, request_id, "answered");
            response
        }
        Err(error) if error.status().is_server_error() => {
            tracing::error!(%method, path, request_id, %error, "failed");
            refuse(&error)
        }
        Err(error) => {
            tracing::info!(%method, path, request_id, %error, "refused");
            refuse(&error)
        }
    };
    response.headers_mut().insert(header::X_REQUEST_ID, id);
    // hyper adds the date of the system, by which no caller could set a clock to ours.
    response.headers_mut().extend(shared.clock.http_date().map(|date| (DATE, date)));
    response
}

/// Waits for a future, but not for longer than `limit`. Most answers need no waiting, and so no timer.
async fn in_time<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    match poll_immediate(future.as_mut()).await {
        Some(output) => Some(output),
        None => tokio::time::timeout(limit, future).await.ok(),
    }
}

async fn answer<S, O, Handler, Answer>(
    shared: &Shared<S>,
    handler: Handler,
    request: HttpRequest,
) -> Result<Response, ApiError>
where
    S: Clone,
    O: Operation,
    Handler: Fn(S, Caller, Request<O>) -> Answer,
    Answer: Future<Output = Result<O::Response, ApiError>>,
{
    let (parts, body) = request.into_parts();
    let body = read_body(&parts, body, shared.limits.body).await?;
    let caller = match O::ACTION {
        Some(action) => shared.callers.admit(action, &parts, &body, &shared.clock)?,
        None => anybody(),
    };
    let request = Request::<O>::read(
        parts.uri.path(),
        parts.uri.query().unwrap_or_default(),
        parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes),
        &body,
    )?;
    let answer = handler(shared.state.clone(), caller, request).await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = O::SUCCESS;
    if let Some(media_type) = O::Response::MEDIA_TYPE {
        let body = answer.write().map_err(|_| Failure::Internal)?;
        *response.body_mut() = Bytes::from(body).into();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    Ok(response)
}
