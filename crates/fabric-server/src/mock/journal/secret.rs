//! The secrets of a call, which the journal does not keep.

use std::borrow::Cow;

use fabric_model::endpoint::Endpoints;
use fabric_model::{OperationInfo, Resource, header};
use http::HeaderName;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};
use memchr::memmem;
use serde_json::Value;

use crate::mock::header::X_MOCK_CANONICAL_REQUEST;

/// What stands in the place of a credential.
pub(crate) const REDACTED: &str = "[redacted]";

/// How the names of headers end that hold secrets of services which nobody here knows, such as `X-Api-Key`.
const SECRET_ENDINGS: [&str; 6] =
    ["token", "key", "secret", "password", "authorization", "credential"];

/// Headers of most calls, which are known to hold none.
const PLAIN: [HeaderName; 5] = [HOST, CONTENT_TYPE, CONTENT_LENGTH, ACCEPT, USER_AGENT];

/// Whether a header holds a secret, or is named as if it did.
pub(crate) fn is_secret(name: &HeaderName) -> bool {
    if PLAIN.contains(name) {
        return false;
    }
    let text = name.as_str();
    let is_named_so = || SECRET_ENDINGS.iter().any(|ending| text.ends_with(ending));
    header::is_secret(name)
        || *name == X_MOCK_CANONICAL_REQUEST
        // It tells repeated calls apart, and lets nobody in.
        || (is_named_so() && !text.ends_with("idempotency-key"))
}

/// A body of an operation without its secrets.
pub(crate) fn without_secrets<'a>(
    operation: Option<&OperationInfo>,
    body: &'a [u8],
) -> Cow<'a, [u8]> {
    match operation {
        Some(operation) if operation.is_sign_in => redacted(body),
        Some(operation) if operation.resource.name == Endpoints::NAME => without_tokens(body),
        _ => Cow::Borrowed(body),
    }
}

/// A body without the tokens of addresses.
fn without_tokens(body: &[u8]) -> Cow<'_, [u8]> {
    // A name may be spelled in escapes.
    if memmem::find(body, b"\"token\"").is_none() && memmem::find(body, b"\\u").is_none() {
        return Cow::Borrowed(body);
    }
    let Ok(mut json) = serde_json::from_slice::<Value>(body) else {
        return Cow::Borrowed(REDACTED.as_bytes());
    };
    if !redact_tokens(&mut json) {
        return Cow::Borrowed(body);
    }
    Cow::Owned(json.to_string().into_bytes())
}

/// Takes the texts of fields named `token` out; whether there are any.
fn redact_tokens(json: &mut Value) -> bool {
    match json {
        Value::Object(fields) => fields.iter_mut().fold(false, |is_changed, (name, value)| {
            if name == "token" && value.is_string() {
                *value = Value::from(REDACTED);
                return true;
            }
            redact_tokens(value) | is_changed
        }),
        Value::Array(items) => {
            items.iter_mut().fold(false, |is_changed, item| redact_tokens(item) | is_changed)
        }
        _ => false,
    }
}

/// The fields of sign-in whose texts are told. A caller may put a secret anywhere by mistake, so those that hold
/// none are listed, and not those that do.
const TOLD: [&str; 26] = [
    "Action",
    "Effect",
    "Resource",
    "Version",
    "access",
    "code",
    "description",
    "domain_id",
    "duration_seconds",
    "error_code",
    "error_msg",
    "expires_at",
    "interface",
    "issued_at",
    "message",
    "methods",
    "name",
    "parent_id",
    "region",
    "region_id",
    "self",
    "next",
    "previous",
    "title",
    "type",
    "url",
];

/// What has an id that is told. That of a token is the token itself.
const HAVING_IDS: [&str; 8] =
    ["catalog", "domain", "domains", "endpoints", "project", "projects", "roles", "user"];

/// A body of sign-in without its secrets; of one that is no JSON, nothing.
fn redacted(body: &[u8]) -> Cow<'_, [u8]> {
    if body.is_empty() {
        return Cow::Borrowed(body);
    }
    let Ok(mut json) = serde_json::from_slice::<Value>(body) else {
        return Cow::Borrowed(REDACTED.as_bytes());
    };
    redact(&mut json, "");
    Cow::Owned(json.to_string().into_bytes())
}

/// Takes the secrets out of the value of a field.
fn redact(json: &mut Value, field: &str) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                let is_told_id = name == "id" && HAVING_IDS.contains(&field);
                redact(value, if is_told_id { "name" } else { name });
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, field)),
        Value::String(_) | Value::Number(_) if !TOLD.contains(&field) => {
            *json = Value::from(REDACTED);
        }
        _ => {}
    }
}
