//! `ListJobs`: GET `/v1/workspaces/{workspace_id}/jobs`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{Job, JobEndpointId, JobId, Jobs};
use crate::list::list;
use crate::order::{OrderBy, SortBy};
use crate::text::text;
use crate::workspace::WorkspacePath;
use crate::{Example, Nothing, Operation, Request};

/// Lists jobs, a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListJobs;

impl Operation for ListJobs {
    const ID: &'static str = "ListJobs";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/jobs";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:job:list");
    const SUMMARY: &'static str = "List jobs";
    const DESCRIPTION: &'static str = "Answers a page of the jobs of a workspace, each with its current version. \
        `name`, `id`, `type`, `endpoint_id` and `create_by_me` narrow the list.\n\n\
        Not documented, but decided here:\n\n\
        * Ties are ordered by the time of creation, the newest first, then by id. Names are compared by their \
        Unicode characters.\n\
        * `name` matches a case-sensitive substring, without wildcards. All that is given must match.\n\
        * `type` holds types with commas between them, and matches any of them. A type that does not exist \
        matches nothing.\n\
        * `endpoint_id` matches the current endpoint.";
    const ITEMS_IN_RESPONSE: Option<&'static str> = Some("/jobs");

    type Resource = Jobs;
    type Path = WorkspacePath;
    type Query = ListJobsQuery;
    type Body = Nothing;
    type Response = JobPage;

    fn example() -> Example<Self> {
        let query = ListJobsQuery {
            name: Some("name".to_owned()),
            r#type: Some("RAY_JOB,PYTHON_JOB,SPARK_JOB".to_owned()),
            sort_by: Some(SortBy::CreateTime),
            ..ListJobsQuery::default()
        };
        let path = crate::workspace::example_path();
        Example {
            request: Request { path, query, body: Nothing {} },
            response: JobPage { jobs: vec![super::example()], total: Some(1) },
        }
    }
}

text! {
    /// A part of the name of a job: 1 to 64 letters, digits, hyphens, underscores and Chinese characters.
    JobSearch, field "name", schema "JobSearch" described "A part of a name.",
    1 to 64 of SEARCH, example "name"
}

/// Which jobs are to be listed, and in which order.
#[contract(query)]
#[derive(Eq)]
pub struct ListJobsQuery {
    /// The number of matches to skip: 0 to 1,000,000,000.
    #[rule(range = 0..=1_000_000_000, default = 0, format = "int32")]
    pub offset: u32,

    /// The most jobs to answer: 1 to 100.
    #[rule(range = 1..=100, default = 10, format = "int32")]
    pub limit: u32,

    /// A part of the name: 1 to 64 letters, digits, hyphens, underscores and Chinese characters.
    #[rule(like = JobSearch)]
    pub name: Option<String>,

    /// The whole id: 32 to 36 letters, digits and hyphens.
    pub id: Option<JobId>,

    /// Types, with commas between them: 1 to 64 characters.
    #[rule(length = 1..=64, example = "RAY_JOB,PYTHON_JOB,SPARK_JOB")]
    pub r#type: Option<String>,

    /// The current endpoint: 32 to 36 letters, digits and hyphens.
    #[rule(like = JobEndpointId)]
    pub endpoint_id: Option<String>,

    /// `true` lists only the jobs that the caller created; otherwise, those of all users are listed.
    pub create_by_me: Option<bool>,

    /// By what the list is sorted. Without it, by the time of creation.
    #[rule(known)]
    pub sort_by: Option<SortBy>,

    /// In which direction the list is sorted.
    #[rule(inline, known, default = "DESC")]
    pub order_by: OrderBy,
}

/// A page of a list. Each field may be absent.
#[contract(answer)]
#[derive(Default)]
pub struct JobPage {
    /// The jobs of the page: 0 to 100.
    #[rule(items = 0..=100, nested)]
    pub jobs: Vec<Job>,

    /// How many jobs match, on this page and all others. The documentation says 0 to 10,000; decided here: all
    /// matches count, and it does not stop at 10,000.
    #[rule(minimum = 0, format = "int32", example = 1)]
    pub total: Option<u64>,
}

list! { ListJobsQuery, JobPage: jobs of Job }
