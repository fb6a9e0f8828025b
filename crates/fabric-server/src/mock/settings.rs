//! The settings of a mock server.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use secrecy::SecretString;

use crate::api::clock::Clock;
use crate::api::connections::ConnectionLimits;
use crate::api::credentials::Credential;
use crate::api::limits::Limits;
#[cfg(feature = "tls")]
use crate::api::tls::Tls;
use crate::mock::behaviour::{Behaviour, Profile};
use crate::mock::budget::Budgets;
use crate::mock::fixtures::Fixtures;
use crate::mock::identity::accounts::Accounts;
use crate::mock::snapshot::Snapshot;
use crate::mock::throttle::RateLimit;

/// The settings of a mock server.
///
/// ```
/// use std::time::Duration;
/// use fabric_server::{Profile, Settings};
///
/// let settings = Settings {
///     profile: Profile::Strict,
///     creating_time: Duration::from_secs(5),
///     ..Settings::default()
/// };
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The credentials that callers may present. With none, any caller is accepted.
    pub credentials: Vec<Credential>,
    /// The users who may sign in, and the names of projects. Once there is a user, only callers that are known
    /// are accepted.
    pub accounts: Accounts,
    /// Whether to listen beyond this machine although any caller is accepted.
    pub open_to_all: bool,
    /// TLS; plain HTTP when absent.
    #[cfg(feature = "tls")]
    pub tls: Option<Tls>,
    /// How to behave where the documentation is silent.
    pub profile: Profile,
    /// How long a new record of a resource that has states is `CREATING`.
    pub creating_time: Duration,
    /// How long such a record is `UPDATING`, if its resource has that state.
    pub updating_time: Duration,
    /// How long such a record is `DELETING`.
    pub deleting_time: Duration,
    /// The number that ids, made-up names, addresses and random draws follow from; random when absent.
    pub seed: Option<u64>,
    /// The records to start with.
    pub fixtures: Fixtures,
    /// The state to start with, to which the fixtures are added.
    pub snapshot: Option<Snapshot>,
    /// The limits of a request.
    pub limits: Limits,
    /// The limits of connections.
    pub connections: ConnectionLimits,
    /// How many records of a resource a project may have; any number when absent, none with 0. A request for
    /// one more is rejected with 429.
    pub quota: Option<usize>,
    /// How many projects there may be besides the default one. A call that would begin one more is rejected with 429.
    pub max_projects: usize,
    /// How many calls a project may make; any number when absent.
    pub rate_limit: Option<RateLimit>,
    /// How much memory the journal may take, in bytes; with 0 no call is kept.
    pub journal_limit: usize,
    /// The token of the control surface. Without one, the surface is open to this machine, and closed if the
    /// server listens beyond it, unless [`Self::open_to_all`] is set.
    pub control_token: Option<SecretString>,
    /// Sites whose pages may call: `https://example.org`, or `*` for all. Pages of sites that are named may use the
    /// control surface too; others only with its token.
    pub cors_origins: Vec<String>,
    /// Names that this machine is called by besides `localhost` and its addresses, without a port. A server that
    /// accepts any caller, on this machine only, rejects calls under other names: a page may lead a browser to it.
    pub allowed_hosts: Vec<String>,
    /// How much is done and held at once besides the calls of the contract.
    pub budgets: Budgets,
    /// The clock.
    pub clock: Clock,
    /// The end of every request id.
    pub hostname: String,
}

/// As many as a laptop has room for, if each has a few records.
const MAX_PROJECTS: usize = 10_000;

/// 16 MiB: some twenty thousand calls.
const JOURNAL_LIMIT: usize = 16 * 1024 * 1024;

impl Default for Settings {
    /// A free port of this machine, no records but the catalogues, no delays.
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            credentials: Vec::new(),
            accounts: Accounts::default(),
            open_to_all: false,
            #[cfg(feature = "tls")]
            tls: None,
            profile: Profile::default(),
            creating_time: Duration::ZERO,
            updating_time: Duration::ZERO,
            deleting_time: Duration::ZERO,
            seed: None,
            fixtures: Fixtures::default(),
            snapshot: None,
            limits: Limits::default(),
            connections: ConnectionLimits::default(),
            quota: None,
            max_projects: MAX_PROJECTS,
            rate_limit: None,
            journal_limit: JOURNAL_LIMIT,
            control_token: None,
            cors_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            budgets: Budgets::default(),
            clock: Clock::system(),
            hostname: "localhost".to_owned(),
        }
    }
}

impl Settings {
    /// Whether it listens beyond this machine, and accepts any caller there.
    #[must_use]
    pub fn is_open_beyond_this_machine(&self) -> bool {
        self.accepts_any_caller() && !self.listen.ip().is_loopback()
    }

    /// Whether there are neither credentials nor users, so that any caller is accepted.
    #[must_use]
    pub fn accepts_any_caller(&self) -> bool {
        self.credentials.is_empty() && self.accounts.is_empty()
    }

    /// Whether calls must be for this machine by its own names: any caller on it is accepted, and nobody else.
    pub(crate) fn guards_hosts(&self) -> bool {
        self.accepts_any_caller() && self.listen.ip().is_loopback() && !self.open_to_all
    }

    /// How resources behave.
    pub(crate) fn behaviour(&self) -> Behaviour {
        Behaviour {
            profile: self.profile,
            creating_time: self.creating_time,
            updating_time: self.updating_time,
            deleting_time: self.deleting_time,
            quota: self.quota,
        }
    }
}
