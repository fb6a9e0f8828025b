//! The contract, pinned by its documented examples.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod errors;
mod rules;
#[cfg(feature = "signature")]
mod signatures;
