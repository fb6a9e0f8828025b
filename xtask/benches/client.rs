//! What the client adds to bare reqwest in instructions, counted from outside, such as by callgrind.
//!
//! One process is the server, another makes the calls, one after another. Two runs of different lengths tell the price
//! of a call, since the start is the same in both:
//!
//! ```sh
//! client server                                             # prints {"listening":"URL"}
//! valgrind --tool=callgrind client bare 500 URL             # or `ours`; then the same with 3500
//! ```

#![expect(clippy::print_stdout, reason = "the address is what the caller of the server waits for")]

use std::error::Error;
use std::hint::black_box;
use std::io::Write;

use fabric_client::Client;
use fabric_model::AccessClientId;
use fabric_model::access_client::AccessClientUpdate;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const USAGE: &str = "usage: client server | client bare|ours CALLS URL";

fn main() -> Outcome {
    // `cargo bench` adds a flag of its own.
    let arguments: Vec<_> = std::env::args().skip(1).filter(|given| given != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match arguments[..] {
        ["server"] => runtime.block_on(server()),
        ["bare", calls, url] => runtime.block_on(bare(calls.parse()?, url)),
        ["ours", calls, url] => runtime.block_on(ours(calls.parse()?, url)),
        _ => Err(USAGE.into()),
    }
}

/// A handler that parses the body and answers the success, and nothing else.
async fn server() -> Outcome {
    async fn update(axum::Json(body): axum::Json<AccessClientUpdate>) {
        black_box(body);
    }
    let router =
        axum::Router::new().route("/v1/access-clients/{client_id}", axum::routing::put(update));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{{\"listening\":\"http://{}\"}}", listener.local_addr()?);
    std::io::stdout().flush()?;
    Ok(axum::serve(listener, router).await?)
}

const ID: &str = "3f2c9a5e-8d1b-4c7a-9e6f-0a1b2c3d4e5f";

fn update() -> AccessClientUpdate {
    AccessClientUpdate { name: Some("zzh_test1122".to_owned()) }
}

async fn bare(calls: u32, endpoint: &str) -> Outcome {
    // reqwest takes the process's provider of cryptography: an error says that there is one.
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let url = format!("{endpoint}/v1/access-clients/{ID}");
    let update = update();
    for _ in 0..calls {
        let body = serde_json::to_vec(&update)?;
        let call = client.put(&url).header("content-type", "application/json").body(body);
        black_box(call.send().await?.error_for_status()?.bytes().await?);
    }
    Ok(())
}

async fn ours(calls: u32, endpoint: &str) -> Outcome {
    let client = Client::new(endpoint)?;
    let id = AccessClientId::try_from(ID)?;
    let update = update();
    for _ in 0..calls {
        client.access_clients().update(id.clone(), update.clone()).await?;
    }
    Ok(())
}
