//! The agency of a project: what the mock keeps of it, and how it answers.

use std::time::SystemTime;

use fabric_model::agency::{
    Agencies, Agency, AgencyPolicy, AgencyPolicyType, CreateAgency, DeleteAgency, ListAgency,
};
use fabric_model::{ApiError, Invalid, Nothing, Request};
use serde::{Deserialize, Serialize};

use crate::api::around::Around;
use crate::mock::behaviour::Profile;
use crate::mock::operations::{Mock, Service, found};
use crate::mock::projects::Project;
use crate::mock::table::{Making, Record, Selection};
use crate::mock::tables::Registered;

pub(super) fn resource() -> Registered {
    Registered::of::<AgencyRecord>()
}

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service
        .operation(create)
        .operation(list)
        .operation(delete)
        .learning(|request: Request<CreateAgency>, _, learning| {
            enable(learning.project, &request.body.policy_types, learning.now);
        })
        .learning(|request: Request<ListAgency>, answer, learning| {
            // An agency that is not there is answered too, without a policy that is enabled. A part of the policies
            // does not tell.
            if answer.agency_policies.iter().any(|policy| policy.is_enable == Some(true)) {
                learning.observe::<AgencyRecord>(answer);
            } else if request.query.policy_type.is_none() {
                disable(learning.project, None, learning.now);
            }
        })
        .learning(|request: Request<DeleteAgency>, _, learning| {
            disable(learning.project, request.query.policy_type.as_ref(), learning.now);
        })
}

/// The name of an agency that a call creates.
const NAME: &str = "fabric_admin_trust";

/// What is kept of an agency. A project has one at most; if fixtures have several, the first by its name counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgencyRecord {
    agency_name: String,
    /// Those that it has, and those that it could have.
    agency_policies: Vec<AgencyPolicy>,
}

impl AgencyRecord {
    /// An agency without policies: as good as none.
    fn empty() -> Self {
        Self { agency_name: NAME.to_owned(), agency_policies: policies().into() }
    }

    /// The agency of a project.
    fn of(project: &Project, now: SystemTime) -> Option<Self> {
        let table = project.records::<Self>();
        table.page(&Selection::default(), (0, 1), now, Self::clone).0.pop()
    }

    /// Switches the policies that `is_meant` says.
    fn switch(&mut self, on: bool, is_meant: impl Fn(&AgencyPolicy) -> bool) {
        for policy in self.agency_policies.iter_mut().filter(|policy| is_meant(policy)) {
            policy.is_enable = Some(on);
        }
    }
}

/// The policies that there are, none of them enabled.
fn policies() -> [AgencyPolicy; 4] {
    use AgencyPolicyType::{Common, LakeFormation, Notification, Operations};
    let policy = |of: AgencyPolicyType, description: &str, actions: [&str; 2]| AgencyPolicy {
        is_required: Some(of == Common),
        policy_type: Some(of),
        is_enable: Some(false),
        actions: actions.map(str::to_owned).into(),
        description: Some(description.to_owned()),
    };
    [
        policy(
            Common,
            "What the service needs in any case",
            ["obs:object:GetObject", "obs:object:PutObject"],
        ),
        policy(Notification, "Sends messages to topics", ["smn:topic:list", "smn:topic:publish"]),
        policy(
            LakeFormation,
            "Reads metadata that LakeFormation keeps",
            ["lakeformation:instance:show", "lakeformation:table:describe"],
        ),
        policy(Operations, "Reports metrics and logs", ["aom:log:report", "aom:metric:report"]),
    ]
}

fn is_required(policy: &AgencyPolicy) -> bool {
    policy.is_required == Some(true)
}

impl Record for AgencyRecord {
    type Resource = Agencies;

    fn id(&self) -> &str {
        &self.agency_name
    }

    fn answer(&self, _: SystemTime) -> Agency {
        let mut required = self.agency_policies.iter().filter(|policy| is_required(policy));
        Agency {
            agency_name: Some(self.agency_name.clone()),
            authorized: Some(required.all(|policy| policy.is_enable == Some(true))),
            agency_policies: self.agency_policies.clone(),
        }
    }

    fn learn(answer: Agency, known: Option<&Self>, _: &mut Making<'_>) -> Result<Self, Invalid> {
        let mut agency = known.cloned().unwrap_or_else(Self::empty);
        agency.agency_name = answer.agency_name.unwrap_or(agency.agency_name);
        // What is created has what is required.
        if let Some(on) = answer.authorized.or(known.is_none().then_some(true)) {
            agency.switch(on, is_required);
        }
        for (place, policy) in answer.agency_policies.into_iter().enumerate() {
            let Some(of) = policy.policy_type else {
                let field = format!("agency_policies[{place}].policy_type");
                return Err(Invalid::new(field, "must be given"));
            };
            let of = Some(of);
            let all = &mut agency.agency_policies;
            let place = all.iter().position(|known| known.policy_type == of).unwrap_or(all.len());
            if place == all.len() {
                all.push(AgencyPolicy {
                    policy_type: of,
                    is_required: Some(false),
                    is_enable: Some(false),
                    actions: Vec::new(),
                    description: Some(String::new()),
                });
            }
            let known = &mut all[place];
            known.is_required = policy.is_required.or(known.is_required);
            known.is_enable = policy.is_enable.or(known.is_enable);
            known.description = policy.description.or(known.description.take());
            if !policy.actions.is_empty() {
                known.actions = policy.actions;
            }
        }
        Ok(agency)
    }
}

async fn create(mock: Mock, request: Request<CreateAgency>) -> Result<Nothing, ApiError> {
    mock.projects.with_new(&mock.project, mock.write, |project| {
        enable(project, &request.body.policy_types, mock.now);
        Ok(Nothing {})
    })
}

/// Adds the policies that are required, and others, to the agency of a project, which is made if it is not there.
fn enable(project: &mut Project, types: &[AgencyPolicyType], now: SystemTime) {
    let mut agency = AgencyRecord::of(project, now).unwrap_or_else(AgencyRecord::empty);
    agency.switch(true, |policy| {
        is_required(policy) || policy.policy_type.as_ref().is_some_and(|of| types.contains(of))
    });
    put(project, agency, now);
}

fn put(project: &mut Project, agency: AgencyRecord, now: SystemTime) {
    let table = project.table::<AgencyRecord>();
    table.remove(agency.id(), now);
    table.insert(agency, now);
}

async fn list(mock: Mock, request: Request<ListAgency>) -> Result<Agency, ApiError> {
    let part = request.query.policy_type.unwrap_or_default();
    let agency = mock.project(|project| AgencyRecord::of(project, mock.now));
    let mut answer = agency.unwrap_or_else(AgencyRecord::empty).answer(mock.now);
    answer
        .agency_policies
        .retain(|policy| policy.policy_type.as_ref().is_some_and(|of| of.as_str().contains(&part)));
    Ok(answer)
}

async fn delete(mock: Mock, request: Request<DeleteAgency>) -> Result<Nothing, ApiError> {
    let policy_type = request.query.policy_type.as_ref();
    mock.project(|project| {
        let agency = found(AgencyRecord::of(project, mock.now))?;
        let is_required = |policy: &AgencyPolicy| {
            is_required(policy)
                && policy_type.is_some()
                && policy.policy_type.as_ref() == policy_type
        };
        if mock.behaviour().profile == Profile::Strict
            && agency.agency_policies.iter().any(is_required)
        {
            let rule = "must not be a policy that is required (profile strict)";
            return Err(Invalid::new("policy_type", rule).into());
        }
        disable(project, policy_type, mock.now);
        Ok(Nothing {})
    })
}

/// Takes a policy from the agency of a project, unless it is required, or deletes the agency if none is named.
fn disable(project: &mut Project, policy_type: Option<&AgencyPolicyType>, now: SystemTime) {
    let Some(mut agency) = AgencyRecord::of(project, now) else { return };
    if policy_type.is_none() {
        project.remove::<AgencyRecord>(agency.id(), now);
        return;
    }
    agency
        .switch(false, |policy| !is_required(policy) && policy.policy_type.as_ref() == policy_type);
    put(project, agency, now);
}
