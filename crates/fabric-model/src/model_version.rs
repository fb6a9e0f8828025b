//! The versions of a model: they are created with the model or an update of it, and do not change.

mod delete;
mod list;

use fabric_model_macros::contract;

pub use delete::DeleteModelVersion;
pub use list::{ListModelVersions, ListModelVersionsQuery, ModelVersionPage};

use crate::model_definition::{ModelId, ModelVersion, Models};
use crate::text::text;
use crate::workspace::WorkspaceId;
use crate::{Resource, ResourceInfo};

/// The versions of a model.
#[derive(Clone, Copy, Debug)]
pub struct ModelVersions;

impl Resource for ModelVersions {
    const NAME: &'static str = "model-versions";
    const SINGULAR: &'static str = "model version";
    const DESCRIPTION: &'static str =
        "What a model consists of, or consisted of before it was changed";
    const ID_PARAMETER: Option<&'static str> = Some("version_id");
    const OWNER: Option<&'static ResourceInfo> = Some(Models::INFO);

    type Answer = ModelVersion;
}

text! {
    /// Names a version of a model in a path: 1 to 36 letters, digits and hyphens.
    ModelVersionId, field "version_id", schema "ModelVersionIdParameter" described "Names a version of a model.",
    1 to 36 of ID, example "0b5633ba2b904511ad514346f4d23d4b"
}

/// The path of the operations on one version of a model.
#[contract(path)]
#[derive(Eq)]
pub struct ModelVersionPath {
    /// The id of the workspace: 1 to 36 letters, digits and hyphens.
    pub workspace_id: WorkspaceId,

    /// The id of the model: 1 to 36 letters, digits and hyphens.
    pub model_id: ModelId,

    /// The id of the version: 1 to 36 letters, digits and hyphens.
    pub version_id: ModelVersionId,
}
