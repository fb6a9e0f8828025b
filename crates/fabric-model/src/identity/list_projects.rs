//! `KeystoneListProjects`: GET /v3/projects.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::links::{FAILURES_OF_LISTS, Links};
use crate::{Example, Failure, Identified, Nothing, Operation, Request, Resource};

/// The projects that callers may use.
#[derive(Clone, Copy, Debug)]
pub struct Projects;

impl Resource for Projects {
    const NAME: &'static str = "projects";
    const SINGULAR: &'static str = "project";
    const DESCRIPTION: &'static str = "What the records of the service belong to";
    const ID_PARAMETER: Option<&'static str> = None;

    type Answer = Project;
}

impl Identified for Project {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

/// Lists the projects that fit a query. The service's own libraries look up a project by the name of its region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListProjects;

impl Operation for ListProjects {
    const ID: &'static str = "KeystoneListProjects";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v3/projects";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const IS_SIGN_IN: bool = true;
    const FAILURES: &'static [Failure] = FAILURES_OF_LISTS;
    const SUMMARY: &'static str = "List projects";
    const DESCRIPTION: &'static str = "Answers the projects of the caller that fit the query. With the name of a \
        region as `name`, it is the project of that region.\n\n\
        Not documented, but decided here: projects are ordered by name, then by id; `page` without `per_page`, \
        or the other way round, is 400.";

    type Resource = Projects;
    type Path = Nothing;
    type Query = ListProjectsQuery;
    type Body = Nothing;
    type Response = ProjectList;

    fn example() -> Example<Self> {
        let query = ListProjectsQuery {
            name: Some("ap-southeast-2".to_owned()),
            ..ListProjectsQuery::default()
        };
        let project = example(
            "https://iam.huaweicloud.com",
            "ap-southeast-2",
            "06f1c15e6f0010672f86c003006c5f17",
        );
        Example {
            request: Request { path: Nothing {}, query, body: Nothing {} },
            response: ProjectList {
                links: Some(Links::to("https://iam.huaweicloud.com/v3/projects")),
                projects: vec![project],
            },
        }
    }
}

/// Which projects are to be listed. Every filter that is given must match.
#[contract(query)]
#[derive(Eq)]
pub struct ListProjectsQuery {
    /// The id of the domain that the project belongs to.
    #[rule(example = "c9f5525d9d24c5bbf91e74d86772029")]
    pub domain_id: Option<String>,

    /// The name: the whole of it.
    #[rule(example = "cn-north-4")]
    pub name: Option<String>,

    /// The id of what the project is part of: of the domain, or of the project of its region.
    #[rule(example = "c9f5525d9d24c5bbf91e74d86772029")]
    pub parent_id: Option<String>,

    /// Whether the project is enabled.
    #[rule(example = true)]
    pub enabled: Option<bool>,

    /// Of no meaning.
    pub is_domain: Option<bool>,

    /// The page, from 1 on. Given together with `per_page`.
    #[rule(range = 1..=2_147_483_647, format = "int32", example = 1)]
    pub page: Option<u32>,

    /// The projects on a page: 1 to 5,000. Given together with `page`.
    #[rule(range = 1..=5_000, format = "int32", example = 10)]
    pub per_page: Option<u32>,
}

impl ListProjectsQuery {
    /// Asks for the project with a name, which is that of its region.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }
}

/// Projects.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct ProjectList {
    /// Where this list is found.
    #[rule(nested, required)]
    pub links: Option<Links>,

    /// The projects.
    #[rule(nested, required)]
    pub projects: Vec<Project>,
}

/// A project.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct Project {
    /// What it is for.
    #[rule(required, example = "IAMDescription")]
    pub description: Option<String>,

    /// The id of the domain that it belongs to.
    #[rule(required, example = "d78cbac186b744899480f25bd022f468")]
    pub domain_id: Option<String>,

    /// Whether it can be used.
    #[rule(required, example = true)]
    pub enabled: Option<bool>,

    /// The id.
    #[rule(required, example = "06f1cbbaf280106b2f14c00313a9d065")]
    pub id: Option<String>,

    /// Always `false`.
    #[rule(required, example = false)]
    pub is_domain: Option<bool>,

    /// Where it is found.
    #[rule(nested, required)]
    pub links: Option<Links>,

    /// The name; of the project that a region has by itself, the name of the region.
    #[rule(required, example = "af-south-1")]
    pub name: Option<String>,

    /// The id of what it is part of: the domain, or the project of its region.
    #[rule(required, example = "d78cbac186b744899480f25bd022f468")]
    pub parent_id: Option<String>,
}

/// A project of the documented samples.
pub(super) fn example(host: &str, name: &str, id: &str) -> Project {
    let domain = Some("d78cbac186b744899480f25bd022f468".to_owned());
    Project {
        description: Some(String::new()),
        domain_id: domain.clone(),
        enabled: Some(true),
        id: Some(id.to_owned()),
        is_domain: Some(false),
        links: Some(Links::to(format!("{host}/v3/projects/{id}"))),
        name: Some(name.to_owned()),
        parent_id: domain,
    }
}
