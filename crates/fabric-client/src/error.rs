//! What went wrong with a call, by how far the request came.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use fabric_model::{ApiError, Invalid};
use http::StatusCode;

use crate::retry::is_transient;

/// Why a call failed.
///
/// None of them holds a credential, nor the URL with its query.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client can't be built like that. Mend the configuration.
    #[error("the client cannot be built: {reason}")]
    Configuration {
        /// What is wrong.
        reason: String,
        /// What the HTTP library has to say about it.
        source: Option<reqwest::Error>,
    },
    /// The request breaks the contract and was not sent. Mend the request.
    #[error("the request was not sent: {0}")]
    Invalid(Invalid),
    /// There were no credentials, or the service refused those there were and no others could be had.
    /// Mend where they come from; whoever provides them says what is wrong.
    #[error("no credentials could be had")]
    Credentials(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// What is to be created could not be looked for first, so nothing was created: see
    /// [`create_or_find`](crate::AccessClients::create_or_find).
    #[error("nothing was created, since what there is cannot be listed")]
    Lookup(#[source] Box<Error>),
    /// There was no connection, so nothing was sent. Any call may be tried again.
    #[error("could not connect")]
    Connect(#[source] reqwest::Error),
    /// No answer came in time. Whether the service did as it was asked is not known.
    #[error("timed out")]
    TimedOut(#[source] Option<reqwest::Error>),
    /// The connection broke before the answer was whole. Whether the service did as it was asked is
    /// not known.
    #[error("the connection broke")]
    Interrupted(#[source] reqwest::Error),
    /// The service, or a gateway in front of it, refused. [`ApiError`] says why.
    #[error("refused: {0}")]
    Refused(ApiError),
    /// The answer is neither the documented success nor a failure. The service did as it was asked,
    /// most probably; this client does not understand what it said.
    #[error("unexpected answer: {status}: {reason}")]
    Unexpected {
        /// The HTTP status.
        status: StatusCode,
        /// What about it is unexpected.
        reason: String,
        /// What to tell support.
        request_id: Option<String>,
        /// The body, or its beginning where it is too large.
        body: Bytes,
    },
}

impl Error {
    /// The HTTP status, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused(error) => Some(error.status()),
            Self::Lookup(error) => error.status(),
            Self::Unexpected { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What to tell support, if there was an answer.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Refused(error) => error.request_id(),
            Self::Lookup(error) => error.request_id(),
            Self::Unexpected { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }

    /// What the service says: status, code, message, solution and request id.
    #[must_use]
    pub fn api_error(&self) -> Option<&ApiError> {
        match self {
            Self::Refused(error) => Some(error),
            Self::Lookup(error) => error.api_error(),
            _ => None,
        }
    }

    /// Whether the access client does not exist, or belongs to another project.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.api_error().is_some_and(ApiError::is_not_found)
    }

    /// Whether the same call may do better later: there was no connection or it broke, no answer came in
    /// time, or the service said so. Whether the first did its work is another question: a create that is
    /// made again may be made twice.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Connect(_) | Self::TimedOut(_) | Self::Interrupted(_) => true,
            Self::Refused(error) => is_transient(error.status()),
            Self::Lookup(error) => error.is_retryable(),
            _ => false,
        }
    }

    /// Whether the service may have done what it was asked, although this is an error: no whole answer
    /// came, or one that says nothing about it.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        match self {
            Self::TimedOut(_) | Self::Interrupted(_) | Self::Unexpected { .. } => true,
            Self::Refused(error) => {
                error.status() == StatusCode::REQUEST_TIMEOUT || error.status().is_server_error()
            }
            _ => false,
        }
    }

    /// Sorts an error of the HTTP library by how far the request came.
    pub(crate) fn from_transport(error: reqwest::Error) -> Self {
        // The URL may name what is confidential; the caller knows it anyway.
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

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

/// An id that is valid already needs no conversion that could fail.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
