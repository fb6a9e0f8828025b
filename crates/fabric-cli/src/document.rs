//! The fields of each operation, from the `OpenAPI` document.

use fabric_model::{OperationInfo, document};
use serde_json::Value;

/// The document of all operations.
pub(crate) struct Document(Value);

/// What an operation takes.
#[derive(Debug)]
pub(crate) struct Fields {
    pub(crate) path: Vec<Field>,
    pub(crate) query: Vec<Field>,
    /// `None` if there is no body.
    pub(crate) body: Option<Vec<Field>>,
}

/// A parameter, or a field of a body.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// The first sentence of its description, without the full stop.
    pub(crate) help: String,
    pub(crate) is_required: bool,
}

/// The type of a field.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    List(Box<Kind>),
    Object(Vec<Field>),
    /// Any JSON.
    Any,
}

/// Objects within objects are read to this depth; what lies deeper is any JSON.
const DEPTH_MAX: u32 = 4;

impl Document {
    pub(crate) fn new() -> Self {
        Self(serde_json::to_value(document::openapi()).unwrap_or_default())
    }

    /// What an operation takes.
    pub(crate) fn fields(&self, operation: &OperationInfo) -> Fields {
        let method = operation.method.as_str().to_ascii_lowercase();
        let documented = &self.0["paths"][operation.path][&method];
        let all = documented["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let parameters = |place: &str| {
            let here = all.iter().filter(|parameter| parameter["in"] == place);
            here.map(|parameter| self.parameter(parameter)).collect()
        };
        let body = operation.request_media_type.map(|media_type| {
            let schema = &documented["requestBody"]["content"][media_type]["schema"];
            match self.kind(schema, 0) {
                Kind::Object(fields) => fields,
                _ => Vec::new(),
            }
        });
        Fields { path: parameters("path"), query: parameters("query"), body }
    }

    fn parameter(&self, parameter: &Value) -> Field {
        let schema = &parameter["schema"];
        Field {
            name: parameter["name"].as_str().unwrap_or_default().to_owned(),
            kind: self.kind(schema, 0),
            help: self.help(&[parameter, schema], schema),
            is_required: parameter["required"] == true && schema["default"].is_null(),
        }
    }

    fn kind(&self, schema: &Value, depth: u32) -> Kind {
        let schema = self.resolve(schema);
        match type_name(schema) {
            Some("string") => Kind::Text,
            Some("integer") => Kind::Integer,
            Some("number") => Kind::Number,
            Some("boolean") => Kind::Boolean,
            Some("array") => Kind::List(Box::new(self.kind(&schema["items"], depth))),
            Some("object") if depth < DEPTH_MAX => match schema["properties"].as_object() {
                Some(properties) => Kind::Object(
                    properties
                        .iter()
                        .map(|(name, property)| self.property(schema, name, property, depth + 1))
                        .collect(),
                ),
                None => Kind::Any,
            },
            _ => Kind::Any,
        }
    }

    fn property(&self, object: &Value, name: &str, property: &Value, depth: u32) -> Field {
        let required = object["required"].as_array();
        Field {
            name: name.to_owned(),
            kind: self.kind(property, depth),
            help: self.help(&[property], property),
            is_required: required.is_some_and(|names| names.iter().any(|it| it == name)),
        }
    }

    /// A schema without references: what they lead to, or the one alternative that is not `null`.
    fn resolve<'a>(&'a self, mut schema: &'a Value) -> &'a Value {
        for _ in 0..8 {
            if let Some(reference) = schema["$ref"].as_str() {
                schema = self.0.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
                continue;
            }
            let alternatives = ["allOf", "oneOf", "anyOf"]
                .iter()
                .find_map(|name| schema[*name].as_array())
                .map(Vec::as_slice)
                .unwrap_or_default();
            let mut real = alternatives.iter().filter(|schema| schema["type"] != "null");
            match (real.next(), real.next()) {
                (Some(only), None) => schema = only,
                _ => return schema,
            }
        }
        schema
    }

    /// The help: the first description among `described` and what the schema leads to, with the values and the
    /// default that the schema names.
    fn help(&self, described: &[&Value], schema: &Value) -> String {
        let resolved = self.resolve(schema);
        let description = described
            .iter()
            .chain([&resolved])
            .find_map(|value| value["description"].as_str())
            .map(first_sentence);
        let values = resolved["enum"].as_array().map(|values| {
            let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            format!("[one of: {}]", values.join(", "))
        });
        let default =
            Some(&schema["default"]).filter(|default| !default.is_null()).map(|default| {
                let text = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
                format!("[default: {text}]")
            });
        let parts: Vec<String> = [description, values, default].into_iter().flatten().collect();
        parts.join(" ")
    }
}

fn type_name(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::String(name) => Some(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ if schema["properties"].is_object() => Some("object"),
        _ => None,
    }
}

/// The first sentence of a text, on one line and without its full stop.
pub(crate) fn first_sentence(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.split(". ").next().unwrap_or_default().trim_end_matches('.').replace('`', "")
}
