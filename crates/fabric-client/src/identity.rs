//! The identity service: gives a token for a password, knows the project of a region, and says who calls.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use fabric_model::identity::{
    CreateToken, ListAuthDomains, ListProjects, ListProjectsQuery, Scope, SignIn, TokenAnswer,
    TokenQuery, ValidateToken,
};
use fabric_model::{Invalid, Nothing, Operation, Payload, ProjectId, Request, header};
use http::HeaderMap;
use parking_lot::Mutex;
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::answer::read_success;
use crate::clock::Clock;
use crate::credentials::{Password, ProvidedCredentials, Ready};
use crate::dispatch::Dispatch;
use crate::error::IdentityError;
use crate::renewal::Source;
use crate::retry::{Budget, Effect};
use crate::transport::Transport;
use crate::{Credentials, CredentialsProvider, Error, Interceptor, Retry, endpoint};

/// Calls the identity service with the settings of a client.
pub(crate) struct Identity {
    pub(crate) http: reqwest::Client,
    pub(crate) endpoints: Endpoints,
    pub(crate) region: Option<String>,
    /// The project that the client is set to.
    pub(crate) project: Option<ProjectId>,
    pub(crate) retry: Retry,
    pub(crate) timeout: Duration,
    pub(crate) clock: Clock,
    pub(crate) interceptor: Option<Arc<dyn Interceptor>>,
    /// The last credentials without a project, and the project that they were found to have.
    pub(crate) found: Mutex<Option<(Credentials, ProjectId)>>,
}

/// Where the identity service may be.
pub(crate) struct Endpoints {
    /// Takes precedence over that of the credentials.
    pub(crate) chosen: Option<String>,
    pub(crate) default: String,
    pub(crate) allow_plain_http: bool,
}

/// Only where it is, since the HTTP client may hold the password of a proxy.
impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Identity").field("region", &self.region).finish_non_exhaustive()
    }
}

/// Makes the credentials of a provider complete: see [`Identity::complete`].
#[derive(Debug)]
pub(crate) struct Completing {
    pub(crate) provider: Arc<dyn CredentialsProvider>,
    pub(crate) identity: Arc<Identity>,
}

impl CredentialsProvider for Completing {
    fn provide(&self) -> ProvidedCredentials<'_> {
        Box::pin(async {
            let credentials = self.provider.provide().await?;
            Ok(self.identity.complete(credentials).await?)
        })
    }
}

/// Gives the same credentials each time.
#[derive(Debug)]
pub(crate) struct Given(pub(crate) Credentials);

impl CredentialsProvider for Given {
    fn provide(&self) -> ProvidedCredentials<'_> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

/// Who calls, and with what: see [`Client::whoami`](crate::Client::whoami). Holds no secret. What is not known is
/// absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Whoami {
    /// The name of the user.
    pub user: Option<String>,
    /// The id of the user.
    pub user_id: Option<String>,
    /// The id of the access key that signs.
    pub access_key_id: Option<String>,
    /// The name of the domain, which is the account.
    pub domain: Option<String>,
    /// The id of the domain.
    pub domain_id: Option<String>,
    /// The name of the project.
    pub project: Option<String>,
    /// The id of the project.
    pub project_id: Option<String>,
    /// When the token expires, by the clock of the identity service.
    pub expires_at: Option<SystemTime>,
    /// The endpoint of the service.
    pub endpoint: String,
    /// The endpoint of the identity service.
    pub identity_endpoint: Option<String>,
}

impl Identity {
    /// Whether credentials cannot be presented as they are.
    pub(crate) fn has_to_complete(&self, credentials: &Credentials) -> bool {
        credentials.user().is_some() || self.region_to_look_up(credentials).is_some()
    }

    /// Exchanges a password for a token, and adds the project to an access key without one.
    pub(crate) async fn complete(
        &self,
        credentials: Credentials,
    ) -> Result<Credentials, IdentityError> {
        if let Some(user) = credentials.user() {
            return self.sign_in(user, &credentials).await;
        }
        match self.region_to_look_up(&credentials) {
            Some(region) => {
                let project = self.project_of(region, &credentials).await?;
                Ok(credentials.with_project_id(project))
            }
            None => Ok(credentials),
        }
    }

    /// The region whose project a caller with an access key is in.
    fn region_to_look_up(&self, credentials: &Credentials) -> Option<&str> {
        let is_known = self.project.is_some() || credentials.project_id().is_some();
        credentials.access_key_id().filter(|_| !is_known).and(self.region.as_deref())
    }

    async fn sign_in(
        &self,
        user: &Password,
        credentials: &Credentials,
    ) -> Result<Credentials, IdentityError> {
        let scope = self.scope(user, credentials)?;
        let endpoint = self.endpoint(credentials)?;
        let failed = |error| {
            let (endpoint, source) = (endpoint.clone(), Box::new(error));
            IdentityError::SignIn { endpoint, source }
        };
        let password = user.secret.expose_secret();
        let body = SignIn::new(&user.domain, &user.user, password, scope);
        let query = TokenQuery::without_catalog();
        let request = Request::<CreateToken> { path: Nothing {}, query, body };
        let (headers, answer) =
            self.call(&endpoint, &request, None, HeaderMap::new()).await.map_err(failed)?;
        // The token counts from when it was asked for, in case the clocks differ.
        let now = self.clock.read().corrected;
        let unreadable = |field: &str, rule: &str| failed(Invalid::new(field, rule).into());
        let token = headers.get(header::X_SUBJECT_TOKEN).and_then(|token| token.to_str().ok());
        let token = token.ok_or_else(|| unreadable("X-Subject-Token", "must be in the answer"))?;
        let mut signed_in = Credentials::token(token).map_err(|invalid| failed(invalid.into()))?;
        let known = answer.token.unwrap_or_default();
        let time = |text: &Option<String>| text.as_deref().and_then(read_time);
        if let (Some(issued), Some(expires)) = (time(&known.issued_at), time(&known.expires_at)) {
            signed_in = signed_in.until(now + expires.duration_since(issued).unwrap_or_default());
        }
        let project = known.project.and_then(|project| project.id);
        if let Some(project) = project.and_then(|id| id.try_into().ok()) {
            signed_in = signed_in.with_project_id(project);
        }
        Ok(signed_in.with_identity_endpoint(endpoint))
    }

    /// What a user signs in to.
    fn scope(&self, user: &Password, credentials: &Credentials) -> Result<Scope, IdentityError> {
        if let Some(id) = self.project.as_ref().or(credentials.project_id()) {
            return Ok(Scope::project_id(id.as_str()));
        }
        user.project_name.as_ref().or(self.region.as_ref()).map(Scope::project).ok_or_else(|| {
            let rule = "a user signs in to a project: set its id or name, or the region";
            IdentityError::Configuration(rule.to_owned())
        })
    }

    /// The project of a region, as the vendor's SDKs find it: exactly one must have the region's name.
    async fn project_of(
        &self,
        region: &str,
        credentials: &Credentials,
    ) -> Result<ProjectId, IdentityError> {
        if let Some(project) = self.found_of(credentials) {
            return Ok(project);
        }
        let endpoint = self.endpoint(credentials)?;
        let failed = |error| IdentityError::Lookup {
            region: region.to_owned(),
            endpoint: endpoint.clone(),
            source: Box::new(error),
        };
        let query = ListProjectsQuery::named(region);
        let request = Request::<ListProjects> { path: Nothing {}, query, body: Nothing {} };
        let answer = self.call(&endpoint, &request, Some(credentials), HeaderMap::new()).await;
        let (_, answer) = answer.map_err(failed)?;
        let count = answer.projects.len();
        let mut ids = answer.projects.into_iter().map(|project| project.id.unwrap_or_default());
        let (Some(id), None) = (ids.next(), ids.next()) else {
            return Err(IdentityError::Projects { region: region.to_owned(), count });
        };
        let project = ProjectId::try_from(id).map_err(|invalid| failed(invalid.into()))?;
        self.keep(credentials, &project);
        Ok(project)
    }

    /// The project that a token was issued for; `None` if the identity service does not know the token.
    pub(crate) async fn project_of_token(&self, ready: &Ready) -> Result<Option<ProjectId>, Error> {
        if let Some(project) = self.found_of(&ready.credentials) {
            return Ok(Some(project));
        }
        let endpoint = self.endpoint(&ready.credentials).map_err(unavailable)?;
        let answer = self.validate(&endpoint, ready).await?;
        let project = answer.and_then(|answer| answer.token?.project?.id);
        let project = project.map(ProjectId::try_from).transpose()?;
        if let Some(project) = &project {
            self.keep(&ready.credentials, project);
        }
        Ok(project)
    }

    /// What is known of the caller, but for the endpoint of the service.
    pub(crate) async fn whoami(&self, ready: &Ready) -> Result<Whoami, Error> {
        let credentials = &ready.credentials;
        let project = self.project.as_ref().or(credentials.project_id());
        let mut caller = Whoami {
            access_key_id: credentials.access_key_id().map(str::to_owned),
            project_id: project.map(ToString::to_string),
            ..Whoami::default()
        };
        let endpoint = self.endpoint(credentials).map_err(unavailable)?;
        if ready.token().is_some() {
            let answer = self.validate(&endpoint, ready).await?;
            let token = answer.and_then(|answer| answer.token).unwrap_or_default();
            let user = token.user.unwrap_or_default();
            let domain = user.domain.or(token.domain).unwrap_or_default();
            (caller.user, caller.user_id) = (user.name, user.id);
            (caller.domain, caller.domain_id) = (domain.name, domain.id);
            let project = token.project.unwrap_or_default();
            caller.project = project.name;
            caller.project_id = caller.project_id.or(project.id);
            caller.expires_at = token.expires_at.as_deref().and_then(read_time);
        } else if caller.access_key_id.is_some() {
            let (path, query, body) = (Nothing {}, Nothing {}, Nothing {});
            let request = Request::<ListAuthDomains> { path, query, body };
            let (_, answer) =
                self.call(&endpoint, &request, Some(credentials), HeaderMap::new()).await?;
            let domain = answer.domains.into_iter().next().unwrap_or_default();
            (caller.domain, caller.domain_id) = (domain.name, domain.id);
        }
        caller.identity_endpoint = Some(endpoint);
        Ok(caller)
    }

    /// What the identity service knows of a token; `None` if that is nothing.
    async fn validate(&self, endpoint: &str, ready: &Ready) -> Result<Option<TokenAnswer>, Error> {
        let Some(token) = ready.token() else { return Ok(None) };
        let query = TokenQuery::without_catalog();
        let request = Request::<ValidateToken> { path: Nothing {}, query, body: Nothing {} };
        let mut headers = HeaderMap::new();
        headers.insert(header::X_SUBJECT_TOKEN, token.clone());
        match self.call(endpoint, &request, Some(&ready.credentials), headers).await {
            Ok((_, answer)) => Ok(Some(answer)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn found_of(&self, credentials: &Credentials) -> Option<ProjectId> {
        let found = self.found.lock();
        let (known, project) = found.as_ref()?;
        known.are_the_same(credentials).then(|| project.clone())
    }

    fn keep(&self, credentials: &Credentials, project: &ProjectId) {
        *self.found.lock() = Some((credentials.clone(), project.clone()));
    }

    /// The endpoint for these credentials.
    fn endpoint(&self, credentials: &Credentials) -> Result<String, IdentityError> {
        let Endpoints { chosen, default, allow_plain_http } = &self.endpoints;
        let text = chosen.as_deref().or(credentials.identity_endpoint()).unwrap_or(default);
        let url = endpoint::parse_safe(text, *allow_plain_http);
        let url = url.map_err(|rule| IdentityError::Configuration(format!("sign-in: {rule}")))?;
        Ok(endpoint::without_version(url.as_str()).to_owned())
    }

    /// Sends an operation; returns the headers of the answer too.
    async fn call<O: Operation>(
        &self,
        endpoint: &str,
        request: &Request<O>,
        credentials: Option<&Credentials>,
        headers: HeaderMap,
    ) -> Result<(HeaderMap, O::Response), Error> {
        let credentials =
            credentials.map_or_else(Credentials::anonymous, Credentials::without_project);
        let transport = Transport {
            http: self.http.clone(),
            endpoint: endpoint::parse(endpoint).map_err(|rule| Invalid::new("endpoint", rule))?,
            attempt_timeout: self.timeout,
            project: None,
            credentials: Source::fixed(credentials),
            clock: self.clock.clone(),
            budget: Budget::default(),
            interceptor: self.interceptor.clone(),
        };
        let dispatch = Dispatch {
            transport: &transport,
            retry: self.retry,
            timeout: self.timeout,
            // One token too many does no harm.
            effect: Effect::Reads,
            headers,
        };
        request.validate()?;
        let answer = dispatch.send(request, write(&request.body)?).await?.answer.success()?;
        let headers = answer.headers().clone();
        Ok((headers, read_success::<O>(answer)?))
    }
}

/// Longer than the body of a sign-in, so that writing one leaves no copies of its beginning behind.
const BODY_CAPACITY: usize = 64 * 1024;

/// Writes a body that may hold a password into memory that is cleared afterwards.
fn write<B: Payload>(body: &B) -> Result<Bytes, Error> {
    if B::MEDIA_TYPE.is_none() {
        return Ok(Bytes::new());
    }
    let mut written = Zeroizing::new(Vec::with_capacity(BODY_CAPACITY));
    serde_json::to_writer(&mut *written, body)
        .map_err(|_| Invalid::new("body", "cannot be written as JSON"))?;
    Ok(Bytes::from_owner(written))
}

fn unavailable(error: IdentityError) -> Error {
    Error::Credentials(Arc::new(error))
}

/// Reads a time such as `2020-01-04T09:05:22.701000Z`.
fn read_time(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}
