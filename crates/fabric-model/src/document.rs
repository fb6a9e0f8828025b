//! The OpenAPI document, written from the operations: [`json`] in version 3.1, [`json_3_0`] in 3.0.

pub mod identity;
mod layout;
mod version_3_0;

use std::collections::BTreeMap;

use http::Method;
use serde_json::Value;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::info::{InfoBuilder, LicenseBuilder};
use utoipa::openapi::link::{Link, LinkBuilder};
use utoipa::openapi::path::{
    HttpMethod, Operation as DocumentedOperation, OperationBuilder, Parameter, ParameterBuilder,
    ParameterIn, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ArrayBuilder, ComponentsBuilder, ObjectBuilder, Ref,
    Schema, Type,
};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::server::{ServerBuilder, ServerVariableBuilder};
use utoipa::openapi::tag::{Tag, TagBuilder};
use utoipa::openapi::{
    Components, OpenApi, OpenApiBuilder, RefOr, Required, Response, ResponseBuilder,
};
use utoipa::{IntoParams, ToSchema};

use crate::{
    ApiError, ErrorBody, Failure, ForbiddenBody, Operation, OperationInfo, OperationVisitor,
    Parameters, Payload, ResourceInfo, header, operations, visit_operations,
};

const TOKEN: &str = "token";
const SIGNATURE: &str = "signature";
const AUTH_TOKEN: &str = "AuthToken";
const GATEWAY_BODY: &str = "GatewayErrorBody";
const IDENTITY_BODY: &str = "IdentityErrorBody";
const GATEWAY: &str = "RejectedByTheGateway";
const NO_ANSWER: &str = "NoAnswerFromTheService";

/// The OpenAPI 3.1 document of all operations.
#[must_use]
pub fn openapi() -> OpenApi {
    let mut document = Document {
        paths: PathsBuilder::new(),
        schemas: BTreeMap::new(),
        responses: BTreeMap::from([
            (GATEWAY.to_owned(), rejected_by_the_gateway()),
            (NO_ANSWER.to_owned(), no_answer_from_the_service()),
        ]),
        failures: Failures {
            failed: |failure| (name(failure), failed(failure)),
            others: [("4XX", GATEWAY), ("5XX", NO_ANSWER)],
        },
    };
    document.add_schema::<ErrorBody>();
    document.add_schema::<ForbiddenBody>();
    document.schemas.extend([
        (AUTH_TOKEN.to_owned(), auth_token()),
        (GATEWAY_BODY.to_owned(), gateway_body()),
        (IDENTITY_BODY.to_owned(), identity_body()),
    ]);
    visit_operations(&mut document);
    let info = InfoBuilder::new()
        .title("Huawei Cloud DataArts Fabric")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(
            LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build(),
        ))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([
            ServerBuilder::new()
                .url("https://fabric.{region}.myhuaweicloud.com")
                .description(Some("The service"))
                .parameter(
                    "region",
                    ServerVariableBuilder::new()
                        .default_value("cn-north-4")
                        .description(Some("The region")),
                )
                .build(),
            ServerBuilder::new()
                .url("http://127.0.0.1:8080")
                .description(Some("The mock server, as it starts without arguments"))
                .build(),
        ]))
        .tags(Some(tags(operations())))
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
    layout::write(&value(), &order())
}

/// The same in OpenAPI 3.0.3, for tools that stop there.
///
/// # Panics
///
/// Never: the document holds nothing that JSON can't.
#[must_use]
pub fn json_3_0() -> String {
    let mut document = value();
    version_3_0::rewrite(&mut document);
    layout::write(&document, &order())
}

/// The order of what is named here: operations as in their list, and failures as in their table, in which
/// the documented ones come first.
fn order() -> Vec<String> {
    let paths = operations().iter().map(|operation| operation.path.to_owned());
    paths.chain(Failure::ALL.map(name)).collect()
}

/// A tag for every resource, by name.
fn tags(operations: &[&'static OperationInfo]) -> Vec<Tag> {
    let mut resources: Vec<&'static ResourceInfo> = Vec::new();
    for operation in operations {
        if !resources.contains(&operation.resource) {
            resources.push(operation.resource);
        }
    }
    resources.sort_unstable_by_key(|resource| resource.name);
    let tag = |resource: &'static ResourceInfo| {
        let tag = TagBuilder::new().name(resource.plural());
        tag.description(Some(resource.description)).build()
    };
    resources.into_iter().map(tag).collect()
}

fn value() -> Value {
    let mut document =
        serde_json::to_value(openapi()).expect("the document holds nothing that JSON can't");
    layout::unwrap_descriptions(&mut document);
    document
}

/// A schema with the description of a field, and its default.
pub(crate) fn described(
    mut schema: RefOr<Schema>,
    description: &str,
    default: Option<Value>,
) -> RefOr<Schema> {
    match &mut schema {
        RefOr::T(Schema::Object(object)) => {
            object.description = Some(description.to_owned());
            object.default = default;
        }
        RefOr::T(Schema::Array(array)) => array.description = Some(description.to_owned()),
        _ => {}
    }
    schema
}

/// A list of a schema's values.
pub(crate) fn list_of(
    items: RefOr<Schema>,
    min: Option<usize>,
    max: Option<usize>,
) -> RefOr<Schema> {
    let min = min.filter(|min| *min > 0);
    RefOr::T(ArrayBuilder::new().items(items).min_items(min).max_items(max).into())
}

/// An object whose values are of a schema.
pub(crate) fn map_of(values: RefOr<Schema>) -> RefOr<Schema> {
    ObjectBuilder::new().additional_properties(Some(values)).into()
}

/// An object with whatever fields.
pub(crate) fn any_object() -> RefOr<Schema> {
    ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(true))).into()
}

const DESCRIPTION: &str = "\
The whole service: workspaces; in them endpoints, which run Ray clusters and models, jobs and models with \
their versions, and policies of messages; the tags of workspaces; agencies and agreements; what there is to \
choose from, which is base models, features, frameworks and specifications; and access clients, VPC endpoint \
clients through which a network reaches the service.

* Lengths count Unicode characters. Bodies are `application/json` in UTF-8.
* A client must live with any field of an answer absent that is not listed as required.
* The scope of every call comes from the caller's credentials.
* Every answer carries `X-Request-Id`.
* A gateway or proxy in front may also answer with other bodies: `code` and `message`, `errorCode` and \
`errorMsg`, a string `encoded_authorization_message`, HTML, or nothing at all.

Where the documentation of the service is silent, this document decides; the service itself may differ:

* A field that is `null`, of the wrong type or out of range, malformed JSON, a missing or other \
`Content-Type`, and invalid UTF-8 are rejected with 400 `common.01000001`. The message begins `failed to \
read http request, please check your input, code: 400, reason: ` and goes on with the field and the rule, \
never the value.
* Unknown fields and query parameters are ignored. A query parameter given twice is rejected with 400, unless it is a list.
* What belongs to another project is not found: 404.
* A method that a path does not have is answered as a path that does not exist: 404 `APIG.0101`.
* What was decided for a single operation stands there.";

fn components(
    schemas: BTreeMap<String, RefOr<Schema>>,
    responses: BTreeMap<String, Response>,
) -> Components {
    let token = ApiKeyValue::with_description(
        "X-Auth-Token",
        "A token of the identity service, of up to 65,534 characters.",
    );
    let signature = ApiKeyValue::with_description(
        "Authorization",
        "A request signed with an access key: `SDK-HMAC-SHA256 Access=…, SignedHeaders=…, \
         Signature=…`, with the time of signing in `X-Sdk-Date`, which may be 15 minutes off. The \
         value is another for each request, so it can't be a constant: sign in an interceptor. More \
         than 5 rejections in a row lock the key for 5 minutes.",
    );
    ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .responses_from_iter(responses)
        .security_scheme(TOKEN, SecurityScheme::ApiKey(ApiKey::Header(token)))
        .security_scheme(SIGNATURE, SecurityScheme::ApiKey(ApiKey::Header(signature)))
        .build()
}

/// The failures of a service, each in a form of its own.
#[derive(Clone, Copy)]
struct Failures {
    /// The response to a failure, and its name.
    failed: fn(Failure) -> (String, Response),
    /// The names of the responses with the statuses that an operation does not list.
    others: [(&'static str, &'static str); 2],
}

struct Document {
    failures: Failures,
    paths: PathsBuilder,
    schemas: BTreeMap<String, RefOr<Schema>>,
    responses: BTreeMap<String, Response>,
}

impl Document {
    fn add_schema<T: ToSchema>(&mut self) -> Ref {
        let mut parts = Vec::new();
        T::schemas(&mut parts);
        self.schemas.extend(parts);
        self.schemas.insert(T::name().into_owned(), T::schema());
        Ref::from_schema_name(T::name())
    }

    /// The content of a body with its example; nothing for [`Nothing`](crate::Nothing).
    fn content<P: Payload>(&mut self, example: &P) -> Option<(&'static str, ContentBuilder)> {
        let media_type = P::MEDIA_TYPE?;
        let content = ContentBuilder::new()
            .schema(Some(self.add_schema::<P>()))
            .example(serde_json::to_value(example).ok());
        Some((media_type, content))
    }

    fn operation<O: Operation>(&mut self) -> DocumentedOperation {
        let example = O::example();
        let mut operation = OperationBuilder::new()
            .operation_id(Some(O::ID))
            .tag(O::INFO.resource.plural())
            .summary(Some(O::SUMMARY))
            .description(Some(description::<O>()));
        operation = if O::IS_OPEN {
            operation.security(SecurityRequirement::default())
        } else {
            operation
                .parameter(token_parameter())
                .security(SecurityRequirement::new(TOKEN, no_scopes()))
                .security(SecurityRequirement::new(SIGNATURE, no_scopes()))
        };
        if let Some(name) = O::REQUEST_HEADER {
            operation = operation.parameter(header_parameter(name));
        }
        for parameter in parameters::<O>() {
            operation = operation.parameter(parameter);
        }
        self.schemas.extend(O::Path::schemas().into_iter().chain(O::Query::schemas()));
        if let Some((media_type, content)) = self.content(&example.request.body) {
            operation = operation.request_body(Some(
                RequestBodyBuilder::new()
                    .content(media_type, content.build())
                    .required(Some(if O::IS_BODY_OPTIONAL {
                        Required::False
                    } else {
                        Required::True
                    }))
                    .build(),
            ));
        }
        let mut success = response(match O::Response::MEDIA_TYPE {
            Some(_) => "Success",
            None => "Success, without a body",
        });
        if let Some((media_type, content)) = self.content(&example.response) {
            success = success.content(media_type, content.build());
        }
        for (name, link) in links(O::INFO, operations()) {
            success = success.link(name, link);
        }
        if let Some(name) = O::RESPONSE_HEADER {
            let schema = Ref::from_schema_name(AUTH_TOKEN);
            let header = HeaderBuilder::new().schema(Some(schema)).description(Some("The token."));
            success = success.header(name, header.build());
        }
        operation = operation.response(O::SUCCESS.as_str(), success.build());
        for failure in O::FAILURES {
            let (name, response) = (self.failures.failed)(*failure);
            operation =
                operation.response(failure.status().as_str(), Ref::from_response_name(&name));
            self.responses.insert(name, response);
        }
        for (statuses, name) in self.failures.others {
            operation = operation.response(statuses, Ref::from_response_name(name));
        }
        operation.build()
    }
}

impl OperationVisitor for Document {
    fn visit<O: Operation>(&mut self) {
        let operation = self.operation::<O>();
        let paths = std::mem::take(&mut self.paths);
        let item = utoipa::openapi::PathItem::new(http_method(&O::METHOD), operation);
        self.paths = paths.path(O::PATH, item);
    }
}

/// The operations that go on with the id in an answer: those below the path, which need that id, and no other
/// that this call does not have in its own path.
fn links(operation: &OperationInfo, all: &[&'static OperationInfo]) -> Vec<(&'static str, Link)> {
    let Some(pointer) = operation.id_in_response else { return Vec::new() };
    let known: Vec<&str> = operation.path_parameter_names().collect();
    let link = |next: &&'static OperationInfo| {
        next.path.strip_prefix(operation.path)?.strip_prefix("/{")?;
        let mut more = next.path_parameter_names().skip(known.len());
        let (Some(id), None) = (more.next(), more.next()) else { return None };
        let own = known.iter().map(|name| (*name, format!("$request.path.{name}")));
        let link = own
            .chain([(id, format!("$response.body#{pointer}"))])
            .fold(LinkBuilder::new().operation_id(next.id), |link, (name, expression)| {
                link.parameter(name, expression)
            });
        Some((next.id, link.build()))
    };
    all.iter().filter_map(link).collect()
}

fn description<O: Operation>() -> String {
    match O::ACTION {
        Some(action) => {
            format!("{}\n\nThe caller must be allowed `{action}`; otherwise 403.", O::DESCRIPTION)
        }
        None => O::DESCRIPTION.to_owned(),
    }
}

fn http_method(method: &Method) -> HttpMethod {
    match *method {
        Method::GET => HttpMethod::Get,
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::DELETE => HttpMethod::Delete,
        Method::PATCH => HttpMethod::Patch,
        Method::HEAD => HttpMethod::Head,
        Method::OPTIONS => HttpMethod::Options,
        _ => HttpMethod::Trace,
    }
}

fn no_scopes() -> [String; 0] {
    []
}

fn parameters<O: Operation>() -> Vec<Parameter> {
    let mut parameters = O::Path::into_params(|| Some(ParameterIn::Path));
    parameters.extend(O::Query::into_params(|| Some(ParameterIn::Query)));
    for parameter in &mut parameters {
        // Of a schema that is spelled out, the description is that of the parameter.
        if let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema
            && let Some(description) = schema.description.take()
        {
            parameter.description = Some(description);
        }
    }
    parameters
}

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

/// What the gateway sends; nothing of it is documented for these operations.
fn gateway_body() -> RefOr<Schema> {
    ObjectBuilder::new()
        .description(Some("The body of a failure of the gateway in front of the service."))
        .property("error_code", text("What failed, such as `APIG.0308`."))
        .property("error_msg", text("Why."))
        .property("request_id", text("The id of the request, as in `X-Request-Id`."))
        .into()
}

/// What the identity service sends.
fn identity_body() -> RefOr<Schema> {
    let code = ObjectBuilder::new().schema_type(Type::Integer).description(Some("The status."));
    let error = ObjectBuilder::new()
        .property("code", code)
        .property("message", text("Why."))
        .property("title", text("The name of the status."));
    ObjectBuilder::new()
        .description(Some("The body of a failure of the identity service."))
        .property("error", error)
        .into()
}

/// A schema of its own, so that generated code has one type for the token of every operation.
fn auth_token() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(0))
        .max_length(Some(header::TOKEN_MAX_LENGTH))
        .description(Some("A token of the identity service: 0 to 65,534 characters."))
        .into()
}

fn token_parameter() -> Parameter {
    ParameterBuilder::new()
        .name("X-Auth-Token")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The caller's token. Not needed when the request is signed."))
        .schema(Some(Ref::from_schema_name(AUTH_TOKEN)))
        .build()
}

/// A token in a header that belongs to one operation.
fn header_parameter(name: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some("The token that the call is about."))
        .schema(Some(Ref::from_schema_name(AUTH_TOKEN)))
        .build()
}

fn response(description: &str) -> ResponseBuilder {
    let request_id = HeaderBuilder::new()
        .description(Some("The id of the request, as `request_uuid-timestamp-hostname`."))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .build();
    ResponseBuilder::new().description(description).header("X-Request-Id", request_id)
}

/// A failure, with the sample of every failure that has its status: the schema is that of them all.
fn failed(failure: Failure) -> Response {
    let (schema, description) = match failure {
        Failure::Forbidden => (
            Ref::from_schema_name(ForbiddenBody::name()),
            "The caller may not do this. The body is not that of the other failures: `error_code` \
             is a number, and the same is said once more under `error`.",
        ),
        _ => (Ref::from_schema_name(ErrorBody::name()), meaning(failure)),
    };
    let schema = match failure {
        // The gateway and the identity service speak here too.
        Failure::TokenRejected | Failure::Forbidden => RefOr::T(Schema::from(
            AnyOfBuilder::new()
                .item(schema)
                .item(Ref::from_schema_name(GATEWAY_BODY))
                .item(Ref::from_schema_name(IDENTITY_BODY)),
        )),
        _ => RefOr::Ref(schema),
    };
    let of_this_status =
        Failure::ALL.into_iter().filter(|other| other.status() == failure.status());
    let content =
        ContentBuilder::new().schema(Some(schema)).examples_from_iter(samples(of_this_status));
    response(description).content(ApiError::MEDIA_TYPE, content.build()).build()
}

fn samples(failures: impl Iterator<Item = Failure>) -> Vec<(String, RefOr<Example>)> {
    let samples = failures.map(|failure| {
        let example = ExampleBuilder::new()
            .summary(format!("{} {}", failure.status().as_u16(), meaning(failure)))
            .value(body(failure))
            .build();
        (name(failure), RefOr::T(example))
    });
    samples.collect()
}

/// The name of a failure in the document: that of its row in the table.
fn name(failure: Failure) -> String {
    format!("{failure:?}")
}

const fn meaning(failure: Failure) -> &'static str {
    match failure {
        Failure::InvalidRequest => {
            "The request breaks the contract. The message begins as in the example and names a field \
             and the rule that it breaks."
        }
        Failure::TokenRejected => {
            "The caller is not known: the token is missing, unknown or expired."
        }
        Failure::Forbidden => "The caller may not do this.",
        Failure::NotFound => {
            "What the request names does not exist, or belongs to another project. The code is \
             that of 400; the status tells them apart."
        }
        Failure::TimedOut => "The request took too long.",
        Failure::Internal => "The service is at fault.",
        Failure::Unavailable => "The service is not available.",
        Failure::SignatureRejected => {
            "The signature does not verify, its date is more than 15 minutes off, or its key is \
             unknown or locked. The message begins `Incorrect IAM authentication information: `."
        }
        Failure::ResourceDoesNotExist => {
            "What the request names does not exist, in another guise: treat it as 404."
        }
        Failure::NoSuchApi => "There is no such path, or the path does not have the method.",
        Failure::BodyTooLarge => "The body is larger than 12 MB.",
        Failure::UriTooLong => "The request target is longer than 32 KB.",
        Failure::Throttled => "Too many requests.",
        Failure::HeadersTooLarge => "The headers are too large.",
        Failure::BackendUnavailable => "The gateway does not reach the service.",
        Failure::BackendTimedOut => "The service does not answer the gateway in time.",
    }
}

/// What an operation may answer with a status that its own documentation doesn't name.
fn rejected_by_the_gateway() -> Response {
    let is_documented = |failure: &Failure| {
        let mut documented = Failure::COMMON.iter();
        documented.any(|other| other.status() == failure.status())
    };
    let others = Failure::ALL
        .into_iter()
        .filter(|failure| failure.status().is_client_error() && !is_documented(failure));
    of_the_gateway(
        "What the gateway in front of the service rejects before the service sees it, such as 413, \
         414, 429 and 494. These answers are not documented for the operation; they are inferred from \
         the documentation of the gateway.",
        others,
    )
}

fn no_answer_from_the_service() -> Response {
    let others = Failure::ALL
        .into_iter()
        .filter(|failure| failure.status().is_server_error() && *failure != Failure::Internal);
    of_the_gateway(
        "What the gateway in front of the service answers when the service does not: 502, 503 and 504. \
         These answers are not documented for the operation; they are inferred from the documentation \
         of the gateway.",
        others,
    )
}

fn of_the_gateway(description: &str, failures: impl Iterator<Item = Failure>) -> Response {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(GATEWAY_BODY)))
        .examples_from_iter(samples(failures));
    response(description).content(ApiError::MEDIA_TYPE, content.build()).build()
}

fn body(failure: Failure) -> Option<Value> {
    ApiError::from(failure).json().cloned().map(Value::Object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_reach_what_needs_no_other_id() {
        let of = |id, path, id_in_response| OperationInfo {
            id,
            path,
            id_in_response,
            ..operations()[0].clone()
        };
        let all: Vec<&'static OperationInfo> = [
            of("CreateWorkspace", "/v1/workspaces", Some("/id")),
            of("ShowWorkspace", "/v1/workspaces/{workspace_id}", None),
            of("CreateJob", "/v1/workspaces/{workspace_id}/jobs", Some("/job/id")),
            of("ShowJob", "/v1/workspaces/{workspace_id}/jobs/{job_id}", None),
            of("ListVersions", "/v1/workspaces/{workspace_id}/jobs/{job_id}/versions", None),
        ]
        .map(|operation| &*Box::leak(Box::new(operation)))
        .into();
        let linked = |place: usize| {
            let links = links(all[place], &all).into_iter();
            links.map(|(id, link)| (id, serde_json::json!(link)["parameters"].clone()))
        };
        let workspace = serde_json::json!({ "workspace_id": "$response.body#/id" });
        let of_workspace: Vec<_> = linked(0).collect();
        let expected = [("ShowWorkspace", workspace.clone()), ("CreateJob", workspace)];
        assert_eq!(of_workspace, expected);
        let job = serde_json::json!({
            "workspace_id": "$request.path.workspace_id", "job_id": "$response.body#/job/id",
        });
        let of_job: Vec<_> = linked(2).collect();
        assert_eq!(of_job, [("ShowJob", job.clone()), ("ListVersions", job)]);
        assert_eq!(linked(1).count(), 0);
    }
}
