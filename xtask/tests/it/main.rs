//! What types cannot catch: that document, server, client and validator agree.

mod document;
mod history;
mod round_trip;
mod schema;
