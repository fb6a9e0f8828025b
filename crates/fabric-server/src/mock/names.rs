//! Checks names of the contract in requests to the control surface: operations and path parameters.

use std::collections::BTreeMap;

use fabric_model::{OperationInfo, operations};

use crate::mock::error::ControlError;

/// Checks that there is an operation with an id.
pub(crate) fn check_operation(parent: &str, id: Option<&str>) -> Result<(), ControlError> {
    if id.is_none_or(|id| fabric_model::operation(id).is_some()) {
        return Ok(());
    }
    let known: Vec<_> = operations().iter().map(|operation| operation.id).collect();
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
        if let Some(operation) = operation.and_then(fabric_model::operation)
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
