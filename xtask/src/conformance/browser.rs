//! The page of the mock server in headless Chromium.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::server::Server;
use super::workshop::{settings, workshop};
use super::{node, tools};
use crate::shell::{Outcome, run};
use crate::stage::Missing;

const CHROMIUM: &str = "chromium";

const REMEDY: &str = "install Chromium as `chromium`, which in Debian is the package of that name";

pub(super) fn install() -> Result<PathBuf, Missing> {
    tools::debian(CHROMIUM, CHROMIUM, REMEDY)
}

/// Opens the page and the reference, and does what they offer.
pub(super) fn page(node: &Path, chromium: &Path) -> Outcome {
    let server = Server::start(&mut Server::command())?;
    let program = node.join("page.mjs");
    node::copy(&settings().join("page.mjs"), &program)?;
    let mut check = Command::new("node");
    check.arg(program).arg(&server.endpoint).arg(workshop().join("page.png")).arg(chromium);
    // Chromium leaves files of its own there.
    run(check.env("HOME", workshop()))
}
