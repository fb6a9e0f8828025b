//! A client in Rust that progenitor generates.

use std::process::Command;

use super::server::call;
use super::tools;
use super::workshop::{settings, workshop};
use crate::shell::{Outcome, run};
use crate::stage::Missing;

/// Fetches the sources of progenitor and what it needs, which the workspace doesn't.
pub(super) fn fetch() -> Result<(), Missing> {
    let mut fetch = cargo("fetch");
    tools::install(&mut fetch, "cargo fetch", "give it access to a registry of Rust crates")
}

/// What progenitor generates from the OpenAPI 3.0 document is compiled and calls the server.
pub(super) fn generated_client() -> Outcome {
    let folder = workshop().join("rust");
    run(cargo("build").arg("--offline").arg("--target-dir").arg(&folder))?;
    call(&mut Command::new(folder.join("debug/generated-rust-client")))
}

/// Cargo for the package of the client, which is no part of the workspace.
fn cargo(task: &str) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([task, "--quiet", "--locked", "--manifest-path"]);
    cargo.arg(settings().join("progenitor/Cargo.toml"));
    cargo
}
