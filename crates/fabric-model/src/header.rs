//! The headers of the contract.

use http::HeaderName;

use crate::Invalid;

/// The token of the caller; 0 to 65,534 characters. A signed request does without.
pub const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// The longest [`X_AUTH_TOKEN`], in characters.
pub const TOKEN_MAX_LENGTH: usize = 65_534;

/// The project that the request is about: see [`ProjectId`](crate::ProjectId).
pub const X_PROJECT_ID: HeaderName = HeaderName::from_static("x-project-id");

/// The id of the request, on every answer, as `request_uuid-timestamp-hostname`. Support asks for it.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The time of signing, as `YYYYMMDDTHHMMSSZ` in UTC, on a request signed with an access key.
pub const X_SDK_DATE: HeaderName = HeaderName::from_static("x-sdk-date");

/// The security token of a temporary access key, on a request signed with one.
pub const X_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-security-token");

/// The token that a call of the identity service is about: see [`identity`](crate::identity).
pub const X_SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");

/// Checks that a token can stand in a header: 1 to 65,534 ASCII characters, none of them a control
/// character, and no space at either end.
///
/// # Errors
///
/// The token cannot stand in a header. The error names `field`, never the token.
pub fn check_token(field: &str, token: &str) -> Result<(), Invalid> {
    let is_fit = (1..=TOKEN_MAX_LENGTH).contains(&token.len())
        && token.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && token.trim() == token;
    if is_fit {
        return Ok(());
    }
    let rule = "printable ASCII characters, with no space at either end";
    Err(Invalid::new(field, format!("must have 1 to {TOKEN_MAX_LENGTH} {rule}")))
}

/// Whether a header holds a secret of its sender and the service: credentials, and what stands for them.
///
/// ```
/// use fabric_model::header;
/// use http::header::{ACCEPT, AUTHORIZATION};
///
/// assert!(header::is_secret(&AUTHORIZATION) && header::is_secret(&header::X_AUTH_TOKEN));
/// assert!(!header::is_secret(&ACCEPT));
/// ```
#[must_use]
pub fn is_secret(name: &HeaderName) -> bool {
    // By text, which the compiler turns into a look at the length first.
    matches!(
        name.as_str(),
        "authorization"
            | "cookie"
            | "proxy-authorization"
            | "set-cookie"
            | "x-auth-token"
            | "x-security-token"
            | "x-subject-token"
    )
}
