//! Joins handlers to operations: extract, validate, answer.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request as AxumRequest;
use bytes::Bytes;
use fabric_model::identity::IdentityFailure;
use fabric_model::{ApiError, Failure, Operation, OperationInfo, Request, header};
use futures_util::FutureExt;
use futures_util::future::poll_immediate;
use http::header::{DATE, HOST};
use http::request::Parts;
use http::{HeaderValue, Method, Request as HttpRequest, Response};
use hyper::body::Body as HttpBody;
use secrecy::ExposeSecret;

use crate::api::answer::{Answer, AnswerBody};
use crate::api::around::{Around, Call};
use crate::api::callers::{Caller, Callers, asked_project};
use crate::api::clock::Clock;
use crate::api::connections::Connection;
use crate::api::handlers::{Handle, Joined};
use crate::api::limits::{Bodies, Limits, check_head, discard_body};
use crate::api::paths::Paths;
use crate::api::rejected::Rejected;
use crate::api::request_id::RequestIds;
use crate::api::sign_in::{
    HandleSignIn, JoinedSignIn, SIGN_IN_BODY_MAX, SignInAnswer, SignInCall, SignInCaller,
    of_identity_service, present_token_of_body,
};

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
pub struct Api<S, A: Around = ()> {
    operations: Operations<S, A>,
}

/// What is at a path.
struct Path<S, A: Around> {
    template: &'static str,
    service: Service,
    handlers: Vec<(Method, Handler<S, A>)>,
    /// The value of `Allow`.
    allowed: HeaderValue,
}

impl<S, A: Around> fmt::Debug for Path<S, A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Path").field(&self.template).field(&self.allowed).finish()
    }
}

/// The services that answer on the address, each with errors of its own form.
#[derive(Clone, Copy, Debug)]
enum Service {
    Fabric,
    Identity,
}

impl Service {
    /// The error for a method that a path does not have.
    fn no_such_method(self) -> ApiError {
        match self {
            Self::Fabric => Failure::NoSuchApi.into(),
            Self::Identity => IdentityFailure::MethodNotAllowed.into(),
        }
    }
}

/// What answers the calls of an operation.
enum Handler<S, A: Around> {
    Operation(Box<dyn Handle<S, A>>),
    SignIn(Box<dyn HandleSignIn<S, A>>),
}

impl<S, A: Around> Handler<S, A> {
    fn operation(&self) -> &'static OperationInfo {
        match self {
            Self::Operation(handler) => handler.operation(),
            Self::SignIn(handler) => handler.operation(),
        }
    }
}

/// The operations of an [`Api`], with what they share.
#[derive(Debug)]
pub(crate) struct Operations<S, A: Around> {
    paths: Paths<Path<S, A>>,
    state: S,
    around: A,
    time: Duration,
    bodies: Bodies,
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
        let operations = Operations {
            paths: Paths::default(),
            state,
            around,
            time: Limits::default().time,
            bodies: Bodies::new(&Limits::default()),
            callers: Callers::everybody(),
            clock: Clock::system(),
            request_ids: RequestIds::random("localhost".to_owned()),
        };
        Self { operations }
    }

    /// Sets the limits of a request.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.operations.time = limits.time;
        self.operations.bodies = Bodies::new(&limits);
        self
    }

    /// What reads the bodies of requests, within the limits set so far.
    #[cfg(feature = "mock")]
    pub(crate) fn bodies(&self) -> &Bodies {
        &self.operations.bodies
    }

    /// Sets who may call.
    #[must_use]
    pub fn callers(mut self, callers: Callers) -> Self {
        self.operations.callers = callers;
        self
    }

    /// Sets the clock, for signatures, tokens, request ids and the `Date` of answers.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.operations.clock = clock;
        self
    }

    /// Sets the source of the ids of requests.
    #[must_use]
    pub fn request_ids(mut self, request_ids: RequestIds) -> Self {
        self.operations.request_ids = request_ids;
        self
    }

    /// Adds the operation that `handler` serves.
    ///
    /// # Panics
    ///
    /// When the operation has been added before.
    #[must_use]
    pub fn operation<O, H, Outcome>(mut self, handler: H) -> Self
    where
        O: Operation,
        H: Fn(S, A::Context, Request<O>) -> Outcome + Clone + Send + Sync + 'static,
        Outcome: Future<Output = Result<O::Response, ApiError>> + Send + 'static,
    {
        let joined = Joined::<O, H>::new(handler);
        self.add::<O>(Service::Fabric, Handler::Operation(Box::new(joined)));
        self
    }

    /// The same for an operation of sign-in. Its failures are errors of the identity service. A token that the
    /// caller gives in the body, at this JSON pointer, counts where there is none in a header.
    pub(crate) fn sign_in<O, H, Outcome>(
        mut self,
        token_in_body: Option<&'static str>,
        handler: H,
    ) -> Self
    where
        O: Operation,
        H: Fn(S, A::Context, SignInCall<O>) -> Outcome + Clone + Send + Sync + 'static,
        Outcome: Future<Output = Result<SignInAnswer<O::Response>, Box<Rejected>>> + Send + 'static,
    {
        let joined = JoinedSignIn::<O, H>::new(handler, token_in_body);
        self.add::<O>(Service::Identity, Handler::SignIn(Box::new(joined)));
        self
    }

    fn add<O: Operation>(&mut self, service: Service, handler: Handler<S, A>) {
        let path = self.operations.paths.entry(O::PATH, || Path {
            template: O::PATH,
            service,
            handlers: Vec::new(),
            allowed: HeaderValue::from_static(""),
        });
        let is_new = path.handlers.iter().all(|(method, _)| *method != O::METHOD);
        assert!(is_new, "{} {} has been added before", O::METHOD, O::PATH);
        path.handlers.push((O::METHOD, handler));
        path.allowed = allow(path.handlers.iter().map(|(method, _)| method));
    }

    /// Method and path of every operation added so far.
    pub fn served(&self) -> impl Iterator<Item = (Method, &'static str)> {
        self.operations.paths.iter().flat_map(|path| {
            path.handlers.iter().map(|(method, _)| (method.clone(), path.template))
        })
    }

    /// The service as a router of axum. Every rejection is an error of the contract.
    pub fn into_router(self) -> Router {
        self.into_operations().router()
    }

    /// The operations, to be served without axum's router.
    pub(crate) fn into_operations(self) -> Arc<Operations<S, A>> {
        Arc::new(self.operations)
    }
}

/// The value of `Allow`: what a path has, what follows from it, and `OPTIONS` itself.
fn allow<'a>(methods: impl Iterator<Item = &'a Method>) -> HeaderValue {
    let mut names: Vec<&str> = methods.map(Method::as_str).collect();
    if names.contains(&Method::GET.as_str()) {
        names.push(Method::HEAD.as_str());
    }
    names.push(Method::OPTIONS.as_str());
    names.sort_unstable();
    HeaderValue::from_str(&names.join(", ")).expect("the names of methods are plain text")
}

/// Waits for an answer, but not for longer than `limit`: then it is 408. A panic is 500.
async fn settled<F>(limit: Duration, answer: Pin<&mut F>) -> Result<Answer, ApiError>
where
    F: Future<Output = Result<Answer, ApiError>> + Send,
{
    let mut answer = AssertUnwindSafe(answer).catch_unwind();
    // Most answers need no waiting, and so no timer.
    let outcome = match poll_immediate(&mut answer).await {
        Some(outcome) => Some(outcome),
        None => Box::pin(tokio::time::timeout(limit, answer)).await.ok(),
    };
    match outcome {
        Some(Ok(outcome)) => outcome,
        Some(Err(_panic)) => Err(Failure::Internal.into()),
        None => Err(Failure::TimedOut.into()),
    }
}

/// Notes why a caller is rejected, and gives the error.
fn note<Note>(rejected: Rejected, call: &mut Call<Note>) -> ApiError {
    (call.project, call.explanation) = (rejected.project, rejected.explanation);
    call.reason = Some(rejected.reason);
    rejected.error
}

impl<S: Clone + Send + Sync + 'static, A: Around> Operations<S, A> {
    /// A router of axum that answers every path.
    pub(crate) fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(async move |request: AxumRequest| {
            let place = self.find(request.uri().path());
            let connection = request.extensions().get::<Connection>().cloned().unwrap_or_default();
            self.answer(place, request, connection).await.map(axum::body::Body::from)
        })
    }

    /// The place of a path that has operations.
    pub(crate) fn find(&self, path: &str) -> Option<usize> {
        self.paths.find(path)
    }

    /// Answers a request for what is at a place.
    pub(crate) async fn answer<B>(
        &self,
        place: Option<usize>,
        request: HttpRequest<B>,
        connection: Connection,
    ) -> Response<AnswerBody>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin,
    {
        let (mut parts, body) = request.into_parts();
        let path = place.map(|place| self.paths.at(place));
        let is_head = parts.method == Method::HEAD;
        let method = if is_head { &Method::GET } else { &parts.method };
        let handler = path.and_then(|path| {
            path.handlers.iter().find(|(known, _)| known == method).map(|(_, handler)| handler)
        });
        let mut call = Call::new(handler.map(Handler::operation), connection);
        let outcome = match (path, handler) {
            (_, Some(Handler::Operation(handler))) => {
                let handler = handler.as_ref();
                let answer = pin!(self.answer_operation(handler, &parts, body, &mut call));
                settled(self.time, answer).await
            }
            // Seldom called, so its future is not to take room in that of every call.
            (_, Some(Handler::SignIn(handler))) => {
                let handler = handler.as_ref();
                let mut answer =
                    Box::pin(self.answer_sign_in(handler, &mut parts, body, &mut call));
                settled(self.time, answer.as_mut()).await.map_err(of_identity_service)
            }
            (Some(path), None) => check_head(&parts).map(|_| {
                Answer::no_such_method(&parts.method, &path.allowed, &path.service.no_such_method())
            }),
            (None, None) => check_head(&parts).and(Err(Failure::NoSuchApi.into())),
        };
        let mut response = pin!(self.finish(&mut call, &mut parts, outcome)).await;
        if is_head {
            AnswerBody::remove_from(&mut response);
        }
        response
    }

    /// Takes a request from its head to its answer: limits, token, body, signature, [`Around`], request, handler.
    async fn answer_operation<B>(
        &self,
        handler: &dyn Handle<S, A>,
        parts: &Parts,
        body: B,
        call: &mut Call<A::Note>,
    ) -> Result<Answer, ApiError>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin,
    {
        call.head = check_head(parts)?;
        let operation = handler.operation();
        // Whoever is rejected for a token is not to fill the memory with a body.
        let caller = if self.callers.need_no_body(call.head, &parts.headers) {
            match self.identify(operation, parts, call).await {
                Ok(caller) => Some(caller),
                Err(error) => {
                    Box::pin(discard_body(parts, body)).await;
                    return Err(error);
                }
            }
        } else {
            None
        };
        call.body = pin!(self.bodies.read(parts, body)).await?;
        let caller = match caller {
            Some(caller) => caller,
            None => self.identify(operation, parts, call).await?,
        };
        let context = self.around.admit(call, parts, caller)?;
        handler.handle(self.state.clone(), context, parts, call)?.await
    }

    /// The same for an operation of sign-in.
    async fn answer_sign_in<B>(
        &self,
        handler: &dyn HandleSignIn<S, A>,
        parts: &mut Parts,
        body: B,
        call: &mut Call<A::Note>,
    ) -> Result<Answer, ApiError>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin,
    {
        check_head(parts)?;
        let operation = handler.operation();
        // A token in the head is judged before the body is read, unless the body may have one that counts.
        let may_be_in_body =
            handler.token_in_body().is_some() && !parts.headers.contains_key(header::X_AUTH_TOKEN);
        let is_judged_first = !operation.is_open
            && !may_be_in_body
            && self.callers.need_no_body(call.head, &parts.headers);
        if is_judged_first && let Err(error) = self.identify(operation, parts, call).await {
            discard_body(parts, body).await;
            return Err(error);
        }
        call.body = self.bodies.read_within(SIGN_IN_BODY_MAX, parts, body).await?;
        if let Some(pointer) = handler.token_in_body() {
            present_token_of_body(parts, &call.body, pointer);
        }
        let mut caller = self.identify(operation, parts, call).await?;
        if operation.is_open {
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
        let host = parts.uri.authority().map(|authority| authority.as_str().to_owned());
        let host = host.or_else(|| Some(parts.headers.get(HOST)?.to_str().ok()?.to_owned()));
        let sign_in =
            SignInCaller { grant, now, host: host.unwrap_or_else(|| "localhost".to_owned()) };
        let outcome = handler.handle(self.state.clone(), context, sign_in, parts, call)?.await;
        let answered = outcome.map_err(|rejected| note(*rejected, call))?;
        if let Some(project) = answered.project {
            call.now = Some(self.clock.now_in(&project));
            call.project = Some(project);
        }
        let mut answer = answered.response?;
        if let Some(token) = answered.subject_token {
            let value = HeaderValue::try_from(token.expose_secret());
            let mut value = value.map_err(|_| Failure::Internal)?;
            value.set_sensitive(true);
            answer.headers.insert(header::X_SUBJECT_TOKEN, value);
        }
        Ok(answer)
    }

    /// Identifies the caller, and notes whose call it is.
    async fn identify(
        &self,
        operation: &OperationInfo,
        parts: &Parts,
        call: &mut Call<A::Note>,
    ) -> Result<Caller, ApiError> {
        let (callers, clock) = (&self.callers, &self.clock);
        let at_once = callers.identify_at_once(operation, call.head, parts, &call.body, clock);
        let identified = match at_once {
            Some(identified) => identified,
            None => Box::pin(callers.identify(operation, parts, &call.body, clock)).await,
        };
        let caller = identified.map_err(|rejected| note(*rejected, call))?;
        (call.project, call.now) = (Some(caller.project.clone()), Some(caller.now));
        Ok(caller)
    }

    /// Adds the headers of every answer, writes the log, and hands the answer to [`Around`].
    async fn finish(
        &self,
        call: &mut Call<A::Note>,
        parts: &mut Parts,
        outcome: Result<Answer, ApiError>,
    ) -> Response<AnswerBody> {
        let now = *call.now.get_or_insert_with(|| self.clock.now());
        let id = self.request_ids.next(now);
        let (method, path) = (&parts.method, parts.uri.path());
        let answer = match outcome {
            Ok(answer) => {
                let status = answer.status.as_u16();
                tracing::debug!(%method, path, status, request_id = id.to_str().unwrap_or_default(), "answered");
                answer
            }
            Err(error) => {
                if call.reason.is_none() {
                    let reason = self.around.explain(call, &error);
                    call.reason = Some(reason.unwrap_or_else(|| error.to_string()).into());
                }
                let reason = call.reason.as_deref().unwrap_or_default();
                if error.status().is_server_error() {
                    tracing::error!(%method, path, request_id = id.to_str().unwrap_or_default(), %error, "failed");
                } else {
                    tracing::info!(%method, path, request_id = id.to_str().unwrap_or_default(), %error, reason, "rejected");
                }
                let answer = Answer::of(&error);
                call.error = Some(error);
                answer
            }
        };
        call.request_id = Some(id);
        let mut response = pin!(self.around.finish(call, parts, answer)).await;
        let headers = response.headers_mut();
        if headers.is_empty() {
            // The room of those of the request, which nobody needs any more.
            std::mem::swap(headers, &mut parts.headers);
            headers.clear();
        }
        if let Some(id) = call.request_id.take() {
            headers.insert(header::X_REQUEST_ID, id);
        }
        // hyper adds the date of the system, by which no caller could set a clock to ours.
        if let Some(date) = self.clock.http_date(call.project.as_ref(), now) {
            headers.insert(DATE, date);
        }
        response
    }
}
