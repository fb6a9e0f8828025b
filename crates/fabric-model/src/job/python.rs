//! What a Python job runs.

use fabric_model_macros::contract;

use crate::text::text;

text! {
    /// The main file of a Python job: 4 to 1,000 characters, of which the last are `py`.
    PythonFile, field "main_file_name", schema "PythonFile" described "The main file of a Python job.",
    4 to 1000 of PYTHON_FILE, example "dir/demo.py"
}

text! {
    /// A folder in the object storage service: 9 to 1,000 characters such as `obs://bucket/`.
    PythonFolder, field "working_dir", schema "PythonFolder" described "A folder with code.",
    9 to 1000 of OBS_FOLDER, example "obs://python-job/"
}

text! {
    /// A path in the object storage service: 9 to 1,000 characters such as `obs://bucket/file`.
    PythonLogPath, field "user_log_path", schema "PythonLogPath" described "Where a log is kept.",
    9 to 1000 of OBS_PATH, example "obs://python-job/log/job1.log"
}

text! {
    /// An argument of a main file or a main class: 1 to 1,000 characters.
    MainArgument, field "main_arguments", schema "MainArgument" described "An argument.",
    1 to 1000 of ANY, example "--verbose"
}

text! {
    /// A Python package: 1 to 100 characters.
    PythonPackage, field "python_packages", schema "PythonPackage" described "A Python package.",
    1 to 100 of ANY, example "numpy"
}

/// What a Python job runs. The specification is required; no field may be `null`.
#[contract(request)]
#[derive(Default, Eq)]
pub struct PythonJobConfig {
    /// The main file, relative to `working_dir`: 4 to 1,000 characters, of which the last are `py`.
    #[rule(like = PythonFile)]
    pub main_file_name: Option<String>,

    /// The arguments of the main file: 0 to 100, each of 1 to 1,000 characters.
    #[rule(items = 0..=100, each = MainArgument)]
    pub main_arguments: Vec<String>,

    /// The folder with the code, in the object storage service: 9 to 1,000 characters such as `obs://bucket/`.
    #[rule(like = PythonFolder)]
    pub working_dir: Option<String>,

    /// The packages that it needs: 0 to 100, each of 1 to 100 characters.
    #[rule(items = 0..=100, each = PythonPackage)]
    pub python_packages: Vec<String>,

    /// The specification of the resources that it runs on: 1 to 100 characters.
    #[rule(length = 1..=100, example = "mrs.c1m4")]
    pub resource_spec: String,

    /// Where its log is kept, in the object storage service: 9 to 1,000 characters such as `obs://bucket/file`.
    #[rule(like = PythonLogPath)]
    pub user_log_path: Option<String>,
}
