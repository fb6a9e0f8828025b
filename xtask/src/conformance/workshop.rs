//! Where the tools are, and what they are run with.

use std::path::{Path, PathBuf};

use crate::shell::root;

/// Where everything that the tools need and leave behind is put.
pub(super) fn workshop() -> PathBuf {
    target().join("conformance")
}

/// The folder that cargo builds in, which this program itself is in.
pub(crate) fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).map_or_else(|| root().join("target"), Path::to_owned)
}

/// The settings and programs of ours that the tools are run with.
pub(super) fn settings() -> PathBuf {
    root().join("xtask/conformance")
}
