//! What an operation is, and the request to it.

use std::borrow::Cow;
use std::fmt::Debug;

use http::{Method, StatusCode};
use validator::Validate;

use crate::parameters::Template;
use crate::{Failure, Invalid, Parameters, Payload, Resource, ResourceInfo, parameters};

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
    /// The action that the caller must be allowed; `None` if the service documents none, so any known caller
    /// may call.
    const ACTION: Option<&'static str>;
    /// Whether the operation needs no credentials.
    const IS_OPEN: bool = false;
    /// Whether the operation is one of [sign-in](crate::identity), which another service answers.
    const IS_SIGN_IN: bool = false;
    /// The documented failures.
    const FAILURES: &'static [Failure] = Failure::COMMON;
    /// A title of a few words.
    const SUMMARY: &'static str;
    /// What the operation does, in Markdown.
    const DESCRIPTION: &'static str;
    /// The path parameter that must be the caller's own project, if the path has one. Any other project is
    /// rejected with 403.
    const PROJECT_PARAMETER: Option<&'static str> = None;
    /// Whether the operation changes nothing although its method is POST, so it may be repeated.
    const ONLY_READS: bool = false;
    /// Whether the body may be left out, which means `{}`.
    const IS_BODY_OPTIONAL: bool = false;
    /// Where the answer holds the id that the operations below the path take, as a JSON pointer such as
    /// `/id`.
    const ID_IN_RESPONSE: Option<&'static str> = None;
    /// Where the answer of a list holds its items, as a JSON pointer such as `/workspaces`.
    const ITEMS_IN_RESPONSE: Option<&'static str> = None;
    /// A header of the request that belongs to this operation alone.
    const REQUEST_HEADER: Option<&'static str> = None;
    /// A header of the answer to a success that belongs to this operation alone.
    const RESPONSE_HEADER: Option<&'static str> = None;

    /// The status of a record for which what the operation began has failed, such as `CREATE_FAILED`; `None` if
    /// it begins nothing that can fail later.
    const FAILED_STATUS: Option<&'static str> = None;

    /// The resource that the operation is about.
    type Resource: Resource;
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

    /// All of the constants.
    const INFO: &'static OperationInfo = &OperationInfo {
        id: Self::ID,
        method: Self::METHOD,
        path: Self::PATH,
        success: Self::SUCCESS,
        action: Self::ACTION,
        is_open: Self::IS_OPEN,
        is_sign_in: Self::IS_SIGN_IN,
        failures: Self::FAILURES,
        summary: Self::SUMMARY,
        description: Self::DESCRIPTION,
        project_parameter: Self::PROJECT_PARAMETER,
        only_reads: Self::ONLY_READS,
        id_in_response: Self::ID_IN_RESPONSE,
        items_in_response: Self::ITEMS_IN_RESPONSE,
        request_header: Self::REQUEST_HEADER,
        response_header: Self::RESPONSE_HEADER,
        failed_status: Self::FAILED_STATUS,
        request_media_type: Self::Body::MEDIA_TYPE,
        response_media_type: Self::Response::MEDIA_TYPE,
        resource: Self::Resource::INFO,
    };
}

/// The constants of an [`Operation`]: see [`operations`](crate::operations()).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OperationInfo {
    /// [`Operation::ID`].
    pub id: &'static str,
    /// [`Operation::METHOD`].
    pub method: Method,
    /// [`Operation::PATH`].
    pub path: &'static str,
    /// [`Operation::SUCCESS`].
    pub success: StatusCode,
    /// [`Operation::ACTION`].
    pub action: Option<&'static str>,
    /// [`Operation::IS_OPEN`].
    pub is_open: bool,
    /// [`Operation::IS_SIGN_IN`].
    pub is_sign_in: bool,
    /// [`Operation::FAILURES`].
    pub failures: &'static [Failure],
    /// [`Operation::SUMMARY`].
    pub summary: &'static str,
    /// [`Operation::DESCRIPTION`].
    pub description: &'static str,
    /// [`Operation::PROJECT_PARAMETER`].
    pub project_parameter: Option<&'static str>,
    /// [`Operation::ONLY_READS`].
    pub only_reads: bool,
    /// [`Operation::ID_IN_RESPONSE`].
    pub id_in_response: Option<&'static str>,
    /// [`Operation::ITEMS_IN_RESPONSE`].
    pub items_in_response: Option<&'static str>,
    /// [`Operation::REQUEST_HEADER`].
    pub request_header: Option<&'static str>,
    /// [`Operation::RESPONSE_HEADER`].
    pub response_header: Option<&'static str>,
    /// [`Operation::FAILED_STATUS`].
    pub failed_status: Option<&'static str>,
    /// The `Content-Type` of a request, if it has a body.
    pub request_media_type: Option<&'static str>,
    /// The `Content-Type` of a success, if it has a body.
    pub response_media_type: Option<&'static str>,
    /// [`Operation::Resource`].
    pub resource: &'static ResourceInfo,
}

impl OperationInfo {
    /// Whether a repeated call has the same effect as one call.
    ///
    /// ```
    /// use fabric_model::Operation;
    /// use fabric_model::access_client::{CreateAccessClient, UpdateAccessClient};
    ///
    /// assert!(UpdateAccessClient::INFO.is_repeatable());
    /// assert!(!CreateAccessClient::INFO.is_repeatable());
    /// ```
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        self.only_reads || self.method.is_idempotent()
    }

    /// The names of the path parameters, in their order.
    pub fn path_parameter_names(&self) -> impl Iterator<Item = &'static str> + use<> {
        parameters::names(self.path)
    }

    /// The names of the path parameters, each with its decoded value in `path`.
    ///
    /// ```
    /// use fabric_model::Operation;
    /// use fabric_model::access_client::ShowAccessClient;
    ///
    /// let mut parameters = ShowAccessClient::INFO.path_parameters("/v1/access-clients/%33f2c");
    /// assert_eq!(parameters.next(), Some(("client_id", "3f2c".into())));
    /// ```
    pub fn path_parameters<'a>(
        &self,
        path: &'a str,
    ) -> impl Iterator<Item = (&'static str, Cow<'a, str>)> + use<'a> {
        Template::new(self.path).pairs(path)
    }

    /// Whether a path has the form of this operation's.
    #[must_use]
    pub fn has_path(&self, path: &str) -> bool {
        let (mut wanted, mut given) = (self.path.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(wanted), Some(given))
                    if wanted == given || (wanted.starts_with('{') && !given.is_empty()) => {}
                _ => return false,
            }
        }
    }
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
    /// Checks every documented rule that the types do not enforce.
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

    /// Reads and validates a request as it was sent.
    ///
    /// `path` and `query` are the parts of the request target before and after the `?`, still
    /// percent-encoded; `content_type` is the header of that name.
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
        let path = parameters::read_path(const { Template::new(O::PATH) }, path)?;
        let query = parameters::read(parameters::query_pairs(query))?;
        let is_left_out = O::IS_BODY_OPTIONAL && body.is_empty();
        if let Some(media_type) = O::Body::MEDIA_TYPE
            && !is_left_out
            && !content_type.is_some_and(|given| is_media_type(given, media_type))
        {
            return Err(Invalid::new("Content-Type", format!("must be {media_type}, in UTF-8")));
        }
        let body = if is_left_out { b"{}" } else { body };
        let request = Self { path, query, body: O::Body::read(body)? };
        request.validate()?;
        Ok(request)
    }
}

/// Whether a `Content-Type` is `media_type`, with no charset or with UTF-8.
fn is_media_type(content_type: &[u8], media_type: &str) -> bool {
    if content_type == media_type.as_bytes() {
        return true;
    }
    let Ok(text) = std::str::from_utf8(content_type) else { return false };
    // Only the spaces of HTTP: other readers of the header, such as that of a signature, know no more of them.
    let mut parts = text.split(';').map(str::trim_ascii);
    parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case(media_type))
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.trim_ascii().eq_ignore_ascii_case("charset") => {
                value.trim_ascii().trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_spaces_of_http_may_stand_around_a_media_type() {
        let is_json = |text: &str| is_media_type(text.as_bytes(), "application/json");
        assert!(is_json("application/json") && is_json(" application/json\t; charset=utf-8"));
        for space in ["\u{3000}", "\u{a0}", "\u{2003}"] {
            assert!(!is_json(&format!("{space}application/json")), "{space:?}");
            assert!(!is_json(&format!("application/json{space}; charset=utf-8")), "{space:?}");
        }
    }
}
