//! A place to look at every attempt of every call, and to add headers.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};

use crate::Error;

/// Sees every attempt: for metrics, headers of one's own, or tests.
///
/// ```
/// use fabric_client::{Attempt, Client, Interceptor};
/// use http::HeaderValue;
///
/// struct Traced;
///
/// impl Interceptor for Traced {
///     fn before(&self, attempt: &mut Attempt<'_>) {
///         let context = HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
///         attempt.headers.insert("traceparent", context);
///     }
/// }
///
/// let client = Client::builder("http://127.0.0.1:8080").interceptor(Traced).build()?;
/// # Ok::<(), fabric_client::Error>(())
/// ```
pub trait Interceptor: Send + Sync {
    /// Before an attempt is signed and sent. What it adds to the headers is signed.
    fn before(&self, attempt: &mut Attempt<'_>) {
        let _ = attempt;
    }

    /// After an attempt.
    fn after(&self, finished: &Finished<'_>) {
        let _ = finished;
    }
}

/// An attempt of a call that is about to be made.
#[derive(Debug)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// The operation by the service's name for it; absent for [`Client::execute`](crate::Client::execute).
    pub operation: Option<&'static str>,
    /// Its number within the call, from 1.
    pub number: u32,
    /// The method.
    pub method: &'a Method,
    /// The path with the query.
    pub target: &'a str,
    /// The headers so far, without credentials.
    pub headers: &'a mut HeaderMap,
}

/// An attempt that was made.
#[derive(Debug)]
#[non_exhaustive]
pub struct Finished<'a> {
    /// The operation by the service's name for it; absent for [`Client::execute`](crate::Client::execute).
    pub operation: Option<&'static str>,
    /// Its number within the call, from 1.
    pub number: u32,
    /// The method.
    pub method: &'a Method,
    /// The status, if there was an answer.
    pub status: Option<StatusCode>,
    /// Why there was none.
    pub error: Option<&'a Error>,
    /// What to tell support, if there was an answer.
    pub request_id: Option<String>,
    /// How long it took.
    pub took: Duration,
}
