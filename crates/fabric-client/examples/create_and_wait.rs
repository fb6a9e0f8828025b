//! Creates an access client, waits until it runs, and shows how it is reached:
//! `cargo run --example create_and_wait -- ENDPOINT NAME VPC SUBNET`.
//!
//! The token, if one is needed, stands in the environment variable `FABRIC_AUTH_TOKEN`.

#![expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

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
        println!("the answer was lost, but it was created");
    }
    let id = creation.into_access_client().id.ok_or("the service gave it no id")?;
    let wait = Wait::default().intervals(Duration::from_millis(200), Duration::from_secs(5));
    let running = calls.wait_until_running(&id, wait).await?;
    println!("{id} runs, with {} connections", running.access_connections.len());
    Ok(())
}
