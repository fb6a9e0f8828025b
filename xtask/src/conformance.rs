//! Tools that nobody here wrote, against the documents and the running mock server.

mod browser;
mod curl;
mod definitions;
mod image;
mod node;
pub(crate) mod python;
mod rust;
mod server;
pub(crate) mod tools;
mod vendor;
pub(crate) mod workshop;

use std::fs;
use std::path::PathBuf;

use crate::shell::cargo;
use crate::stage::{Failed, Stages};

use python::Depth;
use workshop::workshop;

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
    let claim = "the core of the vendor's SDKs signs in each of its ways";
    stages.prove("vendor SDK core", claim, python.clone(), |python| vendor::core(&python));
    let claim = "the vendor's SDK calls each of its operations";
    stages.prove("vendor SDK", claim, python.clone(), |python| vendor::sdk(&python));
    let claim = "the vendor's SDK for the identity service signs in";
    stages.prove("vendor SDK, sign-in", claim, python, |python| vendor::sign_in(&python));

    let definitions = stages.install("definitions of the vendor", definitions::fetch);
    let claim = "the document says of every operation what the vendor's definition says";
    stages.prove("definitions", claim, definitions, |folder| definitions::hold(&folder));

    let sources = stages.install("sources for progenitor", rust::fetch);
    let claim = "a client that progenitor generates compiles and calls the server";
    stages.prove("generated client, Rust", claim, sources, |()| rust::generated_client());

    let claim = "the longest token reaches the server over HTTP/1.1 and HTTP/2";
    stages.prove("longest token", claim, curl::find(), |curl| curl::longest_token(&curl));
    let claim = "the static program runs with nothing else beside it";
    stages.prove("program alone", claim, image::available(), |()| image::program_alone());
    Ok(())
}
