//! The alphabets of the contract, each in the three forms that need it: a rule, its words, a pattern.
//!
//! Lengths are counted apart, in Unicode characters. The patterns stand in the OpenAPI document;
//! `utoipa` takes literals only, so each is spelled again where a field uses it, and the test
//! *schema = validator* holds the two together.

use validator::ValidationError;

/// The pattern of [`is_id_character`].
#[cfg(feature = "openapi")]
pub(crate) const ID_PATTERN: &str = "^[A-Za-z0-9-]*$";

/// Letters `A-Z a-z`, digits and hyphens: `^[A-Za-z0-9-]*$`.
#[must_use]
pub fn is_id_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '-'
}

/// Letters, digits, `-`, `_` and Chinese characters: `^[A-Za-z0-9_一-鿿-]*$`.
///
/// The documentation says "Chinese" without a range; we take the CJK Unified Ideographs block.
#[must_use]
pub fn is_search_character(character: char) -> bool {
    is_id_character(character) || character == '_' || ('\u{4E00}'..='\u{9FFF}').contains(&character)
}

/// What a name in an answer holds by the documentation: as in a search, and `.` and space.
#[must_use]
pub fn is_name_character(character: char) -> bool {
    is_search_character(character) || matches!(character, '.' | ' ')
}

pub(crate) fn id_characters(text: &str) -> Result<(), ValidationError> {
    check(text, is_id_character, "must have only letters, digits and hyphens")
}

pub(crate) fn search_characters(text: &str) -> Result<(), ValidationError> {
    check(
        text,
        is_search_character,
        "must have only letters, digits, hyphens, underscores and Chinese characters",
    )
}

fn check(text: &str, allowed: fn(char) -> bool, rule: &'static str) -> Result<(), ValidationError> {
    if text.chars().all(allowed) {
        return Ok(());
    }
    Err(ValidationError::new("characters").with_message(rule.into()))
}
