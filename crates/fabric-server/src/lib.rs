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
//! | `reference` (default) | Swagger UI under `/_mock/reference/` |
//! | `record` (default) | [`Recorder`], which passes calls on to a real endpoint |
//! | `program` (default) | what only the program `fabric-server` needs |

mod answer;
mod api;
mod auth;
mod clock;
mod connection;
mod credentials;
mod delivery;
mod limits;
mod mock;
#[cfg(feature = "record")]
mod record;
mod request_id;
mod seed;
mod server;
mod store;
mod time;
#[cfg(feature = "tls")]
mod tls;

pub use api::Api;
pub use auth::{Caller, Callers, DEFAULT_PROJECT};
pub use clock::Clock;
pub use credentials::Credential;
pub use limits::Limits;
pub use mock::ControlError;
pub use mock::document::control_document;
pub use mock::snapshot::{Snapshot, SnapshotError};
pub use mock::throttle::RateLimit;
pub use mock::world::{ClockStatus, ProjectAccess, ProjectSummary, World, WorldStatus};
#[cfg(feature = "record")]
pub use record::{Recorder, RecorderSettings};
pub use request_id::RequestIds;
pub use seed::{Seed, SeedError};
pub use server::{MockServer, Profile, Server, Settings};
#[cfg(feature = "tls")]
pub use tls::{Tls, TlsError};

/// What callers have met of the contract.
pub mod coverage {
    pub use crate::mock::coverage::{AnswerCoverage, Coverage, OperationCoverage};
}

/// Calls that go wrong.
pub mod fault {
    pub use crate::mock::fault::{Delay, Effect, Fault, FaultStatus, When, Write};
}

/// The calls that were made.
pub mod journal {
    pub use crate::mock::journal::{
        Count, Entries, Entry, Event, Expectation, Filter, JournalStatus, Matching, Near, Range,
        SignatureMismatch, Verdict,
    };
}
