//! How a version of a job runs.

use fabric_model_macros::contract;

use super::{PythonJobConfig, RayJobConfig, SparkJobConfig};

/// How a version of a job runs. Every field is optional, and none may be `null`.
#[contract(request)]
#[derive(Default)]
pub struct JobConfig {
    /// How many runs there may be at once: 1 to 100. Without it, 1.
    #[rule(range = 1..=100, default = 1, format = "int32")]
    pub max_concurrent_runs: Option<u32>,

    /// How often a run that failed is retried: 0 to 100. Without it, 0.
    #[rule(range = 0..=100, default = 0, format = "int32")]
    pub max_retries: Option<u32>,

    /// The longest that a run may take, in seconds: 0 to 8,640,000, where 0 sets no limit. Without it, 0.
    #[rule(range = 0..=8_640_000, default = 0, format = "int32")]
    pub timeout_seconds: Option<u32>,

    /// Whether runs wait in a queue. Without it, they do.
    #[rule(default = true)]
    pub queue: Option<bool>,

    /// What a job of the type `PYTHON_JOB` runs.
    #[rule(nested)]
    pub python_job_config: Option<PythonJobConfig>,

    /// What a job of the type `RAY_JOB` runs.
    #[rule(nested)]
    pub ray_job_config: Option<RayJobConfig>,

    /// What a job of the type `SPARK_JOB` runs.
    #[rule(nested)]
    pub spark_job_config: Option<SparkJobConfig>,
}
