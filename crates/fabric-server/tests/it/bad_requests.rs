//! Bad requests, as bytes: each gets the status and the code of the contract, and no other body.

use fabric_server::{Fixtures, Limits, MockServer, Settings};

use crate::raw::{self, json, request};

const ALL: &str = "/v1/access-clients";
const ONE: &str = "/v1/access-clients/known";

const INVALID: (u16, &str) = (400, "common.01000001");
const NO_SUCH_API: (u16, &str) = (404, "APIG.0101");
const NOT_FOUND: (u16, &str) = (404, "common.01000001");
const BODY_TOO_LARGE: (u16, &str) = (413, "APIG.0201");
const URI_TOO_LONG: (u16, &str) = (414, "APIG.0201");
const HEADERS_TOO_LARGE: (u16, &str) = (494, "APIG.0201");

/// No message may show what was rejected: every rejected value holds this.
const CANARY: &str = "canary";

type Row = (String, Vec<u8>, (u16, &'static str));

fn row(name: &str, bytes: Vec<u8>, expected: (u16, &'static str)) -> Row {
    (name.to_owned(), bytes, expected)
}

/// Bodies that neither an update nor a create may have.
fn bodies() -> Vec<Row> {
    let mut rows = Vec::new();
    let long = |length| format!(r#"{{"name":"{}"}}"#, "é".repeat(length));
    for (method, target) in [("POST", ALL), ("PUT", ONE)] {
        let cases: Vec<(&str, Vec<u8>)> = vec![
            ("an empty body", b"".to_vec()),
            ("only white space", b" \r\n".to_vec()),
            ("broken JSON", br#"{"name":"canary"#.to_vec()),
            ("a single quote", br"{'name':'canary'}".to_vec()),
            ("a trailing comma", br#"{"name":"canary",}"#.to_vec()),
            ("two documents", br#"{"name":"canary"} {}"#.to_vec()),
            ("a byte order mark", "\u{feff}{}".as_bytes().to_vec()),
            ("an array", br#"["canary"]"#.to_vec()),
            ("a string", br#""canary""#.to_vec()),
            ("null", b"null".to_vec()),
            ("a name that is null", br#"{"name":null}"#.to_vec()),
            ("a name that is a number", br#"{"name":5}"#.to_vec()),
            ("a name that is an object", br#"{"name":{"canary":1}}"#.to_vec()),
            ("an empty name", br#"{"name":""}"#.to_vec()),
            ("a name given twice", br#"{"name":"canary-1","name":"canary-2"}"#.to_vec()),
            ("invalid UTF-8 in the name", b"{\"name\":\"canary\xff\"}".to_vec()),
            ("invalid UTF-8 in what is ignored", b"{\"other\":\"canary\xff\"}".to_vec()),
            ("a name of 65 characters", long(65).into_bytes()),
            ("very deep JSON", [b"[".repeat(100_000), b"]".repeat(100_000)].concat()),
        ];
        for (name, body) in cases {
            rows.push(row(&format!("{method} with {name}"), json(method, target, &body), INVALID));
        }
    }
    for body in [
        r#"{"name":"abc"}"#.to_owned(),
        r#"{"name":"canary_1"}"#.to_owned(),
        format!(r#"{{"name":"{}"}}"#, "x".repeat(33)),
        r#"{"vpc_id":""}"#.to_owned(),
        format!(r#"{{"vpc_id":"{}"}}"#, "x".repeat(65)),
        r#"{"vpc_id":"canary/1"}"#.to_owned(),
        format!(r#"{{"subnet_id":"{}"}}"#, "x".repeat(35)),
        format!(r#"{{"subnet_id":"{}"}}"#, "x".repeat(37)),
        format!(r#"{{"subnet_ids":[{}"x"]}}"#, r#""x","#.repeat(100)),
        r#"{"subnet_ids":[5]}"#.to_owned(),
        r#"{"subnet_ids":null}"#.to_owned(),
        format!(r#"{{"access_connections":[{}{{}}]}}"#, "{},".repeat(100)),
        r#"{"access_connections":[["canary"]]}"#.to_owned(),
        r#"{"access_connections":[{"vpcep_id":null}]}"#.to_owned(),
        format!(r#"{{"access_connections":[{{"vpcep_id":"{}"}}]}}"#, "x".repeat(65)),
        format!(r#"{{"access_connections":[{{"vpcep_service_name":"{}"}}]}}"#, "x".repeat(65)),
        format!(r#"{{"access_connections":[{{"domain":"{}"}}]}}"#, "x".repeat(101)),
    ] {
        rows.push(row(&format!("POST {body:.60}"), json("POST", ALL, body.as_bytes()), INVALID));
    }
    rows
}

fn content_types() -> Vec<Row> {
    let types = [
        "",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: application/json; charset=iso-8859-1\r\n",
        "Content-Type: application/merge-patch+json\r\n",
        "Content-Type: \r\n",
        "Content-Type: application/json\u{ff}\r\n",
    ];
    let rows = types.map(|header| {
        row(&format!("PUT with {header:?}"), request("PUT", ONE, header, b"{}"), INVALID)
    });
    rows.to_vec()
}

fn targets() -> Vec<Row> {
    let mut rows = Vec::new();
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=%2B5",
        "limit=05",
        "limit=1.0",
        "limit=",
        "limit",
        "limit=canary",
        "limit=99999999999999999999",
        "offset=-1",
        "offset=1000000001",
        "limit=5&limit=5",
        "offset=0&offset=1",
        "name=a&name=b",
        "id=a&id=b",
        "name=",
        "id=",
        "name=canary!",
        "name=canary+canary",
        "name=%FF",
        "id=canary_",
        "id=%2E%2E%2Fcanary",
    ] {
        let target = format!("{ALL}?{query}");
        rows.push(row(&format!("GET ?{query}"), request("GET", &target, "", b""), INVALID));
    }
    let long = "x".repeat(65);
    let name = format!("{ALL}?name={long}");
    rows.push(row("GET with a name of 65 characters", request("GET", &name, "", b""), INVALID));
    for method in ["GET", "PUT", "DELETE"] {
        for id in [".", "..", "%2E%2E", "a%2Fb", "canary_", "%FF", "%00", long.as_str()] {
            let target = format!("{ALL}/{id}");
            rows.push(row(&format!("{method} {target}"), json(method, &target, b"{}"), INVALID));
        }
    }
    for target in [
        "/",
        "/v1",
        "/v2/access-clients",
        "/v1/access-clients/",
        "//v1/access-clients",
        "/v1/access-clients/a/b",
        "/V1/access-clients",
        "/healthcheck/",
        "/%zz",
    ] {
        rows.push(row(&format!("GET {target}"), request("GET", target, "", b""), NO_SUCH_API));
    }
    for (method, target) in [
        ("PATCH", ALL),
        ("DELETE", ALL),
        ("PUT", ALL),
        ("POST", ONE),
        ("TRACE", ONE),
        ("BREW", ONE),
        ("POST", "/healthcheck"),
    ] {
        rows.push(row(
            &format!("{method} {target}"),
            request(method, target, "", b""),
            NO_SUCH_API,
        ));
    }
    for method in ["GET", "PUT", "DELETE"] {
        let target = format!("{ALL}/unknown");
        rows.push(row(&format!("{method} {target}"), json(method, &target, b"{}"), NOT_FOUND));
    }
    rows
}

fn sizes() -> Vec<Row> {
    let header = |length| format!("X-Auth-Token: {}\r\n", "t".repeat(length));
    let chunked = b"POST /v1/access-clients HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
        Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        .to_vec();
    let chunk = [b"100000\r\n".to_vec(), vec![b' '; 0x10_0000], b"\r\n".to_vec()].concat();
    let chunked = [chunked, chunk.repeat(13), b"0\r\n\r\n".to_vec()].concat();
    vec![
        row(
            "a body of 12 MB and one byte",
            json("PUT", ONE, &vec![b' '; 12 * 1024 * 1024 + 1]),
            BODY_TOO_LARGE,
        ),
        row("a chunked body of 13 MB", chunked, BODY_TOO_LARGE),
        row("12 MB of white space", json("PUT", ONE, &vec![b' '; 12 * 1024 * 1024]), INVALID),
        row(
            "a target of 33 KB",
            request("GET", &format!("{ALL}?x={}", "x".repeat(33 * 1024)), "", b""),
            URI_TOO_LONG,
        ),
        row(
            "a token that is too long",
            request("GET", ALL, &header(65_535), b""),
            HEADERS_TOO_LARGE,
        ),
        row(
            "three long headers",
            request("GET", ALL, &header(60_000).repeat(3), b""),
            HEADERS_TOO_LARGE,
        ),
        row("no host", b"GET /healthcheck HTTP/1.1\r\nConnection: close\r\n\r\n".to_vec(), INVALID),
        row("a project that is none", request("GET", ALL, "X-Project-Id: a/b\r\n", b""), INVALID),
        row(
            "two projects",
            request("GET", ALL, "X-Project-Id: a\r\nX-Project-Id: b\r\n", b""),
            INVALID,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_get_errors_of_the_contract() {
    let fixtures = Fixtures::parse(r#"[{"id":"known","name":"known"}]"#).unwrap();
    let settings = Settings { fixtures, limits: Limits::default(), ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let rows = [bodies(), content_types(), targets(), sizes()].concat();
    assert!(rows.len() >= 60, "{} rows", rows.len());
    for (name, bytes, (status, code)) in rows {
        let address = server.address();
        let answer = tokio::task::spawn_blocking(move || raw::send(address, &bytes)).await.unwrap();
        let body = String::from_utf8(answer.body.clone()).unwrap();
        assert_eq!(answer.status, status, "{name}: {body}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{name}");
        let id = answer.header("x-request-id").unwrap_or_default();
        assert!(id.ends_with("-localhost") && id.len() > 36 + 13, "{name}: {id}");
        let json = answer.json();
        let fields: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["error_code", "error_msg"], "{name}");
        assert_eq!(json["error_code"], code, "{name}");
        let message = json["error_msg"].as_str().unwrap();
        assert!((2..=512).contains(&message.chars().count()), "{name}: {message}");
        assert!(!message.contains(CANARY), "{name}: {message}");
        if status == 400 {
            let beginning =
                "failed to read http request, please check your input, code: 400, reason: ";
            assert!(message.starts_with(beginning), "{name}: {message}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_headers_are_read_and_more_are_rejected() {
    let server = MockServer::start().await;
    let address = server.address();
    let send = async |count: usize| {
        // Three more: Host, Connection, Content-Length.
        let headers: String =
            (3..count).map(|number| ["X-", &number.to_string(), ": 1\r\n"].concat()).collect();
        let bytes = request("GET", ALL, &headers, b"");
        tokio::task::spawn_blocking(move || raw::send(address, &bytes)).await.unwrap()
    };
    assert_eq!(send(100).await.status, 200);
    // The HTTP library rejects them over HTTP/1.1 before we see them.
    let answer = send(101).await;
    assert_eq!((answer.status, answer.body.len()), (431, 0));
    let client = crate::http().http2_prior_knowledge().build().unwrap();
    let mut call = client.get(format!("{}{ALL}", server.endpoint()));
    for number in 0..101 {
        call = call.header(format!("x-{number}"), "1");
    }
    let answer = call.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), HEADERS_TOO_LARGE.0);
    assert!(answer.text().await.unwrap().contains(HEADERS_TOO_LARGE.1));
}
