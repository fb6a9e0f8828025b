//! Interceptors, which see every attempt and may add headers.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};

use crate::Error;

/// Sees every attempt: for metrics, additional headers, or tests.
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
    /// Called before an attempt is signed and sent. Headers added here are signed.
    fn before(&self, attempt: &mut Attempt<'_>) {
        let _ = attempt;
    }

    /// Called after an attempt.
    fn after(&self, finished: &Finished<'_>) {
        let _ = finished;
    }
}

/// An attempt before it is sent.
#[derive(Debug)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// The id of the operation; absent for [`Client::execute`](crate::Client::execute).
    pub operation: Option<&'static str>,
    /// The number of the attempt within its call, from 1.
    pub number: u32,
    /// The method.
    pub method: &'a Method,
    /// The path with the query.
    pub target: &'a str,
    /// The headers so far, without credentials.
    pub headers: &'a mut HeaderMap,
}

/// An attempt after its answer or failure.
#[derive(Debug)]
#[non_exhaustive]
pub struct Finished<'a> {
    /// The id of the operation; absent for [`Client::execute`](crate::Client::execute).
    pub operation: Option<&'static str>,
    /// The number of the attempt within its call, from 1.
    pub number: u32,
    /// The method.
    pub method: &'a Method,
    /// The status, if there was an answer.
    pub status: Option<StatusCode>,
    /// The error, if there was no answer.
    pub error: Option<&'a Error>,
    /// The id of the request, for support, if there was an answer.
    pub request_id: Option<String>,
    /// The time from sending to the end of the answer.
    pub took: Duration,
}
