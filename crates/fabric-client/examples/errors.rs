//! Distinguishes errors by how far the request came: `cargo run --example errors -- ENDPOINT ID`.

#![expect(clippy::print_stdout, reason = "an example prints its result")]

use fabric_client::{Client, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let (endpoint, id) =
        (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
    let client = Client::new(&endpoint)?;
    match client.access_clients().delete(id.as_str()).await {
        Ok(()) => println!("deleted"),
        Err(error) if error.is_not_found() => println!("there is none"),
        Err(Error::Invalid(invalid)) => println!("not sent: {invalid}"),
        Err(error) if error.is_in_doubt() => println!("perhaps deleted: {error}"),
        Err(error) if error.is_retryable() => println!("not now: {error}"),
        Err(error) => {
            println!("rejected: {:?}, request {:?}", error.status(), error.request_id());
            return Err(error);
        }
    }
    Ok(())
}
