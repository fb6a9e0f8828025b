//! Puts a request together from the command line.

use std::io::Read;

use clap::ArgMatches;
use fabric_model::{Operation, Payload, Request};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::document::{Field, Kind};
use crate::failure::Failure;
use crate::session::Session;
use crate::value;
use crate::verb::{JSON, MOST, Paging, Place, Verb};

/// A request as text, before its operation reads it.
#[derive(Debug)]
pub(crate) struct Parts {
    path: String,
    query: String,
    body: Vec<u8>,
}

/// The size of the pages of a list, unless `--most` asks for less: what the service allows.
const PAGE: usize = 100;

impl Parts {
    /// Puts the request of a verb together. A path that names a project takes that of the client.
    pub(crate) async fn collect(
        session: &Session,
        verb: &Verb,
        matches: &ArgMatches,
    ) -> Result<Self, Failure> {
        let mut path = verb.operation.path.to_owned();
        for field in &verb.fields.path {
            let is_project = verb.operation.project_parameter == Some(field.name.as_str());
            let value = if is_project {
                session.client.project_id().await?.to_string()
            } else {
                matches.get_one(&Place::Path.id(field)).cloned().unwrap_or_default()
            };
            path = path.replace(&format!("{{{}}}", field.name), &escape(&value));
        }
        let body = match &verb.fields.body {
            Some(fields) => body(fields, matches)?,
            None => Vec::new(),
        };
        Ok(Self { path, query: query(verb, matches), body })
    }

    /// Reads the request as the service would.
    pub(crate) fn read<O: Operation>(&self) -> Result<Request<O>, Failure> {
        let media_type = O::Body::MEDIA_TYPE.map(str::as_bytes);
        Ok(Request::read(&self.path, &self.query, media_type, &self.body)?)
    }
}

/// The most items that `--most` wants.
pub(crate) fn most(matches: &ArgMatches) -> usize {
    matches.get_one(MOST).copied().unwrap_or(usize::MAX)
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn query(verb: &Verb, matches: &ArgMatches) -> String {
    let mut pairs = Vec::new();
    for field in verb.fields.query.iter().filter(|field| !verb.is_paging(field)) {
        for value in matches.get_many::<Value>(&Place::Query.id(field)).into_iter().flatten() {
            pairs.push(format!("{}={}", escape(&field.name), escape(&value::text(value))));
        }
    }
    if verb.paging == Paging::Pages {
        pairs.push(format!("limit={}", most(matches).min(PAGE)));
    }
    pairs.join("&")
}

/// The body: that of `--json`, in which each flag replaces the field of its name.
fn body(fields: &[Field], matches: &ArgMatches) -> Result<Vec<u8>, Failure> {
    let flags = flags(fields, matches);
    let Some(path) = matches.get_one::<String>(JSON) else {
        return Ok(Value::Object(flags).to_string().into_bytes());
    };
    let text = read_file(path)?;
    if flags.is_empty() {
        return Ok(text);
    }
    match serde_json::from_slice(&text) {
        Ok(Value::Object(mut object)) => {
            object.extend(flags);
            Ok(Value::Object(object).to_string().into_bytes())
        }
        // The operation says what is wrong with it.
        _ => Ok(text),
    }
}

fn flags(fields: &[Field], matches: &ArgMatches) -> Map<String, Value> {
    let mut object = Map::new();
    for field in fields {
        // A flag that the command line does not have is no argument.
        let Ok(Some(values)) = matches.try_get_many::<Value>(&Place::Body.id(field)) else {
            continue;
        };
        let mut values = values.cloned();
        let value = match field.kind {
            Kind::List(_) => Some(Value::Array(values.collect())),
            _ => values.next(),
        };
        object.extend(value.map(|value| (field.name.clone(), value)));
    }
    object
}

fn read_file(path: &str) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let read = match path {
        "-" => std::io::stdin().read_to_end(&mut text).map(drop),
        path => std::fs::read(path).map(|read| text = read),
    };
    read.map_err(|error| Failure::misused(format!("cannot read {path}: {error}")))?;
    Ok(text)
}
