//! What the mock does with every call besides answering it: limits, faults, journal.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use fabric_model::{ApiError, Failure, Invalid, header};
use http::header::RETRY_AFTER;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::api::answer::{Answer, AnswerBody};
use crate::api::around::{Around, Call};
use crate::api::callers::Caller;
use crate::api::time;
use crate::mock::fault;
use crate::mock::fault::delivery::deliver;
use crate::mock::fault::firing::Firing;
use crate::mock::fault::rule::Write;
use crate::mock::header::{X_MOCK_CANONICAL_REQUEST, X_MOCK_EXPLAIN, X_MOCK_FAULT, X_MOCK_REASON};
use crate::mock::journal::mismatch::SignatureMismatch;
use crate::mock::journal::packed;
use crate::mock::operations::Mock;
use crate::mock::world::World;

/// What the mock notes of a call.
#[derive(Debug, Default)]
pub(crate) struct Note {
    /// The fault that the call meets.
    firing: Option<Box<Firing>>,
    /// How long the caller is to wait, where it made too many calls.
    retry_after: Option<Duration>,
}

/// A world as an [`Api`](crate::Api) knows it: what it does around every call.
#[derive(Debug)]
pub(crate) struct AroundWorld(pub(crate) World);

impl Around for AroundWorld {
    type Note = Note;
    type Context = Mock;

    /// Counts the call against the limit of its project, and finds the fault that it meets.
    fn admit(
        &self,
        call: &mut Call<Note>,
        parts: &Parts,
        caller: Caller,
    ) -> Result<Mock, ApiError> {
        let Caller { project, now, .. } = caller;
        let now = time::whole_milliseconds(now);
        let Some(operation) = call.operation else { return Err(Failure::NoSuchApi.into()) };
        if let Some(hosts) = self.0.hosts()
            && !hosts.are_named_by(&parts.uri, &parts.headers)
        {
            let rule = "must be localhost, an address of it, or a name of --allowed-host";
            return Err(Invalid::new("Host", rule).into());
        }
        if let Some(throttle) = self.0.throttle()
            && !operation.is_open
            && !operation.is_sign_in
            && let Err(wait) = throttle.admit(&project, now)
        {
            let reason = "throttling: the project makes more calls than its rate limit";
            call.reason = Some(reason.into());
            call.note.retry_after = Some(wait);
            return Err(Failure::Throttled.into());
        }
        if operation.is_open
            && call.head.mock
            && parts.headers.contains_key(X_MOCK_FAULT)
            && !self.lets_in(parts, now)
        {
            let rule = "needs an X-Auth-Token that the server knows, even here";
            return Err(Invalid::new("X-Mock-Fault", rule).into());
        }
        let by_header = if call.head.mock {
            Firing::of_header(&parts.headers, operation, || self.0.header_draws(&project))
        } else {
            Ok(None)
        };
        let by_header = by_header.map_err(|error| Invalid::new("X-Mock-Fault", error.message))?;
        let firing = by_header.or_else(|| {
            let path = parts.uri.path();
            let call = fault::Call { operation, project: &project, path, now };
            self.0.active_faults().draw(&call)
        });
        let write = firing.as_ref().map_or(Write::Kept, |firing| firing.write);
        let outcome = firing.as_ref().and_then(|firing| firing.outcome);
        call.note.firing = firing.map(Box::new);
        Ok(Mock { projects: self.0.all_projects().clone(), project, now, write, outcome })
    }

    fn explain(&self, call: &Call<Note>, error: &ApiError) -> Option<String> {
        let (project, operation) = (call.project.as_ref()?, call.operation?);
        let what = operation.resource.singular;
        let or_owner =
            operation.resource.owner.map(|owner| format!(", or no such {}", owner.singular));
        let or_owner = or_owner.unwrap_or_default();
        error
            .is_not_found()
            .then(|| format!("state: project {project} has no such {what}{or_owner}"))
    }

    async fn finish(
        &self,
        call: &mut Call<Note>,
        parts: &Parts,
        mut answer: Answer,
    ) -> Response<AnswerBody> {
        if let Some(wait) = call.note.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            answer.headers.insert(RETRY_AFTER, seconds.into());
        }
        let firing = call.note.firing.take();
        if let Some(firing) = &firing {
            answer = meet(firing, call, parts, answer);
        }
        self.note(call, parts, &answer, firing.as_deref());
        if !answer.status.is_success() && parts.headers.contains_key(X_MOCK_EXPLAIN) {
            answer.headers.extend(call.reason.as_deref().map(reason_header));
        }
        let Some(firing) = firing else { return answer.into_response() };
        Box::pin(deliver(&firing, answer, call.connection.clone(), self.0.stop())).await
    }
}

impl AroundWorld {
    /// Whether any caller is let in, or the one who presents a token. Operations that need none don't ask.
    fn lets_in(&self, parts: &Parts, now: SystemTime) -> bool {
        let callers = self.0.callers();
        let token = parts.headers.get(header::X_AUTH_TOKEN);
        let grant = token.and_then(|token| callers.grant_of(token.as_bytes()));
        callers.is_everybody() || grant.is_some_and(|grant| !grant.has_expired(now))
    }

    /// Counts a call, and keeps it in the journal.
    fn note(&self, call: &Call<Note>, parts: &Parts, answer: &Answer, firing: Option<&Firing>) {
        let is_answered = firing.is_none_or(Firing::is_answered);
        let status = is_answered.then_some(answer.status);
        let code = call.error.as_ref().and_then(ApiError::code);
        let took = call.took();
        let shown = status.map(|status| status.as_u16());
        self.0.counts().add(call.operation, shown, code.as_deref(), took);
        if !self.0.calls().is_on() {
            return;
        }
        // Of a call that was not rejected for its caller, the head tells whose it is.
        let is_rejected = matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        let asked = if call.project.is_none() && !is_rejected {
            self.0.callers().project_of(parts)
        } else {
            None
        };
        let target = parts.uri.path_and_query();
        let signature = call.explanation.as_ref().map(|explanation| {
            let given = parts.headers.get(X_MOCK_CANONICAL_REQUEST);
            let given = given.and_then(|value| value.to_str().ok());
            SignatureMismatch::new(explanation.clone(), given, &parts.headers)
        });
        self.0.calls().add(&packed::Call {
            at: call.now.unwrap_or(SystemTime::UNIX_EPOCH),
            project: call.project.as_ref().or(asked.as_ref()),
            operation: call.operation,
            method: &parts.method,
            target: target.map_or("", |target| target.as_str()),
            headers: &parts.headers,
            body: &call.body,
            status,
            error_code: code.as_deref(),
            answer: &answer.body,
            request_id: call.request_id.as_ref().map_or(b"", HeaderValue::as_bytes),
            took,
            fault: firing.map(|firing| firing.id.unwrap_or_default()),
            reason: call.reason.as_deref(),
            signature: signature.as_ref(),
        });
    }
}

/// The header that tells the reason of a rejection, in the characters that a header may have.
fn reason_header(reason: &str) -> (HeaderName, HeaderValue) {
    let plain = reason.bytes().map(|byte| if (b' '..=b'~').contains(&byte) { byte } else { b'?' });
    let value = HeaderValue::from_bytes(&plain.collect::<Vec<_>>());
    (X_MOCK_REASON, value.expect("printable ASCII can stand in a header"))
}

/// What a fault makes of an answer, before it is sent.
fn meet(firing: &Firing, call: &mut Call<Note>, parts: &Parts, answer: Answer) -> Answer {
    let (method, path, fault) = (&parts.method, parts.uri.path(), firing.in_words());
    tracing::info!(%method, path, %fault, "meets a fault");
    call.reason = Some(Cow::Owned(match call.reason.take() {
        Some(reason) => format!("{fault}; {reason}"),
        None => fault,
    }));
    let Some(replacement) = firing.replacement() else { return answer };
    let error = ApiError::read(replacement.status, None, &replacement.body);
    call.error = Some(error);
    replacement
}
