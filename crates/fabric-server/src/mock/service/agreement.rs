//! The agreements that a project has signed: what the mock keeps of them, and how it answers.

use std::collections::BTreeMap;
use std::time::SystemTime;

use fabric_model::agreement::{
    Agreement, AgreementName, Agreements, CreateAgreement, DeleteAgreement, ShowAgreement,
    SignedAgreements,
};
use fabric_model::{ApiError, Invalid, Nothing, Request};
use serde::{Deserialize, Serialize};

use crate::api::around::Around;
use crate::mock::behaviour::Profile;
use crate::mock::operations::{Mock, Service};
use crate::mock::projects::Project;
use crate::mock::table::{Making, Record, Selection};
use crate::mock::tables::Registered;

pub(super) fn resource() -> Registered {
    Registered::of::<AgreementRecord>()
}

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service
        .operation(create)
        .operation(show)
        .operation(delete)
        .learning(|request: Request<CreateAgreement>, _, learning| {
            sign(learning.project, records(request.body.agreements), learning.now);
        })
        .learning(|_: Request<ShowAgreement>, answer, learning| {
            revoke(learning.project, learning.now);
            sign(learning.project, records(answer.agreements), learning.now);
        })
        .learning(|_: Request<DeleteAgreement>, _, learning| {
            revoke(learning.project, learning.now);
        })
}

/// The most agreements of an answer, which has no pages.
pub(super) const MOST: usize = 1000;

/// What is kept of an agreement that is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgreementRecord {
    agreement_name: AgreementName,
    /// Absent if the project did not say which version it signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agreement_version: Option<String>,
}

impl Record for AgreementRecord {
    type Resource = Agreements;

    fn id(&self) -> &str {
        self.agreement_name.as_str()
    }

    fn answer(&self, _: SystemTime) -> Agreement {
        Agreement {
            agreement_name: Some(self.agreement_name.to_string()),
            agreement_version: self.agreement_version.clone(),
        }
    }

    fn learn(answer: Agreement, known: Option<&Self>, _: &mut Making<'_>) -> Result<Self, Invalid> {
        let name = answer.agreement_name;
        let name = name.ok_or_else(|| Invalid::new("agreement_name", "must be given"))?;
        let version = answer.agreement_version;
        Ok(Self {
            agreement_name: AgreementName::try_from(name)?,
            agreement_version: version.or(known.and_then(|known| known.agreement_version.clone())),
        })
    }
}

/// The records of agreements by their names, of each the last. An agreement without a name is left out.
fn records(agreements: Vec<Agreement>) -> BTreeMap<AgreementName, AgreementRecord> {
    let records = agreements.into_iter().filter_map(|agreement| {
        let agreement_name = AgreementName::try_from(agreement.agreement_name?).ok()?;
        let agreement_version = agreement.agreement_version;
        Some((agreement_name.clone(), AgreementRecord { agreement_name, agreement_version }))
    });
    records.collect()
}

async fn create(mock: Mock, request: Request<CreateAgreement>) -> Result<Nothing, ApiError> {
    let agreements = request.body.agreements;
    let nameless = agreements.iter().position(|agreement| agreement.agreement_name.is_none());
    if let Some(place) = nameless.filter(|_| mock.behaviour().profile == Profile::Strict) {
        let field = format!("agreements[{place}].agreement_name");
        return Err(Invalid::new(field, "must be given (profile strict)").into());
    }
    let signed = records(agreements);
    mock.projects.with_new(&mock.project, mock.write, |project| {
        let table = project.records::<AgreementRecord>();
        let new = signed.keys().filter(|name| table.get(name.as_str(), mock.now).is_none());
        let new = new.count();
        mock.check_quota_of::<AgreementRecord>(project, new)?;
        sign(project, signed, mock.now);
        Ok(Nothing {})
    })
}

fn sign(project: &mut Project, signed: BTreeMap<AgreementName, AgreementRecord>, now: SystemTime) {
    let table = project.table::<AgreementRecord>();
    for record in signed.into_values() {
        table.remove(record.id(), now);
        table.insert(record, now);
    }
}

async fn show(mock: Mock, _: Request<ShowAgreement>) -> Result<SignedAgreements, ApiError> {
    let (agreements, _) = mock.project(|project| {
        let table = project.records::<AgreementRecord>();
        table.page(&Selection::default(), (0, MOST), mock.now, |record| record.answer(mock.now))
    });
    Ok(SignedAgreements { agreements })
}

async fn delete(mock: Mock, _: Request<DeleteAgreement>) -> Result<Nothing, ApiError> {
    mock.project(|project| revoke(project, mock.now));
    Ok(Nothing {})
}

fn revoke(project: &mut Project, now: SystemTime) {
    let table = project.table::<AgreementRecord>();
    let signed: Vec<_> = table.iter().map(|record| record.agreement_name.clone()).collect();
    for name in signed {
        table.remove(name.as_str(), now);
    }
}
