//! Processor time per call: servers take turns, so that whatever else the machine does meets all of them.

use std::process::Command;

use super::built::{LOAD_CORE, SERVER_CORE};
use super::load::Load;
use super::server::Server;
use super::subject::{AXUM, OURS, SUBJECTS, Subject};
use super::table::{quartiles, table};
use crate::shell::quietly;

/// Turns of each server, and the calls of a turn.
const TURNS: usize = 15;
const CALLS: u32 = 20_000;

pub(super) fn tables() -> Result<String, String> {
    // The load is made by this program, for the rest of its life.
    quietly(Command::new("taskset").args([
        "--all-tasks",
        "--pid",
        "--cpu-list",
        LOAD_CORE,
        &std::process::id().to_string(),
    ]))?;
    let mut servers = Vec::new();
    for subject in &SUBJECTS {
        servers.push(Measured::start(subject, SERVER_CORE, 1)?);
    }
    let times = in_turns(&mut servers, Measured::turn)?;
    let axum = SUBJECTS.iter().position(|subject| subject.name == AXUM).unwrap_or_default();
    let mut rows = Vec::new();
    for (subject, own) in SUBJECTS.iter().zip(&times) {
        let mut ratios: Vec<_> =
            own.iter().zip(&times[axum]).map(|(own, axum)| own / axum).collect();
        let median = median(own) * 1e6;
        rows.push([subject.name.to_owned(), format!("{median:.1}"), quartiles(&mut ratios)]);
    }
    let heads = ["", "processor time of a call, µs", "to bare axum (middle half)"];
    Ok(format!("\n{}\n{}", table(heads, &rows), of_two_workers()?))
}

/// What a call takes with two workers, relative to one, while two threads call.
fn of_two_workers() -> Result<String, String> {
    let mut rows = Vec::new();
    for name in [AXUM, OURS] {
        let subject = SUBJECTS.iter().find(|subject| subject.name == name);
        let subject = subject.ok_or("there is no such server")?;
        let cores = format!("{SERVER_CORE},{LOAD_CORE}");
        let mut servers =
            [Measured::start(subject, &cores, 1)?, Measured::start(subject, &cores, 2)?];
        let times = in_turns(&mut servers, Measured::turn_of_two)?;
        let mut ratios: Vec<_> =
            times[1].iter().zip(&times[0]).map(|(two, one)| two / one).collect();
        rows.push([name.to_owned(), quartiles(&mut ratios)]);
    }
    Ok(table(["", "two workers: processor time of a call, to that of one (middle half)"], &rows))
}

/// The times per call of each server, by turns. Every second round goes backwards.
fn in_turns(
    servers: &mut [Measured],
    turn: impl Fn(&mut Measured) -> Result<f64, String>,
) -> Result<Vec<Vec<f64>>, String> {
    let mut times = vec![Vec::new(); servers.len()];
    // The first round warms them up.
    for round in 0..=TURNS {
        for place in 0..servers.len() {
            let place = if round % 2 == 0 { place } else { servers.len() - 1 - place };
            let time = turn(&mut servers[place])?;
            if round > 0 {
                times[place].push(time);
            }
        }
    }
    Ok(times)
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A server, with connections to it.
struct Measured {
    server: Server,
    loads: [Load; 2],
    request: Vec<u8>,
}

impl Measured {
    fn start(subject: &Subject, cores: &str, workers: u32) -> Result<Self, String> {
        let command = subject.command();
        let mut pinned = Command::new("taskset");
        pinned.args(["--cpu-list", cores]).arg(command.get_program()).args(command.get_args());
        let server = Server::start(pinned.env("TOKIO_WORKER_THREADS", workers.to_string()))?;
        let request = subject.request(&server)?;
        let loads = [Load::open(server.address)?, Load::open(server.address)?];
        Ok(Self { server, loads, request })
    }

    /// The server's processor time per call, in seconds.
    fn turn(&mut self) -> Result<f64, String> {
        let before = self.server.processor_time()?;
        let calls = self.loads[0].at_once(&self.request, CALLS)?;
        Ok((self.server.processor_time()? - before) / f64::from(calls))
    }

    /// The same, while two threads call.
    fn turn_of_two(&mut self) -> Result<f64, String> {
        let before = self.server.processor_time()?;
        let request = &self.request;
        let calls = std::thread::scope(|scope| {
            let threads = self.loads.each_mut();
            let threads = threads.map(|load| scope.spawn(move || load.at_once(request, CALLS / 2)));
            let calls = threads.map(|thread| {
                thread.join().unwrap_or_else(|_| Err("a thread of the load panicked".to_owned()))
            });
            calls.into_iter().sum::<Result<u32, String>>()
        })?;
        Ok((self.server.processor_time()? - before) / f64::from(calls))
    }
}
