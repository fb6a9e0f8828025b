//! What a Spark job runs.

use fabric_model_macros::contract;

use super::python::MainArgument;
use crate::text::text;
use crate::workspace::MetastoreId;

text! {
    /// A path in the object storage service: at most 1,000 characters such as `obs://bucket/file`.
    SparkPath, field "main_file_path", schema "SparkPath" described "A path in the object storage service.",
    0 to 1000 of OBS_PATH, example "obs://spark-job/demo.py"
}

/// What a Spark job runs. The two specifications are required; no field may be `null`.
#[contract(request)]
#[derive(Default, Eq)]
pub struct SparkJobConfig {
    /// The main file, in the object storage service: a Python file or a jar, at most 1,000 characters.
    #[rule(like = SparkPath)]
    pub main_file_path: Option<String>,

    /// The main class of a job in Java: 1 to 200 characters.
    #[rule(length = 1..=200, example = "com.example.Demo")]
    pub main_class: Option<String>,

    /// The arguments of the main file or the main class: 0 to 100, each of 1 to 1,000 characters.
    #[rule(items = 0..=100, each = MainArgument)]
    pub main_arguments: Vec<String>,

    /// The specification of the resources of the driver: 0 to 100 characters.
    #[rule(length = 0..=100, example = "mrs.c1m4")]
    pub driver_resource_spec: String,

    /// The specification of the resources of an executor: 0 to 100 characters.
    #[rule(length = 0..=100, example = "mrs.c1m4")]
    pub executor_resource_spec: String,

    /// Whether executors are added and removed with the load. Without it, they are not.
    #[rule(default = false)]
    pub enable_dynamic_allocation: Option<bool>,

    /// How many executors there are: 1 to 2,000.
    #[rule(range = 1..=2000, format = "int32", example = 2)]
    pub num_executors: Option<u32>,

    /// The fewest executors: 1 to 2,000.
    #[rule(range = 1..=2000, format = "int32", example = 1)]
    pub min_num_executors: Option<u32>,

    /// The most executors: 1 to 2,000.
    #[rule(range = 1..=2000, format = "int32", example = 4)]
    pub max_num_executors: Option<u32>,

    /// The instance of LakeFormation that keeps the metadata: 32 to 36 letters, digits and hyphens.
    #[rule(like = MetastoreId)]
    pub metastore_id: Option<String>,

    /// The catalogue in LakeFormation: 1 to 24 characters.
    #[rule(length = 1..=24, example = "catalog1")]
    pub metastore_catalog_id: Option<String>,

    /// Settings of Spark itself: 0 to 4,000 characters.
    #[rule(length = 0..=4000, example = "spark.executor.heartbeatInterval=20s")]
    pub spark_conf: Option<String>,

    /// Where its log is kept, in the object storage service: at most 1,000 characters such as
    /// `obs://bucket/file`.
    #[rule(like = SparkPath)]
    pub user_log_path: Option<String>,
}
