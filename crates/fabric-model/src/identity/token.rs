//! What is answered about a token.

use fabric_model_macros::contract;

use crate::{Identified, Resource};

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

/// A token has no id in its answer: it stands in a header.
impl Identified for TokenAnswer {
    fn id(&self) -> Option<&str> {
        None
    }
}

/// What an answer about a token is to leave out.
#[contract(query)]
#[derive(Eq)]
pub struct TokenQuery {
    /// Any text that is not empty leaves the catalogue empty.
    #[rule(example = "true")]
    pub nocatalog: Option<String>,
}

impl TokenQuery {
    /// Asks for an answer without the catalogue.
    #[must_use]
    pub fn without_catalog() -> Self {
        Self { nocatalog: Some("true".to_owned()) }
    }
}

/// The answer about a token. The token itself is in the header `X-Subject-Token`.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct TokenAnswer {
    /// What is known of the token.
    #[rule(nested, required)]
    pub token: Option<Token>,
}

/// What is known of a token.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct Token {
    /// The services that the token is good for; empty if the request said `nocatalog`.
    #[rule(nested, required)]
    pub catalog: Vec<CatalogEntry>,

    /// The domain that the token is good for; absent if it is good for a project.
    #[rule(nested)]
    pub domain: Option<DomainOfToken>,

    /// When the token expires, with microseconds.
    #[rule(required, format = "date-time", example = "2020-01-04T09:05:22.701000Z")]
    pub expires_at: Option<String>,

    /// When the token was issued, with microseconds.
    #[rule(required, format = "date-time", example = "2020-01-03T09:05:22.701000Z")]
    pub issued_at: Option<String>,

    /// How the user signed in, such as `password`.
    #[rule(required, example = json!(["password"]))]
    pub methods: Vec<String>,

    /// The project that the token is good for; absent if it is good for a domain.
    #[rule(nested)]
    pub project: Option<ProjectOfToken>,

    /// The permissions of the token.
    #[rule(nested, required)]
    pub roles: Vec<Role>,

    /// The user whose token it is.
    #[rule(nested, required)]
    pub user: Option<UserOfToken>,
}

/// A service that a token is good for.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct CatalogEntry {
    /// Where the service is reached.
    #[rule(nested, required)]
    pub endpoints: Vec<CatalogEndpoint>,

    /// The id of the service.
    #[rule(required, example = "100a6a3477f1495286579b819d399e36")]
    pub id: Option<String>,

    /// The name of the service.
    #[rule(required, example = "iam")]
    pub name: Option<String>,

    /// The kind of the service.
    #[rule(required, example = "iam")]
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// Where a service is reached.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct CatalogEndpoint {
    /// The id of the endpoint.
    #[rule(required, example = "33e1cbdd86d34e89a63cf8ad16a5f49f")]
    pub id: Option<String>,

    /// Who may reach it: `public` for everybody.
    #[rule(required, example = "public")]
    pub interface: Option<String>,

    /// The region; `*` for all.
    #[rule(required, example = "*")]
    pub region: Option<String>,

    /// The id of the region; `*` for all.
    #[rule(required, example = "*")]
    pub region_id: Option<String>,

    /// The URL.
    #[rule(required, example = "https://iam.myhuaweicloud.com/v3.0")]
    pub url: Option<String>,
}

/// The domain of a token, of its project or of its user.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct DomainOfToken {
    /// The id.
    #[rule(required, example = "d78cbac186b744899480f25bd022f468")]
    pub id: Option<String>,

    /// The name.
    #[rule(required, example = "IAMDomain")]
    pub name: Option<String>,
}

/// The project of a token.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct ProjectOfToken {
    /// The domain of the project.
    #[rule(nested, required)]
    pub domain: Option<DomainOfToken>,

    /// The id.
    #[rule(required, example = "aa2d97d7e62c4b7da3ffdfc11551f878")]
    pub id: Option<String>,

    /// The name.
    #[rule(required, example = "cn-north-1")]
    pub name: Option<String>,
}

/// A permission of a token.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct Role {
    /// Always `0`: the id of the permission is not shown.
    #[rule(required, example = "0")]
    pub id: Option<String>,

    /// The name of the permission.
    #[rule(required, example = "te_admin")]
    pub name: Option<String>,
}

/// The user of a token.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct UserOfToken {
    /// The domain of the user.
    #[rule(nested, required)]
    pub domain: Option<DomainOfToken>,

    /// The id.
    #[rule(required, example = "7116d09f88fa41908676fdd4b039e95b")]
    pub id: Option<String>,

    /// The name.
    #[rule(required, example = "IAMUser")]
    pub name: Option<String>,

    /// When the password expires, in UTC with microseconds; empty if it does not.
    #[rule(required, example = "2020-03-10T03:16:46.000000Z")]
    pub password_expires_at: Option<String>,
}

/// The documented sample: the token of a user for a project.
pub(super) fn example() -> TokenAnswer {
    let domain = Some(DomainOfToken {
        id: Some("d78cbac186b744899480f25bd022f468".to_owned()),
        name: Some("IAMDomain".to_owned()),
    });
    TokenAnswer {
        token: Some(Token {
            catalog: Vec::new(),
            domain: None,
            expires_at: Some("2020-01-04T09:05:22.701000Z".to_owned()),
            issued_at: Some("2020-01-03T09:05:22.701000Z".to_owned()),
            methods: vec!["password".to_owned()],
            project: Some(ProjectOfToken {
                domain: domain.clone(),
                id: Some("aa2d97d7e62c4b7da3ffdfc11551f878".to_owned()),
                name: Some("cn-north-1".to_owned()),
            }),
            roles: vec![Role { id: Some("0".to_owned()), name: Some("te_admin".to_owned()) }],
            user: Some(UserOfToken {
                domain,
                id: Some("7116d09f88fa41908676fdd4b039e95b".to_owned()),
                name: Some("IAMUser".to_owned()),
                password_expires_at: Some(String::new()),
            }),
        }),
    }
}
