//! What only HTTP shows.

mod bad_requests;
mod behaviour;
mod program;
mod raw;
