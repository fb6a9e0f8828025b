//! Waits: their flags, and the line that shows each poll.

use std::io::IsTerminal;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use fabric_client::Wait;
use fabric_model::{Operation, Stateful};

use crate::output::{plain, tell};

const WAIT: &str = "wait";
const AT_MOST: &str = "at-most";

/// The flags of verbs that can wait.
pub(crate) const FLAGS: &[&str] = &[WAIT, AT_MOST];

/// The flags of a verb that can wait.
pub(crate) fn flags(help: &'static str) -> [Arg; 2] {
    let wait = Arg::new(WAIT).long(WAIT).action(ArgAction::SetTrue).help(help);
    [wait, at_most().requires(WAIT)]
}

/// The flag that limits a wait.
pub(crate) fn at_most() -> Arg {
    Arg::new(AT_MOST)
        .long(AT_MOST)
        .value_name("DUR")
        .default_value("10m")
        .value_parser(value_parser!(humantime::Duration))
        .help("The longest time to wait")
}

/// Whether a wait is asked for.
pub(crate) fn is_asked(matches: &ArgMatches) -> bool {
    matches.get_flag(WAIT)
}

/// How to wait; on a terminal, with a line for each poll.
pub(crate) fn progress<O: Operation<Response: Stateful>>(matches: &ArgMatches) -> Wait<O> {
    let at_most = matches.get_one::<humantime::Duration>(AT_MOST).copied();
    let wait = Wait::default().timeout(at_most.map_or(Duration::from_mins(10), Into::into));
    if !std::io::stderr().is_terminal() {
        return wait;
    }
    let started = std::time::Instant::now();
    wait.observe(move |seen: &O::Response| {
        let status = seen.status().map_or("without a status".to_owned(), ToString::to_string);
        let seconds = started.elapsed().as_secs();
        tell(&format!("{seconds:>4} s  {}", plain(&status)));
    })
}
