//! The secrets of a call, which the journal does not keep.

use fabric_model::header;
use http::HeaderName;

use crate::mock::header::{X_MOCK_CANONICAL_REQUEST, X_MOCK_TOKEN};

/// What stands in the place of a credential.
pub(crate) const REDACTED: &str = "[redacted]";

/// Whether a header holds a secret.
pub(crate) fn is_secret(name: &HeaderName) -> bool {
    header::is_secret(name) || *name == X_MOCK_CANONICAL_REQUEST || *name == X_MOCK_TOKEN
}
