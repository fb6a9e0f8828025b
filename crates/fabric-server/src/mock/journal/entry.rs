//! Calls as the journal tells them, and which of them to tell.

use std::collections::BTreeMap;

use fabric_model::ProjectId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::mock::error::ControlError;
use crate::mock::journal::mismatch::SignatureMismatch;
use crate::mock::names::{check_operation, check_parameters};

/// A call, as the journal tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// Its place among all calls of the server.
    pub sequence: u64,
    /// When it was answered, by the clock of its project.
    pub time: String,
    /// The project of the caller; `null` where the caller is not known.
    pub project_id: Option<String>,
    /// The operation, unless the path and method are of none.
    pub operation: Option<String>,
    /// The method.
    pub method: String,
    /// Path and query, as they were sent.
    pub target: String,
    /// The path parameters by their names, as the route decodes them.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// The headers of the request. Credentials are `[redacted]`.
    pub headers: BTreeMap<String, String>,
    /// The body of the request: JSON, or text, or `null` for none. Of a long one, the beginning.
    pub body: Value,
    /// How many bytes the body has.
    pub body_bytes: u64,
    /// The status of the answer; `null` where a fault sent none.
    pub status: Option<u16>,
    /// The code of a failure.
    pub error_code: Option<String>,
    /// The body of the answer, as that of the request.
    pub answer: Value,
    /// The id of the request.
    pub request_id: String,
    /// How long the service took, without delays of faults.
    pub microseconds: u64,
    /// The number of the fault that the call met, or 0 for one in a header.
    pub fault: Option<u64>,
    /// Why the call was rejected.
    pub reason: Option<String>,
    /// What was signed, where a signature does not match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub signature: Option<SignatureMismatch>,
}

/// Which calls; those for which everything holds that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// The project.
    #[param(value_type = Option<String>)]
    #[schema(value_type = Option<String>)]
    pub project_id: Option<ProjectId>,
    /// Besides those of the project, the calls of no project: those of callers that are not known.
    pub unattributed: Option<bool>,
    /// The operation, by the id that it has in the `OpenAPI` document.
    pub operation: Option<String>,
    /// The method.
    pub method: Option<String>,
    /// The path, without the query.
    pub path: Option<String>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The code of a failure.
    pub error_code: Option<String>,
    /// Only calls later than this one.
    pub after: Option<u64>,
    /// Only calls earlier than this one: to go on from the last of a page.
    pub before: Option<u64>,
    /// How many at most, 1 to 1,000; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    #[schema(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// Path parameters by their names, as the route decodes them: such as `client_id`.
    #[serde(flatten)]
    #[param(ignore)]
    pub parameters: BTreeMap<String, String>,
}

impl Filter {
    /// Checks that the operation and the path parameters are some of the contract.
    pub(crate) fn check(&self) -> Result<(), ControlError> {
        check_operation("", self.operation.as_deref())?;
        check_parameters("", self.operation.as_deref(), &self.parameters)
    }
}

/// What the journal has of some calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Entries {
    /// The calls, newest first.
    pub entries: Vec<Entry>,
    /// How many calls of the project, or of all, were evicted.
    #[serde(alias = "forgotten")]
    pub evicted: u64,
}

/// What a stream of the journal holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A call.
    Call(Box<Entry>),
    /// So many calls, or more, were evicted before they could be sent.
    Evicted(u64),
}
