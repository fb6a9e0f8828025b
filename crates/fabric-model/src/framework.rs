//! Frameworks: what the service can run jobs with. `ListFrameworks`: GET
//! `/v1/workspaces/{workspace_id}/frameworks`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use crate::list::list;
use crate::open_enum::open_enum;
use crate::workspace::WorkspacePath;
use crate::{Example, Identified, Nothing, Operation, Request, Resource};

/// What the service can run jobs with.
#[derive(Clone, Copy, Debug)]
pub struct Frameworks;

impl Resource for Frameworks {
    const NAME: &'static str = "frameworks";
    const SINGULAR: &'static str = "framework";
    const DESCRIPTION: &'static str = "What the service can run jobs with";
    const ID_PARAMETER: Option<&'static str> = None;

    type Answer = Framework;
}

/// A framework in one of its versions. Each field may be absent.
#[contract(request)]
#[derive(Default, Eq)]
pub struct Framework {
    /// The name: 0 to 65,535 characters.
    #[rule(length = 0..=65535, example = "python")]
    pub name: Option<String>,

    /// The version: 0 to 65,535 characters. The documentation gives the number 36 as an example of this text.
    #[rule(length = 0..=65535, example = "36")]
    pub version_name: Option<String>,
}

/// A framework has no id: its name is that of several versions.
impl Identified for Framework {
    fn id(&self) -> Option<&str> {
        None
    }
}

open_enum! {
    /// The frameworks that can be listed by name.
    FrameworkKind described "A framework by its name.", example "spark" {
        /// Apache Spark.
        Spark = "spark",
        /// Python.
        Python = "python",
    }
}

/// Lists frameworks, a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListFrameworks;

impl Operation for ListFrameworks {
    const ID: &'static str = "ListFrameworks";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/frameworks";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const SUMMARY: &'static str = "List frameworks";
    const DESCRIPTION: &'static str = "Answers a page of the frameworks that jobs of a workspace can depend \
        on. `name` narrows the list.\n\n\
        Not documented, but decided here:\n\n\
        * They are ordered by name, then by version.\n\
        * Every workspace of a project has the same frameworks.";
    const ITEMS_IN_RESPONSE: Option<&'static str> = Some("/frameworks");

    type Resource = Frameworks;
    type Path = WorkspacePath;
    type Query = ListFrameworksQuery;
    type Body = Nothing;
    type Response = FrameworkPage;

    fn example() -> Example<Self> {
        let path = crate::workspace::example_path();
        let query = ListFrameworksQuery { name: Some(FrameworkKind::Python), ..Default::default() };
        Example {
            request: Request { path, query, body: Nothing {} },
            response: FrameworkPage { frameworks: vec![example()], total: Some(1) },
        }
    }
}

/// Which frameworks are to be listed.
#[contract(query)]
#[derive(Eq)]
pub struct ListFrameworksQuery {
    /// The number of matches to skip: 0 to 1,000,000,000.
    #[rule(range = 0..=1_000_000_000, default = 0, format = "int32")]
    pub offset: u32,

    /// The most frameworks to answer: 1 to 100.
    #[rule(range = 1..=100, default = 10, format = "int32")]
    pub limit: u32,

    /// The whole name.
    #[rule(known)]
    pub name: Option<FrameworkKind>,
}

/// A page of a list. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct FrameworkPage {
    /// The frameworks of the page: 0 to 1,000.
    #[rule(items = 0..=1000, nested)]
    pub frameworks: Vec<Framework>,

    /// How many frameworks match, on this page and all others. The documentation says 0 to 1,000; decided here:
    /// all matches count, and it does not stop at 1,000.
    #[rule(minimum = 0, format = "int32", example = 1)]
    pub total: Option<u64>,
}

list! { ListFrameworksQuery, FrameworkPage: frameworks of Framework }

/// The framework of the documentation's examples.
pub(crate) fn example() -> Framework {
    Framework { name: Some("python".to_owned()), version_name: Some("36".to_owned()) }
}
