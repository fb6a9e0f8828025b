//! The program as the Containerfile builds it, in a root directory with nothing else.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::server::Server;
use super::tools;
use super::workshop::workshop;
use crate::shell::{Outcome, quietly, run, say, write};
use crate::stage::Missing;

/// The flags of the Containerfile: the C library is linked in.
const STATIC: &str = "-C target-feature=+crt-static";

/// Whether this machine lets an ordinary user change the root directory, and has a C library to link in.
pub(super) fn available() -> Result<(), Missing> {
    tools::find("unshare", "install util-linux, on Linux")?;
    let mut probe = Command::new("unshare");
    probe.args(["--map-root-user", "chroot", "/", "true"]);
    if !probe.output().is_ok_and(|output| output.status.success()) {
        let remedy =
            "allow user namespaces (sysctl user.max_user_namespaces, and the container's profile)";
        return Err(Missing::new("user namespaces are not allowed here", remedy));
    }
    let source = workshop().join("static_probe.rs");
    let written = write(&source, "fn main() {}\n");
    written.map_err(|reason| Missing::new(reason, tools::REPAIR))?;
    let mut rustc = Command::new("rustc");
    rustc.args(STATIC.split(' ')).arg(&source).arg("--out-dir").arg(workshop());
    let remedy =
        "install the C library to link statically (libc6-dev in Debian, glibc-static in Fedora)";
    tools::install(&mut rustc, &format!("rustc {STATIC}"), remedy)
}

/// The program starts, and its health check reaches it.
pub(super) fn program_alone() -> Outcome {
    let host = Command::new("rustc").args(["--print", "host-tuple"]).output();
    let host = host.map_err(|error| format!("cannot run rustc: {error}"))?;
    let host = String::from_utf8_lossy(&host.stdout).trim().to_owned();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--locked", "--package", "fabric-server", "--target", &host]);
    // In a folder of its own: with other flags cargo would build everything else anew.
    let folder = workshop().join("static");
    build.arg("--target-dir").arg(&folder).env("RUSTFLAGS", STATIC);
    run(&mut build)?;
    let image = workshop().join("image");
    fs::create_dir_all(&image).map_err(|error| error.to_string())?;
    fs::copy(folder.join(&host).join("debug/fabric-server"), image.join("fabric-server"))
        .map_err(|error| format!("cannot copy the program: {error}"))?;
    let server = Server::start(alone(&image, &["--listen", "0"]).stdout(Stdio::piped()))?;
    quietly(&mut alone(&image, &["healthcheck", "--endpoint", &server.endpoint]))?;
    say("  starts, and its healthcheck says that it is ready");
    Ok(())
}

/// The program in that root directory, as somebody who is root only there.
fn alone(image: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "chroot"]).arg(image).arg("/fabric-server").args(arguments);
    command
}
