//! Why a call failed, by how far the request came.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use fabric_model::{ApiError, Invalid};
use http::StatusCode;

/// Why a call failed.
///
/// No variant holds a credential, or the URL with its query.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client cannot be built. Fix the configuration.
    #[error("the client cannot be built: {reason}")]
    Configuration {
        /// What is wrong.
        reason: String,
        /// The error of the HTTP library, if it is the cause.
        source: Option<reqwest::Error>,
    },
    /// The request breaks the contract and was not sent. Fix the request.
    #[error("the request was not sent: {0}")]
    Invalid(Invalid),
    /// There are no credentials to present: at first, or after the service rejected those that were there before.
    /// [`source()`](std::error::Error::source) says why: it is the error of the provider, or an [`IdentityError`].
    #[error("no credentials available")]
    Credentials(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// No connection could be opened, so nothing was sent. Any call may be made again.
    #[error("could not connect")]
    Connect(#[source] reqwest::Error),
    /// No answer arrived in time. The service may or may not have carried out the call.
    #[error("timed out")]
    TimedOut(#[source] Option<reqwest::Error>),
    /// The connection broke before the whole answer arrived. The service may or may not have carried out the
    /// call.
    #[error("the connection broke")]
    Interrupted(#[source] reqwest::Error),
    /// The service, or a gateway in front of it, answered with an error. [`ApiError`] says why.
    #[error("rejected: {0}")]
    Rejected(ApiError),
    /// The answer is neither the documented success nor an error. The service has most probably carried out
    /// the call; this client cannot read the answer.
    #[error("unexpected answer: {status}: {reason}")]
    Unexpected {
        /// The HTTP status.
        status: StatusCode,
        /// What is unexpected about the answer.
        reason: String,
        /// The id of the request, for support.
        request_id: Option<String>,
        /// The body, or the beginning of one that is too large.
        body: Bytes,
    },
}

impl Error {
    /// The HTTP status, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Rejected(error) => Some(error.status()),
            Self::Unexpected { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The id of the request, for support, if there was an answer.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Rejected(error) => error.request_id(),
            Self::Unexpected { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }

    /// The error that the service answered: status, code, message, solution and request id.
    #[must_use]
    pub fn api_error(&self) -> Option<&ApiError> {
        match self {
            Self::Rejected(error) => Some(error),
            _ => None,
        }
    }

    /// Whether the resource does not exist, or belongs to another project.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.api_error().is_some_and(ApiError::is_not_found)
    }

    /// Whether the same call may succeed later: it could not connect, the connection broke, no answer arrived
    /// in time, or the service, or the identity service, answered with a temporary error.
    ///
    /// This does not mean that the call had no effect: see [`Self::is_in_doubt`]. Repeating a create may
    /// create a second resource.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Connect(_) | Self::TimedOut(_) | Self::Interrupted(_) => true,
            Self::Rejected(error) => is_transient(error.status()),
            Self::Credentials(source) => source
                .downcast_ref::<IdentityError>()
                .and_then(IdentityError::call)
                .is_some_and(Self::is_retryable),
            _ => false,
        }
    }

    /// Whether the service may have carried out the call in spite of this error: no whole answer arrived, or
    /// one that leaves it open.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        match self {
            Self::TimedOut(_) | Self::Interrupted(_) | Self::Unexpected { .. } => true,
            Self::Rejected(error) => {
                error.status() == StatusCode::REQUEST_TIMEOUT || error.status().is_server_error()
            }
            _ => false,
        }
    }

    /// Sorts an error of the HTTP library by how far the request came.
    pub(crate) fn from_transport(error: reqwest::Error) -> Self {
        // The URL may hold what is confidential; the caller knows it anyway.
        let error = error.without_url();
        if error.is_connect() {
            Self::Connect(error)
        } else if error.is_timeout() {
            Self::TimedOut(Some(error))
        } else {
            Self::Interrupted(error)
        }
    }
}

/// Why the identity service did not make credentials complete: see [`Error::Credentials`]. Holds no secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A setting is missing or wrong, so nothing was sent.
    #[error("{0}")]
    Configuration(String),
    /// The user could not be signed in. If the service rejected it, user, password, domain or project are wrong.
    #[error("the sign-in at {endpoint} failed")]
    SignIn {
        /// The endpoint of the identity service.
        endpoint: String,
        /// The error of the call.
        source: Box<Error>,
    },
    /// The project of the region could not be looked up.
    #[error("the project of region {region} could not be looked up at {endpoint}")]
    Lookup {
        /// The region.
        region: String,
        /// The endpoint of the identity service.
        endpoint: String,
        /// The error of the call.
        source: Box<Error>,
    },
    /// Not exactly one project has the name of the region. Set the id of the project.
    #[error("the credentials have {count} projects with the name {region}: set the project id")]
    Projects {
        /// The region.
        region: String,
        /// The number of projects.
        count: usize,
    },
}

impl IdentityError {
    /// The error of the call to the identity service, if there was one.
    #[must_use]
    pub fn call(&self) -> Option<&Error> {
        match self {
            Self::SignIn { source, .. } | Self::Lookup { source, .. } => Some(source.as_ref()),
            _ => None,
        }
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

/// For ids that are checked already: converting them cannot fail.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Whether an answer with this status means that a later attempt may succeed.
pub(crate) fn is_transient(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}
