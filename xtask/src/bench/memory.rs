//! The server's memory at rest and after many calls, and the time of its start.

use std::process::Command;
use std::time::Instant;

use super::built::{build, built};
use super::load::{Load, call, request};
use super::server::Server;
use super::subject::{AXUM, OURS, SUBJECTS, Subject};
use super::table::{table, whole};
use crate::shell::{Outcome, say};

pub(super) fn table_of_rest() -> Result<String, String> {
    let healthcheck = request("GET", "/healthcheck", "host: localhost\r\n", "");
    let mut rows = Vec::new();
    let mut memory = Vec::new();
    for name in [AXUM, OURS] {
        let begin = Instant::now();
        let server = Server::start(&mut subject(name)?.command())?;
        call(server.address, &healthcheck)?;
        let start = begin.elapsed().as_secs_f64() * 1e3;
        memory.push(server.memory()?);
        let ratio = memory[memory.len() - 1] / memory[0];
        let memory = whole(memory[memory.len() - 1]);
        rows.push([name.to_owned(), memory, format!("{ratio:.2}"), format!("{start:.1}")]);
    }
    let heads = ["", "memory at rest, KiB", "to bare axum", "from exec to first answer, ms"];
    Ok(format!("\n{}", table(heads, &rows)))
}

/// A million calls with the journal on: what it takes at the end is what it took after the first tenth.
pub(crate) fn soak() -> Outcome {
    const TENTH: u32 = 100_000;
    build()?;
    let server = Server::start(Command::new(built("fabric-server")).args(["--listen", "0"]))?;
    let request = subject(OURS)?.request(&server)?;
    let mut load = Load::open(server.address)?;
    let mut after_first = 0.0;
    for part in 1..=10 {
        load.at_once(&request, TENTH)?;
        let memory = server.memory()?;
        say(&format!("after {:>9} calls: {} KiB", TENTH * part, whole(memory)));
        if part == 1 {
            after_first = memory;
        }
    }
    let ratio = server.memory()? / after_first;
    say(&format!(
        "soak: memory at the end, to after 100,000 calls: {ratio:.3} (aim: 0.90 to 1.10)"
    ));
    if (0.9..=1.1).contains(&ratio) { Ok(()) } else { Err("the memory is not bounded".into()) }
}

fn subject(name: &str) -> Result<&'static Subject, String> {
    SUBJECTS.iter().find(|subject| subject.name == name).ok_or_else(|| format!("no {name}"))
}
