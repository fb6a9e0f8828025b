//! The credentials that callers may present: tokens and access keys, from arguments or a file.

use std::collections::BTreeSet;
use std::time::SystemTime;

use fabric_model::signature::AccessKey;
use fabric_model::{Invalid, ProjectId, header, json, operations};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// A token or an access key that a server knows, with its [`Grant`].
///
/// By default it never expires, allows every action, and is good for the project that the caller names in
/// `X-Project-Id`. `Debug` does not print secrets.
///
/// ```
/// use fabric_server::Credential;
///
/// let token = Credential::parse_token("MIIabc==7a6d1e0f")?;
/// assert_eq!(token.project().unwrap().as_str(), "7a6d1e0f");
/// let key = Credential::parse_access_key("AKIDEXAMPLE:the-secret")?;
/// assert_eq!(key.project(), None);
/// # Ok::<(), fabric_model::Invalid>(())
/// ```
#[derive(Clone, Debug)]
pub struct Credential {
    pub(crate) secret: Secret,
    pub(crate) grant: Grant,
}

/// The secret that a caller presents.
#[derive(Clone, Debug)]
pub(crate) enum Secret {
    Token(SecretString),
    AccessKey(AccessKey),
}

/// What a credential allows. By default it never expires, allows every action, and is good for the
/// project that the caller names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// The one project that it is good for; `None` for the project that the caller names.
    pub project: Option<ProjectId>,
    /// When it expires; `None` for never.
    pub expires_at: Option<SystemTime>,
    /// The actions that it allows; `None` for all.
    pub actions: Option<BTreeSet<String>>,
    /// The user who signed in for it; `None` for credentials that nobody signed in for. Without a project it is
    /// then good for sign-in only: the user chose a domain.
    pub signed_in: Option<SignedIn>,
}

/// A user who signed in with a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The name of the user's domain.
    pub domain: String,
    /// The name of the user.
    pub user: String,
    /// When the user signed in.
    pub at: SystemTime,
    /// The name of the project that the user asked for; `None` for a domain.
    pub project: Option<String>,
}

impl Grant {
    /// Whether it is that of a user who signed in for a domain, so that it is good for sign-in only.
    pub(crate) fn is_of_domain(&self) -> bool {
        self.signed_in.is_some() && self.project.is_none()
    }

    /// Whether it is that of a user.
    pub(crate) fn is_of_user(&self, domain: &str, user: &str) -> bool {
        self.signed_in.as_ref().is_some_and(|it| it.domain == domain && it.user == user)
    }

    /// Whether it has expired at a time.
    #[must_use]
    pub fn has_expired(&self, now: SystemTime) -> bool {
        self.expires_at.is_some_and(|time| now >= time)
    }
}

impl Credential {
    /// A token for `X-Auth-Token`.
    ///
    /// # Errors
    ///
    /// A token that no header can hold.
    pub fn token(token: impl Into<SecretString>) -> Result<Self, Invalid> {
        let token = token.into();
        header::check_token("token", token.expose_secret())?;
        Ok(Self { secret: Secret::Token(token), grant: Grant::default() })
    }

    /// An access key, to sign with.
    #[must_use]
    pub fn access_key(key: AccessKey) -> Self {
        Self { secret: Secret::AccessKey(key), grant: Grant::default() }
    }

    /// Reads `TOKEN[=PROJECT]`. What follows the last `=` is the project, unless nothing does: tokens
    /// are often Base64, and end in `=`.
    ///
    /// # Errors
    ///
    /// A token that no header can hold, or a project that is none. Neither is in the error.
    pub fn parse_token(text: &str) -> Result<Self, Invalid> {
        let (token, project) = split_project(text)?;
        Ok(Self::token(token)?.for_project(project))
    }

    /// Reads `AK:SK[=PROJECT]`, with the project as in [`Self::parse_token`].
    ///
    /// # Errors
    ///
    /// No `:`, or a key or project that is none. The secret is not in the error.
    pub fn parse_access_key(text: &str) -> Result<Self, Invalid> {
        let (key, project) = split_project(text)?;
        let (id, secret) = key
            .split_once(':')
            .ok_or_else(|| Invalid::new("access key", "must be AK:SK or AK:SK=PROJECT"))?;
        Ok(Self::access_key(AccessKey::new(id, secret)?).for_project(project))
    }

    /// Reads a credentials file: a JSON object with `tokens` and `access_keys`. Its `users` and `projects`, by
    /// which a mock server lets users sign in, are left aside.
    ///
    /// ```
    /// use fabric_server::Credential;
    ///
    /// let credentials = Credential::parse_file(r#"{
    ///     "tokens": [
    ///         { "token": "MIIabc" },
    ///         {
    ///             "token": "MIIdef",
    ///             "project_id": "7a6d1e0f",
    ///             "expires_at": "2030-01-01T00:00:00Z",
    ///             "actions": ["DataArtsFabric::showVpcepClient"]
    ///         }
    ///     ],
    ///     "access_keys": [
    ///         { "access_key_id": "AKIDEXAMPLE", "secret_access_key": "the secret", "security_token": "if temporary" }
    ///     ]
    /// }"#)?;
    /// assert_eq!(credentials.len(), 3);
    /// # Ok::<(), fabric_model::Invalid>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Field and rule of what is wrong, never a value.
    pub fn parse_file(json: &str) -> Result<Vec<Self>, Invalid> {
        let File { tokens, access_keys, .. } =
            json::read(json.strip_prefix('\u{feff}').unwrap_or(json).as_bytes())
                .map_err(in_file)?;
        let tokens = tokens.into_iter().enumerate().map(|(place, entry)| {
            let credential = Self::token(entry.token).and_then(|token| {
                token.granted(entry.project_id, entry.expires_at.as_deref(), entry.actions)
            });
            credential.map_err(|invalid| below(&format!("tokens[{place}]"), &invalid))
        });
        let access_keys = access_keys.into_iter().enumerate().map(|(place, entry)| {
            let key = AccessKey::new(entry.access_key_id, entry.secret_access_key);
            let key = key.and_then(|key| match entry.security_token {
                Some(token) => key.with_security_token(token),
                None => Ok(key),
            });
            let credential = key.and_then(|key| {
                let expires_at = entry.expires_at.as_deref();
                Self::access_key(key).granted(entry.project_id, expires_at, entry.actions)
            });
            credential.map_err(|invalid| below(&format!("access_keys[{place}]"), &invalid))
        });
        tokens.chain(access_keys).collect()
    }

    /// Limits it to one project, if one is given.
    #[must_use]
    pub fn for_project(mut self, project: Option<ProjectId>) -> Self {
        self.grant.project = project;
        self
    }

    /// Lets it expire at a time.
    #[must_use]
    pub fn until(mut self, time: SystemTime) -> Self {
        self.grant.expires_at = Some(time);
        self
    }

    /// Limits it to these actions, such as `DataArtsFabric::showVpcepClient`: see
    /// [`Operation::ACTION`](fabric_model::Operation::ACTION).
    ///
    /// # Errors
    ///
    /// An action that no operation needs.
    pub fn allowing(
        mut self,
        actions: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, Invalid> {
        self.grant.actions = Some(checked_actions(actions)?);
        Ok(self)
    }

    /// The one project that it is good for.
    #[must_use]
    pub fn project(&self) -> Option<&ProjectId> {
        self.grant.project.as_ref()
    }

    fn granted(
        self,
        project: Option<String>,
        expires_at: Option<&str>,
        actions: Option<Vec<String>>,
    ) -> Result<Self, Invalid> {
        let project = project.map(parse_project).transpose()?;
        let mut credential = self.for_project(project);
        if let Some(time) = expires_at {
            credential = credential
                .until(humantime::parse_rfc3339(time).map_err(|_| {
                    Invalid::new("expires_at", "must be like 2030-01-01T00:00:00Z")
                })?);
        }
        match actions {
            Some(actions) => credential.allowing(actions),
            None => Ok(credential),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    tokens: Vec<TokenEntry>,
    #[serde(default)]
    access_keys: Vec<AccessKeyEntry>,
    #[serde(default, rename = "users")]
    _users: IgnoredAny,
    #[serde(default, rename = "projects")]
    _projects: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenEntry {
    token: SecretString,
    project_id: Option<String>,
    expires_at: Option<String>,
    actions: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessKeyEntry {
    access_key_id: String,
    secret_access_key: SecretString,
    security_token: Option<SecretString>,
    project_id: Option<String>,
    expires_at: Option<String>,
    actions: Option<Vec<String>>,
}

fn split_project(text: &str) -> Result<(&str, Option<ProjectId>), Invalid> {
    match text.rsplit_once('=') {
        None | Some((_, "")) => Ok((text, None)),
        Some((secret, project)) => Ok((secret, Some(parse_project(project.to_owned())?))),
    }
}

fn parse_project(text: String) -> Result<ProjectId, Invalid> {
    ProjectId::try_from(text)
        .map_err(|invalid| Invalid::new("project", &invalid.violations()[0].rule))
}

/// The actions, if operations need them.
pub(crate) fn checked_actions(
    actions: impl IntoIterator<Item = impl Into<String>>,
) -> Result<BTreeSet<String>, Invalid> {
    let actions: BTreeSet<String> = actions.into_iter().map(Into::into).collect();
    let known = known_actions();
    if actions.iter().all(|action| known.contains(action.as_str())) {
        return Ok(actions);
    }
    let known = known.into_iter().collect::<Vec<_>>().join(", ");
    Err(Invalid::new("actions", format!("must be some of {known}")))
}

/// The same violation, of something in a list.
pub(crate) fn below(parent: &str, invalid: &Invalid) -> Invalid {
    let violation = &invalid.violations()[0];
    Invalid::new(format!("{parent}.{}", violation.field), &violation.rule)
}

/// The same violation, of a file. A field that is not known is not named: it may be a secret in the wrong
/// place.
pub(crate) fn in_file(invalid: Invalid) -> Invalid {
    let violation = &invalid.violations()[0];
    let parent = violation.field.rsplit_once('.').map_or("file", |(parent, _)| parent);
    if violation.rule.starts_with("expected ") && violation.rule.contains('`') {
        return Invalid::new(parent, format!("has an unknown field, {}", violation.rule));
    }
    match violation.field.as_str() {
        "body" => Invalid::new("file", &violation.rule),
        _ => invalid,
    }
}

fn known_actions() -> BTreeSet<&'static str> {
    operations().iter().filter_map(|operation| operation.action).collect()
}
