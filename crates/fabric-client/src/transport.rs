//! What the clones of a client share: connections, credentials, clock, retry budget.

use std::sync::Arc;
use std::time::Duration;

use fabric_model::ProjectId;
use http::HeaderValue;
use url::Url;

use crate::Interceptor;
use crate::clock::Clock;
use crate::renewal::Source;
use crate::retry::Budget;

/// What the clones of a client share.
pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    /// Without a query, and parsed once: a call only sets path and query.
    pub(crate) endpoint: Url,
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
    /// The endpoint as text, without a slash at its end.
    pub(crate) fn endpoint(&self) -> &str {
        self.endpoint.as_str().trim_end_matches('/')
    }

    /// The URL of a target, which is a path and a query.
    pub(crate) fn url(&self, target: &str) -> Url {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let mut url = self.endpoint.clone();
        match self.endpoint.path().trim_end_matches('/') {
            "" => url.set_path(path),
            before => url.set_path(&format!("{before}{path}")),
        }
        if query.is_some() {
            url.set_query(query);
        }
        url
    }
}
