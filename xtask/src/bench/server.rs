//! A server that is measured, in a process of its own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::built::folder;
use crate::shell::Outcome;

/// A server, stopped when dropped.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    /// Starts a server that says where it listens in its first line.
    pub(super) fn start(command: &mut Command) -> Result<Self, String> {
        // What the shell sets for a server of its own is not meant for this one.
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("FABRIC_") {
                command.env_remove(variable);
            }
        }
        let log = folder().join("server.log");
        let errors = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
        let mut process = command.spawn().map_err(|error| format!("no server: {error}"))?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
        }
        let line: Value = serde_json::from_str(&line).unwrap_or_default();
        let address = line["listening"].as_str().and_then(|url| url.strip_prefix("http://"));
        if let Some(address) = address.and_then(|address| address.parse().ok()) {
            return Ok(Self { process, address });
        }
        process.kill().ok();
        process.wait().ok();
        Err(format!("the server did not start: see {}", log.display()))
    }

    /// Asks the server to end, and waits for it, so that callgrind writes what it counted.
    pub(super) fn end(mut self) -> Outcome {
        let failed = |error| format!("cannot end the server: {error}");
        let signal = format!("kill -TERM {}", self.process.id());
        Command::new("sh").args(["-c", &signal]).status().map_err(failed)?;
        self.process.wait().map_err(failed)?;
        Ok(())
    }

    /// The time that its threads had a core to themselves, in seconds.
    pub(super) fn processor_time(&self) -> Result<f64, String> {
        let failed = |error| format!("cannot read the time of the server: {error}");
        let mut time = 0.0;
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process.id()));
        for task in tasks.map_err(failed)? {
            let text = std::fs::read_to_string(task.map_err(failed)?.path().join("schedstat"));
            let text = text.map_err(failed)?;
            let running = text.split(' ').next().and_then(|time| time.parse::<f64>().ok());
            time += running.ok_or("there is no time in schedstat")?;
        }
        Ok(time / 1e9)
    }

    /// Resident memory in KiB.
    pub(super) fn memory(&self) -> Result<f64, String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.map_err(|error| format!("cannot read the server's memory: {error}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        kibibytes.ok_or_else(|| "there is no VmRSS".to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is gone already, if this fails.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
