//! Calls as the journal keeps them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::time::{Duration, SystemTime};

use fabric_model::{OperationInfo, ProjectId};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;

use crate::api::time;
use crate::mock::journal::entry::Entry;
use crate::mock::journal::mismatch::SignatureMismatch;
use crate::mock::journal::secret::{REDACTED, is_secret, without_secrets};

/// What there is to say of a call.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) at: SystemTime,
    pub(crate) project: Option<&'a ProjectId>,
    pub(crate) operation: Option<&'static OperationInfo>,
    pub(crate) method: &'a Method,
    pub(crate) target: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    pub(crate) status: Option<StatusCode>,
    pub(crate) error_code: Option<&'a str>,
    pub(crate) answer: &'a [u8],
    pub(crate) request_id: &'a [u8],
    pub(crate) took: Duration,
    pub(crate) fault: Option<u64>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) signature: Option<&'a SignatureMismatch>,
}

/// Calls in memory, one after another: their texts are in one piece, and no call allocates by itself.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    heads: Vec<Head>,
    texts: Vec<u8>,
    /// What methods and signature mismatches take.
    more: usize,
}

/// What is known of a call besides its texts.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) sequence: u64,
    at: SystemTime,
    pub(crate) operation: Option<&'static OperationInfo>,
    pub(crate) method: Method,
    pub(crate) status: Option<StatusCode>,
    microseconds: u64,
    fault: Option<u64>,
    body_length: u64,
    start: u32,
    ends: Ends,
    signature: Option<Box<SignatureMismatch>>,
}

/// A call of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed<'a> {
    head: &'a Head,
    texts: &'a [u8],
}

impl Deref for Packed<'_> {
    type Target = Head;

    fn deref(&self) -> &Head {
        self.head
    }
}

/// Where each of the texts ends.
#[derive(Clone, Copy, Debug, Default)]
struct Ends {
    target: u32,
    headers: u32,
    body: u32,
    answer: u32,
    error_code: u32,
    request_id: u32,
    reason: u32,
}

/// How much is kept of a body.
const BODY_MAX: usize = 64 * 1024;

/// The values of a header that are told.
fn told<'a>(name: &HeaderName, value: &'a HeaderValue) -> &'a [u8] {
    if is_secret(name) { REDACTED.as_bytes() } else { beginning(value.as_bytes()) }
}

impl Segment {
    /// An empty one, which has room at once if it is to become large.
    pub(crate) fn new(room: usize) -> Self {
        Self { heads: Vec::new(), texts: Vec::with_capacity(room), more: 0 }
    }

    /// Adds a call.
    pub(crate) fn add(&mut self, sequence: u64, call: &Call<'_>) {
        let body = without_secrets(call.operation, call.body);
        let answer = without_secrets(call.operation, call.answer);
        let texts = &mut self.texts;
        // What is too far away for the numbers of a place can't be there: see `is_full`.
        let place = |texts: &Vec<u8>| u32::try_from(texts.len()).unwrap_or(u32::MAX);
        let start = place(texts);
        texts.extend_from_slice(call.target.as_bytes());
        let target = place(texts);
        for (name, value) in call.headers {
            texts.extend_from_slice(name.as_str().as_bytes());
            texts.push(b':');
            texts.extend_from_slice(told(name, value));
            texts.push(b'\n');
        }
        let headers = place(texts);
        let mut add = |part: &[u8]| {
            texts.extend_from_slice(part);
            place(texts)
        };
        let ends = Ends {
            target,
            headers,
            body: add(beginning(&body)),
            answer: add(beginning(&answer)),
            error_code: add(call.error_code.unwrap_or_default().as_bytes()),
            request_id: add(call.request_id),
            reason: add(call.reason.unwrap_or_default().as_bytes()),
        };
        self.more += call.method.as_str().len();
        let signature = call.signature.cloned().map(Box::new);
        if let Some(signature) = &signature {
            let of_caller = signature.canonical_request_of_caller.as_ref();
            self.more += size_of::<SignatureMismatch>()
                + signature.canonical_request.len()
                + signature.string_to_sign.len()
                + of_caller.map_or(0, String::len);
        }
        self.heads.push(Head {
            sequence,
            at: call.at,
            operation: call.operation,
            method: call.method.clone(),
            status: call.status,
            microseconds: u64::try_from(call.took.as_micros()).unwrap_or(u64::MAX),
            fault: call.fault,
            body_length: call.body.len() as u64,
            start,
            ends,
            signature,
        });
    }

    /// Whether its texts have so many bytes.
    pub(crate) fn is_full(&self, size: usize) -> bool {
        self.texts.len() >= size
    }

    pub(crate) fn len(&self) -> usize {
        self.heads.len()
    }

    /// The number of the last call; 0 if there is none.
    pub(crate) fn last(&self) -> u64 {
        self.heads.last().map_or(0, |head| head.sequence)
    }

    /// How much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.heads.capacity() * size_of::<Head>()
            + self.texts.capacity()
            + self.more
    }

    /// The calls, the oldest first.
    pub(crate) fn calls(&self) -> impl Iterator<Item = Packed<'_>> {
        self.heads.iter().map(|head| Packed { head, texts: &self.texts })
    }
}

impl<'a> Packed<'a> {
    fn text(&self, start: u32, end: u32) -> &'a [u8] {
        &self.texts[start as usize..end as usize]
    }

    fn target(&self) -> &'a [u8] {
        self.text(self.head.start, self.head.ends.target)
    }

    fn headers(&self) -> &'a [u8] {
        self.text(self.head.ends.target, self.head.ends.headers)
    }

    pub(crate) fn body(&self) -> &'a [u8] {
        self.text(self.head.ends.headers, self.head.ends.body)
    }

    fn answer(&self) -> &'a [u8] {
        self.text(self.head.ends.body, self.head.ends.answer)
    }

    pub(crate) fn error_code(&self) -> &'a [u8] {
        self.text(self.head.ends.answer, self.head.ends.error_code)
    }

    fn request_id(&self) -> &'a [u8] {
        self.text(self.head.ends.error_code, self.head.ends.request_id)
    }

    fn reason(&self) -> &'a [u8] {
        self.text(self.head.ends.request_id, self.head.ends.reason)
    }

    /// The path, as it was sent.
    pub(crate) fn path(&self) -> &'a str {
        let path = self.target().split(|byte| *byte == b'?').next().unwrap_or_default();
        std::str::from_utf8(path).unwrap_or_default()
    }

    /// The path parameters, as the route decodes them.
    pub(crate) fn parameters(
        &self,
    ) -> impl Iterator<Item = (&'static str, Cow<'a, str>)> + use<'a> {
        let path = self.path();
        let operation = self.operation.into_iter();
        operation.flat_map(move |operation| operation.path_parameters(path))
    }

    pub(crate) fn entry(&self, project: Option<&ProjectId>) -> Entry {
        let mut headers = BTreeMap::<String, String>::new();
        let lines = String::from_utf8_lossy(self.headers());
        for (name, value) in lines.lines().filter_map(|line| line.split_once(':')) {
            let values = headers.entry(name.to_owned()).or_default();
            if !values.is_empty() {
                values.push_str(", ");
            }
            values.push_str(value);
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let optional = |bytes: &[u8]| (!bytes.is_empty()).then(|| text(bytes));
        let parameters = self.parameters();
        Entry {
            sequence: self.sequence,
            time: time::write(self.at),
            project_id: project.map(ToString::to_string),
            operation: self.operation.map(|operation| operation.id.to_owned()),
            method: self.method.to_string(),
            target: text(self.target()),
            parameters: parameters
                .map(|(name, value)| (name.to_owned(), value.into_owned()))
                .collect(),
            headers,
            body: readable(self.body()),
            body_bytes: self.body_length,
            status: self.status.map(|status| status.as_u16()),
            error_code: optional(self.error_code()),
            answer: readable(self.answer()),
            request_id: text(self.request_id()),
            microseconds: self.microseconds,
            fault: self.fault,
            reason: optional(self.reason()),
            signature: self.signature.as_deref().cloned(),
        }
    }
}

fn beginning(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(BODY_MAX)]
}

/// JSON where it is some, else text.
pub(crate) fn readable(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}

/// [`readable`] the other way round.
pub(crate) fn written(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => text.clone().into_bytes(),
        value => value.to_string().into_bytes(),
    }
}
