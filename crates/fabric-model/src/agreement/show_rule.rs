//! `ShowAgreementRule`: GET `/v1/agreement-rule`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use crate::{Example, Identified, Nothing, Operation, Request, Resource};

/// The agreements that can be signed.
#[derive(Clone, Copy, Debug)]
pub struct AgreementRules;

impl Resource for AgreementRules {
    const NAME: &'static str = "agreement-rules";
    const SINGULAR: &'static str = "agreement rule";
    const DESCRIPTION: &'static str = "The agreements that can be signed";
    const ID_PARAMETER: Option<&'static str> = None;

    type Answer = AgreementRule;
}

/// Shows what there is to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShowAgreementRule;

impl Operation for ShowAgreementRule {
    const ID: &'static str = "ShowAgreementRule";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/agreement-rule";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const SUMMARY: &'static str = "Show the agreements that can be signed";
    const DESCRIPTION: &'static str = "Answers the agreements that the service has to sign, each in its current \
        version.\n\n\
        Not documented, but decided here: they are ordered by name; of more than 1,000, the first 1,000 are \
        answered.";

    type Resource = AgreementRules;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Nothing;
    type Response = AgreementRuleList;

    fn example() -> Example<Self> {
        let rule = AgreementRule {
            agreement_name: Some("service name".to_owned()),
            agreement_version: Some("v1".to_owned()),
            agreement_display_name: Some("service name".to_owned()),
            agreement_url: Some("https://service.example.com/v1".to_owned()),
        };
        Example {
            request: Request { path: Nothing {}, query: Nothing {}, body: Nothing {} },
            response: AgreementRuleList { agreement_rules: vec![rule] },
        }
    }
}

/// The agreements that can be signed.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct AgreementRuleList {
    /// The agreements: 0 to 1,000. May be absent.
    #[rule(items = 0..=1000, nested)]
    pub agreement_rules: Vec<AgreementRule>,
}

/// An agreement that can be signed. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct AgreementRule {
    /// The name: 0 to 65,534 characters.
    #[rule(length = 0..=65534, example = "service name")]
    pub agreement_name: Option<String>,

    /// The version: 0 to 65,534 characters.
    #[rule(length = 0..=65534, example = "v1")]
    pub agreement_version: Option<String>,

    /// What it is called where people read it: 0 to 65,534 characters.
    #[rule(length = 0..=65534, example = "service name")]
    pub agreement_display_name: Option<String>,

    /// Where it can be read: 0 to 65,534 characters.
    #[rule(length = 0..=65534, example = "https://service.example.com/v1")]
    pub agreement_url: Option<String>,
}

impl Identified for AgreementRule {
    fn id(&self) -> Option<&str> {
        self.agreement_name.as_deref()
    }
}
