//! The client against the real server, and against what is no server at all.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "certificates are made by the system's clock")]

mod calls;
mod credentials;
mod examples;
mod hostile;
mod log;
mod observation;
mod operations;
mod resources;
mod script;
mod sign_in;
mod tasks;

/// Builds clients of reqwest, which takes the process's provider of cryptography: an error says that there is one.
fn http() -> reqwest::ClientBuilder {
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().no_proxy()
}
