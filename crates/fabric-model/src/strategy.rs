//! proptest strategies of valid and invalid values, drawn from the schemas of the OpenAPI document.
//!
//! A new type or operation needs no code here: its values are drawn from its schema. Values at the limits are
//! drawn more often than others, since most mistakes are there.
//!
//! ```
//! use fabric_model::access_client::{AccessClientCreate, UpdateAccessClient};
//! use fabric_model::{Payload, strategy};
//! use proptest::prelude::*;
//! use validator::Validate;
//!
//! proptest!(|(
//!     request in strategy::request::<UpdateAccessClient>(),
//!     bad in strategy::invalid_payload::<AccessClientCreate>(),
//! )| {
//!     prop_assert!(request.validate().is_ok());
//!     let read = AccessClientCreate::read(bad.to_string().as_bytes());
//!     prop_assert!(read.is_err() || read.unwrap().validate().is_err());
//! });
//! ```

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::string::string_regex;
use serde_json::{Map, Value, json};
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::ParameterIn;

use crate::charset::expression;
use crate::{Operation, Parameters, Payload, Request};

/// Valid requests.
pub fn request<O: Operation>() -> BoxedStrategy<Request<O>> {
    (parameters(), parameters(), payload())
        .prop_map(|(path, query, body)| Request { path, query, body })
        .boxed()
}

/// Valid bodies.
///
/// # Panics
///
/// When the type reads less than its schema allows, which is a mistake in the type.
pub fn payload<P: Payload>() -> BoxedStrategy<P> {
    if P::MEDIA_TYPE.is_none() {
        return Just(P::read(b"").expect("no body is always read")).boxed();
    }
    let draw = valid(&payload_schema::<P>());
    draw.prop_map(|json| P::read(json.to_string().as_bytes()).expect("its schema allows it"))
        .boxed()
}

/// JSON that breaks one rule of the schema of a body. For bodies that are not
/// [`Nothing`](crate::Nothing).
pub fn invalid_payload<P: Payload>() -> BoxedStrategy<Value> {
    invalid(&payload_schema::<P>())
}

/// Valid parameters.
///
/// # Panics
///
/// When the type reads less than its schema allows, which is a mistake in the type.
pub fn parameters<P: Parameters>() -> BoxedStrategy<P> {
    let draw = valid(&parameters_schema::<P>());
    draw.prop_map(|json| serde_json::from_value(json).expect("its schema allows it")).boxed()
}

/// Names and values that break one rule of the parameters' schemas. For parameters that are not
/// [`Nothing`](crate::Nothing).
pub fn invalid_parameters<P: Parameters>() -> BoxedStrategy<Vec<(String, String)>> {
    let schema = parameters_schema::<P>();
    let draw = invalid(&schema);
    draw.prop_filter_map("parameters are text", move |json| {
        let object = json.as_object()?;
        // Where text is asked for, a number is as good as the text of its digits.
        let is_text = |(name, value): (&String, &Value)| match value {
            Value::String(_) => true,
            Value::Number(_) => schema["properties"][name]["type"] == "integer",
            Value::Bool(_) => schema["properties"][name]["type"] == "boolean",
            Value::Array(items) => {
                schema["properties"][name]["type"] == "array" && items.iter().all(Value::is_string)
            }
            _ => false,
        };
        object.iter().all(is_text).then(|| text_pairs(object))
    })
    .boxed()
}

/// Parameters as text, those of a list under the same name.
fn text_pairs(parameters: &Map<String, Value>) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs = parameters.iter().flat_map(|(name, value)| match value {
        Value::Array(items) => items.iter().map(|item| (name.clone(), text(item))).collect(),
        value => vec![(name.clone(), text(value))],
    });
    pairs.collect()
}

/// The schema of a body, whole in itself.
#[must_use]
pub fn payload_schema<P: Payload>() -> Value {
    let mut schema = json!(P::schema());
    inline(&mut schema, &SCHEMAS);
    schema
}

/// The schema of parameters, as if they were one object.
#[must_use]
pub fn parameters_schema<P: Parameters>() -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in <P as IntoParams>::into_params(|| Some(ParameterIn::Query)) {
        if parameter.required == Required::True {
            required.push(parameter.name.clone());
        }
        properties.insert(parameter.name, json!(parameter.schema));
    }
    let mut schema = json!({ "type": "object", "properties": properties, "required": required });
    inline(&mut schema, &SCHEMAS);
    schema
}

/// The schemas by their names. Asked for in every case of a test, so made once.
static SCHEMAS: LazyLock<Value> = LazyLock::new(|| {
    let documents = [crate::document::openapi(), crate::document::identity::openapi()];
    let parts = documents.map(|document| document.components.map(|parts| parts.schemas));
    json!(parts.into_iter().flatten().flatten().collect::<BTreeMap<_, _>>())
});

/// Puts in the place of each `$ref` what it stands for.
fn inline(schema: &mut Value, parts: &Value) {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        *schema = parts[name].clone();
    }
    match schema {
        Value::Object(object) => object.values_mut().for_each(|value| inline(value, parts)),
        Value::Array(array) => array.iter_mut().for_each(|value| inline(value, parts)),
        _ => {}
    }
}

/// How long a text or a list gets where the schema sets no limit.
const UNLIMITED: u64 = 40;

/// How long a text or a list is drawn one by one; what is longer repeats itself, and lists that are valid are
/// no longer.
const LARGE: u64 = 300;

/// How many characters the items of a list have together, before it is drawn with fewer of them.
const HEAVY: u64 = 1_000_000;

/// Characters of which a class of the contract allows some only.
const FOREIGN: [char; 8] = ['!', '/', '%', '"', '\n', '\0', 'é', '😀'];

fn valid(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(values) = schema["enum"].as_array() {
        return select(values.clone()).boxed();
    }
    match schema["type"].as_str() {
        Some("object") if schema["additionalProperties"].is_object() => {
            let pair = ("[A-Z_]{1,8}", valid(&schema["additionalProperties"]));
            let object = vec(pair, 0..4).prop_map(|pairs| pairs.into_iter().collect());
            object.prop_map(Value::Object).boxed()
        }
        Some("object") if schema["additionalProperties"] == true => {
            let leaf = prop_oneof![
                any::<bool>().prop_map(Value::from),
                any::<i32>().prop_map(Value::from)
            ];
            let object = vec(("[a-z_]{1,8}", leaf), 0..4);
            object.prop_map(|pairs| Value::Object(pairs.into_iter().collect())).boxed()
        }
        Some("object") => object(schema),
        Some("array") => {
            let item = valid(&schema["items"]);
            let (min, max) = limits(schema, "minItems", "maxItems");
            // Long lists are slow to draw and to shrink, so they are rare.
            let few = vec(item.clone(), size(min)..=size(max.min(min + 3)));
            let many = vec(item, size(most_items(schema)));
            prop_oneof![9 => few, 1 => many].prop_map(Value::from).boxed()
        }
        Some("string") => texts(schema).prop_map(Value::from).boxed(),
        Some("integer") => {
            let min = schema["minimum"].as_i64().unwrap_or(0);
            let max = schema["maximum"].as_i64().unwrap_or(min + 40);
            edges(min..=max).prop_map(Value::from).boxed()
        }
        // Eighths are the same in binary and in decimal digits.
        Some("number") => {
            any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)).boxed()
        }
        Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
        _ => panic!("no strategy for the schema {schema}"),
    }
}

/// The most items of a list that is drawn: as many as are allowed, unless they are too large together.
fn most_items(schema: &Value) -> u64 {
    let (min, max) = limits(schema, "minItems", "maxItems");
    let bearable = HEAVY / most_characters(&schema["items"]).max(1);
    max.min(LARGE).min(bearable.max(min + 3))
}

/// About how many characters a value can have that is drawn.
fn most_characters(schema: &Value) -> u64 {
    match schema["type"].as_str() {
        Some("string") => limits(schema, "minLength", "maxLength").1,
        Some("array") => most_items(schema) * most_characters(&schema["items"]),
        Some("object") => properties(schema).map(|(_, schema)| most_characters(schema)).sum(),
        _ => 0,
    }
}

fn object(schema: &Value) -> BoxedStrategy<Value> {
    let required = |name: &String| {
        schema["required"].as_array().is_some_and(|names| names.iter().any(|given| given == name))
    };
    let properties = properties(schema).map(|(name, schema)| {
        let value = valid(schema);
        let value =
            if required(name) { value.prop_map(Some).boxed() } else { option::of(value).boxed() };
        (Just(name.clone()), value)
    });
    let properties: Vec<_> = properties.collect();
    let object = properties.prop_map(|properties| {
        properties.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    });
    object.prop_map(Value::Object).boxed()
}

/// Texts of a schema.
fn texts(schema: &Value) -> BoxedStrategy<String> {
    let (min, max) = limits(schema, "minLength", "maxLength");
    match form(schema) {
        Some(form) => {
            let text = string_regex(&expression(form)).expect("a pattern of the contract is one");
            let fits = move |text: &String| (min..=max).contains(&(text.chars().count() as u64));
            text.prop_filter("a text has so many characters", fits).boxed()
        }
        None => edges(min..=max).prop_flat_map(text_like(schema)).boxed(),
    }
}

/// The class of a pattern that is about single characters: that of `^[a-z]*$`.
fn class(schema: &Value) -> Option<&str> {
    let class = schema["pattern"].as_str()?.strip_prefix('^')?.strip_suffix("*$")?;
    (class.starts_with('[') && class.find(']') == Some(class.len() - 1)).then_some(class)
}

/// A pattern that is about the text as a whole.
fn form(schema: &Value) -> Option<&str> {
    let pattern = schema["pattern"].as_str().filter(|_| class(schema).is_none())?;
    pattern.strip_prefix('^')?.strip_suffix('$')
}

/// A text of the schema's class, with so many characters.
fn text_like(schema: &Value) -> impl Fn(u64) -> BoxedStrategy<String> + use<> {
    let class = class(schema).unwrap_or("(?s:.)").to_owned();
    move |length| {
        let drawn = length.min(LARGE);
        let regex = format!("{class}{{{drawn}}}");
        let text = string_regex(&regex).expect("a class and a number make a pattern");
        if drawn == length {
            return text.boxed();
        }
        text.prop_map(move |text| text.chars().cycle().take(size(length)).collect()).boxed()
    }
}

fn invalid(schema: &Value) -> BoxedStrategy<Value> {
    let mut flaws = vec![of_another_type(schema)];
    match schema["type"].as_str() {
        Some("object") if schema["additionalProperties"].is_object() => {
            let flaw = ("[A-Z_]{1,8}", invalid(&schema["additionalProperties"]));
            let object = vec(flaw, 1..3).prop_map(|pairs| pairs.into_iter().collect());
            flaws.push(object.prop_map(Value::Object).boxed());
        }
        Some("object") => {
            for (name, property) in properties(schema) {
                let (name, flaw) = (name.clone(), invalid(property));
                let spoiled = (valid(schema), flaw).prop_map(move |(mut object, flaw)| {
                    object[&name] = flaw;
                    object
                });
                flaws.push(spoiled.boxed());
            }
        }
        Some("array") => {
            let (min, max) = limits(schema, "minItems", "maxItems");
            let item = valid(&schema["items"]);
            if let Some(few) = min.checked_sub(1) {
                let too_few = item.clone().prop_map(move |item| vec![item; size(few)]);
                flaws.push(too_few.prop_map(Value::from).boxed());
            }
            // A list of a million is no test to wait for.
            if schema["maxItems"].is_u64() && max <= 10 * LARGE {
                let light = move |item: &Value| item.to_string().len() as u64 <= HEAVY / (max + 1);
                let item = item.clone().prop_filter("many items are light", light);
                let too_many = item.prop_map(move |item| vec![item; size(max + 1)]);
                flaws.push(too_many.prop_map(Value::from).boxed());
            }
            let good = vec(item, size(min)..=size(max.min(min + 3)));
            let spoiled = (good, invalid(&schema["items"]), any::<Index>());
            let spoiled = spoiled.prop_map(|(mut items, flaw, place)| {
                items.insert(place.index(items.len() + 1), flaw);
                Value::from(items)
            });
            flaws.push(spoiled.boxed());
        }
        Some("string") if schema["enum"].is_array() => {
            flaws.push(Just(Value::from("of no enum")).boxed());
        }
        // No form of the contract begins with this.
        Some("string") if form(schema).is_some() => flaws.push(Just(Value::from("!")).boxed()),
        Some("string") => {
            let (min, max) = limits(schema, "minLength", "maxLength");
            let text = text_like(schema);
            if let Some(short) = min.checked_sub(1) {
                flaws.push(text(short).prop_map(Value::from).boxed());
            }
            if schema["maxLength"].is_u64() {
                flaws.push(text(max + 1).prop_map(Value::from).boxed());
            }
            if let Some(class) = class(schema) {
                // One character changes, so the length stays right.
                let expression = regex::Regex::new(class).expect("a class is a pattern");
                let foreign = FOREIGN
                    .into_iter()
                    .filter(|foreign| !expression.is_match(foreign.encode_utf8(&mut [0; 4])));
                let foreign = select(foreign.collect::<Vec<_>>());
                let spoiled = (text(max), any::<Index>(), foreign);
                let spoiled = spoiled.prop_map(|(text, place, foreign)| {
                    let mut characters: Vec<char> = text.chars().collect();
                    let place = place.index(characters.len());
                    characters[place] = foreign;
                    Value::from(String::from_iter(characters))
                });
                flaws.push(spoiled.boxed());
            }
        }
        Some("integer") => {
            for (limit, step) in [("minimum", -1), ("maximum", 1)] {
                if let Some(limit) = schema[limit].as_i64() {
                    flaws.push(Just(Value::from(limit + step)).boxed());
                }
            }
            let spellings = ["", "x", "1.0", "+1", "01", "1e1", " 1", "0x1"].map(Value::from);
            flaws.push(select(spellings.to_vec()).boxed());
        }
        _ => {}
    }
    proptest::strategy::Union::new(flaws).boxed()
}

fn of_another_type(schema: &Value) -> BoxedStrategy<Value> {
    let others = [("null", json!(null)), ("boolean", json!(true)), ("integer", json!(7))];
    let more = [("string", json!("x7")), ("array", json!(["x"])), ("object", json!({"x": 7}))];
    let is_other = |(name, _): &(&str, Value)| {
        schema["type"] != *name && (schema["type"] != "number" || *name != "integer")
    };
    let values: Vec<Value> =
        others.into_iter().chain(more).filter(is_other).map(|(_, value)| value).collect();
    select(values).boxed()
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

fn limits(schema: &Value, min: &str, max: &str) -> (u64, u64) {
    let min = schema[min].as_u64().unwrap_or(0);
    (min, schema[max].as_u64().unwrap_or(min + UNLIMITED))
}

/// The ends of a range as often as what is between them.
fn edges<T: Copy + std::fmt::Debug + 'static>(range: RangeInclusive<T>) -> impl Strategy<Value = T>
where
    RangeInclusive<T>: Strategy<Value = T>,
{
    prop_oneof![1 => Just(*range.start()), 1 => Just(*range.end()), 2 => range]
}

fn size(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
