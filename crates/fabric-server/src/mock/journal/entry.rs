//! Calls as the journal shows them, and filters of calls.

use std::collections::BTreeMap;

use fabric_model::ProjectId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::mock::error::ControlError;
use crate::mock::journal::mismatch::SignatureMismatch;
use crate::mock::names::{check_operation, check_parameters};

/// A call, as the journal shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// Its number among all calls of the server.
    pub sequence: u64,
    /// When it was answered, by the clock of its project.
    pub time: String,
    /// The project of the caller; `null` if the caller is not known.
    pub project_id: Option<String>,
    /// The operation; `null` if no operation has the path and method.
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
    /// The body of the request: JSON, or text, or `null` for none. Only the beginning of a long one.
    pub body: Value,
    /// The length of the body of the request, in bytes.
    pub body_bytes: u64,
    /// The status of the answer; `null` if a fault prevented it.
    pub status: Option<u16>,
    /// The code of a failure.
    pub error_code: Option<String>,
    /// The body of the answer, shown as that of the request.
    pub answer: Value,
    /// The id of the request.
    pub request_id: String,
    /// How long the service took, without the delays of faults.
    pub microseconds: u64,
    /// The number of the fault that the call met; 0 for one in a header.
    pub fault: Option<u64>,
    /// Why the call was rejected.
    pub reason: Option<String>,
    /// What was signed, if a signature does not match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub signature: Option<SignatureMismatch>,
}

/// A filter of calls: everything that is given must match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// The project.
    #[param(value_type = Option<String>)]
    #[schema(value_type = Option<String>)]
    pub project_id: Option<ProjectId>,
    /// With `project_id`: also the calls of no project, which are those of unknown callers.
    pub unattributed: Option<bool>,
    /// The operation, by its id in the `OpenAPI` document.
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
    /// Only calls earlier than this one: to continue after the last of a page.
    pub before: Option<u64>,
    /// The most calls, 1 to 1,000; 100 when absent.
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

/// The calls of the journal that match a filter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Entries {
    /// The calls, newest first.
    pub entries: Vec<Entry>,
    /// How many calls of the project, or of all, were evicted.
    #[serde(alias = "forgotten")]
    pub evicted: u64,
}

/// An event in a stream of the journal.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A call.
    Call(Box<Entry>),
    /// At least this number of calls was evicted before they could be sent.
    Evicted(u64),
}
