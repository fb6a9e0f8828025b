//! The client, and the one way in which every operation is sent.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fabric_model::{Invalid, Nothing, Operation, Payload, Request, health};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use url::Url;

use crate::call::{Call, Outcome, understand};
use crate::clock::Clock;
use crate::renewal::Source;
use crate::retry::Budget;
use crate::{ClientBuilder, Environment, Error, Interceptor, Retry, endpoint};

/// Calls the service. Clones share their connections, their credentials, their budget for retries, and what
/// they learned of the service's clock.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    pub(crate) retry: Retry,
    /// The longest time for a call.
    pub(crate) timeout: Duration,
}

pub(crate) struct Shared {
    pub(crate) http: reqwest::Client,
    /// Without a slash at its end, since every target begins with one.
    pub(crate) endpoint: String,
    pub(crate) attempt_timeout: Duration,
    pub(crate) project_id: Option<HeaderValue>,
    pub(crate) credentials: Source,
    pub(crate) clock: Clock,
    pub(crate) budget: Budget,
    pub(crate) interceptor: Option<Arc<dyn Interceptor>>,
}

/// Credentials are left out.
impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("endpoint", &self.shared.endpoint)
            .field("timeout", &self.timeout)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client with the defaults of [`Client::builder`] and no credentials, as a mock server wants
    /// it.
    ///
    /// # Errors
    ///
    /// See [`ClientBuilder::build`].
    pub fn new(endpoint: &str) -> Result<Self, Error> {
        Self::builder(endpoint).build()
    }

    /// Starts a client for an endpoint, such as `https://fabric.cn-north-4.myhuaweicloud.com`.
    pub fn builder(endpoint: &str) -> ClientBuilder {
        ClientBuilder::new(Ok(endpoint.to_owned()))
    }

    /// Starts a client for a region, such as `cn-north-4`.
    ///
    /// Its endpoint is `https://fabric.cn-north-4.myhuaweicloud.com`, unless the variable
    /// `HUAWEICLOUD_SDK_REGION_DATAARTSFABRIC_CN_NORTH_4` names another.
    pub fn for_region(region: &str) -> ClientBuilder {
        Self::for_region_in(region, &Environment::of_process())
    }

    /// The same, with the variable looked up in an environment of one's own.
    pub fn for_region_in(region: &str, environment: &Environment) -> ClientBuilder {
        ClientBuilder::new(endpoint::of_region(region, environment))
    }

    /// The same client with another way of trying again: for a single call, say.
    #[must_use]
    pub fn with_retry(&self, retry: Retry) -> Self {
        Self { retry, ..self.clone() }
    }

    /// The same client with another limit for the time of a call, its retries included.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// Sends a request, of whatever operation, and reads its answer.
    ///
    /// ```no_run
    /// # async fn example(client: fabric_client::Client) -> Result<(), fabric_client::Error> {
    /// use fabric_client::model::health::ShowHealth;
    /// use fabric_client::model::{Nothing, Request};
    ///
    /// let (path, query, body) = (Nothing {}, Nothing {}, Nothing {});
    /// client.send(&Request::<ShowHealth> { path, query, body }).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn send<O: Operation>(&self, request: &Request<O>) -> Result<O::Response, Error> {
        request.validate()?;
        let target = request.target();
        let url = self.url(&target)?;
        let body = match O::Body::MEDIA_TYPE {
            Some(media_type) => Some((media_type, Bytes::from(request.body.write()?))),
            None => None,
        };
        let make = || {
            let mut call = reqwest::Request::new(O::METHOD, url.clone());
            if let Some((media_type, body)) = &body {
                call.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
                *call.body_mut() = Some(body.clone().into());
            }
            call
        };
        let (operation, is_open) = (Some(O::ID), O::IS_OPEN);
        let call = Call { operation, method: O::METHOD, target, is_open, make };
        let Outcome { answer, was_in_doubt } = call.run(self).await?;
        match answer.success().and_then(understand::<O>) {
            // An earlier attempt has done it, and its answer was lost.
            Err(error) if was_in_doubt && O::METHOD == Method::DELETE && error.is_not_found() => {
                Ok(O::Response::read(b"")?)
            }
            outcome => outcome,
        }
    }

    /// Sends any request to the service, such as an operation that is not here yet, and returns its
    /// answer as it came. The URI is a path and a query; credentials and errors are as in
    /// [`Self::send`].
    ///
    /// ```no_run
    /// # async fn example(client: fabric_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let request = http::Request::get("/v1/workspaces?limit=5").body(bytes::Bytes::new())?;
    /// let answer = client.execute(request).await?;
    /// println!("{}: {:?}", answer.status(), answer.body());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::Invalid`] for a URI that names a host.
    pub async fn execute(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, Error> {
        let (parts, body) = request.into_parts();
        let target = parts.uri.path_and_query().filter(|target| target.as_str().starts_with('/'));
        let (Some(target), None) = (target, parts.uri.authority()) else {
            return Err(Invalid::new("URI", "must be a path and a query").into());
        };
        let target = target.as_str().to_owned();
        let url = self.url(&target)?;
        let make = || {
            let mut call = reqwest::Request::new(parts.method.clone(), url.clone());
            call.headers_mut().clone_from(&parts.headers);
            *call.body_mut() = Some(body.clone().into());
            call
        };
        let method = parts.method.clone();
        let call = Call { operation: None, method, target, is_open: false, make };
        call.run(self).await?.answer.success()
    }

    fn url(&self, target: &str) -> Result<Url, Error> {
        Url::parse(&format!("{}{target}", self.shared.endpoint))
            .map_err(|error| Invalid::new("URI", error.to_string()).into())
    }

    /// Asks whether the service is up.
    ///
    /// # Errors
    ///
    /// Any [`Error`]: it is not, or can't be reached.
    pub async fn show_health(&self) -> Result<(), Error> {
        let (path, query, body) = (Nothing {}, Nothing {}, Nothing {});
        let Nothing {} = self.send(&Request::<health::ShowHealth> { path, query, body }).await?;
        Ok(())
    }
}
