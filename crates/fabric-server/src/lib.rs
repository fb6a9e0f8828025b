// Its examples start a mock server.
#![cfg_attr(feature = "mock", doc = include_str!("../README.md"))]
#![cfg_attr(not(feature = "mock"), doc = "Serves an implementation of the contract: see [`Api`].")]

#[cfg_attr(
    not(feature = "mock"),
    expect(dead_code, reason = "what the mock needs of it is there without the mock too")
)]
mod api;
#[cfg(feature = "mock")]
mod mock;

pub use api::answer::{Answer, AnswerBody};
pub use api::around::{Around, Call};
pub use api::callers::{Caller, Callers, DEFAULT_PROJECT, Verifier, Verifying};
pub use api::clock::Clock;
pub use api::connections::ConnectionLimits;
pub use api::credentials::{Credential, Grant, SignedIn};
pub use api::limits::Limits;
pub use api::request_id::RequestIds;
pub use api::routing::Api;
pub use api::server::Server;
#[cfg(feature = "tls")]
pub use api::tls::{Tls, TlsError};

#[cfg(feature = "mock")]
pub use in_memory::*;

#[cfg(feature = "mock")]
mod in_memory {
    pub use crate::mock::behaviour::Profile;
    pub use crate::mock::budget::Budgets;
    pub use crate::mock::control::document::control_document;
    pub use crate::mock::error::ControlError;
    pub use crate::mock::fixtures::{Fixtures, FixturesError};
    pub use crate::mock::identity::accounts::{Accounts, NewUser, ProjectName, UserStatus};
    #[cfg(feature = "record")]
    pub use crate::mock::record::{Recorder, RecorderSettings};
    pub use crate::mock::server::MockServer;
    pub use crate::mock::settings::Settings;
    pub use crate::mock::snapshot::Snapshot;
    pub use crate::mock::snapshot::parts::SnapshotError;
    pub use crate::mock::status::{
        ClockStatus, CreateExample, ProjectAccess, ProjectSummary, Records, ResourceStatus,
        WorldStatus,
    };
    pub use crate::mock::throttle::RateLimit;
    pub use crate::mock::world::World;

    /// What callers have met of the contract.
    pub mod coverage {
        pub use crate::mock::coverage::{AnswerCoverage, Coverage, OperationCoverage};
    }

    /// Calls that go wrong.
    pub mod fault {
        pub use crate::mock::fault::effect::Effect;
        pub use crate::mock::fault::rule::{Delay, Fault, FaultStatus, Outcome, When, Write};
    }

    /// The calls that were made.
    pub mod journal {
        pub use crate::mock::journal::JournalStatus;
        pub use crate::mock::journal::entry::{Entries, Entry, Event, Filter};
        pub use crate::mock::journal::mismatch::SignatureMismatch;
        pub use crate::mock::journal::verify::{
            Count, Expectation, Matching, Near, Range, Verdict,
        };
    }
}
