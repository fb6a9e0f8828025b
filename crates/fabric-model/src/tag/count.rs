//! `CountTagFabricWorkspaces`: POST `/v1/{project_id}/fabric-workspace/resource-instances/count`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{PROJECT_PARAMETER, ProjectTagsPath, Tags, WorkspaceFilter, filter};
use crate::{Example, Nothing, Operation, Request};

/// Counts workspaces by their tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountTagFabricWorkspaces;

impl Operation for CountTagFabricWorkspaces {
    const ID: &'static str = "CountTagFabricWorkspaces";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/v1/{project_id}/fabric-workspace/resource-instances/count";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric::listResourcesByTag");
    const SUMMARY: &'static str = "Count workspaces by their tags";
    const DESCRIPTION: &'static str = "Answers how many workspaces a filter matches: as many as \
        `ListTagFabricWorkspaces` answers for the same filter.";
    const PROJECT_PARAMETER: Option<&'static str> = PROJECT_PARAMETER;
    const ONLY_READS: bool = true;
    const IS_BODY_OPTIONAL: bool = true;

    type Resource = Tags;
    type Path = ProjectTagsPath;
    type Query = Nothing;
    type Body = WorkspaceFilter;
    type Response = WorkspaceCount;

    fn example() -> Example<Self> {
        Example {
            request: Request {
                path: super::example_project_path(),
                query: Nothing {},
                body: filter::example(),
            },
            response: WorkspaceCount { total_count: Some(1) },
        }
    }
}

/// How many workspaces match.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct WorkspaceCount {
    /// How many workspaces match: 0 to 2,147,483,647. May be absent.
    #[rule(range = 0..=2_147_483_647, format = "int32", example = 1)]
    pub total_count: Option<u64>,
}
