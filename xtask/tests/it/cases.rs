//! The wire cases in `openapi/cases`: the server answers each as it says, and the client sends each as it
//! says and understands the answer.

use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;

use bytes::Bytes;
use fabric_client::{Client, Error, Retry};
use fabric_model::{
    ApiError, Failure, Operation, OperationVisitor, Payload, Request, operations, visit_operations,
};
use fabric_server::{Api, Caller, Credential, Fixtures, MockServer, Server, Settings};
use http::HeaderName;
use serde_json::Value;

struct Case {
    name: String,
    json: Value,
}

impl Case {
    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/cases");
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let cases = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
        let cases = cases.map(|path| Self {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            json: serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap(),
        });
        let cases: Vec<_> = cases.collect();
        assert!(cases.len() > 30, "there are {} cases", cases.len());
        cases
    }

    /// The case itself, and what follows on the same server.
    fn steps(&self) -> Vec<Self> {
        let following = self.json["then"].as_array().into_iter().flatten();
        let steps = std::iter::once(&self.json).chain(following).enumerate();
        let name = |place| format!("{}, step {place}", self.name);
        steps.map(|(place, json)| Self { name: name(place), json: json.clone() }).collect()
    }

    fn text(&self, pointer: &str) -> Option<&str> {
        self.json.pointer(pointer).and_then(Value::as_str)
    }

    fn status(&self) -> u16 {
        u16::try_from(self.json["response"]["status"].as_u64().unwrap()).unwrap()
    }

    fn headers<'a>(&'a self, of: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let headers = self.json[of]["headers"].as_object().into_iter().flatten();
        headers.map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
    }

    fn body(&self, of: &str) -> Vec<u8> {
        match (&self.json[of]["body"], self.json[of]["text"].as_str()) {
            (Value::Null, Some(text)) => text.as_bytes().to_vec(),
            (Value::Null, None) => Vec::new(),
            (body, _) => body.to_string().into_bytes(),
        }
    }

    /// The request as bytes, for a connection of its own.
    fn request(&self) -> Vec<u8> {
        let (method, target) = (self.text("/request/method"), self.text("/request/target"));
        let mut head =
            format!("{} {} HTTP/1.1\r\nconnection: close\r\n", method.unwrap(), target.unwrap());
        if self.headers("request").all(|(name, _)| name != "host") {
            head += "host: localhost\r\n";
        }
        self.write(head, "request")
    }

    fn response(&self) -> Vec<u8> {
        self.write(
            format!(
                "HTTP/1.1 {} Status\r\nconnection: close\r\nx-request-id: r\r\n",
                self.status()
            ),
            "response",
        )
    }

    fn write(&self, mut message: String, of: &str) -> Vec<u8> {
        for (name, value) in self.headers(of) {
            message += &[name, ": ", value, "\r\n"].concat();
        }
        let body = self.body(of);
        message += &["content-length: ", &body.len().to_string(), "\r\n\r\n"].concat();
        [message.as_bytes(), &body].concat()
    }
}

/// Both messages of a connection are read to their end, which is where the body ends.
fn read_message(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length =
                header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return (head, bytes[end + 4..].to_vec());
            }
        }
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "the connection ended early");
        bytes.extend_from_slice(&buffer[..length]);
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    headers.find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn as_json(body: &[u8]) -> Value {
    if body.is_empty() { Value::Null } else { serde_json::from_slice(body).unwrap() }
}

/// A server in the state that a case wants.
async fn serve(case: &Case) -> (SocketAddr, Box<dyn std::any::Any>) {
    if let Some(failure) = case.text("/given/failure") {
        let failure =
            Failure::ALL.into_iter().find(|known| format!("{known:?}") == failure).unwrap();
        let mut failing = Failing(Some(Api::new(failure)));
        visit_operations(&mut failing);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server::start(listener, failing.0.unwrap().into_router()).unwrap();
        return (server.address(), Box::new(server));
    }
    let given = &case.json["given"];
    let mut settings = Settings { fixtures: fixtures(given), ..Settings::default() };
    if !given["credentials"].is_null() {
        settings.credentials = Credential::parse_file(&given["credentials"].to_string()).unwrap();
    }
    let server = MockServer::start_with(settings).await.unwrap();
    if let Some(time) = given["time"].as_str() {
        server.clock().freeze_at(humantime::parse_rfc3339(time).unwrap());
    }
    (server.address(), Box::new(server))
}

/// The records of each resource that a case names, with `_` for `-`.
fn fixtures(given: &Value) -> Fixtures {
    let resources = operations().iter().map(|operation| operation.resource.name);
    let lists = resources
        .filter_map(|name| Some((name.to_owned(), given.get(name.replace('-', "_"))?.clone())));
    let lists: serde_json::Map<_, _> = lists.collect();
    Fixtures::parse(&Value::Object(lists).to_string()).unwrap()
}

/// Answers every operation with the one failure.
struct Failing(Option<Api<Failure>>);

impl OperationVisitor for Failing {
    fn visit<O: Operation>(&mut self) {
        async fn fail<O: Operation>(
            failure: Failure,
            _: Caller,
            _: Request<O>,
        ) -> Result<O::Response, ApiError> {
            Err(failure.into())
        }
        self.0 = self.0.take().map(|api| api.operation(fail::<O>));
    }
}

/// Whether a value is what a case says, which may leave some of it open.
fn fits(value: &Value, expected: &Value) -> bool {
    let Some(object) = expected.as_object() else {
        return match (value, expected) {
            (Value::Array(values), Value::Array(expected)) => {
                values.len() == expected.len()
                    && values.iter().zip(expected).all(|(value, expected)| fits(value, expected))
            }
            _ => value == expected,
        };
    };
    if object.contains_key("$any") {
        return value.is_string();
    }
    if let Some(prefix) = object.get("$prefix").and_then(Value::as_str) {
        let rest = value.as_str().and_then(|text| text.strip_prefix(prefix));
        let mut parts = object["$contains"].as_array().into_iter().flatten();
        return rest.is_some_and(|rest| parts.all(|part| rest.contains(part.as_str().unwrap())));
    }
    value.as_object().is_some_and(|values| {
        values.len() == object.len()
            && object
                .iter()
                .all(|(key, expected)| values.get(key).is_some_and(|value| fits(value, expected)))
    })
}

/// A value as a case says, with something in the place of what it leaves open.
fn filled(expected: &Value) -> Value {
    match expected {
        Value::Object(object) if object.contains_key("$any") => "any".into(),
        Value::Object(object) if object.contains_key("$prefix") => {
            let parts = object["$contains"].as_array().into_iter().flatten();
            let parts: Vec<&str> = parts.map(|part| part.as_str().unwrap()).collect();
            [object["$prefix"].as_str().unwrap(), &parts.join(" ")].concat().into()
        }
        Value::Object(object) => {
            object.iter().map(|(key, value)| (key.clone(), filled(value))).collect()
        }
        Value::Array(values) => values.iter().map(filled).collect(),
        value => value.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_answers_as_the_cases_say() {
    for case in Case::all().into_iter().filter(|case| case.text("/for").is_none()) {
        let (address, server) = serve(&case).await;
        for step in case.steps() {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(&step.request()).unwrap();
            let (head, body) = read_message(&mut stream);
            let name = &step.name;
            assert_eq!(
                head.split(' ').nth(1).unwrap(),
                step.status().to_string(),
                "{name}: {head}"
            );
            let (body, expected) = (as_json(&body), &step.json["response"]["body"]);
            assert!(fits(&body, expected), "{name}: {body} is not {expected}");
            for (expected, value) in step.headers("response") {
                assert_eq!(header(&head, expected), Some(value), "{name}: {expected}");
            }
            let request_id = header(&head, "x-request-id").unwrap();
            let parts: Vec<&str> = request_id.splitn(7, '-').collect();
            assert!(parts.len() == 7 && !parts.contains(&""), "{name}: {request_id}");
        }
        drop(server);
    }
}

#[tokio::test]
async fn the_client_sends_and_understands_what_the_cases_say() {
    let (mut typed, mut successes) = (Vec::new(), HashSet::new());
    for mut case in Case::all() {
        let body = filled(&case.json["response"]["body"]);
        if !body.is_null() {
            case.json["response"]["body"] = body;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let response = case.response();
        let (sender, asked) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                sender.send(read_message(&mut stream)).unwrap();
                stream.write_all(&response).unwrap();
            }
        });
        let client = Client::builder(&endpoint).retry(Retry::off()).build().unwrap();
        let calls = Calls { client, case: &case, outcome: None }.run().await;
        let sent_by = calls.iter().map(|(by, _)| *by).collect::<Vec<_>>();
        for (by, outcome) in calls {
            let name = format!("{} ({by})", case.name);
            let (head, body) = asked.recv().unwrap();
            let line = format!(
                "{} {} HTTP/1.1",
                case.text("/request/method").unwrap(),
                case.text("/request/target").unwrap()
            );
            if by == "any request" {
                assert_eq!(head.lines().next(), Some(line.as_str()), "{name}");
                assert_eq!(body, case.body("request"), "{name}");
            } else {
                assert_eq!(as_json(&body), case.json["request"]["body"], "{name}");
                if !body.is_empty() {
                    assert_eq!(header(&head, "content-type"), Some("application/json"), "{name}");
                }
            }
            let expected = &case.json["response"]["body"];
            match outcome {
                Ok(body) => {
                    assert!((200..300).contains(&case.status()), "{name}");
                    assert_eq!(&body, expected, "{name}");
                }
                Err(Error::Rejected(error)) => {
                    assert_eq!(error.status().as_u16(), case.status(), "{name}");
                    assert_eq!(&as_json(&error.to_bytes()), expected, "{name}");
                    let found = |pointers: [&str; 3]| {
                        let mut values = pointers.into_iter().filter_map(|at| expected.pointer(at));
                        let value = values.next().unwrap();
                        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
                    };
                    let code = found(["/error_code", "/errorCode", "/error/code"]);
                    let message = found(["/error_msg", "/errorMsg", "/error/message"]);
                    assert_eq!(error.code().unwrap(), code, "{name}");
                    assert_eq!(error.message(), Some(message.as_str()), "{name}");
                    assert_eq!(error.request_id(), Some("r"), "{name}");
                    let is_missing = code == "dataartsfabric.00010009"
                        || (case.status() == 404 && code == "common.01000001");
                    assert_eq!(error.is_not_found(), is_missing, "{name}");
                }
                Err(error) => panic!("{name}: {error}"),
            }
        }
        if sent_by.contains(&"an operation") {
            let is_success = (200..300).contains(&case.status());
            let operation = case.text("/operation").map(str::to_owned);
            successes.extend(operation.filter(|_| is_success));
            typed.push(case.name);
        }
    }
    // Whatever is a request of an operation has been sent as one.
    assert!(typed.len() > 20, "{typed:?}");
    for operation in operations() {
        let is_sent = successes.contains(operation.id);
        assert!(is_sent, "no case shows a success of {}", operation.id);
    }
}

type Outcome = Result<Value, Error>;

/// The ways to send a case: as any request, and where it is one of an operation, as that.
struct Calls<'a> {
    client: Client,
    case: &'a Case,
    outcome: Option<std::pin::Pin<Box<dyn Future<Output = Outcome> + 'a>>>,
}

impl Calls<'_> {
    async fn run(mut self) -> Vec<(&'static str, Outcome)> {
        let mut request = http::Request::new(Bytes::from(self.case.body("request")));
        *request.method_mut() = self.case.text("/request/method").unwrap().parse().unwrap();
        *request.uri_mut() = self.case.text("/request/target").unwrap().parse().unwrap();
        for (name, value) in self.case.headers("request").filter(|(name, _)| *name != "host") {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let answer = self.client.execute(request).await;
        let mut calls = vec![("any request", answer.map(|answer| as_json(answer.body())))];
        visit_operations(&mut self);
        if let Some(outcome) = self.outcome.take() {
            calls.push(("an operation", outcome.await));
        }
        calls
    }
}

impl OperationVisitor for Calls<'_> {
    fn visit<O: Operation>(&mut self) {
        if self.case.text("/operation") != Some(O::ID) {
            return;
        }
        let target = self.case.text("/request/target").unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut content_types =
            self.case.headers("request").filter(|(name, _)| *name == "content-type");
        let content_type = content_types.next().map(|(_, value)| value.as_bytes());
        let body = self.case.body("request");
        // What breaks the contract is not sent.
        let Ok(request) = Request::<O>::read(path, query, content_type, &body) else { return };
        let client = self.client.clone();
        self.outcome = Some(Box::pin(async move {
            let answer = client.send(&request).await?;
            Ok(as_json(&answer.write().unwrap()))
        }));
    }
}

#[test]
fn every_failure_is_met_in_some_case() {
    let cases = Case::all();
    let answers = |status: u16, code: &str| {
        cases.iter().any(|case| {
            let given = &case.json["response"]["body"]["error_code"];
            let given = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
            case.status() == status && (code.is_empty() || given == code)
        })
    };
    for failure in Failure::ALL {
        assert!(answers(failure.status().as_u16(), failure.code()), "{failure:?}");
    }
}
