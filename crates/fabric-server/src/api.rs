//! Serves any implementation of the contract: joins handlers to operations, and answers every other request.

pub(crate) mod access_keys;
pub(crate) mod answer;
pub(crate) mod around;
pub(crate) mod budget;
pub(crate) mod callers;
pub(crate) mod clock;
pub(crate) mod connections;
pub(crate) mod credentials;
pub(crate) mod frames;
pub(crate) mod handlers;
pub(crate) mod issued;
pub(crate) mod limits;
pub(crate) mod paths;
pub(crate) mod rejected;
pub(crate) mod request_id;
pub(crate) mod routing;
pub(crate) mod server;
pub(crate) mod sign_in;
pub(crate) mod stream;
pub(crate) mod time;
#[cfg(feature = "tls")]
pub(crate) mod tls;
