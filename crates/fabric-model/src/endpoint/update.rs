//! `UpdateEndpoint`: PUT `/v1/workspaces/{workspace_id}/endpoints/{endpoint_id}`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{
    CapReference, Endpoint, EndpointDescription, EndpointName, EndpointPath, EndpointStatus,
    Endpoints, RayClusterCreate, ReservedResource, ray_cluster,
};
use crate::{Example, Nothing, Operation, Request};

/// Changes an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateEndpoint;

impl Operation for UpdateEndpoint {
    const ID: &'static str = "UpdateEndpoint";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/endpoints/{endpoint_id}";
    const SUCCESS: StatusCode = StatusCode::ACCEPTED;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:endpoint:alter");
    const SUMMARY: &'static str = "Change an endpoint";
    const DESCRIPTION: &'static str = "Begins to change an endpoint and answers it, `UPDATING`. It is then \
        `RUNNING` again, or `UPDATE_FAILED` with `error_code` and `error_msg`. What the request does not \
        name stays as it is.\n\n\
        Not documented, but decided here:\n\n\
        * An endpoint that is not there is 404.\n\
        * Only an endpoint that is `RUNNING` or `UPDATE_FAILED` is changed; in another state the answer is \
        400.\n\
        * The answer has the new values at once, and keeps them if the update fails.\n\
        * `{}` is a success that changes nothing but `update_time`.\n\
        * A description may have 1,024 characters, although that of a new endpoint has at most 1,000.";
    const FAILED_STATUS: Option<&'static str> = Some("UPDATE_FAILED");

    type Resource = Endpoints;
    type Path = EndpointPath;
    type Query = Nothing;
    type Body = EndpointUpdate;
    type Response = Endpoint;

    fn example() -> Example<Self> {
        let response = Endpoint { status: Some(EndpointStatus::Updating), ..super::example() };
        let body = EndpointUpdate {
            name: response.name.clone(),
            description: response.description.clone(),
            ray_resource: Some(ray_cluster::example()),
            ..EndpointUpdate::default()
        };
        Example {
            request: Request { path: super::example_path(), query: Nothing {}, body },
            response,
        }
    }
}

/// What is to change. Every field is optional, and none may be `null`.
#[contract(request)]
#[derive(Default, Eq)]
pub struct EndpointUpdate {
    /// The new name: 1 to 128 letters, digits, Chinese characters, underscores, hyphens, dots and spaces.
    #[rule(like = EndpointName)]
    pub name: Option<String>,

    /// What it is for: 0 to 1,024 characters other than `! < > = & " '`.
    #[rule(like = EndpointDescription)]
    pub description: Option<String>,

    /// The resources to reserve.
    #[rule(nested)]
    pub reserved_resource: Option<ReservedResource>,

    /// The Ray cluster.
    #[rule(nested)]
    pub ray_resource: Option<RayClusterCreate>,

    /// The CAP to run.
    #[rule(nested)]
    pub cap: Option<CapReference>,
}
