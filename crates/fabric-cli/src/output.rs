//! Results, for people as tables and for programs as JSON.

use std::io::Write;

use clap::ValueEnum;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use fabric_client::model::access_client::AccessClient;
use serde_json::json;

use crate::{Exit, Failure};

/// How results are shown.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Output {
    Table,
    Json,
}

impl Output {
    /// Shows an access client with every field it has.
    pub(crate) fn one(self, access_client: &AccessClient) -> Result<(), Failure> {
        if matches!(self, Self::Json) {
            return print(&json!(access_client).to_string());
        }
        let mut table = table();
        let mut row = |field: &str, value: &str| {
            table.add_row([field, value]);
        };
        row("id", text(access_client.id.as_ref()));
        row("name", text(access_client.name.as_ref()));
        row("status", status(access_client));
        row("vpc id", text(access_client.vpc_id.as_ref()));
        row("subnet ids", &access_client.subnet_ids.join("\n"));
        for connection in &access_client.access_connections {
            let parts =
                [&connection.vpcep_id, &connection.domain, &connection.ip, &connection.owner];
            let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
            row("connection", &parts.join("\n"));
        }
        row("created", text(access_client.create_time.as_ref()));
        print(&lines(&table))
    }

    /// Shows a list, a line each.
    pub(crate) fn many(self, access_clients: &[AccessClient]) -> Result<(), Failure> {
        if matches!(self, Self::Json) {
            return print(&json!(access_clients).to_string());
        }
        if access_clients.is_empty() {
            return print("no access clients");
        }
        let mut table = table();
        table.set_header(["ID", "NAME", "STATUS", "CREATED"]);
        for found in access_clients {
            let created = text(found.create_time.as_ref());
            table.add_row([
                text(found.id.as_ref()),
                text(found.name.as_ref()),
                status(found),
                created,
            ]);
        }
        print(&lines(&table))
    }

    /// Says that something is done. A program knows by how the command ends.
    pub(crate) fn say(self, what: &str) -> Result<(), Failure> {
        match self {
            Self::Table => print(&plain(what)),
            Self::Json => Ok(()),
        }
    }
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table
}

fn text(value: Option<&String>) -> &str {
    value.map_or("-", String::as_str)
}

fn status(access_client: &AccessClient) -> &str {
    access_client.status.as_ref().map_or("-", |status| status.as_str())
}

/// A text without characters that would steer the terminal: names are whatever somebody has chosen.
pub(crate) fn plain(text: &str) -> String {
    let steers = |character: char| character.is_control() && character != '\n';
    text.replace(steers, "\u{fffd}")
}

/// A table as text, without the blanks at its sides.
fn lines(table: &Table) -> String {
    let lines =
        table.lines().map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned());
    plain(&lines.collect::<Vec<_>>().join("\n"))
}

pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{}", text.trim_end()) {
        // Whoever reads may have had enough, as `head` does.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure {
            reason: format!("cannot print: {error}"),
            hint: None,
            exit: Exit::Failed,
        }),
        _ => Ok(()),
    }
}
