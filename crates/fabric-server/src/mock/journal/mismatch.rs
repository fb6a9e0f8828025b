//! What was signed, if a signature does not match.

use fabric_model::signature::Explanation;
use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::mock::journal::secret::{REDACTED, is_secret};

/// How much is kept of a canonical request, in bytes.
const CANONICAL_REQUEST_MAX: usize = 64 * 1024;

/// The shortest secret that is looked for in the text of a caller. A shorter one stands in too many
/// places by chance, and is redacted only as the value of its header.
const SECRET_MIN: usize = 8;

/// The canonical forms of a request that server and caller computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignatureMismatch {
    /// The canonical request that the server computed: the first 64 KiB. Tokens are `[redacted]`.
    pub canonical_request: String,
    /// The string to sign that the server computed.
    pub string_to_sign: String,
    /// The canonical request that the caller computed, if it sent it percent-encoded in the header
    /// `X-Mock-Canonical-Request`: the first 64 KiB. Tokens are `[redacted]`, and so is every secret of
    /// 8 bytes or more that a header of the request holds, wherever it occurs.
    pub canonical_request_of_caller: Option<String>,
    /// The first line in which the two differ, counted from 1, even if it is after the first 64 KiB.
    pub first_difference: Option<usize>,
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
