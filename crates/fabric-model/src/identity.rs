//! Sign-in: the part of the identity service that gives out tokens and temporary keys, and knows projects.
//!
//! None of it is an operation of DataArts Fabric itself, so none of it is in [`operations`](crate::operations()):
//! it has lists and a document of its own. The header `X-Subject-Token` is
//! [`X_SUBJECT_TOKEN`](crate::header::X_SUBJECT_TOKEN).

mod create_temporary_key;
mod create_token;
mod failure;
mod list_auth_domains;
mod list_auth_projects;
mod list_projects;
mod secret;
mod token;
mod validate_token;

pub use create_temporary_key::{
    Condition, CreateTemporaryKey, Effect, Policy, PolicyStatement, TemporaryKey,
    TemporaryKeyAnswer, TemporaryKeyAuth, TemporaryKeyCreate, TemporaryKeyIdentity,
    TemporaryKeyToken, TokenMethod,
};
pub use create_token::{
    CreateToken, PasswordAuth, PasswordIdentity, PasswordMethod, PasswordOfUser, Scope,
    ScopeDomain, ScopeProject, SignIn, UserDomain, UserPassword,
};
pub use failure::IdentityFailure;
pub use list_auth_domains::{Domain, DomainList, ListAuthDomains};
pub use list_auth_projects::ListAuthProjects;
pub use list_projects::{ListProjects, ListProjectsQuery, Project, ProjectList};
pub use secret::Secret;
pub use token::{
    CatalogEndpoint, CatalogEntry, DomainOfToken, ProjectOfToken, Role, Token, TokenAnswer,
    TokenQuery, UserOfToken,
};
pub use validate_token::ValidateToken;

use std::sync::LazyLock;

use fabric_model_macros::contract;

use crate::{Failure, Identified, Operation, OperationInfo, OperationVisitor, Resource};

/// Visits every operation of sign-in, in the order of their document.
pub fn visit_operations(visitor: &mut impl OperationVisitor) {
    visitor.visit::<CreateToken>();
    visitor.visit::<ValidateToken>();
    visitor.visit::<ListProjects>();
    visitor.visit::<ListAuthProjects>();
    visitor.visit::<ListAuthDomains>();
    visitor.visit::<CreateTemporaryKey>();
}

/// The constants of every operation of sign-in, in the order of their document.
#[must_use]
pub fn operations() -> &'static [&'static OperationInfo] {
    struct Collect(Vec<&'static OperationInfo>);
    impl OperationVisitor for Collect {
        fn visit<O: Operation>(&mut self) {
            self.0.push(O::INFO);
        }
    }
    static OPERATIONS: LazyLock<Vec<&'static OperationInfo>> = LazyLock::new(|| {
        let mut collect = Collect(Vec::new());
        visit_operations(&mut collect);
        collect.0
    });
    &OPERATIONS
}

/// The constants of the operation of sign-in with an id, such as `KeystoneListProjects`.
#[must_use]
pub fn operation(id: &str) -> Option<&'static OperationInfo> {
    operations().iter().copied().find(|operation| operation.id == id)
}

/// Whether an operation is one of sign-in.
#[must_use]
pub fn is_sign_in(operation: &OperationInfo) -> bool {
    self::operation(operation.id).is_some()
}

/// What is documented to go wrong with every list.
const FAILURES_OF_LISTS: &[Failure] = &[
    Failure::InvalidRequest,
    Failure::TokenRejected,
    Failure::Forbidden,
    Failure::NotFound,
    Failure::Internal,
    Failure::Unavailable,
];

/// The tokens that users get for their passwords.
#[derive(Clone, Copy, Debug)]
pub struct Tokens;

impl Resource for Tokens {
    const NAME: &'static str = "tokens";
    const SINGULAR: &'static str = "token";
    const DESCRIPTION: &'static str = "What a user gets for a password, and calls with";
    const ID_PARAMETER: Option<&'static str> = None;

    type Answer = TokenAnswer;
}

/// The projects that callers may use.
#[derive(Clone, Copy, Debug)]
pub struct Projects;

impl Resource for Projects {
    const NAME: &'static str = "projects";
    const SINGULAR: &'static str = "project";
    const DESCRIPTION: &'static str = "What the records of the service belong to";
    const ID_PARAMETER: Option<&'static str> = None;

    type Answer = Project;
}

/// The domains, which are the accounts that users and projects belong to.
#[derive(Clone, Copy, Debug)]
pub struct Domains;

impl Resource for Domains {
    const NAME: &'static str = "domains";
    const SINGULAR: &'static str = "domain";
    const DESCRIPTION: &'static str = "The accounts that users and projects belong to";
    const ID_PARAMETER: Option<&'static str> = None;

    type Answer = Domain;
}

/// Access keys that expire, and are used with a security token.
#[derive(Clone, Copy, Debug)]
pub struct TemporaryKeys;

impl Resource for TemporaryKeys {
    const NAME: &'static str = "temporary-keys";
    const SINGULAR: &'static str = "temporary key";
    const DESCRIPTION: &'static str = "Access keys that expire, and sign with a security token";
    const ID_PARAMETER: Option<&'static str> = None;

    type Answer = TemporaryKeyAnswer;
}

/// Where an answer is found, and its neighbours.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct Links {
    /// The URL of the page after this one; absent if there is none.
    pub next: Option<String>,

    /// The URL of the page before this one; absent if there is none.
    pub previous: Option<String>,

    /// The URL of the answer itself.
    #[rule(required, example = "https://iam.myhuaweicloud.com/v3/auth/projects")]
    #[serde(rename = "self")]
    pub itself: Option<String>,
}

impl Links {
    /// The link of an answer that has no neighbours.
    #[must_use]
    pub fn to(url: impl Into<String>) -> Self {
        Self { itself: Some(url.into()), ..Self::default() }
    }
}

impl Identified for Project {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl Identified for Domain {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

/// A token has no id in its answer: it stands in a header.
impl Identified for TokenAnswer {
    fn id(&self) -> Option<&str> {
        None
    }
}

impl Identified for TemporaryKeyAnswer {
    fn id(&self) -> Option<&str> {
        self.credential.as_ref()?.access.as_deref()
    }
}
