//! Base models: what the mock keeps of them, and how it answers.

use std::time::SystemTime;

use fabric_model::base_model::{BaseModel, BaseModelPage, BaseModels, ListBaseModels};
use fabric_model::{ApiError, Invalid, Request};
use serde::{Deserialize, Serialize};

use crate::api::around::Around;
use crate::mock::operations::{Mock, Seen, Service, page_of};
use crate::mock::table::{Making, Record, Selection};
use crate::mock::tables::Registered;

pub(super) fn resource() -> Registered {
    Registered::of::<BaseModelRecord>()
}

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service.operation(list).teaching(|_: Request<ListBaseModels>, page| {
        page.models.into_iter().map(Seen::<BaseModelRecord>::There).collect()
    })
}

/// What is kept of a base model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BaseModelRecord {
    base_model_type: String,
    max_tokens: u32,
    num_of_mu: u32,
}

impl BaseModelRecord {
    fn new(base_model_type: &str, max_tokens: u32, num_of_mu: u32) -> Self {
        Self { base_model_type: base_model_type.to_owned(), max_tokens, num_of_mu }
    }
}

impl Record for BaseModelRecord {
    type Resource = BaseModels;

    fn id(&self) -> &str {
        &self.base_model_type
    }

    fn answer(&self, _: SystemTime) -> BaseModel {
        BaseModel {
            base_model_type: Some(self.base_model_type.clone()),
            max_tokens: Some(self.max_tokens),
            num_of_mu: Some(self.num_of_mu),
        }
    }

    fn learn(answer: BaseModel, known: Option<&Self>, _: &mut Making<'_>) -> Result<Self, Invalid> {
        let of = answer.base_model_type;
        let of = of.ok_or_else(|| Invalid::new("base_model_type", "must be given"))?;
        let known = known.cloned().unwrap_or_else(|| Self::new(&of, 4096, 1));
        Ok(Self {
            base_model_type: of,
            max_tokens: answer.max_tokens.unwrap_or(known.max_tokens),
            num_of_mu: answer.num_of_mu.unwrap_or(known.num_of_mu),
        })
    }

    fn catalogue() -> Vec<Self> {
        [("LLAMA_3_70B", 8192, 16), ("LLAMA_3_8B", 8192, 2), ("QWEN_2_7B", 32_768, 2)]
            .map(|(of, max_tokens, num_of_mu)| Self::new(of, max_tokens, num_of_mu))
            .into()
    }
}

async fn list(mock: Mock, request: Request<ListBaseModels>) -> Result<BaseModelPage, ApiError> {
    let (query, now) = (request.query, mock.now);
    let list = mock.look(move |project| {
        let table = project.records::<BaseModelRecord>();
        table.page(&Selection::default(), page_of(&query), now, |record| record.answer(now))
    });
    let (models, total) = list.await;
    Ok(BaseModelPage { models, total: Some(total as u64) })
}
