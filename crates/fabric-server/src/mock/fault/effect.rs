//! What a fault does to an answer.

use std::collections::BTreeMap;

use fabric_model::{ApiError, Failure};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::answer::Answer;
use crate::mock::error::ControlError;

/// What replaces an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Another answer.
    Answer {
        /// Its status.
        #[schema(minimum = 200, maximum = 599)]
        status: u16,
        /// The failure of the contract, if several have the status: 401 and 404 come from the service and
        /// from the gateway.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false, examples("APIG.0301"))]
        error_code: Option<String>,
        /// The body: text as it is, anything else as JSON. When absent: that of the contract for a failure, none
        /// for a success.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        body: Option<Value>,
        /// More headers. `X-request-id` and the length are always the server's.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
    },
    /// 429 with `Retry-After`.
    Throttle {
        /// How long to wait, in seconds.
        retry_after_seconds: u64,
    },
    /// The connection is reset in place of an answer (over HTTP/2 with all its other calls).
    Reset,
    /// The connection is closed in place of an answer.
    Drop,
    /// The connection is closed after the head of the answer and a part of its body.
    Truncate {
        /// How much of the body is sent; half of it when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        bytes: Option<usize>,
    },
    /// A whole answer whose body is not JSON.
    Corrupt,
    /// The body comes in small pieces.
    Trickle {
        /// The bytes of a piece; 1 when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false, minimum = 1)]
        bytes: Option<usize>,
        /// The time between two pieces, in milliseconds; 100 when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false, maximum = 600_000)]
        every_milliseconds: Option<u64>,
    },
    /// No answer comes for ten minutes; then the connection is closed.
    Hang,
}

impl Effect {
    /// The contract's own answer of a status, or success without a body.
    #[must_use]
    pub fn answer(status: u16) -> Self {
        Self::Answer { status, error_code: None, body: None, headers: BTreeMap::new() }
    }

    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Answer { status, .. } => format!("answers {status}"),
            Self::Throttle { .. } => "answers 429".to_owned(),
            Self::Reset => "resets the connection".to_owned(),
            Self::Drop => "closes the connection".to_owned(),
            Self::Truncate { .. } => "cuts the body off".to_owned(),
            Self::Corrupt => "breaks the body".to_owned(),
            Self::Trickle { .. } => "sends the body in small pieces".to_owned(),
            Self::Hang => "never answers".to_owned(),
        }
    }

    /// Whether the caller gets the service's own answer, if only in part.
    pub(crate) fn shows_own_answer(&self) -> bool {
        matches!(self, Self::Truncate { .. } | Self::Corrupt | Self::Trickle { .. })
    }

    /// The answer that comes in place of the service's own, if one does.
    pub(crate) fn replacement(&self) -> Result<Option<Answer>, ControlError> {
        let (status, error_code, body, headers) = match self {
            Self::Answer { status, error_code, body, headers } => {
                (*status, error_code.as_deref(), body.as_ref(), headers)
            }
            Self::Throttle { retry_after_seconds } => {
                let mut answer = Answer::of(&Failure::Throttled.into());
                answer.headers.insert(http::header::RETRY_AFTER, (*retry_after_seconds).into());
                return Ok(Some(answer));
            }
            _ => return Ok(None),
        };
        let wrong =
            |field: &str, rule: &str| ControlError::invalid(format!("then.{field}: {rule}"));
        let status = StatusCode::from_u16(status)
            .ok()
            .filter(|status| status.as_u16() >= 200 && status.as_u16() < 600)
            .ok_or_else(|| wrong("status", "must be from 200 to 599"))?;
        let failure = Failure::ALL.into_iter().find(|failure| {
            failure.status() == status && error_code.is_none_or(|code| failure.code() == code)
        });
        let mut answer = match (body, failure) {
            (Some(Value::String(text)), _) => Answer::new(status, text.clone().into()),
            (Some(body), _) => Answer::json(status, body.to_string().into()),
            (None, Some(failure)) => Answer::of(&ApiError::from(failure)),
            (None, None) if error_code.is_some() => {
                return Err(wrong(
                    "error_code",
                    "is of no failure of the contract with that status",
                ));
            }
            (None, None) if status.is_success() => Answer::new(status, bytes::Bytes::new()),
            (None, None) => {
                return Err(wrong(
                    "body",
                    "must be given: no failure of the contract has the status",
                ));
            }
        };
        for (name, value) in headers {
            let name = HeaderName::try_from(name.as_str())
                .map_err(|_| wrong("headers", "has a name that no header can have"))?;
            if [http::header::CONTENT_LENGTH, http::header::TRANSFER_ENCODING].contains(&name) {
                return Err(wrong("headers", "must leave the length to the server"));
            }
            let value = HeaderValue::try_from(value.as_str())
                .map_err(|_| wrong("headers", "has a value that no header can have"))?;
            answer.headers.insert(name, value);
        }
        Ok(Some(answer))
    }
}
