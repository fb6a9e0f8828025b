//! The written list of what our document says otherwise than the vendor's definitions, and why.

use serde::Deserialize;

use super::difference::Difference;
use crate::shell::{read, root};

/// Differences that are meant, and the reason. In `where` and `what`, `*` stands for any text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Departure {
    #[serde(rename = "where")]
    pub(crate) place: String,
    pub(crate) what: String,
    pub(crate) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    departure: Vec<Departure>,
}

const LIST: &str = "xtask/conformance/departures.toml";

/// Reads the list, in which everything has a reason.
pub(crate) fn listed() -> Result<Vec<Departure>, String> {
    let list: List = toml::from_str(&read(&root().join(LIST))?)
        .map_err(|error| format!("cannot read {LIST}: {error}"))?;
    match list.departure.iter().find(|departure| departure.reason.trim().is_empty()) {
        Some(departure) => Err(format!("{LIST}: {} has no reason", departure.place)),
        None => Ok(list.departure),
    }
}

impl Departure {
    pub(super) fn covers(&self, difference: &Difference) -> bool {
        fits(&self.place, &difference.place) && fits(&self.what, &difference.what)
    }
}

/// Whether a text is what a form says, in which `*` stands for any text.
fn fits(form: &str, text: &str) -> bool {
    match form.split_once('*') {
        None => form == text,
        Some((beginning, rest)) => text.strip_prefix(beginning).is_some_and(|text| {
            let ends = text.char_indices().map(|(end, _)| end).chain([text.len()]);
            ends.into_iter().any(|end| fits(rest, &text[end..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_read() {
        assert!(!listed().expect("it is well-formed").is_empty());
    }

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(fits("*, answer 403*", "ListJobs, answer 403.error_code"));
        assert!(fits("a*b*c", "abbc") && fits("*", "") && fits("a", "a"));
        assert!(!fits("*, answer 403", "ListJobs, answer 403.error_code"));
        assert!(!fits("a*b", "acd") && !fits("", "a"));
    }
}
