//! The tools in Python: Schemathesis, and a generated client.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::server::{Server, TOKEN, call};
use super::tools;
use super::workshop::{settings, workshop};
use crate::shell::{Outcome, quietly, read, root, say};
use crate::stage::Missing;

/// How much Schemathesis tries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Depth {
    /// The same requests each time: what fails in CI fails here.
    Usual,
    /// Ten times as many, and others each time.
    Thorough,
}

/// How many requests Schemathesis generates for each operation, at most, in each of its phases.
const EXAMPLES: usize = 40;

/// Installs the tools in an environment of their own, anew when their list has changed. Returns where its
/// programs are.
pub(super) fn install() -> Result<PathBuf, Missing> {
    let environment = workshop().join("python");
    let programs = environment.join("bin");
    tools::fill(&environment, &["requirements.txt"], || {
        let python = tools::find("python3", "install Python 3, with its module venv")?;
        let mut venv = Command::new(python);
        venv.args(["-m", "venv"]).arg(&environment);
        let remedy = "install Python's module venv, which in Debian is the package python3-venv";
        tools::install(&mut venv, "python3 -m venv", remedy)?;
        let mut pip = Command::new(programs.join("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        pip.arg("--cache-dir").arg(workshop().join("pip-cache"));
        pip.arg("--requirement").arg(settings().join("requirements.txt"));
        tools::install(&mut pip, "pip install", "give it access to a registry of Python packages")
    })?;
    Ok(programs)
}

/// Schemathesis makes requests from the document, right and wrong ones, and checks the answers.
pub(super) fn schemathesis(python: &Path, depth: Depth) -> Outcome {
    let server = Server::start(Server::command().env("FABRIC_TOKEN", TOKEN))?;
    let reports = workshop().join("schemathesis");
    fs::remove_dir_all(&reports).ok();
    let mut tool = Command::new(python.join("schemathesis"));
    tool.arg("--config-file").arg(settings().join("schemathesis.toml")).arg("run");
    tool.arg(root().join("openapi/openapi.json")).args(["--url", &server.endpoint]);
    tool.args(["--header", &format!("X-Auth-Token: {TOKEN}"), "--no-color"]);
    tool.args(["--phases", "examples,coverage,fuzzing,stateful", "--warnings", "off"]);
    tool.args(["--report", "json,ndjson", "--report-dir"]).arg(&reports);
    match depth {
        Depth::Usual => {
            tool.args(["--max-examples", &EXAMPLES.to_string(), "--generation-deterministic"]);
        }
        Depth::Thorough => {
            tool.args(["--max-examples", &(10 * EXAMPLES).to_string()]);
            tool.args(["--generation-database", "none"]);
        }
    }
    // It finds its hooks there, and leaves a folder of its own where it runs.
    tool.env("PYTHONPATH", settings()).env("PYTHONDONTWRITEBYTECODE", "1");
    quietly(tool.env("NO_PROXY", "127.0.0.1").current_dir(workshop()))?;
    let summary: Value = serde_json::from_str(&read(&report(&reports, "json")?)?)
        .map_err(|error| format!("cannot read the report: {error}"))?;
    let events = read(&report(&reports, "ndjson")?)?;
    say(&format!(
        "  {} operations, {} requests, {} checks: nothing failed",
        summary["operations"]["tested"],
        summary["test_cases"]["generated"],
        events.lines().map(checks).sum::<usize>(),
    ));
    Ok(())
}

/// How many checks an event of Schemathesis tells of.
fn checks(event: &str) -> usize {
    let event: Value = serde_json::from_str(event).unwrap_or_default();
    let cases = event["ScenarioFinished"]["recorder"]["checks"].as_object();
    cases.into_iter().flatten().filter_map(|(_, checks)| checks.as_array()).map(Vec::len).sum()
}

fn report(folder: &Path, ending: &str) -> Result<PathBuf, String> {
    let files = fs::read_dir(folder).map_err(|error| format!("no reports: {error}"))?;
    let mut paths = files.filter_map(|file| Some(file.ok()?.path()));
    let is_it = |path: &PathBuf| path.extension().is_some_and(|given| given == ending);
    paths.find(is_it).ok_or_else(|| format!("no report ends in {ending}"))
}

/// What openapi-python-client generates calls the server.
pub(super) fn generated_client(python: &Path) -> Outcome {
    let package = workshop().join("generated_client");
    fs::remove_dir_all(&package).ok();
    let mut generate = Command::new(python.join("openapi-python-client"));
    generate.args(["generate", "--meta", "none", "--fail-on-warning", "--path"]);
    generate.arg(root().join("openapi/openapi.json")).arg("--output-path").arg(&package);
    // It formats what it generates with a program beside it.
    let path = std::env::var("PATH").unwrap_or_default();
    quietly(generate.env("PATH", format!("{}:{path}", python.display())))?;
    let mut client = Command::new(python.join("python"));
    client.arg(settings().join("generated_python.py")).env("PYTHONPATH", workshop());
    call(&mut client)
}
