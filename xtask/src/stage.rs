//! Stages of a task: each has a name and is timed, and what this machine lacks is skipped.

use std::fmt::{self, Display};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::shell::{Outcome, say};

/// What happens to a stage that needs something that this machine lacks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Lacking {
    /// One line says what was not proved, and how to get what is needed.
    Skips,
    /// As in CI, where every stage must run.
    Fails,
}

impl Lacking {
    /// [`Fails`](Self::Fails) where the environment has `CI=true`.
    pub(crate) fn of_environment() -> Self {
        if std::env::var_os("CI").is_some_and(|value| value == "true") {
            Self::Fails
        } else {
            Self::Skips
        }
    }
}

/// Something that this machine lacks.
#[derive(Clone, Debug)]
pub(crate) struct Missing {
    what: String,
    remedy: String,
    output: String,
}

impl Missing {
    /// Both are parts of one line: what is missing, and what to do to get it.
    pub(crate) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into(), output: String::new() }
    }

    /// Adds what the installer printed, which is shown only where the stage fails for it.
    pub(crate) fn with_output(mut self, output: String) -> Self {
        self.output = output;
        self
    }
}

impl Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.what, self.remedy)
    }
}

/// The stage of this name has failed, and has said why.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) String);

/// How many tests and stages ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Counts {
    /// Adds what a line of a test program says, if it is its summary. It may be coloured.
    pub(crate) fn add_summary(&mut self, line: &str) {
        let Some(summary) = line.strip_prefix("test result: ") else { return };
        let words: Vec<_> = summary.split_whitespace().collect();
        for pair in words.windows(2) {
            let count = match pair[1] {
                "passed;" => &mut self.passed,
                "failed;" => &mut self.failed,
                "ignored;" => &mut self.skipped,
                _ => continue,
            };
            *count += pair[0].parse::<usize>().unwrap_or(0);
        }
    }
}

impl Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, skipped } = self;
        write!(formatter, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// How a stage ended.
#[derive(Debug)]
enum End {
    /// A check, which counts only if it fails.
    Held,
    /// A stage that counts as one.
    Proved,
    /// Tests, which are counted themselves.
    Tested(Counts),
    /// Why tests failed.
    TestsFailed(Counts, String),
    /// Something was installed, or was there already.
    Installed,
    /// It could not be installed, of which the stages that need it make what they must.
    Missing(Missing),
    /// What was not proved, and what to do about it, in one line.
    Skipped(String),
    Failed(String),
}

impl End {
    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        match self {
            Self::Held | Self::Installed | Self::Missing(_) => {}
            Self::Tested(tests) | Self::TestsFailed(tests, _) => counts = *tests,
            Self::Proved => counts.passed = 1,
            Self::Skipped(_) => counts.skipped = 1,
            Self::Failed(_) => counts.failed = 1,
        }
        counts
    }

    /// What is printed when the stage ends. The line of a skipped stage stands in the table only.
    fn told(&self) -> String {
        match self {
            Self::Missing(missing) => format!("missing: {missing}"),
            Self::Skipped(_) => "skipped".to_owned(),
            Self::Failed(reason) => format!("failed: {reason}"),
            _ => self.row(),
        }
    }

    /// What stands in the table: of a reason the first line.
    fn row(&self) -> String {
        let first_line = |reason: &str| reason.lines().next().unwrap_or_default().to_owned();
        match self {
            Self::Held | Self::Proved => "passed".to_owned(),
            Self::Tested(counts) => format!("passed ({counts})"),
            Self::TestsFailed(counts, reason) => format!("failed ({counts}): {reason}"),
            Self::Installed => "ready".to_owned(),
            Self::Missing(_) => "missing".to_owned(),
            Self::Skipped(line) => format!("skipped, so not proved: {line}"),
            Self::Failed(reason) => format!("failed: {}", first_line(reason)),
        }
    }
}

/// The stages of a task that have ended.
#[derive(Debug)]
pub(crate) struct Stages {
    lacking: Lacking,
    ended: Vec<Ended>,
}

#[derive(Debug)]
struct Ended {
    name: String,
    time: Duration,
    end: End,
}

impl Stages {
    pub(crate) fn new(lacking: Lacking) -> Self {
        Self { lacking, ended: Vec::new() }
    }

    /// Runs a stage that runs nothing of ours, and so counts only if it fails.
    pub(crate) fn check(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Outcome,
    ) -> Result<(), Failed> {
        let begin = start(name);
        let outcome = work();
        let result = outcome.as_ref().map(|&()| ()).map_err(|_| Failed(name.to_owned()));
        self.end(name, begin, outcome.map_or_else(End::Failed, |()| End::Held));
        result
    }

    /// Runs a stage that counts its tests. If it fails without a failed test, it counts as one.
    pub(crate) fn tests(&mut self, name: &str, work: impl FnOnce(&mut Counts) -> Outcome) {
        let begin = start(name);
        let mut counts = Counts::default();
        let end = match work(&mut counts) {
            Ok(()) => End::Tested(counts),
            Err(reason) => {
                counts.failed = counts.failed.max(1);
                End::TestsFailed(counts, reason)
            }
        };
        self.end(name, begin, end);
    }

    /// Installs what later stages need. It counts nothing: the stages that need it do.
    pub(crate) fn install<T>(
        &mut self,
        what: &str,
        work: impl FnOnce() -> Result<T, Missing>,
    ) -> Result<T, Missing> {
        let name = format!("install {what}");
        let begin = start(&name);
        let mut installed = work();
        let end = match &mut installed {
            Ok(_) => End::Installed,
            Err(missing) => {
                self.show_output(missing);
                End::Missing(missing.clone())
            }
        };
        self.end(&name, begin, end);
        installed
    }

    /// Runs a stage with what it needs, which counts as one. If that is missing, the stage is skipped or
    /// fails; `claim` then says what was not proved.
    pub(crate) fn prove<T>(
        &mut self,
        name: &str,
        claim: &str,
        needed: Result<T, Missing>,
        work: impl FnOnce(T) -> Outcome,
    ) {
        let begin = start(name);
        let end = match (needed, self.lacking) {
            (Ok(needed), _) => work(needed).map_or_else(End::Failed, |()| End::Proved),
            (Err(missing), Lacking::Skips) => End::Skipped(format!("{claim} ({missing})")),
            (Err(mut missing), Lacking::Fails) => {
                self.show_output(&mut missing);
                End::Failed(format!("{missing} (CI=true, so nothing is skipped)"))
            }
        };
        self.end(name, begin, end);
    }

    /// Prints the table of all stages, and the counts as the last line.
    pub(crate) fn finish(self) -> ExitCode {
        say(&format!("\n{self}"));
        if self.counts().failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn counts(&self) -> Counts {
        self.ended.iter().fold(Counts::default(), |sum, ended| {
            let Counts { passed, failed, skipped } = ended.end.counts();
            Counts {
                passed: sum.passed + passed,
                failed: sum.failed + failed,
                skipped: sum.skipped + skipped,
            }
        })
    }

    /// Shows why an installer failed, once, where that lets stages fail.
    fn show_output(&self, missing: &mut Missing) {
        let output = std::mem::take(&mut missing.output);
        if self.lacking == Lacking::Fails && !output.is_empty() {
            say(&output);
        }
    }

    fn end(&mut self, name: &str, begin: Instant, end: End) {
        let time = begin.elapsed();
        say(&format!("== {name}: {:.1} s, {}", time.as_secs_f64(), end.told()));
        self.ended.push(Ended { name: name.to_owned(), time, end });
    }
}

impl Display for Stages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.ended.iter().map(|stage| stage.name.len());
        let width = names.max().unwrap_or(0).max("stage".len());
        writeln!(formatter, "{:width$}  seconds  outcome", "stage")?;
        for Ended { name, time, end } in &self.ended {
            writeln!(formatter, "{name:width$}  {:7.1}  {}", time.as_secs_f64(), end.row())?;
        }
        let total: Duration = self.ended.iter().map(|stage| stage.time).sum();
        writeln!(formatter, "{:width$}  {:7.1}", "all", total.as_secs_f64())?;
        write!(formatter, "\n{}", self.counts())
    }
}

fn start(name: &str) -> Instant {
    say(&format!("\n== {name}"));
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three stages: one that passes, one that fails and one whose tool is missing.
    fn stages(lacking: Lacking) -> Stages {
        let mut stages = Stages::new(lacking);
        stages.prove("first", "it works", Ok(1), |_| Ok(()));
        stages.prove("second", "it works", Ok(2), |_| Err("no\nfor this reason".to_owned()));
        let missing = Missing::new("there is no node in PATH", "install Node.js");
        stages.prove("third", "it works", Err::<(), _>(missing), |()| Ok(()));
        stages
    }

    fn lines(stages: &Stages) -> Vec<String> {
        stages.to_string().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_skipped_stage_says_in_one_line_what_was_not_proved() {
        let lines = lines(&stages(Lacking::Skips));
        let skipped =
            "skipped, so not proved: it works (there is no node in PATH: install Node.js)";
        assert!(lines[3].starts_with("third ") && lines[3].ends_with(skipped), "{lines:?}");
        assert_eq!(lines.last().unwrap(), "1 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn in_ci_nothing_is_skipped() {
        let lines = lines(&stages(Lacking::Fails));
        assert!(lines[3].contains("failed: there is no node in PATH"), "{lines:?}");
        assert_eq!(lines.last().unwrap(), "1 passed, 2 failed, 0 skipped");
    }

    #[test]
    fn a_row_has_the_first_line_of_a_reason() {
        let lines = lines(&stages(Lacking::Skips));
        assert!(lines[2].ends_with("failed: no"), "{lines:?}");
    }

    #[test]
    fn checks_count_only_if_they_fail() {
        let mut stages = Stages::new(Lacking::Skips);
        stages.check("format", || Ok(())).unwrap();
        assert_eq!(stages.counts(), Counts::default());
        stages.check("lint", || Err("a warning".to_owned())).unwrap_err();
        assert_eq!(stages.counts(), Counts { failed: 1, ..Counts::default() });
    }

    #[test]
    fn tests_are_counted_from_summaries() {
        let mut stages = Stages::new(Lacking::Skips);
        stages.tests("tests", |counts| {
            for line in [
                "running 3 tests",
                "test result: ok. 14 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s",
                "test result: \u{1b}[31mFAILED\u{1b}(B\u{1b}[m. 2 passed; 3 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.02s",
                "a test printed: test result: ok. 100 passed;",
            ] {
                counts.add_summary(line);
            }
            Err("`cargo test` failed".to_owned())
        });
        assert_eq!(stages.counts(), Counts { passed: 16, failed: 3, skipped: 1 });
    }

    #[test]
    fn tests_that_end_without_a_summary_fail() {
        let mut stages = Stages::new(Lacking::Skips);
        stages.tests("tests", |_| Err("`cargo test` failed".to_owned()));
        assert_eq!(stages.counts(), Counts { failed: 1, ..Counts::default() });
    }
}
