//! The programs that are measured: built as they are released, all at once.

use std::fs;
use std::path::PathBuf;

use crate::conformance::workshop::target;
use crate::shell::{Outcome, cargo};

/// The core of the servers, and that of the load.
pub(super) const SERVER_CORE: &str = "0";
pub(super) const LOAD_CORE: &str = "1";

/// The profile of `Cargo.toml`: as released, with the names of functions.
const PROFILE: &str = "counted";

/// Builds the server, and what it is compared with, at once: the dependencies are then the same.
pub(super) fn build() -> Outcome {
    fs::create_dir_all(folder())
        .map_err(|error| format!("cannot make {}: {error}", folder().display()))?;
    cargo(&format!("build --locked --profile {PROFILE} --package fabric-server --package benches"))
}

pub(super) fn built(program: &str) -> PathBuf {
    target().join(PROFILE).join(program)
}

/// Where profiles are put.
pub(super) fn folder() -> PathBuf {
    target().join("bench")
}
