//! Odd requests that are valid HTTP, made from the documents in `openapi/`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::attack::answer::Surface;
use crate::attack::attacker::TOKEN;
use crate::shell::read;

/// What the documents say of requests.
#[derive(Debug)]
pub(crate) struct Documents {
    routes: Vec<Route>,
    /// Names of fields and values of enumerations.
    words: Vec<String>,
}

/// A method and path.
#[derive(Debug)]
struct Route {
    method: String,
    path: String,
    body: Value,
    query: Vec<String>,
}

/// A request, what it is about, and whether its answer has no body.
#[derive(Debug)]
pub(crate) struct Generated {
    pub(crate) bytes: Vec<u8>,
    pub(crate) surface: Surface,
    pub(crate) is_head: bool,
}

/// A fault that fires and a clock that is set change what others are answered, and a stream has no end.
const LEFT_OUT: [&str; 3] = ["/_mock/v1/faults", "/_mock/v1/clock", "/_mock/v1/journal/stream"];

/// Texts that have broken programs before.
const ODD: &[&str] = &[
    "",
    " ",
    ".",
    "..",
    "/",
    "%",
    "%00",
    "%ff",
    "%2e%2e",
    "\u{202e}",
    "\u{3000}",
    "\u{feff}",
    "\u{1f4a9}",
    "é",
    "\\",
    "'",
    "\"",
    "<script>",
    "${7*7}",
    "{{7*7}}",
    "a\u{301}",
    "default",
    "0",
    "-1",
    "9223372036854775808",
    "1e999",
    "NaN",
    "null",
    "true",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "a,b",
    "a=b",
    "a&b",
    "[]",
    "{}",
    "*",
    "?",
    "#",
    ";",
    "fabric-1",
    "01234567890123456789012345678901234567890123456789012345678901234567890123456789",
];

impl Documents {
    /// Reads the documents of the service, of sign-in and of the control surface.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let mut documents = Self { routes: Vec::new(), words: Vec::new() };
        let mut words = BTreeSet::new();
        for name in ["openapi.json", "identity.json", "mock.json"] {
            let path = folder.join(name);
            let document: Value = serde_json::from_str(&read(&path)?)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            documents.add(&document);
            collect_words(&document["components"]["schemas"], &mut words);
        }
        documents.words = words.into_iter().collect();
        Ok(documents)
    }

    fn add(&mut self, document: &Value) {
        for (path, methods) in document["paths"].as_object().into_iter().flatten() {
            if LEFT_OUT.contains(&&**path) {
                continue;
            }
            for (method, operation) in methods.as_object().into_iter().flatten() {
                if !operation["responses"].is_object() {
                    continue;
                }
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let query = parameters.filter(|parameter| parameter["in"] == "query");
                self.routes.push(Route {
                    method: method.to_uppercase(),
                    path: path.clone(),
                    body: operation["requestBody"]["content"]["application/json"]["example"]
                        .clone(),
                    query: query
                        .filter_map(|query| query["name"].as_str().map(str::to_owned))
                        .collect(),
                });
            }
        }
    }

    /// Makes up a request.
    pub(crate) fn request(&self, random: &mut Rng) -> Generated {
        let Some(route) = random.choice(&self.routes) else {
            return Generated { bytes: Vec::new(), surface: Surface::Unknown, is_head: false };
        };
        let mut path = route.path.clone();
        while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
            let value = self.text_of_path(random);
            path.replace_range(start..=end, &value);
        }
        if random.u8(..) < 12 {
            path.push_str(&self.text_of_path(random));
        }
        let surface = Surface::of(&path);
        for number in 0..random.usize(..4) {
            let name = random.choice(&route.query).cloned().unwrap_or_else(|| self.word(random));
            let mark = if number == 0 { '?' } else { '&' };
            let value = self.text_of_path(random);
            write!(path, "{mark}{name}={value}").unwrap_or_default();
        }
        let odd = ["HEAD", "OPTIONS", "PATCH", "DELETE", "BREW", "get", "M-SEARCH"];
        let method = match random.choice(odd) {
            Some(odd) if random.u8(..) < 16 => odd,
            _ => &route.method,
        };
        let body = self.body(route, random);
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
        if random.u8(..) > 20 {
            write!(head, "x-auth-token: {TOKEN}\r\n").unwrap_or_default();
        }
        let media_types = [
            "application/json",
            "application/json; charset=utf-8",
            "text/plain",
            "",
            "\u{3000}application/json",
        ];
        let media_type = if random.u8(..) < 230 {
            media_types[0]
        } else {
            random.choice(media_types).unwrap_or_default()
        };
        write!(head, "content-type: {media_type}\r\n").unwrap_or_default();
        for _ in 0..random.usize(..3) {
            self.header(&mut head, random);
        }
        write!(head, "content-length: {}\r\n\r\n", body.len()).unwrap_or_default();
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&body);
        Generated { bytes, surface, is_head: method == "HEAD" }
    }

    fn header(&self, head: &mut String, random: &mut Rng) {
        let names = [
            "x-project-id",
            "x-sdk-date",
            "authorization",
            "x-security-token",
            "x-subject-token",
            "cookie",
            "accept",
            "x-mock-explain",
            "x-mock-canonical-request",
            "origin",
            "x-language",
            "if-match",
            "range",
            "x-request-id",
        ];
        let name = random.choice(names).unwrap_or_default();
        let value = match name {
            "authorization" => format!(
                "SDK-HMAC-SHA256 Access=attack-key, SignedHeaders={}, Signature={}",
                self.word(random),
                "0".repeat(random.usize(..70))
            ),
            "x-sdk-date" => "20250915T083000Z".to_owned(),
            "cookie" => "e".repeat(random.usize(1..40)),
            // A page of another site is rejected, with a body of the control surface.
            "origin" => "http://localhost".to_owned(),
            _ => self.text(random).replace(['\r', '\n', '\0'], ""),
        };
        write!(head, "{name}: {}\r\n", value.trim()).unwrap_or_default();
    }

    fn body(&self, route: &Route, random: &mut Rng) -> Vec<u8> {
        let is_without = matches!(route.method.as_str(), "GET" | "DELETE");
        if is_without && random.u8(..) < 230 {
            return Vec::new();
        }
        let mut body = route.body.clone();
        for _ in 0..random.usize(..4) {
            self.change(&mut body, random, 0);
        }
        let mut bytes = body.to_string().into_bytes();
        match random.u8(..40) {
            0 => bytes.truncate(random.usize(..=bytes.len())),
            1 => bytes.push(0xff),
            2 => bytes.splice(0..0, *b"\xef\xbb\xbf").for_each(drop),
            _ => {}
        }
        bytes
    }

    /// Changes a value somewhere inside.
    fn change(&self, value: &mut Value, random: &mut Rng, depth: u8) {
        match value {
            Value::Object(fields) if !fields.is_empty() && random.u8(..) < 200 && depth < 8 => {
                let number = random.usize(..fields.len());
                match random.u8(..8) {
                    0 => drop(fields.insert(self.word(random), self.value(random))),
                    1 => {
                        let name = fields.keys().nth(number).cloned().unwrap_or_default();
                        fields.remove(&name);
                    }
                    _ => {
                        if let Some(field) = fields.values_mut().nth(number) {
                            self.change(field, random, depth + 1);
                        }
                    }
                }
            }
            Value::Array(items) if !items.is_empty() && random.bool() => {
                let number = random.usize(..items.len());
                if random.bool() {
                    items.extend(vec![items[number].clone(); random.usize(..200)]);
                } else {
                    self.change(&mut items[number], random, depth + 1);
                }
            }
            _ => *value = self.value(random),
        }
    }

    fn value(&self, random: &mut Rng) -> Value {
        match random.u8(..10) {
            0 => Value::Null,
            1 => json!(random.bool()),
            2 => json!(random.i64(..)),
            3 => json!(random.f64() * 1e300),
            4 => json!([self.text(random), Value::Null, []]),
            5 => {
                let fields =
                    (0..random.usize(..4)).map(|_| (self.word(random), json!(self.text(random))));
                Value::Object(fields.collect::<Map<_, _>>())
            }
            6 => json!(self.text(random).repeat(random.usize(1..200))),
            _ => json!(self.text(random)),
        }
    }

    fn text(&self, random: &mut Rng) -> String {
        if random.bool() {
            return self.word(random);
        }
        random.choice(ODD).copied().unwrap_or_default().to_owned()
    }

    /// A text that may stand in the target of a request: others are no HTTP.
    fn text_of_path(&self, random: &mut Rng) -> String {
        let text = self.text(random);
        text.chars()
            .filter(|character| !character.is_whitespace() && *character != '#')
            .collect::<String>()
            .replace(['"', '<', '>', '\\', '^', '`', '{', '}', '|', '\u{feff}'], "%7f")
    }

    fn word(&self, random: &mut Rng) -> String {
        random.choice(&self.words).cloned().unwrap_or_default()
    }
}

/// Collects names of properties, and values that are listed.
fn collect_words(schema: &Value, words: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            for name in
                fields.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys)
            {
                words.insert(name.clone());
            }
            for listed in fields.get("enum").and_then(Value::as_array).into_iter().flatten() {
                words.extend(listed.as_str().map(str::to_owned));
            }
            fields.values().for_each(|value| collect_words(value, words));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_words(item, words)),
        _ => {}
    }
}
