//! The journal: what was asked and answered, within a budget of bytes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fabric_model::signature::Explanation;
use fabric_model::{AccessClientId, ProjectId, header};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use parking_lot::Mutex;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;
use utoipa::{IntoParams, ToSchema};

use crate::mock::ControlError;
use crate::mock::fault::operation_ids;
use crate::time;

/// A call, as the journal tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// Its place among all calls of the server.
    pub sequence: u64,
    /// When it was answered, by the clock of its project.
    pub time: String,
    /// The project of the caller, or where nobody knows the caller, the one that was asked for.
    pub project_id: String,
    /// The operation, unless the path and method are of none.
    pub operation: Option<String>,
    /// The method.
    pub method: String,
    /// Path and query, as they were sent.
    pub target: String,
    /// The headers of the request. Credentials are `[redacted]`.
    pub headers: BTreeMap<String, String>,
    /// The body of the request: JSON, or text, or `null` for none. Of a long one, the beginning.
    pub body: Value,
    /// How many bytes the body has.
    pub body_bytes: u64,
    /// The status of the answer; `null` where a fault sent none.
    pub status: Option<u16>,
    /// The code of a failure.
    pub error_code: Option<String>,
    /// The body of the answer, as that of the request.
    pub answer: Value,
    /// The id of the request.
    pub request_id: String,
    /// How long the service took, without delays of faults.
    pub microseconds: u64,
    /// The fault that changed the answer: its number, or 0 for one in a header.
    pub fault: Option<u64>,
    /// Why the call was refused.
    pub reason: Option<String>,
    /// What was signed, where a signature does not match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub signature: Option<SignatureMismatch>,
}

/// A request in its canonical form, as the server and as the caller sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignatureMismatch {
    /// What the server makes of the request: the first 64 KiB of it. Tokens are `[redacted]`.
    pub canonical_request: String,
    /// What the server signs.
    pub string_to_sign: String,
    /// What the caller made of it, if it told in the header `X-Mock-Canonical-Request`,
    /// percent-encoded: the first 64 KiB of it. Tokens are `[redacted]`, and so is, wherever it stands,
    /// the value of any header of the request that holds a secret of 8 bytes or more.
    pub canonical_request_of_caller: Option<String>,
    /// The first line in which the two differ, from 1, even where it stands behind the first 64 KiB.
    pub first_difference: Option<usize>,
}

/// `null` too is a body that a test may want.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl SignatureMismatch {
    /// What the server makes of it, beside what the caller made of it, percent-encoded.
    pub(crate) fn new(
        explanation: Explanation,
        of_caller: Option<&str>,
        headers: &HeaderMap,
    ) -> Self {
        let Explanation { mut canonical_request, string_to_sign } = explanation;
        let of_caller = of_caller.map(|text| percent_decode_str(text).decode_utf8_lossy());
        let mut of_caller = of_caller.map(|text| redacted(&text, headers));
        let first_difference = of_caller.as_ref().map(|other| {
            let (mut ours, mut theirs) = (canonical_request.lines(), other.lines());
            let mut line = 0;
            loop {
                line += 1;
                match (ours.next(), theirs.next()) {
                    (None, None) => return None,
                    (ours, theirs) if ours != theirs => return Some(line),
                    _ => {}
                }
            }
        });
        for text in of_caller.iter_mut().chain([&mut canonical_request]) {
            text.truncate(text.floor_char_boundary(CANONICAL_REQUEST_MAX));
        }
        Self {
            canonical_request,
            string_to_sign,
            canonical_request_of_caller: of_caller,
            first_difference: first_difference.flatten(),
        }
    }
}

/// Which calls; those for which everything holds that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// The project.
    #[param(value_type = Option<String>)]
    #[schema(value_type = Option<String>)]
    pub project_id: Option<ProjectId>,
    /// The operation, by the id that it has in the `OpenAPI` document.
    pub operation: Option<String>,
    /// The access client in the path.
    #[param(value_type = Option<String>)]
    #[schema(value_type = Option<String>)]
    pub client_id: Option<AccessClientId>,
    /// The method.
    pub method: Option<String>,
    /// The path, without the query.
    pub path: Option<String>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The code of a failure.
    pub error_code: Option<String>,
    /// Only calls later than this one.
    pub after: Option<u64>,
    /// Only calls earlier than this one: to go on from the last of a page.
    pub before: Option<u64>,
    /// How many at most, 1 to 1,000; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    #[schema(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
}

/// What the journal has of some calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Entries {
    /// The calls, newest first.
    pub entries: Vec<Entry>,
    /// How many calls of the project, or of all, had to make room for later ones.
    pub forgotten: u64,
}

/// What a test expects of the calls that were made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// Which calls; all when absent.
    #[serde(default)]
    pub calls: Matching,
    /// How many: exactly so many, or a range. At least one when absent.
    #[serde(default)]
    pub count: Count,
}

/// The calls that a test means.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Matching {
    /// The project.
    #[schema(value_type = Option<String>)]
    pub project_id: Option<ProjectId>,
    /// The operation, by the id that it has in the `OpenAPI` document.
    pub operation: Option<String>,
    /// The access client in the path.
    #[schema(value_type = Option<String>)]
    pub client_id: Option<AccessClientId>,
    /// The method.
    pub method: Option<String>,
    /// The path, without the query.
    pub path: Option<String>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The code of a failure.
    pub error_code: Option<String>,
    /// The whole body of the request, as JSON; the order of fields does not count, and `null` is for none.
    #[serde(deserialize_with = "given")]
    pub body: Option<Value>,
    /// A part of the body: fields that it has, among others.
    pub body_contains: Option<Value>,
}

/// How many calls there are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Count {
    /// Exactly so many.
    Exactly(u64),
    /// A range, of which one end may be open.
    Range(Range),
}

/// From so many to so many; at least one of the two must be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The fewest; none when absent.
    #[schema(nullable = false)]
    pub at_least: Option<u64>,
    /// The most; any number when absent.
    #[schema(nullable = false)]
    pub at_most: Option<u64>,
}

impl Default for Count {
    fn default() -> Self {
        Self::Range(Range { at_least: Some(1), at_most: None })
    }
}

impl Count {
    fn bounds(self) -> (u64, Option<u64>) {
        match self {
            Self::Exactly(count) => (count, Some(count)),
            Self::Range(Range { at_least, at_most }) => (at_least.unwrap_or_default(), at_most),
        }
    }

    fn fits(self, found: u64) -> bool {
        let (least, most) = self.bounds();
        found >= least && most.is_none_or(|most| found <= most)
    }

    fn check(self) -> Result<(), ControlError> {
        let (least, most) = self.bounds();
        let is_nothing = self == Self::Range(Range::default());
        if is_nothing || most.is_some_and(|most| most < least) {
            let rule = "count: must be a number, or have at_least, at_most or both, the former not above the latter";
            return Err(ControlError::invalid(rule.to_owned()));
        }
        Ok(())
    }

    fn in_words(self) -> String {
        match self.bounds() {
            (least, Some(most)) if least == most => format!("exactly {least}"),
            (least, Some(most)) => format!("{least} to {most}"),
            (least, None) => format!("at least {least}"),
        }
    }
}

/// What comes of a journal while it is read as it is written.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A call.
    Call(Box<Entry>),
    /// So many calls had to make room before they could be told, or more.
    Forgotten(u64),
}

/// Whether the calls were made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Verdict {
    /// Whether they were.
    pub is_met: bool,
    /// What is so or not so, in words.
    pub message: String,
    /// How many such calls were found.
    pub found: u64,
    /// Where that is not as expected: what came instead, the nearest first, with what it lacks.
    pub instead: Vec<Near>,
}

/// A call that is not what was expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Near {
    /// Where it differs, such as `operation` and `body.name`.
    pub differs_in: Vec<String>,
    /// The call.
    pub call: Entry,
}

/// What there is to say of a call.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) at: SystemTime,
    pub(crate) project: &'a ProjectId,
    pub(crate) operation: Option<&'static str>,
    pub(crate) method: &'a Method,
    pub(crate) target: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    pub(crate) status: Option<StatusCode>,
    pub(crate) error_code: Option<&'a str>,
    pub(crate) answer: &'a [u8],
    pub(crate) request_id: &'a str,
    pub(crate) took: Duration,
    pub(crate) fault: Option<u64>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) signature: Option<&'a SignatureMismatch>,
}

/// A call as it is kept: its texts in one piece.
#[derive(Debug)]
struct Kept {
    sequence: u64,
    at: SystemTime,
    operation: Option<&'static str>,
    method: Method,
    status: Option<StatusCode>,
    microseconds: u64,
    fault: Option<u64>,
    body_length: u64,
    texts: Box<[u8]>,
    /// Where each of the texts ends.
    ends: [u32; TEXTS],
    signature: Option<Box<SignatureMismatch>>,
}

/// Target, headers, body, answer, error code, request id and reason.
const TEXTS: usize = 7;
const TARGET: usize = 0;
const HEADERS: usize = 1;
const BODY: usize = 2;
const ANSWER: usize = 3;
const ERROR_CODE: usize = 4;
const REQUEST_ID: usize = 5;
const REASON: usize = 6;

/// How much is kept of a body.
const BODY_MAX: usize = 64 * 1024;

/// How much is kept of a canonical request, in bytes.
const CANONICAL_REQUEST_MAX: usize = 64 * 1024;

/// The shortest secret that is looked for in the text of a caller. A shorter one stands in too many
/// places by chance, and is redacted only as the value of its header.
const SECRET_MIN: usize = 8;

const REDACTED: &str = "[redacted]";

/// Headers whose values are nobody's business.
fn is_secret(name: &HeaderName) -> bool {
    header::is_secret(name) || matches!(name.as_str(), "x-mock-canonical-request" | "x-mock-token")
}

/// The values of a header that are told.
fn told<'a>(name: &HeaderName, value: &'a HeaderValue) -> &'a [u8] {
    if is_secret(name) { REDACTED.as_bytes() } else { beginning(value.as_bytes()) }
}

impl Kept {
    /// A call that has no place yet.
    fn new(call: &Call<'_>) -> Self {
        let (body, answer) = (beginning(call.body), beginning(call.answer));
        let rest = [
            (BODY, body),
            (ANSWER, answer),
            (ERROR_CODE, call.error_code.unwrap_or_default().as_bytes()),
            (REQUEST_ID, call.request_id.as_bytes()),
            (REASON, call.reason.unwrap_or_default().as_bytes()),
        ];
        let headers = call.headers.iter();
        let headers =
            headers.map(|(name, value)| name.as_str().len() + told(name, value).len() + 2);
        let length = call.target.len()
            + headers.sum::<usize>()
            + rest.iter().map(|(_, text)| text.len()).sum::<usize>();
        let mut texts = Vec::with_capacity(length);
        let mut ends = [0; TEXTS];
        let mut end = |text: usize, texts: &Vec<u8>| {
            ends[text] = u32::try_from(texts.len()).unwrap_or(u32::MAX);
        };
        texts.extend_from_slice(call.target.as_bytes());
        end(TARGET, &texts);
        for (name, value) in call.headers {
            texts.extend_from_slice(name.as_str().as_bytes());
            texts.push(b':');
            texts.extend_from_slice(told(name, value));
            texts.push(b'\n');
        }
        end(HEADERS, &texts);
        for (text, bytes) in rest {
            texts.extend_from_slice(bytes);
            end(text, &texts);
        }
        Self {
            sequence: 0,
            at: call.at,
            operation: call.operation,
            method: call.method.clone(),
            status: call.status,
            microseconds: u64::try_from(call.took.as_micros()).unwrap_or(u64::MAX),
            fault: call.fault,
            body_length: call.body.len() as u64,
            texts: texts.into_boxed_slice(),
            ends,
            signature: call.signature.cloned().map(Box::new),
        }
    }

    fn text(&self, text: usize) -> &[u8] {
        let start = if text == 0 { 0 } else { self.ends[text - 1] };
        &self.texts[start as usize..self.ends[text] as usize]
    }

    fn optional(&self, text: usize) -> Option<String> {
        let text = String::from_utf8_lossy(self.text(text));
        (!text.is_empty()).then(|| text.into_owned())
    }

    fn path(&self) -> &[u8] {
        let target = self.text(TARGET);
        target.split(|byte| *byte == b'?').next().unwrap_or_default()
    }

    /// How much memory it takes, with its place in a queue that may be half empty.
    fn bytes(&self) -> usize {
        let signature = self.signature.as_ref();
        2 * size_of::<Self>()
            + self.texts.len()
            + signature.map_or(0, |signature| {
                let of_caller = signature.canonical_request_of_caller.as_ref();
                size_of::<SignatureMismatch>()
                    + signature.canonical_request.len()
                    + signature.string_to_sign.len()
                    + of_caller.map_or(0, String::len)
            })
    }

    fn entry(&self, project: &ProjectId) -> Entry {
        let headers = String::from_utf8_lossy(self.text(HEADERS)).into_owned();
        let mut by_name = BTreeMap::<String, String>::new();
        for (name, value) in headers.lines().filter_map(|line| line.split_once(':')) {
            let values = by_name.entry(name.to_owned()).or_default();
            if !values.is_empty() {
                values.push_str(", ");
            }
            values.push_str(value);
        }
        Entry {
            sequence: self.sequence,
            time: time::write(self.at),
            project_id: project.to_string(),
            operation: self.operation.map(str::to_owned),
            method: self.method.to_string(),
            target: String::from_utf8_lossy(self.text(TARGET)).into_owned(),
            headers: by_name,
            body: readable(self.text(BODY)),
            body_bytes: self.body_length,
            status: self.status.map(|status| status.as_u16()),
            error_code: self.optional(ERROR_CODE),
            answer: readable(self.text(ANSWER)),
            request_id: self.optional(REQUEST_ID).unwrap_or_default(),
            microseconds: self.microseconds,
            fault: self.fault,
            reason: self.optional(REASON),
            signature: self.signature.as_deref().cloned(),
        }
    }
}

fn beginning(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(BODY_MAX)]
}

/// JSON where it is some, else text.
fn readable(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}

/// [`readable`] the other way round.
fn written(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => text.clone().into_bytes(),
        value => value.to_string().into_bytes(),
    }
}

/// What is known of the calls of a server.
#[derive(Debug)]
pub(crate) struct Journal {
    limit: usize,
    ring: Mutex<Ring>,
    /// The last call, for those who want to see each as it comes.
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    projects: HashMap<ProjectId, OfProject>,
    bytes: usize,
    last: u64,
    forgotten: Forgotten,
    /// Of projects of which nothing at all is known any more.
    strangers: Forgotten,
}

#[derive(Debug, Default)]
struct OfProject {
    calls: VecDeque<Arc<Kept>>,
    bytes: usize,
    forgotten: Forgotten,
}

/// Calls that had to make room.
#[derive(Clone, Copy, Debug, Default)]
struct Forgotten {
    count: u64,
    /// The last of them.
    newest: u64,
}

impl Forgotten {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.newest = self.newest.max(other.newest);
    }
}

/// What a project takes besides its calls: its id, its places, and the first room of its queue.
fn overhead(id: &ProjectId) -> usize {
    2 * (size_of::<(ProjectId, OfProject)>() + id.as_str().len() + 4 * size_of::<Arc<Kept>>())
}

/// From so many projects on, those without calls are no more told apart.
const PROJECTS_MAX: usize = 10_000;

/// What the journal takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JournalStatus {
    /// Whether calls are kept at all.
    pub is_on: bool,
    /// How many are.
    pub entries: usize,
    /// How much memory they take.
    pub bytes: usize,
    /// How much they may take.
    pub limit: usize,
    /// How many had to make room.
    pub forgotten: u64,
}

impl Journal {
    /// A journal of at most so many bytes; with none it is off.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, ring: Mutex::default(), newest: watch::Sender::new(0) }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.limit > 0
    }

    pub(crate) fn add(&self, call: &Call<'_>) {
        if !self.is_on() {
            return;
        }
        let mut kept = Kept::new(call);
        let bytes = kept.bytes();
        let sequence = {
            let ring = &mut *self.ring.lock();
            ring.last += 1;
            kept.sequence = ring.last;
            let of_project = if let Some(known) = ring.projects.get_mut(call.project) {
                known
            } else {
                ring.bytes += overhead(call.project);
                ring.projects.entry(call.project.clone()).or_default()
            };
            ring.bytes += bytes;
            of_project.bytes += bytes;
            of_project.calls.push_back(Arc::new(kept));
            if ring.bytes > self.limit {
                ring.make_room(self.limit);
            }
            ring.last
        };
        // Telling costs something even if nobody listens. Who begins to listen now finds the call itself.
        if self.newest.receiver_count() > 0 {
            self.newest.send_replace(sequence);
        }
    }

    /// Adds a call that another journal told of, as far as it can be one.
    pub(crate) fn add_entry(&self, entry: &Entry) {
        let Ok(project) = ProjectId::try_from(entry.project_id.as_str()) else { return };
        let mut headers = HeaderMap::new();
        for (name, value) in &entry.headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str()))
            {
                headers.insert(name, value);
            }
        }
        let operations = operation_ids();
        self.add(&Call {
            at: time::read(&entry.time).unwrap_or(SystemTime::UNIX_EPOCH),
            project: &project,
            operation: operations.into_iter().find(|id| entry.operation.as_deref() == Some(id)),
            method: &Method::try_from(entry.method.as_str()).unwrap_or_default(),
            target: &entry.target,
            headers: &headers,
            body: &written(&entry.body),
            status: entry.status.and_then(|status| StatusCode::from_u16(status).ok()),
            error_code: entry.error_code.as_deref(),
            answer: &written(&entry.answer),
            request_id: &entry.request_id,
            took: Duration::from_micros(entry.microseconds),
            fault: entry.fault,
            reason: entry.reason.as_deref(),
            signature: entry.signature.as_ref(),
        });
    }

    /// The calls that fit, newest first.
    pub(crate) fn entries(&self, filter: &Filter) -> Entries {
        let limit = filter.limit.unwrap_or(100).clamp(1, 1_000);
        let ring = self.ring.lock();
        let mut found = ring.found(filter);
        found.sort_unstable_by_key(|(_, kept)| Reverse(kept.sequence));
        found.truncate(limit);
        let found = owned(found);
        let forgotten = ring.forgotten(filter.project_id.as_ref()).count;
        drop(ring);
        Entries { entries: found.iter().map(|(id, kept)| kept.entry(id)).collect(), forgotten }
    }

    /// What comes next of a stream, the oldest first; moves `after` on.
    pub(crate) fn next(&self, filter: &mut Filter) -> Vec<Event> {
        const CALLS_MAX: usize = 20;
        let after = filter.after.unwrap_or_default();
        let ring = self.ring.lock();
        let mut found = ring.found(&Filter { before: None, ..filter.clone() });
        found.sort_unstable_by_key(|(_, kept)| kept.sequence);
        found.truncate(CALLS_MAX);
        let found = owned(found);
        let forgotten = ring.forgotten(filter.project_id.as_ref());
        filter.after = Some(match found.last() {
            Some((_, kept)) if found.len() == CALLS_MAX => kept.sequence,
            _ => ring.last,
        });
        drop(ring);
        // Those that were told before they had to go are none.
        let lost =
            (forgotten.newest > after).then(|| forgotten.count.min(forgotten.newest - after));
        let calls = found.iter().map(|(id, kept)| Event::Call(Box::new(kept.entry(id))));
        lost.map(Event::Forgotten).into_iter().chain(calls).collect()
    }

    /// Whether anything is known of calls of a project.
    pub(crate) fn has_calls_of(&self, project: &ProjectId) -> bool {
        self.ring.lock().projects.contains_key(project)
    }

    /// The number of the last call.
    pub(crate) fn last(&self) -> u64 {
        self.ring.lock().last
    }

    /// Tells of each new call.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// Forgets the calls of a project, or all.
    pub(crate) fn clear(&self, project: Option<&ProjectId>) {
        let mut ring = self.ring.lock();
        match project {
            Some(project) => {
                if let Some(gone) = ring.projects.remove(project) {
                    ring.bytes -= gone.bytes + overhead(project);
                }
            }
            None => *ring = Ring { last: ring.last, ..Ring::default() },
        }
    }

    pub(crate) fn status(&self) -> JournalStatus {
        let ring = self.ring.lock();
        JournalStatus {
            is_on: self.is_on(),
            entries: ring.projects.values().map(|of_project| of_project.calls.len()).sum(),
            bytes: ring.bytes,
            limit: self.limit,
            forgotten: ring.forgotten.count,
        }
    }

    /// Whether the calls that a test expects were made.
    pub(crate) fn verify(&self, expectation: &Expectation) -> Result<Verdict, ControlError> {
        if !self.is_on() {
            let reason = "the journal is off, so there is nothing to verify: start without `--journal-limit 0`";
            return Err(ControlError::conflict(reason.to_owned()));
        }
        expectation.count.check()?;
        let calls = &expectation.calls;
        if let Some(operation) = &calls.operation
            && !operation_ids().contains(&operation.as_str())
        {
            let known = operation_ids().join(", ");
            return Err(ControlError::invalid(format!("calls.operation: must be one of {known}")));
        }
        let ring = self.ring.lock();
        let mut found = 0;
        let mut near = Vec::new();
        for (project, kept) in ring.calls(calls.project_id.as_ref()) {
            let differs_in = calls.differences(project, kept);
            if differs_in.is_empty() {
                found += 1;
            } else {
                near.push((differs_in, project, kept));
            }
        }
        let forgotten = ring.forgotten(calls.project_id.as_ref()).count;
        // More calls than are known would do no harm only where there is no most.
        let is_certain = forgotten == 0 || expectation.count.bounds().1.is_none();
        let is_met = expectation.count.fits(found) && is_certain;
        let expected = expectation.count.in_words();
        let message = match (is_met, forgotten) {
            (true, _) => format!("found {found}, expected {expected}"),
            (false, 0) if near.is_empty() => format!("found {found}, expected {expected}"),
            (false, 0) => {
                format!("found {found}, expected {expected}; see `instead` for what came")
            }
            (false, forgotten) => format!(
                "found {found}, expected {expected}, but {forgotten} earlier calls had to make room in the \
                 journal, so that is not certain: raise `--journal-limit`, or take a project per test"
            ),
        };
        let mut instead = Vec::new();
        if !is_met {
            near.sort_by_key(|(differs_in, _, kept)| (differs_in.len(), Reverse(kept.sequence)));
            instead.extend(
                near.into_iter().take(INSTEAD_MAX).map(|(differs_in, project, kept)| Near {
                    differs_in,
                    call: kept.entry(project),
                }),
            );
        }
        Ok(Verdict { is_met, message, found, instead })
    }
}

/// How many calls a verdict tells of.
const INSTEAD_MAX: usize = 5;

impl Ring {
    fn queues(
        &self,
        project: Option<&ProjectId>,
    ) -> impl Iterator<Item = (&ProjectId, &VecDeque<Arc<Kept>>)> {
        let one = project.map(|project| self.projects.get_key_value(project));
        let all = project.is_none().then(|| self.projects.iter());
        let of = one.flatten().into_iter().chain(all.into_iter().flatten());
        of.map(|(id, of_project)| (id, &of_project.calls))
    }

    fn calls(&self, project: Option<&ProjectId>) -> impl Iterator<Item = (&ProjectId, &Arc<Kept>)> {
        self.queues(project).flat_map(|(id, calls)| calls.iter().map(move |kept| (id, kept)))
    }

    fn found(&self, filter: &Filter) -> Vec<(&ProjectId, &Arc<Kept>)> {
        let matching = filter.matching();
        let mut found = Vec::new();
        for (id, calls) in self.queues(filter.project_id.as_ref()) {
            // Each queue is in order.
            let place = |sequence: u64| calls.partition_point(|kept| kept.sequence < sequence);
            let start = filter.after.map_or(0, |after| place(after.saturating_add(1)));
            let end = filter.before.map_or(calls.len(), place).max(start);
            let fits = |kept: &&Arc<Kept>| matching.differences_but_of_body(kept).is_empty();
            found.extend(calls.range(start..end).filter(fits).map(|kept| (id, kept)));
        }
        found
    }

    fn forgotten(&self, project: Option<&ProjectId>) -> Forgotten {
        match project {
            None => self.forgotten,
            Some(id) => self.projects.get(id).map_or(self.strangers, |of| of.forgotten),
        }
    }

    /// Forgets the oldest calls of those projects that have most, so that a busy one leaves the others
    /// theirs; more than needs be, so that not every call has to look for room.
    fn make_room(&mut self, limit: usize) {
        let enough = limit - limit / 8;
        let Self { projects, bytes, forgotten, strangers, .. } = self;
        let has_too_many = projects.len() > PROJECTS_MAX;
        while *bytes > enough {
            let mut by_size: Vec<_> = projects.values_mut().collect();
            by_size.sort_unstable_by_key(|of_project| Reverse(of_project.bytes));
            let before = *bytes;
            for of_project in by_size {
                let half = of_project.bytes / 2;
                while *bytes > enough && of_project.bytes > half {
                    let Some(kept) = of_project.calls.pop_front() else { break };
                    let gone = Forgotten { count: 1, newest: kept.sequence };
                    of_project.bytes -= kept.bytes();
                    *bytes -= kept.bytes();
                    of_project.forgotten.add(gone);
                    forgotten.add(gone);
                }
                let room = 2 * of_project.calls.len();
                of_project.calls.shrink_to(room);
            }
            if *bytes == before {
                break;
            }
        }
        if has_too_many || *bytes > enough {
            projects.retain(|id, of_project| {
                let stays = !of_project.calls.is_empty();
                if !stays {
                    *bytes -= overhead(id);
                    strangers.add(of_project.forgotten);
                }
                stays
            });
        }
    }
}

/// What was found, to be kept beyond the lock.
fn owned(found: Vec<(&ProjectId, &Arc<Kept>)>) -> Vec<(ProjectId, Arc<Kept>)> {
    found.into_iter().map(|(id, kept)| (id.clone(), kept.clone())).collect()
}

impl Filter {
    fn matching(&self) -> Matching {
        Matching {
            operation: self.operation.clone(),
            client_id: self.client_id.clone(),
            method: self.method.clone(),
            path: self.path.clone(),
            status: self.status,
            error_code: self.error_code.clone(),
            ..Matching::default()
        }
    }
}

impl Matching {
    /// Where a call is not as meant.
    fn differences(&self, project: &ProjectId, kept: &Kept) -> Vec<String> {
        let mut differs_in = self.differences_but_of_body(kept);
        if self.project_id.as_ref().is_some_and(|wanted| wanted != project) {
            differs_in.push("project_id".to_owned());
        }
        if self.body.is_some() || self.body_contains.is_some() {
            let body = readable(kept.text(BODY));
            if let Some(wanted) = &self.body {
                compare("body", wanted, &body, true, &mut differs_in);
            }
            if let Some(wanted) = &self.body_contains {
                compare("body", wanted, &body, false, &mut differs_in);
            }
        }
        differs_in
    }

    fn differences_but_of_body(&self, kept: &Kept) -> Vec<String> {
        let is_other = |wanted: &Option<String>, given: &[u8]| {
            wanted.as_ref().is_some_and(|wanted| wanted.as_bytes() != given)
        };
        let id = self.client_id.as_ref();
        let checks = [
            ("operation", is_other(&self.operation, kept.operation.unwrap_or_default().as_bytes())),
            (
                "client_id",
                id.is_some_and(|id| {
                    kept.path().rsplit(|byte| *byte == b'/').next() != Some(id.as_str().as_bytes())
                }),
            ),
            ("method", is_other(&self.method, kept.method.as_str().as_bytes())),
            ("path", is_other(&self.path, kept.path())),
            (
                "status",
                self.status.is_some_and(|status| {
                    kept.status.map(|status| status.as_u16()) != Some(status)
                }),
            ),
            ("error_code", is_other(&self.error_code, kept.text(ERROR_CODE))),
        ];
        checks
            .into_iter()
            .filter(|(_, is_other)| *is_other)
            .map(|(name, _)| name.to_owned())
            .collect()
    }
}

/// Says where `given` is not `wanted`; `is_whole` unless it may have more fields.
fn compare(
    path: &str,
    wanted: &Value,
    given: &Value,
    is_whole: bool,
    differs_in: &mut Vec<String>,
) {
    match (wanted, given) {
        (Value::Object(wanted), Value::Object(given)) => {
            for (name, value) in wanted {
                let path = format!("{path}.{name}");
                match given.get(name) {
                    Some(other) => compare(&path, value, other, is_whole, differs_in),
                    None => differs_in.push(format!("{path} is missing")),
                }
            }
            if is_whole {
                let more = given.keys().filter(|name| !wanted.contains_key(*name));
                differs_in.extend(more.map(|name| format!("{path}.{name} is too much")));
            }
        }
        _ if wanted == given => {}
        _ => differs_in.push(path.to_owned()),
    }
}

/// A canonical request as a caller sent it, without the secrets in the headers of the call: wherever
/// they stand, and however the text is laid out.
///
/// Each secret is searched for once, in the text as it came and never in what replaces another one. So
/// the time is bounded by the length of the text times the number of headers, and the outcome by
/// three times that length.
fn redacted(canonical_request: &str, headers: &HeaderMap) -> String {
    let mut is_hidden = vec![false; canonical_request.len()];
    let secrets = headers.iter().filter(|(name, _)| is_secret(name));
    let secrets = secrets.filter_map(|(_, value)| value.to_str().ok());
    for secret in secrets.filter(|secret| secret.len() >= SECRET_MIN) {
        for (start, _) in canonical_request.match_indices(secret) {
            is_hidden[start..start + secret.len()].fill(true);
        }
    }
    let mut lines = Vec::new();
    let mut start = 0;
    for whole_line in canonical_request.split_inclusive('\n') {
        let line = whole_line.lines().next().unwrap_or_default();
        lines.push(redacted_line(line, &is_hidden[start..start + line.len()]));
        start += whole_line.len();
    }
    lines.join("\n")
}

/// A line without the value of a header that holds a secret, and without the bytes that are hidden.
fn redacted_line(line: &str, is_hidden: &[bool]) -> String {
    if let Some((name, _)) = line.split_once(':')
        && HeaderName::try_from(name.trim()).is_ok_and(|name| is_secret(&name))
    {
        return format!("{name}:{REDACTED}");
    }
    let mut start = 0;
    let runs = is_hidden.chunk_by(|one, next| one == next).map(|run| {
        let end = start + run.len();
        let text = if run[0] { REDACTED } else { &line[start..end] };
        start = end;
        text
    });
    runs.collect()
}
