//! The OpenAPI documents: written, or compared with what is published and what was released.

use fabric_model::document;

use crate::breaking;
use crate::shell::{Outcome, read, root, write};

/// The documents, and the name of each under `openapi/`.
fn documents() -> [(&'static str, String); 4] {
    [
        ("openapi.json", document::json()),
        ("openapi-3.0.json", document::json_3_0()),
        ("identity.json", document::identity::json()),
        ("mock.json", fabric_server::control_document()),
    ]
}

/// What users of the last release have: its `openapi.json`.
const RELEASED: &str = "xtask/released.json";

pub(crate) fn publish() -> Outcome {
    for (name, document) in documents() {
        write(&root().join("openapi").join(name), &document)?;
    }
    Ok(())
}

/// Makes the document of today the one that later ones are compared with.
pub(crate) fn release() -> Outcome {
    publish()?;
    write(&root().join(RELEASED), &document::json())
}

pub(crate) fn check() -> Outcome {
    for (name, document) in documents() {
        let published = read(&root().join("openapi").join(name))?;
        if published != document {
            let lines = published.lines().zip(document.lines());
            let same = lines.take_while(|(old, new)| old == new).count();
            return Err(format!(
                "openapi/{name} is stale from line {}: run `cargo xtask openapi` and look at the changes",
                same + 1
            ));
        }
    }
    let parse = |text: &str| serde_json::from_str(text).map_err(|error| error.to_string());
    let released = parse(&read(&root().join(RELEASED))?)?;
    let breaking = breaking::changes(&released, &parse(&document::json())?);
    if breaking.is_empty() {
        return Ok(());
    }
    Err(format!(
        "since the last release the contract breaks those who rely on it:\n  {}\nundo that, or raise the \
         version, say so in CHANGELOG.md, and run `cargo xtask openapi --release`",
        breaking.join("\n  ")
    ))
}
