//! Errors of the service: the table of codes, and every form of an error body.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::charset::steers;
use crate::{Invalid, json};

/// The table of codes: the failures of the service, and of the gateway in front of it.
///
/// [`ApiError::from`] makes the answer. The first seven are documented for the service's operations;
/// the others are what its gateway is known to answer, see [`Failure::source`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// 400 `common.01000001`: the request breaks the contract.
    InvalidRequest,
    /// 401 `APIG.1002`: the token is missing, unknown or expired.
    TokenRejected,
    /// 403, with a body unlike any other: the caller may not do this.
    Forbidden,
    /// 404 `common.01000001`, the same code as 400: what the request names does not exist.
    NotFound,
    /// 408 `common.00000408`: the request took too long.
    TimedOut,
    /// 500 `common.00000500`: the service is at fault.
    Internal,
    /// 503 `common.00000503`: the service is not available.
    Unavailable,
    /// 401 `APIG.0301`: the signature does not verify.
    SignatureRejected,
    /// 404 `APIG.0101`: there is no such path, or the path does not have the method.
    NoSuchApi,
    /// 413 `APIG.0201`: the body is larger than 12 MB.
    BodyTooLarge,
    /// 414 `APIG.0201`: the request target is longer than 32 KB.
    UriTooLong,
    /// 400 `dataartsfabric.00010009`: another way to say that what the request names does not exist.
    ResourceDoesNotExist,
    /// 429 `APIG.0308`: too many requests.
    Throttled,
    /// 494 `APIG.0201`: the headers are too large.
    HeadersTooLarge,
    /// 502 `APIG.0202`: the gateway does not reach the service.
    BackendUnavailable,
    /// 504 `APIG.0203`: the service does not answer the gateway in time.
    BackendTimedOut,
}

/// Where a [`Failure`] is documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The documentation of these very operations, or of others of the same service.
    Documented,
    /// Inferred from the documentation of the gateway in front of the service, or of a sibling.
    Gateway,
}

const STATUS_494: StatusCode = match StatusCode::from_u16(494) {
    Ok(status) => status,
    Err(_) => panic!("any number from 100 to 999 is a status"),
};

impl Failure {
    /// Every row.
    pub const ALL: [Self; 16] = [
        Self::InvalidRequest,
        Self::TokenRejected,
        Self::Forbidden,
        Self::NotFound,
        Self::TimedOut,
        Self::Internal,
        Self::Unavailable,
        Self::SignatureRejected,
        Self::NoSuchApi,
        Self::BodyTooLarge,
        Self::UriTooLong,
        Self::ResourceDoesNotExist,
        Self::Throttled,
        Self::HeadersTooLarge,
        Self::BackendUnavailable,
        Self::BackendTimedOut,
    ];

    /// The failures that are documented for nearly every operation.
    pub const COMMON: &'static [Self] = &[
        Self::InvalidRequest,
        Self::TokenRejected,
        Self::Forbidden,
        Self::NotFound,
        Self::TimedOut,
        Self::Internal,
    ];

    const fn row(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::InvalidRequest => (
                StatusCode::BAD_REQUEST,
                "common.01000001",
                "failed to read http request, please check your input, code: 400, \
                 reason: Type mismatch., cause: TypeMismatchException",
            ),
            Self::TokenRejected => (
                StatusCode::UNAUTHORIZED,
                "APIG.1002",
                "Incorrect token or token resolution failed",
            ),
            Self::Forbidden => {
                (StatusCode::FORBIDDEN, "403", "X-Auth-Token is invalid in the request")
            }
            Self::NotFound => {
                (StatusCode::NOT_FOUND, "common.01000001", "response status exception, code: 404")
            }
            Self::TimedOut => {
                (StatusCode::REQUEST_TIMEOUT, "common.00000408", "timeout exception occurred")
            }
            Self::Internal => {
                (StatusCode::INTERNAL_SERVER_ERROR, "common.00000500", "internal error")
            }
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "common.00000503", "service unavailable")
            }
            Self::SignatureRejected => (
                StatusCode::UNAUTHORIZED,
                "APIG.0301",
                "Incorrect IAM authentication information: verify aksk signature fail",
            ),
            Self::NoSuchApi => (
                StatusCode::NOT_FOUND,
                "APIG.0101",
                "The API does not exist or has not been published",
            ),
            Self::BodyTooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "APIG.0201", "The request body is too large")
            }
            Self::UriTooLong => {
                (StatusCode::URI_TOO_LONG, "APIG.0201", "The request URI is too long")
            }
            Self::ResourceDoesNotExist => {
                (StatusCode::BAD_REQUEST, RESOURCE_DOES_NOT_EXIST, "resource does not exist")
            }
            Self::Throttled => (
                StatusCode::TOO_MANY_REQUESTS,
                "APIG.0308",
                "The throttling threshold has been reached",
            ),
            Self::HeadersTooLarge => (STATUS_494, "APIG.0201", "The request headers are too large"),
            Self::BackendUnavailable => {
                (StatusCode::BAD_GATEWAY, "APIG.0202", "The backend is unavailable")
            }
            Self::BackendTimedOut => {
                (StatusCode::GATEWAY_TIMEOUT, "APIG.0203", "The backend timed out")
            }
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.row().0
    }

    /// The `error_code`. Not unique: 400 and 404 share one.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().1
    }

    /// The `error_msg`, or the sample of it where the message says more.
    #[must_use]
    pub const fn message(self) -> &'static str {
        self.row().2
    }

    /// Where it is documented.
    #[must_use]
    pub const fn source(self) -> Source {
        match self {
            Self::InvalidRequest
            | Self::TokenRejected
            | Self::Forbidden
            | Self::NotFound
            | Self::TimedOut
            | Self::Internal
            | Self::Unavailable => Source::Documented,
            _ => Source::Gateway,
        }
    }

    fn body(self) -> Value {
        if self == Self::Forbidden {
            json_of(&ForbiddenBody::sample())
        } else {
            self.saying(self.message())
        }
    }

    fn saying(self, message: &str) -> Value {
        json_of(&ErrorBody {
            error_code: self.code().to_owned(),
            error_msg: message.to_owned(),
            solution_msg: None,
        })
    }
}

/// Another code for "not found", which comes with status 400.
const RESOURCE_DOES_NOT_EXIST: &str = "dataartsfabric.00010009";

/// The body of a failure, as documented.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// What failed, in 8 to 36 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 8, max_length = 36))]
    pub error_code: String,
    /// Why, in 2 to 512 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 2, max_length = 512))]
    pub error_msg: String,
    /// What to do about it, in up to 4,096 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, max_length = 4096))]
    pub solution_msg: Option<String>,
}

/// The longest [`ErrorBody::error_msg`], in characters.
const MESSAGE_MAX_LENGTH: usize = 512;

/// The body of 403. No schema is documented; this follows the service's sample, in which the code is a number
/// outside and a string inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForbiddenBody {
    /// Code, message and title once more; here the code is a string.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub error: ForbiddenDetail,
    /// The status, as a number.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub error_code: u16,
    /// Why.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub error_msg: String,
    /// The name of the status.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub title: String,
}

/// The inner part of the body of 403.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForbiddenDetail {
    /// The status, as a string.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub code: String,
    /// Why.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub message: String,
    /// The name of the status.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub title: String,
}

impl ForbiddenBody {
    fn sample() -> Self {
        let (status, code, message) = Failure::Forbidden.row();
        let title = status.canonical_reason().unwrap_or_default();
        Self {
            error: ForbiddenDetail {
                code: code.to_owned(),
                message: message.to_owned(),
                title: title.to_owned(),
            },
            error_code: status.as_u16(),
            error_msg: message.to_owned(),
            title: title.to_owned(),
        }
    }
}

fn json_of(body: &impl Serialize) -> Value {
    serde_json::to_value(body).unwrap_or_default()
}

/// An answer that is not a success, from the service, a gateway or a proxy.
///
/// It keeps the whole body, and reads code, message and solution from any known form: a body of the
/// service (`error_code`, `error_msg`, `solution_msg`), of its gateway (with
/// `request_id`), of the identity service (`error.code`, `error.message`), the mixed one of 403,
/// `code` and `message`, `errorCode` and `errorMsg`, HTML, or nothing at all.
///
/// ```
/// use fabric_model::{ApiError, Failure};
/// use http::StatusCode;
///
/// let body = br#"{"error_code":"APIG.0308","error_msg":"slow down","request_id":"9d1c"}"#;
/// let error = ApiError::read(StatusCode::TOO_MANY_REQUESTS, None, body);
/// assert_eq!(error.code().as_deref(), Some("APIG.0308"));
/// assert_eq!(error.request_id(), Some("9d1c"));
/// assert_eq!(error.to_string(), "429 APIG.0308: slow down");
///
/// assert!(ApiError::from(Failure::NotFound).is_not_found());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    status: StatusCode,
    body: Body,
    request_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Body {
    Object(Map<String, Value>),
    Text(String),
}

impl ApiError {
    /// The `Content-Type` of every failure.
    pub const MEDIA_TYPE: &'static str = "application/json";

    /// Reads an answer. `request_id` is the header [`X_REQUEST_ID`](crate::header::X_REQUEST_ID).
    #[must_use]
    pub fn read(status: StatusCode, request_id: Option<&str>, body: &[u8]) -> Self {
        let body = match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Body::Object(object),
            _ => Body::Text(String::from_utf8_lossy(body).into_owned()),
        };
        Self { status, body, request_id: request_id.map(str::to_owned) }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What failed, as the service or its gateway names it. A number is given as text.
    #[must_use]
    pub fn code(&self) -> Option<Cow<'_, str>> {
        match self.pair().0? {
            Value::String(code) => Some(Cow::Borrowed(code)),
            Value::Number(code) => Some(Cow::Owned(code.to_string())),
            _ => None,
        }
    }

    /// Why, in the words of the service.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.pair().1?.as_str()
    }

    /// What to do about it, in the words of the service.
    #[must_use]
    pub fn solution(&self) -> Option<&str> {
        self.text("solution_msg")
    }

    /// The id of the request, for support: from the header, else from the body of a gateway.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref().or_else(|| self.text("request_id"))
    }

    /// The encoded explanation of the identity service, which it decodes on request.
    #[must_use]
    pub fn encoded_authorization_message(&self) -> Option<&str> {
        const KEY: &str = "encoded_authorization_message";
        self.text(KEY)
            .or_else(|| self.nested().find_map(|object| object.get(KEY)).and_then(Value::as_str))
    }

    /// The body as JSON, if it is an object.
    #[must_use]
    pub fn json(&self) -> Option<&Map<String, Value>> {
        match &self.body {
            Body::Object(object) => Some(object),
            Body::Text(_) => None,
        }
    }

    /// The body in bytes, as JSON where it was an object, else as it came.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.body {
            Body::Object(object) => serde_json::to_vec(object).unwrap_or_default(),
            Body::Text(text) => text.clone().into_bytes(),
        }
    }

    /// Whether the service says that what the request names does not exist, by any of its codes. A 404 of the
    /// gateway about the path, or of a proxy in HTML, does not count.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.code().is_some_and(|code| {
            code == RESOURCE_DOES_NOT_EXIST
                || (self.status == StatusCode::NOT_FOUND && !self.is_of_gateway())
        })
    }

    /// A failure with another message, of which it keeps the first 512 characters.
    #[must_use]
    pub fn saying(failure: Failure, message: &str) -> Self {
        let mut error = Self::from(failure);
        let end =
            message.char_indices().nth(MESSAGE_MAX_LENGTH).map_or(message.len(), |(end, _)| end);
        if let Value::Object(body) = failure.saying(&message[..end]) {
            error.body = Body::Object(body);
        }
        error
    }

    /// Whether the code is one of the gateway in front of the service, which checks paths, limits and
    /// signatures.
    #[must_use]
    pub fn is_of_gateway(&self) -> bool {
        self.code().is_some_and(|code| code.starts_with("APIG."))
    }

    /// The same error, with the id of the request.
    #[must_use]
    pub fn with_request_id(mut self, request_id: &str) -> Self {
        self.request_id = Some(request_id.to_owned());
        self
    }

    /// Code and message: from the outside in, and of a pair that is not whole whatever is there.
    fn pair(&self) -> (Option<&Value>, Option<&Value>) {
        const KEYS: [(&str, &str); 3] =
            [("error_code", "error_msg"), ("errorCode", "errorMsg"), ("code", "message")];
        let Some(top) = self.json() else { return (None, None) };
        let pairs = || {
            std::iter::once(top).chain(self.nested()).flat_map(|object| {
                KEYS.map(|(code, message)| (object.get(code), object.get(message)))
            })
        };
        pairs()
            .find(|(code, message)| code.is_some() && message.is_some())
            .or_else(|| pairs().find(|(code, message)| code.is_some() || message.is_some()))
            .unwrap_or_default()
    }

    fn nested(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.json().into_iter().flat_map(Map::values).filter_map(Value::as_object)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.json()?.get(key)?.as_str()
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        let Value::Object(body) = failure.body() else { unreachable!("bodies are objects") };
        Self { status: failure.status(), body: Body::Object(body), request_id: None }
    }
}

/// The documented beginning of the message, then each field and the rule that it breaks.
///
/// Where there is no field to name, since the body as a whole is of the wrong type, it is the
/// documented message to the letter.
impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        let failure = Failure::InvalidRequest;
        if let [only] = invalid.violations()
            && (only.field.as_str(), only.rule.as_str()) == (json::BODY, json::NOT_AN_OBJECT)
        {
            return failure.into();
        }
        let beginning = failure.message().split("Type mismatch.").next().unwrap_or_default();
        Self::saying(failure, &format!("{beginning}{invalid}"))
    }
}

/// One line, fit for a log.
impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const TEXT_MAX_LENGTH: usize = 200;
        write!(formatter, "{}", self.status.as_u16())?;
        // Of 403 the code is the status.
        if let Some(code) = self.code().filter(|code| code != self.status.as_str()) {
            formatter.write_str(" ")?;
            write_line(formatter, &code, CODE_MAX_LENGTH)?;
        }
        let text = match &self.body {
            Body::Text(text) => text.trim(),
            Body::Object(_) => self.message().unwrap_or_default(),
        };
        if text.is_empty() {
            return write!(formatter, ": {}", self.status.canonical_reason().unwrap_or("no body"));
        }
        formatter.write_str(": ")?;
        let limit = if self.json().is_some() { MESSAGE_MAX_LENGTH } else { TEXT_MAX_LENGTH };
        write_line(formatter, text, limit)
    }
}

/// How much of a code is shown; those of the service are shorter.
const CODE_MAX_LENGTH: usize = 64;

/// Writes the beginning of a text that somebody else has chosen, on one line.
fn write_line(formatter: &mut fmt::Formatter<'_>, text: &str, limit: usize) -> fmt::Result {
    text.chars().take(limit).try_for_each(|character| {
        fmt::Write::write_char(formatter, if steers(character) { ' ' } else { character })
    })
}

impl std::error::Error for ApiError {}
