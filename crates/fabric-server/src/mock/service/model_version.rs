//! Versions of models: what the mock keeps of them, and how it answers.

use std::time::SystemTime;

use fabric_model::model_definition::{
    AnsweredModelVersionId, ModelConfig, ModelPath, ModelVersion, ModelVersionInput,
};
use fabric_model::model_version::{
    DeleteModelVersion, ListModelVersions, ModelVersionPage, ModelVersions,
};
use fabric_model::user::User;
use fabric_model::{ApiError, Invalid, Nothing, Request};
use serde::{Deserialize, Serialize};

use super::model_definition::record::ModelRecord;
use super::user::user;
use crate::api::around::Around;
use crate::api::time;
use crate::mock::operations::{Mock, Seen, Service, found, page_of};
use crate::mock::projects::Project;
use crate::mock::table::{Making, Record, Selection};
use crate::mock::tables::Registered;

pub(super) fn resource() -> Registered {
    Registered::of::<ModelVersionRecord>()
}

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service
        .operation(list)
        .operation(delete)
        .teaching(|_: Request<ListModelVersions>, page| {
            page.versions.into_iter().map(Seen::<ModelVersionRecord>::There).collect()
        })
        .teaching(|request: Request<DeleteModelVersion>, _| {
            vec![Seen::<ModelVersionRecord>::Gone(request.path.version_id.into())]
        })
}

/// What is kept of a version of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelVersionRecord {
    id: AnsweredModelVersionId,
    model_id: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    config: ModelConfig,
    cap_white_list: Vec<String>,
    create_user: User,
    /// In whole milliseconds.
    #[serde(with = "time")]
    created_at: SystemTime,
}

impl Record for ModelVersionRecord {
    type Resource = ModelVersions;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn owner(&self) -> &str {
        &self.model_id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn created_at(&self) -> SystemTime {
        self.created_at
    }

    fn answer(&self, _: SystemTime) -> ModelVersion {
        ModelVersion {
            id: Some(self.id.to_string()),
            name: Some(self.name.clone()),
            description: self.description.clone(),
            config: Some(self.config.clone()),
            cap_white_list: self.cap_white_list.clone(),
            create_user: Some(self.create_user.clone()),
            create_time: Some(time::write(self.created_at)),
        }
    }

    fn learn(
        answer: ModelVersion,
        known: Option<&Self>,
        making: &mut Making<'_>,
    ) -> Result<Self, Invalid> {
        let id: AnsweredModelVersionId = making.id(answer.id)?;
        let created_at = making
            .created_at(answer.create_time.as_deref(), known.map(|known| known.created_at))?;
        let known = known.cloned().unwrap_or_else(|| Self {
            name: format!("version-{:08x}", making.draws.between(0..=u32::MAX.into())),
            id: id.clone(),
            model_id: making.owner.to_owned(),
            description: None,
            config: ModelConfig::default(),
            cap_white_list: Vec::new(),
            create_user: user(),
            created_at,
        });
        let cap_white_list = Some(answer.cap_white_list).filter(|list| !list.is_empty());
        Ok(Self {
            id,
            model_id: making.owner.to_owned(),
            name: answer.name.unwrap_or(known.name),
            description: answer.description.or(known.description),
            config: answer.config.unwrap_or(known.config),
            cap_white_list: cap_white_list.unwrap_or(known.cap_white_list),
            create_user: answer.create_user.unwrap_or(known.create_user),
            created_at,
        })
    }
}

/// Adds a version to a model, and gives its id.
///
/// # Errors
///
/// 429 if the project has as many versions as it may have.
pub(super) fn add(
    mock: &Mock,
    project: &mut Project,
    model_id: &str,
    version: ModelVersionInput,
) -> Result<String, ApiError> {
    mock.check_quota::<ModelVersionRecord>(project)?;
    let id = project.new_id::<ModelVersionRecord>(mock.now);
    let record = ModelVersionRecord {
        id: AnsweredModelVersionId::try_from(&id)?,
        model_id: model_id.to_owned(),
        name: version.name,
        description: version.description,
        config: version.config.unwrap_or_default(),
        cap_white_list: Vec::new(),
        create_user: user(),
        created_at: mock.now,
    };
    project.table().insert(record, mock.now);
    Ok(id)
}

/// The current version of a model: that which the model names, or else the newest.
pub(super) fn current(
    project: &Project,
    model: &ModelRecord,
    now: SystemTime,
) -> Option<ModelVersion> {
    let table = project.records::<ModelVersionRecord>();
    let named = model.current_version_id.as_deref();
    if let Some(record) = named.and_then(|id| table.get_of(model.id(), id, now)) {
        return Some(record.answer(now));
    }
    let selection = Selection { owner: Some(model.id()), ..Selection::default() };
    table.page(&selection, (0, 1), now, |record| record.answer(now)).0.pop()
}

async fn list(
    mock: Mock,
    request: Request<ListModelVersions>,
) -> Result<ModelVersionPage, ApiError> {
    let (path, query, now) = (request.path, request.query, mock.now);
    let list = mock.look(move |project| {
        ModelRecord::at(&path, project, now)?;
        let selection = Selection {
            owner: Some(path.model_id.as_str()),
            id: query.version_id.as_deref(),
            name: query.name.as_deref(),
            ..Selection::default()
        };
        let table = project.records::<ModelVersionRecord>();
        let (versions, total) =
            table.page(&selection, page_of(&query), now, |record| record.answer(now));
        Ok(ModelVersionPage { versions, total: Some(total as u64) })
    });
    list.await
}

async fn delete(mock: Mock, request: Request<DeleteModelVersion>) -> Result<Nothing, ApiError> {
    let path = request.path;
    let id = path.version_id.as_str();
    let path = ModelPath { workspace_id: path.workspace_id, model_id: path.model_id };
    mock.project(|project| {
        let model = ModelRecord::at(&path, project, mock.now)?;
        found(project.records::<ModelVersionRecord>().get_of(model.id(), id, mock.now).map(drop))?;
        let current = current(project, &model, mock.now);
        if current.is_some_and(|version| version.id.as_deref() == Some(id)) {
            let rule = "must not be the current version of the model";
            return Err(Invalid::new("version_id", rule).into());
        }
        project.remove::<ModelVersionRecord>(id, mock.now);
        Ok(Nothing {})
    })
}
