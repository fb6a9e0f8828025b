//! Joins a handler to its operation: reads the request, calls the handler, writes the answer.

use std::borrow::Cow;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use bytes::Bytes;
use fabric_model::{ApiError, Failure, Operation, OperationInfo, Payload, Request};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use http::request::Parts;

use crate::api::answer::Answer;
use crate::api::around::{Around, Call};

/// What a handler makes of a call. On the heap: the futures of handlers differ, and what is around them is compiled
/// once for all operations.
pub(crate) type Handled<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// An operation and its handler.
pub(crate) struct Joined<O, H> {
    handler: H,
    operation: PhantomData<fn() -> O>,
}

impl<O, H> Joined<O, H> {
    pub(crate) fn new(handler: H) -> Self {
        Self { handler, operation: PhantomData }
    }
}

/// What is to be done for one operation: reading the request, the handler, writing the answer.
pub(crate) trait Handle<S, A: Around>: Send + Sync {
    fn operation(&self) -> &'static OperationInfo;

    fn handle(
        &self,
        state: S,
        context: A::Context,
        parts: &Parts,
        call: &mut Call<A::Note>,
    ) -> Result<Handled<Result<Answer, ApiError>>, ApiError>;
}

impl<S, A, O, H, Outcome> Handle<S, A> for Joined<O, H>
where
    A: Around,
    O: Operation,
    H: Fn(S, A::Context, Request<O>) -> Outcome + Send + Sync,
    Outcome: Future<Output = Result<O::Response, ApiError>> + Send + 'static,
{
    fn operation(&self) -> &'static OperationInfo {
        O::INFO
    }

    fn handle(
        &self,
        state: S,
        context: A::Context,
        parts: &Parts,
        call: &mut Call<A::Note>,
    ) -> Result<Handled<Result<Answer, ApiError>>, ApiError> {
        let outcome = (self.handler)(state, context, read_request::<O, _>(parts, call)?);
        Ok(Box::pin(async move { written::<O>(&outcome.await?) }))
    }
}

/// The answer to a success.
pub(crate) fn written<O: Operation>(response: &O::Response) -> Result<Answer, ApiError> {
    let Some(media_type) = O::Response::MEDIA_TYPE else {
        return Ok(Answer::new(O::SUCCESS, Bytes::new()));
    };
    let body = response.write().map_err(|_| Failure::Internal)?;
    let mut answer = Answer::new(O::SUCCESS, Bytes::from(body));
    answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    Ok(answer)
}

/// Reads and validates a request.
pub(crate) fn read_request<O: Operation, Note>(
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
