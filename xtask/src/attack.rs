//! `cargo xtask attack`: a bounded attack on servers of its own, with a polite caller beside it.

mod answer;
mod attacker;
mod client;
mod command;
mod connection;
mod control;
mod course;
mod files;
mod flood;
mod frames;
mod grammar;
mod guess;
mod http1;
mod http2;
mod judge;
mod oversized;
mod polite;
mod server;
mod slow;
mod start;
mod target;
mod tls;

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::runtime::Runtime;

use crate::attack::attacker::{Attack, On, Surroundings};
use crate::attack::course::{Course, Depth, Report};
use crate::shell::{Outcome, cargo, root, say};
use crate::stage::Missing;

/// How `cargo xtask attack` is asked to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The number that all random choices follow from; a new one if it is not given
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Only the attacks whose names begin with this
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// About how many hostile requests to make; with more than the default, times are judged too, and each
    /// attack is repeated
    #[arg(long, value_name = "N", default_value_t = REQUESTS)]
    requests: u64,
    /// Runs all attacks again and again, with other random choices, for at least so many minutes
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
    /// Another fabric-server, such as one built before, to attack first; the command `fabric` is beside it. The
    /// table compares both, and only the one of this build is judged
    #[arg(long, value_name = "PROGRAM")]
    against: Option<PathBuf>,
    /// Builds and attacks with optimization
    #[arg(long)]
    release: bool,
    /// Lists the attacks
    #[arg(long)]
    list: bool,
}

/// How many requests a run makes that is part of the tests: it takes about a minute.
const REQUESTS: u64 = 20_000;

/// How many attacks are made at once where no times are judged: most of them wait.
const AT_ONCE: usize = 4;

/// All attacks, in the order of the table.
fn attacks() -> Vec<Attack> {
    [
        http1::ATTACKS,
        http2::ATTACKS,
        slow::ATTACKS,
        tls::ATTACKS,
        oversized::ATTACKS,
        flood::ATTACKS,
        guess::ATTACKS,
        control::ATTACKS,
        files::ATTACKS,
        client::ATTACKS,
    ]
    .concat()
}

/// What a process takes of the machine is read from `/proc`.
pub(crate) fn available() -> Result<(), Missing> {
    if target::memory_peak(std::process::id()).is_some() {
        Ok(())
    } else {
        Err(Missing::new("there is no /proc of Linux", "run it on Linux"))
    }
}

/// The run that is part of the tests.
pub(crate) fn brief() -> Outcome {
    attack(&Options {
        seed: None,
        only: None,
        requests: REQUESTS,
        minutes: None,
        against: None,
        release: false,
        list: false,
    })
}

/// Builds server and command, attacks them, and prints a table. An error if a promise was broken.
pub(crate) fn attack(options: &Options) -> Outcome {
    let chosen = |attack: &Attack| {
        options.only.as_ref().is_none_or(|only| attack.name.starts_with(only.as_str()))
    };
    let attacks: Vec<_> = attacks().into_iter().filter(chosen).collect();
    if attacks.is_empty() {
        return Err("no attack has this name; --list shows all".to_owned());
    }
    if options.list {
        for attack in attacks {
            say(&format!("{}: {}; {}", attack.name, attack.does, attack.promise));
        }
        return Ok(());
    }
    let profile = if options.release { "release" } else { "debug" };
    let flag = if options.release { " --release" } else { "" };
    cargo(&format!("build --locked --package fabric-server --package fabric-cli{flag}"))?;
    let program = target_folder().join(profile).join("fabric-server");
    let folder = target_folder().join("attack");
    let cannot = |error| format!("cannot use {}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(cannot)?;
    fs::write(folder.join("credentials.json"), CREDENTIALS).map_err(cannot)?;
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..));
    let is_long = options.requests > REQUESTS || options.minutes.is_some();
    let course = Course {
        program: program.clone(),
        promised: program,
        folder,
        requests: options.requests,
        seed,
        depth: if is_long { Depth::Thorough } else { Depth::Usual },
    };
    say(&format!("attack: --seed {seed} --requests {} repeats this run", options.requests));
    let before = match &options.against {
        Some(program) => {
            let program = program.canonicalize();
            let program = program.map_err(|error| format!("--against: {error}"))?;
            Some(round(&Course { program, ..course.clone() }, &attacks)?)
        }
        None => None,
    };
    let begin = Instant::now();
    let least = Duration::from_secs(60 * options.minutes.unwrap_or_default());
    let mut rounds = vec![round(&course, &attacks)?];
    while begin.elapsed() < least {
        let seed = course.seed.wrapping_add(rounds.len() as u64);
        rounds.push(round(&Course { seed, ..course.clone() }, &attacks)?);
    }
    if let Some(before) = &before {
        tell("before", &attacks, before);
    }
    let mut violations = 0;
    for reports in &rounds {
        say(&table(&attacks, before.as_deref(), reports));
        violations += tell("now", &attacks, reports);
    }
    let requests: u64 = rounds.iter().flatten().map(|report| report.requests).sum();
    let time = begin.elapsed().as_secs();
    say(&format!("{requests} hostile requests in {time} s, seed {seed}"));
    match violations {
        0 => Ok(()),
        1 => Err("one promise was broken".to_owned()),
        violations => Err(format!("{violations} promises were broken")),
    }
}

/// Who may call the servers that know their callers.
const CREDENTIALS: &str = r#"{
    "tokens": [{"token": "attack-polite-token"}],
    "access_keys": [{"access_key_id": "attack-key", "secret_access_key": "attack-secret"}],
    "users": [{"domain": "attack", "name": "victim", "password": "a long password of nobody"}]
}"#;

/// The folder that cargo builds in, which this program itself is in.
fn target_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).map_or_else(|| root().join("target"), std::path::Path::to_owned)
}

/// Makes all attacks once, and reports each.
fn round(course: &Course, attacks: &[Attack]) -> Result<Vec<Report>, String> {
    let runtime = Runtime::new().map_err(|error| format!("no runtime: {error}"))?;
    let reports = Mutex::new(Vec::new());
    let next = Mutex::new(attacks.iter().enumerate());
    let at_once = if course.depth == Depth::Usual { AT_ONCE } else { 1 };
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let taken = next.lock().ok().and_then(|mut attacks| attacks.next());
                    let Some((number, attack)) = taken else { return };
                    let report = make(&runtime, course, attack);
                    let outcome = report.violations.first();
                    let outcome =
                        outcome.map_or_else(|| "kept".to_owned(), |why| format!("broken: {why}"));
                    say(&format!("  {}: {} requests, {outcome}", attack.name, report.requests));
                    reports.lock().map(|mut reports| reports.push((number, report))).ok();
                }
            });
        }
    });
    let mut reports = reports.into_inner().map_err(|_| "an attack has panicked".to_owned())?;
    reports.sort_by_key(|(number, _)| *number);
    Ok(reports.into_iter().map(|(_, report)| report).collect())
}

/// Makes one attack and judges it.
fn make(runtime: &Runtime, course: &Course, attack: &Attack) -> Report {
    let name = attack.name;
    let random = Rng::with_seed(course.seed ^ hash(name));
    let amount = (course.requests * attack.share).div_ceil(1000).clamp(1, attack.at_most);
    let report = match attack.on {
        On::Server { flags, run } => {
            let flags = (Surroundings::Usual, flags);
            server::attack_server(runtime, course, name, flags, run, amount, random)
        }
        On::ServerIn { surroundings, flags, run } => {
            let flags = (surroundings, flags);
            server::attack_server(runtime, course, name, flags, run, amount, random)
        }
        On::Command { .. } => command::attack_command(runtime, course, attack, random),
        On::Start { flag, file } => start::attack_start(course, name, flag, file, amount, random),
    };
    report.unwrap_or_else(|reason| Report { violations: vec![reason], ..Report::default() })
}

/// A number of a name that is the same in every build.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What came of the attacks, in Markdown.
fn table(attacks: &[Attack], before: Option<&[Report]>, reports: &[Report]) -> String {
    let mut lines = vec![
        "\n| attack | requests | memory, MiB | processor, s | polite p50 / p99 / max, ms | SIGTERM, s | the attacker gets | promises |".to_owned(),
        "|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    for (number, (attack, report)) in attacks.iter().zip(reports).enumerate() {
        if let Some(before) = before.and_then(|before| before.get(number)) {
            lines.push(row(&format!("{}, before", attack.name), before));
            lines.push(row(&format!("{}, after", attack.name), report));
        } else {
            lines.push(row(attack.name, report));
        }
    }
    lines.join("\n")
}

fn row(name: &str, report: &Report) -> String {
    let dash = || "–".to_owned();
    let milliseconds = |per_mille| {
        let time = report.polite.quantile(per_mille);
        time.map_or_else(dash, |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0))
    };
    let seconds = |time: Option<Duration>| {
        time.map_or_else(dash, |time| format!("{:.1}", time.as_secs_f64()))
    };
    format!(
        "| {name} | {} | {} | {} | {} / {} / {} | {} | {} | {} |",
        report.requests,
        report.memory.map_or_else(dash, |memory| (memory / 1024).to_string()),
        seconds(report.processor_time),
        milliseconds(500),
        milliseconds(990),
        milliseconds(1000),
        seconds(report.stopped),
        report.gain.replace('|', "\\|"),
        if report.violations.is_empty() { "kept" } else { "broken" },
    )
}

/// Says which promises were broken and which exceptions were made; returns the number of the former.
fn tell(when: &str, attacks: &[Attack], reports: &[Report]) -> usize {
    for (attack, report) in attacks.iter().zip(reports) {
        for (reason, times) in &report.exceptions {
            say(&format!("{when}, exception in {}: {reason}, {times} times", attack.name));
        }
        for violation in &report.violations {
            say(&format!("{when}, broken in {}: {violation}", attack.name));
        }
    }
    reports.iter().map(|report| report.violations.len()).sum()
}
