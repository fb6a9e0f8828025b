//! Jobs: how the mock answers.

pub(super) mod record;

use std::time::SystemTime;

use fabric_model::job::{
    CreateJob, DeleteJob, Job, JobConfig, JobId, JobPage, JobReference, JobType, JobUpdate,
    JobVersion, JobVersionInput, ListJobs, UpdateJob,
};
use fabric_model::visibility::Visibility;
use fabric_model::{ApiError, Invalid, Nothing, Request};

use self::record::JobRecord;
use super::job_version::{JobVersionRecord, add, current};
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
    Registered::of::<JobRecord>()
}

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service
        .operation(create)
        .operation(list)
        .operation(update)
        .operation(delete)
        .teaching(|request: Request<CreateJob>, answer| {
            let body = request.body;
            vec![there(Job {
                id: answer.id,
                name: Some(body.name),
                description: body.description,
                r#type: Some(body.r#type),
                current_version: Some(seen(answer.version_id, Some(body.version))),
                current_endpoint_id: body.current_endpoint_id,
                ..Job::default()
            })]
        })
        .teaching(|_: Request<ListJobs>, page| page.jobs.into_iter().map(there).collect())
        .teaching(|request: Request<UpdateJob>, answer| {
            let body = request.body;
            let current_version = match body.current_version_id {
                Some(id) => Some(seen(Some(id), None)),
                None => body.version.map(|version| seen(answer.version_id, Some(version))),
            };
            vec![there(Job {
                id: Some(request.path.job_id.into()),
                name: body.name,
                description: body.description,
                current_version,
                current_endpoint_id: body.current_endpoint_id,
                ..Job::default()
            })]
        })
        .teaching(|request: Request<DeleteJob>, _| {
            vec![Seen::<JobRecord>::Gone(request.path.job_id.into())]
        })
}

fn there(answer: Job) -> Seen<JobRecord> {
    Seen::There(answer)
}

/// A version as a call shows it.
fn seen(id: Option<String>, version: Option<JobVersionInput>) -> JobVersion {
    let Some(version) = version else { return JobVersion { id, ..JobVersion::default() } };
    JobVersion {
        id,
        name: Some(version.name),
        description: version.description,
        config: Some(version.config),
        dependence_framework: version.dependence_framework,
        cap_white_list: version.cap_white_list,
        ..JobVersion::default()
    }
}

async fn create(mock: Mock, request: Request<CreateJob>) -> Result<JobReference, ApiError> {
    let (workspace_id, body) = (String::from(request.path.workspace_id), request.body);
    if mock.behaviour().profile == Profile::Strict {
        check_strictly(&body.r#type, &body.version.config)?;
    }
    mock.project_to_fill::<JobRecord, _>(|project| {
        project.owner::<WorkspaceRecord>(&workspace_id, mock.now)?;
        let id = JobId::try_from(project.new_id::<JobRecord>(mock.now))?;
        let version_id = add(&mock, project, id.as_str(), body.version)?;
        let answer =
            JobReference { id: Some(id.to_string()), version_id: Some(version_id.clone()) };
        let record = JobRecord {
            id,
            workspace_id,
            name: body.name,
            description: body.description,
            r#type: body.r#type,
            current_version_id: Some(version_id),
            current_endpoint_id: body.current_endpoint_id,
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

/// What a careful service would want of a version of a job.
fn check_strictly(of: &JobType, config: &JobConfig) -> Result<(), Invalid> {
    let (is_given, field) = match of {
        JobType::Python => (config.python_job_config.is_some(), "python_job_config"),
        JobType::Ray => (config.ray_job_config.is_some(), "ray_job_config"),
        JobType::Spark => (config.spark_job_config.is_some(), "spark_job_config"),
        _ => return Ok(()),
    };
    if is_given {
        return Ok(());
    }
    Err(Invalid::new(format!("version.config.{field}"), "must be given (profile strict)"))
}

async fn list(mock: Mock, request: Request<ListJobs>) -> Result<JobPage, ApiError> {
    let (workspace, query, now) = (request.path.workspace_id, request.query, mock.now);
    let list = mock.look(move |project| {
        project.owner::<WorkspaceRecord>(workspace.as_str(), now)?;
        let me = (query.create_by_me == Some(true)).then(user);
        let is_match = |record: &JobRecord| {
            query.r#type.as_ref().is_none_or(|types| {
                types.split(',').any(|one| one.trim() == record.r#type.as_str())
            }) && query.endpoint_id.as_ref().is_none_or(|id| {
                record.current_endpoint_id.as_ref().is_some_and(|current| current == id)
            }) && me.as_ref().is_none_or(|me| record.create_user.user_id == me.user_id)
        };
        let is_narrowed = query.r#type.is_some() || query.endpoint_id.is_some() || me.is_some();
        let order = order(query.sort_by.clone(), &query.order_by);
        let selection = Selection {
            owner: Some(workspace.as_str()),
            id: query.id.as_ref().map(JobId::as_str),
            name: query.name.as_deref(),
            is_match: is_narrowed.then_some(&is_match),
            order: order.as_deref(),
        };
        let table = project.records::<JobRecord>();
        let (jobs, total) =
            table.page(&selection, page_of(&query), now, |record| answer(project, record, now));
        Ok(JobPage { jobs, total: Some(total as u64) })
    });
    list.await
}

/// The answer about a job, with its current version.
fn answer(project: &Project, job: &JobRecord, now: SystemTime) -> Job {
    Job { current_version: current(project, job, now), ..job.answer(now) }
}

async fn update(mock: Mock, request: Request<UpdateJob>) -> Result<JobReference, ApiError> {
    let (path, body) = (request.path, request.body);
    mock.project(|project| {
        let mut job = JobRecord::at(&path, project, mock.now)?;
        if let Some(id) = &body.current_version_id
            && project.records::<JobVersionRecord>().get_of(job.id(), id, mock.now).is_none()
        {
            let rule = "must be a version of the job";
            return Err(Invalid::new("current_version_id", rule).into());
        }
        if let Some(version) = &body.version
            && mock.behaviour().profile == Profile::Strict
        {
            check_strictly(&job.r#type, &version.config)?;
        }
        let changes = body != JobUpdate::default();
        let version = body.version.map(|version| add(&mock, project, job.id(), version));
        let added = version.transpose()?;
        if changes {
            job.name = body.name.unwrap_or(job.name);
            job.description = body.description.or(job.description);
            job.current_version_id =
                body.current_version_id.or(added.clone()).or(job.current_version_id);
            job.current_endpoint_id = body.current_endpoint_id.or(job.current_endpoint_id);
            job.update_user = user();
            job.updated_at = mock.now;
            let record = project.table::<JobRecord>().get_mut(path.job_id.as_str(), mock.now);
            *found(record)? = job.clone();
        }
        let version_id =
            added.or_else(|| current(project, &job, mock.now).and_then(|version| version.id));
        Ok(JobReference { id: Some(job.id.into()), version_id })
    })
}

async fn delete(mock: Mock, request: Request<DeleteJob>) -> Result<Nothing, ApiError> {
    mock.project(|project| {
        let job = JobRecord::at(&request.path, project, mock.now)?;
        project.remove::<JobRecord>(job.id(), mock.now);
        Ok(Nothing {})
    })
}
