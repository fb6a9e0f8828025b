//! `CreateTemporaryAccessKeyByToken`: POST /v3.0/OS-CREDENTIAL/securitytokens.

use std::collections::BTreeMap;

use fabric_model_macros::contract;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::Secret;
use crate::{Example, Failure, Identified, Nothing, Operation, Request, Resource};

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

impl Identified for TemporaryKeyAnswer {
    fn id(&self) -> Option<&str> {
        self.credential.as_ref()?.access.as_deref()
    }
}

/// Gives the holder of a token an access key that expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateTemporaryKey;

impl Operation for CreateTemporaryKey {
    const ID: &'static str = "CreateTemporaryAccessKeyByToken";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/v3.0/OS-CREDENTIAL/securitytokens";
    const SUCCESS: StatusCode = StatusCode::CREATED;
    const ACTION: Option<&'static str> = None;
    const IS_SIGN_IN: bool = true;
    const FAILURES: &'static [Failure] =
        &[Failure::InvalidRequest, Failure::TokenRejected, Failure::Forbidden, Failure::Internal];
    const SUMMARY: &'static str = "Get a temporary access key for a token";
    const DESCRIPTION: &'static str = "Answers an access key that is good for 15 minutes to 24 hours. Requests \
        signed with it carry its security token in `X-Security-Token`.\n\n\
        Not documented, but decided here: the token in `X-Auth-Token` counts, and that in the body only where \
        there is no header; the key is good for what the token is, and may outlive it. A `policy` must have the \
        right form, and restricts nothing.";

    type Resource = TemporaryKeys;
    type Path = Nothing;
    type Query = Nothing;
    type Body = TemporaryKeyCreate;
    type Response = TemporaryKeyAnswer;

    fn example() -> Example<Self> {
        let body = TemporaryKeyCreate::lasting(900);
        let credential = TemporaryKey {
            access: Some("NZFAT5VNWEJDGZ4PZ8CG".to_owned()),
            expires_at: Some("2020-01-08T03:50:07.574000Z".to_owned()),
            secret: Some("riEoWsy3qO0BvgwfkoLVgCUvzgpjBBcvdqM0hbk0".into()),
            securitytoken: Some("gQpjbi1ub3J0aC00jD4Ej...".into()),
        };
        Example {
            request: Request { path: Nothing {}, query: Nothing {}, body },
            response: TemporaryKeyAnswer { credential: Some(credential) },
        }
    }
}

/// What a temporary key is to be.
#[contract(request)]
#[derive(Default, Eq)]
pub struct TemporaryKeyCreate {
    /// For what the key is got, and what it is to be.
    #[rule(nested)]
    pub auth: TemporaryKeyAuth,
}

impl TemporaryKeyCreate {
    /// A key that is good for so many seconds, 900 to 86,400.
    #[must_use]
    pub fn lasting(seconds: u32) -> Self {
        let token = TemporaryKeyToken { duration_seconds: Some(seconds), id: None };
        let identity = TemporaryKeyIdentity {
            methods: vec![TokenMethod::Token],
            policy: None,
            token: Some(token),
        };
        Self { auth: TemporaryKeyAuth { identity } }
    }
}

/// For what a temporary key is got, and what it is to be.
#[contract(request)]
#[derive(Default, Eq)]
pub struct TemporaryKeyAuth {
    /// For what the key is got, and what it is to be.
    #[rule(nested)]
    pub identity: TemporaryKeyIdentity,
}

/// For what a temporary key is got, and what it is to be.
#[contract(request)]
#[derive(Default, Eq)]
pub struct TemporaryKeyIdentity {
    /// For what the key is got: exactly `token`.
    #[rule(items = 1..=1, required)]
    pub methods: Vec<TokenMethod>,

    /// What the key is to be allowed, of what the token is.
    #[rule(nested)]
    pub policy: Option<Policy>,

    /// The token, and how long the key is to be good.
    #[rule(nested)]
    pub token: Option<TemporaryKeyToken>,
}

/// The way to get a key with a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum TokenMethod {
    /// With a token.
    #[default]
    Token,
}

/// The token, and how long the key is to be good.
#[contract(request)]
#[derive(Default, Eq)]
pub struct TemporaryKeyToken {
    /// How long the key is to be good, in seconds: 900 (the default) to 86,400.
    #[rule(range = 900..=86_400, format = "int32", example = 3600)]
    pub duration_seconds: Option<u32>,

    /// The token, where it is not in the header `X-Auth-Token`.
    #[rule(inline)]
    pub id: Option<Secret>,
}

/// What a temporary key is to be allowed.
#[contract(request)]
#[derive(Default, Eq)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    /// What is allowed and what is denied; a denial counts more.
    #[rule(nested, required)]
    pub statement: Vec<PolicyStatement>,

    /// The version of this form: `1.1`.
    #[rule(example = "1.1")]
    pub version: String,
}

/// What is allowed, or denied.
#[contract(request)]
#[derive(Default, Eq)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyStatement {
    /// Actions, such as `obs:object:*`.
    #[rule(required, example = json!(["obs:object:*"]))]
    pub action: Vec<String>,

    /// When it counts: a test and, for each key of the request, the values to test for.
    pub condition: Option<Condition>,

    /// Whether it is allowed or denied.
    pub effect: Effect,

    /// What it is about, such as `obs:*:*:object:*`.
    #[rule(example = json!(["obs:*:*:object:*"]))]
    pub resource: Vec<String>,
}

/// For each test, the keys of the request and the values that they are tested for.
pub type Condition = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// Whether a statement allows or denies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Effect {
    /// It allows.
    #[default]
    Allow,
    /// It denies.
    Deny,
}

/// The answer with a temporary key.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct TemporaryKeyAnswer {
    /// The key.
    #[rule(nested, required)]
    pub credential: Option<TemporaryKey>,
}

/// A temporary access key.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct TemporaryKey {
    /// The id of the key.
    #[rule(required, example = "NZFAT5VNWEJDGZ4PZ8CG")]
    pub access: Option<String>,

    /// When it expires, with microseconds.
    #[rule(required, format = "date-time", example = "2020-01-08T03:50:07.574000Z")]
    pub expires_at: Option<String>,

    /// The secret to sign with.
    #[rule(required, inline)]
    pub secret: Option<Secret>,

    /// What requests signed with the key carry in `X-Security-Token`.
    #[rule(required, inline)]
    pub securitytoken: Option<Secret>,
}
