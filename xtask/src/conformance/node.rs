//! The tools in JavaScript: two linters, and a generated client in TypeScript.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::server::call;
use super::tools;
use super::workshop::{settings, workshop};
use crate::shell::{Outcome, quietly, read, root, say, write};
use crate::stage::Missing;

const NODE: &str = "install Node.js 20 or newer, with npm";

/// Installs the tools in a folder of their own, anew when their list has changed. Returns the folder.
pub(super) fn install() -> Result<PathBuf, Missing> {
    tools::find("node", NODE)?;
    let folder = workshop().join("node");
    let files = ["package.json", "package-lock.json", ".npmrc"];
    tools::fill(&folder, &files, || {
        let npm = tools::find("npm", NODE)?;
        let copy = || {
            fs::create_dir_all(&folder)
                .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
            files.iter().try_for_each(|file| copy(&settings().join(file), &folder.join(file)))
        };
        copy().map_err(|reason| Missing::new(reason, tools::REPAIR))?;
        let mut command = Command::new(npm);
        command.args(["ci", "--loglevel", "error", "--prefix"]).arg(&folder);
        command.arg("--cache").arg(workshop().join("npm-cache"));
        // Without a network the last of its tries would wait for a minute more.
        command.args(["--fetch-retry-maxtimeout", "10000"]);
        tools::install(&mut command, "npm ci", "give it access to an npm registry")
    })?;
    Ok(folder)
}

fn program(node: &Path, name: &str) -> Command {
    Command::new(node.join("node_modules/.bin").join(name))
}

/// The strict rules of two linters, for all documents.
pub(super) fn lint(node: &Path) -> Outcome {
    for document in ["openapi.json", "openapi-3.0.json", "identity.json", "mock.json"] {
        let path = root().join("openapi").join(document);
        let mut redocly = program(node, "redocly");
        redocly.arg("lint").arg("--config").arg(settings().join("redocly.yaml")).arg(&path);
        redocly.env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
        if document == "identity.json" {
            // The identity service writes `OS-CREDENTIAL` in capitals.
            redocly.args(["--skip-rule", "paths-kebab-case"]);
        }
        if document == "mock.json" {
            // Paths that no service has, streams and metrics, and probes that nobody can ask wrongly.
            redocly.args(["--skip-rule", "paths-kebab-case", "--skip-rule", "response-mime-type"]);
            redocly.args(["--skip-rule", "operation-4xx-response"]);
        }
        quietly(&mut redocly)?;
        let mut spectral = program(node, "spectral");
        spectral.args(["lint", "--fail-severity", "hint", "--ruleset"]);
        quietly(spectral.arg(settings().join("spectral.yaml")).arg(&path))?;
        say(&format!(
            "  {document}: Redocly (recommended-strict and more), Spectral (all rules): nothing to say"
        ));
    }
    Ok(())
}

/// What openapi-typescript and openapi-fetch make of the document is compiled and calls the server.
pub(super) fn generated_client(node: &Path) -> Outcome {
    for file in ["calls.ts", "tsconfig.json"] {
        copy(&settings().join("typescript").join(file), &node.join(file))?;
    }
    let mut generate = program(node, "openapi-typescript");
    generate.arg(root().join("openapi/openapi.json")).arg("--output").arg(node.join("schema.d.ts"));
    // A field with a default may be absent from a request.
    generate.args(["--default-non-nullable", "false"]);
    quietly(&mut generate)?;
    quietly(program(node, "tsc").arg("--project").arg(node))?;
    call(Command::new("node").arg(node.join("calls.js")))
}

/// Copies a program of ours to where Node.js finds the tools beside it.
pub(super) fn copy(from: &Path, to: &Path) -> Outcome {
    write(to, &read(from)?)
}
