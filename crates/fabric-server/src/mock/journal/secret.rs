//! The secrets of a call, which the journal does not keep.

use std::borrow::Cow;

use fabric_model::header;
use http::HeaderName;
use serde_json::Value;

use crate::mock::header::{X_MOCK_CANONICAL_REQUEST, X_MOCK_TOKEN};

/// What stands in the place of a credential.
pub(crate) const REDACTED: &str = "[redacted]";

/// Whether a header holds a secret.
pub(crate) fn is_secret(name: &HeaderName) -> bool {
    header::is_secret(name) || *name == X_MOCK_CANONICAL_REQUEST || *name == X_MOCK_TOKEN
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
pub(crate) fn redacted(body: &[u8]) -> Cow<'_, [u8]> {
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
