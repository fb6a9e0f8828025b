//! Renames an access client: `cargo run --example rename -- ENDPOINT ID NAME`.
//!
//! The token, if one is needed, stands in the environment variable `FABRIC_AUTH_TOKEN`.

use std::error::Error;

use fabric_client::Client;
use fabric_client::model::access_client::AccessClientUpdate;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, id, name] = arguments.as_slice() else {
        return Err("usage: rename ENDPOINT ID NAME".into());
    };
    let mut builder = Client::builder(endpoint);
    if let Ok(token) = std::env::var("FABRIC_AUTH_TOKEN") {
        builder = builder.auth_token(token);
    }
    let client = builder.build()?;
    client.access_clients().update(id, AccessClientUpdate { name: Some(name.clone()) }).await?;
    Ok(())
}
