//! The versions of a job: they are created with the job or an update of it, and do not change.

mod delete;
mod list;

use fabric_model_macros::contract;

pub use delete::DeleteJobVersion;
pub use list::{JobVersionPage, ListJobVersions, ListJobVersionsQuery};

use crate::job::{JobId, JobVersion, Jobs};
use crate::text::text;
use crate::workspace::WorkspaceId;
use crate::{Resource, ResourceInfo};

/// The versions of a job.
#[derive(Clone, Copy, Debug)]
pub struct JobVersions;

impl Resource for JobVersions {
    const NAME: &'static str = "job-versions";
    const SINGULAR: &'static str = "job version";
    const DESCRIPTION: &'static str = "How a job runs, or ran before it was changed";
    const ID_PARAMETER: Option<&'static str> = Some("version_id");
    const OWNER: Option<&'static ResourceInfo> = Some(Jobs::INFO);

    type Answer = JobVersion;
}

text! {
    /// Names a version of a job in a path or a query: 32 to 36 letters, digits and hyphens.
    JobVersionId, field "version_id", schema "JobVersionIdParameter" described "Names a version of a job.",
    32 to 36 of ID, example "0b5633ba2b904511ad514346f4d23d4b"
}

/// The path of the operations on one version of a job.
#[contract(path)]
#[derive(Eq)]
pub struct JobVersionPath {
    /// The id of the workspace: 1 to 36 letters, digits and hyphens.
    pub workspace_id: WorkspaceId,

    /// The id of the job: 32 to 36 letters, digits and hyphens.
    pub job_id: JobId,

    /// The id of the version: 32 to 36 letters, digits and hyphens.
    pub version_id: JobVersionId,
}
