//! `ListModelVersions`: GET `/v1/workspaces/{workspace_id}/models/{model_id}/versions`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::ModelVersions;
use crate::list::list;
use crate::model_definition::{AnsweredModelVersionId, ModelPath, ModelVersion};
use crate::text::text;
use crate::{Example, Nothing, Operation, Request};

/// Lists the versions of a model, a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListModelVersions;

impl Operation for ListModelVersions {
    const ID: &'static str = "ListModelVersions";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/models/{model_id}/versions";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:model:show");
    const SUMMARY: &'static str = "List the versions of a model";
    const DESCRIPTION: &'static str = "Answers a page of the versions of a model. `version_id` and `name` narrow \
        the list.\n\n\
        Not documented, but decided here:\n\n\
        * The newest come first; ties are ordered by id.\n\
        * `name` matches a case-sensitive substring, without wildcards. All that is given must match.\n\
        * `name` takes 4 to 32 characters, as documented, although a version may have a name of 1 to 64, and \
        the example of the documentation is `v1`.";
    const ITEMS_IN_RESPONSE: Option<&'static str> = Some("/versions");

    type Resource = ModelVersions;
    type Path = ModelPath;
    type Query = ListModelVersionsQuery;
    type Body = Nothing;
    type Response = ModelVersionPage;

    fn example() -> Example<Self> {
        let query = ListModelVersionsQuery { name: Some("name".to_owned()), ..Default::default() };
        let path = crate::model_definition::example_path();
        let versions = vec![crate::model_definition::example_version()];
        Example {
            request: Request { path, query, body: Nothing {} },
            response: ModelVersionPage { versions, total: Some(1) },
        }
    }
}

text! {
    /// A part of the name of a version: 4 to 32 letters, digits, hyphens and underscores.
    ModelVersionSearch, field "name", schema "ModelVersionSearch" described "A part of a name.",
    4 to 32 of WORD, example "v1_0"
}

/// Which versions are to be listed.
#[contract(query)]
#[derive(Eq)]
pub struct ListModelVersionsQuery {
    /// The number of matches to skip: 0 to 1,000,000,000.
    #[rule(range = 0..=1_000_000_000, default = 0, format = "int32")]
    pub offset: u32,

    /// The most versions to answer: 1 to 100.
    #[rule(range = 1..=100, default = 10, format = "int32")]
    pub limit: u32,

    /// The whole id: 32 to 36 letters, digits and hyphens.
    #[rule(like = AnsweredModelVersionId)]
    pub version_id: Option<String>,

    /// A part of the name: 4 to 32 letters, digits, hyphens and underscores.
    #[rule(like = ModelVersionSearch)]
    pub name: Option<String>,
}

/// A page of a list. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct ModelVersionPage {
    /// The versions of the page: 0 to 10,000.
    #[rule(items = 0..=10_000, nested)]
    pub versions: Vec<ModelVersion>,

    /// How many versions match, on this page and all others. The documentation says 0 to 10,000; decided here:
    /// all matches count, and it does not stop at 10,000.
    #[rule(minimum = 0, format = "int32", example = 1)]
    pub total: Option<u64>,
}

list! { ListModelVersionsQuery, ModelVersionPage: versions of ModelVersion }
