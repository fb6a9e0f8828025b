//! Instructions and allocations per call, and whether they have grown.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

use super::built::{built, folder};
use super::callgrind::{Profile, under};
use super::load::Load;
use super::server::Server;
use super::subject::{AXUM, OURS, SUBJECTS, Subject};
use super::table::{table, whole};
use crate::shell::{Outcome, read, root, say, write};

/// Two runs of different lengths differ in so many calls, behind so many that fill what is filled by calls.
const BEFORE: u32 = 2_500;
const COUNTED: u32 = 4_000;

/// How much more than it did a call may cost.
const GROWTH: f64 = 1.03;

/// As many functions are shown of a profile.
const SHOWN: usize = 20;

/// What a call takes, and what it is compared with.
#[derive(Debug)]
pub(super) struct Count {
    name: &'static str,
    base: &'static str,
    instructions: f64,
    hashing: f64,
    allocations: f64,
}

impl Count {
    fn of(name: &'static str, base: &'static str, call: &Profile) -> Self {
        Self {
            name,
            base,
            instructions: call.instructions(),
            hashing: call.hashing(),
            allocations: call.allocations(),
        }
    }

    /// Whether it is not only there to be compared with.
    fn is_ours(&self) -> bool {
        self.name != self.base && !self.name.starts_with("bare")
    }

    /// SHA-256 left out.
    fn compared(&self) -> f64 {
        self.instructions - self.hashing
    }
}

/// Counts everything.
pub(super) fn count() -> Result<Vec<Count>, String> {
    let mut counts = Vec::new();
    for subject in &SUBJECTS {
        say(&format!("counting: {}", subject.name));
        counts.push(Count::of(subject.name, AXUM, &of_server(subject)?));
    }
    for (name, base, arguments) in [
        ("bare reqwest", "bare reqwest", ["client", "bare"]),
        ("our client", "bare reqwest", ["client", "ours"]),
    ] {
        say(&format!("counting: {name}"));
        let server = Server::start(Command::new(built("bare")).arg("axum"))?;
        let endpoint = format!("http://{}", server.address);
        let run = |calls: u32, profile: &str| {
            let mut command = Command::new(built(arguments[0]));
            command.args([arguments[1], &calls.to_string(), &endpoint]);
            of_program(&command, profile)
        };
        let call = run(200 + 1_000, "long")?.of_a_call(&run(200, "short")?, 1_000);
        counts.push(Count::of(name, base, &call));
    }
    for (name, base, arguments) in [
        ("parsing an update", "parsing an update", ["parse", "update"]),
        ("reading and validating an update", "parsing an update", ["read", "update"]),
        ("parsing a create", "parsing a create", ["parse", "create"]),
        ("reading and validating a create", "parsing a create", ["read", "create"]),
    ] {
        say(&format!("counting: {name}"));
        let run = |times: u32, profile: &str| {
            let mut command = Command::new(built("bare"));
            command.args(arguments).arg(times.to_string());
            of_program(&command, profile)
        };
        let call = run(200 + 5_000, "long")?.of_a_call(&run(200, "short")?, 5_000);
        counts.push(Count::of(name, base, &call));
    }
    Ok(counts)
}

/// Shows where a call of ours spends its instructions.
pub(super) fn show_profile() -> Outcome {
    let ours = SUBJECTS.iter().find(|subject| subject.name == OURS).ok_or("there is no ours")?;
    let call = of_server(ours)?;
    let functions = call.most_costly();
    // What is above all calls has the time of a call too, and tells nothing.
    let functions = functions.into_iter().filter(|(name, _)| !is_frame(name)).take(SHOWN);
    let rows: Vec<_> =
        functions.map(|(name, cost)| [format!("`{name}`"), whole(cost.inclusive)]).collect();
    say(&table(["function", "instructions per call, with what it calls"], &rows));
    Ok(())
}

/// Whether a function only runs the runtime, in which all calls are made.
fn is_frame(name: &str) -> bool {
    ["tokio::runtime", "std::sys", "std::thread", "core::ops::function", "__rust_begin"]
        .iter()
        .any(|frame| name.contains(frame))
        || ["main", "clone", "start_thread", "(below main)"].contains(&name)
        || name.starts_with("0x")
}

pub(super) fn tables(counts: &[Count]) -> String {
    let mut bases: Vec<&str> = counts.iter().map(|count| count.base).collect();
    bases.dedup();
    let mut text = String::new();
    for base in bases {
        let rows: Vec<_> = counts.iter().filter(|count| count.base == base).collect();
        let rows = rows.into_iter().map(|count| {
            [
                count.name.to_owned(),
                whole(count.compared()),
                format!("{:.3}", ratio(counts, count)),
                whole(count.hashing),
                format!("{:.1}", count.allocations),
            ]
        });
        let heads = ["", "instructions", &format!("to {base}"), "SHA-256", "allocations"];
        text += "\n";
        text += &table(heads, &rows.collect::<Vec<_>>());
    }
    text
}

/// Writes what calls cost now, as the measure of what they may cost.
pub(super) fn accept(counts: &[Count]) -> Outcome {
    let mut text = "# Instructions of a call, relative to those of what it is compared with, counted in the same run.\n\
                    # `cargo xtask bench --accept` writes this file, `cargo xtask bench --check` compares with it.\n\
                    [ratio]\n"
        .to_owned();
    for count in counts.iter().filter(|count| count.is_ours()) {
        // A string takes whatever is written.
        writeln!(text, "\"{}\" = {:.3}", count.name, ratio(counts, count)).ok();
    }
    write(&accepted(), &text)
}

/// Fails if a call has grown.
pub(super) fn check(counts: &[Count]) -> Outcome {
    let text = read(&accepted())?;
    let accepted: BTreeMap<String, BTreeMap<String, f64>> =
        toml::from_str(&text).map_err(|error| format!("counts.toml: {error}"))?;
    let ratios = counts.iter().filter(|count| count.is_ours());
    let ratios = ratios.map(|count| (count.name, ratio(counts, count))).collect::<Vec<_>>();
    let grown = grown(&ratios, accepted.get("ratio").unwrap_or(&BTreeMap::new()));
    if grown.is_empty() {
        return Ok(());
    }
    let grown = grown.join("\n  ");
    Err(format!(
        "a call costs more than xtask/benches/counts.toml has, relative to what it is compared with:\n  {grown}\n\
         find out why (`cargo xtask bench --profile`); if it must be, run `cargo xtask bench --accept`"
    ))
}

/// What has grown, and what is not in the file.
fn grown(ratios: &[(&str, f64)], accepted: &BTreeMap<String, f64>) -> Vec<String> {
    let grown = ratios.iter().filter_map(|(name, ratio)| match accepted.get(*name) {
        None => Some(format!("{name}: {ratio:.3}, and it is not there")),
        Some(accepted) if *ratio > accepted * GROWTH => {
            Some(format!("{name}: {accepted:.3}, now {ratio:.3}"))
        }
        Some(_) => None,
    });
    grown.collect()
}

fn ratio(counts: &[Count], count: &Count) -> f64 {
    let base = counts.iter().find(|base| base.name == count.base);
    base.map_or(f64::NAN, |base| count.compared() / base.compared())
}

fn accepted() -> PathBuf {
    root().join("xtask/benches/counts.toml")
}

/// What a call of a server takes: the difference of two runs.
fn of_server(subject: &Subject) -> Result<Profile, String> {
    let run = |calls: u32, profile: &str| {
        let profile = folder().join(profile);
        let server = Server::start(&mut under(&subject.command(), &profile)?)?;
        let request = subject.request(&server)?;
        Load::open(server.address)?.in_turn(&request, calls)?;
        server.end()?;
        Profile::read(&profile)
    };
    Ok(run(BEFORE + COUNTED, "long")?.of_a_call(&run(BEFORE, "short")?, COUNTED))
}

fn of_program(command: &Command, profile: &str) -> Result<Profile, String> {
    let profile = folder().join(profile);
    let mut counted = under(command, &profile)?;
    let output = counted.output().map_err(|error| format!("cannot run valgrind: {error}"))?;
    if !output.status.success() {
        return Err(format!("a run failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Profile::read(&profile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_grown_by_more_than_three_percent_is_named() {
        let accepted = BTreeMap::from([("one".to_owned(), 1.0), ("two".to_owned(), 2.0)]);
        assert_eq!(grown(&[("one", 1.03), ("two", 1.5)], &accepted), [""; 0]);
        let grown = grown(&[("one", 1.031), ("two", 2.0), ("three", 1.0)], &accepted);
        assert_eq!(grown, ["one: 1.000, now 1.031", "three: 1.000, and it is not there"]);
    }
}
