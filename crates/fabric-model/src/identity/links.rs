//! What the lists of sign-in have in common.

use fabric_model_macros::contract;

use crate::Failure;

/// What is documented to go wrong with every list.
pub(super) const FAILURES_OF_LISTS: &[Failure] = &[
    Failure::InvalidRequest,
    Failure::TokenRejected,
    Failure::Forbidden,
    Failure::NotFound,
    Failure::Internal,
    Failure::Unavailable,
];

/// Where an answer is found, and its neighbours.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct Links {
    /// The URL of the page after this one; absent if there is none.
    pub next: Option<String>,

    /// The URL of the page before this one; absent if there is none.
    pub previous: Option<String>,

    /// The URL of the answer itself.
    #[rule(required, example = "https://iam.myhuaweicloud.com/v3/auth/projects")]
    #[serde(rename = "self")]
    pub itself: Option<String>,
}

impl Links {
    /// The link of an answer that has no neighbours.
    #[must_use]
    pub fn to(url: impl Into<String>) -> Self {
        Self { itself: Some(url.into()), ..Self::default() }
    }
}
