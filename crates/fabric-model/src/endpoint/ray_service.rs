//! How the Ray service of an endpoint is configured: what requests and answers share, and the request.

use std::collections::BTreeMap;

use fabric_model_macros::contract;
use serde_json::{Map, Value};

use super::SpecificationCode;
use crate::text::text;

/// How a Ray service is to be configured.
#[contract(request)]
#[derive(Default)]
pub struct RayServiceConfiguration {
    /// The agency by which it acts.
    #[rule(nested)]
    pub agency_config: Option<AgencySettings>,

    /// An API of its own.
    #[rule(nested)]
    pub api_config: Option<ApiSettings>,

    /// Where its logs go.
    #[rule(nested)]
    pub log_config: Option<LogSettings>,

    /// How it signs in by OIDC.
    #[rule(nested)]
    pub oidc_config: Option<OidcSettings>,

    /// The cluster that it runs on.
    #[rule(nested)]
    pub ray_cluster_config: RayServiceCluster,

    /// What it serves.
    #[rule(nested)]
    pub ray_serve_config: RayServeSettings,

    /// Its data: 0 or 1.
    #[rule(items = 0..=1, nested)]
    pub data_infos: Vec<InputData>,
}

text! {
    /// A folder in the object storage service: 4 to 1,024 characters.
    DataPath, field "path", schema "DataPath" described "A folder in the object storage service.",
    4 to 1024 of ANY, example "OBS://bucket/dir/"
}

/// Data that a Ray service reads.
#[contract(request)]
#[derive(Default, Eq)]
pub struct InputData {
    /// Where it is: 4 to 1,024 characters.
    #[rule(like = DataPath)]
    pub input_path: Option<String>,
}

/// The agency by which a Ray service acts.
#[contract(request)]
#[derive(Default, Eq)]
pub struct AgencySettings {
    /// The name of the agency: at most 64 characters.
    #[rule(length = 0..=64, example = "csms-agency")]
    pub agency_name: Option<String>,

    /// Whether the service acts by an agency.
    #[rule(default = false)]
    pub enable_agency: Option<bool>,
}

/// The API of a Ray service.
#[contract(request)]
#[derive(Default, Eq)]
pub struct ApiSettings {
    /// How long a call of the API may take, in milliseconds: 0 to 600,000.
    #[rule(range = 0..=600_000, default = 60_000)]
    pub backend_timeout: Option<u32>,

    /// Whether the service has an API of its own.
    #[rule(default = false)]
    pub enable_independent_api: Option<bool>,
}

/// Where the logs of a Ray service go.
#[contract(request)]
#[derive(Default, Eq)]
pub struct LogSettings {
    /// The Log Tank Service.
    #[rule(nested)]
    pub lts: Option<LtsSettings>,
}

/// The stream of the Log Tank Service that logs go to.
#[contract(request)]
#[derive(Default, Eq)]
pub struct LtsSettings {
    /// Whether logs go there.
    #[rule(default = false)]
    pub enabled: Option<bool>,

    /// The group of the stream, which must be there: 0 to 64 characters.
    #[rule(length = 0..=64, example = "7a6d1e0f-4c3b-48d2-9e5f-8a7b6c5d4e3f")]
    pub log_group_id: Option<String>,

    /// The stream, which must be there: 0 to 64 characters.
    #[rule(length = 0..=64, example = "9e2b6f41-0c7d-4d35-b8a1-3f5e7c9d1b20")]
    pub log_stream_id: Option<String>,
}

text! {
    /// A client of an OIDC provider: 1 to 64 letters, digits, dots, underscores and hyphens.
    OidcClientId, field "client_id", schema "OidcClientId"
    described "A client of an OIDC provider.",
    1 to 64 of DOTTED, example "client_id"
}

text! {
    /// The namespace of a Ray service: `ray-svc-` and 8 hexadecimal digits, 16 characters.
    RayServiceNamespace, field "namespace", schema "RayServiceNamespace"
    described "The namespace of a Ray service.",
    16 to 16 of NAMESPACE, example "ray-svc-0123abcd"
}

/// How a Ray service signs in by OIDC.
#[contract(request)]
#[derive(Default, Eq)]
pub struct OidcSettings {
    /// The client at the provider: 1 to 64 letters, digits, dots, underscores and hyphens.
    #[rule(like = OidcClientId)]
    pub client_id: Option<String>,

    /// Whether the service signs in so.
    #[rule(default = false)]
    pub enable_oidc: Option<bool>,

    /// The namespace of the service: `ray-svc-` and 8 hexadecimal digits.
    #[rule(like = RayServiceNamespace)]
    pub namespace: Option<String>,
}

/// The cluster of a Ray service.
#[contract(request)]
#[derive(Default, Eq)]
pub struct RayServiceCluster {
    /// Whether amounts of resources are given in place of specifications.
    #[rule(default = false)]
    pub enable_custom: Option<bool>,

    /// The head node.
    #[rule(nested)]
    pub head_group_spec: RayServiceHeadGroup,

    /// The groups of worker nodes: 1 to 1,000.
    #[rule(required, items = 1..=1000, nested)]
    pub worker_group_specs: Vec<RayServiceWorkerGroup>,
}

/// The head node of the cluster of a Ray service.
#[contract(request)]
#[derive(Default, Eq)]
pub struct RayServiceHeadGroup {
    /// The most that it uses.
    #[rule(nested)]
    pub limits: Option<ResourceAmount>,

    /// What it needs at least.
    #[rule(nested)]
    pub requests: Option<ResourceAmount>,
}

text! {
    /// The name of a group of worker nodes: 1 to 128 letters, digits, hyphens and underscores.
    WorkerGroupName, field "name", schema "WorkerGroupName"
    described "The name of a group of worker nodes.",
    1 to 128 of WORD, example "workers_1"
}

/// A group of worker nodes of the cluster of a Ray service.
#[contract(request)]
#[derive(Default, Eq)]
pub struct RayServiceWorkerGroup {
    /// The most that a node uses.
    #[rule(nested)]
    pub limits: Option<ResourceAmount>,

    /// The most nodes: 1 to 10,000.
    #[rule(range = 1..=10_000, example = 4)]
    pub max_replicas: Option<u32>,

    /// The fewest nodes: 0 to 10,000.
    #[rule(range = 0..=10_000, example = 1)]
    pub min_replicas: Option<u32>,

    /// The name: 1 to 128 letters, digits, hyphens and underscores.
    #[rule(like = WorkerGroupName)]
    pub name: Option<String>,

    /// What a node needs at least.
    #[rule(nested)]
    pub requests: Option<ResourceAmount>,
}

/// An amount of resources: that of a specification, or as given.
#[contract(request)]
#[derive(Default, Eq)]
pub struct ResourceAmount {
    /// The cores of CPUs: 0 to 192.
    #[rule(range = 0..=192, example = 4)]
    pub cpu_resource: Option<u32>,

    /// The memory: 0 to 1,536. The documentation gives no unit.
    #[rule(range = 0..=1536, example = 16)]
    pub memory_resource: Option<u32>,

    /// The Ascend accelerators: 0 to 8.
    #[rule(range = 0..=8, example = 1)]
    pub npu_resource: Option<u32>,

    /// The code of the specification, of those that the service lists: 1 to 64 characters.
    #[rule(like = SpecificationCode)]
    pub spec_code: Option<String>,
}

/// What a Ray service serves.
#[contract(request)]
#[derive(Default)]
pub struct RayServeSettings {
    /// The applications: 0 to 5.
    #[rule(items = 0..=5, nested)]
    pub applications: Vec<RayApplication>,
}

text! {
    /// The name of an application: 1 to 64 letters, digits, Chinese characters, underscores, hyphens, dots and
    /// spaces.
    RayApplicationName, field "name", schema "RayApplicationName"
    described "The name of an application.",
    1 to 64 of NAME, example "text_ml_app"
}

/// An application that Ray Serve serves.
#[contract(request)]
#[derive(Default)]
pub struct RayApplication {
    /// Its deployments: 1 to 5.
    #[rule(required, items = 1..=5, nested)]
    pub deployments: Vec<Deployment>,

    /// What is imported: 4 to 1,024 characters.
    #[rule(length = 4..=1024, example = "text_ml:app")]
    pub import_path: String,

    /// The name: 1 to 64 letters, digits, Chinese characters, underscores, hyphens, dots and spaces.
    #[rule(like = RayApplicationName)]
    pub name: String,

    /// What its routes begin with: 0 to 64 characters, unlike those of the other applications.
    #[rule(length = 0..=64, example = "/text")]
    pub route_prefix: Option<String>,

    /// What it runs in.
    #[rule(nested)]
    pub runtime_env: RuntimeEnvironment,
}

text! {
    /// The value of an environment variable: 0 to 255 characters.
    EnvironmentValue, field "env_vars", schema "EnvironmentValue"
    described "The value of an environment variable.",
    0 to 255 of ANY, example "1"
}

/// What an application runs in.
#[contract(request)]
#[derive(Default, Eq)]
pub struct RuntimeEnvironment {
    /// The environment variables by their names, each of 0 to 255 characters.
    #[rule(values = EnvironmentValue)]
    pub env_vars: Option<BTreeMap<String, String>>,

    /// The folder that it runs in, as a remote URI: 1 to 2,048 characters.
    #[rule(length = 1..=2048, example = "s3://bucket/app.zip")]
    pub working_dir: Option<String>,
}

text! {
    /// The name of a deployment: 1 to 64 letters, digits, Chinese characters, underscores, hyphens, dots and
    /// spaces.
    DeploymentName, field "name", schema "DeploymentName"
    described "The name of a deployment.",
    1 to 64 of NAME, example "Translator"
}

/// A deployment of an application: a class, and how many replicas of it run.
#[contract(request)]
#[derive(Default)]
pub struct Deployment {
    /// How replicas are added and removed with the load.
    #[rule(nested)]
    pub autoscaling_config: Option<DeploymentScaling>,

    /// The most requests that a replica works on at once: 1 to 100,000.
    #[rule(range = 1..=100_000, example = 5)]
    pub max_ongoing_requests: Option<u32>,

    /// The most requests that wait: -1 to 100,000; -1 stands for no limit.
    #[rule(range = -1..=100_000, example = -1)]
    pub max_queued_requests: Option<i32>,

    /// The most replicas on a node: 1 to 100.
    #[rule(range = 1..=100, default = 1)]
    pub max_replicas_per_node: Option<u32>,

    /// The name: 1 to 64 letters, digits, Chinese characters, underscores, hyphens, dots and spaces.
    #[rule(like = DeploymentName)]
    pub name: Option<String>,

    /// How many replicas run: 0 to 1,000.
    #[rule(range = 0..=1000, example = 1)]
    pub num_replicas: Option<u32>,

    /// What each replica needs.
    #[rule(nested)]
    pub ray_actor_options: Option<RayActorOptions>,

    /// What the class is configured with.
    #[rule(free)]
    pub user_config: Option<Map<String, Value>>,
}

/// How the replicas of a deployment follow the load.
#[contract(request)]
#[derive(Default, Eq)]
pub struct DeploymentScaling {
    /// How long the load is low before replicas are removed, in seconds: 0 to 86,400.
    #[rule(range = 0..=86_400, example = 600)]
    pub downscale_delay_s: Option<u32>,

    /// The replicas at the start: 0 to 1,000.
    #[rule(range = 0..=1000, example = 1)]
    pub initial_replicas: Option<u32>,

    /// The most replicas: 0 to 1,000.
    #[rule(range = 0..=1000, example = 4)]
    pub max_replicas: Option<u32>,

    /// The fewest replicas: 0 to 1,000.
    #[rule(range = 0..=1000, example = 1)]
    pub min_replicas: Option<u32>,

    /// The requests that each replica is to work on at once: 1 to 1,000.
    #[rule(range = 1..=1000, example = 2)]
    pub target_ongoing_requests: Option<u32>,

    /// How long the load is high before replicas are added, in seconds: 0 to 86,400.
    #[rule(range = 0..=86_400, example = 30)]
    pub upscale_delay_s: Option<u32>,
}

/// What a replica needs.
#[contract(request)]
#[derive(Default)]
pub struct RayActorOptions {
    /// The memory. The documentation gives no unit.
    #[rule(number, format = "double", example = 1024.0)]
    pub memory: Option<f64>,

    /// The CPUs.
    #[rule(number, format = "double", example = 0.5)]
    pub num_cpus: Option<f64>,

    /// Other resources: 0 to 1,024 characters.
    #[rule(length = 0..=1024, example = "NPU: 1")]
    pub resources: Option<String>,
}

/// The configuration of the examples.
pub(super) fn example() -> RayServiceConfiguration {
    let amount = ResourceAmount {
        cpu_resource: Some(4),
        memory_resource: Some(16),
        ..ResourceAmount::default()
    };
    RayServiceConfiguration {
        ray_cluster_config: RayServiceCluster {
            enable_custom: Some(true),
            head_group_spec: RayServiceHeadGroup {
                limits: Some(amount.clone()),
                requests: Some(amount.clone()),
            },
            worker_group_specs: vec![RayServiceWorkerGroup {
                limits: Some(amount.clone()),
                max_replicas: Some(4),
                min_replicas: Some(1),
                name: Some("workers_1".to_owned()),
                requests: Some(amount),
            }],
        },
        ray_serve_config: RayServeSettings {
            applications: vec![RayApplication {
                deployments: vec![Deployment {
                    name: Some("Translator".to_owned()),
                    num_replicas: Some(1),
                    ..Deployment::default()
                }],
                import_path: "text_ml:app".to_owned(),
                name: "text_ml_app".to_owned(),
                route_prefix: Some("/text".to_owned()),
                runtime_env: RuntimeEnvironment {
                    env_vars: None,
                    working_dir: Some("s3://bucket/app.zip".to_owned()),
                },
            }],
        },
        data_infos: vec![InputData { input_path: Some("OBS://bucket/dir/".to_owned()) }],
        ..RayServiceConfiguration::default()
    }
}
