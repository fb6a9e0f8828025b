//! What the mock keeps of a job.

use std::time::SystemTime;

use fabric_model::job::{Job, JobId, JobPath, JobType, JobVersion, Jobs};
use fabric_model::job_version::{JobVersionId, JobVersions};
use fabric_model::user::User;
use fabric_model::visibility::Visibility;
use fabric_model::{ApiError, Invalid, Resource};
use serde::{Deserialize, Serialize};

use crate::api::time;
use crate::mock::operations::found;
use crate::mock::projects::Project;
use crate::mock::service::order::Sortable;
use crate::mock::service::user::user;
use crate::mock::table::{Making, Owned, Record};

/// What is kept of a job. Its versions are records of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobRecord {
    pub(crate) id: JobId,
    pub(crate) workspace_id: String,
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) r#type: JobType,
    /// Absent in a job of fixtures that do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) current_version_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) current_endpoint_id: Option<String>,
    pub(crate) visibility: Visibility,
    pub(crate) create_user: User,
    pub(crate) update_user: User,
    /// In whole milliseconds.
    #[serde(with = "time")]
    pub(crate) created_at: SystemTime,
    /// In whole milliseconds.
    #[serde(with = "time")]
    pub(crate) updated_at: SystemTime,
}

impl JobRecord {
    /// The job of a path.
    ///
    /// # Errors
    ///
    /// 404 if the workspace has no such job.
    pub(crate) fn at(path: &JobPath, project: &Project, now: SystemTime) -> Result<Self, ApiError> {
        let (workspace, id) = (path.workspace_id.as_str(), path.job_id.as_str());
        found(project.records::<Self>().get_of(workspace, id, now).cloned())
    }
}

impl Sortable for JobRecord {
    fn updated_at(&self) -> SystemTime {
        self.updated_at
    }
}

impl Record for JobRecord {
    type Resource = Jobs;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn owner(&self) -> &str {
        &self.workspace_id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn created_at(&self) -> SystemTime {
        self.created_at
    }

    /// Of the current version, only the id is known here.
    fn answer(&self, _: SystemTime) -> Job {
        let current_version = self.current_version_id.clone();
        Job {
            id: Some(self.id.to_string()),
            workspace_id: Some(self.workspace_id.clone()),
            name: Some(self.name.clone()),
            description: self.description.clone(),
            r#type: Some(self.r#type.clone()),
            current_version: current_version
                .map(|id| JobVersion { id: Some(id), ..JobVersion::default() }),
            current_endpoint_id: self.current_endpoint_id.clone(),
            visibility: Some(self.visibility.clone()),
            create_user: Some(self.create_user.clone()),
            create_time: Some(time::write(self.created_at)),
            update_user: Some(self.update_user.clone()),
            update_time: Some(time::write(self.updated_at)),
        }
    }

    fn learn(answer: Job, known: Option<&Self>, making: &mut Making<'_>) -> Result<Self, Invalid> {
        let id: JobId = making.id(answer.id)?;
        let created_at = making
            .created_at(answer.create_time.as_deref(), known.map(|known| known.created_at))?;
        let updated_at = match answer.update_time.as_deref().map(time::read) {
            Some(read) => read.map_err(|rule| Invalid::new("update_time", rule))?,
            None => known.map_or(created_at, |known| known.updated_at),
        };
        let current_version_id = match answer.current_version {
            Some(version) => Some(version_id(version, making)?.into()),
            None => known.and_then(|known| known.current_version_id.clone()),
        };
        let known = known.cloned().unwrap_or_else(|| Self {
            name: format!("job-{:08x}", making.draws.between(0..=u32::MAX.into())),
            id: id.clone(),
            workspace_id: making.owner.to_owned(),
            description: None,
            r#type: JobType::Ray,
            current_version_id: None,
            current_endpoint_id: None,
            visibility: Visibility::Private,
            create_user: user(),
            update_user: answer.create_user.clone().unwrap_or_else(user),
            created_at,
            updated_at,
        });
        Ok(Self {
            id,
            workspace_id: making.owner.to_owned(),
            name: answer.name.unwrap_or(known.name),
            description: answer.description.or(known.description),
            r#type: answer.r#type.unwrap_or(known.r#type),
            current_version_id,
            current_endpoint_id: answer.current_endpoint_id.or(known.current_endpoint_id),
            visibility: answer.visibility.unwrap_or(known.visibility),
            create_user: answer.create_user.unwrap_or(known.create_user),
            update_user: answer.update_user.unwrap_or(known.update_user),
            created_at,
            updated_at: time::whole_milliseconds(updated_at),
        })
    }

    const TELLS_OF_OTHERS: bool = true;

    fn owned(&self, answer: Job) -> Vec<Owned> {
        let version = answer.current_version.map(|version| {
            let version = JobVersion { id: self.current_version_id.clone(), ..version };
            (JobVersions::INFO, serde_json::to_value(version).unwrap_or_default())
        });
        version.into_iter().collect()
    }
}

/// The id of a version that an answer about its job holds.
fn version_id(version: JobVersion, making: &mut Making<'_>) -> Result<JobVersionId, Invalid> {
    let within = |invalid: Invalid| {
        let broken = &invalid.violations()[0];
        Invalid::new(format!("current_version.{}", broken.field), &broken.rule)
    };
    making.created_at(version.create_time.as_deref(), None).map_err(within)?;
    making.id(version.id).map_err(within)
}
