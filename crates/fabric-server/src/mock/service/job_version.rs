//! Versions of jobs: what the mock keeps of them, and how it answers.

use std::time::SystemTime;

use fabric_model::framework::Framework;
use fabric_model::job::{JobConfig, JobPath, JobVersion, JobVersionInput};
use fabric_model::job_version::{
    DeleteJobVersion, JobVersionId, JobVersionPage, JobVersions, ListJobVersions,
};
use fabric_model::user::User;
use fabric_model::{ApiError, Invalid, Nothing, Request};
use serde::{Deserialize, Serialize};

use super::job::record::JobRecord;
use super::user::user;
use crate::api::around::Around;
use crate::api::time;
use crate::mock::operations::{Mock, Seen, Service, found, page_of};
use crate::mock::projects::Project;
use crate::mock::table::{Making, Record, Selection};
use crate::mock::tables::Registered;

pub(super) fn resource() -> Registered {
    Registered::of::<JobVersionRecord>()
}

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service
        .operation(list)
        .operation(delete)
        .teaching(|_: Request<ListJobVersions>, page| {
            page.versions.into_iter().map(Seen::<JobVersionRecord>::There).collect()
        })
        .teaching(|request: Request<DeleteJobVersion>, _| {
            vec![Seen::<JobVersionRecord>::Gone(request.path.version_id.into())]
        })
}

/// What is kept of a version of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobVersionRecord {
    id: JobVersionId,
    job_id: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    config: JobConfig,
    dependence_framework: Vec<Framework>,
    cap_white_list: Vec<String>,
    create_user: User,
    /// In whole milliseconds.
    #[serde(with = "time")]
    created_at: SystemTime,
}

impl Record for JobVersionRecord {
    type Resource = JobVersions;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn owner(&self) -> &str {
        &self.job_id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn created_at(&self) -> SystemTime {
        self.created_at
    }

    fn answer(&self, _: SystemTime) -> JobVersion {
        JobVersion {
            id: Some(self.id.to_string()),
            name: Some(self.name.clone()),
            description: self.description.clone(),
            config: Some(self.config.clone()),
            dependence_framework: self.dependence_framework.clone(),
            cap_white_list: self.cap_white_list.clone(),
            create_user: Some(self.create_user.clone()),
            create_time: Some(time::write(self.created_at)),
        }
    }

    fn learn(
        answer: JobVersion,
        known: Option<&Self>,
        making: &mut Making<'_>,
    ) -> Result<Self, Invalid> {
        let id: JobVersionId = making.id(answer.id)?;
        let created_at = making
            .created_at(answer.create_time.as_deref(), known.map(|known| known.created_at))?;
        let known = known.cloned().unwrap_or_else(|| Self {
            name: format!("version-{:08x}", making.draws.between(0..=u32::MAX.into())),
            id: id.clone(),
            job_id: making.owner.to_owned(),
            description: None,
            config: JobConfig::default(),
            dependence_framework: Vec::new(),
            cap_white_list: Vec::new(),
            create_user: user(),
            created_at,
        });
        Ok(Self {
            id,
            job_id: making.owner.to_owned(),
            name: answer.name.unwrap_or(known.name),
            description: answer.description.or(known.description),
            config: answer.config.unwrap_or(known.config),
            dependence_framework: kept(answer.dependence_framework, known.dependence_framework),
            cap_white_list: kept(answer.cap_white_list, known.cap_white_list),
            create_user: answer.create_user.unwrap_or(known.create_user),
            created_at,
        })
    }
}

/// A list as it was seen, or else as it is known.
fn kept<T>(seen: Vec<T>, known: Vec<T>) -> Vec<T> {
    if seen.is_empty() { known } else { seen }
}

/// Adds a version to a job, and gives its id.
///
/// # Errors
///
/// 429 if the project has as many versions as it may have.
pub(super) fn add(
    mock: &Mock,
    project: &mut Project,
    job_id: &str,
    version: JobVersionInput,
) -> Result<String, ApiError> {
    mock.check_quota::<JobVersionRecord>(project)?;
    let id = project.new_id::<JobVersionRecord>(mock.now);
    let record = JobVersionRecord {
        id: JobVersionId::try_from(&id)?,
        job_id: job_id.to_owned(),
        name: version.name,
        description: version.description,
        config: version.config,
        dependence_framework: version.dependence_framework,
        cap_white_list: version.cap_white_list,
        create_user: user(),
        created_at: mock.now,
    };
    project.table().insert(record, mock.now);
    Ok(id)
}

/// The current version of a job: that which the job names, or else the newest.
pub(super) fn current(project: &Project, job: &JobRecord, now: SystemTime) -> Option<JobVersion> {
    let table = project.records::<JobVersionRecord>();
    let named = job.current_version_id.as_deref();
    if let Some(record) = named.and_then(|id| table.get_of(job.id(), id, now)) {
        return Some(record.answer(now));
    }
    let selection = Selection { owner: Some(job.id()), ..Selection::default() };
    table.page(&selection, (0, 1), now, |record| record.answer(now)).0.pop()
}

async fn list(mock: Mock, request: Request<ListJobVersions>) -> Result<JobVersionPage, ApiError> {
    let (path, query, now) = (request.path, request.query, mock.now);
    let list = mock.look(move |project| {
        JobRecord::at(&path, project, now)?;
        let selection = Selection {
            owner: Some(path.job_id.as_str()),
            id: query.version_id.as_ref().map(JobVersionId::as_str),
            name: query.name.as_deref(),
            ..Selection::default()
        };
        let table = project.records::<JobVersionRecord>();
        let (versions, total) =
            table.page(&selection, page_of(&query), now, |record| record.answer(now));
        Ok(JobVersionPage { versions, total: Some(total as u64) })
    });
    list.await
}

async fn delete(mock: Mock, request: Request<DeleteJobVersion>) -> Result<Nothing, ApiError> {
    let path = request.path;
    let id = path.version_id.as_str();
    let path = JobPath { workspace_id: path.workspace_id, job_id: path.job_id };
    mock.project(|project| {
        let job = JobRecord::at(&path, project, mock.now)?;
        found(project.records::<JobVersionRecord>().get_of(job.id(), id, mock.now).map(drop))?;
        if current(project, &job, mock.now).is_some_and(|version| version.id.as_deref() == Some(id))
        {
            let rule = "must not be the current version of the job";
            return Err(Invalid::new("version_id", rule).into());
        }
        project.remove::<JobVersionRecord>(id, mock.now);
        Ok(Nothing {})
    })
}
