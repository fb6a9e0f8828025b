//! The server under attack, a process of its own, and what it takes of the machine.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::attack::attacker::Surroundings;

/// A server that is stopped when dropped.
#[derive(Debug)]
pub(crate) struct Target {
    process: Child,
    pub(crate) address: SocketAddr,
    log: PathBuf,
}

/// A clock tick of `/proc`, of which Linux makes 100 a second on every machine.
const TICK: Duration = Duration::from_millis(10);

impl Target {
    /// Starts a server, which logs to a file.
    pub(crate) fn start(
        program: &Path,
        surroundings: Surroundings,
        flags: &[String],
        log: &Path,
    ) -> Result<Self, String> {
        let cannot = |error| format!("cannot start {}: {error}", program.display());
        let file = File::create(log).map_err(cannot)?;
        let mut command = match surroundings {
            Surroundings::FewDescriptors => {
                let mut shell = command(Path::new("sh"));
                shell.args(["-c", "ulimit -n 100; exec \"$0\" \"$@\""]).arg(program);
                shell
            }
            Surroundings::Usual | Surroundings::UnreadLog => command(program),
        };
        command.args(flags).stdout(Stdio::piped());
        match surroundings {
            Surroundings::UnreadLog => command.stderr(Stdio::piped()),
            Surroundings::Usual | Surroundings::FewDescriptors => command.stderr(file),
        };
        let mut process = command.spawn().map_err(cannot)?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(cannot)?;
        }
        let line: Value = serde_json::from_str(&line).unwrap_or_default();
        let listening = line["listening"].as_str().unwrap_or_default();
        let address = listening.rsplit('/').next().and_then(|address| address.parse().ok());
        let address = address.ok_or_else(|| {
            let log = fs::read_to_string(log).unwrap_or_default();
            format!("{} {} does not start: {log}", program.display(), flags.join(" "))
        });
        match address {
            Ok(address) => Ok(Self { process, address, log: log.to_owned() }),
            Err(reason) => {
                process.kill().ok();
                process.wait().ok();
                Err(reason)
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Says how the process has ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<String> {
        match self.process.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// The first line of the log that tells of a panic.
    pub(crate) fn panic(&self) -> Option<String> {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        log.lines().find(|line| line.contains("panicked at")).map(str::to_owned)
    }

    /// Asks it to stop, and says how long it takes, at most `patience`.
    pub(crate) fn terminate(&mut self, patience: Duration) -> Option<Duration> {
        let begin = Instant::now();
        let asked = Command::new("kill").args(["-TERM", &self.id().to_string()]).status();
        asked.ok().filter(std::process::ExitStatus::success)?;
        while begin.elapsed() < patience {
            if self.ended().is_some() {
                return Some(begin.elapsed());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // It is gone already, if this fails.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A program, without what the shell sets for one of its own.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("FABRIC_")
            || name.starts_with("HUAWEICLOUD_")
            || name.ends_with("_proxy")
        {
            command.env_remove(variable);
        }
    }
    command.env("NO_PROXY", "127.0.0.1").stdin(Stdio::null());
    command
}

/// The most memory that a process ever had, in KiB.
pub(crate) fn memory_peak(process: u32) -> Option<u64> {
    memory(process, "VmHWM:")
}

fn memory(process: u32, line: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|text| text.strip_prefix(line))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The time that a process has used of the processors.
pub(crate) fn processor_time(process: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program stands in parentheses, and may hold anything.
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |number: usize| fields.get(number)?.parse::<u32>().ok();
    Some(TICK * (ticks(11)? + ticks(12)?))
}

/// How many files and connections a process has open.
pub(crate) fn descriptors(process: u32) -> Option<u64> {
    Some(fs::read_dir(format!("/proc/{process}/fd")).ok()?.count() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_takes_is_read() {
        let this = std::process::id();
        assert!(memory_peak(this).unwrap() > 1000);
        let before = descriptors(this).unwrap();
        let file = File::open("/proc/self/status").unwrap();
        assert!(descriptors(this).unwrap() > before - 1);
        drop(file);
        assert!(processor_time(this).is_some());
    }
}
