//! What a resource may have beyond its operations.

use std::future::Future;
use std::pin::Pin;

use clap::{ArgMatches, Command};
use serde_json::Value;

use crate::failure::Failure;
use crate::session::Session;
use crate::verb::Verb;

/// What a resource has beyond its operations.
pub(crate) trait Extras: Sync {
    /// The name of the resource.
    fn resource(&self) -> &'static str;

    /// The flags that [`Self::extend`] adds, which no field can have.
    fn reserved(&self) -> &'static [&'static str] {
        &[]
    }

    /// The flag of a field.
    fn flag(&self, verb: &str, field: &str) -> Flag {
        let _ = (verb, field);
        Flag::OfField
    }

    /// Adds aliases, arguments and verbs to the command line.
    fn extend(&self, command: Command) -> Command {
        command
    }

    /// Runs a verb in place of the operation; `None` leaves it to the operation.
    fn run<'a>(&self, call: Call<'a>) -> Option<Running<'a>> {
        let _ = call;
        None
    }

    /// The rows of one, for a table: labels and values.
    fn rows(&self, answer: &Value) -> Option<Vec<(String, Value)>> {
        let _ = answer;
        None
    }
}

/// The flag of a field.
pub(crate) enum Flag {
    /// That of its name.
    OfField,
    Named(&'static str),
    /// None; `--json` can still give the field.
    Omitted,
}

/// A verb as it stands on the command line.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) session: &'a Session,
    pub(crate) name: &'a str,
    pub(crate) matches: &'a ArgMatches,
    /// The operation; `None` for a verb that the extras add.
    pub(crate) verb: Option<&'a Verb>,
}

/// A verb that runs.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Failure>> + 'a>>;
