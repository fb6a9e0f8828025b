//! Whether the metrics of a workspace are collected. `UpdateMetricsConfig`: PUT
//! `/v1/workspaces/{workspace_id}/metrics`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use crate::workspace::{WorkspaceId, WorkspacePath, Workspaces};
use crate::{Example, Identified, Nothing, Operation, Request, Resource, ResourceInfo};

/// The metrics of workspaces: a record holds the setting of one workspace.
#[derive(Clone, Copy, Debug)]
pub struct Metrics;

impl Resource for Metrics {
    const NAME: &'static str = "metrics";
    const SINGULAR: &'static str = "metrics setting";
    const DESCRIPTION: &'static str =
        "Whether Application Operations Management collects the metrics of a workspace";
    const ID_PARAMETER: Option<&'static str> = None;
    const OWNER: Option<&'static ResourceInfo> = Some(Workspaces::INFO);
    const OWNER_IN_ANSWER: Option<&'static str> = Some("workspace_id");

    type Answer = MetricsSetting;
}

/// Sets whether the metrics of a workspace are collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateMetricsConfig;

impl Operation for UpdateMetricsConfig {
    const ID: &'static str = "UpdateMetricsConfig";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/metrics";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:workspace:alterMetrics");
    const SUMMARY: &'static str = "Switch the metrics of a workspace on or off";
    const DESCRIPTION: &'static str = "Sets whether Application Operations Management collects the metrics of \
        a workspace, and answers without a body. At first it does not. No operation answers the setting.";

    type Resource = Metrics;
    type Path = WorkspacePath;
    type Query = Nothing;
    type Body = MetricsUpdate;
    type Response = Nothing;

    fn example() -> Example<Self> {
        let id = WorkspaceId::try_from("e935d0ef-f4eb-4b95-aff1-9d33ae9f57a6");
        let path = WorkspacePath { workspace_id: id.expect("a UUID is an id") };
        let body = MetricsUpdate { enable: true };
        Example { request: Request { path, query: Nothing {}, body }, response: Nothing {} }
    }
}

/// Whether metrics are to be collected.
#[contract(request)]
#[derive(Default, Eq)]
pub struct MetricsUpdate {
    /// Whether they are to be collected.
    #[rule(default = false)]
    pub enable: bool,
}

/// The setting of a workspace. No operation answers it; the mock server shows it. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct MetricsSetting {
    /// The id of the workspace: 1 to 36 letters, digits and hyphens.
    #[rule(like = WorkspaceId)]
    pub workspace_id: Option<String>,

    /// Whether its metrics are collected.
    pub enable: Option<bool>,
}

impl Identified for MetricsSetting {
    fn id(&self) -> Option<&str> {
        self.workspace_id.as_deref()
    }
}
