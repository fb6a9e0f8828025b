//! What the clones of a client share: connections, credentials, clock, retry budget.

use std::sync::Arc;
use std::time::Duration;

use fabric_model::{Invalid, ProjectId};
use http::HeaderValue;
use url::Url;

use crate::clock::Clock;
use crate::renewal::Source;
use crate::retry::Budget;
use crate::{Error, Interceptor};

/// What the clones of a client share.
pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    /// Without a slash at its end, since every target begins with one.
    pub(crate) endpoint: String,
    pub(crate) attempt_timeout: Duration,
    pub(crate) project: Option<Project>,
    pub(crate) credentials: Source,
    pub(crate) clock: Clock,
    pub(crate) budget: Budget,
    pub(crate) interceptor: Option<Arc<dyn Interceptor>>,
}

/// A project, and the value of its header.
pub(crate) struct Project {
    pub(crate) id: ProjectId,
    pub(crate) header: HeaderValue,
}

impl Transport {
    /// The URL of a target, which is a path and a query.
    pub(crate) fn url(&self, target: &str) -> Result<Url, Error> {
        Url::parse(&format!("{}{target}", self.endpoint))
            .map_err(|error| Invalid::new("URI", error.to_string()).into())
    }
}
