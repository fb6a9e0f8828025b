//! Operations of sign-in: what their handlers get and answer, and how their errors read.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::SystemTime;

use fabric_model::identity::IdentityFailure;
use fabric_model::signature::Signature;
use fabric_model::{ApiError, Operation, OperationInfo, Payload, ProjectId, Request, header};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use secrecy::SecretString;
use serde_json::Value;

use crate::api::answer::Answer;
use crate::api::around::{Around, Call};
use crate::api::credentials::Grant;
use crate::api::handlers::{Handled, read_request, written};
use crate::api::rejected::Rejected;

/// The longest body of sign-in, in bytes: the longest token, and as much around it.
pub(crate) const SIGN_IN_BODY_MAX: usize = 128 * 1024;

/// A call of sign-in, as its handler gets it.
#[derive(Debug)]
pub(crate) struct SignInCall<O: Operation> {
    /// What the credentials of the caller are good for.
    pub(crate) grant: Arc<Grant>,
    /// The time, in the project of the caller.
    pub(crate) now: SystemTime,
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

/// What is known of the caller of sign-in.
#[derive(Debug)]
pub(crate) struct SignInCaller {
    pub(crate) grant: Arc<Grant>,
    pub(crate) now: SystemTime,
    pub(crate) host: String,
}

/// An operation of sign-in and its handler.
pub(crate) struct JoinedSignIn<O, H> {
    handler: H,
    token_in_body: Option<&'static str>,
    operation: PhantomData<fn() -> O>,
}

impl<O, H> JoinedSignIn<O, H> {
    pub(crate) fn new(handler: H, token_in_body: Option<&'static str>) -> Self {
        Self { handler, token_in_body, operation: PhantomData }
    }
}

/// What a handler of sign-in answers, written.
pub(crate) type SignInOutcome = Result<SignInAnswer<Result<Answer, ApiError>>, Box<Rejected>>;

/// What is to be done for one operation of sign-in.
pub(crate) trait HandleSignIn<S, A: Around>: Send + Sync {
    fn operation(&self) -> &'static OperationInfo;

    /// Where the body may have a token, as a JSON pointer.
    fn token_in_body(&self) -> Option<&'static str>;

    fn handle(
        &self,
        state: S,
        context: A::Context,
        caller: SignInCaller,
        parts: &Parts,
        call: &mut Call<A::Note>,
    ) -> Result<Handled<SignInOutcome>, ApiError>;
}

impl<S, A, O, H, Outcome> HandleSignIn<S, A> for JoinedSignIn<O, H>
where
    A: Around,
    O: Operation,
    H: Fn(S, A::Context, SignInCall<O>) -> Outcome + Send + Sync,
    Outcome: Future<Output = Result<SignInAnswer<O::Response>, Box<Rejected>>> + Send + 'static,
{
    fn operation(&self) -> &'static OperationInfo {
        O::INFO
    }

    fn token_in_body(&self) -> Option<&'static str> {
        self.token_in_body
    }

    fn handle(
        &self,
        state: S,
        context: A::Context,
        caller: SignInCaller,
        parts: &Parts,
        call: &mut Call<A::Note>,
    ) -> Result<Handled<SignInOutcome>, ApiError> {
        let request = read_request::<O, _>(parts, call).map_err(|error| match &call.reason {
            // The documented message blames the body, where there is none.
            Some(reason) if O::Body::MEDIA_TYPE.is_none() => {
                let rule = reason.trim_start_matches("contract: ");
                IdentityFailure::InvalidRequest.saying(&format!("The request is invalid: {rule}"))
            }
            _ => error,
        })?;
        let SignInCaller { grant, now, host } = caller;
        let call = SignInCall { grant, now, headers: parts.headers.clone(), host, request };
        let outcome = (self.handler)(state, context, call);
        Ok(Box::pin(async move {
            let SignInAnswer { response, subject_token, project } = outcome.await?;
            Ok(SignInAnswer { response: written::<O>(&response), subject_token, project })
        }))
    }
}

/// An error as the identity service words it. What is not of it, such as a head that is too large, is of the
/// gateway, and stays as it is.
pub(crate) fn of_identity_service(error: ApiError) -> ApiError {
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

/// Moves the token in a body to the header, unless the head has credentials.
pub(crate) fn present_token_of_body(parts: &mut Parts, body: &[u8], pointer: &str) {
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
