//! The client, which sends every operation in one way.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fabric_model::{Invalid, Nothing, Operation, Payload, ProjectId, Request, health};
use http::{HeaderMap, Method};

use crate::answer::read_success;
use crate::call::{Call, Outcome};
use crate::credentials::Ready;
use crate::dispatch::Dispatch;
use crate::identity::{Identity, Whoami};
use crate::retry::Effect;
use crate::transport::Transport;
use crate::{Error, Retry};

/// Calls the service. Clones share connections, credentials, the retry budget, and the correction of the clock.
#[derive(Clone)]
pub struct Client {
    pub(crate) transport: Arc<Transport>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) retry: Retry,
    /// The longest time for a call.
    pub(crate) timeout: Duration,
}

/// Credentials are left out.
impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("endpoint", &self.transport.endpoint())
            .field("timeout", &self.timeout)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// The same client with other retries, for a single call, say.
    #[must_use]
    pub fn with_retry(&self, retry: Retry) -> Self {
        Self { retry, ..self.clone() }
    }

    /// The same client with another timeout for a call, retries included.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// Sends a request of any operation and reads the answer.
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
        let body = match O::Body::MEDIA_TYPE {
            Some(_) => Bytes::from(request.body.write()?),
            None => Bytes::new(),
        };
        let dispatch = Dispatch {
            transport: &self.transport,
            retry: self.retry,
            timeout: self.timeout,
            effect: Effect::of_operation(O::INFO),
            headers: HeaderMap::new(),
        };
        let Outcome { answer, was_in_doubt } = dispatch.send(request, body).await?;
        match answer.success().and_then(read_success::<O>) {
            // An earlier attempt deleted it, and its answer was lost.
            Err(error) if was_in_doubt && O::METHOD == Method::DELETE && error.is_not_found() => {
                Ok(O::Response::read_answer(b"")?)
            }
            outcome => outcome,
        }
    }

    /// Sends any request to the service, such as an operation that the contract does not have yet, and
    /// returns the answer as it arrived. The URI is a path and a query. Credentials and errors are as in
    /// [`Self::send`]; the method alone decides about retries, so a POST is not repeated in doubt.
    ///
    /// ```no_run
    /// # async fn example(client: fabric_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let request = http::Request::get("/v1/base-models?limit=5").body(bytes::Bytes::new())?;
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
        let url = self.transport.url(&target);
        let make = || {
            let mut call = reqwest::Request::new(parts.method.clone(), url.clone());
            call.headers_mut().clone_from(&parts.headers);
            *call.body_mut() = Some(body.clone().into());
            call
        };
        let method = parts.method.clone();
        let call = Call {
            transport: &self.transport,
            retry: self.retry,
            timeout: self.timeout,
            operation: None,
            effect: Effect::of_method(&method),
            method,
            target,
            is_open: false,
            make,
        };
        call.run().await?.answer.success()
    }

    /// The project of the calls: that of the builder, else that of the credentials, else the one that the identity
    /// service says a token is for.
    ///
    /// Paths that name a project (see [`Operation::PROJECT_PARAMETER`]) take this one. A provider is asked
    /// for credentials if it has not given any yet.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if there is none; [`Error::Credentials`] if there are no credentials; any [`Error`] of the
    /// call to the identity service.
    pub async fn project_id(&self) -> Result<ProjectId, Error> {
        if let Some(project) = &self.transport.project {
            return Ok(project.id.clone());
        }
        let ready = self.credentials().await?;
        let project = match ready.credentials.project_id() {
            Some(project) => Some(project.clone()),
            None => self.identity.project_of_token(&ready).await?,
        };
        project.ok_or_else(|| {
            let rule = "must be set in the client or come with the credentials";
            Invalid::new("project_id", rule).into()
        })
    }

    /// Who calls, as the identity service says: with a token its user, domain, project and expiry, with an access key
    /// the domain.
    ///
    /// ```no_run
    /// # async fn example(client: fabric_client::Client) -> Result<(), fabric_client::Error> {
    /// let caller = client.whoami().await?;
    /// println!("{:?} of {:?}", caller.user, caller.domain);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Credentials`] if there are no credentials; any [`Error`] of the call to the identity service. That it
    /// does not know a token is no error.
    pub async fn whoami(&self) -> Result<Whoami, Error> {
        let ready = self.credentials().await?;
        let caller = self.identity.whoami(&ready).await?;
        Ok(Whoami { endpoint: self.transport.endpoint().to_owned(), ..caller })
    }

    async fn credentials(&self) -> Result<Arc<Ready>, Error> {
        let now = self.transport.clock.read().corrected;
        self.transport.credentials.current(now).await
    }

    /// Checks that the service is up.
    ///
    /// # Errors
    ///
    /// Any [`Error`]: the service is down, or cannot be reached.
    pub async fn show_health(&self) -> Result<(), Error> {
        let (path, query, body) = (Nothing {}, Nothing {}, Nothing {});
        let Nothing {} = self.send(&Request::<health::ShowHealth> { path, query, body }).await?;
        Ok(())
    }
}
