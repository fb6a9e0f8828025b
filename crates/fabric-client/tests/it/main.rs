//! The client against the real server, and against what is no server at all.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod calls;
mod credentials;
mod examples;
mod hostile;
mod log;
mod observation;
mod script;
mod tasks;
