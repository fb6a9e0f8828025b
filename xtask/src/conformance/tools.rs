//! Finds the programs that this machine has, and installs the tools that it can.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::workshop::settings;
use crate::shell::{read, say, write};
use crate::stage::Missing;

/// What to do where a file of ours can't be read or written.
pub(super) const REPAIR: &str = "repair that";

/// The program of this name in `PATH`; `remedy` says how to get it.
pub(crate) fn find(program: &str, remedy: &str) -> Result<PathBuf, Missing> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut candidates = std::env::split_paths(&path).map(|folder| folder.join(program));
    let found = candidates.find(|candidate| candidate.is_file());
    found.ok_or_else(|| Missing::new(format!("there is no {program} in PATH"), remedy))
}

/// Runs an installer, and keeps what it prints for the case that it fails; `shown` is what it is called
/// then.
pub(super) fn install(command: &mut Command, shown: &str, remedy: &str) -> Result<(), Missing> {
    let output = match command.output() {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => [output.stdout, output.stderr].concat(),
        Err(error) => error.to_string().into_bytes(),
    };
    let what = format!("`{shown}` failed (CI=true shows why)");
    let output = String::from_utf8_lossy(&output).into_owned();
    Err(Missing::new(what, remedy).with_output(output))
}

/// Finds a program. Where it isn't, and this is root on Debian, it is installed from Debian's packages.
pub(crate) fn debian(program: &str, package: &str, remedy: &str) -> Result<PathBuf, Missing> {
    find(program, remedy).or_else(|missing| {
        let Ok(apt_get) = find("apt-get", remedy) else { return Err(missing) };
        if !is_root() {
            return Err(missing);
        }
        say(&format!("installing the Debian package {package}, and what it depends on"));
        let update = &mut Command::new(&apt_get);
        install(update.args(["--quiet", "update"]), "apt-get update", remedy)?;
        let install_package = &mut Command::new(&apt_get);
        install_package.args(["install", "--quiet", "--yes", "--no-install-recommends", package]);
        install_package.env("DEBIAN_FRONTEND", "noninteractive");
        install(install_package, &format!("apt-get install {package}"), remedy)?;
        find(program, remedy)
    })
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

/// Fills a folder, unless it was filled for the same files before. The files are named as in
/// `xtask/conformance`.
pub(super) fn fill(
    folder: &Path,
    files: &[&str],
    fill: impl FnOnce() -> Result<(), Missing>,
) -> Result<(), Missing> {
    let cannot = |reason| Missing::new(reason, REPAIR);
    let wanted = files.iter().map(|file| read(&settings().join(file)));
    let wanted = wanted.collect::<Result<String, _>>().map_err(cannot)?;
    let stamp = folder.join("installed");
    if read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder)
            .map_err(|error| cannot(format!("cannot remove {}: {error}", folder.display())))?;
    }
    fill()?;
    write(&stamp, &wanted).map_err(cannot)
}
