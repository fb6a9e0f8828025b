//! Finds the programs that this machine has, and installs the tools that it can.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::workshop::settings;
use crate::shell::{read, write};
use crate::stage::Missing;

/// What to do where a file of ours can't be read or written.
pub(super) const REPAIR: &str = "repair that";

/// The program of this name in `PATH`; `remedy` says how to get it.
pub(super) fn find(program: &str, remedy: &str) -> Result<PathBuf, Missing> {
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
