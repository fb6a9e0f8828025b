//! What every verb needs: the client, and how results are shown.

use fabric_client::Client;

use crate::output::Output;

/// What every verb needs.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) output: Output,
}
