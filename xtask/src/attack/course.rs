//! How attacks are run, and what comes of one.

use std::path::PathBuf;
use std::time::Duration;

use crate::attack::polite::Experience;

/// How an attack is run.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    /// The server; the command `fabric` is beside it.
    pub(crate) program: PathBuf,
    /// The server that is promised, by whose settings memory is judged.
    pub(crate) promised: PathBuf,
    /// Where files for and of the attacks are.
    pub(crate) folder: PathBuf,
    /// The requests of the whole run, of which each attack makes its share.
    pub(crate) requests: u64,
    pub(crate) seed: u64,
    pub(crate) depth: Depth,
}

/// How much is judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Depth {
    /// What happens, whatever the machine is busy with.
    Usual,
    /// Also how long the polite caller waits, and what the attack takes when it is repeated.
    Thorough,
}

/// What came of an attack.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) requests: u64,
    /// The most memory, in KiB.
    pub(crate) memory: Option<u64>,
    pub(crate) processor_time: Option<Duration>,
    pub(crate) polite: Experience,
    /// How long it took to stop in the midst of it.
    pub(crate) stopped: Option<Duration>,
    pub(crate) gain: String,
    pub(crate) exceptions: Vec<(&'static str, u64)>,
    pub(crate) violations: Vec<String>,
}
