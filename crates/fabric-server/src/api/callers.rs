//! Who is calling, and whether they may.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use fabric_model::signature::{AccessKey, Rejection, Signature};
use fabric_model::{ApiError, Failure, Invalid, OperationInfo, ProjectId, header};
use http::HeaderMap;
use http::request::Parts;
use parking_lot::RwLock;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::api::access_keys::AccessKeys;
use crate::api::clock::Clock;
use crate::api::credentials::{Credential, Grant, Secret};
use crate::api::issued::{ISSUED_MAX, IssuedTokens, Tokens, surplus};
use crate::api::limits::Head;
use crate::api::rejected::Rejected;

/// The project of a caller that names none.
pub const DEFAULT_PROJECT: &str = "default";

/// The caller of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caller {
    /// The project that the caller's records belong to.
    pub project: ProjectId,
    /// The time of the call, by the clock of the project.
    pub now: SystemTime,
    /// What the credentials of the caller are good for.
    pub(crate) grant: Arc<Grant>,
}

/// Who may call. Clones share what they know of locked keys and issued tokens.
///
/// A caller presents a token in `X-Auth-Token`, or signs with an access key: see
/// [`signature`](fabric_model::signature). If a caller does both, the signature counts. A key is locked for five
/// minutes after more than five rejections in a row; a wrong date does not count.
///
/// ```
/// use fabric_model::health::ShowHealth;
/// use fabric_server::{Api, Callers, Credential};
///
/// let callers = Callers::known([Credential::parse_token("a-token=a-project")?])?;
/// let api = Api::new(()).callers(callers);
/// # Ok::<(), fabric_model::Invalid>(())
/// ```
#[derive(Clone, Debug)]
pub struct Callers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    who: Who,
    /// The tokens that were issued while the server ran. They are accepted besides the credentials.
    issued: RwLock<IssuedTokens>,
    /// The same for temporary keys. Signatures are verified by their secrets, so they are in no snapshot.
    issued_keys: RwLock<AccessKeys>,
    /// What every issued token begins with.
    prefix: Option<&'static str>,
}

enum Who {
    Everybody,
    Known { tokens: Tokens, access_keys: AccessKeys },
    Verified(Box<dyn Verifier>),
}

impl fmt::Debug for Who {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Everybody => "Everybody",
            Self::Known { .. } => "Known",
            Self::Verified(_) => "Verified",
        })
    }
}

/// Identifies callers by your own means, such as a session store: see [`Callers::verified_by`].
pub trait Verifier: Send + Sync + 'static {
    /// Identifies the caller of a request, and returns what it may do. `body` is for signatures, which cover it.
    ///
    /// ```
    /// use std::time::SystemTime;
    ///
    /// use fabric_model::{ApiError, Failure, header};
    /// use fabric_server::{Callers, Grant, Verifying, Verifier};
    /// use http::request::Parts;
    ///
    /// struct Sessions;
    ///
    /// impl Verifier for Sessions {
    ///     fn verify<'a>(&'a self, parts: &'a Parts, _: &'a [u8], _: SystemTime) -> Verifying<'a> {
    ///         Box::pin(async {
    ///             match parts.headers.get(header::X_AUTH_TOKEN) {
    ///                 Some(token) if token == "a session" => Ok(Grant::default()),
    ///                 _ => Err(ApiError::from(Failure::TokenRejected)),
    ///             }
    ///         })
    ///     }
    /// }
    ///
    /// let callers = Callers::verified_by(Sessions);
    /// ```
    ///
    /// # Errors
    ///
    /// The error to answer, such as [`Failure::TokenRejected`].
    fn verify<'a>(&'a self, parts: &'a Parts, body: &'a [u8], now: SystemTime) -> Verifying<'a>;
}

/// What a [`Verifier`] returns.
pub type Verifying<'a> = Pin<Box<dyn Future<Output = Result<Grant, ApiError>> + Send + 'a>>;

impl Callers {
    /// Accepts any caller, and ignores credentials. The project is the one in `X-Project-Id`, else
    /// [`DEFAULT_PROJECT`].
    #[must_use]
    pub fn everybody() -> Self {
        Self::new(Who::Everybody)
    }

    /// Accepts callers that present one of these credentials.
    ///
    /// # Errors
    ///
    /// A token, or the id of a key, is there twice.
    pub fn known(credentials: impl IntoIterator<Item = Credential>) -> Result<Self, Invalid> {
        let (mut tokens, mut access_keys) = (Tokens::new(), AccessKeys::default());
        for Credential { secret, grant } in credentials {
            let (what, is_new) = match secret {
                Secret::Token(token) => {
                    let digest = digest(token.expose_secret().as_bytes());
                    ("a token".to_owned(), tokens.insert(digest, Arc::new(grant)).is_none())
                }
                Secret::AccessKey(key) => {
                    (format!("access key {}", key.id()), access_keys.insert(key, grant))
                }
            };
            if !is_new {
                return Err(Invalid::new(what, "must not be there twice"));
            }
        }
        Ok(Self::new(Who::Known { tokens, access_keys }))
    }

    /// Accepts the callers that a verifier accepts.
    #[must_use]
    pub fn verified_by(verifier: impl Verifier) -> Self {
        Self::new(Who::Verified(Box::new(verifier)))
    }

    fn new(who: Who) -> Self {
        let (issued, issued_keys) = (RwLock::default(), RwLock::default());
        Self(Arc::new(Inner { who, issued, issued_keys, prefix: None }))
    }

    /// Lets tokens with this prefix be issued while the server runs. Other tokens with the prefix are rejected.
    pub(crate) fn issuing(self, prefix: &'static str) -> Self {
        let inner =
            Arc::into_inner(self.0).expect("callers are given what they issue when they are made");
        Self(Arc::new(Inner { prefix: Some(prefix), ..inner }))
    }

    /// Makes a token for a project, good until it is revoked.
    pub(crate) fn issue(&self, project: &ProjectId) -> String {
        let token = self.new_token();
        self.accept_token(&token, Grant { project: Some(project.clone()), ..Grant::default() });
        token
    }

    /// Makes a token, which is not accepted yet.
    pub(crate) fn new_token(&self) -> String {
        format!("{}{}{}", self.0.prefix.unwrap_or_default(), random(), random())
    }

    /// Makes the id, the secret and the security token of a temporary key, which is not accepted yet.
    pub(crate) fn new_key(&self) -> [String; 3] {
        const SECRET_LENGTH: usize = 40;
        let mut id = format!("{KEY_PREFIX}{}", random().to_uppercase());
        id.truncate(KEY_ID_LENGTH);
        let mut secret = random() + &random();
        secret.truncate(SECRET_LENGTH);
        [id, secret, self.new_token()]
    }

    /// Accepts a token for what the grant says. If there are too many, some that expire soon make room.
    pub(crate) fn accept_token(&self, token: &str, grant: Grant) {
        self.0.issued.write().insert(digest(token.as_bytes()), grant);
    }

    /// Accepts a temporary key for what a grant says, until a time, in the same way.
    ///
    /// # Errors
    ///
    /// The grant was issued, and has been revoked.
    pub(crate) fn accept_key(
        &self,
        key: AccessKey,
        of: &Arc<Grant>,
        expires_at: SystemTime,
    ) -> Result<(), Revoked> {
        // Revoking takes both, in this order: it then comes wholly before or wholly after.
        let tokens = self.0.issued.read();
        let mut issued = self.0.issued_keys.write();
        let is_known = match &self.0.who {
            Who::Known { tokens, access_keys } => {
                tokens.values().any(|grant| Arc::ptr_eq(grant, of)) || access_keys.have(of)
            }
            Who::Everybody => Arc::ptr_eq(of, &any_grant()),
            Who::Verified(_) => true,
        };
        if !is_known
            && !issued.have(of)
            && !tokens.all().values().any(|grant| Arc::ptr_eq(grant, of))
        {
            return Err(Revoked);
        }
        let grant = Grant { expires_at: Some(expires_at), ..(**of).clone() };
        if issued.grants().len() >= ISSUED_MAX {
            let mut goes = surplus(issued.grants().filter_map(|grant| grant.expires_at).collect());
            issued.retain(|grant| !goes(grant));
        }
        issued.insert(key, grant);
        Ok(())
    }

    /// Revokes the issued tokens and keys of a project.
    pub(crate) fn revoke(&self, project: &ProjectId) {
        self.0.issued.write().remove_of(project);
        // There are few, and they expire.
        self.0.issued_keys.write().retain(|grant| grant.project.as_ref() != Some(project));
    }

    /// Revokes the tokens and keys of a user who signed in.
    pub(crate) fn revoke_user(&self, domain: &str, user: &str) {
        self.0.issued.write().remove_where(|grant| grant.is_of_user(domain, user));
        self.0.issued_keys.write().retain(|grant| !grant.is_of_user(domain, user));
    }

    /// Whether any caller is accepted.
    pub(crate) fn is_everybody(&self) -> bool {
        matches!(self.0.who, Who::Everybody)
    }

    /// What a token is good for, if it is known. Whether it has expired is another question.
    pub(crate) fn grant_of(&self, token: &[u8]) -> Option<Arc<Grant>> {
        let token = digest(token);
        let known = match &self.0.who {
            Who::Known { tokens, .. } => tokens.get(&token).cloned(),
            _ => None,
        };
        known.or_else(|| self.0.issued.read().get(&token).cloned())
    }

    /// Whether a token begins like those that are issued here.
    pub(crate) fn is_of_issued_form(&self, token: &[u8]) -> bool {
        self.0.prefix.is_some_and(|prefix| token.starts_with(prefix.as_bytes()))
    }

    /// Whether a project has an issued token.
    pub(crate) fn has_issued(&self, project: &ProjectId) -> bool {
        self.0.issued.read().has_of(project)
    }

    /// The issued tokens that are good, by their SHA-256.
    pub(crate) fn issued(&self) -> Tokens {
        self.0.issued.read().all().clone()
    }

    /// How many issued tokens are good.
    pub(crate) fn issued_tokens(&self) -> usize {
        self.0.issued.read().all().len()
    }

    /// How many issued tokens do not expire: those of projects.
    pub(crate) fn lasting_tokens(&self) -> usize {
        self.0.issued.read().lasting()
    }

    /// Makes these the only issued tokens that are good, forgets the temporary keys, and unlocks every other key.
    pub(crate) fn restore(&self, tokens: Tokens) {
        let tokens = IssuedTokens::new(tokens);
        let old = std::mem::replace(&mut *self.0.issued.write(), tokens);
        drop(old);
        *self.0.issued_keys.write() = AccessKeys::default();
        if let Who::Known { access_keys, .. } = &self.0.who {
            access_keys.unlock();
        }
    }

    /// Identifies the caller of a request, and checks that it is allowed an action, if one is given. An
    /// [`Api`](crate::Api) does so before every handler; use it for routes of your own.
    ///
    /// # Errors
    ///
    /// 401 if the caller is not known, 403 if it is not allowed the action or names a project that is not its own,
    /// 400 if `X-Project-Id` is not a valid id.
    pub async fn admit(
        &self,
        action: Option<&str>,
        parts: &Parts,
        body: &[u8],
        clock: &Clock,
    ) -> Result<Caller, ApiError> {
        let asked = Asked::of(None, Head::ANY, parts);
        let admitted = self.judge(action, asked, parts, body, clock).await;
        admitted.and_then(of_project).map_err(|rejected| rejected.error)
    }

    /// Whether the caller of a request is identified by its head alone: a signature covers the body, and another
    /// [`Verifier`] may need it.
    pub(crate) fn need_no_body(&self, head: Head, headers: &HeaderMap) -> bool {
        match &self.0.who {
            Who::Known { .. } => !is_signed(head, headers),
            Who::Everybody | Who::Verified(_) => false,
        }
    }

    /// Identifies the caller of an operation, and checks that it may call it.
    pub(crate) async fn identify(
        &self,
        operation: &OperationInfo,
        parts: &Parts,
        body: &[u8],
        clock: &Clock,
    ) -> Result<Caller, Box<Rejected>> {
        if let Some(identified) = self.identify_at_once(operation, Head::ANY, parts, body, clock) {
            return identified;
        }
        let asked = Asked::of(Some(operation), Head::ANY, parts);
        let caller = self.judge(operation.action, asked, parts, body, clock).await?;
        if operation.is_sign_in { Ok(caller) } else { of_project(caller) }
    }

    /// The same without waiting; `None` if a [`Verifier`] is to be asked.
    pub(crate) fn identify_at_once(
        &self,
        operation: &OperationInfo,
        head: Head,
        parts: &Parts,
        body: &[u8],
        clock: &Clock,
    ) -> Option<Result<Caller, Box<Rejected>>> {
        if operation.is_open {
            let project = default_project();
            return Some(Ok(Caller { now: clock.now_in(&project), project, grant: any_grant() }));
        }
        let asked = Asked::of(Some(operation), head, parts);
        let caller = self.judge_at_once(operation.action, asked, head, parts, body, clock).ok()?;
        Some(if operation.is_sign_in { caller } else { caller.and_then(of_project) })
    }

    async fn judge(
        &self,
        action: Option<&str>,
        asked: Asked,
        parts: &Parts,
        body: &[u8],
        clock: &Clock,
    ) -> Result<Caller, Box<Rejected>> {
        let asked = match self.judge_at_once(action, asked, Head::ANY, parts, body, clock) {
            Ok(judged) => return judged,
            Err(asked) => asked,
        };
        let Who::Verified(verifier) = &self.0.who else {
            return Err(Rejected::new(Failure::Internal, "credentials: nobody judges them"));
        };
        let outcome = verifier.verify(parts, body, clock.now()).await;
        let grant = outcome.map_err(|error| {
            let reason = format!("verifier: {error}");
            Rejected::new(error, reason)
        })?;
        let now = time_for(&grant, &asked, clock);
        let project = grant.check(action, asked, now)?;
        Ok(Caller { project, now, grant: Arc::new(grant) })
    }

    /// Judges a caller without waiting. Gives back what it asks for if a [`Verifier`] is to judge.
    fn judge_at_once(
        &self,
        action: Option<&str>,
        asked: Asked,
        head: Head,
        parts: &Parts,
        body: &[u8],
        clock: &Clock,
    ) -> Result<Result<Caller, Box<Rejected>>, Asked> {
        let found = match &self.0.who {
            Who::Verified(_) => return Err(asked),
            Who::Known { access_keys, .. } if is_signed(head, &parts.headers) => {
                self.verify(Some(access_keys), parts, body, clock.now(), |grant| {
                    time_for(grant, &asked, clock)
                })
            }
            Who::Known { tokens, .. } => self.bearer(Some(tokens), &parts.headers).map(|grant| {
                let now = time_for(&grant, &asked, clock);
                (grant, now)
            }),
            Who::Everybody
                if head.authorization && self.is_signed_by_issued_key(&parts.headers) =>
            {
                self.verify(None, parts, body, clock.now(), |grant| time_for(grant, &asked, clock))
            }
            // A caller with a token of a project is in that project, and in no other once that has ended.
            Who::Everybody if head.token && self.is_issued_token(&parts.headers) => {
                self.bearer(None, &parts.headers).map(|grant| {
                    let now = time_for(&grant, &asked, clock);
                    (grant, now)
                })
            }
            Who::Everybody => {
                let project = asked.into_project();
                return Ok(project.map(|project| {
                    let project = project.unwrap_or_else(default_project);
                    Caller { now: clock.now_in(&project), project, grant: any_grant() }
                }));
            }
        };
        Ok(found.and_then(|(grant, now)| {
            let project = grant.check(action, asked, now)?;
            Ok(Caller { project, now, grant })
        }))
    }

    /// Verifies a signature, by the keys of the credentials and those that were issued.
    fn verify(
        &self,
        known: Option<&AccessKeys>,
        parts: &Parts,
        body: &[u8],
        server_time: SystemTime,
        time_for: impl FnOnce(&Grant) -> SystemTime,
    ) -> Result<(Arc<Grant>, SystemTime), Box<Rejected>> {
        let signature = Signature::read(&parts.headers)?;
        let id = signature.access_key_id();
        let key = known.and_then(|known| known.get(id));
        let key = key.or_else(|| self.0.issued_keys.read().get(id));
        key.ok_or(Rejection::UnknownKey)?.verify(&signature, parts, body, server_time, time_for)
    }

    /// Whether a request is signed by a key whose id begins like that of an issued one.
    fn is_signed_by_issued_key(&self, headers: &HeaderMap) -> bool {
        let is_issued = |signature: &Signature<'_>| {
            let id = signature.access_key_id();
            id.len() == KEY_ID_LENGTH && id.starts_with(KEY_PREFIX)
        };
        self.0.prefix.is_some()
            && Signature::is_given(headers)
            && Signature::read(headers).is_ok_and(|signature| is_issued(&signature))
    }

    /// The project of the caller of a request without an operation, as far as the head says.
    pub(crate) fn project_of(&self, parts: &Parts) -> Option<ProjectId> {
        let asked = || asked_project(&parts.headers).ok();
        let grant = match &self.0.who {
            Who::Everybody if !self.is_issued_token(&parts.headers) => {
                return Some(asked()?.unwrap_or_else(default_project));
            }
            Who::Everybody => self.bearer(None, &parts.headers),
            Who::Known { tokens, .. } if !Signature::is_given(&parts.headers) => {
                self.bearer(Some(tokens), &parts.headers)
            }
            Who::Known { .. } | Who::Verified(_) => return None,
        };
        match grant.ok()?.project.clone() {
            Some(own) => Some(own),
            None => Some(asked()?.unwrap_or_else(default_project)),
        }
    }

    /// Whether the token of a request begins like an issued one.
    fn is_issued_token(&self, headers: &HeaderMap) -> bool {
        let token = headers.get(header::X_AUTH_TOKEN);
        token.is_some_and(|token| self.is_of_issued_form(token.as_bytes()))
    }

    /// Finds what the token in `X-Auth-Token` is good for.
    fn bearer(
        &self,
        tokens: Option<&Tokens>,
        headers: &HeaderMap,
    ) -> Result<Arc<Grant>, Box<Rejected>> {
        let rejected = |reason| Err(Rejected::new(Failure::TokenRejected, reason));
        let mut given = headers.get_all(header::X_AUTH_TOKEN).iter();
        let token = match (given.next(), given.next()) {
            (Some(token), None) => digest(token.as_bytes()),
            (None, _) => {
                return rejected("credentials: there is neither X-Auth-Token nor a signature");
            }
            (Some(_), Some(_)) => return rejected("token: X-Auth-Token is given more than once"),
        };
        if let Some(grant) = tokens.and_then(|tokens| tokens.get(&token)) {
            return Ok(grant.clone());
        }
        match self.0.issued.read().get(&token) {
            Some(grant) => Ok(grant.clone()),
            None if self.is_issued_token(headers) => {
                rejected("token: it is that of a project or a user that has gone, or never was")
            }
            None => rejected("token: it is not known"),
        }
    }
}

fn is_signed(head: Head, headers: &HeaderMap) -> bool {
    head.authorization && Signature::is_given(headers)
}

/// The time of a call with a grant.
fn time_for(grant: &Grant, asked: &Asked, clock: &Clock) -> SystemTime {
    match grant.project.as_ref().or(asked.project()) {
        Some(project) => clock.now_in(project),
        None => clock.now_in(&default_project()),
    }
}

impl Grant {
    /// Checks that a caller with this grant is allowed an action, in the project that it asks for, and finds the
    /// project.
    fn check(
        &self,
        action: Option<&str>,
        asked: Asked,
        now: SystemTime,
    ) -> Result<ProjectId, Box<Rejected>> {
        let rejected = |error: Failure, reason: String| {
            let project = self.project.clone();
            Err(Box::new(Rejected { project, ..*Rejected::new(error, reason) }))
        };
        if self.has_expired(now) {
            return rejected(Failure::TokenRejected, "token: it has expired".to_owned());
        }
        if let Some(action) = action
            && self.actions.as_ref().is_some_and(|actions| !actions.contains(action))
        {
            let reason = format!("permission: the caller is not allowed {action}");
            return rejected(Failure::Forbidden, reason);
        }
        match (&self.project, asked) {
            (Some(own), Asked::Project(asked)) if *own != asked => {
                let reason = format!(
                    "permission: the caller belongs to project {own}, and asks for {asked}"
                );
                rejected(Failure::Forbidden, reason)
            }
            (_, Asked::Contradiction) => rejected(Failure::Forbidden, CONTRADICTION.to_owned()),
            (_, Asked::Invalid(invalid)) => Err(invalid.into()),
            (Some(own), _) => Ok(own.clone()),
            (None, Asked::Project(asked)) => Ok(asked),
            (None, Asked::Nothing) => Ok(default_project()),
        }
    }
}

/// Credentials were revoked while they were used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revoked;

/// The project that a request names, in `X-Project-Id` or in its path.
enum Asked {
    Nothing,
    Project(ProjectId),
    /// The path names another than the header, or none that there can be.
    Contradiction,
    /// `X-Project-Id` is none.
    Invalid(Invalid),
}

const CONTRADICTION: &str = "permission: the project in the path is not that of the caller";

impl Asked {
    fn of(operation: Option<&OperationInfo>, head: Head, parts: &Parts) -> Self {
        let in_header = match head.project.then(|| asked_project(&parts.headers)).transpose() {
            Ok(project) => project.flatten(),
            Err(invalid) => return Self::Invalid(invalid),
        };
        let in_path = operation.and_then(|operation| {
            let name = operation.project_parameter?;
            let mut parameters = operation.path_parameters(parts.uri.path());
            parameters.find(|(given, _)| *given == name)
        });
        let in_path = in_path.map(|(_, id)| ProjectId::try_from(id.as_ref()));
        match (in_header, in_path) {
            (_, Some(Err(_))) => Self::Contradiction,
            (Some(header), Some(Ok(path))) if header != path => Self::Contradiction,
            (Some(project), _) | (None, Some(Ok(project))) => Self::Project(project),
            (None, None) => Self::Nothing,
        }
    }

    fn project(&self) -> Option<&ProjectId> {
        match self {
            Self::Project(project) => Some(project),
            _ => None,
        }
    }

    fn into_project(self) -> Result<Option<ProjectId>, Box<Rejected>> {
        match self {
            Self::Nothing => Ok(None),
            Self::Project(project) => Ok(Some(project)),
            Self::Contradiction => Err(Rejected::new(Failure::Forbidden, CONTRADICTION)),
            Self::Invalid(invalid) => Err(invalid.into()),
        }
    }
}

/// Rejects a user who signed in for a domain: what the service keeps is of projects.
fn of_project(caller: Caller) -> Result<Caller, Box<Rejected>> {
    if caller.grant.is_of_domain() {
        let reason = "permission: the user signed in for a domain, not for a project";
        return Err(Rejected::new(Failure::Forbidden, reason));
    }
    Ok(caller)
}

/// How the id of every temporary key begins, and how long it is.
const KEY_PREFIX: &str = "MOCK";
const KEY_ID_LENGTH: usize = 20;

/// 128 random bits, in 32 hexadecimal digits.
fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// What any caller may do where all are accepted.
fn any_grant() -> Arc<Grant> {
    static GRANT: LazyLock<Arc<Grant>> = LazyLock::new(Arc::default);
    GRANT.clone()
}

fn digest(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

pub(crate) fn default_project() -> ProjectId {
    static ID: LazyLock<ProjectId> = LazyLock::new(|| {
        ProjectId::try_from(DEFAULT_PROJECT).expect("the name of the default project is an id")
    });
    ID.clone()
}

/// The project that the caller names in a header, if any.
pub(crate) fn asked_project(headers: &HeaderMap) -> Result<Option<ProjectId>, Invalid> {
    let mut given = headers.get_all(header::X_PROJECT_ID).iter().map(http::HeaderValue::as_bytes);
    match (given.next(), given.next()) {
        (None, _) => Ok(None),
        // What is no text becomes text that is no id.
        (Some(id), None) => ProjectId::try_from(String::from_utf8_lossy(id).as_ref()).map(Some),
        (Some(_), Some(_)) => Err(Invalid::new("X-Project-Id", "must be given once")),
    }
}
