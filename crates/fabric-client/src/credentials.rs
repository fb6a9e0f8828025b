//! Credentials: a token, an access key, a password, none, or those of a provider.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::SystemTime;

use bytes::Bytes;
use fabric_model::signature::{AccessKey, Algorithm, RequestLine};
use fabric_model::{Invalid, ProjectId, header};
use http::HeaderValue;
use reqwest::Request;
use secrecy::{ExposeSecret, SecretString};

use crate::Environment;
use crate::endpoint::IDENTITY_ENDPOINT;

/// Credentials, with their project and expiry.
///
/// Secrets are cleared from memory when the last copy is dropped, and `Debug` does not print them. The
/// buffers of the HTTP library, which hold requests on their way to the network, are not cleared.
///
/// ```
/// use fabric_client::{Client, Credentials};
///
/// let credentials = Credentials::access_key("AKIDEXAMPLE", "the secret")?
///     .with_project_id("7a6d1e0f4c3b48d29e5f8a7b6c5d4e3f".parse()?);
/// let client = Client::for_region("cn-north-4").credentials(credentials).build()?;
/// # Ok::<(), fabric_client::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Credentials {
    kind: Kind,
    project_id: Option<ProjectId>,
    expires_at: Option<SystemTime>,
    identity_endpoint: Option<String>,
}

#[derive(Clone, Debug)]
enum Kind {
    Anonymous,
    Token(SecretString),
    AccessKey(AccessKey, Algorithm),
    /// Exchanged for a token before it is presented.
    Password(Password),
}

/// A user with a password, and the project to sign in to.
#[derive(Clone, Debug)]
pub(crate) struct Password {
    pub(crate) domain: String,
    pub(crate) user: String,
    pub(crate) secret: SecretString,
    pub(crate) project_name: Option<String>,
}

impl Credentials {
    /// No credentials: enough for a mock server that accepts any caller.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { kind: Kind::Anonymous, project_id: None, expires_at: None, identity_endpoint: None }
    }

    /// A token of the identity service, for `X-Auth-Token`.
    ///
    /// # Errors
    ///
    /// The token does not fit in a header: it must have 1 to 65,534 visible ASCII characters.
    pub fn token(token: impl Into<SecretString>) -> Result<Self, Invalid> {
        let token = token.into();
        header::check_token("token", token.expose_secret())?;
        Ok(Self { kind: Kind::Token(token), ..Self::anonymous() })
    }

    /// An access key (AK/SK), which signs every request.
    ///
    /// # Errors
    ///
    /// See [`AccessKey::new`].
    pub fn access_key(
        id: impl Into<String>,
        secret: impl Into<SecretString>,
    ) -> Result<Self, Invalid> {
        let key = AccessKey::new(id, secret)?;
        Ok(Self { kind: Kind::AccessKey(key, Algorithm::default()), ..Self::anonymous() })
    }

    /// A user of a domain, with a password. The client signs the user in at the identity service, presents the
    /// token that it gets for the password, and signs in again ahead of the token's expiry.
    ///
    /// The token is for one project: the first of [`ClientBuilder::project_id`](crate::ClientBuilder::project_id),
    /// [`Self::with_project_id`] and [`Self::with_project_name`] that is set, else the project that has the name
    /// of the client's region. The domain is the account that the user belongs to.
    ///
    /// ```
    /// use fabric_client::{Client, Credentials};
    ///
    /// let user = Credentials::password("example-domain", "alice", "the password")?;
    /// let client = Client::for_region("cn-north-4").credentials(user).build()?;
    /// # Ok::<(), fabric_client::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The domain, the user or the password is empty.
    pub fn password(
        domain: impl Into<String>,
        user: impl Into<String>,
        password: impl Into<SecretString>,
    ) -> Result<Self, Invalid> {
        let (domain, user, secret) = (domain.into(), user.into(), password.into());
        for (field, text) in
            [("domain", &*domain), ("user", &*user), ("password", secret.expose_secret())]
        {
            if text.is_empty() {
                return Err(Invalid::new(field, "must not be empty"));
            }
        }
        let kind = Kind::Password(Password { domain, user, secret, project_name: None });
        Ok(Self { kind, ..Self::anonymous() })
    }

    /// Adds the security token of a temporary access key.
    ///
    /// # Errors
    ///
    /// The token does not fit in a header, or these credentials are not an access key.
    pub fn with_security_token(mut self, token: impl Into<SecretString>) -> Result<Self, Invalid> {
        match self.kind {
            Kind::AccessKey(key, algorithm) => {
                self.kind = Kind::AccessKey(key.with_security_token(token)?, algorithm);
                Ok(self)
            }
            _ => Err(Invalid::new("security token", "must go with an access key")),
        }
    }

    /// Sets the algorithm of signatures. Default: SDK-HMAC-SHA256. It has no effect without an access key.
    #[must_use]
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        if let Kind::AccessKey(_, used) = &mut self.kind {
            *used = algorithm;
        }
        self
    }

    /// Sets the project, for `X-Project-Id`.
    #[must_use]
    pub fn with_project_id(mut self, project_id: ProjectId) -> Self {
        self.project_id = Some(project_id);
        self
    }

    /// Sets the project of a user by its name, such as `cn-north-4` or `cn-north-4_tests`. It has no effect without
    /// a password.
    #[must_use]
    pub fn with_project_name(mut self, name: impl Into<String>) -> Self {
        if let Kind::Password(password) = &mut self.kind {
            password.project_name = Some(name.into());
        }
        self
    }

    /// Sets the identity service that knows these credentials, unless
    /// [`ClientBuilder::identity_endpoint`](crate::ClientBuilder::identity_endpoint) sets another.
    #[must_use]
    pub fn with_identity_endpoint(mut self, url: impl Into<String>) -> Self {
        self.identity_endpoint = Some(url.into());
        self
    }

    /// Sets when they expire. The client renews those of a provider ahead of that.
    #[must_use]
    pub fn until(mut self, expires_at: SystemTime) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// The project, if the credentials name one.
    #[must_use]
    pub fn project_id(&self) -> Option<&ProjectId> {
        self.project_id.as_ref()
    }

    pub(crate) fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }

    pub(crate) fn identity_endpoint(&self) -> Option<&str> {
        self.identity_endpoint.as_deref()
    }

    /// The user to sign in.
    pub(crate) fn user(&self) -> Option<&Password> {
        match &self.kind {
            Kind::Password(password) => Some(password),
            _ => None,
        }
    }

    /// The id of the access key.
    pub(crate) fn access_key_id(&self) -> Option<&str> {
        match &self.kind {
            Kind::AccessKey(key, _) => Some(key.id()),
            _ => None,
        }
    }

    /// The same without a project.
    pub(crate) fn without_project(&self) -> Self {
        Self { project_id: None, ..self.clone() }
    }

    /// Whether a service that rejected one must reject the other.
    pub(crate) fn are_the_same(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Anonymous, Kind::Anonymous) => true,
            (Kind::Token(one), Kind::Token(other)) => one.expose_secret() == other.expose_secret(),
            (Kind::AccessKey(one, _), Kind::AccessKey(other, _)) => one == other,
            // A password is exchanged for a token before anything is rejected.
            _ => false,
        }
    }
}

/// Gives a client its credentials when it needs them.
///
/// The client calls it before its first request, ahead of the expiry of the credentials (see
/// [`Credentials::until`]), and once when the service rejects them. It calls it once however many requests are
/// waiting.
///
/// ```
/// use fabric_client::{Credentials, CredentialsProvider, ProvidedCredentials};
///
/// #[derive(Debug)]
/// struct TokenFile(std::path::PathBuf);
///
/// impl CredentialsProvider for TokenFile {
///     fn provide(&self) -> ProvidedCredentials<'_> {
///         Box::pin(async {
///             let token = std::fs::read_to_string(&self.0)?;
///             Ok(Credentials::token(token.trim())?)
///         })
///     }
/// }
/// ```
pub trait CredentialsProvider: fmt::Debug + Send + Sync {
    /// Gives credentials. The error must hold no secret.
    fn provide(&self) -> ProvidedCredentials<'_>;
}

/// The future that a [`CredentialsProvider`] returns.
pub type ProvidedCredentials<'a> =
    Pin<Box<dyn Future<Output = Result<Credentials, BoxError>> + Send + 'a>>;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Finds credentials where the vendor's own SDKs and the tools of `OpenStack` do: an access key in the environment,
/// else a user with a password in the environment, else an access key in the profile file.
///
/// | from | what |
/// |---|---|
/// | environment | `HUAWEICLOUD_SDK_AK`, `HUAWEICLOUD_SDK_SK`, and if set `HUAWEICLOUD_SDK_PROJECT_ID` and `HUAWEICLOUD_SDK_SECURITY_TOKEN` |
/// | environment | `OS_USERNAME`, `OS_PASSWORD`, `OS_USER_DOMAIN_NAME` (else `OS_DOMAIN_NAME`), and if set the project: the first of `HUAWEICLOUD_SDK_PROJECT_ID`, `OS_PROJECT_ID` and `OS_PROJECT_NAME` |
/// | profile | `ak`, `sk`, `project_id`, `security_token` and `iam_endpoint` in section `[basic]` of the INI file `~/.huaweicloud/credentials`, or the file that `HUAWEICLOUD_SDK_CREDENTIALS_FILE` names |
///
/// The identity service, where users sign in and projects are looked up, is that of `HUAWEICLOUD_SDK_IAM_ENDPOINT`
/// if it is set; else, for a user, that of `OS_AUTH_URL`, and for a profile its `iam_endpoint`; else
/// [the client's](crate::ClientBuilder::identity_endpoint).
///
/// An empty value counts as absent. A source that has only a part of a key, or a user without a password or domain, is
/// an error; the chain does not go on to the next.
#[derive(Clone, Debug)]
pub struct CredentialsChain {
    environment: Environment,
}

impl CredentialsChain {
    /// The chain in an environment: [`Environment::of_process`], or a test's own.
    #[must_use]
    pub fn new(environment: Environment) -> Self {
        Self { environment }
    }

    /// Looks for credentials now.
    ///
    /// # Errors
    ///
    /// No source has credentials, or one has only a part of them.
    pub fn find(&self) -> Result<Credentials, ChainError> {
        let credentials = self.first()?;
        Ok(match self.environment.get(IDENTITY_ENDPOINT) {
            Some(endpoint) => credentials.with_identity_endpoint(endpoint),
            None => credentials,
        })
    }

    fn first(&self) -> Result<Credentials, ChainError> {
        let variable = |name: &str| self.environment.get(&format!("HUAWEICLOUD_SDK_{name}"));
        let found = Found {
            ak: variable("AK"),
            sk: variable("SK").map(SecretString::from),
            project_id: variable("PROJECT_ID"),
            security_token: variable("SECURITY_TOKEN").map(SecretString::from),
            identity_endpoint: None,
        };
        if let Some(credentials) = found.credentials(ENVIRONMENT)? {
            return Ok(credentials);
        }
        if let Some(credentials) = self.user()? {
            return Ok(credentials);
        }
        let missing = "neither HUAWEICLOUD_SDK_AK nor OS_USERNAME is set";
        let Some((path, is_named)) = self.profile() else {
            return Err(ChainError(format!("{missing}, and there is no home")));
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => read_profile(&path, &text.into()),
            Err(error) if is_named || error.kind() != std::io::ErrorKind::NotFound => {
                Err(ChainError(format!("cannot read {}: {error}", path.display())))
            }
            Err(_) => Err(ChainError(format!("{missing}, and there is no {}", path.display()))),
        }
    }

    /// The user that the environment names, if it names one.
    fn user(&self) -> Result<Option<Credentials>, ChainError> {
        let variable = |name: &str| self.environment.get(name);
        let password = variable("OS_PASSWORD").map(SecretString::from);
        let domain = variable("OS_USER_DOMAIN_NAME").or_else(|| variable("OS_DOMAIN_NAME"));
        let (user, password, domain) = match (variable("OS_USERNAME"), password, domain) {
            (None, None, _) => return Ok(None),
            (Some(user), Some(password), Some(domain)) => (user, password, domain),
            (user, password, _) => {
                let missing = match (user, password) {
                    (None, _) => "OS_USERNAME",
                    (_, None) => "OS_PASSWORD",
                    _ => "OS_USER_DOMAIN_NAME",
                };
                return Err(ChainError(format!(
                    "{ENVIRONMENT}: a user signs in with OS_USERNAME, OS_PASSWORD and \
                     OS_USER_DOMAIN_NAME, but {missing} is not set"
                )));
            }
        };
        let wrong = |invalid: Invalid| ChainError(format!("{ENVIRONMENT}: {invalid}"));
        let mut user = Credentials::password(domain, user, password).map_err(wrong)?;
        if let Some(endpoint) = variable("OS_AUTH_URL") {
            user = user.with_identity_endpoint(endpoint);
        }
        if let Some(name) = variable("OS_PROJECT_NAME") {
            user = user.with_project_name(name);
        }
        let id = variable("HUAWEICLOUD_SDK_PROJECT_ID").or_else(|| variable("OS_PROJECT_ID"));
        if let Some(id) = id {
            user = user.with_project_id(id.try_into().map_err(wrong)?);
        }
        Ok(Some(user))
    }

    /// The profile file, and whether a variable names it.
    fn profile(&self) -> Option<(PathBuf, bool)> {
        if let Some(path) = self.environment.get("HUAWEICLOUD_SDK_CREDENTIALS_FILE") {
            return Some((path.into(), true));
        }
        let home = self.environment.get("HOME").or_else(|| self.environment.get("USERPROFILE"))?;
        Some((Path::new(&home).join(".huaweicloud").join("credentials"), false))
    }
}

impl CredentialsProvider for CredentialsChain {
    fn provide(&self) -> ProvidedCredentials<'_> {
        // A small file, read a few times in the life of a process.
        Box::pin(async { Ok(self.find()?) })
    }
}

/// Why the [`CredentialsChain`] found no credentials. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainError(String);

impl fmt::Display for ChainError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl StdError for ChainError {}

/// How errors call the environment.
const ENVIRONMENT: &str = "the environment";

/// What an access key source of the chain has.
#[derive(Default)]
struct Found {
    ak: Option<String>,
    sk: Option<SecretString>,
    project_id: Option<String>,
    security_token: Option<SecretString>,
    identity_endpoint: Option<String>,
}

impl Found {
    /// The credentials, if the source has any.
    fn credentials(self, place: &str) -> Result<Option<Credentials>, ChainError> {
        let wrong = |invalid: Invalid| ChainError(format!("{place}: {invalid}"));
        let (ak, sk) = match (self.ak, self.sk) {
            (None, None) => return Ok(None),
            (Some(ak), Some(sk)) => (ak, sk),
            (ak, _) => {
                let missing = if ak.is_none() { "id (AK)" } else { "secret (SK)" };
                return Err(ChainError(format!(
                    "{place}: the {missing} of the access key is missing"
                )));
            }
        };
        let mut credentials = Credentials::access_key(ak, sk).map_err(wrong)?;
        if let Some(token) = self.security_token {
            credentials = credentials.with_security_token(token).map_err(wrong)?;
        }
        if let Some(project) = self.project_id {
            credentials = credentials.with_project_id(project.try_into().map_err(wrong)?);
        }
        credentials.identity_endpoint = self.identity_endpoint;
        Ok(Some(credentials))
    }
}

/// Reads section `[basic]` of an INI file as the vendor's SDK does: `name = value` or `name: value`,
/// comments on lines of their own. By hand, since parsers keep copies of the secrets.
fn read_profile(path: &Path, text: &SecretString) -> Result<Credentials, ChainError> {
    let place = path.display();
    let mut found = Found::default();
    let mut is_basic = false;
    let lines = text.expose_secret().lines().map(str::trim).enumerate();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            is_basic = section == "basic";
            continue;
        }
        let Some((name, value)) = line.split_once(['=', ':']) else {
            let number = number + 1;
            return Err(ChainError(format!(
                "{place}: line {number} is neither [section] nor name = value"
            )));
        };
        let value = value.trim();
        if !is_basic || value.is_empty() {
            continue;
        }
        match name.trim().to_ascii_lowercase().as_str() {
            "ak" => found.ak = Some(value.to_owned()),
            "sk" => found.sk = Some(value.into()),
            "project_id" => found.project_id = Some(value.to_owned()),
            "security_token" => found.security_token = Some(value.into()),
            "iam_endpoint" => found.identity_endpoint = Some(value.to_owned()),
            _ => {}
        }
    }
    found
        .credentials(&place.to_string())?
        .ok_or_else(|| ChainError(format!("{place}: section [basic] has no ak and sk")))
}

/// Credentials with their header values.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) credentials: Credentials,
    /// The token, shared by all requests.
    token: Option<HeaderValue>,
    project_id: Option<HeaderValue>,
}

/// The memory of a shared header value, cleared when the last request drops it.
struct Shared(SecretString);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

impl Ready {
    pub(crate) fn new(credentials: Credentials) -> Self {
        let token = match &credentials.kind {
            Kind::Token(token) => {
                let shared = Bytes::from_owner(Shared(token.clone()));
                let mut value =
                    HeaderValue::from_maybe_shared(shared).expect("the token has been checked");
                value.set_sensitive(true);
                Some(value)
            }
            _ => None,
        };
        let project_id = credentials.project_id.as_ref().map(project_value);
        Self { credentials, token, project_id }
    }

    /// The token as the value of a header.
    pub(crate) fn token(&self) -> Option<&HeaderValue> {
        self.token.as_ref()
    }

    /// Whether requests are signed, which makes their date matter.
    pub(crate) fn is_signing(&self) -> bool {
        matches!(self.credentials.kind, Kind::AccessKey(..))
    }

    /// Adds the credentials to a request that is otherwise complete.
    pub(crate) fn authorize(&self, request: &mut Request, now: SystemTime) {
        if let Some(project) = &self.project_id {
            request.headers_mut().entry(header::X_PROJECT_ID).or_insert_with(|| project.clone());
        }
        match &self.credentials.kind {
            // The token for a password is presented, never the password.
            Kind::Anonymous | Kind::Password(_) => {}
            Kind::Token(_) => {
                if let Some(token) = &self.token {
                    request.headers_mut().insert(header::X_AUTH_TOKEN, token.clone());
                }
            }
            Kind::AccessKey(key, algorithm) => sign(request, key, algorithm, now),
        }
    }
}

fn sign(request: &mut Request, key: &AccessKey, algorithm: &Algorithm, now: SystemTime) {
    let mut headers = std::mem::take(request.headers_mut());
    let url = request.url();
    let mut host = url.host_str().unwrap_or_default().to_owned();
    if let Some(port) = url.port() {
        host = format!("{host}:{port}");
    }
    let line = RequestLine {
        method: request.method(),
        path: url.path(),
        query: url.query().unwrap_or_default(),
        host: host.as_bytes(),
    };
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    key.sign(algorithm, line, &mut headers, body, now);
    *request.headers_mut() = headers;
}

pub(crate) fn project_value(project_id: &ProjectId) -> HeaderValue {
    HeaderValue::from_str(project_id.as_str()).expect("an id is fit for a header")
}
