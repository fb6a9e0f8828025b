//! Says who calls, and never with which secret.

use fabric_client::{Client, Whoami};
use serde_json::Value;

use crate::failure::Failure;
use crate::output::Output;

/// Shows who calls.
pub(crate) async fn show(client: &Client, output: Output) -> Result<(), Failure> {
    let caller = client.whoami().await?;
    let fields = fields(&caller);
    let label = |(name, value): &(&str, Value)| (name.replace('_', " "), value.clone());
    let rows = fields.iter().map(label).collect();
    let named = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
    output.rows(&Value::Object(named.collect()), rows)
}

/// What is known of the caller, by name.
fn fields(caller: &Whoami) -> Vec<(&'static str, Value)> {
    let expires_at = caller.expires_at.map(|at| humantime::format_rfc3339_millis(at).to_string());
    let known = [
        ("user", &caller.user),
        ("user_id", &caller.user_id),
        ("access_key_id", &caller.access_key_id),
        ("domain", &caller.domain),
        ("domain_id", &caller.domain_id),
        ("project", &caller.project),
        ("project_id", &caller.project_id),
        ("expires_at", &expires_at),
        ("identity_endpoint", &caller.identity_endpoint),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some((name, value.clone()?.into())));
    known.chain([("endpoint", caller.endpoint.clone().into())]).collect()
}
