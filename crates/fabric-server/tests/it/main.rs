//! What only HTTP shows.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_requests;
mod behaviour;
mod callers;
mod control;
mod faults;
mod journal;
mod program;
mod raw;
mod worlds;
