//! The document is whole, and what it documents is what is served.

use std::collections::BTreeSet;

use fabric_model::{Failure, Operation, OperationVisitor, Payload, identity, visit_operations};
use fabric_server::MockServer;
use serde_json::Value;

pub(crate) fn document() -> Value {
    serde_json::from_str(&fabric_model::document::json()).unwrap()
}

fn sign_in_document() -> Value {
    serde_json::from_str(&fabric_model::document::identity::json()).unwrap()
}

/// The samples of an operation of sign-in are answers of the identity service, one of each status at least.
#[test]
fn failures_of_sign_in_are_documented_with_their_samples() {
    let document = sign_in_document();
    for operation in identity::operations() {
        let method = operation.method.as_str().to_lowercase();
        let responses = &document["paths"][operation.path][method.as_str()]["responses"];
        for failure in operation.failures {
            let reference = responses[failure.status().as_str()]["$ref"].as_str().unwrap();
            let response = document.pointer(&reference[1..]).unwrap();
            let samples = response["content"]["application/json"]["examples"].as_object().unwrap();
            assert!(!samples.is_empty(), "{} {failure:?}", operation.id);
            for sample in samples.values() {
                assert_eq!(sample["value"]["error"]["code"], failure.status().as_u16());
            }
        }
    }
}

#[tokio::test]
async fn documented_is_served() {
    let mut documented = BTreeSet::new();
    for document in [document(), sign_in_document()] {
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                documented.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    let mock = MockServer::start().await;
    let served = mock.operations().iter().map(|(method, path)| format!("{method} {path}"));
    let served: BTreeSet<_> = served.collect();
    assert_eq!(documented, served);
    let all = fabric_model::operations().len() + identity::operations().len();
    assert_eq!(documented.len(), all);
}

#[test]
fn every_reference_resolves() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(array) => array.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    for document in [document(), sign_in_document()] {
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 20, "the document uses components");
        for reference in found {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
        }
    }
}

#[test]
fn examples_fit_their_schemas() {
    struct Examples;
    impl OperationVisitor for Examples {
        fn visit<O: Operation>(&mut self) {
            let example = O::example();
            assert!(example.request.validate().is_ok(), "{}", O::ID);
            check(&example.request.body);
            check(&example.response);
        }
    }
    fn check<P: Payload>(example: &P) {
        if P::MEDIA_TYPE.is_some() {
            let schema = fabric_model::strategy::payload_schema::<P>();
            let json: Value = serde_json::from_slice(&example.write().unwrap()).unwrap();
            assert!(jsonschema::is_valid(&schema, &json), "{json}");
        }
    }
    visit_operations(&mut Examples);
    identity::visit_operations(&mut Examples);
}

#[test]
fn every_failure_of_an_operation_is_documented_with_its_sample() {
    struct Failures(Value);
    impl OperationVisitor for Failures {
        fn visit<O: Operation>(&mut self) {
            let method = O::METHOD.as_str().to_lowercase();
            let responses = &self.0["paths"][O::PATH][method.as_str()]["responses"];
            for failure in O::FAILURES {
                let reference = responses[failure.status().as_str()]["$ref"].as_str().unwrap();
                let response = self.0.pointer(&reference[1..]).unwrap();
                let examples = &response["content"]["application/json"]["examples"];
                let sample = &examples[format!("{failure:?}")]["value"];
                let ours = fabric_model::ApiError::from(*failure);
                assert_eq!(sample.as_object(), ours.json(), "{} {failure:?}", O::ID);
            }
        }
    }
    visit_operations(&mut Failures(document()));
}

#[test]
fn what_only_the_gateway_answers_is_documented_in_every_operation() {
    let document = document();
    let others = Failure::ALL
        .into_iter()
        .filter(|failure| Failure::COMMON.iter().all(|common| common.status() != failure.status()));
    let others: Vec<_> = others.collect();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let responses = &operation["responses"];
            for failure in &others {
                let status = failure.status();
                let range = format!("{}XX", status.as_u16() / 100);
                let response = responses.get(status.as_str()).unwrap_or(&responses[&range]);
                let response = document.pointer(&response["$ref"].as_str().unwrap()[1..]).unwrap();
                let examples = &response["content"]["application/json"]["examples"];
                let sample = &examples[format!("{failure:?}")]["value"];
                let ours = fabric_model::ApiError::from(*failure);
                assert_eq!(sample.as_object(), ours.json(), "{failure:?}");
            }
        }
    }
}

/// A generator names the type of a field after the schema and the field, and that of a parameter after the
/// operation and the parameter, so a schema of that name would be there twice.
#[test]
fn no_schema_is_named_as_generators_name_a_field() {
    fn in_pascal_case(name: &str) -> String {
        let words = name.split(['_', '-']).map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_uppercase() + rest
        });
        words.collect()
    }
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let fields = schemas.iter().flat_map(|(schema, definition)| {
        let fields = definition["properties"].as_object().into_iter().flatten();
        // What refers to a schema is named after it.
        let own = fields.filter(|(_, field)| field.get("$ref").is_none());
        own.map(move |(field, _)| format!("{schema}{}", in_pascal_case(field)))
    });
    let operations = document["paths"].as_object().unwrap().values();
    let operations = operations.flat_map(|item| item.as_object().unwrap().values());
    let parameters = operations.flat_map(|operation| {
        let id = operation["operationId"].as_str().unwrap();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        parameters.map(move |parameter| {
            format!("{id}{}", in_pascal_case(parameter["name"].as_str().unwrap()))
        })
    });
    let taken: Vec<_> =
        fields.chain(parameters).filter(|name| schemas.contains_key(name)).collect();
    assert_eq!(taken, Vec::<String>::new());
}
