//! A version of a model, as it is asked for and as it is answered.

use fabric_model_macros::contract;

use crate::Identified;
use crate::text::text;
use crate::user::{self, User};

text! {
    /// The id of a version of a model in a body or a query: 32 to 36 letters, digits and hyphens.
    AnsweredModelVersionId, field "version_id", schema "AnsweredModelVersionId"
    described "The id of a version of a model.",
    32 to 36 of ID, example "b935d0ef-f4eb-4b95-aff1-9d33ae9f57b7"
}

text! {
    /// What a model, or a version of it, is for, in the words of its users: 0 to 1,024 characters other than
    /// `! < > = & " '`.
    ModelDescription, field "description", schema "ModelDescription" described "What a model is for.",
    0 to 1024 of PLAIN, example "description"
}

text! {
    /// The name of a version of a model: 1 to 64 letters, digits, hyphens, underscores, Chinese characters, dots
    /// and spaces.
    ModelVersionName, field "name", schema "ModelVersionName" described "The name of a version of a model.",
    1 to 64 of NAME, example "name"
}

text! {
    /// What a new version of a model is for, in the words of its users: 0 to 1,000 characters other than
    /// `! < > = & " '`.
    NewModelVersionDescription, field "description", schema "NewModelVersionDescription"
    described "What a version of a model is for.",
    0 to 1000 of PLAIN, example "description"
}

text! {
    /// CAPs, each by its name or by a part of it with an asterisk: 0 to 1,024 characters.
    CapPattern, field "cap_white_list", schema "CapPattern" described "CAPs by their names, or parts of them.",
    0 to 1024 of ANY, example "cap1 cap2 ca* cap*"
}

/// What a version of a model is to be. The name is required; no field may be `null`.
#[contract(request)]
#[derive(Default, Eq)]
pub struct ModelVersionInput {
    /// The name: 1 to 64 letters, digits, hyphens, underscores, Chinese characters, dots and spaces.
    #[rule(like = ModelVersionName)]
    pub name: String,

    /// What it is for: 0 to 1,000 characters other than `! < > = & " '`.
    #[rule(like = NewModelVersionDescription)]
    pub description: Option<String>,

    /// What it consists of.
    #[rule(nested)]
    pub config: Option<ModelConfig>,
}

/// What a version of a model consists of.
#[contract(request)]
#[derive(Default, Eq)]
pub struct ModelConfig {
    /// What a large language model consists of.
    #[rule(nested)]
    pub llm_model_config: Option<LlmModelConfig>,
}

/// What a large language model consists of.
#[contract(request)]
#[derive(Default, Eq)]
pub struct LlmModelConfig {
    /// The type of the base model, of those that `ListBaseModels` answers.
    #[rule(example = "LLAMA_3_8B")]
    pub base_model_type: String,

    /// The folder of the model's files: 8 to 1,024 characters.
    #[rule(length = 8..=1024, example = "obs://bucketname/objectdir/modelpath/")]
    pub model_path: String,
}

/// A version of a model, as the service answers it. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct ModelVersion {
    /// The id: 32 to 36 letters, digits and hyphens.
    #[rule(like = AnsweredModelVersionId)]
    pub id: Option<String>,

    /// The name: 1 to 64 letters, digits, hyphens, underscores, Chinese characters, dots and spaces.
    #[rule(required, like = ModelVersionName)]
    pub name: Option<String>,

    /// What it is for: 0 to 1,024 characters other than `! < > = & " '`.
    #[rule(like = ModelDescription)]
    pub description: Option<String>,

    /// What it consists of.
    #[rule(required, nested)]
    pub config: Option<ModelConfig>,

    /// The CAPs that may use it: 0 to 100 texts, each of 0 to 1,024 characters.
    #[rule(items = 0..=100, each = CapPattern)]
    pub cap_white_list: Vec<String>,

    /// Who created it.
    #[rule(nested)]
    pub create_user: Option<User>,

    /// When it was created.
    #[rule(format = "date-time", example = "2023-05-30T12:24:30.401Z")]
    pub create_time: Option<String>,
}

impl Identified for ModelVersion {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

/// The version of the documentation's examples.
pub(crate) fn example() -> ModelVersion {
    let ModelVersionInput { name, description, config } = example_input();
    ModelVersion {
        id: Some("b935d0ef-f4eb-4b95-aff1-9d33ae9f57b7".to_owned()),
        name: Some(name),
        description,
        config,
        cap_white_list: vec!["cap1 cap2 ca* cap*".to_owned()],
        create_user: Some(user::example()),
        create_time: Some("2023-05-30T12:24:30.401Z".to_owned()),
    }
}

pub(super) fn example_input() -> ModelVersionInput {
    let llm_model_config = LlmModelConfig {
        base_model_type: "LLAMA_3_8B".to_owned(),
        model_path: "obs://bucketname/objectdir/modelpath/".to_owned(),
    };
    ModelVersionInput {
        name: "name".to_owned(),
        description: Some("description".to_owned()),
        config: Some(ModelConfig { llm_model_config: Some(llm_model_config) }),
    }
}
