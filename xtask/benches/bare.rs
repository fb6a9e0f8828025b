//! What we are compared with: bare axum, bare hyper, and parsing without validating.

#![expect(clippy::print_stdout, reason = "the address is what the caller of a server waits for")]

use std::convert::Infallible;
use std::error::Error;
use std::hint::black_box;

use axum::Router;
use axum::routing::{get, put};
use bytes::Bytes;
use fabric_model::access_client::{AccessClientCreate, AccessClientUpdate, CreateAccessClient};
use fabric_model::{Operation, Payload};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpListener;

type Outcome = Result<(), Box<dyn Error>>;

const USAGE: &str = "usage: bare axum | bare hyper | bare read|parse update|create TIMES";

fn main() -> Outcome {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["axum"] => tokio::runtime::Runtime::new()?.block_on(serve_axum()),
        ["hyper"] => tokio::runtime::Runtime::new()?.block_on(serve_hyper()),
        [how, "update", times] => {
            read::<AccessClientUpdate>(how, br#"{"name":"zzh_test1122"}"#, times.parse()?)
        }
        [how, "create", times] => {
            let body = CreateAccessClient::example().request.body.write()?;
            read::<AccessClientCreate>(how, &body, times.parse()?)
        }
        _ => Err(USAGE.into()),
    }
}

async fn listen() -> Result<TcpListener, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{{\"listening\":\"http://{}\"}}", listener.local_addr()?);
    Ok(listener)
}

/// A handler that parses the same body and answers the same success, and nothing else.
async fn serve_axum() -> Outcome {
    async fn update(axum::Json(body): axum::Json<AccessClientUpdate>) {
        black_box(body);
    }
    let router = Router::new()
        .route("/v1/access-clients/{client_id}", put(update))
        .route("/healthcheck", get(async || ()));
    let listener = axum::serve::ListenerExt::tap_io(listen().await?, |stream| {
        stream.set_nodelay(true).ok();
    });
    Ok(axum::serve(listener, router).await?)
}

/// The same without axum, for whatever path.
async fn serve_hyper() -> Outcome {
    async fn update(
        request: http::Request<Incoming>,
    ) -> Result<http::Response<axum::body::Body>, Infallible> {
        let body = axum::body::to_bytes(axum::body::Body::new(request.into_body()), 1 << 20).await;
        let read = serde_json::from_slice::<AccessClientUpdate>(&body.unwrap_or(Bytes::new()));
        black_box(read.is_ok());
        Ok(http::Response::new(axum::body::Body::empty()))
    }
    let listener = listen().await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let service = hyper::service::service_fn(update);
            let builder = Builder::new(TokioExecutor::new());
            // The caller is gone, if this fails.
            builder.serve_connection(TokioIo::new(stream), service).await.ok();
        });
    }
}

/// Reads and validates a body, or only parses it, so many times.
fn read<P: Payload>(how: &str, body: &[u8], times: u32) -> Outcome {
    for _ in 0..times {
        let body = black_box(body);
        let is_read = match how {
            "read" => P::read(body).is_ok_and(|read| read.validate().is_ok()),
            "parse" => black_box(serde_json::from_slice::<P>(body)).is_ok(),
            _ => return Err(USAGE.into()),
        };
        assert!(is_read, "the body is valid");
    }
    Ok(())
}
