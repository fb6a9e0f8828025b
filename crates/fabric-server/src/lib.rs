//! **Huawei Cloud DataArts Fabric access clients**, served: [`Api`] joins handlers to the operations
//! of `fabric-model`, and [`MockServer`] is the whole service in memory, for tests.
//!
//! The same mock server is the program `fabric-server`, for tests in other languages.

mod api;
mod auth;
mod clock;
mod limits;
mod mock;
mod refusal;
mod request_id;
mod seed;
mod server;
mod store;

pub use api::Api;
pub use auth::{Caller, DEFAULT_PROJECT};
pub use clock::Clock;
pub use limits::Limits;
pub use request_id::RequestIds;
pub use seed::{Seed, SeedError};
pub use server::{MockServer, Profile, Server, Settings};
