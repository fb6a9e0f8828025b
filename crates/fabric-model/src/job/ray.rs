//! What a Ray job runs.

use std::collections::BTreeMap;

use fabric_model_macros::contract;
use serde_json::{Map, Value};

use crate::text::text;

text! {
    /// The name under which a Ray job is submitted: 1 to 36 letters, digits and hyphens.
    SubmissionId, field "submission_id", schema "SubmissionId" described "The name of a submission.",
    1 to 36 of ID, example "nightly-1"
}

text! {
    /// The value of an environment variable: 0 to 255 characters.
    VariableValue, field "env_vars", schema "VariableValue"
    described "The value of an environment variable.",
    0 to 255 of ANY, example "1"
}

text! {
    /// A Python package or module: 1 to 127 characters.
    PythonModule, field "pip", schema "PythonModule" described "A Python package or module.",
    1 to 127 of ANY, example "torch"
}

/// What a Ray job runs. The entry point is required; no field may be `null`.
#[contract(request)]
#[derive(Default)]
pub struct RayJobConfig {
    /// The command that starts it: 1 to 102,400 characters.
    #[rule(length = 1..=102_400, example = "python main.py")]
    pub entrypoint: String,

    /// The memory of the command.
    #[rule(format = "int32", example = 1024)]
    pub entrypoint_memory: Option<i32>,

    /// How many CPUs the command has.
    #[rule(number, format = "double", example = 1.5)]
    pub entrypoint_num_cpus: Option<f64>,

    /// How many GPUs the command has.
    #[rule(number, format = "double", example = 0.5)]
    pub entrypoint_num_gpus: Option<f64>,

    /// The amounts of other resources, by their names.
    #[rule(free)]
    pub entrypoint_resources: Option<Map<String, Value>>,

    /// What users note down about it.
    #[rule(free)]
    pub metadata: Option<Map<String, Value>>,

    /// What it runs in.
    #[rule(nested)]
    pub runtime_env: Option<JobEnvironment>,

    /// The name under which it is submitted: 1 to 36 letters, digits and hyphens.
    #[rule(like = SubmissionId)]
    pub submission_id: Option<String>,
}

/// What a Ray job runs in. Every field is optional, and none may be `null`.
#[contract(request)]
#[derive(Default, Eq)]
pub struct JobEnvironment {
    /// The folder that it runs in, as a remote URI: 1 to 2,048 characters.
    #[rule(length = 1..=2048, example = "s3://bucket/app.zip")]
    pub working_dir: Option<String>,

    /// The Python modules to install, as remote URIs: 0 to 1,023, each of 1 to 127 characters.
    #[rule(items = 0..=1023, each = PythonModule)]
    pub py_modules: Vec<String>,

    /// The Python packages to install: 0 to 1,023, each of 1 to 127 characters.
    #[rule(items = 0..=1023, each = PythonModule)]
    pub pip: Vec<String>,

    /// The configuration of Conda.
    #[rule(free)]
    pub conda: Option<Map<String, Value>>,

    /// The environment variables by their names, each of 0 to 255 characters.
    #[rule(values = VariableValue)]
    pub env_vars: Option<BTreeMap<String, String>>,

    /// The configuration of the container.
    #[rule(free)]
    pub container: Option<Map<String, Value>>,

    /// The configuration of the environment itself: 0 to 102,400 characters.
    #[rule(length = 0..=102_400, example = "{\"setup_timeout_seconds\": 600}")]
    pub config: Option<String>,

    /// The configuration of the profiler Nsight: 0 to 10,240 characters.
    #[rule(length = 0..=10_240, example = "default")]
    pub nsight: Option<String>,

    /// What a worker process runs first: 0 to 1,024 characters.
    #[rule(length = 0..=1024, example = "setup.start")]
    pub worker_process_setup_hook: Option<String>,
}
