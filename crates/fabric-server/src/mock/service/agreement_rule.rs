//! The agreements that can be signed: what the mock keeps of them, and how it answers.

use std::time::SystemTime;

use fabric_model::agreement::{
    AgreementRule, AgreementRuleList, AgreementRules, ShowAgreementRule,
};
use fabric_model::{ApiError, Invalid, Request};
use serde::{Deserialize, Serialize};

use super::agreement::MOST;
use crate::api::around::Around;
use crate::mock::operations::{Mock, Seen, Service};
use crate::mock::table::{Making, Record, Selection};
use crate::mock::tables::Registered;

pub(super) fn resource() -> Registered {
    Registered::of::<AgreementRuleRecord>()
}

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service.operation(show).teaching(|_: Request<ShowAgreementRule>, list| {
        list.agreement_rules.into_iter().map(Seen::<AgreementRuleRecord>::There).collect()
    })
}

/// What is kept of an agreement that can be signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgreementRuleRecord {
    name: String,
    version: String,
    display_name: String,
    url: String,
}

impl AgreementRuleRecord {
    fn new(name: &str, display_name: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: "v1".to_owned(),
            display_name: display_name.to_owned(),
            url: format!("https://fabric.example.com/agreements/{name}"),
        }
    }
}

impl Record for AgreementRuleRecord {
    type Resource = AgreementRules;

    fn id(&self) -> &str {
        &self.name
    }

    fn answer(&self, _: SystemTime) -> AgreementRule {
        AgreementRule {
            agreement_name: Some(self.name.clone()),
            agreement_version: Some(self.version.clone()),
            agreement_display_name: Some(self.display_name.clone()),
            agreement_url: Some(self.url.clone()),
        }
    }

    fn learn(
        answer: AgreementRule,
        known: Option<&Self>,
        _: &mut Making<'_>,
    ) -> Result<Self, Invalid> {
        let name = answer.agreement_name;
        let name = name.ok_or_else(|| Invalid::new("agreement_name", "must be given"))?;
        let known = known.cloned().unwrap_or_else(|| Self::new(&name, &name));
        Ok(Self {
            name,
            version: answer.agreement_version.unwrap_or(known.version),
            display_name: answer.agreement_display_name.unwrap_or(known.display_name),
            url: answer.agreement_url.unwrap_or(known.url),
        })
    }

    fn catalogue() -> Vec<Self> {
        [("privacy_statement", "Privacy Statement"), ("service_agreement", "Service Agreement")]
            .map(|(name, display_name)| Self::new(name, display_name))
            .into()
    }
}

async fn show(mock: Mock, _: Request<ShowAgreementRule>) -> Result<AgreementRuleList, ApiError> {
    let (agreement_rules, _) = mock.project(|project| {
        let table = project.records::<AgreementRuleRecord>();
        table.page(&Selection::default(), (0, MOST), mock.now, |record| record.answer(mock.now))
    });
    Ok(AgreementRuleList { agreement_rules })
}
