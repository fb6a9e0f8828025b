//! Credentials: a token, an access key, none, or those of a provider.

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
}

#[derive(Clone, Debug)]
enum Kind {
    Anonymous,
    Token(SecretString),
    AccessKey(AccessKey, Algorithm),
}

impl Credentials {
    /// No credentials: enough for a mock server that accepts any caller.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { kind: Kind::Anonymous, project_id: None, expires_at: None }
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

    /// Whether a service that rejected one must reject the other.
    pub(crate) fn are_the_same(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Anonymous, Kind::Anonymous) => true,
            (Kind::Token(one), Kind::Token(other)) => one.expose_secret() == other.expose_secret(),
            (Kind::AccessKey(one, _), Kind::AccessKey(other, _)) => one == other,
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

/// Finds an access key where the vendor's own SDKs do: in the environment, then in the profile file.
///
/// | from | what |
/// |---|---|
/// | environment | `HUAWEICLOUD_SDK_AK`, `HUAWEICLOUD_SDK_SK`, and if set `HUAWEICLOUD_SDK_PROJECT_ID` and `HUAWEICLOUD_SDK_SECURITY_TOKEN` |
/// | profile | `ak`, `sk`, `project_id` and `security_token` in section `[basic]` of the INI file `~/.huaweicloud/credentials`, or the file that `HUAWEICLOUD_SDK_CREDENTIALS_FILE` names |
///
/// An empty value counts as absent. A source that has only a part of a key is an error; the chain does not go on
/// to the next.
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
    /// Neither source has an access key, or one has only a part of it.
    pub fn find(&self) -> Result<Credentials, ChainError> {
        let variable = |name: &str| self.environment.get(&format!("HUAWEICLOUD_SDK_{name}"));
        let found = Found {
            ak: variable("AK"),
            sk: variable("SK").map(SecretString::from),
            project_id: variable("PROJECT_ID"),
            security_token: variable("SECURITY_TOKEN").map(SecretString::from),
        };
        if let Some(credentials) = found.credentials("the environment")? {
            return Ok(credentials);
        }
        let Some((path, is_named)) = self.profile() else {
            return Err(ChainError(
                "HUAWEICLOUD_SDK_AK is not set, and there is no home".to_owned(),
            ));
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => read_profile(&path, &text.into()),
            Err(error) if is_named || error.kind() != std::io::ErrorKind::NotFound => {
                Err(ChainError(format!("cannot read {}: {error}", path.display())))
            }
            Err(_) => Err(ChainError(format!(
                "HUAWEICLOUD_SDK_AK is not set, and there is no {}",
                path.display()
            ))),
        }
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

/// What a source of the chain has.
#[derive(Default)]
struct Found {
    ak: Option<String>,
    sk: Option<SecretString>,
    project_id: Option<String>,
    security_token: Option<SecretString>,
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
            Kind::Anonymous => {}
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
