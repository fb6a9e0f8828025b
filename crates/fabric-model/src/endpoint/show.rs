//! `ShowEndpoint`: GET `/v1/workspaces/{workspace_id}/endpoints/{endpoint_id}`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::ray_service::DataPath;
use super::{
    AgencySettings, ApiSettings, Endpoint, EndpointConfiguration, EndpointPath, Endpoints,
    LogSettings, OidcSettings, RayServeSettings, RayServiceCluster, RayServiceConfiguration,
};
use crate::open_enum::open_enum;
use crate::{Example, Nothing, Operation, Request};

/// Shows an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShowEndpoint;

impl Operation for ShowEndpoint {
    const ID: &'static str = "ShowEndpoint";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/endpoints/{endpoint_id}";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:endpoint:show");
    const SUMMARY: &'static str = "Show an endpoint";
    const DESCRIPTION: &'static str = "Answers an endpoint: as it is, or with `version=PREVIOUS` as it was \
        configured before its last update.\n\n\
        Not documented, but decided here:\n\n\
        * An endpoint that is not there, or gone, is 404; so is the previous version of one that was never \
        updated.\n\
        * The previous version has the state of the endpoint as it is now.";

    type Resource = Endpoints;
    type Path = EndpointPath;
    type Query = ShowEndpointQuery;
    type Body = Nothing;
    type Response = Endpoint;

    fn example() -> Example<Self> {
        let query = ShowEndpointQuery::default();
        Example {
            request: Request { path: super::example_path(), query, body: Nothing {} },
            response: super::example(),
        }
    }
}

open_enum! {
    /// Which of its configurations an endpoint is shown with.
    EndpointRevision
    described "Which configuration is shown: the one in force, or the one before the last update.",
    example "CURRENT" {
        /// The one in force.
        Current = "CURRENT",
        /// The one before the last update.
        Previous = "PREVIOUS",
    }
}

/// How an endpoint is to be shown.
#[contract(query)]
#[derive(Eq)]
pub struct ShowEndpointQuery {
    /// Which configuration is shown.
    #[rule(known, inline, default = EndpointRevision::Current)]
    pub version: EndpointRevision,
}

/// How the service of an endpoint is configured, as the service answers it.
#[contract(answer)]
#[derive(Default)]
pub struct EndpointSettings {
    /// A Ray service.
    #[rule(nested)]
    pub ray_service_config: Option<RayServiceSettings>,
}

/// How a Ray service is configured, as the service answers it. Each field may be absent.
#[contract(answer)]
#[derive(Default)]
pub struct RayServiceSettings {
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
    #[rule(required, nested)]
    pub ray_cluster_config: Option<RayServiceCluster>,

    /// What it serves.
    #[rule(required, nested)]
    pub ray_serve_config: Option<RayServeSettings>,

    /// Its data: 0 or 1.
    #[rule(items = 0..=1, nested)]
    pub data_infos: Vec<RayServiceData>,
}

/// Data of a Ray service. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct RayServiceData {
    /// Where it is read from: 4 to 1,024 characters.
    #[rule(like = DataPath)]
    pub input_path: Option<String>,

    /// The environment variable that holds the path: 2 to 100 characters.
    #[rule(length = 2..=100, example = "DATA_PATH")]
    pub env_var_name: Option<String>,

    /// Where results are written: 4 to 1,024 characters.
    #[rule(like = DataPath)]
    pub output_path: Option<String>,
}

/// What the service answers of a configuration that was asked for.
impl From<EndpointConfiguration> for EndpointSettings {
    fn from(asked: EndpointConfiguration) -> Self {
        Self { ray_service_config: asked.ray_service_config.map(RayServiceSettings::from) }
    }
}

/// What the service answers of a configuration that was asked for.
impl From<RayServiceConfiguration> for RayServiceSettings {
    fn from(asked: RayServiceConfiguration) -> Self {
        let data = asked.data_infos.into_iter();
        Self {
            agency_config: asked.agency_config,
            api_config: asked.api_config,
            log_config: asked.log_config,
            oidc_config: asked.oidc_config,
            ray_cluster_config: Some(asked.ray_cluster_config),
            ray_serve_config: Some(asked.ray_serve_config),
            data_infos: data
                .map(|data| RayServiceData {
                    input_path: data.input_path,
                    ..RayServiceData::default()
                })
                .collect(),
        }
    }
}

/// How many tokens an endpoint may process. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct TokenQuota {
    /// When the quota ends.
    #[rule(format = "date-time", example = "2023-05-30T12:24:30.401Z")]
    pub expire_time: Option<String>,

    /// How many in all.
    #[rule(example = 1_000_000)]
    pub total: Option<i64>,

    /// How many of them are used.
    #[rule(example = 1200)]
    pub used: Option<i64>,
}
