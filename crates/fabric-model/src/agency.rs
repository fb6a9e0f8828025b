//! The agency: what other services a project lets the service use on its behalf.

mod create;
mod delete;
mod list;

use fabric_model_macros::contract;

pub use create::{AgencyCreate, CreateAgency};
pub use delete::{DeleteAgency, DeleteAgencyQuery};
pub use list::{ListAgency, ListAgencyQuery};

use crate::open_enum::open_enum;
use crate::text::text;
use crate::{Identified, Resource};

/// The agency of a project, of which there is one at most.
#[derive(Clone, Copy, Debug)]
pub struct Agencies;

impl Resource for Agencies {
    const NAME: &'static str = "agencies";
    const SINGULAR: &'static str = "agency";
    const DESCRIPTION: &'static str =
        "What other services a project lets the service use on its behalf";
    const ID_PARAMETER: Option<&'static str> = None;

    type Answer = Agency;
}

open_enum! {
    /// What a policy of an agency is for.
    AgencyPolicyType described "What a policy of an agency is for.", example "FABRIC_LAKEFORMATION_POLICY" {
        /// What the service needs in any case.
        Common = "FABRIC_COMMON_POLICY",
        /// Messages, by the notification service (SMN).
        Notification = "FABRIC_SMN_POLICY",
        /// Metadata, kept by LakeFormation.
        LakeFormation = "FABRIC_LAKEFORMATION_POLICY",
        /// Monitoring, by Application Operations Management (AOM).
        Operations = "FABRIC_AOM_POLICY",
    }
}

text! {
    /// An action of another service: 0 to 128 characters.
    AgencyAction, field "actions", schema "AgencyAction" described "An action of another service.",
    0 to 128 of ANY, example "lakeformation:instance:show"
}

/// An agency, as the service answers it. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct Agency {
    /// The name: 1 to 128 characters.
    #[rule(required, length = 1..=128, example = "admin_trust")]
    pub agency_name: Option<String>,

    /// Whether the agency has all that the service needs.
    #[rule(required, example = true)]
    pub authorized: Option<bool>,

    /// The policies, enabled or not: 0 to 100. The documentation says 1 to 100; decided here: none, if the request
    /// asks for policies that there are not.
    #[rule(required, items = 0..=100, nested)]
    pub agency_policies: Vec<AgencyPolicy>,
}

impl Identified for Agency {
    fn id(&self) -> Option<&str> {
        self.agency_name.as_deref()
    }
}

/// What an agency lets the service do for one purpose.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct AgencyPolicy {
    /// What it is for.
    #[rule(required)]
    pub policy_type: Option<AgencyPolicyType>,

    /// Whether the service can do nothing without it.
    #[rule(required, example = false)]
    pub is_required: Option<bool>,

    /// Whether the agency has it.
    #[rule(required, example = true)]
    pub is_enable: Option<bool>,

    /// The actions that it allows: 0 to 1,000, each of 0 to 128 characters.
    #[rule(required, items = 0..=1000, each = AgencyAction)]
    pub actions: Vec<String>,

    /// What it is for, in words: 0 to 128 characters.
    #[rule(required, length = 0..=128, example = "What the service needs in any case")]
    pub description: Option<String>,
}

/// The agency of the documentation's examples.
fn example() -> Agency {
    let policy = AgencyPolicy {
        policy_type: Some(AgencyPolicyType::LakeFormation),
        is_required: Some(false),
        is_enable: Some(true),
        actions: vec!["lakeformation:instance:show".to_owned()],
        description: Some("Reads metadata that LakeFormation keeps".to_owned()),
    };
    Agency {
        agency_name: Some("admin_trust".to_owned()),
        authorized: Some(true),
        agency_policies: vec![policy],
    }
}
