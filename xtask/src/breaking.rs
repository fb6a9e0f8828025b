//! Finds what breaks those who rely on an older OpenAPI document.
//!
//! What was accepted must not be rejected, and whoever reads must not be answered what was
//! ruled out, nor miss what was there. Well-kept tools that tell this of limits and fields are not to be
//! had from a package registry, so this looks at what our document uses, and no more.

use serde_json::{Map, Value};

/// Every change that breaks, in words, with its place.
pub(crate) fn changes(old: &Value, new: &Value) -> Vec<String> {
    let mut comparison = Comparison { old, new, found: Vec::new() };
    comparison.operations();
    comparison.found
}

/// Who must get along with the other side's change.
#[derive(Clone, Copy, PartialEq)]
enum Direction {
    /// A request: what was accepted must still be.
    In,
    /// An answer: it must be what it was said to be.
    Out,
}

struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    found: Vec<String>,
}

/// Limits, and whether they are upper ones.
const LIMITS: [(&str, bool); 6] = [
    ("maxLength", true),
    ("maxItems", true),
    ("maximum", true),
    ("minLength", false),
    ("minItems", false),
    ("minimum", false),
];

impl<'a> Comparison<'a> {
    fn breaks(&mut self, at: &str, what: impl std::fmt::Display) {
        self.found.push(format!("{at}: {what}"));
    }

    fn operations(&mut self) {
        for (path, item) in entries(&self.old["paths"]) {
            for (method, old) in entries(item) {
                let at = format!("{} {path}", method.to_uppercase());
                let new = &self.new["paths"][path][method];
                if new.is_null() {
                    self.breaks(&at, "the operation is gone");
                    continue;
                }
                for way in items(&old["security"]) {
                    if !items(&new["security"]).contains(way) {
                        self.breaks(&at, format!("credentials are no longer {way}"));
                    }
                }
                self.parameters(&at, old, new);
                self.body(&at, &old["requestBody"], &new["requestBody"]);
                self.answers(&at, &old["responses"], &new["responses"]);
            }
        }
    }

    fn parameters(&mut self, at: &str, old: &'a Value, new: &'a Value) {
        let key = |parameter: &Value| (parameter["in"].clone(), parameter["name"].clone());
        let (olds, news) = (items(&old["parameters"]), items(&new["parameters"]));
        for old in olds {
            let at = format!("{at}, parameter {}", text(&old["name"]));
            match news.iter().find(|new| key(new) == key(old)) {
                None => self.breaks(&at, "it is gone"),
                Some(new) => {
                    if is_true(&new["required"]) && !is_true(&old["required"]) {
                        self.breaks(&at, "it is required now");
                    }
                    self.schema(&at, &old["schema"], &new["schema"], Direction::In);
                }
            }
        }
        for new in news.iter().filter(|new| is_true(&new["required"])) {
            if !olds.iter().any(|old| key(old) == key(new)) {
                let at = format!("{at}, parameter {}", text(&new["name"]));
                self.breaks(&at, "it is new, and required");
            }
        }
    }

    fn body(&mut self, at: &str, old: &'a Value, new: &'a Value) {
        if is_true(&new["required"]) && !is_true(&old["required"]) {
            self.breaks(at, "a body is required now");
        }
        self.content(&format!("{at}, body"), &old["content"], &new["content"], Direction::In);
    }

    fn answers(&mut self, at: &str, old: &'a Value, new: &'a Value) {
        for (status, old) in entries(old) {
            let at = format!("{at}, answer {status}");
            match new.get(status) {
                None => self.breaks(&at, "it is gone"),
                Some(new) => {
                    let (old, new) = (resolve(self.old, old), resolve(self.new, new));
                    for (header, _) in entries(&old["headers"]) {
                        if new["headers"].get(header).is_none() {
                            self.breaks(&at, format!("the header {header} is gone"));
                        }
                    }
                    self.content(&at, &old["content"], &new["content"], Direction::Out);
                }
            }
        }
    }

    fn content(&mut self, at: &str, old: &'a Value, new: &'a Value, direction: Direction) {
        for (media_type, old) in entries(old) {
            match new.get(media_type) {
                None => self.breaks(at, format!("{media_type} is gone")),
                Some(new) => self.schema(at, &old["schema"], &new["schema"], direction),
            }
        }
    }

    fn schema(&mut self, at: &str, old: &'a Value, new: &'a Value, direction: Direction) {
        let (old, new) = (resolve(self.old, old), resolve(self.new, new));
        let wording =
            |value: &Value| if value.is_null() { "none".to_owned() } else { value.to_string() };
        for keyword in ["type", "format", "default"] {
            if old[keyword] != new[keyword] {
                let (from, to) = (wording(&old[keyword]), wording(&new[keyword]));
                self.breaks(at, format!("{keyword} was {from}, is {to}"));
            }
        }
        for (keyword, is_upper) in LIMITS {
            let unlimited = if is_upper { f64::INFINITY } else { f64::NEG_INFINITY };
            let limit = |schema: &Value| schema[keyword].as_f64().unwrap_or(unlimited);
            let (before, after) = (limit(old), limit(new));
            let is_narrower = if is_upper { after < before } else { after > before };
            let is_wider = if is_upper { after > before } else { after < before };
            let is_breaking = if direction == Direction::In { is_narrower } else { is_wider };
            if is_breaking {
                let (from, to) = (wording(&old[keyword]), wording(&new[keyword]));
                self.breaks(at, format!("{keyword} was {from}, is {to}"));
            }
        }
        let (pattern, loss) = match direction {
            Direction::In => (&new["pattern"], "is narrower, or another"),
            Direction::Out => (&old["pattern"], "is wider, or another"),
        };
        if old["pattern"] != new["pattern"] && !pattern.is_null() {
            self.breaks(at, format!("pattern {loss}: {}", wording(&new["pattern"])));
        }
        self.values(at, &old["enum"], &new["enum"], direction);
        self.fields(at, old, new, direction);
        if let (Some(old), Some(new)) = (old.get("items"), new.get("items")) {
            self.schema(&format!("{at}[]"), old, new, direction);
        }
        let (olds, news) = (items(&old["anyOf"]), items(&new["anyOf"]));
        if olds.len() != news.len() {
            self.breaks(at, format!("it had {} alternatives, has {}", olds.len(), news.len()));
        }
        for (old, new) in olds.iter().zip(news) {
            self.schema(at, old, new, direction);
        }
    }

    fn values(&mut self, at: &str, old: &Value, new: &Value, direction: Direction) {
        let (before, after) = match direction {
            Direction::In => (new, old),
            Direction::Out => (old, new),
        };
        // Without a list every value goes.
        if before.is_null() {
            return;
        }
        if after.is_null() {
            self.breaks(at, "the list of its values begins or ends");
        }
        for value in items(after).iter().filter(|value| !items(before).contains(value)) {
            let what =
                if direction == Direction::In { "no longer taken" } else { "new in answers" };
            self.breaks(at, format!("the value {value} is {what}"));
        }
    }

    fn fields(&mut self, at: &str, old: &'a Value, new: &'a Value, direction: Direction) {
        for (field, old) in entries(&old["properties"]) {
            let at = format!("{at}, {field}");
            match new["properties"].get(field) {
                None => self.breaks(&at, "the field is gone"),
                Some(new) => self.schema(&at, old, new, direction),
            }
        }
        let (before, after) = match direction {
            Direction::In => (&old["required"], &new["required"]),
            Direction::Out => (&new["required"], &old["required"]),
        };
        for field in items(after).iter().filter(|field| !items(before).contains(field)) {
            let what =
                if direction == Direction::In { "is required now" } else { "may be absent now" };
            self.breaks(&format!("{at}, {}", text(field)), format!("the field {what}"));
        }
    }
}

/// Follows a reference, also where it is the only one of an `allOf`.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let only = match items(&value["allOf"]) {
        [only] => only,
        _ => value,
    };
    let target = only["$ref"].as_str().and_then(|path| document.pointer(path.strip_prefix('#')?));
    target.map_or(only, |target| resolve(document, target))
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        serde_json::from_str(&fabric_model::document::json()).expect("it is JSON")
    }

    /// What is found when the document of today becomes what `change` makes of it.
    fn after(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let old = document();
        let mut new = old.clone();
        change(&mut new);
        assert_ne!(old, new, "the change changes nothing");
        changes(&old, &new)
    }

    fn fields<'a>(document: &'a mut Value, schema: &str) -> &'a mut Value {
        &mut document["components"]["schemas"][schema]["properties"]
    }

    fn field<'a>(document: &'a mut Value, schema: &str, field: &str) -> &'a mut Value {
        &mut fields(document, schema)[field]
    }

    fn parameters(document: &mut Value) -> &mut Vec<Value> {
        let parameters = &mut document["paths"]["/v1/access-clients"]["get"]["parameters"];
        parameters.as_array_mut().expect("a list has parameters")
    }

    fn remove(value: &mut Value, key: &str) {
        value.as_object_mut().and_then(|object| object.remove(key)).expect("it is there");
    }

    const UPDATE: &str = "PUT /v1/access-clients/{client_id}, body";
    const SHOWN: &str = "GET /v1/access-clients/{client_id}, answer 200";

    type Change = fn(&mut Value);

    fn assert_named<const N: usize>(cases: [(Change, String); N]) {
        for (change, expected) in cases {
            let found = after(change);
            assert!(found.contains(&expected), "{expected} is not in {found:#?}");
        }
    }

    #[test]
    fn what_breaks_who_asks_is_named() {
        assert_named::<11>([
            (
                |new| field(new, "AccessClientUpdate", "name")["maxLength"] = json!(63),
                format!("{UPDATE}, name: maxLength was 64, is 63"),
            ),
            (
                |new| field(new, "AccessClientUpdate", "name")["pattern"] = json!("^a$"),
                format!("{UPDATE}, name: pattern is narrower, or another: \"^a$\""),
            ),
            (
                |new| field(new, "AccessClientUpdate", "name")["type"] = json!("integer"),
                format!("{UPDATE}, name: type was \"string\", is \"integer\""),
            ),
            (
                |new| remove(fields(new, "AccessClientUpdate"), "name"),
                format!("{UPDATE}, name: the field is gone"),
            ),
            (
                |new| {
                    new["components"]["schemas"]["AccessClientUpdate"]["required"] =
                        json!(["name"]);
                },
                format!("{UPDATE}, name: the field is required now"),
            ),
            (
                |new| remove(&mut new["paths"]["/v1/access-clients/{client_id}"], "delete"),
                "DELETE /v1/access-clients/{client_id}: the operation is gone".to_owned(),
            ),
            (
                |new| parameters(new).retain(|parameter| parameter["name"] != "limit"),
                "GET /v1/access-clients, parameter limit: it is gone".to_owned(),
            ),
            (
                |new| {
                    for parameter in parameters(new) {
                        parameter["required"] = json!(true);
                    }
                },
                "GET /v1/access-clients, parameter offset: it is required now".to_owned(),
            ),
            (
                |new| parameters(new).push(json!({"in": "query", "name": "z", "required": true})),
                "GET /v1/access-clients, parameter z: it is new, and required".to_owned(),
            ),
            (
                |new| {
                    let ways = &mut new["paths"]["/v1/access-clients"]["get"]["security"];
                    ways.as_array_mut().expect("a list").pop();
                },
                "GET /v1/access-clients: credentials are no longer {\"signature\":[]}".to_owned(),
            ),
            (
                |new| {
                    for parameter in parameters(new).iter_mut().filter(|it| it["name"] == "limit") {
                        parameter["schema"]["default"] = json!(20);
                    }
                },
                "GET /v1/access-clients, parameter limit: default was 10, is 20".to_owned(),
            ),
        ]);
    }

    #[test]
    fn what_breaks_who_is_answered_is_named() {
        assert_named::<7>([
            (
                |new| remove(fields(new, "AccessClient"), "vpc_id"),
                format!("{SHOWN}, vpc_id: the field is gone"),
            ),
            (
                |new| remove(field(new, "AccessClient", "id"), "maxLength"),
                format!("{SHOWN}, id: maxLength was 64, is none"),
            ),
            (
                |new| {
                    let values = &mut new["components"]["schemas"]["AccessClientStatus"]["enum"];
                    values.as_array_mut().expect("a list").push(json!("FROZEN"));
                },
                format!("{SHOWN}, status: the value \"FROZEN\" is new in answers"),
            ),
            (
                |new| remove(&mut new["paths"]["/healthcheck"]["get"]["responses"], "503"),
                "GET /healthcheck, answer 503: it is gone".to_owned(),
            ),
            (
                |new| remove(&mut new["components"]["responses"]["NotFound"], "headers"),
                "GET /v1/access-clients/{client_id}, answer 404: the header X-Request-Id is gone"
                    .to_owned(),
            ),
            (
                |new| {
                    let response = &mut new["components"]["responses"]["TokenRejected"];
                    let schema = &mut response["content"]["application/json"]["schema"];
                    schema["anyOf"].as_array_mut().expect("a list").pop();
                },
                "GET /v1/access-clients, answer 401: it had 3 alternatives, has 2".to_owned(),
            ),
            (
                |new| remove(fields(new, "GatewayErrorBody"), "request_id"),
                "GET /v1/access-clients, answer 401, request_id: the field is gone".to_owned(),
            ),
        ]);
    }

    #[test]
    fn what_only_adds_is_no_break() {
        let found = after(|new| {
            field(new, "AccessClientUpdate", "name")["maxLength"] = json!(65);
            remove(field(new, "AccessClientCreate", "name"), "pattern");
            field(new, "AccessClientCreate", "extra")["type"] = json!("string");
            field(new, "AccessClient", "extra")["type"] = json!("string");
            field(new, "AccessClient", "id")["maxLength"] = json!(36);
            parameters(new).push(json!({"in": "query", "name": "z", "schema": {"type": "string"}}));
            new["paths"]["/new"]["get"]["responses"]["200"] = json!({"description": "new"});
            new["info"]["description"] = json!("other words");
        });
        assert_eq!(found, Vec::<String>::new());
    }
}
