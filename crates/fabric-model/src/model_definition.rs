//! The model: what endpoints serve, in versions of which one is current.

mod cleanup;
mod create;
mod list;
mod update;
mod version;

use fabric_model_macros::contract;

pub use cleanup::CleanupModel;
pub use create::{CreateModelDefinition, ModelCreate};
pub use list::{ListModels, ListModelsQuery, ModelPage};
pub use update::{ModelUpdate, UpdateModelDefinition};
pub(crate) use version::example as example_version;
pub use version::{
    AnsweredModelVersionId, LlmModelConfig, ModelConfig, ModelDescription, ModelVersion,
    ModelVersionInput, ModelVersionName,
};

use crate::open_enum::open_enum;
use crate::text::text;
use crate::user::{self, User};
use crate::visibility::Visibility;
use crate::workspace::{WorkspaceId, Workspaces};
use crate::{Identified, Resource, ResourceInfo};

/// The models of a workspace.
#[derive(Clone, Copy, Debug)]
pub struct Models;

impl Resource for Models {
    const NAME: &'static str = "models";
    const SINGULAR: &'static str = "model";
    const DESCRIPTION: &'static str =
        "What the endpoints of a workspace serve, in versions of which one is current";
    const ID_PARAMETER: Option<&'static str> = Some("model_id");
    const OWNER: Option<&'static ResourceInfo> = Some(Workspaces::INFO);

    type Answer = Model;
}

text! {
    /// Names a model in a path: 1 to 36 letters, digits and hyphens.
    ModelId, field "model_id", schema "ModelIdParameter" described "Names a model.",
    1 to 36 of ID, example "0b5633ba2b904511ad514346f4d23d4b"
}

text! {
    /// The id of a model in an answer or a query: 32 to 36 letters, digits and hyphens.
    AnsweredModelId, field "id", schema "AnsweredModelId" described "The id of a model.",
    32 to 36 of ID, example "0b5633ba2b904511ad514346f4d23d4b"
}

text! {
    /// The name of a model: 1 to 64 letters, digits, hyphens, underscores, Chinese characters, dots and spaces.
    ModelName, field "name", schema "ModelName" described "The name of a model.",
    1 to 64 of NAME, example "LLama3-8b"
}

open_enum! {
    /// What kind of model it is.
    ModelType described "What kind of model it is.", example "LLM_MODEL" {
        /// A large language model.
        LargeLanguageModel = "LLM_MODEL",
    }
}

/// A model, as the service answers it. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct Model {
    /// The id: 32 to 36 letters, digits and hyphens.
    #[rule(like = AnsweredModelId)]
    pub id: Option<String>,

    /// The name: 1 to 64 letters, digits, hyphens, underscores, Chinese characters, dots and spaces.
    #[rule(like = ModelName)]
    pub name: Option<String>,

    /// What it is for: 0 to 1,024 characters other than `! < > = & " '`.
    #[rule(like = ModelDescription)]
    pub description: Option<String>,

    /// What kind of model it is.
    pub r#type: Option<ModelType>,

    /// The version that is served.
    #[rule(nested)]
    pub current_version: Option<ModelVersion>,

    /// Who sees it.
    #[rule(inline, default = "PRIVATE")]
    pub visibility: Option<Visibility>,

    /// Who created it.
    #[rule(nested)]
    pub create_user: Option<User>,

    /// When it was created.
    #[rule(format = "date-time", example = "2023-05-30T12:24:30.401Z")]
    pub create_time: Option<String>,

    /// Who last changed it.
    #[rule(nested)]
    pub update_user: Option<User>,

    /// When it was last changed.
    #[rule(format = "date-time", example = "2023-05-30T12:24:30.401Z")]
    pub update_time: Option<String>,
}

impl Identified for Model {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

/// A model and one of its versions by their ids. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct ModelReference {
    /// The id of the model: 32 to 36 letters, digits and hyphens.
    #[rule(like = AnsweredModelId)]
    pub id: Option<String>,

    /// The id of the version: 32 to 36 letters, digits and hyphens.
    #[rule(like = AnsweredModelVersionId)]
    pub version_id: Option<String>,
}

/// The path of the operations on one model.
#[contract(path)]
#[derive(Eq)]
pub struct ModelPath {
    /// The id of the workspace: 1 to 36 letters, digits and hyphens.
    pub workspace_id: WorkspaceId,

    /// The id of the model: 1 to 36 letters, digits and hyphens.
    pub model_id: ModelId,
}

/// The model of the documentation's examples.
fn example() -> Model {
    Model {
        id: Some(example_path().model_id.into()),
        name: Some("LLama3-8b".to_owned()),
        description: Some("description".to_owned()),
        r#type: Some(ModelType::LargeLanguageModel),
        current_version: Some(version::example()),
        visibility: Some(Visibility::Private),
        create_user: Some(user::example()),
        create_time: Some("2023-05-30T12:24:30.401Z".to_owned()),
        update_user: Some(user::example()),
        update_time: Some("2023-05-30T12:24:30.401Z".to_owned()),
    }
}

pub(crate) fn example_path() -> ModelPath {
    let model_id = ModelId::try_from("ac8111bf-3601-4905-8ddd-b41d3e636a4e");
    ModelPath {
        workspace_id: crate::workspace::example_path().workspace_id,
        model_id: model_id.expect("a UUID is an id"),
    }
}
