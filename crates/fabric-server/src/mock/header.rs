//! The headers of a mock, which are no part of the contract.

use http::HeaderName;

/// On a request: the fault that this call meets.
pub(crate) const X_MOCK_FAULT: HeaderName = HeaderName::from_static("x-mock-fault");

/// On a request: asks for [`X_MOCK_REASON`].
pub(crate) const X_MOCK_EXPLAIN: HeaderName = HeaderName::from_static("x-mock-explain");

/// On an answer that is no success: the rule that rejected the request.
pub(crate) const X_MOCK_REASON: HeaderName = HeaderName::from_static("x-mock-reason");

/// On a request: what the caller signed, percent-encoded.
pub(crate) const X_MOCK_CANONICAL_REQUEST: HeaderName =
    HeaderName::from_static("x-mock-canonical-request");

/// On a request to the control surface: its token, where `Authorization: Bearer` won't do.
pub(crate) const X_MOCK_TOKEN: HeaderName = HeaderName::from_static("x-mock-token");
