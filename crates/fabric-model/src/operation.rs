//! What an operation is, the request to it, and the one list of them all.

use std::fmt::Debug;

use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::{Failure, Invalid, access_client, health, json, parameters};

#[cfg(not(feature = "openapi"))]
use documented::{DocumentedBody, DocumentedParameters};
#[cfg(feature = "openapi")]
use utoipa::{IntoParams as DocumentedParameters, ToSchema as DocumentedBody};

/// What describes itself in the OpenAPI document. Without the feature `openapi`, everything does.
#[cfg(not(feature = "openapi"))]
mod documented {
    pub trait DocumentedBody {}
    impl<T> DocumentedBody for T {}
    pub trait DocumentedParameters {}
    impl<T> DocumentedParameters for T {}
}

/// One operation of the service, declared once: the server's route, the client's call and the entry
/// in the OpenAPI document all follow from it.
pub trait Operation: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// The name by which the service itself knows the operation.
    const ID: &'static str;
    /// The HTTP method.
    const METHOD: Method;
    /// The path, with a `{name}` for each field of [`Self::Path`].
    const PATH: &'static str;
    /// The status of success.
    const SUCCESS: StatusCode;
    /// The action that a caller must be allowed; `None` for an operation open to everybody.
    const ACTION: Option<&'static str>;
    /// The documented failures.
    const FAILURES: &'static [Failure];
    /// A title of a few words.
    const SUMMARY: &'static str;
    /// What the operation does, in Markdown.
    const DESCRIPTION: &'static str;
    /// Where in the answer the id stands with which the operations on one resource go on, as a JSON
    /// pointer: such as `/id`.
    const ID_IN_RESPONSE: Option<&'static str> = None;

    /// The parameters in the path.
    type Path: Parameters;
    /// The parameters after the `?`.
    type Query: Parameters;
    /// The body of the request.
    type Body: Payload;
    /// The body of the answer to a success.
    type Response: Payload;

    /// A request and its answer, for the documentation.
    fn example() -> Example<Self>;
}

/// A request and the answer to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Example<O: Operation> {
    /// What is asked.
    pub request: Request<O>,
    /// What is answered.
    pub response: O::Response,
}

/// A request to operation `O`.
#[derive(Clone, Debug, PartialEq)]
pub struct Request<O: Operation> {
    /// The parameters in the path.
    pub path: O::Path,
    /// The parameters after the `?`.
    pub query: O::Query,
    /// The body.
    pub body: O::Body,
}

impl<O: Operation> Request<O> {
    /// Checks every documented rule that the types alone do not hold.
    ///
    /// # Errors
    ///
    /// Every rule that is broken, in path, query and body.
    pub fn validate(&self) -> Result<(), Invalid> {
        Invalid::collect([self.path.validate(), self.query.validate(), self.body.validate()])
    }

    /// The request target: path and query, percent-encoded.
    ///
    /// ```
    /// use fabric_model::access_client::{AccessClientPath, ShowAccessClient};
    /// use fabric_model::{Nothing, Request};
    ///
    /// let path = AccessClientPath { client_id: "3f2c9a5e".parse()? };
    /// let request = Request::<ShowAccessClient> { path, query: Nothing {}, body: Nothing {} };
    /// assert_eq!(request.target(), "/v1/access-clients/3f2c9a5e");
    /// # Ok::<(), fabric_model::Invalid>(())
    /// ```
    #[must_use]
    pub fn target(&self) -> String {
        parameters::write(O::PATH, &self.path, &self.query)
    }

    /// Reads and checks a request as it came over the wire: what this returns is valid.
    ///
    /// `path` and `query` are what stands before and after the `?` of the request target, as it was
    /// sent; `content_type` is the header of that name.
    ///
    /// # Errors
    ///
    /// The first part that cannot be read; otherwise, every rule that is broken.
    pub fn read(
        path: &str,
        query: &str,
        content_type: Option<&[u8]>,
        body: &[u8],
    ) -> Result<Self, Invalid> {
        let path = parameters::read(parameters::path_pairs(O::PATH, path))?;
        let query = parameters::read(parameters::query_pairs(query))?;
        if let Some(media_type) = O::Body::MEDIA_TYPE
            && !content_type.is_some_and(|given| is_media_type(given, media_type))
        {
            return Err(Invalid::new("Content-Type", format!("must be {media_type}, in UTF-8")));
        }
        let request = Self { path, query, body: O::Body::read(body)? };
        request.validate()?;
        Ok(request)
    }
}

/// Whether a `Content-Type` is `media_type`, with no charset or with UTF-8.
fn is_media_type(content_type: &[u8], media_type: &str) -> bool {
    let Ok(text) = std::str::from_utf8(content_type) else { return false };
    let mut parts = text.split(';').map(str::trim);
    parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case(media_type))
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

/// The parameters in a path or after the `?`: a struct whose fields print as text.
pub trait Parameters:
    Clone
    + Debug
    + PartialEq
    + Serialize
    + DeserializeOwned
    + Validate
    + DocumentedParameters
    + Send
    + Sync
    + 'static
{
}

/// A body of a request or an answer: a JSON object, or [`Nothing`].
pub trait Payload:
    Clone
    + Debug
    + PartialEq
    + Serialize
    + DeserializeOwned
    + Validate
    + DocumentedBody
    + Send
    + Sync
    + 'static
{
    /// The `Content-Type`; `None` when there is no body.
    const MEDIA_TYPE: Option<&'static str> = Some("application/json");

    /// Reads the body. What it reads still has to be validated.
    ///
    /// # Errors
    ///
    /// Not UTF-8, not JSON, not an object, or a field of the wrong type, `null` or given twice.
    fn read(body: &[u8]) -> Result<Self, Invalid> {
        json::read(body)
    }

    /// Writes the body.
    ///
    /// # Errors
    ///
    /// A type that JSON can't hold, such as a map with keys that are no strings.
    fn write(&self) -> Result<Vec<u8>, Invalid> {
        serde_json::to_vec(self).map_err(|_| Invalid::new(json::BODY, "cannot be written as JSON"))
    }
}

/// No parameters, or no body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams, utoipa::ToSchema))]
pub struct Nothing {}

impl Parameters for Nothing {}

impl Payload for Nothing {
    const MEDIA_TYPE: Option<&'static str> = None;

    /// Whatever comes where nothing is expected is ignored.
    fn read(_: &[u8]) -> Result<Self, Invalid> {
        Ok(Self {})
    }

    fn write(&self) -> Result<Vec<u8>, Invalid> {
        Ok(Vec::new())
    }
}

/// Something to be done for every operation: see [`visit_operations`].
pub trait OperationVisitor {
    /// Does it for one.
    fn visit<O: Operation>(&mut self);
}

/// The one list of all operations.
pub fn visit_operations(visitor: &mut impl OperationVisitor) {
    visitor.visit::<access_client::CreateAccessClient>();
    visitor.visit::<access_client::ListAccessClients>();
    visitor.visit::<access_client::ShowAccessClient>();
    visitor.visit::<access_client::UpdateAccessClient>();
    visitor.visit::<access_client::DeleteAccessClient>();
    visitor.visit::<health::ShowHealth>();
}
