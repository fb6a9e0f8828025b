//! Features: what the service lets the caller use. `ListFeatures`: GET /v1/features.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use crate::list::list;
use crate::{Example, Identified, Nothing, Operation, Request, Resource};

/// What the service lets a project use.
#[derive(Clone, Copy, Debug)]
pub struct Features;

impl Resource for Features {
    const NAME: &'static str = "features";
    const SINGULAR: &'static str = "feature";
    const DESCRIPTION: &'static str = "What the service lets a project use";
    const ID_PARAMETER: Option<&'static str> = None;

    type Answer = Feature;
}

/// Lists features, a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListFeatures;

impl Operation for ListFeatures {
    const ID: &'static str = "ListFeatures";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/features";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const SUMMARY: &'static str = "List features";
    const DESCRIPTION: &'static str = "Answers a page of the features of the caller's project.\n\n\
        Not documented, but decided here: they are ordered by key.";
    const ITEMS_IN_RESPONSE: Option<&'static str> = Some("/configs");

    type Resource = Features;
    type Path = Nothing;
    type Query = ListFeaturesQuery;
    type Body = Nothing;
    type Response = FeaturePage;

    fn example() -> Example<Self> {
        let query = ListFeaturesQuery::default();
        let feature = Feature { key: Some("test".to_owned()), value: Some("test".to_owned()) };
        Example {
            request: Request { path: Nothing {}, query, body: Nothing {} },
            response: FeaturePage { configs: vec![feature], total: Some(1) },
        }
    }
}

/// Which features are to be listed.
#[contract(query)]
#[derive(Eq)]
pub struct ListFeaturesQuery {
    /// The number of features to skip: 0 to 1,000,000,000.
    #[rule(range = 0..=1_000_000_000, default = 0, format = "int32")]
    pub offset: u32,

    /// The most features to answer: 1 to 100.
    #[rule(range = 1..=100, default = 10, format = "int32")]
    pub limit: u32,
}

/// A feature, as the service answers it. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct Feature {
    /// What it is called: 0 to 64 characters.
    #[rule(length = 0..=64, example = "test")]
    pub key: Option<String>,

    /// What it is set to: 0 to 65,535 characters.
    #[rule(length = 0..=65535, example = "test")]
    pub value: Option<String>,
}

impl Identified for Feature {
    fn id(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

/// A page of a list. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct FeaturePage {
    /// The features of the page: 0 to 100,000.
    #[rule(items = 0..=100_000, nested)]
    pub configs: Vec<Feature>,

    /// How many features there are, on this page and all others: 0 to 2,147,483,647.
    #[rule(range = 0..=2_147_483_647, format = "int32", example = 1)]
    pub total: Option<u64>,
}

list! { ListFeaturesQuery, FeaturePage: configs of Feature }
