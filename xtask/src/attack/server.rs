//! An attack on a server, from its start to its end, and what is promised of every attack.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::runtime::Runtime;

use crate::attack::attacker::{Attacker, Running, Surroundings};
use crate::attack::course::{Course, Depth, Report};
use crate::attack::judge::Judge;
use crate::attack::polite::{Experience, Polite};
use crate::attack::target::{self, Target};

/// What every server is started with. The limits are small, so that an attack reaches them.
const FLAGS: &[&str] = &[
    "--listen",
    "0",
    "--log-level",
    "warn",
    "--journal-limit",
    "4194304",
    "--body-limit",
    "1048576",
    "--bodies-limit",
    "8388608",
    "--answers-limit",
    "8388608",
    "--control-bodies-limit",
    "4194304",
    "--request-timeout",
    "5s",
    "--body-timeout",
    "5s",
    "--head-timeout",
    "5s",
    "--idle-timeout",
    "5s",
    "--answer-timeout",
    "5s",
];

/// What is promised besides the limit of a request: the server waits a second longer for the open ones, and ends
/// within another.
const GRACE: Duration = Duration::from_secs(2);

/// What a machine that is busy with other things may add to a limit of time.
const SLACK: Duration = Duration::from_secs(8);

/// The longest limit of time among [`FLAGS`].
const LIMIT_MAX: Duration = Duration::from_secs(5);

/// What the program takes besides its budgets, in KiB: code, runtime, records, and what the allocator keeps.
const REST: u64 = 96 * 1024;

/// What a connection may take besides, in KiB.
const CONNECTION: u64 = 32;

/// The longest polite call of a thousand but ten, where it is judged.
const POLITE_MAX: Duration = Duration::from_millis(20);

/// The longest time for an attack; those that wait for limits need some of it.
const ATTACK_MAX: Duration = Duration::from_mins(5);

/// Runs an attack on a server and judges it.
pub(crate) fn attack_server(
    runtime: &Runtime,
    course: &Course,
    name: &str,
    (surroundings, flags): (Surroundings, &[&str]),
    run: fn(Attacker) -> Running,
    amount: u64,
    mut random: Rng,
) -> Result<Report, String> {
    let flags = with_defaults(flags, &course.folder);
    let is_tls = flags.iter().any(|flag| flag.starts_with("--tls"));
    let log = course.folder.join(format!("{name}.log"));
    let known = known_flags(&course.program)?;
    let mut server =
        Target::start(&course.program, surroundings, &understood(&flags, &known), &log)?;
    let judge = Arc::new(Judge::default());
    let mut attacker =
        Attacker::new(server.address, server.id(), judge.clone(), amount, random.fork());

    // Where there is a rate limit, it holds for the polite caller too.
    let expected: &[u16] =
        if flags.iter().any(|flag| flag == "--rate-limit") { &[200, 429] } else { &[200] };
    let caller = (!is_tls).then(|| Polite::start(server.address, expected));
    // What stays open is known once it has called.
    std::thread::sleep(Duration::from_millis(100));
    let open_before = target::descriptors(server.id());
    let processor_before = target::processor_time(server.id());
    perform(runtime, &judge, run(attacker.fork(amount)));
    let mut report = Report {
        memory: target::memory_peak(server.id()),
        processor_time: target::processor_time(server.id())
            .zip(processor_before)
            .map(|(after, before)| after.saturating_sub(before)),
        gain: judge.gain(),
        ..Report::default()
    };
    let held = attacker.take_held();
    let held_count = held.len() as u64;
    if let Some(caller) = caller {
        report.polite = caller.stop();
    }
    check_life(&mut server, &judge);
    if let Some(most) = memory_limit(course, &flags)?.checked_add(held_count * CONNECTION)
        && let Some(peak) = report.memory
        && peak > most
    {
        judge.violation(format!(
            "memory: {} MiB, where at most {} are promised",
            peak / 1024,
            most / 1024
        ));
    }
    drop(held);
    if server.ended().is_none() {
        if let Some(before) = open_before {
            check_descriptors(&server, before, &judge);
        }
        if course.depth == Depth::Thorough {
            repeat(runtime, &mut server, &mut attacker, run, &judge);
        }
        let longest = grace(&flags) + if course.depth == Depth::Usual { SLACK } else { GRACE };
        report.stopped = stop(runtime, &mut server, &mut attacker, (run, longest), &judge);
    }
    judge_polite(course.depth, &report.polite, is_tls, &judge);
    report.requests = judge.count();
    report.exceptions = judge.exceptions().into_iter().collect();
    report.violations = judge.violations();
    Ok(report)
}

fn perform(runtime: &Runtime, judge: &Judge, attack: Running) {
    let ended = runtime.block_on(async { tokio::time::timeout(ATTACK_MAX, attack).await });
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(reason)) => judge.violation(reason),
        Err(_) => judge.violation(format!("the attack has no end in {} s", ATTACK_MAX.as_secs())),
    }
}

fn check_life(server: &mut Target, judge: &Judge) {
    if let Some(status) = server.ended() {
        judge.violation(format!("the server has died: {status}"));
    }
    if let Some(line) = server.panic() {
        judge.violation(format!("the server has panicked: {line}"));
    }
}

/// Waits until the server has given back what the attackers' connections took.
fn check_descriptors(server: &Target, before: u64, judge: &Judge) {
    // One more: a file of the log or of the system that is opened later.
    let is_back = || target::descriptors(server.id()).is_none_or(|now| now <= before + 2);
    let begin = Instant::now();
    while !is_back() {
        if begin.elapsed() > LIMIT_MAX + GRACE + SLACK {
            let now = target::descriptors(server.id()).unwrap_or_default();
            judge.violation(format!("{now} descriptors are open, and {before} were before"));
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Repeats the attack: what it took the first time may be taken again, but no more.
fn repeat(
    runtime: &Runtime,
    server: &mut Target,
    attacker: &mut Attacker,
    run: fn(Attacker) -> Running,
    judge: &Judge,
) {
    let first = target::memory_peak(server.id());
    perform(runtime, judge, run(attacker.fork(attacker.amount)));
    drop(attacker.take_held());
    check_life(server, judge);
    if let (Some(first), Some(second)) = (first, target::memory_peak(server.id()))
        && second > first + first / 10
    {
        judge.violation(format!(
            "memory: {} MiB, and {} when repeated",
            first / 1024,
            second / 1024
        ));
    }
}

/// The longest time that the server may take to stop.
fn grace(flags: &[String]) -> Duration {
    let limit = flags.iter().skip_while(|flag| *flag != "--request-timeout").nth(1);
    let seconds = limit.and_then(|limit| limit.trim_end_matches('s').parse().ok());
    seconds.map_or(LIMIT_MAX, Duration::from_secs) + GRACE
}

/// Asks the server to stop in the midst of the attack.
fn stop(
    runtime: &Runtime,
    server: &mut Target,
    attacker: &mut Attacker,
    (run, longest): (fn(Attacker) -> Running, Duration),
    judge: &Judge,
) -> Option<Duration> {
    // What is refused from now on is not judged.
    let unjudged = Arc::new(Judge::default());
    let mut again = attacker.fork(attacker.amount.min(2000));
    again.judge = unjudged;
    let attack = runtime.spawn(run(again));
    std::thread::sleep(Duration::from_millis(300));
    let stopped = server.terminate(longest);
    attack.abort();
    drop(attacker.take_held());
    if stopped.is_none() {
        judge.violation(format!("SIGTERM: it has not ended after {} s", longest.as_secs()));
    }
    if let Some(line) = server.panic() {
        judge.violation(format!("the server has panicked: {line}"));
    }
    stopped
}

fn judge_polite(depth: Depth, polite: &Experience, is_tls: bool, judge: &Judge) {
    if is_tls {
        return;
    }
    if let Some(reason) = polite.failure() {
        judge.violation(reason);
    }
    match polite.quantile(990) {
        None => judge.violation("the polite caller was never answered".to_owned()),
        Some(time) if depth == Depth::Thorough && time > POLITE_MAX => {
            judge.violation(format!("the polite caller waited {} ms", time.as_millis()));
        }
        Some(_) => {}
    }
}

/// The flags of an attack, and those of every attack that it has not itself.
fn with_defaults(flags: &[&str], folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let defaults = FLAGS.chunks(2).filter(|default| !flags.contains(&default[0])).flatten();
    defaults.chain(flags).map(|flag| flag.replace("{folder}", &folder)).collect()
}

/// What the program says of its flags: a line for each, such as `--journal-limit <BYTES>`.
fn known_flags(program: &Path) -> Result<String, String> {
    let output = target::command(program).arg("--help").output();
    let output = output.map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Leaves out the flags, with their values, that a program does not know: another version of it.
fn understood(flags: &[String], known: &str) -> Vec<String> {
    let is_known =
        |flag: &str| known.split_whitespace().any(|word| word.trim_end_matches(',') == flag);
    let mut understood = Vec::new();
    let mut is_left_out = false;
    for flag in flags {
        if flag.starts_with("--") {
            is_left_out = !is_known(flag);
        }
        if !is_left_out {
            understood.push(flag.clone());
        }
    }
    understood
}

/// The sum of all settings in bytes of the server that is promised, and what it needs besides, in KiB.
fn memory_limit(course: &Course, flags: &[String]) -> Result<u64, String> {
    let help = known_flags(&course.promised)?;
    let flags = understood(flags, &help);
    let output = target::command(&course.promised).args(&flags).arg("--print-config").output();
    let output = output.map_err(|error| format!("cannot print settings: {error}"))?;
    let settings = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(sum_of_budgets(&help, &settings) / 1024 + REST)
}

/// The sum of the settings whose values are bytes.
fn sum_of_budgets(help: &str, settings: &str) -> u64 {
    let is_in_bytes = |name: &str| help.contains(&format!("--{name} <BYTES>"));
    let values = settings.lines().filter_map(|line| line.split_once(" = "));
    let values = values.filter(|(name, _)| is_in_bytes(name));
    values.filter_map(|(_, value)| value.split(' ').next()?.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_summed_and_unknown_flags_are_left_out() {
        let help = "      --journal-limit <BYTES>\n      --listen <ADDR>\n      --open-to-all\n";
        let settings = "journal-limit = 5 # default\nlisten = 7 # --listen\n# quota is not set\n";
        assert_eq!(sum_of_budgets(help, settings), 5);
        let flags = ["--listen", "0", "--later", "1", "--open-to-all"].map(str::to_owned);
        assert_eq!(understood(&flags, help), ["--listen", "0", "--open-to-all"]);
    }

    #[test]
    fn a_server_that_dies_is_found() {
        let folder = std::env::temp_dir().join(format!("attack-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        // It listens, as it says, and ends.
        let program = folder.join("dies");
        let script =
            "#!/bin/sh\necho '{\"listening\":\"http://127.0.0.1:1\"}'\necho panicked at x >&2\n";
        std::fs::write(&program, script).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&program, executable).unwrap();
        let mut server =
            Target::start(&program, Surroundings::Usual, &[], &folder.join("log")).unwrap();
        while server.ended().is_none() {
            std::thread::sleep(Duration::from_millis(10));
        }
        let judge = Judge::default();
        check_life(&mut server, &judge);
        std::fs::remove_dir_all(&folder).unwrap();
        let found = judge.violations();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("died") && found[1].contains("panicked"), "{found:?}");
    }
}
