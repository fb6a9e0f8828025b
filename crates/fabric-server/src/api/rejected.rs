//! Why a caller is rejected.

use std::borrow::Cow;

use fabric_model::signature::{Explanation, Rejection};
use fabric_model::{ApiError, Invalid, ProjectId};

/// Why a caller is rejected.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) error: ApiError,
    /// The rule, for the log.
    pub(crate) reason: Cow<'static, str>,
    /// What the server signs, where a signature does not match.
    pub(crate) explanation: Option<Explanation>,
    /// The project of the credentials, where these are good ones.
    pub(crate) project: Option<ProjectId>,
}

impl Rejected {
    pub(crate) fn new(
        error: impl Into<ApiError>,
        reason: impl Into<Cow<'static, str>>,
    ) -> Box<Self> {
        let (error, reason) = (error.into(), reason.into());
        Box::new(Self { error, reason, explanation: None, project: None })
    }
}

impl From<Rejection> for Box<Rejected> {
    fn from(rejection: Rejection) -> Self {
        let reason = match &rejection {
            Rejection::UnknownKey => "signature: the access key is not known".into(),
            Rejection::KeyLocked => {
                "signature: the access key is locked for five minutes, after more than \
                                   five wrong signatures in a row"
                    .into()
            }
            Rejection::SecurityToken => {
                "signature: the security token is missing, another, or has expired".into()
            }
            Rejection::Mismatch => {
                "signature: it is not that of the request; the journal has what the server signs"
                    .into()
            }
            other => Cow::Owned(format!("signature: {other}")),
        };
        Rejected::new(rejection, reason)
    }
}

impl From<Invalid> for Box<Rejected> {
    fn from(invalid: Invalid) -> Self {
        let reason = invalid.to_string();
        Rejected::new(invalid, reason)
    }
}
