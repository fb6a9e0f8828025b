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
mod endpoints;
mod environment;
mod error;
mod identity;
mod interceptor;
mod jobs;
mod models;
mod pages;
mod renewal;
mod retry;
mod tags;
mod transport;
mod wait;
mod workspaces;

/// The contract: operations, requests and answers.
pub use fabric_model as model;

pub use access_clients::AccessClients;
pub use builder::ClientBuilder;
pub use client::Client;
pub use creation::{CreateError, Creation};
pub use credentials::{
    ChainError, Credentials, CredentialsChain, CredentialsProvider, ProvidedCredentials,
};
pub use endpoints::Endpoints;
pub use environment::Environment;
pub use error::{Error, IdentityError};
pub use identity::Whoami;
pub use interceptor::{Attempt, Finished, Interceptor};
pub use jobs::Jobs;
pub use models::Models;
pub use retry::Retry;
pub use tags::Tags;
pub use wait::{Progress, Wait, WaitError};
pub use workspaces::Workspaces;

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
