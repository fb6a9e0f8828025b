//! Tools that nobody here wrote, against the documents and the running mock server.

mod browser;
mod curl;
mod image;
mod node;
mod python;
mod rust;
mod server;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::stage::{Failed, Stages};
use crate::{Outcome, cargo, root, run, say};

use server::Server;

/// The one token of the servers that are called with tokens.
const TOKEN: &str = "conformance";

/// How much Schemathesis tries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Depth {
    /// The same requests each time: what fails in CI fails here.
    Usual,
    /// Ten times as many, and others each time.
    Thorough,
}

/// Installs the tools under `target/conformance`, and runs them.
///
/// Each tool is a stage. A stage that fails or is skipped doesn't stop those after it; only if the server
/// doesn't build, there is nothing to run them against.
pub(crate) fn conformance(stages: &mut Stages, depth: Depth) -> Result<(), Failed> {
    stages.check("build the server", || {
        fs::create_dir_all(workshop())
            .map_err(|error| format!("cannot make {}: {error}", workshop().display()))?;
        cargo("build --locked --package fabric-server")
    })?;

    let node = stages.install("Node.js tools", node::install);
    let claim = "the documents satisfy the strict rules of two linters";
    stages.prove("Redocly and Spectral", claim, node.clone(), |node| node::lint(&node));
    let claim = "a client that openapi-typescript generates compiles and calls the server";
    let generated = |node: PathBuf| node::generated_client(&node);
    stages.prove("generated client, TypeScript", claim, node.clone(), generated);
    // Without Node.js there is no use for a browser.
    let browser = node.and_then(|node| {
        let chromium = stages.install("Chromium", browser::install)?;
        Ok((node, chromium))
    });
    let claim = "the page of the mock server works in a browser";
    stages.prove("page in Chromium", claim, browser, |(node, chromium)| {
        browser::page(&node, &chromium)
    });

    let python = stages.install("Python tools", python::install);
    let claim = "the server answers generated requests as the document says";
    stages.prove("Schemathesis", claim, python.clone(), |python| {
        python::schemathesis(&python, depth)
    });
    let claim = "a client that openapi-python-client generates calls the server";
    let generated = |python: PathBuf| python::generated_client(&python);
    stages.prove("generated client, Python", claim, python.clone(), generated);
    let claim = "the vendor's SDK signs and calls every operation";
    stages.prove("vendor SDK", claim, python, |python| python::vendor_sdk(&python));

    let sources = stages.install("sources for progenitor", rust::fetch);
    let claim = "a client that progenitor generates compiles and calls the server";
    stages.prove("generated client, Rust", claim, sources, |()| rust::generated_client());

    let claim = "the longest token reaches the server over HTTP/1.1 and HTTP/2";
    stages.prove("longest token", claim, curl::find(), |curl| curl::longest_token(&curl));
    let claim = "the static program runs with nothing else beside it";
    stages.prove("program alone", claim, image::available(), |()| image::program_alone());
    Ok(())
}

/// Where everything that the tools need and leave behind is put.
fn workshop() -> PathBuf {
    target().join("conformance")
}

/// The folder that cargo builds in, which this program itself is in.
fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).map_or_else(|| root().join("target"), Path::to_owned)
}

/// The settings and programs of ours that the tools are run with.
fn settings() -> PathBuf {
    root().join("xtask/conformance")
}

/// Runs a client's program, with the endpoint of a server and a token as its arguments.
fn call(client: &mut Command) -> Outcome {
    let server = Server::start(Server::command().env("FABRIC_TOKEN", TOKEN))?;
    run(client.args([&server.endpoint, TOKEN]).env("NO_PROXY", "127.0.0.1"))
}

/// Runs a command whose paths are absolute, and shows what it says only if it fails.
fn quietly(command: &mut Command) -> Outcome {
    let program = command.get_program().display().to_string();
    let output = command.output();
    let output = output.map_err(|error| format!("cannot run {program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    say(&String::from_utf8_lossy(&output.stdout));
    Err(format!("{program} failed: {}", String::from_utf8_lossy(&output.stderr)))
}
