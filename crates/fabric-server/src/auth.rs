//! Who is calling, and whether they may.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use fabric_model::signature::{AccessKey, Explanation, Refusal, RequestLine, Signature};
use fabric_model::{ApiError, Failure, Invalid, ProjectId, header};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use parking_lot::{Mutex, RwLock};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::Clock;
use crate::credentials::{Credential, Grant, Secret};

/// The project of a caller who names none.
pub const DEFAULT_PROJECT: &str = "default";

/// Who is calling: whose records a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The project that the caller's records belong to.
    pub project: ProjectId,
    /// Whether what the caller writes stays written: a fault may have it that it does not.
    pub(crate) keeps_writes: bool,
}

impl Caller {
    /// A caller in a project.
    #[must_use]
    pub fn of(project: ProjectId) -> Self {
        Self { project, keeps_writes: true }
    }
}

/// Why somebody is not let in.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) error: ApiError,
    /// The rule, for whoever asks for it.
    pub(crate) reason: Cow<'static, str>,
    /// What the server signs, where a signature does not match.
    pub(crate) explanation: Option<Explanation>,
}

impl Refused {
    fn new(error: impl Into<ApiError>, reason: impl Into<Cow<'static, str>>) -> Box<Self> {
        Box::new(Self { error: error.into(), reason: reason.into(), explanation: None })
    }
}

impl From<Refusal> for Box<Refused> {
    fn from(refusal: Refusal) -> Self {
        let reason = match &refusal {
            Refusal::UnknownKey => "signature: the access key is not known".to_owned(),
            Refusal::KeyLocked => {
                "signature: the access key is locked for five minutes, after more than \
                                   five wrong signatures in a row"
                    .to_owned()
            }
            Refusal::SecurityToken => {
                "signature: the security token is missing, another, or has expired".to_owned()
            }
            Refusal::Mismatch => {
                "signature: it is not that of the request; the journal has what the server signs"
                    .to_owned()
            }
            other => format!("signature: {other}"),
        };
        Refused::new(refusal, reason)
    }
}

impl From<Invalid> for Box<Refused> {
    fn from(invalid: Invalid) -> Self {
        let reason = invalid.to_string();
        Refused::new(invalid, reason)
    }
}

/// Who may call. Clones share what they know of locked keys.
///
/// A caller presents a token in `X-Auth-Token`, or signs with an access key: see
/// [`signature`](fabric_model::signature). One who does both must have signed well; the token then does
/// not count. A key that was refused more than five times in a row, for other reasons than its date, is
/// locked for five minutes.
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
    /// The tokens that were made for projects, by their SHA-256; good whoever else may call.
    issued: RwLock<HashMap<[u8; 32], Grant>>,
}

#[derive(Debug)]
enum Who {
    Everybody,
    Known {
        /// By the SHA-256 of the token: looking one up then takes as long whatever is wrong with it,
        /// and no token stays in memory.
        tokens: HashMap<[u8; 32], Grant>,
        access_keys: HashMap<String, KnownKey>,
    },
}

#[derive(Debug)]
struct KnownKey {
    key: AccessKey,
    grant: Grant,
    refusals: Mutex<Refusals>,
}

/// The refusals of a key since it was last good.
#[derive(Debug, Default)]
struct Refusals {
    in_a_row: u32,
    locked_until: Option<SystemTime>,
}

const REFUSALS_MAX: u32 = 5;
const LOCK_TIME: Duration = Duration::from_mins(5);

impl Refusals {
    fn is_locked(&self, now: SystemTime) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }

    /// Counts what came of a signature; while it was verified, others may have locked the key.
    ///
    /// A date that is off is no guess at a secret, and is not counted: a caller whose clock is wrong may
    /// have many calls under way before it learns of it.
    fn record(&mut self, outcome: &Result<(), Refusal>, now: SystemTime) -> Result<(), Refusal> {
        if self.is_locked(now) {
            return Err(Refusal::KeyLocked);
        }
        match outcome {
            Ok(()) => *self = Self::default(),
            Err(Refusal::Date) => {}
            Err(_) => {
                self.in_a_row += 1;
                if self.in_a_row > REFUSALS_MAX {
                    *self = Self { in_a_row: 0, locked_until: Some(now + LOCK_TIME) };
                }
            }
        }
        Ok(())
    }
}

impl Callers {
    /// Everybody, with whatever they present. The project is the one in `X-Project-Id`, else
    /// [`DEFAULT_PROJECT`].
    #[must_use]
    pub fn everybody() -> Self {
        Self::new(Who::Everybody)
    }

    /// Those who present one of these.
    ///
    /// # Errors
    ///
    /// A token or the id of a key that is there twice.
    pub fn known(credentials: impl IntoIterator<Item = Credential>) -> Result<Self, Invalid> {
        let (mut tokens, mut access_keys) = (HashMap::new(), HashMap::new());
        for Credential { secret, grant } in credentials {
            let (what, is_known) = match secret {
                Secret::Token(token) => {
                    let digest = digest(token.expose_secret().as_bytes());
                    ("a token".to_owned(), tokens.insert(digest, grant).is_some())
                }
                Secret::AccessKey(key) => {
                    let (id, refusals) = (key.id().to_owned(), Mutex::default());
                    let known = KnownKey { key, grant, refusals };
                    let what = format!("access key {id}");
                    (what, access_keys.insert(id, known).is_some())
                }
            };
            if is_known {
                return Err(Invalid::new(what, "must not be there twice"));
            }
        }
        Ok(Self::new(Who::Known { tokens, access_keys }))
    }

    fn new(who: Who) -> Self {
        Self(Arc::new(Inner { who, issued: RwLock::default() }))
    }

    /// Makes a token for a project, good until it is revoked.
    pub(crate) fn issue(&self, project: &ProjectId) -> String {
        let random = || uuid::Uuid::new_v4().simple().to_string();
        let token = format!("{TOKEN_BEGINNING}{}{}", random(), random());
        let grant = Grant { project: Some(project.clone()), ..Grant::default() };
        self.0.issued.write().insert(digest(token.as_bytes()), grant);
        token
    }

    /// Ends the tokens of a project.
    pub(crate) fn revoke(&self, project: &ProjectId) {
        self.0.issued.write().retain(|_, grant| grant.project.as_ref() != Some(project));
    }

    /// Whether a project has a token.
    pub(crate) fn has_issued(&self, project: &ProjectId) -> bool {
        self.0.issued.read().values().any(|grant| grant.project.as_ref() == Some(project))
    }

    /// The tokens that are good, by their SHA-256.
    pub(crate) fn issued(&self) -> HashMap<[u8; 32], ProjectId> {
        let issued = self.0.issued.read();
        let pairs = issued.iter().map(|(digest, grant)| Some((*digest, grant.project.clone()?)));
        pairs.flatten().collect()
    }

    /// Makes these the only tokens that are good, besides those of the settings, and unlocks every key.
    pub(crate) fn restore(&self, tokens: HashMap<[u8; 32], ProjectId>) {
        let grant = |project| Grant { project: Some(project), ..Grant::default() };
        *self.0.issued.write() =
            tokens.into_iter().map(|(digest, project)| (digest, grant(project))).collect();
        if let Who::Known { access_keys, .. } = &self.0.who {
            for known in access_keys.values() {
                *known.refusals.lock() = Refusals::default();
            }
        }
    }

    /// Identifies the caller of something that needs `action`, and checks that they may do it. An
    /// [`Api`](crate::Api) does so before every handler; routes of your own may do so too.
    ///
    /// # Errors
    ///
    /// 401 for who is not known, 403 for who is not allowed, 400 for an `X-Project-Id` that is none.
    pub fn admit(
        &self,
        action: &str,
        parts: &Parts,
        body: &[u8],
        clock: &Clock,
    ) -> Result<Caller, ApiError> {
        self.identify(action, parts, body, clock).map_err(|refused| refused.error)
    }

    /// The same, with the reason of a refusal.
    pub(crate) fn identify(
        &self,
        action: &str,
        parts: &Parts,
        body: &[u8],
        clock: &Clock,
    ) -> Result<Caller, Box<Refused>> {
        let asked = asked_project(&parts.headers);
        let named = || asked.as_ref().ok().and_then(Option::as_ref);
        let issued = self.0.issued.read();
        let grant = match &self.0.who {
            Who::Known { access_keys, .. } if Signature::is_given(&parts.headers) => {
                signer(access_keys, parts, body, clock, named())?
            }
            Who::Known { tokens, .. } => {
                bearer(&[tokens, &issued], &parts.headers, clock, named())?
            }
            // Who has a token of a project is in that project, and in no other once that has ended.
            Who::Everybody if is_of_project(&parts.headers) => {
                bearer(&[&issued], &parts.headers, clock, None)?
            }
            Who::Everybody => return Ok(Caller::of(asked?.unwrap_or_else(default_project))),
        };
        if grant.actions.as_ref().is_some_and(|actions| !actions.contains(action)) {
            return Err(Refused::new(
                Failure::Forbidden,
                format!("permission: the caller is not allowed {action}"),
            ));
        }
        match (&grant.project, asked?) {
            (Some(own), Some(asked)) if *own != asked => Err(Refused::new(
                Failure::Forbidden,
                format!("permission: the caller belongs to project {own}, and asks for {asked}"),
            )),
            (Some(own), _) => Ok(Caller::of(own.clone())),
            (None, asked) => Ok(Caller::of(asked.unwrap_or_else(default_project))),
        }
    }
}

/// How the token of a project begins.
const TOKEN_BEGINNING: &str = "mock-";

/// Whether a caller presents what looks like the token of a project.
fn is_of_project(headers: &HeaderMap) -> bool {
    let token = headers.get(header::X_AUTH_TOKEN);
    let digits = token.and_then(|token| token.as_bytes().strip_prefix(TOKEN_BEGINNING.as_bytes()));
    digits.is_some_and(|digits| digits.len() == 64 && digits.iter().all(u8::is_ascii_hexdigit))
}

/// Finds what the token in `X-Auth-Token` is good for.
fn bearer<'a>(
    tokens: &[&'a HashMap<[u8; 32], Grant>],
    headers: &HeaderMap,
    clock: &Clock,
    asked: Option<&ProjectId>,
) -> Result<&'a Grant, Box<Refused>> {
    let refused = |reason| Err(Refused::new(Failure::TokenRefused, reason));
    let mut given = headers.get_all(header::X_AUTH_TOKEN).iter();
    let token = match (given.next(), given.next()) {
        (Some(token), None) => digest(token.as_bytes()),
        (None, _) => return refused("credentials: there is neither X-Auth-Token nor a signature"),
        (Some(_), Some(_)) => return refused("token: X-Auth-Token is given more than once"),
    };
    let Some(grant) = tokens.iter().find_map(|tokens| tokens.get(&token)) else {
        return refused(if is_of_project(headers) {
            "token: it is that of a project that has ended"
        } else {
            "token: it is not known"
        });
    };
    if has_expired(grant, clock, asked) {
        return refused("token: it has expired");
    }
    Ok(grant)
}

/// Verifies a signature, and finds what its key is good for.
fn signer<'a>(
    access_keys: &'a HashMap<String, KnownKey>,
    parts: &Parts,
    body: &[u8],
    clock: &Clock,
    asked: Option<&ProjectId>,
) -> Result<&'a Grant, Box<Refused>> {
    let signature = Signature::read(&parts.headers)?;
    let known = access_keys.get(signature.access_key_id()).ok_or(Refusal::UnknownKey)?;
    let now = time_for(&known.grant, clock, asked);
    if known.refusals.lock().is_locked(now) {
        return Err(Refusal::KeyLocked.into());
    }
    let line = RequestLine {
        method: &parts.method,
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        host: parts.uri.authority().map_or(b"", |host| host.as_str().as_bytes()),
    };
    let outcome = if has_expired(&known.grant, clock, asked) {
        Err(Refusal::SecurityToken)
    } else {
        signature.verify_at(now, &known.key, line, &parts.headers, body)
    };
    known.refusals.lock().record(&outcome, now)?;
    if outcome == Err(Refusal::Mismatch) {
        // A signing bug is a riddle unless both sides can compare what they signed.
        let explanation = signature.explain(line, &parts.headers, body);
        tracing::debug!(
            access_key_id = known.key.id(),
            canonical_request = ?explanation.canonical_request,
            string_to_sign = ?explanation.string_to_sign,
            "the signature does not match what the server signs"
        );
        let refused: Box<Refused> = Refusal::Mismatch.into();
        return Err(Box::new(Refused { explanation: Some(explanation), ..*refused }));
    }
    outcome.map(|()| &known.grant).map_err(Into::into)
}

/// The time in the project of a caller: their own, or else the one that they ask for.
fn time_for(grant: &Grant, clock: &Clock, asked: Option<&ProjectId>) -> SystemTime {
    match grant.project.as_ref().or(asked) {
        Some(project) => clock.now_in(project),
        None => clock.now_in(&default_project()),
    }
}

fn has_expired(grant: &Grant, clock: &Clock, asked: Option<&ProjectId>) -> bool {
    grant.expires_at.is_some_and(|time| time_for(grant, clock, asked) >= time)
}

fn digest(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// The caller of an operation that is open to everybody.
pub(crate) fn anybody() -> Caller {
    Caller::of(default_project())
}

pub(crate) fn default_project() -> ProjectId {
    static ID: LazyLock<ProjectId> = LazyLock::new(|| {
        ProjectId::try_from(DEFAULT_PROJECT).expect("the name of the default project is an id")
    });
    ID.clone()
}

/// The project that the caller names, if any.
pub(crate) fn asked_project(headers: &HeaderMap) -> Result<Option<ProjectId>, Invalid> {
    let mut given = headers.get_all(header::X_PROJECT_ID).iter().map(HeaderValue::as_bytes);
    match (given.next(), given.next()) {
        (None, _) => Ok(None),
        // What is no text becomes text that is no id.
        (Some(id), None) => ProjectId::try_from(String::from_utf8_lossy(id).as_ref()).map(Some),
        (Some(_), Some(_)) => Err(Invalid::new("X-Project-Id", "must be given once")),
    }
}
