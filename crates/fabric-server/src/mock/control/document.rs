//! The `OpenAPI` document of the control surface.

use http::StatusCode;
use serde_json::{Value, json};
use utoipa::openapi::info::{InfoBuilder, LicenseBuilder};
use utoipa::openapi::server::ServerBuilder;
use utoipa::openapi::tag::TagBuilder;

/// The document of the control surface, in OpenAPI 3.1: pretty JSON with a new line at its end.
///
/// # Panics
///
/// Never: the document holds nothing that JSON can't.
#[must_use]
pub fn control_document() -> String {
    let mut document = crate::mock::control::routes::document();
    let license = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    document.info = InfoBuilder::new()
        .title("The mock server of Huawei Cloud DataArts Fabric: its control surface")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(license))
        .build();
    document.servers = Some(vec![
        ServerBuilder::new()
            .url("http://127.0.0.1:8080")
            .description(Some("The mock server, as it starts without arguments"))
            .build(),
    ]);
    document.tags =
        Some(vec![TagBuilder::new().name(TAG).description(Some("What a test may do")).build()]);
    let mut document =
        serde_json::to_value(&document).expect("the document holds nothing that JSON can't");
    document["components"]["securitySchemes"] = json!({
        "token": {
            "type": "http", "scheme": "bearer", "description": "The control token, if there is one.",
        },
    });
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for operation in item.as_object_mut().into_iter().flat_map(|item| item.values_mut()) {
            complete(path, operation);
        }
    }
    unwrap_lines(&mut document);
    let mut json = serde_json::to_string_pretty(&document)
        .expect("the document holds nothing that JSON can't");
    json.push('\n');
    json
}

const TAG: &str = "control";

/// Adds to an operation what all have alike.
fn complete(path: &str, operation: &mut Value) {
    let is_open = ["/_mock/v1/live", "/_mock/v1/ready"].contains(&path);
    operation["tags"] = json!([TAG]);
    operation["security"] = if is_open { json!([]) } else { json!([{}, { "token": [] }]) };
    if operation["description"].is_null() {
        operation["description"] = operation["summary"].clone();
    }
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    if !is_open {
        let body = json!({ "schema": { "$ref": "#/components/schemas/ErrorBody" } });
        let rejected =
            json!({ "description": "Rejected", "content": { "application/json": body } });
        responses.insert("4XX".to_owned(), rejected);
    }
    for (status, response) in responses {
        let meaning = status.parse().ok().and_then(|status| StatusCode::from_u16(status).ok());
        let meaning = meaning.and_then(|status| status.canonical_reason()).unwrap_or("Rejected");
        if let Some(response) = response.as_object_mut()
            && response.get("description").is_none_or(|text| text == "")
        {
            response.insert("description".to_owned(), meaning.into());
        }
    }
}

/// Joins the lines that a doc comment was broken into.
fn unwrap_lines(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if ["summary", "description"].contains(&name.as_str()) => {
                        // Examples in Rust are for readers of the crate.
                        let prose = text.split("\n\n```").next().unwrap_or_default();
                        let paragraphs = prose.split("\n\n");
                        let joined = paragraphs.map(|paragraph| paragraph.replace('\n', " "));
                        *text = joined.collect::<Vec<_>>().join("\n\n");
                    }
                    value => unwrap_lines(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(unwrap_lines),
        _ => {}
    }
}

const DESCRIPTION: &str = "\
What a test may do to the mock server. None of this is part of the contract of the service.

Whatever is rejected is rejected with a JSON object whose `error` says in words what is wrong. Where the server \
was started with a control token, each request here needs it, as `Authorization: Bearer TOKEN` or \
`X-Mock-Token: TOKEN`.

Calls of the contract itself may carry `X-Mock-Fault`, a fault for this one call: in JSON without its \
`when`, a status, or the kind of an effect, such as `reset`; `X-Mock-Explain`, which asks a rejection for its \
reason in `X-Mock-Reason`; and `X-Mock-Canonical-Request`, what the caller signed, percent-encoded, for the \
journal to compare.";
