//! Models: how the mock answers.

pub(super) mod record;

use std::time::SystemTime;

use fabric_model::model_definition::{
    AnsweredModelId, CleanupModel, CreateModelDefinition, ListModels, ListModelsQuery, Model,
    ModelPage, ModelReference, ModelUpdate, ModelVersion, ModelVersionInput, UpdateModelDefinition,
};
use fabric_model::visibility::{Visibility, VisibilityFilter};
use fabric_model::{ApiError, Invalid, Nothing, Request};

use self::record::ModelRecord;
use super::base_model::BaseModelRecord;
use super::model_version::{ModelVersionRecord, add, current};
use super::order::order;
use super::user::user;
use super::workspace::WorkspaceRecord;
use crate::api::around::Around;
use crate::mock::behaviour::Profile;
use crate::mock::operations::{Mock, Seen, Service, found, page_of};
use crate::mock::projects::Project;
use crate::mock::table::{Record, Selection};
use crate::mock::tables::Registered;

pub(super) fn resource() -> Registered {
    Registered::of::<ModelRecord>()
}

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service
        .operation(create)
        .operation(list)
        .operation(update)
        .operation(cleanup)
        .teaching(|request: Request<CreateModelDefinition>, answer| {
            let body = request.body;
            vec![there(Model {
                id: answer.id,
                name: Some(body.name),
                description: body.description,
                r#type: Some(body.r#type),
                current_version: Some(seen(answer.version_id, body.version)),
                ..Model::default()
            })]
        })
        .teaching(|_: Request<ListModels>, page| page.models.into_iter().map(there).collect())
        .teaching(|_: Request<UpdateModelDefinition>, answer| vec![there(answer)])
        .teaching(|request: Request<CleanupModel>, _| {
            vec![Seen::<ModelRecord>::Gone(request.path.model_id.into())]
        })
}

fn there(answer: Model) -> Seen<ModelRecord> {
    Seen::There(answer)
}

/// A version as a call shows it.
fn seen(id: Option<String>, version: ModelVersionInput) -> ModelVersion {
    ModelVersion {
        id,
        name: Some(version.name),
        description: version.description,
        config: version.config,
        ..ModelVersion::default()
    }
}

async fn create(
    mock: Mock,
    request: Request<CreateModelDefinition>,
) -> Result<ModelReference, ApiError> {
    let (workspace_id, body) = (String::from(request.path.workspace_id), request.body);
    mock.project_to_fill::<ModelRecord, _>(|project| {
        project.owner::<WorkspaceRecord>(&workspace_id, mock.now)?;
        check_strictly(&mock, project, &body.version)?;
        let id = AnsweredModelId::try_from(project.new_id::<ModelRecord>(mock.now))?;
        let version_id = add(&mock, project, id.as_str(), body.version)?;
        let answer =
            ModelReference { id: Some(id.to_string()), version_id: Some(version_id.clone()) };
        let record = ModelRecord {
            id,
            workspace_id,
            name: body.name,
            description: body.description,
            r#type: body.r#type,
            current_version_id: Some(version_id),
            visibility: Visibility::Private,
            create_user: user(),
            update_user: user(),
            created_at: mock.now,
            updated_at: mock.now,
        };
        project.table().insert(record, mock.now);
        Ok(answer)
    })
}

/// Checks what a careful service would want of a version of a model: a base model that is there.
fn check_strictly(
    mock: &Mock,
    project: &Project,
    version: &ModelVersionInput,
) -> Result<(), Invalid> {
    let config = version.config.as_ref().and_then(|config| config.llm_model_config.as_ref());
    let Some(config) = config.filter(|_| mock.behaviour().profile == Profile::Strict) else {
        return Ok(());
    };
    let table = project.records::<BaseModelRecord>();
    if table.get(&config.base_model_type, mock.now).is_some() {
        return Ok(());
    }
    let rule = "must be that of a base model (profile strict)";
    Err(Invalid::new("version.config.llm_model_config.base_model_type", rule))
}

async fn list(mock: Mock, request: Request<ListModels>) -> Result<ModelPage, ApiError> {
    let (workspace, query, now) = (request.path.workspace_id, request.query, mock.now);
    let list = mock.look(move |project| {
        project.owner::<WorkspaceRecord>(workspace.as_str(), now)?;
        let is_match = |record: &ModelRecord| is_match(&query, record);
        let order = order(query.sort_by.clone(), &query.order_by);
        let selection = Selection {
            owner: Some(workspace.as_str()),
            id: query.id.as_deref(),
            name: query.name.as_deref(),
            is_match: Some(&is_match),
            order: order.as_deref(),
        };
        let table = project.records::<ModelRecord>();
        let (models, total) =
            table.page(&selection, page_of(&query), now, |record| answer(project, record, now));
        Ok(ModelPage { models, total: Some(total as u64) })
    });
    list.await
}

/// Whether a list shows a model, but for its id and name.
fn is_match(query: &ListModelsQuery, record: &ModelRecord) -> bool {
    let is_public = record.visibility == Visibility::Public;
    let is_visible = match query.visibility {
        Some(VisibilityFilter::Public) => is_public,
        Some(VisibilityFilter::Private) => !is_public,
        Some(_) => true,
        None => !is_public || record.create_user.user_id == user().user_id,
    };
    is_visible && query.r#type.as_ref().is_none_or(|of| record.r#type.as_str() == of)
}

/// The answer about a model, with its current version.
fn answer(project: &Project, model: &ModelRecord, now: SystemTime) -> Model {
    Model { current_version: current(project, model, now), ..model.answer(now) }
}

async fn update(mock: Mock, request: Request<UpdateModelDefinition>) -> Result<Model, ApiError> {
    let (path, body) = (request.path, request.body);
    mock.project(|project| {
        let mut model = ModelRecord::at(&path, project, mock.now)?;
        if let Some(id) = &body.current_version_id
            && project.records::<ModelVersionRecord>().get_of(model.id(), id, mock.now).is_none()
        {
            let rule = "must be a version of the model";
            return Err(Invalid::new("current_version_id", rule).into());
        }
        if body == ModelUpdate::default() {
            return Ok(answer(project, &model, mock.now));
        }
        let added = match body.version {
            Some(version) => {
                check_strictly(&mock, project, &version)?;
                Some(add(&mock, project, model.id(), version)?)
            }
            None => None,
        };
        model.name = body.name.unwrap_or(model.name);
        model.description = body.description.or(model.description);
        model.current_version_id = body.current_version_id.or(added).or(model.current_version_id);
        model.update_user = user();
        model.updated_at = mock.now;
        *found(project.table().get_mut(model.id(), mock.now))? = model.clone();
        Ok(answer(project, &model, mock.now))
    })
}

async fn cleanup(mock: Mock, request: Request<CleanupModel>) -> Result<Nothing, ApiError> {
    mock.project(|project| {
        let model = ModelRecord::at(&request.path, project, mock.now)?;
        project.remove::<ModelRecord>(model.id(), mock.now);
        Ok(Nothing {})
    })
}
