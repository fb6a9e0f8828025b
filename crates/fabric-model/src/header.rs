//! The headers of the contract.

use http::HeaderName;

/// The token of the caller; 0 to 65,534 characters. A signed request does without.
pub const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// The longest [`X_AUTH_TOKEN`], in characters.
pub const TOKEN_MAX_LENGTH: usize = 65_534;

/// The project that the request is about: see [`ProjectId`](crate::ProjectId).
pub const X_PROJECT_ID: HeaderName = HeaderName::from_static("x-project-id");

/// On every answer, as `request_uuid-timestamp-hostname`: what support asks for.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
