//! **Huawei Cloud DataArts Fabric access clients**, served: [`Api`] joins handlers to the operations
//! of `fabric-model`, and [`MockServer`] is the whole service in memory, for tests.
//!
//! The same mock server is the program `fabric-server`, for tests in other languages.
//!
//! # Features
//!
//! | feature | brings |
//! |---|---|
//! | `tls` (default) | HTTPS, with a certificate of one's own or one made at start |

mod api;
mod auth;
mod clock;
mod credentials;
mod limits;
mod mock;
mod refusal;
mod request_id;
mod seed;
mod server;
mod store;
#[cfg(feature = "tls")]
mod tls;

pub use api::Api;
pub use auth::{Caller, Callers, DEFAULT_PROJECT};
pub use clock::Clock;
pub use credentials::Credential;
pub use limits::Limits;
pub use request_id::RequestIds;
pub use seed::{Seed, SeedError};
pub use server::{MockServer, Profile, Server, Settings};
#[cfg(feature = "tls")]
pub use tls::{Tls, TlsError};
