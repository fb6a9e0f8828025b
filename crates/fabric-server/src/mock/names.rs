//! Checks names of the contract in requests to the control surface: operations and path parameters.

use std::collections::BTreeMap;

use fabric_model::{OperationInfo, identity, operations};

use crate::mock::error::ControlError;

/// The operation with an id, of the service or of sign-in.
pub(crate) fn operation(id: &str) -> Option<&'static OperationInfo> {
    fabric_model::operation(id).or_else(|| identity::operation(id))
}

/// Checks that there is an operation with an id.
pub(crate) fn check_operation(parent: &str, id: Option<&str>) -> Result<(), ControlError> {
    if id.is_none_or(|id| operation(id).is_some()) {
        return Ok(());
    }
    let known = operations().iter().chain(identity::operations());
    let known: Vec<_> = known.map(|operation| operation.id).collect();
    Err(wrong(&format!("{parent}operation"), &format!("must be one of {}", known.join(", "))))
}

/// Checks that what is no other field is a path parameter, of the operation if there is one.
pub(crate) fn check_parameters(
    parent: &str,
    operation: Option<&str>,
    parameters: &BTreeMap<String, String>,
) -> Result<(), ControlError> {
    let has = |operation: &OperationInfo, name: &str| {
        operation.path_parameter_names().any(|known| known == name)
    };
    for name in parameters.keys() {
        if !operations().iter().any(|known| has(known, name)) {
            let message = format!("{parent}{name}: unknown field `{name}`");
            return Err(ControlError::invalid(message));
        }
        if let Some(operation) = operation.and_then(self::operation)
            && !has(operation, name)
        {
            let rule = format!("is not in the path of {}", operation.id);
            return Err(wrong(&format!("{parent}{name}"), &rule));
        }
    }
    Ok(())
}

fn wrong(field: &str, rule: &str) -> ControlError {
    ControlError::invalid(format!("{field}: {rule}"))
}
