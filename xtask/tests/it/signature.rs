//! Whatever the client can send, the server finds well signed; and once it is changed, not.

use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::IntoResponse;
use bytes::Bytes;
use fabric_client::{Client, Credentials};
use fabric_model::signature::{AccessKey, Algorithm};
use fabric_server::{Callers, Clock, Credential, Server};
use futures_util::FutureExt;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method};
use parking_lot::Mutex;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

const TOKEN: &str = "a/security+token==";

fn methods() -> impl Strategy<Value = Method> {
    select(vec![
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
    ])
}

/// A path and perhaps a query, with every byte that a URI can hold, and escapes of every other.
fn targets() -> impl Strategy<Value = String> {
    let path = "/([!-~&&[^#?%]]|%[0-9A-Fa-f]{2}|[/.;=+é客😀]){0,12}";
    let pair = "([A-Za-z0-9._~+/?:@!$'()*,;é客-]|%[0-9A-F]{2}){0,6}(=([A-Za-z0-9._~+/?:@!$'()*,;=é-]|%[0-9A-F]{2}){0,6})?";
    let query = prop::collection::vec(pair, 0..5).prop_map(|pairs| pairs.join("&"));
    (path, prop::option::of(query)).prop_map(|(path, query)| match query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    })
}

fn headers() -> impl Strategy<Value = Vec<(HeaderName, HeaderValue)>> {
    let names = prop_oneof![
        "x-[a-z0-9_]{1,4}",
        select(vec!["accept", "accept-language", "user-agent", "x-project-id", "x-auth-token"])
            .prop_map(str::to_owned),
        // These do not arrive as they are sent.
        select(vec!["connection", "proxy-connection", "te"]).prop_map(str::to_owned),
    ];
    let values = prop_oneof!["[ -~]{0,12}", "[ a-zé客😀]{0,8}"];
    let header = (names, values).prop_filter_map("a header", |(name, value)| {
        let value = match name.as_str() {
            "x-project-id" => "p",
            "connection" => "x-a, x-b",
            "proxy-connection" => "keep-alive",
            "te" => "trailers",
            _ => &value,
        };
        Some((name.parse().ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    });
    let media_types =
        select(vec!["application/json", "application/json;charset=utf-8", "text/plain"]).prop_map(
            |media_type| (http::header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        );
    (prop::collection::vec(header, 0..6), prop::option::of(media_types)).prop_map(
        |(mut headers, media_type)| {
            let mut projects = 0;
            headers.retain(|(name, _)| {
                projects += usize::from(name == "x-project-id");
                name != "x-project-id" || projects == 1
            });
            headers.extend(media_type);
            headers
        },
    )
}

/// The last request that came.
type Last = Arc<Mutex<Option<(Parts, Bytes)>>>;

fn callers() -> Callers {
    let key = AccessKey::new("AKID", "secret").unwrap().with_security_token(TOKEN).unwrap();
    Callers::known([Credential::access_key(key)]).unwrap()
}

/// Says whether a request is let in, whatever it asks.
async fn admit(last: Last, request: Request) -> axum::response::Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let admitted = callers().admit(Some("any"), &parts, &body, &Clock::system()).await;
    *last.lock() = Some((parts, body));
    match admitted {
        Ok(_) => ().into_response(),
        Err(error) => (error.status(), Body::from(error.to_bytes())).into_response(),
    }
}

/// Whether a request is rejected for its signature, once `change` is made to it.
fn is_refused_after(sent: &(Parts, Bytes), change: impl FnOnce(&mut Parts, &mut Vec<u8>)) -> bool {
    let (mut parts, mut body) = (sent.0.clone(), sent.1.to_vec());
    change(&mut parts, &mut body);
    let callers = callers();
    let (action, clock) = (Some("any"), Clock::system());
    // A list of known credentials needs no waiting.
    let rejected = callers.admit(action, &parts, &body, &clock).now_or_never().unwrap();
    rejected.is_err_and(|error| error.code().as_deref() == Some("APIG.0301"))
}

/// A URI with something put in its path, and at the end of its query.
fn longer(uri: &http::Uri, path: &str, query: &str) -> http::Uri {
    let target = format!("{path}{}?{}{query}", uri.path(), uri.query().unwrap_or_default());
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target.parse().unwrap());
    http::Uri::from_parts(parts).unwrap()
}

#[test]
fn what_the_client_signs_the_server_verifies() {
    let runtime = Runtime::new().unwrap();
    let guard = runtime.enter();
    let last = Last::default();
    let keeping = last.clone();
    let router = Router::new().fallback(move |request| admit(keeping.clone(), request));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::start(listener, router).unwrap();
    let endpoint = format!("http://{}", server.address());
    let derived = Algorithm::Derived { region: "r-1".to_owned(), service: "s".to_owned() };
    let mut clients = Vec::new();
    for algorithm in [Algorithm::Sha256, Algorithm::Sm3, derived] {
        let credentials = Credentials::access_key("AKID", "secret").unwrap();
        let credentials = credentials.with_security_token(TOKEN).unwrap().with_algorithm(algorithm);
        for http in [crate::http().http1_only(), crate::http().http2_prior_knowledge()] {
            let http = http.build().unwrap();
            let client = Client::builder(&endpoint).http_client(http);
            clients.push(client.credentials(credentials.clone()).build().unwrap());
        }
    }
    drop(guard);
    let requests = (select(clients), methods(), targets(), headers(), any::<Vec<u8>>());
    let config = Config { failure_persistence: None, ..Config::with_cases(1_500) };
    let outcome =
        TestRunner::new(config).run(&requests, |(client, method, target, headers, body)| {
            let uri = target.parse::<http::Uri>();
            prop_assume!(uri.is_ok());
            let mut request = http::Request::new(Bytes::from(body));
            (*request.method_mut(), *request.uri_mut()) = (method, uri.unwrap());
            for (name, value) in headers {
                request.headers_mut().append(name, value);
            }
            if let Err(error) = runtime.block_on(client.execute(request)) {
                prop_assert!(false, "{error:?}");
            }
            let sent = last.lock().take().unwrap();
            let is_signed = sent.0.headers.get("x-sdk-content-sha256").is_none()
                && sent.0.headers.get("x-sdk-content-sm3").is_none();
            let changes = [
                ("method", is_refused_after(&sent, |parts, _| parts.method = Method::OPTIONS)),
                (
                    "path",
                    is_refused_after(&sent, |parts, _| parts.uri = longer(&parts.uri, "/a", "")),
                ),
                (
                    "query",
                    is_refused_after(&sent, |parts, _| parts.uri = longer(&parts.uri, "", "&a")),
                ),
                ("body", is_refused_after(&sent, |_, body| body.push(0)) || !is_signed),
                (
                    "header",
                    is_refused_after(&sent, |parts, _| {
                        let date = HeaderValue::from_static("20250915T083000Z");
                        parts.headers.insert("x-sdk-date", date);
                    }),
                ),
            ];
            for (what, is_rejected) in changes {
                prop_assert!(is_rejected, "another {} is let in", what);
            }
            Ok(())
        });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    drop(server);
}
