//! The alphabets of the contract. Lengths are counted apart, in Unicode characters.

/// The characters that a text may have, in the three forms that need them.
#[derive(Clone, Copy, Debug)]
pub struct Alphabet {
    /// Whether a text may have an ASCII character. A table, since every id in a path goes through it.
    ascii: [bool; 128],
    others: Others,
    /// The characters in words, such as `letters, digits and hyphens`.
    pub words: &'static str,
    /// The pattern of a text that has no others, as JSON Schema writes it; `None` for any character.
    pub pattern: Option<&'static str>,
}

/// The characters beyond ASCII that a text may have.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Others {
    None,
    /// The documentation says "Chinese" without a range; we take the CJK Unified Ideographs block.
    Chinese,
    Any,
}

impl Alphabet {
    /// Letters, digits, and some marks.
    const fn new(
        marks: &[u8],
        others: Others,
        words: &'static str,
        pattern: Option<&'static str>,
    ) -> Self {
        let mut ascii = [matches!(others, Others::Any); 128];
        let mut place = 0;
        while place < marks.len() {
            ascii[marks[place] as usize] = true;
            place += 1;
        }
        let mut byte = 0_u8;
        while byte < 128 {
            ascii[byte as usize] |= byte.is_ascii_alphanumeric();
            byte += 1;
        }
        Self { ascii, others, words, pattern }
    }

    /// Whether a text has only these characters.
    ///
    /// ```
    /// use fabric_model::charset;
    ///
    /// assert!(charset::ID.fits("3f2c9a5e-7b1d") && !charset::ID.fits("a_b"));
    /// assert!(charset::SEARCH.fits("客户端_1") && !charset::SEARCH.fits("é"));
    /// ```
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        text.bytes().all(|byte| self.ascii.get(usize::from(byte)).is_some_and(|is_in| *is_in))
            || text.chars().all(|character| self.has(character))
    }

    fn has(&self, character: char) -> bool {
        match self.ascii.get(character as usize) {
            Some(is_in) => *is_in,
            None => match self.others {
                Others::None => false,
                Others::Chinese => ('\u{4E00}'..='\u{9FFF}').contains(&character),
                Others::Any => true,
            },
        }
    }
}

/// Any character.
pub const ANY: Alphabet = Alphabet::new(b"", Others::Any, "characters", None);

/// Letters `A-Z a-z`, digits and hyphens.
pub const ID: Alphabet =
    Alphabet::new(b"-", Others::None, "letters, digits and hyphens", Some("^[A-Za-z0-9-]*$"));

/// Letters, digits, hyphens and underscores.
pub const WORD: Alphabet = Alphabet::new(
    b"-_",
    Others::None,
    "letters, digits, hyphens and underscores",
    Some("^[A-Za-z0-9_-]*$"),
);

/// Letters, digits, hyphens, underscores and Chinese characters, which are taken to be U+4E00 to U+9FFF.
pub const SEARCH: Alphabet = Alphabet::new(
    b"-_",
    Others::Chinese,
    "letters, digits, hyphens, underscores and Chinese characters",
    Some("^[A-Za-z0-9_一-鿿-]*$"),
);

/// What a name in an answer holds by the documentation: as in a search, and dots and spaces.
pub const NAME: Alphabet = Alphabet::new(
    b"-_. ",
    Others::Chinese,
    "letters, digits, hyphens, underscores, Chinese characters, dots and spaces",
    Some("^[A-Za-z0-9_一-鿿. -]*$"),
);
