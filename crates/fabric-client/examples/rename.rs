//! Renames an access client: `cargo run --example rename -- ENDPOINT ID NAME`.
//!
//! The token, if one is needed, is in the environment variable `FABRIC_AUTH_TOKEN`.

#![expect(clippy::print_stderr, reason = "an example prints its result")]

use std::process::ExitCode;

use fabric_client::model::access_client::AccessClientUpdate;
use fabric_client::{Client, Error};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, id, name] = arguments.as_slice() else {
        eprintln!("usage: rename ENDPOINT ID NAME");
        return ExitCode::from(2);
    };
    match rename(endpoint, id, name).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rename: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn rename(endpoint: &str, id: &str, name: &str) -> Result<(), Error> {
    let mut builder = Client::builder(endpoint);
    if let Ok(token) = std::env::var("FABRIC_AUTH_TOKEN") {
        builder = builder.auth_token(token);
    }
    let update = AccessClientUpdate { name: Some(name.to_owned()) };
    builder.build()?.access_clients().update(id, update).await
}
