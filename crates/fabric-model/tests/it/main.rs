//! The contract, pinned by its documented examples.

mod errors;
mod rules;
