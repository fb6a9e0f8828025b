//! Base models: what models are made from. `ListBaseModels`: GET `/v1/base-models`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use crate::list::list;
use crate::{Example, Identified, Nothing, Operation, Request, Resource};

/// What models are made from.
#[derive(Clone, Copy, Debug)]
pub struct BaseModels;

impl Resource for BaseModels {
    const NAME: &'static str = "base-models";
    const SINGULAR: &'static str = "base model";
    const DESCRIPTION: &'static str = "What models are made from";
    const ID_PARAMETER: Option<&'static str> = None;

    type Answer = BaseModel;
}

/// A base model, as the service answers it. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct BaseModel {
    /// The type, by which the configuration of a model names it.
    #[rule(required, example = "LLAMA_3_8B")]
    pub base_model_type: Option<String>,

    /// The most tokens that it takes: at least 1.
    #[rule(required, range = 1.., format = "int32", example = 8192)]
    pub max_tokens: Option<u32>,

    /// How many model units (MU) it uses: 1 to 128.
    #[rule(required, range = 1..=128, format = "int32", example = 2)]
    pub num_of_mu: Option<u32>,
}

impl Identified for BaseModel {
    fn id(&self) -> Option<&str> {
        self.base_model_type.as_deref()
    }
}

/// Lists base models, a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListBaseModels;

impl Operation for ListBaseModels {
    const ID: &'static str = "ListBaseModels";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/base-models";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const SUMMARY: &'static str = "List base models";
    const DESCRIPTION: &'static str = "Answers a page of the base models.\n\n\
        Not documented, but decided here: they are ordered by type.";
    const ITEMS_IN_RESPONSE: Option<&'static str> = Some("/models");

    type Resource = BaseModels;
    type Path = Nothing;
    type Query = ListBaseModelsQuery;
    type Body = Nothing;
    type Response = BaseModelPage;

    fn example() -> Example<Self> {
        let query = ListBaseModelsQuery::default();
        let model = BaseModel {
            base_model_type: Some("LLAMA_3_8B".to_owned()),
            max_tokens: Some(8192),
            num_of_mu: Some(2),
        };
        Example {
            request: Request { path: Nothing {}, query, body: Nothing {} },
            response: BaseModelPage { models: vec![model], total: Some(10) },
        }
    }
}

/// Which base models are to be listed.
#[contract(query)]
#[derive(Eq)]
pub struct ListBaseModelsQuery {
    /// The number of base models to skip: 0 to 1,000,000,000.
    #[rule(range = 0..=1_000_000_000, default = 0, format = "int32")]
    pub offset: u32,

    /// The most base models to answer: 1 to 100.
    #[rule(range = 1..=100, default = 10, format = "int32")]
    pub limit: u32,
}

/// A page of a list. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct BaseModelPage {
    /// The base models of the page: 0 to 1,000.
    #[rule(items = 0..=1000, nested)]
    pub models: Vec<BaseModel>,

    /// How many base models there are, on this page and all others. The documentation says 0 to 10,000; decided
    /// here: all count, and it does not stop at 10,000.
    #[rule(minimum = 0, format = "int32", example = 10)]
    pub total: Option<u64>,
}

list! { ListBaseModelsQuery, BaseModelPage: models of BaseModel }
