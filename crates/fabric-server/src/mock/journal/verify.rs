//! Verifies the calls that a test expects.

use std::collections::BTreeMap;

use fabric_model::ProjectId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::mock::error::ControlError;
use crate::mock::journal::entry::{Entry, Filter};
use crate::mock::journal::packed::{Packed, readable};
use crate::mock::names::{check_operation, check_parameters};

/// The calls that a test expects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The calls; all when absent.
    #[serde(default)]
    pub calls: Matching,
    /// How many: a number, or a range. At least one when absent.
    #[serde(default)]
    pub count: Count,
}

/// The calls that a test expects: everything that is given must match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Matching {
    /// The project.
    #[schema(value_type = Option<String>)]
    pub project_id: Option<ProjectId>,
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
    /// The whole body of the request, as JSON; the order of fields does not count, and `null` is for none.
    #[serde(default, deserialize_with = "given")]
    pub body: Option<Value>,
    /// A part of the body: fields that it has, among others.
    pub body_contains: Option<Value>,
    /// Path parameters by their names, as the route decodes them: such as `client_id`.
    #[serde(flatten)]
    pub parameters: BTreeMap<String, String>,
}

/// How many calls a test expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Count {
    /// Exactly this number.
    Exactly(u64),
    /// A range; one end may be open.
    Range(Range),
}

/// A range of numbers. At least one end must be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The fewest; none when absent.
    #[schema(nullable = false)]
    pub at_least: Option<u64>,
    /// The most; any number when absent.
    #[schema(nullable = false)]
    pub at_most: Option<u64>,
}

impl Default for Count {
    fn default() -> Self {
        Self::Range(Range { at_least: Some(1), at_most: None })
    }
}

impl Count {
    pub(crate) fn bounds(self) -> (u64, Option<u64>) {
        match self {
            Self::Exactly(count) => (count, Some(count)),
            Self::Range(Range { at_least, at_most }) => (at_least.unwrap_or_default(), at_most),
        }
    }

    pub(crate) fn fits(self, found: u64) -> bool {
        let (least, most) = self.bounds();
        found >= least && most.is_none_or(|most| found <= most)
    }

    pub(crate) fn check(self) -> Result<(), ControlError> {
        let (least, most) = self.bounds();
        let is_nothing = self == Self::Range(Range::default());
        if is_nothing || most.is_some_and(|most| most < least) {
            let rule = "count: must be a number, or have at_least, at_most or both, the former not above the latter";
            return Err(ControlError::invalid(rule.to_owned()));
        }
        Ok(())
    }

    /// Whether so many calls are as expected, and why.
    pub(crate) fn judge(self, found: u64, evicted: u64, has_others: bool) -> (bool, String) {
        // More calls than are known would do no harm only where there is no most.
        let is_certain = evicted == 0 || self.bounds().1.is_none();
        let is_met = self.fits(found) && is_certain;
        let outcome = format!("found {found}, expected {}", self.in_words());
        let message = match (is_met, evicted) {
            (false, 0) if has_others => format!("{outcome}; see `instead` for what came"),
            (true, _) | (false, 0) => outcome,
            (false, evicted) => format!(
                "{outcome}, but {evicted} earlier calls were evicted from the journal, so that is not \
                 certain: raise `--journal-limit`, or take a project per test"
            ),
        };
        (is_met, message)
    }

    fn in_words(self) -> String {
        match self.bounds() {
            (least, Some(most)) if least == most => format!("exactly {least}"),
            (least, Some(most)) => format!("{least} to {most}"),
            (least, None) => format!("at least {least}"),
        }
    }
}

/// Whether the expected calls were made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Verdict {
    /// Whether the expectation is met.
    pub is_met: bool,
    /// The outcome in words.
    pub message: String,
    /// How many matching calls were found.
    pub found: u64,
    /// If the expectation is not met: the calls that were made instead, the most similar first.
    pub instead: Vec<Near>,
}

/// A call that does not match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Near {
    /// Where it differs, such as `operation` and `body.name`.
    pub differs_in: Vec<String>,
    /// The call.
    pub call: Entry,
}

impl From<&Filter> for Matching {
    fn from(filter: &Filter) -> Self {
        Self {
            operation: filter.operation.clone(),
            method: filter.method.clone(),
            path: filter.path.clone(),
            status: filter.status,
            error_code: filter.error_code.clone(),
            parameters: filter.parameters.clone(),
            ..Self::default()
        }
    }
}

impl Matching {
    /// Where a call is not as meant.
    pub(crate) fn differences(&self, project: Option<&ProjectId>, kept: Packed<'_>) -> Vec<String> {
        let mut differs_in = self.differences_but_of_body(kept);
        if self.project_id.as_ref().is_some_and(|wanted| Some(wanted) != project) {
            differs_in.push("project_id".to_owned());
        }
        if self.body.is_some() || self.body_contains.is_some() {
            let body = readable(kept.body());
            if let Some(wanted) = &self.body {
                compare("body", wanted, &body, true, &mut differs_in);
            }
            if let Some(wanted) = &self.body_contains {
                compare("body", wanted, &body, false, &mut differs_in);
            }
        }
        differs_in
    }

    pub(crate) fn differences_but_of_body(&self, kept: Packed<'_>) -> Vec<String> {
        let is_other = |wanted: &Option<String>, given: &[u8]| {
            wanted.as_ref().is_some_and(|wanted| wanted.as_bytes() != given)
        };
        let checks = [
            (
                "operation",
                is_other(
                    &self.operation,
                    kept.operation.map_or("", |operation| operation.id).as_bytes(),
                ),
            ),
            ("method", is_other(&self.method, kept.method.as_str().as_bytes())),
            ("path", is_other(&self.path, kept.path().as_bytes())),
            (
                "status",
                self.status.is_some_and(|status| {
                    kept.status.map(|status| status.as_u16()) != Some(status)
                }),
            ),
            ("error_code", is_other(&self.error_code, kept.error_code())),
        ];
        let has = |(name, value): &(&String, &String)| {
            kept.parameters().any(|(given, text)| given == name.as_str() && text == value.as_str())
        };
        let others = self.parameters.iter().filter(|parameter| !has(parameter));
        let differs = checks.into_iter().filter(|(_, is_other)| *is_other);
        differs
            .map(|(name, _)| name.to_owned())
            .chain(others.map(|(name, _)| name.clone()))
            .collect()
    }

    /// Checks that the operation and the path parameters are some of the contract.
    pub(crate) fn check(&self) -> Result<(), ControlError> {
        check_operation("calls.", self.operation.as_deref())?;
        check_parameters("calls.", self.operation.as_deref(), &self.parameters)
    }
}

/// Says where `given` is not `wanted`; `is_whole` unless it may have more fields.
fn compare(
    path: &str,
    wanted: &Value,
    given: &Value,
    is_whole: bool,
    differs_in: &mut Vec<String>,
) {
    match (wanted, given) {
        (Value::Object(wanted), Value::Object(given)) => {
            for (name, value) in wanted {
                let path = format!("{path}.{name}");
                match given.get(name) {
                    Some(other) => compare(&path, value, other, is_whole, differs_in),
                    None => differs_in.push(format!("{path} is missing")),
                }
            }
            if is_whole {
                let more = given.keys().filter(|name| !wanted.contains_key(*name));
                differs_in.extend(more.map(|name| format!("{path}.{name} is too much")));
            }
        }
        _ if wanted == given => {}
        _ => differs_in.push(path.to_owned()),
    }
}

/// `null` too is a body that a test may want.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
