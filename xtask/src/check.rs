//! What must hold of this repository without any tool but Rust's own: format, documents, lints, tests.

use std::io::{BufRead, BufReader, IsTerminal};
use std::process::Stdio;

use crate::openapi;
use crate::shell::{Outcome, cargo, cargo_command, say, shown};
use crate::stage::{Counts, Failed, Stages};

/// What users may build besides the whole workspace with every feature. Each line is linted and built
/// by itself: in the workspace the features that one package asks for are on for all.
const FEATURES: &[&str] = &[
    "fabric-model",
    "fabric-client --no-default-features",
    // The room that serves an implementation, without the mock: the compiler then forbids every use of it.
    "fabric-server --no-default-features",
    "fabric-server --no-default-features --features tls",
    "fabric-server --no-default-features --features mock",
];

/// Format, documents, lints, builds and rustdoc, the quick ones first, and then the tests.
///
/// A stage before the tests that fails is an error, and the stages after it are not run: it is quick to
/// repeat, and the later stages would often fail for the same reason. Failing tests are only counted, and all
/// test programs are run, so that `cargo xtask test` goes on to conformance and reports all failures.
///
/// Nothing is installed. Cargo downloads what `Cargo.lock` names if it is not on this machine yet, and never
/// changes `Cargo.lock`.
pub(crate) fn check(stages: &mut Stages) -> Result<(), Failed> {
    stages.check("format", || cargo("fmt --all -- --check"))?;
    stages.check("documents", openapi::check)?;
    for &package in FEATURES {
        stages.check(&format!("lint and build {package}"), || {
            cargo(&format!("clippy --locked --package {package} -- -D warnings"))?;
            cargo(&format!("build --locked --package {package}"))
        })?;
    }
    stages.check("lint everything", || {
        cargo("clippy --locked --workspace --all-targets --all-features -- -D warnings")
    })?;
    stages.check("rustdoc", || {
        cargo("doc --locked --workspace --all-features --no-deps --document-private-items")
    })?;
    stages.tests("tests", tests);
    Ok(())
}

/// Runs all tests of the workspace, shows their output as it comes, and counts them.
fn tests(counts: &mut Counts) -> Outcome {
    let mut command = cargo_command("test --locked --workspace --all-features --no-fail-fast");
    if std::io::stdout().is_terminal() {
        // The test programs see a pipe.
        command.args(["--", "--color", "always"]);
    }
    let shown = shown(&command);
    let cannot = |error| format!("cannot run {shown}: {error}");
    let mut process = command.stdout(Stdio::piped()).spawn().map_err(cannot)?;
    if let Some(output) = process.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line.map_err(cannot)?;
            let line = String::from_utf8_lossy(&line);
            say(&line);
            counts.add_summary(&line);
        }
    }
    if process.wait().map_err(cannot)?.success() { Ok(()) } else { Err(format!("{shown} failed")) }
}
