//! The tasks of this repository: `cargo xtask check`, `test`, `openapi`, `conformance`, `attack`, `bench` and `soak`.

mod attack;
mod bench;
mod breaking;
mod check;
mod conformance;
mod definitions;
mod openapi;
mod shell;
mod stage;

use std::process::ExitCode;

use clap::Parser;

use crate::conformance::python::Depth;
use crate::shell::{complain, say};
use crate::stage::{Lacking, Stages};

/// The tasks of this repository.
#[derive(Debug, Parser)]
enum Task {
    /// Checks format, documents, lints and rustdoc, and runs the workspace's tests
    ///
    /// Installs nothing, and needs no network once cargo has fetched the sources that Cargo.lock names.
    /// Stops at the first stage that fails. The last line has the counts.
    Check,
    /// Runs `check`, an `attack` of a minute, and then `conformance`
    ///
    /// If format, documents, lints or rustdoc fail, it stops there; if tests fail, it goes on. A conformance
    /// stage whose tool this machine can't have is skipped, but fails where the environment has CI=true.
    /// The last line has the counts.
    Test,
    /// Writes the documents in openapi/
    Openapi {
        /// Writes nothing; fails if a document is not up to date, or breaks those who rely on the last
        /// release
        #[arg(long)]
        check: bool,
        /// Makes the document of today the released one, which later ones are compared with
        #[arg(long, conflicts_with = "check")]
        release: bool,
    },
    /// Lets tools that nobody here wrote check the documents and call the mock server
    ///
    /// Installs them under target/ first, for which it needs Python 3, Node.js, and their package registries;
    /// it also needs curl, Chromium and user namespaces. As root it installs Chromium from Debian's packages.
    /// A stage whose tool this machine can't have is skipped, but fails where the environment has CI=true;
    /// the stages after it are run in any case. The last line has the counts.
    Conformance {
        /// Ten times as many requests, and others each time
        #[arg(long)]
        thorough: bool,
    },
    /// Attacks servers of its own and the command `fabric`, and prints what came of it as a table
    ///
    /// Fails if a server dies, panics, answers outside the contract, takes more memory than its budgets, keeps
    /// what attackers held, or does not stop in time. The servers listen on loopback. Needs Linux.
    Attack(attack::Options),
    /// Counts what server, client and model cost, against doing without them
    ///
    /// Counts instructions by valgrind, which as root it installs from Debian's packages, and then takes the
    /// processor time of servers in turns. Prints the tables of xtask/README.md.
    Bench(bench::Bench),
    /// Makes a million calls to the mock server with its journal on, and watches its memory
    Soak,
}

fn main() -> ExitCode {
    let outcome = match Task::parse() {
        Task::Check => return in_stages(check::check),
        Task::Test => {
            return in_stages(|stages| {
                check::check(stages)?;
                let claim = "nothing that reaches the server or the command stops or fills it";
                stages.prove("attack", claim, attack::available(), |()| attack::brief());
                let claim = "no call costs more than xtask/benches/counts.toml has";
                stages.prove("instructions", claim, bench::tools(), |()| bench::check());
                conformance::conformance(stages, Depth::Usual)
            });
        }
        Task::Conformance { thorough } => {
            let depth = if thorough { Depth::Thorough } else { Depth::Usual };
            return in_stages(|stages| conformance::conformance(stages, depth));
        }
        Task::Openapi { check: true, .. } => openapi::check(),
        Task::Openapi { release: true, .. } => openapi::release(),
        Task::Openapi { .. } => openapi::publish(),
        Task::Attack(options) => attack::attack(&options),
        Task::Bench(asked) => bench::bench(&asked),
        Task::Soak => bench::soak(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            complain(&reason);
            ExitCode::FAILURE
        }
    }
}

/// Runs a task that consists of stages, and reports them.
fn in_stages(task: impl FnOnce(&mut Stages) -> Result<(), stage::Failed>) -> ExitCode {
    let mut stages = Stages::new(Lacking::of_environment());
    if let Err(stage::Failed(name)) = task(&mut stages) {
        say(&format!("\nstopped at `{name}`, which failed: the stages after it were not run"));
    }
    stages.finish()
}
