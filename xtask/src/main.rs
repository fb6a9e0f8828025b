//! The tasks of this repository: `cargo xtask test`, `openapi`, `conformance`, `bench` and `soak`.

mod breaking;
mod conformance;
mod openapi;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use clap::Parser;

/// The tasks of this repository.
#[derive(Debug, Parser)]
enum Task {
    /// Checks format, lints, documentation and the OpenAPI document, and runs all tests, those of
    /// `conformance` included
    Test,
    /// Writes the documents in openapi/
    Openapi {
        /// Writes nothing; fails if a document is not up to date, or breaks those who rely on the last
        /// release
        #[arg(long)]
        check: bool,
        /// Makes the document of today the released one, which later ones are compared with
        #[arg(long, conflicts_with = "check")]
        release: bool,
    },
    /// Lets tools that nobody here wrote check the documents and call the mock server; installs them
    /// under target/ first, for which it needs Python 3, Node.js, and their package registries
    Conformance {
        /// Ten times as many requests, and others each time
        #[arg(long)]
        thorough: bool,
    },
    /// Measures what server, client and model cost, against doing without them
    Bench,
    /// Makes a million calls to the mock server with its journal on, and watches its memory
    Soak,
}

type Outcome = Result<(), String>;

fn main() -> ExitCode {
    let outcome = match Task::parse() {
        Task::Test => test(),
        Task::Openapi { check: true, .. } => openapi::check(),
        Task::Openapi { release: true, .. } => openapi::release(),
        Task::Openapi { .. } => openapi::publish(),
        Task::Conformance { thorough } => conformance::conformance(thorough),
        Task::Bench => bench(""),
        Task::Soak => bench(" -- soak"),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            complain(&reason);
            ExitCode::FAILURE
        }
    }
}

/// Everything that must hold, the quick checks first. The tests come last, so that their own summary
/// is what ends the output.
fn test() -> Outcome {
    cargo("fmt --all -- --check")?;
    openapi::check()?;
    // In the workspace features are on that users may leave off.
    cargo("clippy --package fabric-model -- -D warnings")?;
    cargo("clippy --package fabric-client --no-default-features -- -D warnings")?;
    cargo("clippy --package fabric-server --no-default-features -- -D warnings")?;
    cargo("clippy --workspace --all-targets --all-features -- -D warnings")?;
    cargo("doc --workspace --all-features --no-deps --document-private-items")?;
    conformance::conformance(false)?;
    cargo("test --workspace --all-features")
}

fn bench(arguments: &str) -> Outcome {
    cargo("build --release --package fabric-server")?;
    cargo(&format!("bench --package xtask --bench overhead{arguments}"))
}

fn cargo(arguments: &str) -> Outcome {
    let mut cargo = Command::new(env!("CARGO"));
    run(cargo.args(arguments.split(' ')).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Runs a command to its end, in the root of the repository.
fn run(command: &mut Command) -> Outcome {
    let program = command.get_program().display().to_string();
    let arguments: Vec<_> =
        command.get_args().map(|argument| argument.display().to_string()).collect();
    let shown = format!("`{program} {}`", arguments.join(" "));
    let status = command.current_dir(root()).status();
    let status = status.map_err(|error| format!("cannot run {shown}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{shown} failed")) }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Outcome {
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

#[expect(clippy::print_stderr, reason = "a task speaks to whoever runs it")]
fn complain(reason: &str) {
    eprintln!("xtask: {reason}");
}
