//! From OpenAPI 3.1 back to 3.0.3, as far as our document goes.

use serde_json::{Map, Value, json};

/// Rewrites a document. Of what 3.1 can say and 3.0 can't, our document uses the licence's name in SPDX,
/// lists of examples in schemas, and descriptions beside a `$ref`. What generators of clients that stop at 3.0
/// misread goes too: several types of error, and patterns with Unicode classes.
pub(super) fn rewrite(document: &mut Value) {
    document["openapi"] = json!("3.0.3");
    document["info"]["license"] =
        json!({ "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" });
    describe_more(&mut document["info"], ABOUT_THIS_VERSION);
    unite_failures(document);
    rewrite_schemas(document);
}

const ABOUT_THIS_VERSION: &str = "\n\nThis document is for tools that stop at OpenAPI 3.0. Unlike the one in \
OpenAPI 3.1, it has one loose schema for the bodies of all failures, and no patterns with Unicode classes such as \
`\\p{L}`, which many engines of regular expressions do not have: the characters are given in words. The service \
rejects what breaks them all the same.";

/// Gives all failures one schema, a flat object with what any of them has. Generators want one type for the
/// errors of an operation, and few can read one of several: the code is text in most bodies and a number in
/// that of 403, so it has no type at all.
fn unite_failures(document: &mut Value) {
    const UNITED: &str = "Failure";
    const UNITES: [&str; 5] =
        ["ErrorBody", "ForbiddenBody", "ForbiddenDetail", "GatewayErrorBody", "IdentityErrorBody"];
    let components = &mut document["components"];
    for response in components["responses"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        response["content"]["application/json"]["schema"] =
            json!({ "$ref": format!("#/components/schemas/{UNITED}") });
    }
    let text = |description| json!({ "type": "string", "description": description });
    if let Some(schemas) = components["schemas"].as_object_mut() {
        schemas.retain(|name, _| !UNITES.contains(&name.as_str()));
        schemas.insert(
            UNITED.to_owned(),
            json!({
                "type": "object",
                "description": "The body of a failure, with what the service, its gateway and the \
                    identity service may put there. In OpenAPI 3.1 each status has its own.",
                "properties": {
                    "error_code": {
                        "description": "What failed: text such as `common.01000001`, and in a 403 the \
                            status as a number.",
                    },
                    "error_msg": text("Why."),
                    "solution_msg": text("What to do about it, from the service."),
                    "request_id": text("The id of the request, from the gateway."),
                    "title": text("The name of the status, in a 403."),
                    "error": {
                        "type": "object",
                        "description": "Code, message and title, in a 403 and from the identity service. \
                            The code is text in the one, a number in the other.",
                        "additionalProperties": true,
                    },
                },
                "additionalProperties": true,
            }),
        );
    }
}

fn rewrite_schemas(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if object.contains_key("description")
                && let Some(reference) = object.remove("$ref")
            {
                object.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
            }
            // In a schema `examples` is a list; elsewhere it is an object, and both versions have it.
            if let Some(Value::Array(examples)) = object.get_mut("examples") {
                let first = examples.drain(..).next();
                object.remove("examples");
                object.extend(first.map(|example| ("example".to_owned(), example)));
            }
            object.values_mut().for_each(rewrite_schemas);
            let has_classes = |pattern: &Value| pattern.as_str()?.contains("\\p{").then_some(());
            if object.get("pattern").and_then(has_classes).is_some()
                && let Some(Value::String(pattern)) = object.remove("pattern")
            {
                describe_more(value, &format!(" Its pattern in OpenAPI 3.1: `{pattern}`."));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(rewrite_schemas),
        _ => {}
    }
}

fn describe_more(described: &mut Value, more: &str) {
    let known = described["description"].as_str().unwrap_or_default();
    described["description"] = format!("{known}{more}").trim_start().into();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_with_unicode_classes_are_told_in_words() {
        let mut schema = json!({
            "properties": {
                "key": { "type": "string", "pattern": "^[\\p{L}_]*$", "description": "A key." },
                "value": { "type": "string", "pattern": "^[a-z]*$" },
                // A field of that name is no pattern.
                "pattern": { "type": "string" },
            },
        });
        rewrite_schemas(&mut schema);
        let fields = json!({
            "key": {
                "type": "string",
                "description": "A key. Its pattern in OpenAPI 3.1: `^[\\p{L}_]*$`.",
            },
            "value": { "type": "string", "pattern": "^[a-z]*$" },
            "pattern": { "type": "string" },
        });
        assert_eq!(schema["properties"], fields);
    }
}
