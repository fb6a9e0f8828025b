//! The start of the server, attacked by files that it is given.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::attack::course::{Course, Report};
use crate::attack::judge::Judge;
use crate::attack::target;

/// The longest time for a start.
const START_MAX: Duration = Duration::from_secs(30);

/// The most memory of a start, in KiB. The files are small.
const MEMORY_MAX: u64 = 128 * 1024;

/// The longest reason, in bytes: a line that one can read.
const REASON_MAX: usize = 4096;

/// Starts the server with hostile files. It must start, or say why not in one line and end with status 2.
pub(crate) fn attack_start(
    course: &Course,
    name: &str,
    flag: &str,
    file: fn(&mut Rng) -> Vec<u8>,
    amount: u64,
    mut random: Rng,
) -> Result<Report, String> {
    let judge = Judge::default();
    let path = course.folder.join(format!("{name}.hostile"));
    let (mut memory, mut processor_time) = (0, Duration::ZERO);
    for _ in 0..amount {
        let cannot =
            |error: std::io::Error| format!("cannot start {}: {error}", course.program.display());
        let bytes = file(&mut random);
        fs::write(&path, &bytes).map_err(cannot)?;
        judge.sent();
        let log = course.folder.join(format!("{name}.log"));
        let mut command = target::command(&course.program);
        command.args(["--listen", "0", "--log-level", "warn", flag]).arg(&path);
        command.stdout(Stdio::piped()).stderr(File::create(&log).map_err(cannot)?);
        let mut process = command.spawn().map_err(cannot)?;
        // The line comes when it listens, and the end when it does not.
        let output = process.stdout.take();
        let reading = std::thread::spawn(move || {
            let mut line = String::new();
            output.map(|output| BufReader::new(output).read_line(&mut line));
            line
        });
        let begin = Instant::now();
        while !reading.is_finished() && begin.elapsed() < START_MAX {
            memory = memory.max(target::memory_peak(process.id()).unwrap_or_default());
            std::thread::sleep(Duration::from_millis(2));
        }
        memory = memory.max(target::memory_peak(process.id()).unwrap_or_default());
        processor_time += target::processor_time(process.id()).unwrap_or_default();
        let is_late = !reading.is_finished();
        let is_listening = !is_late && reading.join().is_ok_and(|line| line.contains("listening"));
        if is_late || is_listening {
            process.kill().ok();
        }
        let status = process.wait().map_err(cannot)?;
        let reason = String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
        let shown = || String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        if is_late {
            judge.violation(format!("no start in {} s with {:?}", START_MAX.as_secs(), shown()));
        } else if is_listening {
            judge.got("starts");
        } else if status.code() != Some(2) || reason.contains("panicked at") {
            judge.violation(format!("{status} with {:?}: {reason}", shown()));
        } else if reason.trim_end().lines().count() != 1 || reason.len() > REASON_MAX {
            let reason: String = reason.chars().take(300).collect();
            judge.violation(format!("not one line is said: {reason:?}"));
        } else {
            judge.got("one line and status 2");
        }
    }
    if memory > MEMORY_MAX {
        judge.violation(format!(
            "memory: {} MiB, where {} are promised",
            memory / 1024,
            MEMORY_MAX / 1024
        ));
    }
    Ok(Report {
        requests: judge.count(),
        memory: Some(memory),
        processor_time: Some(processor_time),
        gain: judge.gain(),
        violations: judge.violations(),
        ..Report::default()
    })
}
