//! `CreateEndpoint`: POST `/v1/workspaces/{workspace_id}/endpoints`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{
    CapReference, Endpoint, EndpointName, EndpointSettings, EndpointStatus, EndpointType,
    Endpoints, LongId, NewEndpointDescription, RayClusterCreate, RayServiceConfiguration,
    RayServiceSettings, ReservedResource, ray_service,
};
use crate::text::text;
use crate::workspace::{self, WorkspacePath};
use crate::{Example, Nothing, Operation, Request};

/// Creates an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateEndpoint;

impl Operation for CreateEndpoint {
    const ID: &'static str = "CreateEndpoint";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/endpoints";
    const SUCCESS: StatusCode = StatusCode::ACCEPTED;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:endpoint:create");
    const SUMMARY: &'static str = "Create an endpoint";
    const DESCRIPTION: &'static str = "Begins to create an endpoint and answers it, `CREATING`. It is then \
        `RUNNING`, or `CREATE_FAILED` with `error_code` and `error_msg`.\n\n\
        Not documented, but decided here:\n\n\
        * A workspace that does not exist is 404.\n\
        * The same name may be used twice.\n\
        * No field but `name` and `type` is required of any type of endpoint.\n\
        * The answer holds the configuration as the request has it, without defaults filled in.";
    const ID_IN_RESPONSE: Option<&'static str> = Some("/id");
    const FAILED_STATUS: Option<&'static str> = Some("CREATE_FAILED");

    type Resource = Endpoints;
    type Path = WorkspacePath;
    type Query = Nothing;
    type Body = EndpointCreate;
    type Response = Endpoint;

    fn example() -> Example<Self> {
        let service = EndpointConfiguration { ray_service_config: Some(ray_service::example()) };
        let response = Endpoint {
            r#type: Some(EndpointType::RayService),
            status: Some(EndpointStatus::Creating),
            ray_resource: None,
            config: Some(service.clone().into()),
            urls: Vec::new(),
            ..super::example()
        };
        let body = EndpointCreate {
            name: "endpoint1".to_owned(),
            description: response.description.clone(),
            r#type: EndpointType::RayService,
            reserved_resource: response.reserved_resource.clone(),
            ray_resource: None,
            cap: None,
            config: Some(service),
            custom_image_id: None,
            cache_list: Vec::new(),
            public_access: Some(true),
        };
        let path = workspace::example_path();
        Example { request: Request { path, query: Nothing {}, body }, response }
    }
}

/// What an endpoint is to be. The name and the type are required; no field may be `null`.
#[contract(request)]
pub struct EndpointCreate {
    /// The name: 1 to 128 letters, digits, Chinese characters, underscores, hyphens, dots and spaces.
    #[rule(like = EndpointName)]
    pub name: String,

    /// What it is for: 0 to 1,000 characters other than `! < > = & " '`.
    #[rule(like = NewEndpointDescription)]
    pub description: Option<String>,

    /// What it is to serve.
    #[rule(known)]
    pub r#type: EndpointType,

    /// The resources to reserve.
    #[rule(nested)]
    pub reserved_resource: Option<ReservedResource>,

    /// The Ray cluster.
    #[rule(nested)]
    pub ray_resource: Option<RayClusterCreate>,

    /// The CAP to run.
    #[rule(nested)]
    pub cap: Option<CapReference>,

    /// How its service is to be configured.
    #[rule(nested)]
    pub config: Option<EndpointConfiguration>,

    /// The image to run: 32 to 36 letters, digits and hyphens.
    #[rule(like = LongId)]
    pub custom_image_id: Option<String>,

    /// The distributed caches to mount: 0 to 1,000.
    #[rule(items = 0..=1000, nested)]
    pub cache_list: Vec<CacheMount>,

    /// Whether the endpoint is reached from the internet.
    #[rule(default = false)]
    pub public_access: Option<bool>,
}

/// How the service of an endpoint is to be configured.
#[contract(request)]
#[derive(Default)]
pub struct EndpointConfiguration {
    /// A Ray service.
    #[rule(nested)]
    pub ray_service_config: Option<RayServiceConfiguration>,
}

/// What the service answers of a configuration that was asked for.
impl From<EndpointConfiguration> for EndpointSettings {
    fn from(asked: EndpointConfiguration) -> Self {
        Self { ray_service_config: asked.ray_service_config.map(RayServiceSettings::from) }
    }
}

text! {
    /// Where a cache is mounted: names of letters, digits and underscores, each after a slash, at most 1,024
    /// characters.
    CachePath, field "mnt_path", schema "CachePath" described "Where a cache is mounted.",
    0 to 1024 of MOUNT_PATH, example "/mnt/cache"
}

/// A distributed cache that an endpoint mounts.
#[contract(request)]
#[derive(Default, Eq)]
pub struct CacheMount {
    /// The cache, which must be there: 0 to 1,024 characters.
    #[rule(length = 0..=1024, example = "0b5633ba2b904511ad514346f4d23d4b")]
    pub cache_ins_id: String,

    /// Where it is mounted: names of letters, digits and underscores, each after a slash, at most 1,024
    /// characters.
    #[rule(like = CachePath)]
    pub mnt_path: String,
}
