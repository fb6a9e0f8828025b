//! A client for **Huawei Cloud DataArts Fabric access clients**: the VPC endpoint clients through
//! which a network reaches the service.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), fabric_client::Error> {
//! use fabric_client::model::access_client::AccessClientUpdate;
//! use fabric_client::{Client, CredentialsChain, Environment};
//!
//! let client = Client::for_region("cn-north-4")
//!     .credentials_provider(CredentialsChain::new(Environment::of_process()))
//!     .build()?;
//! let update = AccessClientUpdate { name: Some("zzh_test1122".to_owned()) };
//! client.access_clients().update("3f2c9a5e-7b1d-4c86-9f10-2a4b6c8d0e1f", update).await?;
//! # Ok(())
//! # }
//! ```
//!
//! What the client presents is in [`Credentials`]: a token, an access key, or nothing; a
//! [`CredentialsProvider`] renews it. The [`CredentialsChain`] finds an access key where the vendor's
//! SDKs do. `.netrc` is not read, and redirects are not followed.
//!
//! Requests are checked against the documented limits before they are sent, and [`Error`] says how far
//! a request came. For tests there is the mock server of `fabric-server`.
//!
//! # Features
//!
//! | feature | brings |
//! |---|---|
//! | `rustls` (default) | HTTPS, with the certificates that the system trusts |

mod access_clients;
mod builder;
mod call;
mod client;
mod clock;
mod creation;
mod credentials;
mod endpoint;
mod environment;
mod error;
mod interceptor;
mod pages;
mod renewal;
mod retry;
mod wait;

/// The contract: what is sent and answered.
pub use fabric_model as model;

pub use access_clients::AccessClients;
pub use builder::ClientBuilder;
pub use client::Client;
pub use creation::Creation;
pub use credentials::{
    ChainError, Credentials, CredentialsChain, CredentialsProvider, ProvidedCredentials,
};
pub use environment::Environment;
pub use error::Error;
pub use interceptor::{Attempt, Finished, Interceptor};
pub use retry::Retry;
pub use wait::{Wait, WaitError};

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
