//! The parts of requests and answers: parameters and bodies.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::{Invalid, json};

#[cfg(not(feature = "openapi"))]
use documented::{DocumentedBody, DocumentedParameters};
#[cfg(feature = "openapi")]
use utoipa::{IntoParams as DocumentedParameters, ToSchema as DocumentedBody};

/// The types that have a schema in the OpenAPI document. Without the feature `openapi`, all types do.
#[cfg(not(feature = "openapi"))]
mod documented {
    pub trait DocumentedBody {}
    impl<T> DocumentedBody for T {}
    pub trait DocumentedParameters {}
    impl<T> DocumentedParameters for T {}
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
    /// The schemas that the parameters name: the document must have them, and `utoipa` does not collect
    /// them.
    #[cfg(feature = "openapi")]
    #[must_use]
    fn schemas() -> Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)> {
        Vec::new()
    }
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

    /// Reads the body, without validating it.
    ///
    /// # Errors
    ///
    /// The body is not UTF-8, not JSON or not an object, or a field has the wrong type, is `null` or is given
    /// twice.
    fn read(body: &[u8]) -> Result<Self, Invalid> {
        json::read(body)
    }

    /// Reads the body of an answer, in which `null` is as good as absent, without validating it.
    ///
    /// # Errors
    ///
    /// As those of [`Self::read`].
    fn read_answer(body: &[u8]) -> Result<Self, Invalid> {
        json::read_answer(body)
    }

    /// Writes the body.
    ///
    /// # Errors
    ///
    /// The type cannot be written as JSON, such as a map with keys that are not strings.
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

    /// A body that is not expected is ignored.
    fn read(_: &[u8]) -> Result<Self, Invalid> {
        Ok(Self {})
    }

    fn read_answer(_: &[u8]) -> Result<Self, Invalid> {
        Ok(Self {})
    }

    fn write(&self) -> Result<Vec<u8>, Invalid> {
        Ok(Vec::new())
    }
}
