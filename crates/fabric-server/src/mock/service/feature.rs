//! Features: what the mock keeps of them, and how it answers.

use std::time::SystemTime;

use fabric_model::feature::{Feature, FeaturePage, Features, ListFeatures};
use fabric_model::{ApiError, Invalid, Request};
use serde::{Deserialize, Serialize};

use crate::api::around::Around;
use crate::mock::operations::{Mock, Seen, Service, page_of};
use crate::mock::table::{Making, Record, Selection};
use crate::mock::tables::Registered;

pub(super) fn resource() -> Registered {
    Registered::of::<FeatureRecord>()
}

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service.operation(list).teaching(|_: Request<ListFeatures>, page| {
        page.configs.into_iter().map(Seen::<FeatureRecord>::There).collect()
    })
}

/// What is kept of a feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeatureRecord {
    key: String,
    value: String,
}

impl Record for FeatureRecord {
    type Resource = Features;

    fn id(&self) -> &str {
        &self.key
    }

    fn answer(&self, _: SystemTime) -> Feature {
        Feature { key: Some(self.key.clone()), value: Some(self.value.clone()) }
    }

    fn learn(answer: Feature, known: Option<&Self>, _: &mut Making<'_>) -> Result<Self, Invalid> {
        let key = answer.key.ok_or_else(|| Invalid::new("key", "must be given"))?;
        let known = known.map(|known| known.value.clone());
        Ok(Self { key, value: answer.value.or(known).unwrap_or_default() })
    }

    fn catalogue() -> Vec<Self> {
        let feature = |(key, value): (&str, &str)| Self { key: key.into(), value: value.into() };
        [("endpoint.inference", "true"), ("endpoint.ray", "true"), ("job.python", "true")]
            .map(feature)
            .into()
    }
}

async fn list(mock: Mock, request: Request<ListFeatures>) -> Result<FeaturePage, ApiError> {
    let (query, now) = (request.query, mock.now);
    let list = mock.look(move |project| {
        let table = project.records::<FeatureRecord>();
        table.page(&Selection::default(), page_of(&query), now, |record| record.answer(now))
    });
    let (configs, total) = list.await;
    Ok(FeaturePage { configs, total: Some(total as u64) })
}
