//! The document as text: keys in the order in which people read them, descriptions without the line
//! breaks of the source.

use serde_json::Value;

/// What comes first, in this order.
const FIRST: [&str; 28] = [
    "openapi",
    "info",
    "title",
    "name",
    "in",
    "version",
    "url",
    "servers",
    "tags",
    "operationId",
    "summary",
    "description",
    "security",
    "required",
    "parameters",
    "requestBody",
    "type",
    "format",
    "schema",
    "headers",
    "content",
    "responses",
    "paths",
    "components",
    "post",
    "get",
    "put",
    "delete",
];

/// Joins the lines of each paragraph of a description: Rust's doc comments are wrapped, and Markdown would
/// do the same, but not every tool shows Markdown.
pub(super) fn unwrap_descriptions(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = unwrap(text);
            }
            object.values_mut().for_each(unwrap_descriptions);
        }
        Value::Array(items) => items.iter_mut().for_each(unwrap_descriptions),
        _ => {}
    }
}

fn unwrap(text: &str) -> String {
    let mut unwrapped = String::with_capacity(text.len());
    for line in text.lines() {
        let is_new = line.is_empty() || line.starts_with("* ") || unwrapped.ends_with('\n');
        if !unwrapped.is_empty() {
            unwrapped.push(if is_new { '\n' } else { ' ' });
        }
        unwrapped.push_str(line);
    }
    unwrapped
}

/// Pretty JSON with a new line at its end. After the keys that always come first come `names`, in their
/// order, and everything else by the alphabet.
pub(super) fn write(document: &Value, names: &[String]) -> String {
    let order: Vec<&str> = FIRST.into_iter().chain(names.iter().map(String::as_str)).collect();
    let mut text = String::new();
    write_value(&mut text, document, 0, &order);
    text.push('\n');
    text
}

fn write_value(text: &mut String, value: &Value, depth: usize, order: &[&str]) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_by_key(|(key, _)| {
                order.iter().position(|first| first == key).unwrap_or(order.len())
            });
            write_list(text, depth, ['{', '}'], &entries, |text, (key, value)| {
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push_str(": ");
                write_value(text, value, depth + 1, order);
            });
        }
        Value::Array(items) if !items.is_empty() => {
            write_list(text, depth, ['[', ']'], items, |text, item| {
                write_value(text, item, depth + 1, order);
            });
        }
        value => text.push_str(&value.to_string()),
    }
}

fn write_list<T>(
    text: &mut String,
    depth: usize,
    [opening, closing]: [char; 2],
    items: &[T],
    write_item: impl Fn(&mut String, &T),
) {
    text.push(opening);
    for (position, item) in items.iter().enumerate() {
        text.push_str(if position == 0 { "\n" } else { ",\n" });
        text.push_str(&"  ".repeat(depth + 1));
        write_item(text, item);
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push(closing);
}
