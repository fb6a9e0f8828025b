//! What only HTTP shows.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::disallowed_methods,
    reason = "certificates are made for the time of the system, by which TLS checks them"
)]

mod agreements;
mod bad_requests;
mod behaviour;
mod callers;
mod connections;
mod control;
mod endpoints;
mod faults;
mod identity;
mod jobs;
mod journal;
mod lists;
mod messages;
mod models;
mod operations;
mod own_service;
mod program;
mod projects;
mod raw;
mod surface;
mod tags;
mod worlds;

/// Builds clients of reqwest, which takes the process's provider of cryptography: an error says that there is one.
fn http() -> reqwest::ClientBuilder {
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().no_proxy()
}
