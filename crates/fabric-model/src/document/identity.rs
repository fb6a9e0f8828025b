//! The OpenAPI document of sign-in: the operations of [`crate::identity`], in version 3.1.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::info::{InfoBuilder, LicenseBuilder};
use utoipa::openapi::path::PathsBuilder;
use utoipa::openapi::server::ServerBuilder;
use utoipa::openapi::{OpenApi, OpenApiBuilder, Ref, RefOr, Response};

use super::{
    AUTH_TOKEN, Document, Failures, IDENTITY_BODY, auth_token, components, identity_body, layout,
    response, tags,
};
use crate::identity::{self, IdentityFailure};
use crate::{ApiError, Failure};

const REJECTED: &str = "Rejected";
const FAILED: &str = "Failed";

/// The OpenAPI 3.1 document of sign-in.
#[must_use]
pub fn openapi() -> OpenApi {
    let mut document = Document {
        paths: PathsBuilder::new(),
        schemas: BTreeMap::from([
            (AUTH_TOKEN.to_owned(), auth_token()),
            (IDENTITY_BODY.to_owned(), identity_body()),
        ]),
        responses: BTreeMap::from([
            (
                REJECTED.to_owned(),
                others("What else is rejected.", |it| it.status().is_client_error()),
            ),
            (FAILED.to_owned(), others("What else fails.", |it| it.status().is_server_error())),
        ]),
        failures: Failures { failed, others: [("4XX", REJECTED), ("5XX", FAILED)] },
    };
    identity::visit_operations(&mut document);
    let license = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let info = InfoBuilder::new()
        .title("Sign-in for Huawei Cloud DataArts Fabric")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(license))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([
            ServerBuilder::new()
                .url("https://iam.myhuaweicloud.com")
                .description(Some("The identity service"))
                .build(),
            ServerBuilder::new()
                .url("http://127.0.0.1:8080")
                .description(Some("The mock server, as it starts without arguments"))
                .build(),
        ]))
        .tags(Some(tags(identity::operations())))
        .paths(document.paths)
        .components(Some(components(document.schemas, document.responses)))
        .build()
}

/// The document as it is published: pretty JSON with a new line at its end.
///
/// # Panics
///
/// Never: the document holds nothing that JSON can't.
#[must_use]
pub fn json() -> String {
    let mut document =
        serde_json::to_value(openapi()).expect("the document holds nothing that JSON can't");
    layout::unwrap_descriptions(&mut document);
    let paths = identity::operations().iter().map(|operation| operation.path.to_owned());
    let order: Vec<String> = paths.chain(IdentityFailure::ALL.map(name)).collect();
    layout::write(&document, &order)
}

const DESCRIPTION: &str = "\
The part of the identity service of Huawei Cloud that DataArts Fabric is called with: tokens for passwords, \
temporary access keys for tokens, and the project of a region.

* The service itself has a document of its own.
* Bodies are `application/json` in UTF-8. Failures have bodies of their own form: an `error` with `code`, `message` \
and `title`.
* A client must live with any field of an answer absent that is not listed as required.

Where the documentation of the service is silent, this document decides; the service itself may differ:

* Who presents no good token or signature is rejected with 401.
* Unknown fields and query parameters are ignored. A query parameter given twice is rejected with 400.
* A method that a path does not have is 405.
* A link that leads nowhere is absent, where the samples of the service have `null`.
* What was decided for a single operation stands there.";

/// The response to a failure with its name: that of the first of its status.
fn failed(failure: Failure) -> (String, Response) {
    let status = failure.status();
    let mut of_this_status =
        IdentityFailure::ALL.into_iter().filter(|failure| failure.status() == status).peekable();
    let first = of_this_status.peek().map_or_else(|| format!("{failure:?}"), |it| name(*it));
    (first, answer(status.canonical_reason().unwrap_or_default(), of_this_status))
}

fn others(description: &str, is_it: impl Fn(&IdentityFailure) -> bool) -> Response {
    answer(description, IdentityFailure::ALL.into_iter().filter(is_it))
}

fn answer(description: &str, failures: impl Iterator<Item = IdentityFailure>) -> Response {
    let samples: Vec<_> =
        failures.map(|failure| (name(failure), RefOr::T(sample(failure)))).collect();
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(IDENTITY_BODY)))
        .examples_from_iter(samples);
    response(description).content(ApiError::MEDIA_TYPE, content.build()).build()
}

fn sample(failure: IdentityFailure) -> Example {
    let body = ApiError::from(failure).json().cloned().map(Value::Object);
    let status = failure.status();
    ExampleBuilder::new().summary(format!("{status}")).value(body).build()
}

fn name(failure: IdentityFailure) -> String {
    format!("{failure:?}")
}
