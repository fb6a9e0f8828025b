//! From OpenAPI 3.1 back to 3.0.3, as far as our document goes.

use serde_json::{Value, json};

/// Rewrites a document. Of what 3.1 can say and 3.0 can't, our document uses the licence's name in SPDX,
/// lists of examples in schemas, and descriptions beside a `$ref`.
pub(super) fn rewrite(document: &mut Value) {
    document["openapi"] = json!("3.0.3");
    document["info"]["license"] =
        json!({ "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" });
    rewrite_schemas(document);
    unite_failures(document);
}

/// Gives all failures one schema, which says that it is one of several: generators of clients that stop at 3.0
/// want one type for errors.
fn unite_failures(document: &mut Value) {
    const UNITED: &str = "Failure";
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let bodies =
        ["ErrorBody", "ForbiddenBody", "GatewayErrorBody", "IdentityErrorBody"].map(reference);
    for response in document["components"]["responses"].as_object_mut().into_iter().flatten() {
        response.1["content"]["application/json"]["schema"] = reference(UNITED);
    }
    document["components"]["schemas"][UNITED] = json!({
        "description": "The body of a failure. In OpenAPI 3.1 each status has its own.",
        "anyOf": bodies,
    });
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
        }
        Value::Array(items) => items.iter_mut().for_each(rewrite_schemas),
        _ => {}
    }
}
