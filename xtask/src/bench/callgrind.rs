//! Counts what a program executes, by valgrind's callgrind: the same on a busy machine as on an idle one.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::built::SERVER_CORE;
use crate::conformance::tools;
use crate::shell::{read, write};
use crate::stage::Missing;

const REMEDY: &str = "install valgrind, which in Debian is the package of that name";

/// Functions that take memory from the heap.
const ALLOCATORS: [&str; 5] = ["malloc", "calloc", "realloc", "memalign", "posix_memalign"];

/// Finds valgrind. Where it isn't, and this is root on Debian, it is installed from Debian's packages.
pub(super) fn install() -> Result<(), Missing> {
    tools::find("taskset", "install util-linux, on Linux")?;
    tools::debian("valgrind", "valgrind", REMEDY)?;
    Ok(())
}

/// The command, on the first core, with callgrind that writes its profile there at the end.
pub(super) fn under(command: &Command, profile: &Path) -> Result<Command, String> {
    // What stood there would be taken for the profile of a program that ended without one.
    write(profile, "")?;
    let mut counted = Command::new("taskset");
    counted.args(["--cpu-list", SERVER_CORE, "valgrind", "--quiet", "--tool=callgrind"]);
    counted.arg(format!("--callgrind-out-file={}", profile.display()));
    counted.arg(command.get_program()).args(command.get_args());
    Ok(counted)
}

/// What a program executed, by function.
#[derive(Debug, Default)]
pub(super) struct Profile {
    functions: BTreeMap<String, Cost>,
}

/// What is spent in a function.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// Instructions of the function itself.
    own: f64,
    /// Those, and those of what it calls.
    pub(super) inclusive: f64,
    /// How often it is called.
    calls: f64,
}

impl Profile {
    /// Reads a profile in callgrind's format, version 1. A name stands in full where it is met first, as
    /// `fn=(7) main`, and as `fn=(7)` afterwards.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let profile = Self::parse(&read(path)?);
        profile.ok_or_else(|| format!("{} is no profile of callgrind", path.display()))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut names = BTreeMap::new();
        let mut profile = Self::default();
        let mut function = String::new();
        let mut call: Option<(String, f64)> = None;
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("fn=") {
                function = named(&mut names, name);
            } else if let Some(name) = line.strip_prefix("cfn=") {
                call = Some((named(&mut names, name), 0.0));
            } else if let Some(count) = line.strip_prefix("calls=") {
                let count = count.split(' ').next().and_then(|count| count.parse().ok());
                call.as_mut()?.1 = count?;
            } else if line
                .starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first))
            {
                // A place, and what was executed there: in a call, or by the function itself.
                let cost: f64 = line.split(' ').nth(1).map_or(Ok(0.0), str::parse).ok()?;
                if let Some((callee, calls)) = call.take() {
                    // A function that calls itself has these instructions already.
                    if callee != function {
                        profile.functions.entry(function.clone()).or_default().inclusive += cost;
                    }
                    profile.functions.entry(callee).or_default().calls += calls;
                } else {
                    let own = profile.functions.entry(function.clone()).or_default();
                    own.own += cost;
                    own.inclusive += cost;
                }
            }
        }
        (!profile.functions.is_empty()).then_some(profile)
    }

    /// What one of so many calls took, if `start` is the profile without them.
    pub(super) fn of_a_call(mut self, start: &Self, calls: u32) -> Self {
        let calls = f64::from(calls);
        for (name, cost) in &mut self.functions {
            let before = start.functions.get(name).copied().unwrap_or_default();
            cost.own = (cost.own - before.own) / calls;
            cost.inclusive = (cost.inclusive - before.inclusive) / calls;
            cost.calls = (cost.calls - before.calls) / calls;
        }
        self
    }

    pub(super) fn instructions(&self) -> f64 {
        self.functions.values().map(|cost| cost.own).sum()
    }

    /// Those of SHA-256, which are overstated: valgrind has no SHA instructions, as most machines have.
    pub(super) fn hashing(&self) -> f64 {
        let hashing = self.functions.iter().filter(|(name, _)| name.contains("sha2::"));
        hashing.map(|(_, cost)| cost.own).sum()
    }

    /// How often memory is taken from the heap.
    pub(super) fn allocations(&self) -> f64 {
        ALLOCATORS.iter().filter_map(|name| self.functions.get(*name)).map(|cost| cost.calls).sum()
    }

    /// The functions in which most is spent, the most costly first.
    pub(super) fn most_costly(&self) -> Vec<(&str, Cost)> {
        let functions = self.functions.iter().map(|(name, cost)| (name.as_str(), *cost));
        let mut functions: Vec<_> = functions.collect();
        functions.sort_by(|one, other| other.1.inclusive.total_cmp(&one.1.inclusive));
        functions
    }
}

/// The name that a number stands for, or is given here.
fn named(names: &mut BTreeMap<String, String>, text: &str) -> String {
    match text.split_once(' ') {
        Some((number, name)) => {
            names.insert(number.to_owned(), name.to_owned());
            name.to_owned()
        }
        None => names.get(text).cloned().unwrap_or_else(|| text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "all are whole numbers")]
    fn a_profile_tells_what_each_function_takes_with_what_it_calls() {
        let text = "events: Ir\n\nfl=(1) main.c\nfn=(1) main\n1 10\ncfn=(2) malloc\ncalls=3 7\n+1 60\n\n\
                    fn=(2)\n7 40\ncfn=(3) sha2::compress\ncalls=1 8\n* 20\ncfn=(2)\ncalls=2 7\n* 30\n\n\
                    fn=(3)\n8 20\n\ntotals: 70\n";
        let profile = Profile::parse(text).unwrap();
        assert_eq!(profile.instructions(), 70.0);
        assert_eq!(profile.hashing(), 20.0);
        assert_eq!(profile.allocations(), 5.0);
        let costs = profile.most_costly();
        let costs: Vec<_> = costs.iter().map(|(name, cost)| (*name, cost.inclusive)).collect();
        assert_eq!(costs, [("main", 70.0), ("malloc", 60.0), ("sha2::compress", 20.0)]);
        assert!(Profile::parse("").is_none());

        let start = Profile::parse("fn=(1) main\n1 6\n").unwrap();
        assert_eq!(profile.of_a_call(&start, 4).instructions(), 16.0);
    }
}
