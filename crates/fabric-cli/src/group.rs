//! The command line of each resource, from its operations.

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, Command, Id};
use fabric_model::{ResourceInfo, operations};

use crate::document::{Document, Field, Kind, first_sentence};
use crate::extras::{Extras, Flag};
use crate::value;
use crate::verb::{JSON, MOST, Paging, Place, Verb};

/// A resource with its verbs.
pub(crate) struct Group {
    pub(crate) resource: &'static ResourceInfo,
    pub(crate) verbs: Vec<Verb>,
    extras: Option<&'static dyn Extras>,
}

impl Group {
    /// Every resource, in the order of its first operation.
    pub(crate) fn all(document: &Document, extras: &[&'static dyn Extras]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for operation in operations() {
            let resource = operation.resource;
            let verb = Verb::of(operation, document);
            match groups.iter_mut().find(|group| group.resource == resource) {
                Some(group) => group.verbs.push(verb),
                None => groups.push(Self {
                    resource,
                    verbs: vec![verb],
                    extras: extras.iter().copied().find(|it| it.resource() == resource.name),
                }),
            }
        }
        groups
    }

    pub(crate) fn extras(&self) -> Option<&'static dyn Extras> {
        self.extras
    }

    /// The command line of the resource.
    pub(crate) fn command(&self, reserved: &[String]) -> Command {
        let mut command = Command::new(self.resource.name)
            .about(self.resource.description)
            .subcommand_required(true)
            .arg_required_else_help(true);
        for verb in &self.verbs {
            command = command.subcommand(verb_command(verb, self.extras, reserved));
        }
        match self.extras {
            Some(extras) => extras.extend(command),
            None => command,
        }
    }

    /// The command that lists what there is, if there is one.
    pub(crate) fn list_command(&self) -> Option<String> {
        let list = self.verbs.iter().find(|verb| verb.operation.items_in_response.is_some())?;
        let mut words = vec!["fabric".to_owned(), self.resource.name.to_owned(), list.name.clone()];
        for field in list.owners() {
            words.push(format!("--{} {}", flag_of(&field.name), field.name.to_uppercase()));
        }
        Some(words.join(" "))
    }
}

/// The command line of a verb.
fn verb_command(verb: &Verb, extras: Option<&dyn Extras>, reserved: &[String]) -> Command {
    let explained = first_sentence(verb.operation.description);
    let mut command = Command::new(verb.name.clone())
        .about(verb.operation.summary)
        .after_help(format!("{explained}.\n\nThe operation is {}.", verb.operation.id));
    for field in verb.positional() {
        command = command.arg(
            Arg::new(Place::Path.id(field))
                .value_name(field.name.to_uppercase())
                .help(field.help.clone())
                .required(true),
        );
    }
    for field in verb.owners() {
        command = command.arg(owner(Place::Path.id(field), &field.name, field.help.clone()));
    }
    let body = verb.fields.body.as_deref();
    let query = verb.fields.query.iter().map(|field| (Place::Query, field));
    for (place, field) in query.chain(body.into_iter().flatten().map(|field| (Place::Body, field)))
    {
        if matches!(place, Place::Query) && verb.is_paging(field) {
            continue;
        }
        let flag = extras.map_or(Flag::OfField, |it| it.flag(&verb.name, &field.name));
        let added = extras.map_or(&[][..], Extras::reserved);
        let taken = |long: &str| {
            reserved.iter().any(|known| known == long)
                || added.contains(&long)
                || command.get_arguments().any(|known| known.get_long() == Some(long))
        };
        let long = match flag {
            Flag::Omitted => continue,
            Flag::Named(name) => name.to_owned(),
            Flag::OfField => flag_of(&field.name),
        };
        let long = if taken(&long) { format!("{}-{long}", place.name()) } else { long };
        command = command.arg(argument(place, field, long));
    }
    if body.is_some() {
        command = command.arg(whole_body());
    }
    if verb.paging == Paging::Pages {
        command = command.arg(most());
    }
    command
}

/// The name of the flag of a field.
fn flag_of(field: &str) -> String {
    field.replace('_', "-")
}

/// The flag of what a record belongs to. That of the workspace can stand in the environment, since most commands
/// need it.
pub(crate) fn owner(id: impl Into<Id>, field: &str, help: impl Into<String>) -> Arg {
    let argument = Arg::new(id).long(flag_of(field)).value_name("ID").help(help.into());
    let argument = argument.required(true);
    if field == "workspace_id" { argument.env("FABRIC_WORKSPACE_ID") } else { argument }
}

/// The flag of a field.
fn argument(place: Place, field: &Field, long: String) -> Arg {
    let (kind, is_list) = match &field.kind {
        Kind::List(kind) => (kind.as_ref(), true),
        kind => (kind, false),
    };
    let repeatable = if is_list { "; repeatable" } else { "" };
    let required = if field.is_required { " [required]" } else { "" };
    let argument = Arg::new(place.id(field))
        .long(long)
        .help(format!("{}{repeatable}{required}", field.help))
        .action(if is_list { ArgAction::Append } else { ArgAction::Set })
        .value_name(value::placeholder(kind))
        .value_parser(parser(kind));
    let argument = match (kind, is_list) {
        (Kind::Boolean, false) => {
            argument.num_args(0..=1).require_equals(true).default_missing_value("true")
        }
        (Kind::Integer | Kind::Number, _) => argument.allow_negative_numbers(true),
        _ => argument,
    };
    match (field.is_required, place) {
        (true, Place::Body) => argument.required_unless_present(JSON),
        (true, _) => argument.required(true),
        (false, _) => argument,
    }
}

fn parser(kind: &Kind) -> ValueParser {
    let kind = kind.clone();
    ValueParser::from(move |text: &str| value::parse(&kind, text))
}

fn whole_body() -> Arg {
    Arg::new(JSON).long("json").value_name("FILE").help(
        "The whole body, as JSON, from a file or, with -, from standard input; a flag replaces the \
         field of its name",
    )
}

fn most() -> Arg {
    let positive = |text: &str| match text.parse::<usize>() {
        Ok(most) if most > 0 => Ok(most),
        _ => Err("must be a whole number from 1"),
    };
    Arg::new(MOST)
        .long("most")
        .value_name("N")
        .help("The most items to list; without it, all, up to 50,000")
        .value_parser(ValueParser::from(positive))
}
