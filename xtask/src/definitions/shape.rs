//! What an OpenAPI document says of an operation, as a tree: parts by name, and of each part what is said.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::text;

/// An operation of a document.
pub(super) struct Operation {
    pub(super) name: String,
    pub(super) tags: Vec<String>,
    pub(super) shape: Shape,
}

/// A part of an operation: what is said of it, in words that are the same where the meaning is, and what it
/// consists of. The name of a part continues the place of the whole: `, query limit`, `.name`, `[]`.
pub(super) struct Shape {
    pub(super) kind: Kind,
    pub(super) facts: BTreeMap<String, String>,
    pub(super) parts: BTreeMap<String, Shape>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Operation,
    Parameter,
    Field,
    Other,
}

impl Shape {
    fn new(kind: Kind) -> Self {
        Self { kind, facts: BTreeMap::new(), parts: BTreeMap::new() }
    }

    fn say(&mut self, name: &str, what: impl Into<String>) {
        self.facts.insert(name.to_owned(), what.into());
    }
}

/// The operations of a document by method and path.
pub(super) fn operations(document: &Value) -> BTreeMap<String, Operation> {
    let reader = Reader { document };
    let mut operations = BTreeMap::new();
    for (path, item) in entries(&document["paths"]) {
        for (method, operation) in entries(item) {
            let call = format!("{} {path}", method.to_uppercase());
            let tags = items(&operation["tags"]).iter().map(|tag| text_of(tag).to_owned());
            let operation = Operation {
                name: text_of(&operation["operationId"]).to_owned(),
                tags: tags.collect(),
                shape: reader.operation(operation),
            };
            operations.insert(call, operation);
        }
    }
    operations
}

/// What is for people to read, or no matter of requests and answers.
const UNREAD: [&str; 5] = ["description", "title", "example", "examples", "xml"];

/// A schema with all that it refers to.
type Flat = Map<String, Value>;

struct Reader<'a> {
    document: &'a Value,
}

impl Reader<'_> {
    fn operation(&self, operation: &Value) -> Shape {
        let mut shape = Shape::new(Kind::Operation);
        shape.say("operationId", text_of(&operation["operationId"]));
        if let Some(action) = action(operation) {
            shape.say("action", action);
        }
        for parameter in items(&operation["parameters"]) {
            let parameter = self.target(parameter);
            let place = text_of(&parameter["in"]);
            let mut name = text_of(&parameter["name"]).to_owned();
            if place == "header" {
                name = name.to_lowercase();
            }
            shape
                .parts
                .insert(format!(", {place} {name}"), self.parameter(parameter, Kind::Parameter));
        }
        if let Some(body) = operation.get("requestBody") {
            let body = self.target(body);
            let mut part = Shape::new(Kind::Other);
            part.say("required", is_true(&body["required"]).to_string());
            self.content(&mut part, &body["content"]);
            shape.parts.insert(", body".to_owned(), part);
        }
        for (status, answer) in entries(&operation["responses"]) {
            let answer = self.target(answer);
            let mut part = Shape::new(Kind::Other);
            for (name, header) in entries(&answer["headers"]) {
                let header = self.parameter(self.target(header), Kind::Other);
                part.parts.insert(format!(", header {}", name.to_lowercase()), header);
            }
            self.content(&mut part, &answer["content"]);
            shape.parts.insert(format!(", answer {status}"), part);
        }
        shape
    }

    fn parameter(&self, parameter: &Value, kind: Kind) -> Shape {
        let mut shape = Shape::new(kind);
        self.schema(&mut shape, &parameter["schema"], &[]);
        for keyword in ["required", "allowEmptyValue", "deprecated"] {
            shape.say(keyword, is_true(&parameter[keyword]).to_string());
        }
        for keyword in ["style", "explode"] {
            if let Some(value) = parameter.get(keyword) {
                shape.say(keyword, wording(value));
            }
        }
        shape
    }

    /// The schema of a content counts as that of the whole, since there is one media type.
    fn content(&self, shape: &mut Shape, content: &Value) {
        let media_types: Vec<&str> = entries(content).map(|(name, _)| name.as_str()).collect();
        let shown = if media_types.is_empty() { "none".to_owned() } else { media_types.join(", ") };
        shape.say("content", shown);
        for (_, content) in entries(content) {
            self.schema(shape, &content["schema"], &[]);
        }
    }

    /// Says in a shape what a schema says. `within` are the references that lead to it.
    fn schema(&self, shape: &mut Shape, schema: &Value, within: &[String]) {
        let mut within = within.to_vec();
        let flat = self.flat(schema, &mut within);
        let is_text = flat.get("type").is_some_and(|kind| kind == "string");
        for (keyword, value) in &flat {
            match keyword.as_str() {
                "required" | "properties" => {}
                "pattern" | "enum" | "minLength" | "maxLength" if is_text => {}
                "items" => self.element(shape, "[]", value, &within),
                "additionalProperties" if value.is_object() => {
                    self.element(shape, "{}", value, &within);
                }
                keyword if UNREAD.contains(&keyword) || keyword.starts_with("x-") => {}
                keyword if is_silent(keyword, value, &flat) => {}
                keyword => shape.say(keyword, wording(value)),
            }
        }
        if flat.contains_key("properties") {
            shape.facts.entry("type".to_owned()).or_insert_with(|| "object".to_owned());
        }
        if is_text && let Some(allowed) = text::allowed(&flat) {
            shape.say("text", allowed);
        }
        let required = flat.get("required").map(items).unwrap_or_default();
        for (name, field) in flat.get("properties").into_iter().flat_map(entries) {
            let mut part = Shape::new(Kind::Field);
            self.schema(&mut part, field, &within);
            part.say("required", required.iter().any(|it| it == name).to_string());
            shape.parts.insert(format!(".{name}"), part);
        }
    }

    fn element(&self, shape: &mut Shape, name: &str, schema: &Value, within: &[String]) {
        let mut part = Shape::new(Kind::Other);
        self.schema(&mut part, schema, within);
        shape.parts.insert(name.to_owned(), part);
    }

    /// A schema with what it refers to and what `allOf` puts together. Of alternatives, the first counts, and
    /// that there are others is said.
    fn flat(&self, schema: &Value, within: &mut Vec<String>) -> Flat {
        let mut flat = Flat::new();
        for (keyword, value) in entries(schema) {
            match keyword.as_str() {
                "$ref" => {
                    let reference = text_of(value).to_owned();
                    if within.contains(&reference) {
                        flat.insert("contains itself".to_owned(), true.into());
                    } else {
                        within.push(reference);
                        merge(&mut flat, self.flat(self.target(schema), within));
                    }
                }
                "allOf" => {
                    for part in items(value) {
                        merge(&mut flat, self.flat(part, within));
                    }
                }
                "anyOf" | "oneOf" => {
                    if let [first, others @ ..] = items(value) {
                        merge(&mut flat, self.flat(first, within));
                        let others = others.iter().map(|other| other["$ref"].clone());
                        flat.insert("alternatives".to_owned(), others.collect());
                    }
                }
                _ => {}
            }
        }
        let own = entries(schema)
            .filter(|(keyword, _)| !["$ref", "allOf", "anyOf", "oneOf"].contains(&keyword.as_str()))
            .map(|(keyword, value)| (keyword.clone(), value.clone()));
        merge(&mut flat, own.collect());
        flat
    }

    fn target<'a>(&'a self, value: &'a Value) -> &'a Value {
        let reference = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        reference.map_or(value, |pointer| self.document.pointer(pointer).unwrap_or(&Value::Null))
    }
}

/// Adds the keywords of a schema to those that hold together with it.
fn merge(flat: &mut Flat, more: Flat) {
    for (keyword, value) in more {
        match (keyword.as_str(), flat.get_mut(&keyword), value) {
            ("properties", Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            ("required", Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
            (_, _, value) => {
                flat.insert(keyword, value);
            }
        }
    }
}

/// Whether a keyword says no more than its absence does.
fn is_silent(keyword: &str, value: &Value, schema: &Flat) -> bool {
    let format = schema.get("format").map(text_of).unwrap_or_default();
    match (keyword, value) {
        ("minItems" | "minProperties", _) => *value == 0,
        ("additionalProperties", Value::Bool(any)) => *any,
        ("nullable" | "deprecated" | "readOnly" | "writeOnly" | "uniqueItems", _) => {
            *value == false
        }
        ("minimum", Value::Number(limit)) => match format {
            "int32" => limit.as_i64() == Some(i32::MIN.into()),
            "int64" => limit.as_i64() == Some(i64::MIN),
            _ => false,
        },
        ("maximum", Value::Number(limit)) => match format {
            "int32" => limit.as_i64() == Some(i32::MAX.into()),
            "int64" => limit.as_i64() == Some(i64::MAX),
            _ => false,
        },
        _ => false,
    }
}

/// The action that a caller must be allowed: the definitions have a field of their own for it, our document a
/// sentence.
fn action(operation: &Value) -> Option<&str> {
    let defined = operation["x-iam-auth-meta-anno"]["abacAction"].as_str();
    defined.filter(|action| !action.is_empty()).or_else(|| {
        let (_, action) =
            text_of(&operation["description"]).split_once("The caller must be allowed `")?;
        Some(action.split_once('`')?.0)
    })
}

/// A value in words. Numbers that are the same look the same; texts that could be something else have quotes.
fn wording(value: &Value) -> String {
    match value {
        Value::String(text) if serde_json::from_str::<Value>(text).is_err() && !text.is_empty() => {
            text.clone()
        }
        Value::Number(number) => number.as_f64().unwrap_or_default().to_string(),
        value => value.to_string(),
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_default()
}
