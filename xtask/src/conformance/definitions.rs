//! The definitions that the vendor publishes of its operations, against our document.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::tools;
use super::workshop::settings;
use crate::definitions::{compare, departures};
use crate::shell::{Outcome, read, root, say};
use crate::stage::Missing;

/// The package that holds them, a file for each operation.
const PACKAGE: &str = "huawei-cloud-api-definitions-DataArtsFabric";

/// Fetches the package. Returns the folder of its definitions.
pub(super) fn fetch() -> Result<PathBuf, Missing> {
    let remedy = "give it access to a registry of Rust crates";
    tools::install(&mut cargo("fetch"), "cargo fetch", remedy)?;
    folder().map_err(|reason| Missing::new(reason, tools::REPAIR))
}

/// Where cargo keeps the package.
fn folder() -> Result<PathBuf, String> {
    let output = cargo("metadata").args(["--offline", "--format-version", "1"]).output();
    let output = output.map_err(|error| format!("cannot run cargo metadata: {error}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let package = packages.iter().find(|package| package["name"] == PACKAGE);
    let manifest = package.and_then(|package| package["manifest_path"].as_str());
    let manifest = manifest.ok_or_else(|| format!("cargo metadata does not name {PACKAGE}"))?;
    Ok(Path::new(manifest).with_file_name("src"))
}

fn cargo(task: &str) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([task, "--quiet", "--locked", "--manifest-path"]);
    cargo.arg(settings().join("definitions/Cargo.toml"));
    cargo
}

/// Our document says of every operation what its definition says, but for the written departures.
pub(super) fn hold(folder: &Path) -> Outcome {
    let ours = parse(&root().join("openapi/openapi.json"))?;
    let comparison = compare(&read_all(folder)?, &ours);
    let departures = departures::listed()?;
    let judgement = comparison.judge(&departures);
    let mut wrong: Vec<String> =
        judgement.unexplained.iter().map(|difference| format!("  {difference}")).collect();
    wrong.extend(judgement.stale.iter().map(|(departure, _)| {
        format!("  the departure no longer occurs: {}: {}", departure.place, departure.what)
    }));
    if !wrong.is_empty() {
        say(&wrong.join("\n"));
        return Err(format!("{} differences and departures are not as written", wrong.len()));
    }
    for (departure, places) in &judgement.occurring {
        let times = if *places == 1 { String::new() } else { format!(" ({places} times)") };
        say(&format!("  {}: {}{times}: {}", departure.place, departure.what, departure.reason));
    }
    say(&format!("  not defined, so not compared: {}", comparison.skipped.join(", ")));
    say(&format!(
        "  {} operations, {} parameters, {} fields compared, departures {}",
        comparison.operations,
        comparison.parameters,
        comparison.fields,
        judgement.occurring.len(),
    ));
    Ok(())
}

/// The definitions of a folder, by the alphabet.
fn read_all(folder: &Path) -> Result<Vec<Value>, String> {
    let entries = fs::read_dir(folder)
        .map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    if paths.is_empty() {
        return Err(format!("there are no definitions in {}", folder.display()));
    }
    paths.iter().map(|path| parse(path)).collect()
}

fn parse(path: &Path) -> Result<Value, String> {
    serde_json::from_str(&read(path)?)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))
}
