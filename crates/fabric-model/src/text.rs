//! Texts that are valid once they exist: ids, and names with rules of their own.

use std::borrow::Cow;

use validator::ValidationError;

use crate::charset::Alphabet;

/// Declares a text with limits of its length and an [`Alphabet`], which checks both when it is created.
///
/// A field has this type if a text that breaks the rules must not exist, as in a path: it would make
/// another path. Elsewhere a field is a `String` and `#[rule(like = …)]` the type.
macro_rules! text {
    (
        $(#[$documentation:meta])*
        $name:ident, field $($rest:tt)*
    ) => {
        $crate::text::text! { $(#[$documentation])* $name in String, field $($rest)* }
    };
    // Texts of which there are many copies, such as the project of every call, are shared by them.
    (
        $(#[$documentation:meta])*
        $name:ident in $storage:ty, field $field:literal, schema $schema:literal described $described:literal,
        $minimum:literal to $maximum:literal of $alphabet:ident, example $example:literal
    ) => {
        $(#[$documentation])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name($storage);

        impl $name {
            /// The fewest characters.
            pub const MIN_LENGTH: usize = $minimum;
            /// The most characters.
            pub const MAX_LENGTH: usize = $maximum;
            /// The characters that it may have.
            pub const ALPHABET: &'static $crate::charset::Alphabet = &$crate::charset::$alphabet;

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn check(text: &str) -> Result<(), String> {
                $crate::text::check(text, $minimum, $maximum, Self::ALPHABET)
            }

            /// The rule of its length, for a field that is a `String`.
            #[allow(dead_code, reason = "not every one of them is a rule of a `String`")]
            pub(crate) fn length(text: &str) -> Result<(), validator::ValidationError> {
                $crate::text::check_length(text, $minimum, $maximum)
            }

            /// The rule of its characters, for a field that is a `String`.
            #[allow(dead_code, reason = "not every one of them is a rule of a `String`")]
            pub(crate) fn characters(text: &str) -> Result<(), validator::ValidationError> {
                $crate::text::check_characters(text, Self::ALPHABET)
            }

            /// Both rules, for a field that is a list of `String`s.
            #[allow(dead_code, reason = "not every one of them is a rule of a list")]
            pub(crate) fn each(texts: &[String]) -> Result<(), validator::ValidationError> {
                $crate::text::check_each(texts, Self::check)
            }

            /// Both rules, for a field that is a map of `String`s.
            #[allow(dead_code, reason = "not every one of them is a rule of a map")]
            pub(crate) fn values(
                texts: &std::collections::BTreeMap<String, String>,
            ) -> Result<(), validator::ValidationError> {
                $crate::text::check_each(texts.values(), Self::check)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::Invalid;

            fn try_from(text: String) -> Result<Self, $crate::Invalid> {
                match Self::check(&text) {
                    Ok(()) => Ok(Self(<$storage>::from(text))),
                    Err(rule) => Err($crate::Invalid::new($field, rule)),
                }
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::Invalid;

            fn try_from(text: &str) -> Result<Self, $crate::Invalid> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<&String> for $name {
            type Error = $crate::Invalid;

            fn try_from(text: &String) -> Result<Self, $crate::Invalid> {
                Self::try_from(text.as_str())
            }
        }

        impl From<&$name> for $name {
            fn from(text: &$name) -> Self {
                text.clone()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                String::from(&*text.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::Invalid;

            fn from_str(text: &str) -> Result<Self, $crate::Invalid> {
                Self::try_from(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::check(&text).map_err(serde::de::Error::custom)?;
                Ok(Self(<$storage>::from(text)))
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .description(Some($described))
                    .min_length(Some($minimum))
                    .max_length(Some($maximum))
                    .pattern(Self::ALPHABET.pattern)
                    .examples([$example])
                    .into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                $schema.into()
            }
        }
    };
}

pub(crate) use text;

/// A limit of a length in words.
fn words(min: usize, max: usize) -> String {
    if min == max { format!("exactly {max}") } else { format!("{min} to {max}") }
}

/// The length of a text in characters. Most texts are ASCII, where these are bytes.
fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// Checks a text as a whole, and says what it must be.
pub(crate) fn check(text: &str, min: usize, max: usize, alphabet: &Alphabet) -> Result<(), String> {
    if (min..=max).contains(&length(text)) && alphabet.fits(text) {
        return Ok(());
    }
    Err(alphabet.whole(&words(min, max)))
}

pub(crate) fn check_length(text: &str, min: usize, max: usize) -> Result<(), ValidationError> {
    if (min..=max).contains(&length(text)) {
        return Ok(());
    }
    let rule = format!("must have {} characters", words(min, max));
    Err(ValidationError::new("length").with_message(Cow::Owned(rule)))
}

pub(crate) fn check_characters(text: &str, alphabet: &Alphabet) -> Result<(), ValidationError> {
    if alphabet.fits(text) {
        return Ok(());
    }
    Err(ValidationError::new("characters").with_message(Cow::Owned(alphabet.characters())))
}

pub(crate) fn check_each<'a>(
    texts: impl IntoIterator<Item = &'a String>,
    check: fn(&str) -> Result<(), String>,
) -> Result<(), ValidationError> {
    let Err(rule) = texts.into_iter().try_for_each(|text| check(text)) else { return Ok(()) };
    Err(ValidationError::new("each").with_message(Cow::Owned(format!("each {rule}"))))
}

text! {
    /// The project that a record belongs to, from the header `X-Project-Id` or the path: 1 to 64 letters,
    /// digits and hyphens. The documentation gives no limits for the header; real ones are 32 hexadecimal
    /// digits.
    ProjectId in std::sync::Arc<str>, field "X-Project-Id", schema "ProjectId" described "A project.",
    1 to 64 of ID, example "7a6d1e0f4c3b48d29e5f8a7b6c5d4e3f"
}
