//! The endpoint: computing resources of a workspace, under an address of their own.

mod create;
mod delete;
mod list;
mod ray_cluster;
mod ray_service;
mod reserved;
mod settings;
mod show;
mod subscribe;
mod update;

use fabric_model_macros::contract;

pub use create::{CacheMount, CreateEndpoint, EndpointConfiguration, EndpointCreate};
pub use delete::{DeleteEndpoint, DeletedEndpoint};
pub use list::{EndpointPage, EndpointSummary, ListEndpoints, ListEndpointsQuery};
pub use ray_cluster::{
    HeadNodeDemand, RayCluster, RayClusterCreate, RayHeadGroup, RayWorkerGroup, WorkNodeDemand,
};
pub use ray_service::{
    AgencySettings, ApiSettings, Deployment, DeploymentScaling, InputData, LogSettings,
    LtsSettings, OidcSettings, RayActorOptions, RayApplication, RayServeSettings,
    RayServiceCluster, RayServiceConfiguration, RayServiceHeadGroup, RayServiceWorkerGroup,
    ResourceAmount, RuntimeEnvironment,
};
pub use reserved::{ReservedResource, ReservedUnits, ResourceDemand, SpecificationCode};
pub use settings::{EndpointSettings, RayServiceData, RayServiceSettings, TokenQuota};
pub use show::{EndpointRevision, ShowEndpoint, ShowEndpointQuery};
pub use subscribe::SubscribeEndpoint;
pub use update::{EndpointUpdate, UpdateEndpoint};

use crate::open_enum::open_enum;
use crate::text::text;
use crate::user::User;
use crate::visibility::Visibility;
use crate::workspace::{self, WorkspaceId, Workspaces};
use crate::{Identified, Resource, ResourceInfo, Stateful};

/// The endpoints of a workspace.
#[derive(Clone, Copy, Debug)]
pub struct Endpoints;

impl Resource for Endpoints {
    const NAME: &'static str = "endpoints";
    const SINGULAR: &'static str = "endpoint";
    const DESCRIPTION: &'static str =
        "Computing resources of a workspace, under an address of their own";
    const ID_PARAMETER: Option<&'static str> = Some("endpoint_id");
    const OWNER: Option<&'static ResourceInfo> = Some(Workspaces::INFO);

    type Answer = Endpoint;
}

text! {
    /// Names an endpoint in a path: 1 to 36 letters, digits and hyphens.
    EndpointId, field "endpoint_id", schema "EndpointIdParameter" described "Names an endpoint.",
    1 to 36 of ID, example "0b5633ba2b904511ad514346f4d23d4b"
}

text! {
    /// An id as bodies and filters have it: 32 to 36 letters, digits and hyphens.
    LongId, field "id", schema "LongId" described "An id.",
    32 to 36 of ID, example "0b5633ba2b904511ad514346f4d23d4b"
}

text! {
    /// The name of an endpoint: 1 to 128 letters, digits, Chinese characters, underscores, hyphens, dots and
    /// spaces.
    EndpointName, field "name", schema "EndpointName" described "The name of an endpoint.",
    1 to 128 of NAME, example "endpoint1"
}

text! {
    /// What a new endpoint is for: 0 to 1,000 characters other than `! < > = & " '`.
    NewEndpointDescription, field "description", schema "NewEndpointDescription"
    described "What an endpoint is for.",
    0 to 1000 of PLAIN, example "description"
}

text! {
    /// What an endpoint is for: 0 to 1,024 characters other than `! < > = & " '`.
    EndpointDescription, field "description", schema "EndpointDescription"
    described "What an endpoint is for.",
    0 to 1024 of PLAIN, example "description"
}

open_enum! {
    /// What an endpoint serves.
    EndpointType
    described "What the endpoint serves.",
    example "job" {
        /// Requests to services.
        Service = "service",
        /// A Ray cluster.
        Ray = "ray",
        /// Inference.
        Inference = "inference",
        /// Requests to jobs.
        Job = "job",
        /// A Ray service.
        RayService = "ray_service",
        /// SQL requests.
        Sql = "sql",
        /// Requests to jobs in containers.
        ContainerJob = "container_job",
        /// A notebook.
        Notebook = "notebook",
    }
}

open_enum! {
    /// Where an endpoint is in its life.
    EndpointStatus
    described "The lifecycle state: what is under way, what failed, in use, frozen, or a public endpoint that \
               is not subscribed to.",
    example "RUNNING" {
        /// Being made.
        Creating = "CREATING",
        /// In use.
        Running = "RUNNING",
        /// Could not be made.
        CreateFailed = "CREATE_FAILED",
        /// Being removed.
        Deleting = "DELETING",
        /// Gone.
        Deleted = "DELETED",
        /// Being changed.
        Updating = "UPDATING",
        /// Could not be changed.
        UpdateFailed = "UPDATE_FAILED",
        /// Could not be removed.
        DeleteFailed = "DELETE_FAILED",
        /// Kept, but not served.
        Frozen = "FROZEN",
        /// A public endpoint that is not subscribed to.
        Inactive = "INACTIVE",
    }
}

open_enum! {
    /// In which environment an endpoint runs.
    EndpointEnvironment
    described "The environment that the endpoint runs in: that of production, or one of a new version.",
    example "RELEASE" {
        /// That of production.
        Release = "RELEASE",
        /// That of a new version.
        Gray = "GRAY",
    }
}

open_enum! {
    /// From where an address is reached.
    AddressType
    described "From where the address is reached: the internet, or the private network.",
    example "PUBLIC" {
        /// The private network.
        Private = "PRIVATE",
        /// The internet.
        Public = "PUBLIC",
    }
}

/// An endpoint, as the service answers it. Each field may be absent.
#[contract(answer)]
#[derive(Default)]
pub struct Endpoint {
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

    /// How its service is configured.
    #[rule(nested)]
    pub config: Option<EndpointSettings>,

    /// Its addresses: 0 to 100.
    #[rule(items = 0..=100, nested)]
    pub urls: Vec<EndpointAddress>,

    /// The instances of the engine behind it: 0 to 2, each of 1 to 36 characters.
    #[rule(items = 0..=2, each = InstanceId)]
    pub business_engine_instance_ids: Vec<String>,

    /// The environment that it runs in.
    pub runtime_env_type: Option<EndpointEnvironment>,

    /// How many tokens it may process.
    #[rule(nested)]
    pub tokens_quota: Option<TokenQuota>,

    /// When it was created.
    #[rule(required, format = "date-time", example = "2023-05-30T12:24:30.401Z")]
    pub create_time: Option<String>,

    /// When it was last changed.
    #[rule(required, format = "date-time", example = "2023-05-30T12:24:30.401Z")]
    pub update_time: Option<String>,
}

impl Identified for Endpoint {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl Stateful for Endpoint {
    type Status = EndpointStatus;

    fn status(&self) -> Option<&EndpointStatus> {
        self.status.as_ref()
    }
}

text! {
    /// An instance of an engine: 1 to 36 characters.
    InstanceId, field "id", schema "InstanceId" described "An instance of an engine.",
    1 to 36 of ANY, example "0b5633ba2b904511ad514346f4d23d4b"
}

text! {
    /// An address: 0 to 1,024 characters other than `! < > = & " '`.
    EndpointUrl, field "address", schema "EndpointUrl" described "An address.",
    0 to 1024 of PLAIN, example "https://0b5633ba2b904511ad514346f4d23d4b.fabric.example.com/"
}

text! {
    /// The name of an address: 1 to 64 characters other than `! < > = & " '`.
    AddressName, field "name", schema "AddressName" described "The name of an address.",
    1 to 64 of PLAIN, example "ApiInvoke"
}

text! {
    /// A token of an address: 0 to 10,240 characters other than `! < > = & " '`.
    AddressToken, field "token", schema "AddressToken" described "A token of an address.",
    0 to 10240 of PLAIN, example "example"
}

/// An address of an endpoint. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct EndpointAddress {
    /// The URL: 0 to 1,024 characters other than `! < > = & " '`.
    #[rule(like = EndpointUrl)]
    pub address: Option<String>,

    /// The name: 1 to 64 characters other than `! < > = & " '`. `ApiInvoke` is the REST API of the endpoint; the
    /// CAP says what others are.
    #[rule(like = AddressName)]
    pub name: Option<String>,

    /// A token for the address: 0 to 10,240 characters other than `! < > = & " '`.
    #[rule(like = AddressToken)]
    pub token: Option<String>,

    /// From where it is reached.
    pub r#type: Option<AddressType>,
}

/// A version of a CAP. Each field may be absent, but not `null` in a request.
#[contract(request)]
#[derive(Default, Eq)]
pub struct CapReference {
    /// The CAP: 32 to 36 letters, digits and hyphens.
    #[rule(like = LongId)]
    pub cap_id: Option<String>,

    /// The version: 32 to 36 letters, digits and hyphens.
    #[rule(like = LongId)]
    pub version_id: Option<String>,
}

/// The path of the operations on one endpoint.
#[contract(path)]
#[derive(Eq)]
pub struct EndpointPath {
    /// The id of the workspace: 1 to 36 letters, digits and hyphens.
    pub workspace_id: WorkspaceId,

    /// The id of the endpoint: 1 to 36 letters, digits and hyphens.
    pub endpoint_id: EndpointId,
}

/// The endpoint of the examples.
fn example() -> Endpoint {
    Endpoint {
        visibility: Some(Visibility::Private),
        id: Some("ac8111bf-3601-4905-8ddd-b41d3e636a4e".to_owned()),
        name: Some("endpoint1".to_owned()),
        description: Some("description".to_owned()),
        r#type: Some(EndpointType::Ray),
        status: Some(EndpointStatus::Running),
        owner: Some(User {
            domain_name: Some("admin".to_owned()),
            user_name: Some("user".to_owned()),
            ..User::default()
        }),
        reserved_resource: Some(reserved::example()),
        ray_resource: Some(ray_cluster::example().into()),
        urls: vec![EndpointAddress {
            address: Some(
                "https://ac8111bf-3601-4905-8ddd-b41d3e636a4e.fabric.example.com/".to_owned(),
            ),
            name: Some("ApiInvoke".to_owned()),
            token: None,
            r#type: Some(AddressType::Public),
        }],
        runtime_env_type: Some(EndpointEnvironment::Release),
        create_time: Some("2023-05-30T12:24:30.401Z".to_owned()),
        update_time: Some("2023-05-30T12:24:30.401Z".to_owned()),
        ..Endpoint::default()
    }
}

fn example_path() -> EndpointPath {
    let workspace_id = workspace::example_path().workspace_id;
    let id = EndpointId::try_from("ac8111bf-3601-4905-8ddd-b41d3e636a4e");
    EndpointPath { workspace_id, endpoint_id: id.expect("a UUID is an id") }
}
