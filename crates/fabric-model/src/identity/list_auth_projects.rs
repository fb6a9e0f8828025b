//! `KeystoneListAuthProjects`: GET /v3/auth/projects.

use http::{Method, StatusCode};

use super::links::{FAILURES_OF_LISTS, Links};
use super::list_projects::{ProjectList, Projects, example};
use crate::{Example, Failure, Nothing, Operation, Request};

/// Lists the projects that the caller may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListAuthProjects;

impl Operation for ListAuthProjects {
    const ID: &'static str = "KeystoneListAuthProjects";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v3/auth/projects";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const IS_SIGN_IN: bool = true;
    const FAILURES: &'static [Failure] = FAILURES_OF_LISTS;
    const SUMMARY: &'static str = "List the projects of the caller";
    const DESCRIPTION: &'static str = "Answers the projects that the caller may use.\n\n\
        Not documented, but decided here: they are ordered by name, then by id.";

    type Resource = Projects;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Nothing;
    type Response = ProjectList;

    fn example() -> Example<Self> {
        let host = "https://iam.myhuaweicloud.com";
        Example {
            request: Request { path: Nothing {}, query: Nothing {}, body: Nothing {} },
            response: ProjectList {
                links: Some(Links::to(format!("{host}/v3/auth/projects"))),
                projects: vec![example(host, "af-south-1", "06f1cbbaf280106b2f14c00313a9d065")],
            },
        }
    }
}
