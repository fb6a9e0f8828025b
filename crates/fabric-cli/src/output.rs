//! Results, for people as tables and for programs as JSON.

use std::io::Write;

use clap::ValueEnum;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use fabric_model::charset::steers;
use fabric_model::{ResourceInfo, json};
use serde_json::Value;

use crate::failure::{Exit, Failure};

/// How results are shown.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Output {
    Table,
    Json,
}

impl Output {
    /// Shows one, with every field that it has.
    pub(crate) fn one(self, answer: &Value) -> Result<(), Failure> {
        self.rows(answer, fields(answer))
    }

    /// Shows one as these rows, each with its label.
    pub(crate) fn rows(self, answer: &Value, rows: Vec<(String, Value)>) -> Result<(), Failure> {
        if matches!(self, Self::Json) {
            return print(&json::escape(&answer.to_string()));
        }
        let mut table = table();
        for (label, value) in rows {
            // Of a list of lists or objects each has a row.
            match value {
                Value::Array(items) if items.iter().any(|item| !is_short(item)) => {
                    for item in &items {
                        table.add_row([&label, &cell(item)]);
                    }
                }
                value => {
                    table.add_row([&label, &cell(&value)]);
                }
            }
        }
        print(&lines(&table))
    }

    /// Shows a list, a line each.
    pub(crate) fn many(self, items: &[Value], resource: &ResourceInfo) -> Result<(), Failure> {
        if matches!(self, Self::Json) {
            return print(&json::escape(&Value::from(items).to_string()));
        }
        if items.is_empty() {
            return print(&format!("no {}", resource.plural()));
        }
        let mut table = table();
        let names = columns(items);
        table.set_header(names.iter().map(|name| label(name).to_uppercase()));
        for item in items {
            table.add_row(names.iter().map(|name| cell(item.get(name).unwrap_or(item))));
        }
        print(&lines(&table))
    }

    /// Says that something is done. A program knows by the exit status.
    pub(crate) fn say(self, what: &str) -> Result<(), Failure> {
        match self {
            Self::Table => print(&plain(what)),
            Self::Json => Ok(()),
        }
    }
}

/// A text without what a terminal obeys, so that it stays on its line: names are whatever their author chose.
pub(crate) fn plain(text: &str) -> String {
    text.replace(steers, "\u{fffd}")
}

/// The same of each line of a text.
fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// Prints to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{}", text.trim_end()) {
        // A reader may have closed the pipe, as `head` does.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Failed, format!("cannot print: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints to standard error.
pub(crate) fn tell(what: &str) {
    // If standard error cannot be written to, there is no other place to say so.
    let _ = writeln!(std::io::stderr(), "{}", plain_lines(what));
}

/// The widest table of a list, in characters, unless its first columns need more.
const WIDTH_MAX: usize = 100;

/// The longest text that a table of a list shows.
const SHORT: usize = 40;

/// The names of the fields that a table of a list shows: id, name, status and time of creation, then short ones
/// while there is room. Items that are no objects have one column without a name.
fn columns(items: &[Value]) -> Vec<String> {
    let mut names: Vec<&String> = Vec::new();
    for name in items.iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let width = |name: &str| {
        let cells = items.iter().filter_map(|item| item.get(name)).map(cell);
        let widths = cells
            .flat_map(|cell| cell.lines().map(|line| line.chars().count()).collect::<Vec<_>>());
        widths.max().unwrap_or_default().max(label(name).chars().count()) + 2
    };
    let is_present =
        |name: &str| items.iter().any(|item| item.get(name).is_some_and(|it| !it.is_null()));
    let is_short_column = |name: &str| {
        let mut values = items.iter().filter_map(|item| item.get(name));
        values.all(|value| {
            let is_short = is_short(value) || is_list_of_pairs(value);
            is_short && cell(value).lines().all(|line| line.chars().count() <= SHORT)
        })
    };
    let mut used = 0;
    let mut chosen: Vec<String> = Vec::new();
    for first in [true, false] {
        for name in sorted(names.iter().copied().cloned().collect()) {
            let is_first = rank(&name) < OTHERS || name == CREATED;
            let fits = is_first || (is_short_column(&name) && used + width(&name) <= WIDTH_MAX);
            if is_first == first && is_present(&name) && fits {
                used += width(&name);
                chosen.push(name);
            }
        }
    }
    let names = sorted(chosen);
    if names.is_empty() { vec![String::new()] } else { names }
}

/// The fields of an object with their labels, in the order in which they are shown.
fn fields(answer: &Value) -> Vec<(String, Value)> {
    let Some(object) = answer.as_object() else {
        return vec![("answer".to_owned(), answer.clone())];
    };
    let names = sorted(object.keys().cloned().collect());
    let present = names.into_iter().filter(|name| !object[name].is_null());
    present.map(|name| (label(&name), object[&name].clone())).collect()
}

const CREATED: &str = "create_time";

/// The rank of a field that is neither among the first nor a time.
const OTHERS: usize = 3;

/// Id, name and status come first, then the description, and times last.
fn rank(name: &str) -> usize {
    let first = ["id", "name", "status"].iter().position(|known| *known == name);
    let is_time = name.ends_with("_time") || name.ends_with("_at");
    first.unwrap_or(if is_time { OTHERS + 1 } else { OTHERS })
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort_by_key(|name| (rank(name), name != "description", name.clone()));
    names
}

/// A field in words.
fn label(name: &str) -> String {
    match name {
        CREATED => "created".to_owned(),
        "update_time" => "updated".to_owned(),
        name => plain(&name.replace('_', " ")),
    }
}

fn is_short(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

/// A key with its value or values, such as a tag, as `key=value`.
fn pair(value: &Value) -> Option<String> {
    let object = value.as_object().filter(|object| object.len() <= 2)?;
    let key = object.get("key")?.as_str()?;
    match (object.get("value"), object.get("values")) {
        (Some(Value::String(value)), None) => Some(plain(&format!("{key}={value}"))),
        (None, Some(Value::Array(values))) => {
            let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            Some(plain(&format!("{key}={}", values.join("|"))))
        }
        _ => None,
    }
}

fn is_list_of_pairs(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(|item| pair(item).is_some()))
}

/// A value as text: a list or an object line by line.
fn cell(value: &Value) -> String {
    let line = |item: &Value| match pair(item) {
        Some(pair) => pair,
        None if is_short(item) => cell(item),
        None => plain(&item.to_string()),
    };
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => plain(text),
        Value::Array(items) => items.iter().map(line).collect::<Vec<_>>().join("\n"),
        Value::Object(_) => {
            let rows = fields(value).into_iter();
            rows.map(|(label, value)| format!("{label}: {}", line(&value)))
                .collect::<Vec<_>>()
                .join("\n")
        }
        other => other.to_string(),
    }
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// A table as text, without the blanks at its sides.
fn lines(table: &Table) -> String {
    let lines =
        table.lines().map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}
