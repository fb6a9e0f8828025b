//! Commands that call a server, attacked by hostile ones.

use std::fs::{self, File};
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::attack::attacker::{Attack, Ends, On};
use crate::attack::course::{Course, Report};
use crate::attack::judge::Judge;
use crate::attack::target;

/// The longest time that the command is waited for; its own limit is 3 seconds for a call.
const COMMAND_MAX: Duration = Duration::from_secs(20);

/// How long a command is watched that may go on.
const WATCHED: Duration = Duration::from_secs(4);

/// The most memory of the command, in KiB.
const MEMORY_MAX: u64 = 400 * 1024;

/// The most that it prints, in bytes.
const PRINTED_MAX: u64 = 16 * 1024 * 1024;

/// Lets a command call a hostile server, and judges it.
pub(crate) fn attack_command(
    runtime: &Runtime,
    course: &Course,
    attack: &Attack,
    mut random: Rng,
) -> Result<Report, String> {
    let On::Command { program, arguments, serve, ends } = attack.on else {
        return Err(format!("{} attacks no command", attack.name));
    };
    let name = attack.name;
    let judge = Arc::new(Judge::default());
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let listener = listener.map_err(|error| format!("no hostile server: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let counter = judge.clone();
    let serving = runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counter.sent();
            tokio::spawn(serve(stream, random.fork()));
        }
    });
    let program = course.program.with_file_name(program);
    let printed = course.folder.join(format!("{name}.printed"));
    let address = address.to_string();
    let arguments = arguments.iter().map(|argument| argument.replace("{address}", &address));
    let mut command = target::command(&program);
    command
        .args(arguments)
        .stdout(File::create(&printed).map_err(|error| error.to_string())?)
        .stderr(
            File::create(course.folder.join(format!("{name}.log")))
                .map_err(|error| error.to_string())?,
        );
    let process = command.spawn();
    let process = process.map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    let watched = watch(process, ends);
    serving.abort();
    let watched = watched.map_err(|error| error.to_string())?;
    judge_command(&watched, ends, &judge);
    if ends == Ends::ByItself && judge.count() > attack.at_most {
        let (called, most) = (judge.count(), attack.at_most);
        judge.violation(format!(
            "the command has connected {called} times, where {most} are enough"
        ));
    }
    judge_printed(&printed, &judge);
    judge_printed(&course.folder.join(format!("{name}.log")), &judge);
    let gain = match watched.status {
        Some(status) => format!("{status} after {:.1} s", watched.time.as_secs_f64()),
        None => format!("goes on after {:.1} s", watched.time.as_secs_f64()),
    };
    Ok(Report {
        requests: judge.count(),
        memory: Some(watched.memory),
        processor_time: Some(watched.processor_time),
        gain,
        violations: judge.violations(),
        ..Report::default()
    })
}

/// What was seen of a command.
struct Watched {
    status: Option<ExitStatus>,
    time: Duration,
    memory: u64,
    processor_time: Duration,
}

/// Watches a command until it ends, or for as long as it may take.
fn watch(mut process: Child, ends: Ends) -> io::Result<Watched> {
    let begin = Instant::now();
    let longest = if ends == Ends::ByItself { COMMAND_MAX } else { WATCHED };
    let mut watched =
        Watched { status: None, time: Duration::ZERO, memory: 0, processor_time: Duration::ZERO };
    loop {
        let id = process.id();
        watched.memory = watched.memory.max(target::memory_peak(id).unwrap_or_default());
        watched.processor_time =
            watched.processor_time.max(target::processor_time(id).unwrap_or_default());
        watched.status = process.try_wait()?;
        watched.time = begin.elapsed();
        if watched.status.is_some() {
            return Ok(watched);
        }
        // What takes ever more is not waited for.
        if watched.time > longest || watched.memory > 4 * MEMORY_MAX {
            process.kill().ok();
            process.wait()?;
            return Ok(watched);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn judge_command(watched: &Watched, ends: Ends, judge: &Judge) {
    if watched.memory > MEMORY_MAX {
        let memory = watched.memory / 1024;
        judge.violation(format!("memory: {memory} MiB, where {} are promised", MEMORY_MAX / 1024));
    }
    match watched.status {
        None if ends == Ends::ByItself => {
            judge
                .violation(format!("the command has not ended after {} s", watched.time.as_secs()));
        }
        // Exit statuses up to 7 are documented; a panic is 101, and a signal has none.
        Some(status) if status.code().is_none_or(|code| code > 7) => {
            judge.violation(format!("the command has ended with {status}"));
        }
        _ => {}
    }
}

/// What a hostile server sends must not reach the terminal as it is.
fn judge_printed(path: &Path, judge: &Judge) {
    let length = fs::metadata(path).map(|about| about.len()).unwrap_or_default();
    if length > PRINTED_MAX {
        judge.violation(format!("the command has printed {} MiB", length / 1024 / 1024));
        return;
    }
    let printed = fs::read(path).unwrap_or_default();
    let printed = String::from_utf8_lossy(&printed);
    if let Some(character) = printed.chars().find(|character| is_harmful(*character)) {
        judge.violation(format!("the command has printed {character:?}"));
    }
    if printed.contains("panicked at") {
        judge.violation("the command has panicked".to_owned());
    }
}

/// Whether a character acts on a terminal, or turns the order of others around.
fn is_harmful(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\t')
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_found() {
        let path = std::env::temp_dir().join(format!("attack-printed-{}", std::process::id()));
        for (printed, is_found) in
            [("NAME\tä\n", false), ("\u{9b}31m", true), ("\x1b[31m", true), ("a\u{202e}b", true)]
        {
            fs::write(&path, printed).unwrap();
            let judge = Judge::default();
            judge_printed(&path, &judge);
            assert_eq!(!judge.violations().is_empty(), is_found, "{printed:?}");
        }
        fs::remove_file(&path).unwrap();
    }
}
