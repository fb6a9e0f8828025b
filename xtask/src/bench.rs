//! What our layers cost: the server beside bare axum, the client beside bare reqwest, validating beside parsing.

mod built;
mod callgrind;
mod counts;
mod growth;
mod load;
mod memory;
mod server;
mod subject;
mod table;
mod turns;

use clap::Args;

use crate::bench::built::build;
use crate::shell::{Outcome, say};
use crate::stage::Missing;

pub(crate) use memory::soak;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Bench {
    /// Only counts, and fails if a call has grown by 3 % since xtask/benches/counts.toml was written
    #[arg(long)]
    check: bool,
    /// Only counts, and writes xtask/benches/counts.toml
    #[arg(long, conflicts_with = "check")]
    accept: bool,
    /// Only shows in which functions a call of the server spends its instructions
    #[arg(long, conflicts_with_all = ["check", "accept"])]
    profile: bool,
    /// Only shows how calls, lists, starts, snapshots and memory grow with the records of a project
    #[arg(long, conflicts_with_all = ["check", "accept", "profile"])]
    growth: bool,
}

pub(crate) fn bench(asked: &Bench) -> Outcome {
    if asked.growth {
        return growth::growth();
    }
    tools().map_err(|missing| missing.to_string())?;
    if asked.check {
        return check();
    }
    build()?;
    if asked.profile {
        return counts::show_profile();
    }
    let counted = counts::count()?;
    say(&counts::tables(&counted));
    if asked.accept {
        return counts::accept(&counted);
    }
    say(&turns::tables()?);
    say(&memory::table_of_rest()?);
    Ok(())
}

/// Installs what counts, if it can.
pub(crate) fn tools() -> Result<(), Missing> {
    callgrind::install()
}

/// Counts, and fails if a call costs more than it did.
pub(crate) fn check() -> Outcome {
    build()?;
    let counted = counts::count()?;
    say(&counts::tables(&counted));
    counts::check(&counted)
}
