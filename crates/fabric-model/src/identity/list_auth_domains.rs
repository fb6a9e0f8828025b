//! `KeystoneListAuthDomains`: GET /v3/auth/domains.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::links::{FAILURES_OF_LISTS, Links};
use crate::{Example, Failure, Identified, Nothing, Operation, Request, Resource};

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

impl Identified for Domain {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

/// Lists the domains of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListAuthDomains;

impl Operation for ListAuthDomains {
    const ID: &'static str = "KeystoneListAuthDomains";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v3/auth/domains";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const IS_SIGN_IN: bool = true;
    const FAILURES: &'static [Failure] = FAILURES_OF_LISTS;
    const SUMMARY: &'static str = "List the domains of the caller";
    const DESCRIPTION: &'static str = "Answers the domain that the caller belongs to.";

    type Resource = Domains;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Nothing;
    type Response = DomainList;

    fn example() -> Example<Self> {
        let id = "d78cbac186b744899480f25bd022f468";
        let domain = Domain {
            description: Some(String::new()),
            enabled: Some(true),
            id: Some(id.to_owned()),
            links: Some(Links::to(format!("https://iam.myhuaweicloud.com/v3/domains/{id}"))),
            name: Some("IAMDomain".to_owned()),
        };
        Example {
            request: Request { path: Nothing {}, query: Nothing {}, body: Nothing {} },
            response: DomainList {
                domains: vec![domain],
                links: Some(Links::to("https://iam.myhuaweicloud.com/v3/auth/domains")),
            },
        }
    }
}

/// Domains.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct DomainList {
    /// The domains.
    #[rule(nested, required)]
    pub domains: Vec<Domain>,

    /// Where this list is found.
    #[rule(nested, required)]
    pub links: Option<Links>,
}

/// A domain: the account that users and projects belong to.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct Domain {
    /// What it is for.
    #[rule(required, example = "IAMDescription")]
    pub description: Option<String>,

    /// Whether it can be used.
    #[rule(required, example = true)]
    pub enabled: Option<bool>,

    /// The id.
    #[rule(required, example = "d78cbac186b744899480f25bd022f468")]
    pub id: Option<String>,

    /// Where it is found.
    #[rule(nested, required)]
    pub links: Option<Links>,

    /// The name.
    #[rule(required, example = "IAMDomain")]
    pub name: Option<String>,
}
