//! Creates an access client, waits until it runs, and counts its connections:
//! `cargo run --example create_and_wait -- ENDPOINT NAME VPC SUBNET`.
//!
//! The token, if one is needed, is in the environment variable `FABRIC_AUTH_TOKEN`.

#![expect(clippy::print_stdout, reason = "an example prints its result")]

use std::error::Error;
use std::time::Duration;

use fabric_client::model::access_client::AccessClientCreate;
use fabric_client::{Client, Creation, Wait};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, name, vpc, subnet] = arguments.as_slice() else {
        return Err("usage: create_and_wait ENDPOINT NAME VPC SUBNET".into());
    };
    let mut builder = Client::builder(endpoint);
    if let Ok(token) = std::env::var("FABRIC_AUTH_TOKEN") {
        builder = builder.auth_token(token);
    }
    let client = builder.build()?;
    let calls = client.access_clients();
    let body = AccessClientCreate {
        name: Some(name.clone()),
        vpc_id: Some(vpc.parse()?),
        subnet_ids: vec![subnet.clone()],
        ..AccessClientCreate::default()
    };
    let creation = calls.create_or_find(body).await?;
    if let Creation::Found(_) = creation {
        println!("the answer was lost, but the access client was created");
    }
    let id = creation.into_inner().id.ok_or("the answer has no id")?;
    let wait = Wait::default().intervals(Duration::from_millis(200), Duration::from_secs(5));
    let running = calls.wait_until_running(&id, wait).await?;
    println!("{id} runs, with {} connections", running.access_connections.len());
    Ok(())
}
