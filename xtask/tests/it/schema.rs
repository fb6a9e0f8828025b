//! For whatever JSON, the schema in the document accepts exactly what serde and validator accept.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use fabric_model::{
    Operation, OperationVisitor, Parameters, Payload, Request, identity, strategy, visit_operations,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use validator::Validate;

fn is_read<P: Payload>(json: &Value) -> bool {
    P::read(json.to_string().as_bytes()).is_ok_and(|read| read.validate().is_ok())
}

/// The names of fields in the bodies of requests.
static NAMES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    fn collect(schema: &Value, names: &mut BTreeSet<String>) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            names.insert(name.clone());
            collect(property, names);
        }
        if schema["items"].is_object() {
            collect(&schema["items"], names);
        }
    }
    struct Names(BTreeSet<String>);
    impl OperationVisitor for Names {
        fn visit<O: Operation>(&mut self) {
            collect(&strategy::payload_schema::<O::Body>(), &mut self.0);
        }
    }
    let mut names = Names(BTreeSet::new());
    visit_operations(&mut names);
    identity::visit_operations(&mut names);
    names.0
});

/// Any small JSON, with the names that the contract uses among its keys.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zA-Z0-9_é-]{0,70}".prop_map(Value::from),
    ];
    let names: Vec<String> = NAMES.iter().cloned().collect();
    let key = prop_oneof![5 => select(names), 1 => "[a-z]{1,8}"];
    leaf.prop_recursive(3, 24, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key.clone(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Puts another value in some place of a JSON document.
fn mutate(json: &mut Value, place: Index, other: Value) {
    fn places(json: &Value, path: &str, found: &mut Vec<String>) {
        found.push(path.to_owned());
        match json {
            Value::Object(object) => {
                object
                    .iter()
                    .for_each(|(key, value)| places(value, &format!("{path}/{key}"), found));
            }
            Value::Array(array) => {
                let items = array.iter().enumerate();
                items.for_each(|(key, value)| places(value, &format!("{path}/{key}"), found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    places(json, "", &mut found);
    let place: &String = place.get(&found);
    *json.pointer_mut(place).unwrap() = other;
}

struct Bodies;

impl OperationVisitor for Bodies {
    fn visit<O: Operation>(&mut self) {
        if O::Body::MEDIA_TYPE.is_none() {
            return;
        }
        let schema = jsonschema::validator_for(&strategy::payload_schema::<O::Body>()).unwrap();
        proptest!(config(), |(
            good in strategy::payload::<O::Body>(),
            bad in strategy::invalid_payload::<O::Body>(),
            other in any_json(),
            place in any::<Index>(),
        )| {
            let good: Value = serde_json::from_slice(&good.write().unwrap()).unwrap();
            prop_assert!(schema.is_valid(&good) && is_read::<O::Body>(&good), "good: {good}");
            prop_assert!(!schema.is_valid(&bad) && !is_read::<O::Body>(&bad), "bad: {bad}");
            prop_assert_eq!(schema.is_valid(&other), is_read::<O::Body>(&other), "any: {}", other);
            let mut mutated = good;
            mutate(&mut mutated, place, other);
            prop_assert_eq!(
                schema.is_valid(&mutated), is_read::<O::Body>(&mutated), "mutated: {}", mutated
            );
        });
    }
}

#[test]
fn bodies_are_read_exactly_when_their_schema_says_so() {
    visit_operations(&mut Bodies);
    identity::visit_operations(&mut Bodies);
}

#[test]
fn answers_are_read_whenever_their_schema_says_so() {
    struct Answers;
    impl OperationVisitor for Answers {
        fn visit<O: Operation>(&mut self) {
            let schema = strategy::payload_schema::<O::Response>();
            let schema = jsonschema::validator_for(&schema).unwrap();
            proptest!(config(), |(good in strategy::payload::<O::Response>())| {
                prop_assert!(good.validate().is_ok());
                if O::Response::MEDIA_TYPE.is_some() {
                    let json = serde_json::from_slice(&good.write().unwrap()).unwrap();
                    prop_assert!(schema.is_valid(&json), "{json}");
                }
            });
        }
    }
    visit_operations(&mut Answers);
    identity::visit_operations(&mut Answers);
}

/// The parameters as names and values, those of a list under the same name.
fn pairs_of<P: Parameters>(parameters: &P) -> Vec<(String, String)> {
    let json = serde_json::to_value(parameters).unwrap();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs = json.as_object().unwrap().iter().flat_map(|(name, value)| match value {
        Value::Array(items) => items.iter().map(|item| (name.clone(), text(item))).collect(),
        value => vec![(name.clone(), text(value))],
    });
    pairs.collect()
}

/// The query, percent-encoded.
fn encode(pairs: &[(String, String)]) -> String {
    let mut url = reqwest::Url::parse("http://localhost").unwrap();
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

/// The path, percent-encoded.
fn path_of<O: Operation>(pairs: &[(String, String)]) -> String {
    pairs.iter().fold(O::PATH.to_owned(), |path, (name, value)| {
        let encoded =
            value.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"));
        path.replace(&format!("{{{name}}}"), &encoded)
    })
}

/// Whether a request of an operation is read that is right but for what is given.
fn is_read_with<O: Operation>(path: Option<&str>, query: Option<&str>) -> bool {
    let example = O::example().request;
    let target = example.target();
    let (own_path, own_query) = target.split_once('?').unwrap_or((&target, ""));
    let media_type = O::Body::MEDIA_TYPE.map(str::as_bytes);
    let body = example.body.write().unwrap();
    let (path, query) = (path.unwrap_or(own_path), query.unwrap_or(own_query));
    Request::<O>::read(path, query, media_type, &body).is_ok()
}

fn config() -> ProptestConfig {
    // A failing case is printed whole, so no file need remember it.
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) }
}

/// Whether parameters have fields that are not any text: others cannot be wrong.
fn has_fields<P: Parameters>() -> bool {
    let is_any_text = |schema: &Value| {
        let limits = ["minLength", "maxLength", "pattern", "enum"];
        schema["type"] == "string" && limits.iter().all(|limit| schema[limit].is_null())
    };
    let schema = strategy::parameters_schema::<P>();
    let fields = schema["properties"].as_object();
    fields.is_some_and(|fields| fields.values().any(|schema| !is_any_text(schema)))
}

#[test]
fn queries_are_read_exactly_when_their_schema_says_so() {
    struct Queries(usize);
    impl OperationVisitor for Queries {
        fn visit<O: Operation>(&mut self) {
            if !has_fields::<O::Query>() {
                return;
            }
            self.0 += 1;
            proptest!(config(), |(
                good in strategy::parameters::<O::Query>(),
                bad in strategy::invalid_parameters::<O::Query>(),
            )| {
                prop_assert!(is_read_with::<O>(None, Some(&encode(&pairs_of(&good)))), "{}", O::ID);
                prop_assert!(!is_read_with::<O>(None, Some(&encode(&bad))), "{}: {bad:?}", O::ID);
            });
        }
    }
    let mut queries = Queries(0);
    visit_operations(&mut queries);
    identity::visit_operations(&mut queries);
    assert!(queries.0 > 1, "{} queries", queries.0);
}

#[test]
fn paths_are_read_exactly_when_their_schema_says_so() {
    struct Paths(usize);
    impl OperationVisitor for Paths {
        fn visit<O: Operation>(&mut self) {
            if !has_fields::<O::Path>() {
                return;
            }
            self.0 += 1;
            proptest!(config(), |(
                good in strategy::parameters::<O::Path>(),
                bad in strategy::invalid_parameters::<O::Path>(),
            )| {
                let good = path_of::<O>(&pairs_of(&good));
                prop_assert!(is_read_with::<O>(Some(&good), None), "{}: {good}", O::ID);
                let bad = path_of::<O>(&bad);
                prop_assert!(!is_read_with::<O>(Some(&bad), None), "{}: {bad}", O::ID);
            });
        }
    }
    let mut paths = Paths(0);
    visit_operations(&mut paths);
    identity::visit_operations(&mut paths);
    assert!(paths.0 > 3, "{} paths", paths.0);
}
