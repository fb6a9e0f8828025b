//! What types cannot catch: that document, server, client and validator agree.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cases;
mod document;
mod history;
mod round_trip;
mod schema;
mod signature;
mod simulation;
