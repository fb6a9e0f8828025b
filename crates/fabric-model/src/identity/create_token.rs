//! `KeystoneCreateUserTokenByPassword`: POST /v3/auth/tokens.

use fabric_model_macros::contract;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::secret::Secret;
use super::token::{TokenAnswer, TokenQuery, Tokens, example};
use crate::{Example, Failure, Nothing, Operation, Request};

/// Gives a user a token for a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateToken;

impl Operation for CreateToken {
    const ID: &'static str = "KeystoneCreateUserTokenByPassword";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/v3/auth/tokens";
    const SUCCESS: StatusCode = StatusCode::CREATED;
    const ACTION: Option<&'static str> = None;
    const IS_SIGN_IN: bool = true;
    const IS_OPEN: bool = true;
    const FAILURES: &'static [Failure] = &[
        Failure::InvalidRequest,
        Failure::TokenRejected,
        Failure::Forbidden,
        Failure::NotFound,
        Failure::Internal,
        Failure::Unavailable,
    ];
    const SUMMARY: &'static str = "Get a token for a password";
    const DESCRIPTION: &'static str = "Answers a token for the name and password of a user, in the header \
        `X-Subject-Token`. It is good for one project or one domain, and for 24 hours.\n\n\
        Not documented, but decided here: the scope names either a project or a domain, by its id or its name; \
        anything else is 400. An unknown user, a wrong password and a disabled user are answered alike: 401. \
        A project or domain that does not exist, or is not one of the user's, is 404. A token for a domain is \
        good for sign-in only. While many others sign in, a caller may be rejected with 503.";
    const RESPONSE_HEADER: Option<&'static str> = Some("X-Subject-Token");

    type Resource = Tokens;
    type Path = Nothing;
    type Query = TokenQuery;
    type Body = SignIn;
    type Response = TokenAnswer;

    fn example() -> Example<Self> {
        let body = SignIn::new("IAMDomain", "IAMUser", "IAMPassword", Scope::project("cn-north-1"));
        let query = TokenQuery::without_catalog();
        Example { request: Request { path: Nothing {}, query, body }, response: example() }
    }
}

/// Who signs in, and for what.
#[contract(request)]
#[derive(Default, Eq)]
pub struct SignIn {
    /// Who signs in, and for what.
    #[rule(nested)]
    pub auth: PasswordAuth,
}

impl SignIn {
    /// A user of a domain signs in with a password.
    #[must_use]
    pub fn new(
        domain: impl Into<String>,
        user: impl Into<String>,
        password: impl Into<Secret>,
        scope: Scope,
    ) -> Self {
        let user = UserPassword {
            domain: UserDomain { name: domain.into() },
            name: user.into(),
            password: password.into(),
        };
        let password = PasswordOfUser { user };
        let identity = PasswordIdentity { methods: vec![PasswordMethod::Password], password };
        Self { auth: PasswordAuth { identity, scope } }
    }
}

/// Who signs in, and for what.
#[contract(request)]
#[derive(Default, Eq)]
pub struct PasswordAuth {
    /// Who signs in.
    #[rule(nested)]
    pub identity: PasswordIdentity,

    /// What the token is to be good for.
    #[rule(nested)]
    pub scope: Scope,
}

/// Who signs in, and how.
#[contract(request)]
#[derive(Default, Eq)]
pub struct PasswordIdentity {
    /// How: exactly `password`.
    #[rule(items = 1..=1, required)]
    pub methods: Vec<PasswordMethod>,

    /// The user and the password.
    #[rule(nested)]
    pub password: PasswordOfUser,
}

/// The way to sign in with a password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum PasswordMethod {
    /// With a password.
    #[default]
    Password,
}

/// The user who signs in.
#[contract(request)]
#[derive(Default, Eq)]
pub struct PasswordOfUser {
    /// The user and the password.
    #[rule(nested)]
    pub user: UserPassword,
}

/// A user and the password.
#[contract(request)]
#[derive(Default, Eq)]
pub struct UserPassword {
    /// The domain of the user.
    #[rule(nested)]
    pub domain: UserDomain,

    /// The name of the user.
    #[rule(example = "IAMUser")]
    pub name: String,

    /// The password of the user.
    #[rule(inline)]
    pub password: Secret,
}

/// The domain of a user who signs in.
#[contract(request)]
#[derive(Default, Eq)]
pub struct UserDomain {
    /// The name of the domain.
    #[rule(example = "IAMDomain")]
    pub name: String,
}

/// What a token is to be good for: either a project or a domain.
#[contract(request)]
#[derive(Default, Eq)]
pub struct Scope {
    /// The domain, for services that know no projects.
    #[rule(nested)]
    pub domain: Option<ScopeDomain>,

    /// The project.
    #[rule(nested)]
    pub project: Option<ScopeProject>,
}

impl Scope {
    /// A project by its name, which is that of a region: `cn-north-4`.
    #[must_use]
    pub fn project(name: impl Into<String>) -> Self {
        let project = ScopeProject { id: None, name: Some(name.into()) };
        Self { domain: None, project: Some(project) }
    }

    /// A project by its id.
    #[must_use]
    pub fn project_id(id: impl Into<String>) -> Self {
        let project = ScopeProject { id: Some(id.into()), name: None };
        Self { domain: None, project: Some(project) }
    }

    /// A domain by its name.
    #[must_use]
    pub fn domain(name: impl Into<String>) -> Self {
        let domain = ScopeDomain { id: None, name: Some(name.into()) };
        Self { domain: Some(domain), project: None }
    }
}

/// The domain that a token is to be good for: either its id or its name.
#[contract(request)]
#[derive(Default, Eq)]
pub struct ScopeDomain {
    /// The id.
    #[rule(example = "d78cbac186b744899480f25bd022f468")]
    pub id: Option<String>,

    /// The name.
    #[rule(example = "IAMDomain")]
    pub name: Option<String>,
}

/// The project that a token is to be good for: either its id or its name.
#[contract(request)]
#[derive(Default, Eq)]
pub struct ScopeProject {
    /// The id.
    #[rule(example = "aa2d97d7e62c4b7da3ffdfc11551f878")]
    pub id: Option<String>,

    /// The name.
    #[rule(example = "cn-north-1")]
    pub name: Option<String>,
}
