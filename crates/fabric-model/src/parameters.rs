//! Path and query parameters: names and text, on one side written, on the other read.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::Invalid;

/// Writes the request target: `template` with its `{…}` filled from `path`, then `query`.
pub(crate) fn write<P: Serialize, Q: Serialize>(template: &str, path: &P, query: &Q) -> String {
    let mut form = String::with_capacity(64);
    push_form(&mut form, path);
    let end = form.len();
    push_form(&mut form, query);
    let (path, query) = form.split_at(end);
    let mut target = String::with_capacity(template.len() + path.len() + query.len() + 1);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        target.push_str(before);
        let mut values = path.split('&').filter_map(|pair| pair.split_once('='));
        if let Some((_, value)) = values.find(|(given, _)| *given == name) {
            push_escaped(&mut target, value);
        }
        rest = after;
    }
    target.push_str(rest);
    if !query.is_empty() {
        target.push('?');
        push_escaped(&mut target, query);
    }
    target
}

/// Adds the fields of a parameter struct as a form, those of a list under the same name. `serde_html_form` knows how
/// to print each of them.
fn push_form<T: Serialize>(form: &mut String, parameters: &T) {
    let start = form.len();
    if serde_html_form::push_to_string(form, parameters).is_err() {
        form.truncate(start);
    }
}

/// Adds the text of a form with what gateways sign: all but the unreserved characters of RFC 3986 escaped. A form has
/// `+` for a space, leaves `*` as it is, and escapes `~`.
fn push_escaped(target: &mut String, form: &str) {
    let mut rest = form;
    while let Some(position) = rest.bytes().position(|byte| matches!(byte, b'+' | b'*' | b'%')) {
        let (plain, special) = rest.split_at(position);
        target.push_str(plain);
        let (taken, written) = match special.as_bytes() {
            [b'+', ..] => (1, "%20"),
            [b'*', ..] => (1, "%2A"),
            [b'%', b'7', b'E', ..] => (3, "~"),
            _ => (1, "%"),
        };
        target.push_str(written);
        rest = &special[taken..];
    }
    target.push_str(rest);
}

/// Splits a query string. What is not UTF-8 becomes U+FFFD, which no alphabet of the contract allows.
pub(crate) fn query_pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (unescape(name), unescape(value))
    })
}

/// A path with `{names}`, cut into its parts: for the path of an operation when the program is built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Template {
    text: &'static str,
    /// Where each `{` and `}` is.
    names: [(usize, usize); NAMES_MAX],
    count: usize,
}

/// The most parameters of a path.
const NAMES_MAX: usize = 4;

impl Template {
    pub(crate) const fn new(text: &'static str) -> Self {
        let (mut names, mut count) = ([(0, 0); NAMES_MAX], 0);
        let (mut place, mut open) = (0, 0);
        while place < text.len() {
            match text.as_bytes()[place] {
                b'{' => open = place,
                b'}' => {
                    names[count] = (open, place);
                    count += 1;
                }
                _ => {}
            }
            place += 1;
        }
        Self { text, names, count }
    }

    /// Takes from a path what stands in the place of each name: [`write()`] the other way round. A path that does
    /// not fit has fewer values.
    pub(crate) fn pairs(
        self,
        mut path: &str,
    ) -> impl Iterator<Item = (&'static str, Cow<'_, str>)> {
        let (mut place, mut start) = (0, 0);
        std::iter::from_fn(move || {
            let (open, close) = *self.names[..self.count].get(place)?;
            let rest = path.strip_prefix(&self.text[start..open])?;
            let end = rest.bytes().position(|byte| byte == b'/').unwrap_or(rest.len());
            let (value, rest) = rest.split_at(end);
            (place, start, path) = (place + 1, close + 1, rest);
            Some((&self.text[open + 1..close], decoded(value)))
        })
    }
}

/// The names in `template`.
pub(crate) fn names(template: &'static str) -> impl Iterator<Item = &'static str> {
    template.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0))
}

/// Takes the escapes off. What is not UTF-8 becomes U+FFFD.
fn decoded(text: &str) -> Cow<'_, str> {
    // Most texts have none, and need not be looked at byte by byte.
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    percent_decode_str(text).decode_utf8_lossy()
}

fn unescape(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned());
    }
    decoded(text)
}

/// Reads a parameter struct from decoded names and values. Unknown names are ignored; a known name given
/// several times is an error, unless its field is a list.
pub(crate) fn read<'a, T: DeserializeOwned>(
    pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
) -> Result<T, Invalid> {
    let mut given: Vec<(Cow<'a, str>, Texts<'a>)> = Vec::new();
    for (name, value) in pairs {
        match given.iter_mut().find(|(known, _)| *known == name) {
            Some((_, texts)) => texts.more.push(value),
            None => given.push((name, Texts::of(value))),
        }
    }
    read_once(given.into_iter())
}

/// Reads a parameter struct from the values of a path, in which every name stands once.
pub(crate) fn read_path<T: DeserializeOwned>(template: Template, path: &str) -> Result<T, Invalid> {
    read_once(template.pairs(path).map(|(name, value)| (Cow::Borrowed(name), Texts::of(value))))
}

fn read_once<'a, T: DeserializeOwned>(
    given: impl Iterator<Item = (Cow<'a, str>, Texts<'a>)>,
) -> Result<T, Invalid> {
    // The field is known only while its value is read; serde's error does not carry it.
    let mut current = Cow::from("");
    let given = given.map(|(name, texts)| {
        current.clone_from(&name);
        (name, texts)
    });
    let result = T::deserialize(MapDeserializer::<_, Rule>::new(given));
    result.map_err(|Rule(rule)| Invalid::new(current, rule))
}

/// The values of a name. One turns into what the field wants: itself, or an integer in plain decimal digits.
struct Texts<'a> {
    first: Cow<'a, str>,
    more: Vec<Cow<'a, str>>,
}

impl<'a> Texts<'a> {
    fn of(value: Cow<'a, str>) -> Self {
        Self { first: value, more: Vec::new() }
    }

    fn single(self) -> Result<Cow<'a, str>, Rule> {
        if self.more.is_empty() { Ok(self.first) } else { Err(Rule::duplicate_field("")) }
    }
}

/// What a parameter must be. Holds no value.
#[derive(Debug)]
struct Rule(String);

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Rule {}

impl serde::de::Error for Rule {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }

    fn invalid_type(_: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self(format!("expected {expected}"))
    }

    fn invalid_value(_: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self(format!("expected {expected}"))
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self("must be given once".to_owned())
    }

    fn missing_field(_: &'static str) -> Self {
        Self("must be given".to_owned())
    }
}

impl IntoDeserializer<'_, Rule> for Texts<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Whole numbers have one spelling: `007`, `+7` and `7.0` are not integers of the contract.
fn is_plain_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
        && text != "-0"
}

macro_rules! integers {
    ($($method:ident $visit:ident $integer:ty),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Rule> {
            let text = self.single()?;
            if !is_plain_decimal(&text) {
                return Err(Rule::custom("must be an integer in decimal digits"));
            }
            let value = text.parse::<$integer>().map_err(|_| Rule::custom("is out of range"))?;
            visitor.$visit(value)
        }
    )*};
}

impl<'de> Deserializer<'de> for Texts<'_> {
    type Error = Rule;

    integers! {
        deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
        deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Rule> {
        match self.single()? {
            Cow::Borrowed(text) => visitor.visit_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Rule> {
        match self.single()?.as_ref() {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(Rule::custom("must be true or false")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Rule> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Rule> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Rule> {
        let texts = std::iter::once(self.first).chain(self.more);
        visitor.visit_seq(SeqDeserializer::new(texts.map(Texts::of)))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Rule> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple
        tuple_struct map struct enum identifier
    }
}
