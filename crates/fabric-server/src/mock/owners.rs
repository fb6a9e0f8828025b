//! The records that own another, as paths and answers name them.

use std::collections::BTreeMap;

use fabric_model::{Invalid, ResourceInfo};
use serde_json::Value;

/// The ids of the records that own another, by the names of their path parameters.
pub(crate) type Owners = BTreeMap<String, String>;

/// The id of the record that owns a new one; empty if none does.
///
/// # Errors
///
/// It is not among those that are given.
pub(crate) fn owner_of<'a>(of: &ResourceInfo, owners: &'a Owners) -> Result<&'a str, Invalid> {
    let Some(parameter) = of.owner.and_then(|owner| owner.id_parameter) else { return Ok("") };
    let owner = owners.get(parameter).map(String::as_str);
    owner.ok_or_else(|| Invalid::new(parameter, "must be given"))
}

/// Adds the owner of a new record, if the answer about the record names it.
pub(crate) fn add_owner(of: &ResourceInfo, answer: &Value, owners: &mut Owners) {
    let parameter = of.owner.and_then(|owner| owner.id_parameter);
    if let Some((parameter, field)) = parameter.zip(of.owner_in_answer)
        && let Some(id) = answer[field].as_str()
    {
        owners.entry(parameter.to_owned()).or_insert_with(|| id.to_owned());
    }
}
