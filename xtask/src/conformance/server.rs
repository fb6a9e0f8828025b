//! The mock server that the tools call, in a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::workshop::target;
use crate::shell::{Outcome, run};

/// The one token of the servers that are called with tokens.
pub(super) const TOKEN: &str = "conformance";

/// A mock server of this build, stopped when dropped.
pub(super) struct Server {
    process: Child,
    pub(super) endpoint: String,
}

impl Server {
    pub(super) fn command() -> Command {
        let mut command = Command::new(target().join("debug/fabric-server"));
        // What the shell sets for a server of its own is not meant for this one.
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("FABRIC_") {
                command.env_remove(variable);
            }
        }
        command.args(["--listen", "0", "--log-level", "warn"]).stdout(Stdio::piped());
        command
    }

    pub(super) fn start(command: &mut Command) -> Result<Self, String> {
        let mut process = command.spawn().map_err(|error| format!("no server: {error}"))?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
        }
        let line: Value = serde_json::from_str(&line).unwrap_or_default();
        let endpoint = line["listening"].as_str().unwrap_or_default().to_owned();
        let server = Self { process, endpoint };
        if server.endpoint.is_empty() {
            Err("the server did not start".to_owned())
        } else {
            Ok(server)
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is gone already, if this fails.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Runs a client's program, with the endpoint of a server and a token as its arguments.
pub(super) fn call(client: &mut Command) -> Outcome {
    let server = Server::start(Server::command().env("FABRIC_TOKEN", TOKEN))?;
    run(client.args([&server.endpoint, TOKEN]).env("NO_PROXY", "127.0.0.1"))
}
