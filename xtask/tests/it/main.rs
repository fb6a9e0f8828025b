//! What types cannot catch: that document, server, client and validator agree.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cases;
mod document;
mod history;
mod round_trip;
mod schema;
mod signature;
mod simulation;

/// Builds clients of reqwest, which takes the process's provider of cryptography: an error says that there is one.
fn http() -> reqwest::ClientBuilder {
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().no_proxy()
}
