//! Users and named projects: from the credentials file, and from the control surface.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fabric_model::identity::Secret;
use fabric_model::{Invalid, ProjectId, json};
use parking_lot::{RwLock, RwLockReadGuard};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::api::credentials::{below, checked_actions, in_file};
use crate::mock::identity::passwords::PasswordHash;

/// The domain of whoever names none.
pub(crate) const DEFAULT_DOMAIN: &str = "default";

/// The users who may sign in, and the names of projects. By default there are none.
///
/// ```
/// use fabric_server::Accounts;
///
/// let accounts = Accounts::parse_file(r#"{
///     "users": [
///         {
///             "domain": "IAMDomain",
///             "name": "IAMUser",
///             "password": "IAMPassword",
///             "project_ids": ["7a6d1e0f4c3b48d29e5f8a7b6c5d4e3f"],
///             "actions": ["DataArtsFabric::showVpcepClient"]
///         }
///     ],
///     "projects": [
///         { "project_id": "7a6d1e0f4c3b48d29e5f8a7b6c5d4e3f", "name": "cn-north-4", "domain": "IAMDomain" }
///     ]
/// }"#)?;
/// assert!(!accounts.is_empty());
/// assert!(!format!("{accounts:?}").contains("IAMPassword"));
/// # Ok::<(), fabric_model::Invalid>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// By domain and name.
    users: BTreeMap<(String, String), Arc<User>>,
    projects: BTreeMap<ProjectId, KnownProject>,
}

/// A user who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) password: PasswordHash,
    pub(crate) is_enabled: bool,
    pub(crate) project_ids: Option<Vec<ProjectId>>,
    pub(crate) actions: Option<BTreeSet<String>>,
}

impl User {
    pub(crate) fn status(&self, domain: String, name: String) -> UserStatus {
        UserStatus {
            id: user_id(&domain, &name),
            domain,
            name,
            enabled: self.is_enabled,
            project_ids: self.project_ids.clone(),
            actions: self.actions.clone(),
        }
    }
}

/// A user to add: in a credentials file, or by the control surface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The name of the user's domain, 1 to 64 characters; `default` when absent.
    #[serde(default = "default_domain")]
    #[schema(min_length = 1, max_length = 64)]
    pub domain: String,
    /// The name, 1 to 64 characters.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// The password. Only its hash is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Password, nullable = false)]
    pub password: Option<Secret>,
    /// In place of the password, its Argon2 hash: `$argon2id$v=19$m=4096,t=3,p=1$…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub password_hash: Option<Secret>,
    /// Whether the user may sign in; `true` when absent.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// The projects that the user may use. When absent, the named ones of the domain; any, if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    pub project_ids: Option<Vec<ProjectId>>,
    /// The actions that the user is allowed; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub actions: Option<Vec<String>>,
}

fn default_domain() -> String {
    DEFAULT_DOMAIN.to_owned()
}

fn enabled() -> bool {
    true
}

impl NewUser {
    /// A user of a domain, with a password, who may use any project and call every operation.
    #[must_use]
    pub fn new(
        domain: impl Into<String>,
        name: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Self {
        Self {
            domain: domain.into(),
            name: name.into(),
            password: Some(password.into()),
            password_hash: None,
            enabled: true,
            project_ids: None,
            actions: None,
        }
    }

    /// The user as it is kept. It takes a while: a password is hashed.
    pub(crate) fn checked(self) -> Result<(UserKey, User), Invalid> {
        check_name("domain", &self.domain)?;
        check_name("name", &self.name)?;
        let lengths = [
            ("project_ids", self.project_ids.as_ref().map_or(0, Vec::len)),
            ("actions", self.actions.as_ref().map_or(0, Vec::len)),
        ];
        for (field, length) in lengths {
            if length > OF_USER_MAX {
                let rule = format!("must have at most {OF_USER_MAX} items");
                return Err(Invalid::new(field, rule));
            }
        }
        let password = match (self.password, self.password_hash) {
            (Some(password), None) if !password.expose().is_empty() => PasswordHash::of(&password),
            (None, Some(hash)) => PasswordHash::parse(hash.expose())?,
            _ => {
                let rule =
                    "must have one or more characters, or password_hash must be there in its place";
                return Err(Invalid::new("password", rule));
            }
        };
        let user = User {
            password,
            is_enabled: self.enabled,
            project_ids: self.project_ids,
            actions: self.actions.map(checked_actions).transpose()?,
        };
        Ok(((self.domain, self.name), user))
    }
}

/// Domain and name.
pub(crate) type UserKey = (String, String);

/// A user, as the control surface shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserStatus {
    /// The id, which follows from domain and name.
    pub id: String,
    /// The name of the user's domain.
    pub domain: String,
    /// The name.
    pub name: String,
    /// Whether the user may sign in.
    pub enabled: bool,
    /// The projects that the user may use.
    #[schema(value_type = Option<Vec<String>>)]
    pub project_ids: Option<Vec<ProjectId>>,
    /// The actions that the user is allowed.
    pub actions: Option<BTreeSet<String>>,
}

/// The name of a project, which is mostly that of a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectName {
    /// The project.
    #[schema(value_type = String)]
    pub project_id: ProjectId,
    /// Its name, 1 to 64 characters, such as `cn-north-4`.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// The name of its domain, 1 to 64 characters; `default` when absent.
    #[serde(default = "default_domain")]
    #[schema(min_length = 1, max_length = 64)]
    pub domain: String,
}

impl ProjectName {
    pub(crate) fn checked(self) -> Result<KnownProject, Invalid> {
        check_name("name", &self.name)?;
        check_name("domain", &self.domain)?;
        Ok(KnownProject { name: self.name, id: self.project_id, domain: self.domain })
    }
}

fn check_name(field: &str, name: &str) -> Result<(), Invalid> {
    const MAX_LENGTH: usize = 64;
    if (1..=MAX_LENGTH).contains(&name.chars().count()) {
        return Ok(());
    }
    Err(Invalid::new(field, format!("must have 1 to {MAX_LENGTH} characters")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    users: Vec<NewUser>,
    #[serde(default)]
    projects: Vec<ProjectName>,
    #[serde(default, rename = "tokens")]
    _tokens: IgnoredAny,
    #[serde(default, rename = "access_keys")]
    _access_keys: IgnoredAny,
}

/// Accounts as a snapshot has them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedAccounts {
    #[serde(default)]
    users: Vec<NewUser>,
    #[serde(default)]
    projects: Vec<ProjectName>,
}

impl Accounts {
    /// Reads the `users` and `projects` of a credentials file, and leaves the rest of it aside, which
    /// [`Credential::parse_file`](crate::Credential::parse_file) reads. Hashing passwords takes a while.
    ///
    /// # Errors
    ///
    /// Field and rule of what is wrong, never a value.
    pub fn parse_file(json: &str) -> Result<Self, Invalid> {
        let File { users, projects, .. } =
            json::read(json.strip_prefix('\u{feff}').unwrap_or(json).as_bytes())
                .map_err(in_file)?;
        Self::checked(users, projects)
    }

    fn checked(users: Vec<NewUser>, projects: Vec<ProjectName>) -> Result<Self, Invalid> {
        let mut accounts = Self::default();
        for (place, user) in users.into_iter().enumerate() {
            let place = format!("users[{place}]");
            let (key, user) = user.checked().map_err(|invalid| below(&place, &invalid))?;
            if accounts.users.insert(key, Arc::new(user)).is_some() {
                return Err(Invalid::new(place, "must not be there twice"));
            }
        }
        for (place, project) in projects.into_iter().enumerate() {
            let place = format!("projects[{place}]");
            let project = project.checked().map_err(|invalid| below(&place, &invalid))?;
            if accounts.projects.insert(project.id.clone(), project).is_some() {
                return Err(Invalid::new(place, "must not be there twice"));
            }
        }
        Ok(accounts)
    }

    /// Whether nobody can sign in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// How many users can sign in.
    #[must_use]
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// The accounts for a snapshot, if there are any.
    pub(crate) fn saved(&self) -> Option<SavedAccounts> {
        let users = self.users.iter().map(|((domain, name), user)| NewUser {
            domain: domain.clone(),
            name: name.clone(),
            password: None,
            password_hash: Some(user.password.as_str().into()),
            enabled: user.is_enabled,
            project_ids: user.project_ids.clone(),
            actions: user.actions.clone().map(|actions| actions.into_iter().collect()),
        });
        let projects = self.projects.values().map(|known| ProjectName {
            project_id: known.id.clone(),
            name: known.name.clone(),
            domain: known.domain.clone(),
        });
        let saved = SavedAccounts { users: users.collect(), projects: projects.collect() };
        (!saved.users.is_empty() || !saved.projects.is_empty()).then_some(saved)
    }

    /// The accounts of a snapshot.
    pub(crate) fn of_saved(saved: SavedAccounts) -> Result<Self, Invalid> {
        for (count, most, field) in
            [(saved.users.len(), USERS_MAX, "users"), (saved.projects.len(), NAMES_MAX, "projects")]
        {
            if count > most {
                return Err(Invalid::new(field, format!("must have at most {most} items")));
            }
        }
        // A snapshot is written with hashes; each password in their place takes as long as a sign-in.
        if saved.users.iter().filter(|user| user.password.is_some()).count() > PASSWORDS_MAX {
            let rule = format!("must have a password_hash, but for {PASSWORDS_MAX} of them");
            return Err(Invalid::new("users", rule));
        }
        Self::checked(saved.users, saved.projects)
    }
}

/// The accounts of a server: those that it was started with, and those that were added since, which count more.
#[derive(Debug)]
pub(crate) struct Directory {
    first: Accounts,
    added: RwLock<Accounts>,
}

/// How many passwords a snapshot may have that are not hashed.
const PASSWORDS_MAX: usize = 100;

/// How many users may be added.
const USERS_MAX: usize = 1_000;

/// How many names of projects may be added.
const NAMES_MAX: usize = 10_000;

/// How many projects, and how many actions, a user may have.
const OF_USER_MAX: usize = 1_000;

/// Why an account cannot be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There are too many.
    Full,
    /// There is no such user.
    Unknown,
    /// It is one of those that the server was started with.
    Fixed,
}

impl Directory {
    pub(crate) fn new(first: Accounts) -> Self {
        Self { first, added: RwLock::default() }
    }

    /// The user of a domain with a name.
    pub(crate) fn user(&self, domain: &str, name: &str) -> Option<Arc<User>> {
        self.user_in(&self.added.read(), domain, name)
    }

    fn user_in(&self, added: &Accounts, domain: &str, name: &str) -> Option<Arc<User>> {
        let key = (domain.to_owned(), name.to_owned());
        added.users.get(&key).or_else(|| self.first.users.get(&key)).cloned()
    }

    /// Acts while a user stays as it is; `None` if it is another by now.
    pub(crate) fn while_unchanged<T>(
        &self,
        domain: &str,
        name: &str,
        user: Option<&Arc<User>>,
        act: impl FnOnce() -> T,
    ) -> Option<T> {
        let added: RwLockReadGuard<'_, Accounts> = self.added.read();
        let now = self.user_in(&added, domain, name);
        let is_same = match (user, &now) {
            (Some(before), Some(now)) => Arc::ptr_eq(before, now),
            (None, None) => true,
            _ => false,
        };
        is_same.then(act)
    }

    /// Adds a user, or replaces it, and does what must follow before anybody sees it.
    pub(crate) fn put_user(
        &self,
        key: UserKey,
        user: User,
        then: impl FnOnce(),
    ) -> Result<(), Refused> {
        let mut added = self.added.write();
        if added.users.len() >= USERS_MAX && !added.users.contains_key(&key) {
            return Err(Refused::Full);
        }
        added.users.insert(key, Arc::new(user));
        then();
        Ok(())
    }

    /// Removes a user that was added, and does what must follow before anybody sees it.
    pub(crate) fn remove_user(
        &self,
        domain: &str,
        name: &str,
        then: impl FnOnce(),
    ) -> Result<(), Refused> {
        let mut added = self.added.write();
        let key = (domain.to_owned(), name.to_owned());
        // One that was replaced, and perhaps disabled, is not to come back by being removed.
        if self.first.users.contains_key(&key) {
            return Err(Refused::Fixed);
        }
        added.users.remove(&key).ok_or(Refused::Unknown)?;
        then();
        Ok(())
    }

    /// Every user, by domain and name.
    pub(crate) fn users(&self) -> Vec<UserStatus> {
        let mut all = self.first.users.clone();
        all.extend(self.added.read().users.clone());
        all.into_iter().map(|((domain, name), user)| user.status(domain, name)).collect()
    }

    /// Names a project.
    pub(crate) fn name_project(&self, project: KnownProject) -> Result<(), Refused> {
        let mut added = self.added.write();
        if added.projects.len() >= NAMES_MAX && !added.projects.contains_key(&project.id) {
            return Err(Refused::Full);
        }
        added.projects.insert(project.id.clone(), project);
        Ok(())
    }

    /// Takes back the name of a project that was added.
    pub(crate) fn forget_project(&self, id: &ProjectId) {
        self.added.write().projects.remove(id);
    }

    /// The project with an id, if somebody has named it.
    pub(crate) fn project(&self, id: &ProjectId) -> Option<KnownProject> {
        let added = self.added.read();
        added.projects.get(id).or_else(|| self.first.projects.get(id)).cloned()
    }

    /// The projects that somebody has named and that fit, by their ids. Only those are copied.
    pub(crate) fn projects(&self, fits: impl Fn(&KnownProject) -> bool) -> Vec<KnownProject> {
        let added = self.added.read();
        let first = self.first.projects.iter();
        let first = first.filter(|(id, _)| !added.projects.contains_key(*id));
        let all = first.chain(&added.projects).map(|(_, known)| known);
        let mut fitting: Vec<_> = all.filter(|known| fits(known)).cloned().collect();
        fitting.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        fitting
    }

    /// What was added.
    pub(crate) fn added(&self) -> Accounts {
        self.added.read().clone()
    }

    /// Makes this all that was added.
    pub(crate) fn restore(&self, added: Accounts) {
        *self.added.write() = added;
    }
}

/// An id that follows from a name: 32 hexadecimal digits.
pub(crate) fn made_up_id(kind: &str, name: &str) -> String {
    let digest = Sha256::digest(format!("{kind}\0{name}"));
    hex::encode(&digest[..16])
}

/// The id of a domain.
pub(crate) fn domain_id(name: &str) -> String {
    made_up_id("domain", name)
}

/// The id of a user.
pub(crate) fn user_id(domain: &str, name: &str) -> String {
    made_up_id("user", &format!("{domain}\0{name}"))
}

/// A project with its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KnownProject {
    pub(crate) name: String,
    pub(crate) id: ProjectId,
    /// The name of its domain.
    pub(crate) domain: String,
}

impl KnownProject {
    /// The project with an id. If nobody has named it, its id is its name, and it is of `domain`.
    pub(crate) fn with_id(id: &ProjectId, domain: &str, directory: &Directory) -> Self {
        directory.project(id).unwrap_or_else(|| Self {
            name: id.to_string(),
            id: id.clone(),
            domain: domain.to_owned(),
        })
    }
}
