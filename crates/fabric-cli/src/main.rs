#![doc = include_str!("../README.md")]

mod access_clients;
mod arguments;
mod document;
mod endpoints;
mod extras;
mod failure;
mod group;
mod output;
mod request;
mod sending;
mod session;
mod tags;
mod value;
mod verb;
mod waits;
mod whoami;

use std::process::ExitCode;

use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};

use arguments::{Arguments, Extra, General};
use document::Document;
use extras::{Call, Extras};
use failure::{Exit, Failure};
use group::Group;
use output::{plain, tell};
use sending::Answer;
use session::Session;

/// The resources that have more than their operations: a line each.
const EXTRAS: &[&dyn Extras] =
    &[&access_clients::AccessClients, &endpoints::Endpoints, &tags::Tags];

fn main() -> ExitCode {
    let groups = Group::all(&Document::new(), EXTRAS);
    let matches = command(&groups).get_matches();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(&groups, &matches)),
        Err(error) => Err(Failure::misused(format!("cannot start: {error}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { reason, hint, exit }) => {
            tell(&format!("fabric: {reason}"));
            if let Some(hint) = hint {
                tell(&format!("  {}", plain(&hint)));
            }
            ExitCode::from(exit as u8)
        }
    }
}

/// The whole command line.
fn command(groups: &[Group]) -> Command {
    let command = Arguments::command();
    let reserved = Arguments::reserved(&command);
    let groups = groups.iter().enumerate();
    command.subcommands(groups.map(|(at, group)| group.command(&reserved).display_order(at)))
}

async fn run(groups: &[Group], matches: &ArgMatches) -> Result<(), Failure> {
    let general = General::of(matches)?;
    let Some((name, below)) = matches.subcommand() else {
        return Err(Failure::misused("give a command"));
    };
    if let Some(group) = groups.iter().find(|group| group.resource.name == name)
        && let Some((verb, matches)) = below.subcommand()
    {
        let session = Session { client: general.client()?, output: general.output };
        return run_verb(&session, group, verb, matches).await.map_err(|failure| {
            match (failure.exit, group.list_command()) {
                (Exit::NotFound, Some(list)) => {
                    failure.or_hint(format!("`{list}` shows which there are"))
                }
                _ => failure,
            }
        });
    }
    match Extra::from_arg_matches(matches).map_err(|error| Failure::misused(error.to_string()))? {
        Extra::Health => {
            general.client()?.show_health().await?;
            general.output.say("the service is up")
        }
        Extra::Whoami => whoami::show(&general.client()?, general.output).await,
        Extra::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command(groups), "fabric", &mut script);
            output::print(&String::from_utf8_lossy(&script))
        }
    }
}

async fn run_verb(
    session: &Session,
    group: &Group,
    name: &str,
    matches: &ArgMatches,
) -> Result<(), Failure> {
    let verb = group.verbs.iter().find(|verb| verb.name == name);
    let extras = group.extras();
    let call = Call { session, name, matches, verb };
    if let Some(running) = extras.and_then(|extras| extras.run(call)) {
        return running.await;
    }
    let Some(verb) = verb else { return Err(Failure::misused("there is no such verb")) };
    match sending::send(session, verb, matches).await? {
        Answer::Nothing => session.output.say("done"),
        Answer::Many(items) => session.output.many(&items, group.resource),
        Answer::One(answer) => match extras.and_then(|extras| extras.rows(&answer)) {
            Some(rows) => session.output.rows(&answer, rows),
            None => session.output.one(&answer),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Document, EXTRAS, Group, command};
    use crate::verb::Paging;

    #[test]
    fn the_command_line_is_sound() {
        let groups = Group::all(&Document::new(), EXTRAS);
        command(&groups).debug_assert();
        for group in &groups {
            for verb in &group.verbs {
                let fields = verb.fields.path.iter().chain(&verb.fields.query);
                for field in fields.chain(verb.fields.body.iter().flatten()) {
                    assert!(!field.help.is_empty(), "{} of {}", field.name, verb.operation.id);
                }
            }
        }
    }

    #[test]
    fn verbs_are_plain_and_each_is_one_operation() {
        let mut all = Vec::new();
        for group in Group::all(&Document::new(), EXTRAS) {
            let mut names: Vec<&str> = group.verbs.iter().map(|verb| &*verb.name).collect();
            all.extend(names.iter().map(|name| format!("{} {name}", group.resource.name)));
            names.sort_unstable();
            assert!(names.windows(2).all(|two| two[0] != two[1]), "{names:?}");
            for verb in &group.verbs {
                assert!(verb.positional().count() <= 1, "{}", verb.operation.id);
            }
        }
        for expected in [
            "access-clients create",
            "workspaces list",
            "endpoints subscribe",
            "tags create",
            "tags delete",
            "tags list",
            "tags list-project",
            "tags filter",
            "tags count",
            "metrics update",
            "job-versions list",
            "job-versions delete",
            "models update",
            "models delete",
            "agencies show",
            "agreements create",
            "agreement-rules show",
            "base-models list",
            "message-policies delete",
            "specifications list",
            "service show",
        ] {
            assert!(all.iter().any(|name| name == expected), "{expected}: {all:?}");
        }
        let words = ["create", "list", "show", "update", "delete", "filter", "count", "subscribe"];
        for name in all {
            let verb = name.split([' ', '-']).rfind(|word| words.contains(word));
            assert!(verb.is_some(), "{name}");
        }
    }

    #[test]
    fn what_is_answered_in_pages_is_listed_to_its_end() {
        for group in Group::all(&Document::new(), EXTRAS) {
            for verb in group.verbs {
                let has = |name: &str| verb.fields.query.iter().any(|field| field.name == name);
                let pages =
                    verb.operation.items_in_response.is_some() && has("offset") && has("limit");
                assert_eq!(verb.paging == Paging::Pages, pages, "{}", verb.operation.id);
            }
        }
    }

    #[test]
    fn extras_are_of_resources_that_exist() {
        let groups = Group::all(&Document::new(), EXTRAS);
        for extras in EXTRAS {
            assert!(groups.iter().any(|group| group.resource.name == extras.resource()));
        }
    }
}
