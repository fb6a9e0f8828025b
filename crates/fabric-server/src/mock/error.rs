//! What is wrong with a request to the control surface.

use fabric_model::Invalid;
use http::StatusCode;

/// Why a request to the control surface is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlError {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl ControlError {
    pub(crate) fn invalid(message: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message }
    }

    pub(crate) fn not_found(message: String) -> Self {
        Self { status: StatusCode::NOT_FOUND, message }
    }

    pub(crate) fn conflict(message: String) -> Self {
        Self { status: StatusCode::CONFLICT, message }
    }

    /// The status of the answer over HTTP.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl std::fmt::Display for ControlError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for ControlError {}

impl From<Invalid> for ControlError {
    fn from(invalid: Invalid) -> Self {
        Self::invalid(invalid.to_string())
    }
}
