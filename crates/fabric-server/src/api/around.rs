//! What happens around every call besides answering it.

use std::borrow::Cow;
use std::future::Future;
use std::time::{Duration, Instant, SystemTime};

use axum::response::Response;
use bytes::Bytes;
use fabric_model::signature::Explanation;
use fabric_model::{ApiError, OperationInfo, ProjectId};
use http::HeaderValue;
use http::request::Parts;

use crate::api::answer::Answer;
use crate::api::callers::Caller;

/// What a service does with every call besides answering it: accounting, faults, a journal.
///
/// One implementation per [`Api`](crate::Api), known when it is compiled, so that nothing is boxed. `()` does
/// nothing, and gives handlers the [`Caller`].
pub trait Around: Send + Sync + 'static {
    /// What it notes of a call while the call is answered.
    type Note: Default + Send;

    /// What a handler learns of its call.
    type Context: Send;

    /// The caller is known and may call; the request is not read yet.
    ///
    /// # Errors
    ///
    /// The answer, where the call must not go on.
    fn admit(
        &self,
        call: &mut Call<Self::Note>,
        parts: &Parts,
        caller: Caller,
    ) -> Result<Self::Context, ApiError>;

    /// Why the call failed, for the log, where that is more than the error says.
    fn explain(&self, call: &Call<Self::Note>, error: &ApiError) -> Option<String> {
        let _ = (call, error);
        None
    }

    /// The answer is there: whatever this returns is sent.
    fn finish(
        &self,
        call: &mut Call<Self::Note>,
        parts: &Parts,
        answer: Answer,
    ) -> impl Future<Output = Response> + Send;
}

impl Around for () {
    type Note = ();
    type Context = Caller;

    fn admit(&self, _: &mut Call<()>, _: &Parts, caller: Caller) -> Result<Caller, ApiError> {
        Ok(caller)
    }

    async fn finish(&self, _: &mut Call<()>, _: &Parts, answer: Answer) -> Response {
        answer.into_response()
    }
}

/// What is known of a call while it is answered.
#[derive(Debug)]
#[non_exhaustive]
pub struct Call<Note> {
    /// The operation; `None` where the path, or the method of the path, is of none.
    pub operation: Option<&'static OperationInfo>,
    /// The project of the caller; `None` while, or where, the caller is not known.
    pub project: Option<ProjectId>,
    /// The time in the project of the caller, or else that of the server: read once, when it is first needed.
    pub now: Option<SystemTime>,
    /// The id of the request, once it has one.
    pub request_id: Option<HeaderValue>,
    /// The body of the request, as far as it was read.
    pub body: Bytes,
    /// Why the call failed, for the log.
    pub reason: Option<Cow<'static, str>>,
    /// What the server signs, where a signature does not match.
    pub explanation: Option<Explanation>,
    /// The error that is answered, if it is one.
    pub error: Option<ApiError>,
    /// What [`Around`] notes.
    pub note: Note,
    began: Instant,
}

impl<Note: Default> Call<Note> {
    pub(crate) fn new(operation: Option<&'static OperationInfo>) -> Self {
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
            began: Instant::now(),
        }
    }

    /// How long the call has taken so far.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.began.elapsed()
    }
}
