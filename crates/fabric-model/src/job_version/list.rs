//! `ListJobVersions`: GET `/v1/workspaces/{workspace_id}/jobs/{job_id}/versions`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{JobVersionId, JobVersions};
use crate::job::{JobPath, JobVersion};
use crate::list::list;
use crate::text::text;
use crate::{Example, Nothing, Operation, Request};

/// Lists the versions of a job, a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListJobVersions;

impl Operation for ListJobVersions {
    const ID: &'static str = "ListJobVersions";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/jobs/{job_id}/versions";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:job:show");
    const SUMMARY: &'static str = "List the versions of a job";
    const DESCRIPTION: &'static str = "Answers a page of the versions of a job. `version_id` and `name` narrow \
        the list.\n\n\
        Not documented, but decided here:\n\n\
        * The newest come first; ties are ordered by id.\n\
        * `name` matches a case-sensitive substring, without wildcards. All that is given must match.\n\
        * `name` takes at most 32 characters, as documented, although a version may have a name of 64.";
    const ITEMS_IN_RESPONSE: Option<&'static str> = Some("/versions");

    type Resource = JobVersions;
    type Path = JobPath;
    type Query = ListJobVersionsQuery;
    type Body = Nothing;
    type Response = JobVersionPage;

    fn example() -> Example<Self> {
        let query = ListJobVersionsQuery { name: Some("name".to_owned()), ..Default::default() };
        Example {
            request: Request { path: crate::job::example_path(), query, body: Nothing {} },
            response: JobVersionPage {
                versions: vec![crate::job::example_version()],
                total: Some(1),
            },
        }
    }
}

text! {
    /// A part of the name of a version: 1 to 32 letters, digits, hyphens and underscores.
    JobVersionSearch, field "name", schema "JobVersionSearch" described "A part of a name.",
    1 to 32 of WORD, example "v1"
}

/// Which versions are to be listed.
#[contract(query)]
#[derive(Eq)]
pub struct ListJobVersionsQuery {
    /// The number of matches to skip: 0 to 1,000,000,000.
    #[rule(range = 0..=1_000_000_000, default = 0, format = "int32")]
    pub offset: u32,

    /// The most versions to answer: 1 to 100.
    #[rule(range = 1..=100, default = 10, format = "int32")]
    pub limit: u32,

    /// The whole id: 32 to 36 letters, digits and hyphens.
    pub version_id: Option<JobVersionId>,

    /// A part of the name: 1 to 32 letters, digits, hyphens and underscores.
    #[rule(like = JobVersionSearch)]
    pub name: Option<String>,
}

/// A page of a list. Each field may be absent.
#[contract(answer)]
#[derive(Default)]
pub struct JobVersionPage {
    /// The versions of the page: 0 to 100.
    #[rule(items = 0..=100, nested)]
    pub versions: Vec<JobVersion>,

    /// How many versions match, on this page and all others. The documentation says 0 to 10,000; decided here:
    /// all matches count, and it does not stop at 10,000.
    #[rule(minimum = 0, format = "int32", example = 1)]
    pub total: Option<u64>,
}

list! { ListJobVersionsQuery, JobVersionPage: versions of JobVersion }
