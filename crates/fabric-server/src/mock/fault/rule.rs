//! Faults: the calls that they are about, and the rules of a fault.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use fabric_model::{OperationInfo, ProjectId, operations};
use http::HeaderValue;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::time;
use crate::mock::error::ControlError;
use crate::mock::fault::effect::Effect;
use crate::mock::names::{check_operation, check_parameters};
use crate::mock::random::Draws;

/// A fault: the calls that it matches, and what it does to them.
///
/// A call meets the first fault that fires. Faults of the caller's project come before those for every
/// project; within each, they come in the order in which they were added.
///
/// ```
/// use fabric_server::fault::{Effect, Fault, When, Write};
///
/// let fault = Fault {
///     when: When { operation: Some("CreateAccessClientInfo".into()), times: Some(1), ..When::default() },
///     then: Some(Effect::answer(408)),
///     write: Some(Write::Kept),
///     ..Fault::default()
/// };
/// let same = serde_json::json!({
///     "when": { "operation": "CreateAccessClientInfo", "times": 1 },
///     "then": { "kind": "answer", "status": 408 },
///     "write": "kept",
/// });
/// assert_eq!(serde_json::to_value(&fault)?, same);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The calls that it matches; all when absent.
    #[serde(default, skip_serializing_if = "When::is_always")]
    #[schema(inline)]
    pub when: When,
    /// How long the answer, or its replacement, is held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub delay: Option<Delay>,
    /// What replaces the answer; the service's own answer when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub then: Option<Effect>,
    /// Whether the service does what was asked. When absent: kept if the caller gets the service's own answer,
    /// whole or in part, else discarded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub write: Option<Write>,
    /// How what the call begins ends. Only for operations that begin what can fail later, such as
    /// `CreateEndpoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub outcome: Option<Outcome>,
}

/// The calls that a fault matches: everything that is given must match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct When {
    /// The operation, by its id in the `OpenAPI` document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("ShowAccessClient"))]
    pub operation: Option<String>,
    /// The project of the caller. The fault then belongs to the project, and ends with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>)]
    pub project_id: Option<ProjectId>,
    /// Only the n-th such call since the fault was added, counted from 1. Calls that meet other faults count
    /// too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub call: Option<u64>,
    /// The most calls that the fault changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub times: Option<u64>,
    /// How likely the fault fires, from 0 to 1. The draws follow from the seed of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    pub probability: Option<f64>,
    /// Only calls from this time on, by the clock of the project.
    #[serde(with = "time::optional", default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>, format = DateTime)]
    pub from: Option<SystemTime>,
    /// Only calls before this time.
    #[serde(with = "time::optional", default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>, format = DateTime)]
    pub until: Option<SystemTime>,
    /// Path parameters by their names, as the route decodes them: such as `client_id`.
    #[serde(flatten)]
    pub parameters: BTreeMap<String, String>,
}

impl When {
    fn is_always(&self) -> bool {
        *self == Self::default()
    }
}

/// How long an answer is held back; at most ten minutes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Delay {
    /// Always the same time.
    Fixed {
        /// The time.
        #[schema(maximum = 600_000)]
        milliseconds: u64,
    },
    /// A time between two, evenly distributed.
    Uniform {
        /// The shortest.
        #[schema(maximum = 600_000)]
        minimum_milliseconds: u64,
        /// The longest.
        #[schema(maximum = 600_000)]
        maximum_milliseconds: u64,
    },
    /// As in networks: mostly near the median, sometimes much longer.
    LogNormal {
        /// The median: half of the calls take longer.
        #[schema(maximum = 600_000)]
        median_milliseconds: u64,
        /// The spread: the standard deviation of the logarithm, such as 0.5.
        #[schema(minimum = 0, maximum = 10)]
        sigma: f64,
    },
}

/// The longest delay, and the longest that a call hangs.
pub(crate) const DELAY_MAX: Duration = Duration::from_mins(10);

/// Whether the service does what a call asks for, although a fault changes the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// It does: the state shows it.
    Kept,
    /// It does not: the records stay as they were.
    Discarded,
}

/// How what a call begins ends, although the call itself succeeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It fails: an endpoint is then `CREATE_FAILED`, `UPDATE_FAILED` or `DELETE_FAILED`.
    Failed,
}

/// A fault in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FaultStatus {
    /// Its number.
    pub id: u64,
    /// The fault, with its defaults filled in.
    #[serde(flatten)]
    pub fault: Fault,
    /// How many calls it matched.
    pub matched: u64,
    /// How many of them it changed.
    pub fired: u64,
}

impl Fault {
    /// Whether the service does what was asked.
    #[must_use]
    pub fn is_write_kept(&self) -> bool {
        self.effective_write() == Write::Kept
    }

    /// The same, as it is written.
    pub(crate) fn effective_write(&self) -> Write {
        match self.write {
            Some(write) => write,
            None if self.then.as_ref().is_none_or(Effect::shows_own_answer) => Write::Kept,
            None => Write::Discarded,
        }
    }

    /// Reads the header `X-Mock-Fault`: a fault in JSON, a status, or the kind of an effect that needs
    /// nothing else, such as `reset`.
    pub(crate) fn parse_header(
        value: &HeaderValue,
        operation: &OperationInfo,
    ) -> Result<Self, ControlError> {
        let wrong = ControlError::invalid;
        let text = value.to_str().map_err(|_| wrong("must be ASCII".to_owned()))?.trim();
        let fault = if text.starts_with('{') {
            fabric_model::json::read(text.as_bytes())
                .map_err(|invalid| wrong(invalid.to_string()))?
        } else {
            let then = match text.parse() {
                Ok(status) => Effect::answer(status),
                Err(_) => {
                    serde_json::from_value(serde_json::json!({ "kind": text })).map_err(|_| {
                        wrong(
                            "must be a fault in JSON, a status, or one of reset, drop, truncate, \
                             corrupt, trickle and hang"
                                .to_owned(),
                        )
                    })?
                }
            };
            Self { then: Some(then), ..Self::default() }
        };
        if !fault.when.is_always() {
            return Err(wrong("`when` is this very call; leave it out".to_owned()));
        }
        fault.checked_for(Some(operation))
    }

    /// The fault, if there can be such calls and such an effect, with what was left open decided.
    pub(crate) fn checked(self) -> Result<Self, ControlError> {
        let wrong = |field: &str, rule: &str| Err(wrong(field, rule));
        let When { operation, call, times, probability, from, until, parameters, .. } = &self.when;
        check_operation("when.", operation.as_deref())?;
        check_parameters("when.", operation.as_deref(), parameters)?;
        let operation = operation.as_deref().and_then(fabric_model::operation);
        if operation.is_some_and(|operation| operation.is_open) && self.when.project_id.is_some() {
            return wrong("when.project_id", "must be left out: the operation is of no project");
        }
        if *call == Some(0) || *times == Some(0) {
            return wrong("when.call, when.times", "must be at least 1");
        }
        if probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return wrong("when.probability", "must be from 0 to 1");
        }
        if let (Some(from), Some(until)) = (from, until)
            && from >= until
        {
            return wrong("when.until", "must be later than when.from");
        }
        self.checked_for(operation)
    }

    /// The same for what the fault does to calls of an operation, or of any.
    fn checked_for(mut self, operation: Option<&OperationInfo>) -> Result<Self, ControlError> {
        self.check_delay()?;
        self.check_effect()?;
        self.check_outcome(operation)?;
        self.write = Some(self.effective_write());
        Ok(self)
    }

    fn check_delay(&self) -> Result<(), ControlError> {
        let wrong = |field: &str, rule: &str| Err(wrong(field, rule));
        match self.delay {
            Some(
                Delay::Fixed { milliseconds }
                | Delay::LogNormal { median_milliseconds: milliseconds, .. },
            ) if is_too_long(milliseconds) => wrong("delay", "must be at most 600000 milliseconds"),
            Some(Delay::Uniform { minimum_milliseconds, maximum_milliseconds })
                if is_too_long(maximum_milliseconds)
                    || minimum_milliseconds > maximum_milliseconds =>
            {
                wrong("delay", "must go from a minimum to a maximum of 600000 milliseconds")
            }
            Some(Delay::LogNormal { sigma, .. }) if !(0.0..=10.0).contains(&sigma) => {
                wrong("delay.sigma", "must be from 0 to 10")
            }
            _ => Ok(()),
        }
    }

    fn check_effect(&self) -> Result<(), ControlError> {
        let wrong = |field: &str, rule: &str| Err(wrong(field, rule));
        match &self.then {
            None if self.delay.is_none() && self.outcome.is_none() => {
                let rule = "must be given, or a delay or an outcome: the fault would do nothing";
                wrong("then", rule)
            }
            Some(effect @ Effect::Answer { .. }) => effect.replacement().map(drop),
            Some(Effect::Trickle { bytes, every_milliseconds })
                if *bytes == Some(0) || every_milliseconds.is_some_and(is_too_long) =>
            {
                wrong("then", "must be at least 1 byte every 600000 milliseconds")
            }
            _ => Ok(()),
        }
    }

    fn check_outcome(&self, operation: Option<&OperationInfo>) -> Result<(), ControlError> {
        if self.outcome.is_none() {
            return Ok(());
        }
        if operation.is_none_or(|operation| operation.failed_status.is_none()) {
            let can_fail =
                operations().iter().filter(|operation| operation.failed_status.is_some());
            let can_fail: Vec<_> = can_fail.map(|operation| operation.id).collect();
            let rule = format!("needs an operation that begins something: {}", can_fail.join(", "));
            return Err(wrong("outcome", &rule));
        }
        if self.effective_write() == Write::Discarded {
            return Err(wrong("outcome", "needs write kept: a discarded call begins nothing"));
        }
        Ok(())
    }
}

fn wrong(field: &str, rule: &str) -> ControlError {
    ControlError::invalid(format!("{field}: {rule}"))
}

fn is_too_long(milliseconds: u64) -> bool {
    u128::from(milliseconds) > DELAY_MAX.as_millis()
}

impl Delay {
    pub(crate) fn draw(self, draws: &mut Draws) -> Duration {
        let delay = match self {
            Self::Fixed { milliseconds } => Duration::from_millis(milliseconds),
            Self::Uniform { minimum_milliseconds, maximum_milliseconds } => {
                Duration::from_millis(draws.between(minimum_milliseconds..=maximum_milliseconds))
            }
            Self::LogNormal { median_milliseconds, sigma } => {
                // Box and Muller: from two even draws, one that is normal.
                let (first, second) = (1.0 - draws.f64(), draws.f64());
                let normal = (-2.0 * first.ln()).sqrt() * (std::f64::consts::TAU * second).cos();
                let median = Duration::from_millis(median_milliseconds).as_secs_f64();
                let seconds = median * (sigma * normal).exp();
                Duration::try_from_secs_f64(seconds).unwrap_or(DELAY_MAX)
            }
        };
        delay.min(DELAY_MAX)
    }
}
