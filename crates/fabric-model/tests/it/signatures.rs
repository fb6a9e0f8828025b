//! The vendor's own signatures, made again, verified, and rejected once anything about them is changed.

use std::time::{Duration, SystemTime};

use fabric_model::header::X_PROJECT_ID;
use fabric_model::signature::{AccessKey, Algorithm, Rejection, RequestLine, Signature};
use fabric_model::{ApiError, Failure};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request of a vendor SDK with its signature.
struct Vector(Value);

/// A request as it is sent, each part open to change.
#[derive(Clone)]
struct Sent {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Sent {
    fn line(&self) -> RequestLine<'_> {
        RequestLine { method: &self.method, path: &self.path, query: &self.query, host: b"" }
    }

    fn verify(&self, key: &AccessKey) -> Result<(), Rejection> {
        Signature::read(&self.headers)?.verify(key, self.line(), &self.headers, &self.body)
    }
}

impl Vector {
    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_else(|| panic!("{name} of {}", self.0["name"]))
    }

    fn algorithm(&self) -> Algorithm {
        match self.text("algorithm") {
            "SDK-HMAC-SHA256" => Algorithm::Sha256,
            "SDK-HMAC-SM3" => Algorithm::Sm3,
            _ => Algorithm::Derived {
                region: self.text("region").to_owned(),
                service: self.text("service").to_owned(),
            },
        }
    }

    fn key_with_secret(&self, secret: &str) -> AccessKey {
        let key = AccessKey::new(self.text("ak"), secret).unwrap();
        match self.0["security_token"].as_str() {
            Some(token) => key.with_security_token(token).unwrap(),
            None => key,
        }
    }

    fn key(&self) -> AccessKey {
        self.key_with_secret(self.text("sk"))
    }

    /// The request as the SDK sends it.
    fn sent(&self) -> Sent {
        let (path, query) = split(self.text("target"));
        let mut headers = header_map(&self.0["sent_headers"]);
        headers.insert(AUTHORIZATION, HeaderValue::from_str(self.text("authorization")).unwrap());
        self.request(path, query, headers)
    }

    /// The request as it is handed to the signer, its query in the order given.
    fn unsigned(&self) -> Sent {
        let mut pairs = Vec::new();
        for pair in self.0["query"].as_array().unwrap() {
            let name = text_of(&pair[0]);
            match &pair[1] {
                Value::Array(values) => {
                    pairs.extend(values.iter().map(|value| (name.clone(), text_of(value))));
                }
                value => pairs.push((name, text_of(value))),
            }
        }
        let escape = |text: &String| utf8_percent_encode(text, ESCAPED).to_string();
        let pairs = pairs.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
        let query = pairs.collect::<Vec<_>>().join("&");
        let mut headers = header_map(&self.0["headers"]);
        headers.insert(http::header::HOST, HeaderValue::from_str(self.text("host")).unwrap());
        if let Some(project) = self.0["project_id"].as_str() {
            headers.insert(X_PROJECT_ID, HeaderValue::from_str(project).unwrap());
        }
        self.request(self.text("path"), &query, headers)
    }

    fn request(&self, path: &str, query: &str, headers: HeaderMap) -> Sent {
        Sent {
            method: self.text("method").parse().unwrap(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: self.text("body").as_bytes().to_vec(),
        }
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn split(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

fn header_map(given: &Value) -> HeaderMap {
    let headers = given.as_object().unwrap().iter();
    headers
        .map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_bytes(value.as_str().unwrap().as_bytes()).unwrap())
        })
        .collect()
}

fn vectors() -> Vec<Vector> {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("examples/signatures.json")).unwrap();
    assert_eq!(vectors.len(), 14);
    vectors.into_iter().map(Vector).collect()
}

#[test]
fn every_vector_is_signed_alike() {
    for vector in vectors() {
        let mut request = vector.unsigned();
        let time = Signature::read(&vector.sent().headers).unwrap().time();
        let mut headers = std::mem::take(&mut request.headers);
        vector.key().sign(&vector.algorithm(), request.line(), &mut headers, &request.body, time);
        assert_eq!(headers[AUTHORIZATION], vector.text("authorization"), "{}", vector.0["name"]);
        let sent = header_map(&vector.0["sent_headers"]);
        headers.remove(AUTHORIZATION);
        for (name, value) in &headers {
            assert_eq!(value.as_bytes().trim_ascii(), sent[name].as_bytes(), "{name}");
        }
        assert_eq!(headers.len(), sent.len(), "{}", vector.0["name"]);
    }
}

#[test]
fn every_vector_verifies_and_is_explained_with_another_secret() {
    for vector in vectors() {
        let sent = vector.sent();
        sent.verify(&vector.key()).unwrap_or_else(|rejection| panic!("{rejection:?}"));
        let another = vector.key_with_secret(&(vector.text("sk").to_owned() + "x"));
        assert_eq!(sent.verify(&another), Err(Rejection::Mismatch), "{}", vector.0["name"]);
        let signature = Signature::read(&sent.headers).unwrap();
        let explanation = signature.explain(sent.line(), &sent.headers, &sent.body);
        let redacted = vector
            .text("canonical_request")
            .replace("x-auth-token:MIIexampletoken", "x-auth-token:[redacted]")
            .replace("x-security-token:gQpjbi1ub3J0aC00example/+==", "x-security-token:[redacted]");
        assert_eq!(explanation.canonical_request, redacted);
        assert_eq!(explanation.string_to_sign, vector.text("string_to_sign"));
    }
}

/// Each byte of a text, changed to another that may stand there: hexadecimal digits to others.
fn changes(text: &str) -> impl Iterator<Item = String> {
    text.char_indices().filter(|(_, character)| character.is_ascii_alphanumeric()).map(
        |(place, character)| {
            let other = if character.eq_ignore_ascii_case(&'a') { "b" } else { "a" };
            [&text[..place], other, &text[place + 1..]].concat()
        },
    )
}

#[test]
fn a_byte_changed_anywhere_is_rejected() {
    for vector in vectors() {
        let (sent, key) = (vector.sent(), vector.key());
        let rejected = |changed: Sent, what: &str| {
            assert!(changed.verify(&key).is_err(), "{}: {what} changed", vector.0["name"]);
        };
        for secret in changes(vector.text("sk")) {
            assert!(sent.verify(&vector.key_with_secret(&secret)).is_err(), "the secret changed");
        }
        for method in [Method::PATCH, Method::HEAD, Method::DELETE] {
            rejected(Sent { method, ..sent.clone() }, "the method");
        }
        // A digit of an escape may become one that is none, which is a change all the same.
        for path in changes(&sent.path) {
            rejected(Sent { path, ..sent.clone() }, "the path");
        }
        for query in changes(&sent.query) {
            rejected(Sent { query, ..sent.clone() }, "the query");
        }
        let authorization = vector.text("authorization");
        let signed =
            authorization.split_once("SignedHeaders=").unwrap().1.split(',').next().unwrap();
        for name in signed.split(';') {
            let value = std::str::from_utf8(sent.headers[name].as_bytes()).unwrap();
            for changed in changes(value) {
                let mut other = sent.clone();
                let changed = HeaderValue::from_bytes(changed.as_bytes()).unwrap();
                other.headers.insert(name.parse::<HeaderName>().unwrap(), changed);
                rejected(other, name);
            }
            let mut other = sent.clone();
            other.headers.remove(name);
            rejected(other, name);
        }
        for changed in changes(authorization) {
            let mut other = sent.clone();
            other.headers.insert(AUTHORIZATION, HeaderValue::from_str(&changed).unwrap());
            // The id of the key finds the key, and is no part of what is signed but in V11.
            let is_id = Signature::read(&other.headers)
                .is_ok_and(|signature| signature.access_key_id() != vector.text("ak"));
            assert!(is_id || other.verify(&key).is_err(), "{changed}");
        }
        let (beginning, signature) = authorization.rsplit_once('=').unwrap();
        for length in [2, signature.len() - 2] {
            let mut other = sent.clone();
            let cut = format!("{beginning}={}", &signature[..length]);
            other.headers.insert(AUTHORIZATION, HeaderValue::from_str(&cut).unwrap());
            rejected(other, "the length of the signature");
        }
        // An unsigned payload is what it says.
        let is_unsigned = sent.headers.get("x-sdk-content-sha256").is_some();
        for place in 0..sent.body.len() {
            let mut other = sent.clone();
            other.body[place] ^= 1;
            assert_eq!(other.verify(&key).is_ok(), is_unsigned, "the body changed");
        }
        let mut other = sent.clone();
        other.body.push(b' ');
        assert_eq!(other.verify(&key).is_ok(), is_unsigned, "the body is longer");
    }
}

#[test]
fn requests_of_other_sdks_verify() {
    let vector = vectors().into_iter().find(|vector| vector.text("name") == "get-query-unsorted");
    let (vector, order) = (vector.unwrap(), ["offset=0", "limit=10", "name=demo-client"]);
    // Sent unsorted, signed sorted.
    let id = vector.sent().query.split('&').next().unwrap().to_owned();
    let query = [order[0], &id, order[1], order[2]].join("&");
    Sent { query: query.clone(), ..vector.sent() }.verify(&vector.key()).unwrap();

    // Signed in the order sent, numbers sorted as numbers.
    let numbers = "86b6eeb817d25d32553f5d8a1e79571b57a78654b35f66a3e982f8a08a04ebbe";
    assert_eq!(signed_elsewhere("n=9&n=10", "", numbers), Ok(()));
    assert_eq!(signed_elsewhere("n=10&n=9", "", numbers), Err(Rejection::Mismatch));
    // Of an empty body, what is stated of it is signed.
    let stated = "af683ccc37703fde37a21b7546825cd6a78d51b3f06cb23e61b3d452285ec967";
    assert_eq!(signed_elsewhere("", "x-sdk-content-sha256;", stated), Ok(()));

    // What a path needs not have escaped is the same escaped.
    let escaped = vector.sent().path.replace("clients", "%63lients");
    Sent { path: escaped, ..vector.sent() }.verify(&vector.key()).unwrap();

    // An empty security token is none.
    let mut sent = vector.sent();
    sent.headers.insert("x-security-token", HeaderValue::from_static(""));
    sent.verify(&vector.key()).unwrap();
    sent.headers.insert("x-security-token", HeaderValue::from_static("t"));
    assert_eq!(sent.verify(&vector.key()), Err(Rejection::SecurityToken));
}

/// Verifies a signature that was made without this crate. Secret, date and host are fixed.
fn signed_elsewhere(query: &str, stating: &str, signature: &str) -> Result<(), Rejection> {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("localhost"));
    headers.insert("x-sdk-date", HeaderValue::from_static("20250915T083000Z"));
    if !stating.is_empty() {
        headers.insert("x-sdk-content-sha256", HeaderValue::from_static("UNSIGNED-PAYLOAD"));
    }
    let authorization = format!(
        "SDK-HMAC-SHA256 Access=AKID, SignedHeaders=host;{stating}x-sdk-date, Signature={signature}"
    );
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&authorization).unwrap());
    let (method, path) = (Method::GET, "/v1/access-clients".to_owned());
    let sent = Sent { method, path, query: query.to_owned(), headers, body: Vec::new() };
    sent.verify(&AccessKey::new("AKID", "secret").unwrap())
}

/// A signed request with a body and what it says of its body.
fn stating(content_type: &'static str, stated: &'static str, body: &[u8]) -> Result<(), Rejection> {
    let key = AccessKey::new("AKID", "secret").unwrap();
    let mut sent = Sent {
        method: Method::POST,
        path: "/v1/access-clients".to_owned(),
        query: String::new(),
        headers: HeaderMap::new(),
        body: body.to_vec(),
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(http::header::HOST, HeaderValue::from_static("localhost"));
    headers.insert("x-sdk-content-sha256", HeaderValue::from_static(stated));
    key.sign(&Algorithm::Sha256, sent.line(), &mut headers, body, SystemTime::UNIX_EPOCH);
    // The signer corrects what is not so; a caller who says it anyway must not get away with it.
    headers.insert("x-sdk-content-sha256", HeaderValue::from_static(stated));
    sent.headers = headers;
    sent.verify(&key)
}

#[test]
fn what_is_stated_of_the_body_is_checked() {
    let hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(stating("application/json", hash, b"{}"), Ok(()));
    assert!(matches!(stating("application/json", hash, b"[]"), Err(Rejection::Unfit(_))));
    assert_eq!(stating("text/plain", "UNSIGNED-PAYLOAD", b"hello"), Ok(()));
    assert_eq!(stating("text/plain", "UNSIGNED-PAYLOAD", b""), Ok(()));
    for json in ["application/json", "Application/JSON; charset=utf-8", "application/bson"] {
        assert!(
            matches!(stating(json, "UNSIGNED-PAYLOAD", b"{}"), Err(Rejection::Unfit(_))),
            "{json}"
        );
    }
}

#[test]
fn what_is_no_signature_is_refused_with_the_reason() {
    let good = [
        ("authorization", "SDK-HMAC-SHA256 Access=A, SignedHeaders=host;x-sdk-date, Signature=ab"),
        ("x-sdk-date", "20250915T083000Z"),
    ];
    let read = |changes: &[(&'static str, &'static str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in good.iter().chain(changes) {
            headers.insert(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Signature::read(&headers).map(|_| ())
    };
    assert_eq!(read(&[]), Ok(()));
    for authorization in [
        "",
        "SDK-HMAC-SHA256",
        "SDK-HMAC-SHA256 Access=A, SignedHeaders=host;x-sdk-date",
        "SDK-HMAC-SHA256 Access=A, SignedHeaders=host;x-sdk-date, Signature=zz",
        "SDK-HMAC-SHA256 Access=, SignedHeaders=host;x-sdk-date, Signature=ab",
        "SDK-HMAC-SHA256 Access=A, Access=B, SignedHeaders=host;x-sdk-date, Signature=ab",
        "SDK-HMAC-SHA256 Access=A, SignedHeaders=x-sdk-date, Signature=ab",
        "SDK-HMAC-SHA256 Access=A, SignedHeaders=host, Signature=ab",
        "SDK-HMAC-SHA256 Access=A, SignedHeaders=host;x-sdk-date;a;b;A, Signature=ab",
        "V11-HMAC-SHA256 Credential=A/20250915/r, SignedHeaders=host;x-sdk-date, Signature=ab",
        "V11-HMAC-SHA256 Credential=A/20250916/r/s, SignedHeaders=host;x-sdk-date, Signature=ab",
        "SDK-ECDSA-P256-SHA256 Access=A, SignedHeaders=host;x-sdk-date, Signature=ab",
        "SDK-SM2-SM3 Access=A, SignedHeaders=host;x-sdk-date, Signature=ab",
        "Basic dXNlcjpwYXNz",
    ] {
        assert!(read(&[("authorization", authorization)]).is_err(), "{authorization}");
    }
    for date in [
        "",
        "20250915",
        "2025-09-15T08:30Z",
        "20250915T083000",
        "20251315T083000Z",
        "20250915T08300éZ",
    ] {
        assert!(read(&[("x-sdk-date", date)]).is_err(), "{date}");
    }
    let mut twice = HeaderMap::new();
    twice.append("authorization", HeaderValue::from_static(good[0].1));
    twice.append("authorization", HeaderValue::from_static(good[0].1));
    twice.append("x-sdk-date", HeaderValue::from_static(good[1].1));
    assert!(Signature::read(&twice).is_err());
}

#[test]
fn a_date_may_be_fifteen_minutes_off() {
    let vector = &vectors()[0];
    let (sent, key) = (vector.sent(), vector.key());
    let signature = Signature::read(&sent.headers).unwrap();
    let at = |now| signature.verify_at(now, &key, sent.line(), &sent.headers, &sent.body);
    let (minutes, second) = (Duration::from_mins(15), Duration::from_secs(1));
    for now in [signature.time(), signature.time() + minutes, signature.time() - minutes] {
        assert_eq!(at(now), Ok(()));
    }
    assert_eq!(at(signature.time() + minutes + second), Err(Rejection::Date));
    assert_eq!(at(signature.time() - minutes - second), Err(Rejection::Date));
}

#[test]
fn any_time_can_be_signed_at() {
    let years = Duration::from_hours(24 * 366 * 300_000);
    let line = RequestLine { method: &Method::GET, path: "/", query: "", host: b"h" };
    let times = [SystemTime::UNIX_EPOCH - years, SystemTime::UNIX_EPOCH + years];
    for (time, date) in times.into_iter().zip(["19700101T000000Z", "99991231T235959Z"]) {
        let mut headers = HeaderMap::new();
        let key = AccessKey::new("AKID", "secret").unwrap();
        key.sign(&Algorithm::Sha256, line, &mut headers, b"", time);
        assert_eq!(headers["x-sdk-date"], date);
    }
}

#[test]
fn a_refusal_is_an_error_of_the_gateway() {
    let error = ApiError::from(Rejection::UnknownKey);
    assert_eq!(error.status(), Failure::SignatureRejected.status());
    assert_eq!(error.code().as_deref(), Some("APIG.0301"));
    assert_eq!(
        error.message(),
        Some("Incorrect IAM authentication information: Get secretKey failed,err:ak not exist")
    );
}

#[test]
fn secrets_are_not_printed() {
    let key = AccessKey::new("AKID", "canary").unwrap().with_security_token("canary").unwrap();
    assert!(!format!("{key:?}").contains("canary"));
    assert!(AccessKey::new("canary id", "s").is_err());
    for error in [
        AccessKey::new("can ary", "s").unwrap_err(),
        AccessKey::new("AKID", "").unwrap_err(),
        AccessKey::new("AKID", "s").unwrap().with_security_token("can\nary").unwrap_err(),
    ] {
        assert!(!format!("{error:?}").contains("can"), "{error:?}");
    }
}
