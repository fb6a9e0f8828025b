//! Frameworks: what the mock keeps of them, and how it answers.

use std::time::SystemTime;

use fabric_model::framework::{Framework, FrameworkPage, Frameworks, ListFrameworks};
use fabric_model::{ApiError, Invalid, Request};
use serde::{Deserialize, Serialize};

use super::workspace::WorkspaceRecord;
use crate::api::around::Around;
use crate::mock::operations::{Mock, Seen, Service, page_of};
use crate::mock::table::{Making, Record, Selection};
use crate::mock::tables::Registered;

pub(super) fn resource() -> Registered {
    Registered::of::<FrameworkRecord>()
}

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service.operation(list).teaching(|_: Request<ListFrameworks>, page| {
        page.frameworks.into_iter().map(Seen::<FrameworkRecord>::There).collect()
    })
}

/// What is kept of a framework.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FrameworkRecord {
    /// Name and version, since callers know no id: what lists are sorted by.
    id: String,
    name: String,
    version_name: String,
}

impl FrameworkRecord {
    fn new(name: &str, version_name: &str) -> Self {
        Self {
            id: format!("{name} {version_name}"),
            name: name.to_owned(),
            version_name: version_name.to_owned(),
        }
    }
}

impl Record for FrameworkRecord {
    type Resource = Frameworks;

    fn id(&self) -> &str {
        &self.id
    }

    fn answer(&self, _: SystemTime) -> Framework {
        Framework { name: Some(self.name.clone()), version_name: Some(self.version_name.clone()) }
    }

    fn learn(answer: Framework, _: Option<&Self>, _: &mut Making<'_>) -> Result<Self, Invalid> {
        let name = answer.name.ok_or_else(|| Invalid::new("name", "must be given"))?;
        Ok(Self::new(&name, &answer.version_name.unwrap_or_default()))
    }

    fn catalogue() -> Vec<Self> {
        [("python", "3.10"), ("python", "3.11"), ("spark", "3.3.1"), ("spark", "3.5.1")]
            .map(|(name, version_name)| Self::new(name, version_name))
            .into()
    }
}

async fn list(mock: Mock, request: Request<ListFrameworks>) -> Result<FrameworkPage, ApiError> {
    let (workspace, query, now) = (request.path.workspace_id, request.query, mock.now);
    let list = mock.look(move |project| {
        project.owner::<WorkspaceRecord>(workspace.as_str(), now)?;
        let is_match = |record: &FrameworkRecord| {
            query.name.as_ref().is_none_or(|name| record.name == name.as_str())
        };
        let selection = Selection { is_match: Some(&is_match), ..Selection::default() };
        let table = project.records::<FrameworkRecord>();
        let (frameworks, total) =
            table.page(&selection, page_of(&query), now, |record| record.answer(now));
        Ok(FrameworkPage { frameworks, total: Some(total as u64) })
    });
    list.await
}
