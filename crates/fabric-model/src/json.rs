//! JSON as the contract wants it: objects, no nulls, and errors that name the field.
//!
//! serde alone is more generous than a JSON schema: a derived struct also reads an array, an
//! `Option` reads `null`, and bytes of ignored fields need not be UTF-8. These functions close
//! those gaps.

use std::fmt::{self, Write};

use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::Value;

use crate::Invalid;
use crate::charset::steers;

/// Stands where a violation has no field of its own: the body as a whole.
pub(crate) const BODY: &str = "body";

/// Escapes in JSON without blanks between its parts what a terminal obeys: see [`steers`].
///
/// ```
/// assert_eq!(fabric_model::json::escape("{\"name\":\"\u{9b}2J\"}"), r#"{"name":"\u009b2J"}"#);
/// ```
#[must_use]
pub fn escape(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if steers(character) {
            // All of these have four digits.
            let _ = write!(escaped, "\\u{:04x}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// What is wrong with JSON that should be an object and is not.
pub(crate) const NOT_AN_OBJECT: &str = "expected an object";

/// Reads a JSON object.
///
/// # Errors
///
/// The body is not UTF-8, not JSON, or does not fit `T`. The error names field and rule, never the value.
///
/// ```
/// #[derive(Debug, serde::Deserialize)]
/// struct Point { x: u8 }
///
/// let error = fabric_model::json::read::<Point>(br#"{"x": "secret"}"#).unwrap_err();
/// assert_eq!(error.to_string(), "x: expected u8");
/// ```
//
// The first pass only parses. A body that fails is read a second time to find the path to the
// field, so that good requests don't pay for it.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Invalid> {
    let text = std::str::from_utf8(body).map_err(|_| Invalid::new(BODY, "must be UTF-8"))?;
    if text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{')
        && let Ok(value) = serde_json::from_str(text)
    {
        return Ok(value);
    }
    Err(explain::<T>(text))
}

#[cold]
fn explain<T: DeserializeOwned>(text: &str) -> Invalid {
    if text.trim().is_empty() {
        return Invalid::new(BODY, "must not be empty");
    }
    // Whether it is JSON at all comes first: a field can be blamed only in a document that is whole.
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        return Invalid::new(
            BODY,
            format!("is not JSON at line {} column {}", error.line(), error.column()),
        );
    }
    let mut json = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize::<_, Object<T>>(&mut json) {
        Ok(_) => Invalid::new(BODY, "is not JSON"),
        Err(error) => {
            let path = error.path().to_string();
            let field = if path == "." { BODY.to_owned() } else { path };
            Invalid::new(field, rule(&error.into_inner()))
        }
    }
}

/// The rule in a serde error, without the value: serde writes `invalid type: string "…", expected
/// a map at line 1 column 2`, and a value can hold anything, so only the last `expected` counts.
fn rule(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    if let Some((_, expected)) = text.rsplit_once(", expected ") {
        return match expected {
            "a sequence" => "expected an array".to_owned(),
            expected => format!("expected {expected}"),
        };
    }
    for known in ["duplicate field", "missing field", "must "] {
        if text.starts_with(known) {
            return text.to_owned();
        }
    }
    "has a value that cannot be read".to_owned()
}

/// For a field that may be absent, but not `null`.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Reads an answer. Services write `null` for what they leave out, so that an answer that can't be read as it
/// is, is read once more without its nulls.
pub(crate) fn read_answer<T: DeserializeOwned>(body: &[u8]) -> Result<T, Invalid> {
    read(body).or_else(|invalid| {
        let Ok(mut json) = serde_json::from_slice::<Value>(body) else { return Err(invalid) };
        if !json.is_object() || !remove_nulls(&mut json) {
            return Err(invalid);
        }
        serde_json::from_value(json).map_err(|_| invalid)
    })
}

/// Removes what is `null` from objects, and tells whether there was any.
fn remove_nulls(json: &mut Value) -> bool {
    match json {
        Value::Object(object) => {
            let all = object.len();
            object.retain(|_, value| !value.is_null());
            let nested = object.values_mut().filter_map(|value| remove_nulls(value).then_some(()));
            nested.count() > 0 || object.len() < all
        }
        Value::Array(items) => {
            items.iter_mut().map(remove_nulls).filter(|found| *found).count() > 0
        }
        _ => false,
    }
}

/// For a list of objects that may be absent, but not `null`.
#[allow(dead_code, reason = "for the attribute `contract`")]
pub(crate) fn present_objects<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    objects(deserializer).map(Some)
}

/// A number of a request, which JSON can write.
#[allow(dead_code, reason = "for the attribute `contract`")]
pub(crate) fn finite(number: f64) -> Result<(), validator::ValidationError> {
    if number.is_finite() {
        return Ok(());
    }
    Err(validator::ValidationError::new("number").with_message("must be a finite number".into()))
}

/// For a list of objects.
pub(crate) fn objects<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let objects = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(objects.into_iter().map(|Object(value)| value).collect())
}

/// For an object.
#[allow(dead_code, reason = "for the attribute `contract`")]
pub(crate) fn object<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Object::deserialize(deserializer).map(|Object(value)| value)
}

/// For an object that may be absent, but not `null`.
#[allow(dead_code, reason = "for the attribute `contract`")]
pub(crate) fn present_object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    object(deserializer).map(Some)
}

/// For what an answer always has by its documentation: `null` is as good as absent.
pub(crate) fn default_or_null<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads `T` from an object, where a derived `T` alone would also read an array.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(ObjectOnly(deserializer)).map(Object)
    }
}

/// A deserializer or visitor that is about to meet the outermost struct.
struct ObjectOnly<Inner>(Inner);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ObjectOnly<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(ObjectOnly(visitor))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for ObjectOnly<V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(NOT_AN_OBJECT.trim_start_matches("expected "))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(map)
    }
}
