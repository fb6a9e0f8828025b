//! Agreements: what a project has signed, and what there is to sign.

mod create;
mod delete;
mod show;
mod show_rule;

use fabric_model_macros::contract;

pub use create::{AgreementsCreate, CreateAgreement};
pub use delete::DeleteAgreement;
pub use show::{ShowAgreement, SignedAgreements};
pub use show_rule::{AgreementRule, AgreementRuleList, AgreementRules, ShowAgreementRule};

use crate::text::text;
use crate::{Identified, Resource};

/// The agreements that a project has signed.
#[derive(Clone, Copy, Debug)]
pub struct Agreements;

impl Resource for Agreements {
    const NAME: &'static str = "agreements";
    const SINGULAR: &'static str = "agreement";
    const DESCRIPTION: &'static str = "The agreements that a project has signed";
    const ID_PARAMETER: Option<&'static str> = None;

    type Answer = Agreement;
}

text! {
    /// The name of an agreement: 1 to 64 letters, digits, underscores and hyphens.
    AgreementName, field "agreement_name", schema "AgreementName" described "The name of an agreement.",
    1 to 64 of WORD, example "test_name"
}

text! {
    /// The version of an agreement: 1 to 32 letters and digits.
    AgreementVersion, field "agreement_version", schema "AgreementVersion"
    described "The version of an agreement.",
    1 to 32 of ALPHANUMERIC, example "v1"
}

/// An agreement that is signed, or is to be. Each field may be absent; in a request, none may be `null`.
#[contract(request)]
#[derive(Default, Eq)]
pub struct Agreement {
    /// The name: 1 to 64 letters, digits, underscores and hyphens.
    #[rule(like = AgreementName)]
    pub agreement_name: Option<String>,

    /// The version: 1 to 32 letters and digits.
    #[rule(like = AgreementVersion)]
    pub agreement_version: Option<String>,
}

impl Identified for Agreement {
    fn id(&self) -> Option<&str> {
        self.agreement_name.as_deref()
    }
}

/// The agreement of the documentation's examples.
fn example() -> Agreement {
    Agreement {
        agreement_name: Some("test_name".to_owned()),
        agreement_version: Some("v1".to_owned()),
    }
}
