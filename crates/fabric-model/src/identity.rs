//! Sign-in: the part of the identity service that gives out tokens and temporary keys, and knows projects.
//!
//! None of it is an operation of DataArts Fabric itself, so none of it is in [`operations`](crate::operations()):
//! it has lists and a document of its own. The header `X-Subject-Token` is
//! [`X_SUBJECT_TOKEN`](crate::header::X_SUBJECT_TOKEN).

mod create_temporary_key;
mod create_token;
mod failure;
mod links;
mod list_auth_domains;
mod list_auth_projects;
mod list_projects;
mod operations;
mod secret;
mod token;
mod validate_token;

pub use create_temporary_key::{
    Condition, CreateTemporaryKey, Effect, Policy, PolicyStatement, TemporaryKey,
    TemporaryKeyAnswer, TemporaryKeyAuth, TemporaryKeyCreate, TemporaryKeyIdentity,
    TemporaryKeyToken, TemporaryKeys, TokenMethod,
};
pub use create_token::{
    CreateToken, PasswordAuth, PasswordIdentity, PasswordMethod, PasswordOfUser, Scope,
    ScopeDomain, ScopeProject, SignIn, UserDomain, UserPassword,
};
pub use failure::IdentityFailure;
pub use links::Links;
pub use list_auth_domains::{Domain, DomainList, Domains, ListAuthDomains};
pub use list_auth_projects::ListAuthProjects;
pub use list_projects::{ListProjects, ListProjectsQuery, Project, ProjectList, Projects};
pub use operations::{operation, operations, visit_operations};
pub use secret::Secret;
pub use token::{
    CatalogEndpoint, CatalogEntry, DomainOfToken, ProjectOfToken, Role, Token, TokenAnswer,
    TokenQuery, Tokens, UserOfToken,
};
pub use validate_token::ValidateToken;
