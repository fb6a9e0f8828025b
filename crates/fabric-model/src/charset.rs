//! The alphabets of the contract. Lengths are counted apart, in Unicode characters.

use std::sync::LazyLock;

use regex::Regex;

/// Whether a terminal obeys a character in place of showing it: a control character, or one that ends a line or turns
/// the direction of the text.
#[must_use]
pub fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2066}'..='\u{2069}')
}

/// What a text may consist of, in the three forms that need it.
#[derive(Clone, Copy, Debug)]
pub struct Alphabet {
    rule: Rule,
    /// The characters in words, such as `letters, digits and hyphens`; the text as a whole, such as `a path`, if
    /// the pattern is not about single characters.
    pub words: &'static str,
    /// The pattern of a text, as JSON Schema writes it; `None` for any character.
    pub pattern: Option<&'static str>,
}

/// How a text is checked.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of each alphabet, and none is copied")]
enum Rule {
    /// Each character by itself.
    Characters {
        /// Whether a text may have an ASCII character, by the byte. A table, since every id in a path goes through it.
        ascii: [bool; 256],
        others: Others,
    },
    /// Each character by itself, by a regular expression that fits the text.
    Class(fn(&str) -> bool),
    /// The text as a whole, by a regular expression.
    Form(fn(&str) -> bool),
}

/// The characters beyond ASCII that a text may have.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Others {
    None,
    /// What the definitions of the service call Chinese.
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
        let mut ascii = [false; 256];
        let mut byte = 0_u8;
        while byte < 128 {
            ascii[byte as usize] = byte.is_ascii_alphanumeric();
            byte += 1;
        }
        Self { rule: Rule::Characters { ascii: set(ascii, marks, true), others }, words, pattern }
    }

    /// All characters but some marks.
    const fn all_but(marks: &[u8], words: &'static str, pattern: Option<&'static str>) -> Self {
        let mut ascii = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            ascii[byte] = true;
            byte += 1;
        }
        let ascii = set(ascii, marks, false);
        Self { rule: Rule::Characters { ascii, others: Others::Any }, words, pattern }
    }

    /// Whether a text is in the alphabet.
    ///
    /// ```
    /// use fabric_model::charset;
    ///
    /// assert!(charset::ID.fits("3f2c9a5e-7b1d") && !charset::ID.fits("a_b"));
    /// assert!(charset::SEARCH.fits("客户端_1") && !charset::SEARCH.fits("é"));
    /// assert!(charset::OBS_PATH.fits("obs://bucket/log") && !charset::OBS_PATH.fits("obs://bucket"));
    /// assert!(!charset::OBS_PATH.fits("obs://bucket/one\rtwo"));
    /// ```
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        match &self.rule {
            Rule::Characters { ascii, others } => {
                text.bytes().all(|byte| ascii[usize::from(byte)])
                    || text.chars().all(|character| has(ascii, *others, character))
            }
            Rule::Class(fits) | Rule::Form(fits) => fits(text),
        }
    }

    /// What a text must be, in words; `length` is that of `1 to 64 characters`.
    pub(crate) fn whole(&self, length: &str) -> String {
        match self.rule {
            Rule::Form(_) => format!("must be {}", self.words),
            // "letters, digits and hyphens" of a text, "letters, digits or hyphens" of each character.
            _ => format!("must have {length} {}", self.words.replacen(" and ", " or ", 1)),
        }
    }

    /// What its characters must be, in words.
    pub(crate) fn characters(&self) -> String {
        match self.rule {
            Rule::Form(_) => format!("must be {}", self.words),
            _ => format!("must have only {}", self.words),
        }
    }
}

const fn set(mut ascii: [bool; 256], marks: &[u8], is_in: bool) -> [bool; 256] {
    let mut place = 0;
    while place < marks.len() {
        ascii[marks[place] as usize] = is_in;
        place += 1;
    }
    ascii
}

fn has(ascii: &[bool; 256], others: Others, character: char) -> bool {
    match u8::try_from(character) {
        Ok(byte) if byte.is_ascii() => ascii[usize::from(byte)],
        _ => match others {
            Others::None => false,
            Others::Chinese => ('\u{4E00}'..='\u{9FA5}').contains(&character),
            Others::Any => true,
        },
    }
}

/// A pattern of the contract as an expression of `regex`. In JSON Schema, `.` is none of four characters that end a
/// line; in `regex`, it is only not the first of them.
pub(crate) fn expression(pattern: &str) -> String {
    let (mut expression, mut is_escaped, mut is_in_class) = (String::new(), false, false);
    for character in pattern.chars() {
        match character {
            '.' if !is_escaped && !is_in_class => expression += r"[^\n\r\u2028\u2029]",
            _ => expression.push(character),
        }
        is_in_class = match character {
            '[' if !is_escaped => true,
            ']' if !is_escaped => false,
            _ => is_in_class,
        };
        is_escaped = character == '\\' && !is_escaped;
    }
    expression
}

/// Declares an alphabet, or a form, that a regular expression describes better than a table.
macro_rules! by_expression {
    ($($(#[$documentation:meta])* $name:ident = $rule:ident $pattern:literal, $words:literal;)+) => {
        $(
            $(#[$documentation])*
            pub const $name: Alphabet = Alphabet {
                rule: Rule::$rule(|text| {
                    static EXPRESSION: LazyLock<Regex> = LazyLock::new(|| {
                        Regex::new(&expression($pattern)).expect("a constant that is tested")
                    });
                    EXPRESSION.is_match(text)
                }),
                words: $words,
                pattern: Some($pattern),
            };
        )+
    };
}

by_expression! {
    /// The key of a tag: letters, digits and spaces of any script, and `_ . : = + - @`.
    TAG = Class r"^[\p{L}\p{Z}\p{N}_.:=+\-@]*$",
        "letters, digits, spaces and the marks _ . : = + - @";

    /// The value of a tag: as its key, and slashes.
    TAG_VALUE = Class r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$",
        "letters, digits, spaces and the marks _ . : / = + - @";

    /// A path in the object storage service: `obs://bucket/path`.
    OBS_PATH = Form r"^obs://[^/]+/.+$", "a path such as obs://bucket/folder/file";

    /// A folder in the object storage service: `obs://bucket/`, or one below it.
    OBS_FOLDER = Form r"^obs://.+/$", "a folder such as obs://bucket/";

    /// A file whose name ends in `py`.
    PYTHON_FILE = Form r"^.+.py$", "a file such as folder/main.py";

    /// A path at which something is mounted: names of letters, digits and underscores, each after a slash.
    MOUNT_PATH = Form r"^/([A-Za-z0-9_]+/?)+$", "a path such as /mnt/cache";

    /// A namespace of a Ray service: `ray-svc-` and 8 hexadecimal digits.
    NAMESPACE = Form r"^ray-svc-[0-9a-f]{8}$", "ray-svc- and 8 hexadecimal digits";

    /// Names of lower-case letters, digits and inner hyphens, with dots between them.
    LABEL = Form r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        "lower-case letters, digits, and hyphens and dots between them";

    /// The one key of a system tag.
    ENTERPRISE_PROJECT_KEY = Form r"^_sys_enterprise_project_id$", "_sys_enterprise_project_id";

    /// The one key by which workspaces are matched.
    RESOURCE_NAME_KEY = Form r"^resource_name$", "resource_name";
}

/// Any character.
pub const ANY: Alphabet = Alphabet::all_but(b"", "characters", None);

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

/// Letters, digits, hyphens, underscores and Chinese characters, U+4E00 to U+9FA5.
pub const SEARCH: Alphabet = Alphabet::new(
    b"-_",
    Others::Chinese,
    "letters, digits, hyphens, underscores and Chinese characters",
    Some("^[A-Za-z0-9_一-龥-]*$"),
);

/// What a name in an answer holds by the documentation: as in a search, and dots and spaces.
pub const NAME: Alphabet = Alphabet::new(
    b"-_. ",
    Others::Chinese,
    "letters, digits, hyphens, underscores, Chinese characters, dots and spaces",
    Some("^[A-Za-z0-9_一-龥. -]*$"),
);

/// Letters and digits.
pub const ALPHANUMERIC: Alphabet =
    Alphabet::new(b"", Others::None, "letters and digits", Some("^[A-Za-z0-9]*$"));

/// Letters, digits and dots.
pub const CODE: Alphabet =
    Alphabet::new(b".", Others::None, "letters, digits and dots", Some("^[A-Za-z0-9.]*$"));

/// Letters, digits, dots, underscores and hyphens.
pub const DOTTED: Alphabet = Alphabet::new(
    b"._-",
    Others::None,
    "letters, digits, dots, underscores and hyphens",
    Some("^[A-Za-z0-9._-]*$"),
);

/// All characters but `! < > = & " '`.
pub const PLAIN: Alphabet =
    Alphabet::all_but(b"!<>=&\"'", "characters other than ! < > = & \" '", Some("^[^!<>=&\"']*$"));

/// What an id in a path may hold that may be any text: no slashes, and no dots, since `.` and `..` are folded away.
pub const SEGMENT: Alphabet =
    Alphabet::all_but(b"./", "characters other than . and /", Some("^[^./]*$"));
