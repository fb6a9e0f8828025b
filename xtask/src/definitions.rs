//! Compares our OpenAPI document with the definitions that the vendor publishes of its operations.
//!
//! What they say of requests and answers must be the same but for a written list of departures, each with its
//! reason. What people read, which is descriptions and examples, is not compared; nor are tags, links and
//! security, of which the definitions say nothing.

pub(crate) mod departures;
mod difference;
mod shape;
mod text;

use serde_json::Value;

use departures::Departure;
use difference::Difference;
use shape::{Kind, Shape, operations};

/// What was compared, and what was found.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) operations: usize,
    pub(crate) parameters: usize,
    /// Fields of bodies, as often as they can be reached from operations.
    pub(crate) fields: usize,
    /// Operations of ours that are left out.
    pub(crate) skipped: Vec<String>,
    pub(crate) differences: Vec<Difference>,
}

/// The tag of the operations that the vendor publishes no definitions of.
const UNDEFINED: &str = "access clients";

/// Compares our document with definitions, each of which has some of the operations.
pub(crate) fn compare(definitions: &[Value], ours: &Value) -> Comparison {
    let mut comparison = Comparison::default();
    let mut undefined = operations(ours);
    for definition in definitions {
        for (call, defined) in operations(definition) {
            match undefined.remove(&call) {
                Some(ours) => comparison.part(&defined.name, &defined.shape, &ours.shape),
                None => comparison.add(&defined.name, format!("defined as {call}, but missing")),
            }
        }
    }
    for (call, ours) in undefined {
        if ours.tags.iter().any(|tag| tag == UNDEFINED) {
            comparison.skipped.push(ours.name);
        } else {
            comparison.add(&ours.name, format!("not defined: {call}"));
        }
    }
    comparison
}

impl Comparison {
    fn add(&mut self, place: &str, what: impl Into<String>) {
        self.differences.push(Difference { place: place.to_owned(), what: what.into() });
    }

    fn part(&mut self, place: &str, defined: &Shape, ours: &Shape) {
        match defined.kind {
            Kind::Operation => self.operations += 1,
            Kind::Parameter => self.parameters += 1,
            Kind::Field => self.fields += 1,
            Kind::Other => {}
        }
        for (name, defined) in &defined.facts {
            match ours.facts.get(name) {
                Some(ours) if ours == defined => {}
                Some(ours) => self.add(place, format!("{name} is {ours}, defined as {defined}")),
                None => self.add(place, format!("{name} is not given, defined as {defined}")),
            }
        }
        for (name, ours) in &ours.facts {
            if !defined.facts.contains_key(name) {
                self.add(place, format!("{name} is {ours}, not defined"));
            }
        }
        for (name, defined) in &defined.parts {
            let place = format!("{place}{name}");
            match ours.parts.get(name) {
                Some(ours) => self.part(&place, defined, ours),
                None => self.add(&place, "missing"),
            }
        }
        for name in ours.parts.keys() {
            if !defined.parts.contains_key(name) {
                self.add(&format!("{place}{name}"), "not defined");
            }
        }
    }

    /// Tells the differences that no departure covers, and the departures that don't occur, apart from those
    /// that are as written, of which it tells the number of places.
    pub(crate) fn judge<'a>(&self, departures: &'a [Departure]) -> Judgement<'a> {
        let unexplained = |difference: &&Difference| {
            !departures.iter().any(|departure| departure.covers(difference))
        };
        let occurrences = |departure: &Departure| {
            self.differences.iter().filter(|difference| departure.covers(difference)).count()
        };
        let counted = departures.iter().map(|departure| (departure, occurrences(departure)));
        let (occurring, stale) = counted.partition(|(_, places)| *places > 0);
        let unexplained = self.differences.iter().filter(unexplained).cloned().collect();
        Judgement { unexplained, occurring, stale }
    }
}

/// The differences beside the written departures.
#[derive(Debug)]
pub(crate) struct Judgement<'a> {
    pub(crate) unexplained: Vec<Difference>,
    /// Each departure that occurs, with the number of its places.
    pub(crate) occurring: Vec<(&'a Departure, usize)>,
    pub(crate) stale: Vec<(&'a Departure, usize)>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The way in which the vendor writes: parts by reference, and fields of several schemas together.
    fn definition() -> Value {
        json!({
            "paths": {
                "/v1/jobs/{job_id}": {
                    "put": {
                        "operationId": "UpdateJob",
                        "x-iam-auth-meta-anno": { "abacAction": "Fabric:job:alter" },
                        "parameters": [
                            { "$ref": "#/components/parameters/JobId" },
                            {
                                "in": "query", "name": "limit", "description": "how many",
                                "schema": {
                                    "type": "integer", "format": "int32",
                                    "minimum": 1, "maximum": 100, "default": 10,
                                },
                            },
                        ],
                        "requestBody": {
                            "required": true,
                            "content": { "application/json": {
                                "schema": { "$ref": "#/components/schemas/JobBody" },
                            } },
                        },
                        "responses": {
                            "200": {
                                "headers": { "X-request-id": { "schema": { "type": "string" } } },
                                "content": { "application/json": {
                                    "schema": { "$ref": "#/components/schemas/Job" },
                                } },
                            },
                            "404": { "description": "not found" },
                        },
                    },
                },
            },
            "components": {
                "parameters": {
                    "JobId": {
                        "in": "path", "name": "job_id", "required": true,
                        "schema": { "type": "string", "pattern": "^[0-9a-zA-Z-]{1,36}$" },
                    },
                },
                "schemas": {
                    "JobBody": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {
                            "name": { "type": "string", "minLength": 1, "maxLength": 64 },
                            "kind": { "$ref": "#/components/schemas/Kind" },
                        },
                    },
                    "Job": {
                        "allOf": [
                            { "$ref": "#/components/schemas/JobBody" },
                            {
                                "type": "object",
                                "properties": {
                                    "tags": {
                                        "type": "array", "minItems": 0, "maxItems": 20,
                                        "items": { "type": "string", "maxLength": 10 },
                                    },
                                },
                            },
                        ],
                    },
                    "Kind": { "type": "string", "enum": ["SPARK", "RAY"] },
                },
            },
        })
    }

    /// The same in the way in which we write.
    fn document() -> Value {
        let name =
            json!({ "type": "string", "minLength": 1, "maxLength": 64, "description": "A name." });
        json!({
            "paths": {
                "/v1/jobs/{job_id}": {
                    "put": {
                        "operationId": "UpdateJob",
                        "description": "Changes a job.\n\nThe caller must be allowed `Fabric:job:alter`; \
                            otherwise 403.",
                        "parameters": [
                            {
                                "in": "query", "name": "limit", "required": false,
                                "schema": {
                                    "type": "integer", "format": "int32",
                                    "minimum": 1, "maximum": 100, "default": 10,
                                },
                            },
                            {
                                "in": "path", "name": "job_id", "required": true,
                                "schema": {
                                    "type": "string", "minLength": 1, "maxLength": 36,
                                    "pattern": "^[A-Za-z0-9-]*$",
                                },
                            },
                        ],
                        "requestBody": {
                            "required": true,
                            "content": { "application/json": { "schema": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "kind": { "$ref": "#/components/schemas/JobKind", "description": "Its kind." },
                                    "name": name.clone(),
                                },
                            } } },
                        },
                        "responses": {
                            "200": {
                                "headers": { "X-Request-Id": { "schema": { "type": "string" } } },
                                "content": { "application/json": { "schema": {
                                    "type": "object",
                                    "required": ["name"],
                                    "properties": {
                                        "name": name,
                                        "kind": { "$ref": "#/components/schemas/JobKind" },
                                        "tags": {
                                            "type": "array", "maxItems": 20,
                                            "items": { "type": "string", "maxLength": 10 },
                                        },
                                    },
                                } } },
                            },
                            "404": { "description": "There is none." },
                        },
                    },
                },
                "/v1/access-clients": {
                    "get": { "operationId": "ListVpcepClient", "tags": ["access clients"], "responses": {} },
                },
            },
            "components": {
                "schemas": { "JobKind": { "type": "string", "enum": ["RAY", "SPARK"] } },
            },
        })
    }

    fn found(ours: &Value) -> Vec<String> {
        let comparison = compare(&[definition()], ours);
        comparison.differences.iter().map(Difference::to_string).collect()
    }

    #[test]
    fn the_same_in_other_words_is_no_difference() {
        let comparison = compare(&[definition()], &document());
        assert_eq!(comparison.differences, []);
        let Comparison { operations, parameters, fields, skipped, .. } = comparison;
        assert_eq!((operations, parameters, fields), (1, 2, 5));
        assert_eq!(skipped, ["ListVpcepClient"]);
    }

    type Break = fn(&mut Value);
    const OPERATION: &str = "/paths/~1v1~1jobs~1{job_id}/put";
    fn at<'a>(document: &'a mut Value, place: &str) -> &'a mut Value {
        document.pointer_mut(&format!("{OPERATION}{place}")).expect("it is there")
    }

    fn body(document: &mut Value) -> &mut Value {
        at(document, "/requestBody/content/application~1json/schema")
    }

    fn answer(document: &mut Value) -> &mut Value {
        at(document, "/responses/200/content/application~1json/schema")
    }

    fn remove(value: &mut Value, key: &str) -> Value {
        value.as_object_mut().and_then(|object| object.remove(key)).expect("it is there")
    }

    #[test]
    fn whatever_is_broken_is_named() {
        let cases: [(Break, &str); 20] = [
            (
                |ours| at(ours, "/parameters/0/schema")["maximum"] = json!(99),
                "UpdateJob, query limit: maximum is 99, defined as 100",
            ),
            (
                |ours| at(ours, "/parameters/0/schema")["default"] = json!("10"),
                "UpdateJob, query limit: default is \"10\", defined as 10",
            ),
            (
                |ours| at(ours, "/parameters/0/schema")["format"] = json!("int64"),
                "UpdateJob, query limit: format is int64, defined as int32",
            ),
            (
                |ours| at(ours, "/parameters/0")["required"] = json!(true),
                "UpdateJob, query limit: required is true, defined as false",
            ),
            (
                |ours| at(ours, "/parameters/0")["name"] = json!("size"),
                "UpdateJob, query limit: missing",
            ),
            (
                |ours| at(ours, "/parameters/0")["name"] = json!("size"),
                "UpdateJob, query size: not defined",
            ),
            (
                |ours| at(ours, "/parameters/1/schema")["pattern"] = json!("^[A-Za-z0-9_-]*$"),
                "UpdateJob, path job_id: text is 1 to 36 of [\\-0-9A-Z_a-z], \
                 defined as 1 to 36 of [\\-0-9A-Za-z]",
            ),
            (
                |ours| at(ours, "/parameters/1/schema")["maxLength"] = json!(64),
                "UpdateJob, path job_id: text is 1 to 64 of [\\-0-9A-Za-z], \
                 defined as 1 to 36 of [\\-0-9A-Za-z]",
            ),
            (
                |ours| body(ours)["required"] = json!([]),
                "UpdateJob, body.name: required is false, defined as true",
            ),
            (
                |ours| drop(remove(&mut body(ours)["properties"], "kind")),
                "UpdateJob, body.kind: missing",
            ),
            (
                |ours| body(ours)["properties"]["extra"] = json!({ "type": "string" }),
                "UpdateJob, body.extra: not defined",
            ),
            (
                |ours| body(ours)["properties"]["name"]["type"] = json!("integer"),
                "UpdateJob, body.name: type is integer, defined as string",
            ),
            (
                |ours| ours["components"]["schemas"]["JobKind"]["enum"] = json!(["RAY"]),
                "UpdateJob, answer 200.kind: text is one of RAY, defined as one of RAY, SPARK",
            ),
            (
                |ours| answer(ours)["properties"]["tags"]["maxItems"] = json!(21),
                "UpdateJob, answer 200.tags: maxItems is 21, defined as 20",
            ),
            (
                |ours| drop(remove(&mut answer(ours)["properties"]["tags"]["items"], "maxLength")),
                "UpdateJob, answer 200.tags[]: text is not given, defined as 0 to 10 characters",
            ),
            (
                |ours| {
                    let success = remove(at(ours, "/responses"), "200");
                    at(ours, "/responses")["202"] = success;
                },
                "UpdateJob, answer 202: not defined",
            ),
            (|ours| drop(remove(at(ours, "/responses"), "404")), "UpdateJob, answer 404: missing"),
            (
                |ours| drop(remove(at(ours, "/responses/200"), "headers")),
                "UpdateJob, answer 200, header x-request-id: missing",
            ),
            (
                |ours| at(ours, "")["description"] = json!("Changes a job."),
                "UpdateJob: action is not given, defined as Fabric:job:alter",
            ),
            (
                |ours| drop(remove(&mut ours["paths"], "/v1/jobs/{job_id}")),
                "UpdateJob: defined as PUT /v1/jobs/{job_id}, but missing",
            ),
        ];
        for (change, expected) in cases {
            let mut ours = document();
            change(&mut ours);
            let found = found(&ours);
            assert!(found.iter().any(|found| found == expected), "{expected} is not in {found:#?}");
        }
    }

    #[test]
    fn an_operation_that_is_not_defined_is_named() {
        let mut ours = document();
        ours["paths"]["/v1/more"]["get"] = json!({ "operationId": "ListMore", "responses": {} });
        assert_eq!(found(&ours), ["ListMore: not defined: GET /v1/more"]);
    }

    #[test]
    fn departures_cover_what_they_name_and_go_stale() {
        let mut ours = document();
        let operation = &mut ours["paths"]["/v1/jobs/{job_id}"]["put"];
        operation["parameters"][0]["schema"]["maximum"] = json!(50);
        operation["responses"]["5XX"] = json!({ "description": "the gateway's" });
        let comparison = compare(&[definition()], &ours);
        let departure = |place: &str, what: &str| Departure {
            place: place.to_owned(),
            what: what.to_owned(),
            reason: "a test".to_owned(),
        };
        let departures = [
            departure("*, answer 5XX", "not defined"),
            departure("UpdateJob, query limit", "maximum is 60, defined as 100"),
        ];
        let judgement = comparison.judge(&departures);
        let expected = "UpdateJob, query limit: maximum is 50, defined as 100";
        assert_eq!(judgement.unexplained.len(), 1, "{judgement:?}");
        assert_eq!(judgement.unexplained[0].to_string(), expected);
        assert_eq!(judgement.occurring, [(&departures[0], 1)]);
        assert_eq!(judgement.stale, [(&departures[1], 0)]);
    }
}
