//! `ListEndpoints`: GET `/v1/workspaces/{workspace_id}/endpoints`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{
    CapReference, Endpoint, EndpointDescription, EndpointName, EndpointStatus, EndpointType,
    Endpoints, LongId, RayCluster, ReservedResource,
};
use crate::list::list;
use crate::text::text;
use crate::user::User;
use crate::visibility::{Visibility, VisibilityFilter};
use crate::workspace::{self, WorkspacePath};
use crate::{Example, Identified, Nothing, Operation, Request, Stateful};

/// Lists the endpoints of a workspace, a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListEndpoints;

impl Operation for ListEndpoints {
    const ID: &'static str = "ListEndpoints";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/endpoints";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:endpoint:list");
    const SUMMARY: &'static str = "List endpoints";
    const DESCRIPTION: &'static str = "Answers a page of the endpoints of a workspace, each in brief. \
        `model_id`, `name`, `endpoint_id`, `type` and `visibility` narrow the list.\n\n\
        Not documented, but decided here:\n\n\
        * A workspace that does not exist is 404.\n\
        * The newest come first; ties are ordered by id. What is deleted is not listed.\n\
        * `name` matches a case-sensitive substring, without wildcards. All that is given must match.\n\
        * No answer names the model of an endpoint, so a `model_id` matches none that the mock server \
        keeps.\n\
        * An empty value is rejected like any other that breaks the rules of its parameter.";
    const ITEMS_IN_RESPONSE: Option<&'static str> = Some("/endpoints");

    type Resource = Endpoints;
    type Path = WorkspacePath;
    type Query = ListEndpointsQuery;
    type Body = Nothing;
    type Response = EndpointPage;

    fn example() -> Example<Self> {
        let path = workspace::example_path();
        let query = ListEndpointsQuery {
            name: Some("endpoint".to_owned()),
            ..ListEndpointsQuery::default()
        };
        let endpoints = vec![EndpointSummary::from(super::example())];
        Example {
            request: Request { path, query, body: Nothing {} },
            response: EndpointPage { endpoints, total: Some(1) },
        }
    }
}

text! {
    /// A part of the name of an endpoint: 1 to 128 letters, digits, Chinese characters, underscores and hyphens.
    EndpointNamePart, field "name", schema "EndpointNamePart"
    described "A part of the name of an endpoint.",
    1 to 128 of SEARCH, example "endpoint1"
}

/// Which endpoints are to be listed.
#[contract(query)]
#[derive(Eq)]
pub struct ListEndpointsQuery {
    /// The number of matches to skip: 0 to 1,000,000,000.
    #[rule(range = 0..=1_000_000_000, default = 0, format = "int32")]
    pub offset: u32,

    /// The most endpoints to answer: 1 to 100.
    #[rule(range = 1..=100, default = 10, format = "int32")]
    pub limit: u32,

    /// The model that they serve: 32 to 36 letters, digits and hyphens.
    #[rule(like = LongId)]
    pub model_id: Option<String>,

    /// A part of the name: 1 to 128 letters, digits, Chinese characters, underscores and hyphens.
    #[rule(like = EndpointNamePart)]
    pub name: Option<String>,

    /// The whole id: 32 to 36 letters, digits and hyphens.
    #[rule(like = LongId)]
    pub endpoint_id: Option<String>,

    /// What they serve.
    #[rule(known)]
    pub r#type: Option<EndpointType>,

    /// Whose are listed: private ones, public ones of whatever user, or all. Without it, all but public ones
    /// of other users.
    #[rule(known)]
    pub visibility: Option<VisibilityFilter>,
}

/// A page of a list.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct EndpointPage {
    /// The endpoints of the page: 0 to 1,000.
    #[rule(items = 0..=1000, nested)]
    pub endpoints: Vec<EndpointSummary>,

    /// How many endpoints match, on this page and all others. The documentation says 0 to 10,000; decided here:
    /// all matches count, and it does not stop at 10,000.
    #[rule(minimum = 0, format = "int32", example = 1)]
    pub total: Option<u64>,
}

list! { ListEndpointsQuery, EndpointPage: endpoints of EndpointSummary }

/// An endpoint in a list: what [`Endpoint`] has, but for its addresses and how its service is configured.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct EndpointSummary {
    /// Who sees it.
    #[rule(inline, default = "PRIVATE")]
    pub visibility: Option<Visibility>,

    /// The id: 32 to 36 letters, digits and hyphens.
    #[rule(required, like = LongId)]
    pub id: Option<String>,

    /// The name: 1 to 128 letters, digits, Chinese characters, underscores, hyphens, dots and spaces.
    #[rule(required, like = EndpointName)]
    pub name: Option<String>,

    /// What it is for: 0 to 1,024 characters other than `! < > = & " '`. The documentation says at most 1,000,
    /// but an update may set 1,024.
    #[rule(like = EndpointDescription)]
    pub description: Option<String>,

    /// What it serves.
    #[rule(required)]
    pub r#type: Option<EndpointType>,

    /// The lifecycle state.
    #[rule(required)]
    pub status: Option<EndpointStatus>,

    /// Why it is in a state of failure, as a code: 0 to 36 characters.
    #[rule(length = 0..=36, example = "common.00000500")]
    pub error_code: Option<String>,

    /// Why it is in a state of failure, in words: 0 to 1,024 characters.
    #[rule(length = 0..=1024, example = "out of resources")]
    pub error_msg: Option<String>,

    /// Who created it.
    #[rule(required, nested)]
    pub owner: Option<User>,

    /// The CAP that it runs.
    #[rule(nested)]
    pub cap: Option<CapReference>,

    /// The image that it runs: 32 to 36 letters, digits and hyphens.
    #[rule(like = LongId)]
    pub custom_image_id: Option<String>,

    /// The resources that are reserved for it.
    #[rule(nested)]
    pub reserved_resource: Option<ReservedResource>,

    /// The Ray cluster.
    #[rule(nested)]
    pub ray_resource: Option<RayCluster>,

    /// When it was created.
    #[rule(required, format = "date-time", example = "2023-05-30T12:24:30.401Z")]
    pub create_time: Option<String>,

    /// When it was last changed.
    #[rule(required, format = "date-time", example = "2023-05-30T12:24:30.401Z")]
    pub update_time: Option<String>,
}

impl Identified for EndpointSummary {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl Stateful for EndpointSummary {
    type Status = EndpointStatus;

    fn status(&self) -> Option<&EndpointStatus> {
        self.status.as_ref()
    }
}

impl From<Endpoint> for EndpointSummary {
    fn from(whole: Endpoint) -> Self {
        Self {
            visibility: whole.visibility,
            id: whole.id,
            name: whole.name,
            description: whole.description,
            r#type: whole.r#type,
            status: whole.status,
            error_code: whole.error_code,
            error_msg: whole.error_msg,
            owner: whole.owner,
            cap: whole.cap,
            custom_image_id: whole.custom_image_id,
            reserved_resource: whole.reserved_resource,
            ray_resource: whole.ray_resource,
            create_time: whole.create_time,
            update_time: whole.update_time,
        }
    }
}

/// The whole endpoint, as far as a list tells.
impl From<EndpointSummary> for Endpoint {
    fn from(listed: EndpointSummary) -> Self {
        Self {
            visibility: listed.visibility,
            id: listed.id,
            name: listed.name,
            description: listed.description,
            r#type: listed.r#type,
            status: listed.status,
            error_code: listed.error_code,
            error_msg: listed.error_msg,
            owner: listed.owner,
            cap: listed.cap,
            custom_image_id: listed.custom_image_id,
            reserved_resource: listed.reserved_resource,
            ray_resource: listed.ray_resource,
            create_time: listed.create_time,
            update_time: listed.update_time,
            ..Self::default()
        }
    }
}
