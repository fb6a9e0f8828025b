//! Lists every access client, on all pages: `cargo run --example list -- ENDPOINT`.
//!
//! The access key is that of the environment or the profile file: see `CredentialsChain`.

#![expect(clippy::print_stdout, reason = "an example prints its result")]

use std::error::Error;
use std::pin::pin;

use fabric_client::model::access_client::ListAccessClientsQuery;
use fabric_client::{Client, CredentialsChain, Environment};
use futures_util::TryStreamExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let endpoint = std::env::args().nth(1).ok_or("usage: list ENDPOINT")?;
    let client = Client::builder(&endpoint)
        .credentials_provider(CredentialsChain::new(Environment::of_process()))
        .build()?;
    let query = ListAccessClientsQuery { limit: 100, ..ListAccessClientsQuery::default() };
    let mut items = pin!(client.access_clients().items(query));
    while let Some(found) = items.try_next().await? {
        println!("{} {}", found.id.unwrap_or_default(), found.name.unwrap_or_default());
    }
    Ok(())
}
