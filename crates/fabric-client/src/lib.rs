#![doc = include_str!("../README.md")]

mod access_clients;
mod answer;
mod builder;
mod call;
mod client;
mod clock;
mod creation;
mod credentials;
mod dispatch;
mod endpoint;
mod environment;
mod error;
mod identity;
mod interceptor;
mod pages;
mod renewal;
mod retry;
mod transport;
mod wait;

/// The contract: operations, requests and answers.
pub use fabric_model as model;

pub use access_clients::AccessClients;
pub use builder::ClientBuilder;
pub use client::Client;
pub use creation::{CreateError, Creation};
pub use credentials::{
    ChainError, Credentials, CredentialsChain, CredentialsProvider, ProvidedCredentials,
};
pub use environment::Environment;
pub use error::{Error, IdentityError};
pub use identity::Whoami;
pub use interceptor::{Attempt, Finished, Interceptor};
pub use retry::Retry;
pub use wait::{Progress, Wait, WaitError};

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
