//! Values of flags, as JSON.

use serde_json::{Map, Value};

use crate::document::{Field, Kind};

/// Reads the value of a flag. Of a list it is one item.
pub(crate) fn parse(kind: &Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Text => Ok(Value::String(text.to_owned())),
        Kind::Integer => {
            let positive = text.parse::<u64>().map(Value::from);
            positive
                .or_else(|_| text.parse::<i64>().map(Value::from))
                .map_err(|_| "expected a whole number".to_owned())
        }
        Kind::Number => {
            let number = text.parse::<f64>().ok().and_then(serde_json::Number::from_f64);
            number.map(Value::Number).ok_or_else(|| "expected a number".to_owned())
        }
        Kind::Boolean => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("expected true or false".to_owned()),
        },
        Kind::Object(_) if text.trim_start().starts_with('{') => json(text),
        Kind::Object(fields) => match (pair(fields), text.split('=').next()) {
            (Some(value), Some(name)) if !fields.iter().any(|field| field.name == name) => {
                Ok(pair_of(value, text))
            }
            _ => object(fields, text),
        },
        Kind::List(_) => json(text),
        // Text that is no JSON is text.
        Kind::Any => Ok(json(text).unwrap_or_else(|_| Value::String(text.to_owned()))),
    }
}

/// What stands for a value in the help.
pub(crate) fn placeholder(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text => "TEXT",
        Kind::Integer | Kind::Number => "NUMBER",
        Kind::Boolean => "true|false",
        Kind::Object(fields) if pair(fields).is_some() => "KEY=VALUE",
        Kind::Object(_) => "FIELD=VALUE,…",
        Kind::List(_) | Kind::Any => "JSON",
    }
}

/// A value as the text of a parameter.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))
}

/// The field that holds the value or values, if an object is a key with them, such as a tag.
fn pair(fields: &[Field]) -> Option<&Field> {
    let [one, other] = fields else { return None };
    let (key, value) = if one.name == "key" { (one, other) } else { (other, one) };
    (key.name == "key" && matches!(value.name.as_str(), "value" | "values")).then_some(value)
}

/// A key with a value as `key=value`, or a key alone.
fn pair_of(field: &Field, text: &str) -> Value {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (text, None),
    };
    let value = match field.kind {
        // Without values, the documentation wants an empty list: it stands for any.
        Kind::List(_) => Some(Value::from_iter(value)),
        _ => value.map(Value::from),
    };
    let mut object = Map::from_iter([("key".to_owned(), Value::from(key))]);
    object.extend(value.map(|value| (field.name.clone(), value)));
    Value::Object(object)
}

/// An object as `field=value,field=value`. A field of an object in it is `field.inner=value`.
fn object(fields: &[Field], text: &str) -> Result<Value, String> {
    let mut object = Map::new();
    for pair in text.split(',') {
        let (path, value) = pair.split_once('=').ok_or("expected FIELD=VALUE,… or JSON")?;
        set(&mut object, fields, path, value)?;
    }
    Ok(Value::Object(object))
}

/// Sets a field, or one in an object in it.
fn set(
    object: &mut Map<String, Value>,
    fields: &[Field],
    path: &str,
    text: &str,
) -> Result<(), String> {
    let (name, inner) =
        path.split_once('.').map_or((path, None), |(name, inner)| (name, Some(inner)));
    let Some(field) = fields.iter().find(|field| field.name == name) else {
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        return Err(format!("the fields are {}", names.join(", ")));
    };
    let Some(inner) = inner else {
        object.insert(name.to_owned(), parse(&field.kind, text)?);
        return Ok(());
    };
    let Kind::Object(fields) = &field.kind else { return Err(format!("{name} has no fields")) };
    match object.entry(name).or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(object) => set(object, fields, inner, text),
        _ => Err(format!("{name} is given twice")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Field, Kind, parse};

    #[test]
    fn values_are_read_by_their_kind() {
        let field = |name: &str, kind| Field {
            name: name.to_owned(),
            kind,
            help: String::new(),
            is_required: false,
        };
        let object = Kind::Object(vec![field("size", Kind::Integer), field("name", Kind::Text)]);
        let outer = Kind::Object(vec![field("in", object.clone())]);
        let tag = Kind::Object(vec![field("key", Kind::Text), field("value", Kind::Text)]);
        let values = Kind::List(Box::new(Kind::Text));
        let tags = Kind::Object(vec![field("key", Kind::Text), field("values", values)]);
        let cases = [
            (&Kind::Text, "7", Ok(json!("7"))),
            (&Kind::Integer, "-7", Ok(json!(-7))),
            (&Kind::Integer, "18446744073709551615", Ok(json!(u64::MAX))),
            (&Kind::Integer, "7.5", Err("expected a whole number")),
            (&Kind::Number, "7.5", Ok(json!(7.5))),
            (&Kind::Number, "NaN", Err("expected a number")),
            (&Kind::Boolean, "yes", Err("expected true or false")),
            (&Kind::Any, "[1]", Ok(json!([1]))),
            (&Kind::Any, "x", Ok(json!("x"))),
            (&object, "size=7,name=a=b", Ok(json!({"size": 7, "name": "a=b"}))),
            (&object, r#" {"other": null}"#, Ok(json!({"other": null}))),
            (&outer, "in.size=7,in.name=a", Ok(json!({"in": {"size": 7, "name": "a"}}))),
            (&outer, "in.other=7", Err("the fields are size, name")),
            (&object, "size.x=7", Err("size has no fields")),
            (&object, "size", Err("expected FIELD=VALUE,… or JSON")),
            // A tag, and a condition on tags.
            (&tag, "team=a=b,c", Ok(json!({"key": "team", "value": "a=b,c"}))),
            (&tag, "team=", Ok(json!({"key": "team", "value": ""}))),
            (&tag, "team", Ok(json!({"key": "team"}))),
            (&tag, "key=team,value=a", Ok(json!({"key": "team", "value": "a"}))),
            (&tags, "team=a", Ok(json!({"key": "team", "values": ["a"]}))),
            (&tags, "team", Ok(json!({"key": "team", "values": []}))),
            (&object, "other=1", Err("the fields are size, name")),
        ];
        for (kind, text, expected) in cases {
            assert_eq!(parse(kind, text), expected.map_err(str::to_owned), "{text}");
        }
    }
}
