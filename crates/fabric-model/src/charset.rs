//! The alphabets of the contract. Lengths are counted apart, in Unicode characters.

/// The characters that a text may have, in the three forms that need them.
#[derive(Clone, Copy, Debug)]
pub struct Alphabet {
    /// Whether a text may have a character.
    pub allows: fn(char) -> bool,
    /// The characters in words, such as `letters, digits and hyphens`.
    pub words: &'static str,
    /// The pattern of a text that has no others, as JSON Schema writes it; `None` for any character.
    pub pattern: Option<&'static str>,
}

impl Alphabet {
    /// Whether a text has only these characters.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        text.chars().all(self.allows)
    }
}

/// Any character.
pub const ANY: Alphabet = Alphabet { allows: |_| true, words: "characters", pattern: None };

/// Letters `A-Z a-z`, digits and hyphens.
pub const ID: Alphabet = Alphabet {
    allows: |character| character.is_ascii_alphanumeric() || character == '-',
    words: "letters, digits and hyphens",
    pattern: Some("^[A-Za-z0-9-]*$"),
};

/// Letters, digits, hyphens and underscores.
pub const WORD: Alphabet = Alphabet {
    allows: |character| (ID.allows)(character) || character == '_',
    words: "letters, digits, hyphens and underscores",
    pattern: Some("^[A-Za-z0-9_-]*$"),
};

/// Letters, digits, hyphens, underscores and Chinese characters.
///
/// The documentation says "Chinese" without a range; we take the CJK Unified Ideographs block.
pub const SEARCH: Alphabet = Alphabet {
    allows: |character| (WORD.allows)(character) || ('\u{4E00}'..='\u{9FFF}').contains(&character),
    words: "letters, digits, hyphens, underscores and Chinese characters",
    pattern: Some("^[A-Za-z0-9_一-鿿-]*$"),
};

/// What a name in an answer holds by the documentation: as in a search, and dots and spaces.
pub const NAME: Alphabet = Alphabet {
    allows: |character| (SEARCH.allows)(character) || matches!(character, '.' | ' '),
    words: "letters, digits, hyphens, underscores, Chinese characters, dots and spaces",
    pattern: Some("^[A-Za-z0-9_一-鿿. -]*$"),
};
