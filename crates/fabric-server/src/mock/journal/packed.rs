//! Calls as the journal keeps them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use fabric_model::identity::is_sign_in;
use fabric_model::{OperationInfo, ProjectId};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;

use crate::api::time;
use crate::mock::journal::entry::Entry;
use crate::mock::journal::mismatch::SignatureMismatch;
use crate::mock::journal::secret::{REDACTED, is_secret, redacted};

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
    pub(crate) request_id: &'a str,
    pub(crate) took: Duration,
    pub(crate) fault: Option<u64>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) signature: Option<&'a SignatureMismatch>,
}

/// A call in memory: its texts in one piece.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) sequence: u64,
    at: SystemTime,
    pub(crate) operation: Option<&'static OperationInfo>,
    pub(crate) method: Method,
    pub(crate) status: Option<StatusCode>,
    microseconds: u64,
    fault: Option<u64>,
    body_length: u64,
    texts: Box<[u8]>,
    ends: Ends,
    signature: Option<Box<SignatureMismatch>>,
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

impl Packed {
    /// A call that has no place yet.
    pub(crate) fn new(call: &Call<'_>) -> Self {
        let (body, answer) = match call.operation.filter(|operation| is_sign_in(operation)) {
            Some(_) => (redacted(call.body), redacted(call.answer)),
            None => (Cow::Borrowed(call.body), Cow::Borrowed(call.answer)),
        };
        let (body, answer) = (beginning(&body), beginning(&answer));
        let error_code = call.error_code.unwrap_or_default();
        let reason = call.reason.unwrap_or_default();
        let headers = call.headers.iter();
        let headers =
            headers.map(|(name, value)| name.as_str().len() + told(name, value).len() + 2);
        let length = call.target.len()
            + headers.sum::<usize>()
            + body.len()
            + answer.len()
            + error_code.len()
            + call.request_id.len()
            + reason.len();
        let mut texts = Vec::with_capacity(length);
        let mut add = |parts: &[&[u8]]| {
            for part in parts {
                texts.extend_from_slice(part);
            }
            u32::try_from(texts.len()).unwrap_or(u32::MAX)
        };
        let target = add(&[call.target.as_bytes()]);
        let mut headers = target;
        for (name, value) in call.headers {
            headers = add(&[name.as_str().as_bytes(), b":", told(name, value), b"\n"]);
        }
        let ends = Ends {
            target,
            headers,
            body: add(&[body]),
            answer: add(&[answer]),
            error_code: add(&[error_code.as_bytes()]),
            request_id: add(&[call.request_id.as_bytes()]),
            reason: add(&[reason.as_bytes()]),
        };
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

    fn text(&self, start: u32, end: u32) -> &[u8] {
        &self.texts[start as usize..end as usize]
    }

    fn target(&self) -> &[u8] {
        self.text(0, self.ends.target)
    }

    fn headers(&self) -> &[u8] {
        self.text(self.ends.target, self.ends.headers)
    }

    pub(crate) fn body(&self) -> &[u8] {
        self.text(self.ends.headers, self.ends.body)
    }

    fn answer(&self) -> &[u8] {
        self.text(self.ends.body, self.ends.answer)
    }

    pub(crate) fn error_code(&self) -> &[u8] {
        self.text(self.ends.answer, self.ends.error_code)
    }

    fn request_id(&self) -> &[u8] {
        self.text(self.ends.error_code, self.ends.request_id)
    }

    fn reason(&self) -> &[u8] {
        self.text(self.ends.request_id, self.ends.reason)
    }

    /// The path, as it was sent.
    pub(crate) fn path(&self) -> &str {
        let path = self.target().split(|byte| *byte == b'?').next().unwrap_or_default();
        std::str::from_utf8(path).unwrap_or_default()
    }

    /// The path parameters, as the route decodes them.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&'static str, Cow<'_, str>)> {
        let operation = self.operation.into_iter();
        operation.flat_map(|operation| operation.path_parameters(self.path()))
    }

    /// How much memory it takes, with its place in a queue that may be half empty.
    pub(crate) fn bytes(&self) -> usize {
        let signature = self.signature.as_ref();
        2 * size_of::<Self>()
            + self.texts.len()
            + self.method.as_str().len()
            + signature.map_or(0, |signature| {
                let of_caller = signature.canonical_request_of_caller.as_ref();
                size_of::<SignatureMismatch>()
                    + signature.canonical_request.len()
                    + signature.string_to_sign.len()
                    + of_caller.map_or(0, String::len)
            })
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
