//! `ListModels`: GET `/v1/workspaces/{workspace_id}/models`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{AnsweredModelId, Model, Models};
use crate::list::list;
use crate::order::{OrderBy, SortBy};
use crate::text::text;
use crate::visibility::VisibilityFilter;
use crate::workspace::WorkspacePath;
use crate::{Example, Nothing, Operation, Request};

/// Lists models, a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListModels;

impl Operation for ListModels {
    const ID: &'static str = "ListModels";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/models";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:model:list");
    const SUMMARY: &'static str = "List models";
    const DESCRIPTION: &'static str = "Answers a page of the models of a workspace, each with its current \
        version. `name`, `id`, `type` and `visibility` narrow the list.\n\n\
        Not documented, but decided here:\n\n\
        * Ties are ordered by the time of creation, the newest first, then by id. Names are compared by their \
        Unicode characters.\n\
        * `name` matches a case-sensitive substring, without wildcards. All that is given must match.\n\
        * `type` is a whole type. One that does not exist matches nothing.\n\
        * An empty value is rejected like any other that breaks the rules of its parameter.";
    const ITEMS_IN_RESPONSE: Option<&'static str> = Some("/models");

    type Resource = Models;
    type Path = WorkspacePath;
    type Query = ListModelsQuery;
    type Body = Nothing;
    type Response = ModelPage;

    fn example() -> Example<Self> {
        let query = ListModelsQuery {
            name: Some("llama3-8b".to_owned()),
            r#type: Some("LLM_MODEL".to_owned()),
            sort_by: Some(SortBy::CreateTime),
            ..ListModelsQuery::default()
        };
        let path = crate::workspace::example_path();
        Example {
            request: Request { path, query, body: Nothing {} },
            response: ModelPage { models: vec![super::example()], total: Some(10) },
        }
    }
}

text! {
    /// A part of the name of a model: 1 to 128 letters, digits, hyphens, underscores and Chinese characters.
    ModelSearch, field "name", schema "ModelSearch" described "A part of a name.",
    1 to 128 of SEARCH, example "llama3-8b"
}

/// Which models are to be listed, and in which order.
#[contract(query)]
#[derive(Eq)]
pub struct ListModelsQuery {
    /// The number of matches to skip: 0 to 1,000,000,000.
    #[rule(range = 0..=1_000_000_000, default = 0, format = "int32")]
    pub offset: u32,

    /// The most models to answer: 1 to 100.
    #[rule(range = 1..=100, default = 10, format = "int32")]
    pub limit: u32,

    /// A part of the name: 1 to 128 letters, digits, hyphens, underscores and Chinese characters.
    #[rule(like = ModelSearch)]
    pub name: Option<String>,

    /// The whole id: 32 to 36 letters, digits and hyphens.
    #[rule(like = AnsweredModelId)]
    pub id: Option<String>,

    /// The type: 1 to 128 characters.
    #[rule(length = 1..=128, example = "LLM_MODEL")]
    pub r#type: Option<String>,

    /// Whose are listed: private ones, public ones of whatever user, or all. Without it, all but public ones
    /// of other users.
    #[rule(known)]
    pub visibility: Option<VisibilityFilter>,

    /// By what the list is sorted. Without it, by the time of creation.
    #[rule(known)]
    pub sort_by: Option<SortBy>,

    /// In which direction the list is sorted.
    #[rule(inline, known, default = "DESC")]
    pub order_by: OrderBy,
}

/// A page of a list. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct ModelPage {
    /// The models of the page: 0 to 1,000.
    #[rule(items = 0..=1000, nested)]
    pub models: Vec<Model>,

    /// How many models match, on this page and all others. The documentation says 0 to 10,000; decided here: all
    /// matches count, and it does not stop at 10,000.
    #[rule(minimum = 0, format = "int32", example = 10)]
    pub total: Option<u64>,
}

list! { ListModelsQuery, ModelPage: models of Model }
