//! The interface for what a service does with every call, besides its handler.

use std::borrow::Cow;
use std::future::Future;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use fabric_model::signature::Explanation;
use fabric_model::{ApiError, OperationInfo, ProjectId};
use http::request::Parts;
use http::{HeaderValue, Response};

use crate::api::answer::{Answer, AnswerBody};
use crate::api::callers::Caller;
use crate::api::connections::Connection;
use crate::api::limits::Head;

/// What a service does with every call, besides its handler: accounting, faults, a journal.
///
/// An [`Api`](crate::Api) has one implementation, known at compile time, so no future is boxed. `()` does
/// nothing, and gives handlers the [`Caller`].
pub trait Around: Send + Sync + 'static {
    /// Its notes about a call, kept until the call is answered.
    type Note: Default + Send;

    /// The second argument of every handler.
    type Context: Send;

    /// Admits a call. The caller is known and authorised; the request is not validated yet.
    ///
    /// # Errors
    ///
    /// The error to answer, in place of calling the handler.
    fn admit(
        &self,
        call: &mut Call<Self::Note>,
        parts: &Parts,
        caller: Caller,
    ) -> Result<Self::Context, ApiError>;

    /// Explains an error for the log, if there is more to say than the error does.
    fn explain(&self, call: &Call<Self::Note>, error: &ApiError) -> Option<String> {
        let _ = (call, error);
        None
    }

    /// Makes the response from the answer, for every call, rejected ones included. The headers of every answer are
    /// added afterwards.
    fn finish(
        &self,
        call: &mut Call<Self::Note>,
        parts: &Parts,
        answer: Answer,
    ) -> impl Future<Output = Response<AnswerBody>> + Send;
}

impl Around for () {
    type Note = ();
    type Context = Caller;

    fn admit(&self, _: &mut Call<()>, _: &Parts, caller: Caller) -> Result<Caller, ApiError> {
        Ok(caller)
    }

    async fn finish(&self, _: &mut Call<()>, _: &Parts, answer: Answer) -> Response<AnswerBody> {
        answer.into_response()
    }
}

/// What is known about a call until it is answered.
#[derive(Debug)]
#[non_exhaustive]
pub struct Call<Note> {
    /// The operation; `None` if no operation has the path and the method.
    pub operation: Option<&'static OperationInfo>,
    /// The project of the caller; `None` until the caller is known.
    pub project: Option<ProjectId>,
    /// The time in the project of the caller, or of the server if the caller is not known. It is read once.
    pub now: Option<SystemTime>,
    /// The id of the request, once it has one.
    pub request_id: Option<HeaderValue>,
    /// The body of the request, as far as it was read.
    pub body: Bytes,
    /// Why the call failed, for the log.
    pub reason: Option<Cow<'static, str>>,
    /// What the server computed, if a signature does not match.
    pub explanation: Option<Explanation>,
    /// The error, if one is answered.
    pub error: Option<ApiError>,
    /// The notes of [`Around`].
    pub note: Note,
    pub(crate) connection: Connection,
    pub(crate) head: Head,
    began: Instant,
}

impl<Note: Default> Call<Note> {
    pub(crate) fn new(operation: Option<&'static OperationInfo>, connection: Connection) -> Self {
        Self {
            operation,
            project: None,
            now: None,
            request_id: None,
            body: Bytes::new(),
            reason: None,
            explanation: None,
            error: None,
            note: Note::default(),
            connection,
            head: Head::ANY,
            began: Instant::now(),
        }
    }

    /// How long the call has taken so far.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.began.elapsed()
    }
}
