//! Tags beyond their operations: a flag for one tag, which is repeated for more.

use fabric_model::{Resource, tag};

use crate::extras::{Extras, Flag};

/// The extras of tags.
pub(crate) struct Tags;

impl Extras for Tags {
    fn resource(&self) -> &'static str {
        tag::Tags::NAME
    }

    fn flag(&self, _: &str, field: &str) -> Flag {
        match field {
            "tags" => Flag::Named("tag"),
            "sys_tags" => Flag::Named("sys-tag"),
            "matches" => Flag::Named("match"),
            _ => Flag::OfField,
        }
    }
}
