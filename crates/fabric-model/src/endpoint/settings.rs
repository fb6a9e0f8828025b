//! How an endpoint is configured, as the service answers it.

use fabric_model_macros::contract;

use super::ray_service::DataPath;
use super::{
    AgencySettings, ApiSettings, LogSettings, OidcSettings, RayServeSettings, RayServiceCluster,
    RayServiceConfiguration,
};

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
