//! Who is calling, and whether they may.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fabric_model::signature::{AccessKey, Refusal, RequestLine, Signature};
use fabric_model::{ApiError, Failure, Invalid, ProjectId, header};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use parking_lot::Mutex;
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
pub struct Callers(Arc<Who>);

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
        Self(Arc::new(Who::Everybody))
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
        Ok(Self(Arc::new(Who::Known { tokens, access_keys })))
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
        let Who::Known { tokens, access_keys } = &*self.0 else {
            let asked = asked_project(&parts.headers)?;
            return Ok(Caller { project: asked.unwrap_or_else(default_project) });
        };
        let now = clock.now();
        let grant = if Signature::is_given(&parts.headers) {
            signer(access_keys, parts, body, now)?
        } else {
            bearer(tokens, &parts.headers, now)?
        };
        if grant.actions.as_ref().is_some_and(|actions| !actions.contains(action)) {
            tracing::debug!(action, "the caller is not allowed the action");
            return Err(Failure::Forbidden.into());
        }
        match (&grant.project, asked_project(&parts.headers)?) {
            (Some(own), Some(asked)) if *own != asked => {
                tracing::debug!(%own, %asked, "the caller asks for a project that is not theirs");
                Err(Failure::Forbidden.into())
            }
            (Some(own), _) => Ok(Caller { project: own.clone() }),
            (None, asked) => Ok(Caller { project: asked.unwrap_or_else(default_project) }),
        }
    }
}

/// Finds what the token in `X-Auth-Token` is good for.
fn bearer<'a>(
    tokens: &'a HashMap<[u8; 32], Grant>,
    headers: &HeaderMap,
    now: SystemTime,
) -> Result<&'a Grant, Failure> {
    let mut given = headers.get_all(header::X_AUTH_TOKEN).iter();
    let (Some(token), None) = (given.next(), given.next()) else {
        tracing::debug!("there is no token, or more than one");
        return Err(Failure::TokenRefused);
    };
    let Some(grant) = tokens.get(&digest(token.as_bytes())) else {
        tracing::debug!("the token is not known");
        return Err(Failure::TokenRefused);
    };
    if has_expired(grant, now) {
        tracing::debug!("the token has expired");
        return Err(Failure::TokenRefused);
    }
    Ok(grant)
}

/// Verifies a signature, and finds what its key is good for.
fn signer<'a>(
    access_keys: &'a HashMap<String, KnownKey>,
    parts: &Parts,
    body: &[u8],
    now: SystemTime,
) -> Result<&'a Grant, Refusal> {
    let signature = Signature::read(&parts.headers)?;
    let known = access_keys.get(signature.access_key_id()).ok_or(Refusal::UnknownKey)?;
    if known.refusals.lock().is_locked(now) {
        return Err(Refusal::KeyLocked);
    }
    let line = RequestLine {
        method: &parts.method,
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        host: parts.uri.authority().map_or(b"", |host| host.as_str().as_bytes()),
    };
    let outcome = if has_expired(&known.grant, now) {
        Err(Refusal::SecurityToken)
    } else {
        signature.verify_at(now, &known.key, line, &parts.headers, body)
    };
    if outcome == Err(Refusal::Mismatch) && tracing::enabled!(tracing::Level::DEBUG) {
        // A signing bug is a riddle unless both sides can compare what they signed.
        let explanation = signature.explain(line, &parts.headers, body);
        tracing::debug!(
            access_key_id = known.key.id(),
            canonical_request = ?explanation.canonical_request,
            string_to_sign = ?explanation.string_to_sign,
            "the signature does not match what the server signs"
        );
    }
    known.refusals.lock().record(&outcome, now)?;
    outcome.map(|()| &known.grant)
}

fn has_expired(grant: &Grant, now: SystemTime) -> bool {
    grant.expires_at.is_some_and(|time| now >= time)
}

fn digest(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// The caller of an operation that is open to everybody.
pub(crate) fn anybody() -> Caller {
    Caller { project: default_project() }
}

fn default_project() -> ProjectId {
    ProjectId::try_from(DEFAULT_PROJECT).expect("the name of the default project is an id")
}

/// The project that the caller names, if any.
fn asked_project(headers: &HeaderMap) -> Result<Option<ProjectId>, Invalid> {
    let mut given = headers.get_all(header::X_PROJECT_ID).iter().map(HeaderValue::as_bytes);
    match (given.next(), given.next()) {
        (None, _) => Ok(None),
        // What is no text becomes text that is no id.
        (Some(id), None) => ProjectId::try_from(String::from_utf8_lossy(id).as_ref()).map(Some),
        (Some(_), Some(_)) => Err(Invalid::new("X-Project-Id", "must be given once")),
    }
}
