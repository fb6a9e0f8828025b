//! Errors of the identity service: their table, and the form of their bodies.

use http::StatusCode;
use serde_json::json;

use crate::ApiError;

/// The failures of sign-in. Their bodies are unlike those of the service:
/// `{"error":{"code":401,"message":"…","title":"Unauthorized"}}`.
///
/// ```
/// use fabric_model::ApiError;
/// use fabric_model::identity::IdentityFailure;
///
/// let error = ApiError::from(IdentityFailure::PasswordRejected);
/// assert_eq!(error.to_string(), "401: The username or password is wrong.");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdentityFailure {
    /// 400: the request breaks the contract.
    InvalidRequest,
    /// 401: there is no such user, or the password is another.
    PasswordRejected,
    /// 401: the caller's own token or signature is missing, unknown or expired.
    CallerRejected,
    /// 403: the caller may not do this.
    Forbidden,
    /// 404: what the request names does not exist.
    NotFound,
    /// 404: the token in `X-Subject-Token` is unknown or expired.
    SubjectTokenRejected,
    /// 405: the path does not have the method.
    MethodNotAllowed,
    /// 408: the request took too long.
    TimedOut,
    /// 413: the body is too large.
    BodyTooLarge,
    /// 429: too many requests.
    Throttled,
    /// 500: the service is at fault.
    Internal,
    /// 503: the service is not available.
    Unavailable,
}

impl IdentityFailure {
    /// Every row.
    pub const ALL: [Self; 12] = [
        Self::InvalidRequest,
        Self::PasswordRejected,
        Self::CallerRejected,
        Self::Forbidden,
        Self::NotFound,
        Self::SubjectTokenRejected,
        Self::MethodNotAllowed,
        Self::TimedOut,
        Self::BodyTooLarge,
        Self::Throttled,
        Self::Internal,
        Self::Unavailable,
    ];

    // The messages of 400, of a wrong password and of a subject token are documented.
    const fn row(self) -> (StatusCode, &'static str) {
        match self {
            Self::InvalidRequest => (StatusCode::BAD_REQUEST, "The request body is invalid"),
            Self::PasswordRejected => {
                (StatusCode::UNAUTHORIZED, "The username or password is wrong.")
            }
            Self::CallerRejected => {
                (StatusCode::UNAUTHORIZED, "The token or signature of the caller is not accepted")
            }
            Self::Forbidden => (StatusCode::FORBIDDEN, "The caller may not do this"),
            Self::NotFound => (StatusCode::NOT_FOUND, "What the request names does not exist"),
            Self::SubjectTokenRejected => {
                (StatusCode::NOT_FOUND, "X-Subject-Token is invalid in the request")
            }
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "The path does not have the method")
            }
            Self::TimedOut => (StatusCode::REQUEST_TIMEOUT, "The request took too long"),
            Self::BodyTooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "The body of the request is too large")
            }
            Self::Throttled => (StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "The service is at fault"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "The service is not available"),
        }
    }

    /// The HTTP status, which is also the `code`.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.row().0
    }

    /// The `message`.
    #[must_use]
    pub const fn message(self) -> &'static str {
        self.row().1
    }

    /// The error with another message.
    #[must_use]
    pub fn saying(self, message: &str) -> ApiError {
        let status = self.status();
        let title = status.canonical_reason().unwrap_or_default();
        let body = json!({
            "error": { "code": status.as_u16(), "message": message, "title": title },
        });
        ApiError::read(status, None, body.to_string().as_bytes())
    }
}

impl From<IdentityFailure> for ApiError {
    fn from(failure: IdentityFailure) -> Self {
        failure.saying(failure.message())
    }
}
