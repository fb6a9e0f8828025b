//! The page of the mock server in headless Chromium.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::server::Server;
use super::workshop::{settings, workshop};
use super::{node, tools};
use crate::shell::{Outcome, run, say};
use crate::stage::Missing;

const CHROMIUM: &str = "chromium";

const REMEDY: &str = "install Chromium as `chromium`, which in Debian is the package of that name";

/// Finds Chromium. Where it isn't, and this is root on Debian, it is installed from Debian's packages.
pub(super) fn install() -> Result<PathBuf, Missing> {
    tools::find(CHROMIUM, REMEDY).or_else(|missing| {
        let Ok(apt_get) = tools::find("apt-get", REMEDY) else { return Err(missing) };
        if !is_root() {
            return Err(missing);
        }
        say(&format!("installing the Debian package {CHROMIUM}, and what it depends on"));
        let update = &mut Command::new(&apt_get);
        tools::install(update.args(["--quiet", "update"]), "apt-get update", REMEDY)?;
        let install = &mut Command::new(&apt_get);
        install.args(["install", "--quiet", "--yes", "--no-install-recommends", CHROMIUM]);
        install.env("DEBIAN_FRONTEND", "noninteractive");
        tools::install(install, &format!("apt-get install {CHROMIUM}"), REMEDY)?;
        tools::find(CHROMIUM, REMEDY)
    })
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
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
