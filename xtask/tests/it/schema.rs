//! For whatever JSON, the schema in the document accepts exactly what serde and validator accept.

use fabric_model::access_client::{AccessClientPath, ListAccessClients, ListAccessClientsQuery};
use fabric_model::{
    Operation, OperationVisitor, Parameters, Payload, Request, strategy, visit_operations,
};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use validator::Validate;

fn is_read<P: Payload>(json: &Value) -> bool {
    P::read(json.to_string().as_bytes()).is_ok_and(|read| read.validate().is_ok())
}

/// Any small JSON, with the names that the contract uses among its keys.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zA-Z0-9_é-]{0,70}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("name".to_owned()),
        Just("vpc_id".to_owned()),
        Just("subnet_ids".to_owned()),
        Just("access_connections".to_owned()),
        Just("domain".to_owned()),
        "[a-z]{1,8}",
    ];
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
        // A failing case is printed whole, so no file need remember it.
        let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
        proptest!(config, |(
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
}

#[test]
fn answers_are_read_whenever_their_schema_says_so() {
    struct Answers;
    impl OperationVisitor for Answers {
        fn visit<O: Operation>(&mut self) {
            let schema = strategy::payload_schema::<O::Response>();
            let schema = jsonschema::validator_for(&schema).unwrap();
            let config =
                ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) };
            proptest!(config, |(good in strategy::payload::<O::Response>())| {
                prop_assert!(good.validate().is_ok());
                if O::Response::MEDIA_TYPE.is_some() {
                    let json = serde_json::from_slice(&good.write().unwrap()).unwrap();
                    prop_assert!(schema.is_valid(&json), "{json}");
                }
            });
        }
    }
    visit_operations(&mut Answers);
}

fn query_is_read(query: &str) -> bool {
    Request::<ListAccessClients>::read("/v1/access-clients", query, None, b"").is_ok()
}

fn encode(pairs: &[(String, String)]) -> String {
    let mut url = reqwest::Url::parse("http://localhost").unwrap();
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

fn pairs_of<P: Parameters>(parameters: &P) -> Vec<(String, String)> {
    let json = serde_json::to_value(parameters).unwrap();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    json.as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn queries_are_read_exactly_when_their_schema_says_so(
        good in strategy::parameters::<ListAccessClientsQuery>(),
        bad in strategy::invalid_parameters::<ListAccessClientsQuery>(),
    ) {
        prop_assert!(query_is_read(&encode(&pairs_of(&good))));
        prop_assert!(!query_is_read(&encode(&bad)), "{bad:?}");
    }

    #[test]
    fn paths_are_read_exactly_when_their_schema_says_so(
        good in strategy::parameters::<AccessClientPath>(),
        bad in strategy::invalid_parameters::<AccessClientPath>(),
    ) {
        prop_assert!(serde_json::from_value::<AccessClientPath>(json!(good)).is_ok());
        let bad: serde_json::Map<_, _> =
            bad.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
        let read = serde_json::from_value::<AccessClientPath>(Value::Object(bad.clone()));
        prop_assert!(read.is_err(), "{bad:?}");
    }
}
