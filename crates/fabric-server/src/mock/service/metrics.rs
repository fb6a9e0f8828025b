//! The metrics setting of workspaces: what the mock keeps of it, and how it answers.

use std::time::SystemTime;

use fabric_model::metrics::{Metrics, MetricsSetting, UpdateMetricsConfig};
use fabric_model::workspace::WorkspaceId;
use fabric_model::{ApiError, Invalid, Nothing, Request};
use serde::{Deserialize, Serialize};

use super::workspace::WorkspaceRecord;
use crate::api::around::Around;
use crate::mock::operations::{Mock, Seen, Service};
use crate::mock::table::{Making, Record};
use crate::mock::tables::Registered;

pub(super) fn resource() -> Registered {
    Registered::of::<MetricsRecord>()
}

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service.operation(update).teaching(|request: Request<UpdateMetricsConfig>, _| {
        let workspace_id = Some(request.path.workspace_id.into());
        let enable = Some(request.body.enable);
        vec![Seen::<MetricsRecord>::There(MetricsSetting { workspace_id, enable })]
    })
}

/// What is kept of a workspace whose metrics were switched on or off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricsRecord {
    workspace_id: WorkspaceId,
    enable: bool,
}

impl Record for MetricsRecord {
    type Resource = Metrics;

    fn id(&self) -> &str {
        self.workspace_id.as_str()
    }

    fn owner(&self) -> &str {
        self.workspace_id.as_str()
    }

    fn answer(&self, _: SystemTime) -> MetricsSetting {
        MetricsSetting {
            workspace_id: Some(self.workspace_id.to_string()),
            enable: Some(self.enable),
        }
    }

    fn learn(
        answer: MetricsSetting,
        known: Option<&Self>,
        making: &mut Making<'_>,
    ) -> Result<Self, Invalid> {
        let enable = answer.enable.or(known.map(|known| known.enable)).unwrap_or_default();
        Ok(Self { workspace_id: WorkspaceId::try_from(making.owner)?, enable })
    }
}

async fn update(mock: Mock, request: Request<UpdateMetricsConfig>) -> Result<Nothing, ApiError> {
    let (workspace_id, enable) = (request.path.workspace_id, request.body.enable);
    mock.project(|project| {
        project.owner::<WorkspaceRecord>(workspace_id.as_str(), mock.now)?;
        let table = project.table::<MetricsRecord>();
        table.remove(workspace_id.as_str(), mock.now);
        table.insert(MetricsRecord { workspace_id, enable }, mock.now);
        Ok(Nothing {})
    })
}
