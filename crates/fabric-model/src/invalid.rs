//! Invalid requests: which field breaks which rule. The value is never kept.

use std::fmt;

use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

/// A request that breaks the contract: at least one [`Violation`], sorted by field.
///
/// The client returns it instead of sending; the server answers it with 400 `common.01000001`.
/// Neither ever holds the value that was rejected, so it may be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    violations: Vec<Violation>,
}

/// One field that breaks one rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Where: a field as the contract spells it, with its place (`access_connections[2].domain`),
    /// a header, or `body`.
    pub field: String,
    /// The rule in words, such as `must have 1 to 64 characters`.
    pub rule: String,
}

impl Invalid {
    /// One violation.
    pub fn new(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { violations: vec![Violation { field: field.into(), rule: rule.into() }] }
    }

    /// Every violation, sorted by field, then by rule.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Combines the violations of several parts of a request.
    pub(crate) fn collect(
        parts: impl IntoIterator<Item = Result<(), ValidationErrors>>,
    ) -> Result<(), Self> {
        let mut violations = Vec::new();
        for errors in parts.into_iter().filter_map(Result::err) {
            flatten("", &errors, &mut violations);
        }
        if violations.is_empty() {
            return Ok(());
        }
        violations.sort();
        Err(Self { violations })
    }
}

impl From<ValidationErrors> for Invalid {
    fn from(errors: ValidationErrors) -> Self {
        Self::collect([Err(errors)]).expect_err("validator reports an error only with its cause")
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, violation) in self.violations.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(formatter, "{separator}{}: {}", violation.field, violation.rule)?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

/// validator nests its errors in hash maps and keeps the rejected values in them: take the paths and
/// the rules, leave the values.
fn flatten(parent: &str, errors: &ValidationErrors, violations: &mut Vec<Violation>) {
    for (field, kind) in errors.errors() {
        // A field that has the name of a keyword, such as `type`.
        let field = field.strip_prefix("r#").unwrap_or(field);
        let path = if parent.is_empty() { field.to_string() } else { format!("{parent}.{field}") };
        match kind {
            ValidationErrorsKind::Field(errors) => violations.extend(
                errors.iter().map(|error| Violation { field: path.clone(), rule: rule(error) }),
            ),
            ValidationErrorsKind::Struct(errors) => flatten(&path, errors, violations),
            ValidationErrorsKind::List(items) => {
                for (index, errors) in items {
                    flatten(&format!("{path}[{index}]"), errors, violations);
                }
            }
        }
    }
}

fn rule(error: &ValidationError) -> String {
    if let Some(message) = &error.message {
        return message.to_string();
    }
    let parameter = |name: &str| error.params.get(name).and_then(serde_json::Value::as_u64);
    let is_list = error.params.get("value").is_some_and(serde_json::Value::is_array);
    let (verb, unit) = match (error.code.as_ref(), is_list) {
        ("length", true) => ("have", " items"),
        ("length", false) => ("have", " characters"),
        ("range", _) => ("be", ""),
        (code, _) => return code.to_owned(),
    };
    match (parameter("equal"), parameter("min"), parameter("max")) {
        (Some(equal), ..) => format!("must {verb} exactly {equal}{unit}"),
        (None, Some(min), Some(max)) => format!("must {verb} {min} to {max}{unit}"),
        (None, Some(min), None) => format!("must {verb} at least {min}{unit}"),
        (None, None, Some(max)) => format!("must {verb} at most {max}{unit}"),
        (None, None, None) => error.code.to_string(),
    }
}
