//! Who is calling.

use fabric_model::{Invalid, ProjectId, header};
use http::HeaderMap;

/// The project of a caller who names none.
pub const DEFAULT_PROJECT: &str = "default";

/// Who is calling: whose records a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The project that the caller's records belong to.
    pub project: ProjectId,
}

impl Caller {
    /// Reads the caller from the headers of a request.
    ///
    /// # Errors
    ///
    /// An `X-Project-Id` that is no project id, or two of them.
    pub fn identify(headers: &HeaderMap) -> Result<Self, Invalid> {
        let mut given = headers.get_all(header::X_PROJECT_ID).iter();
        let project = match (given.next(), given.next()) {
            (None, _) => ProjectId::try_from(DEFAULT_PROJECT)?,
            // What is no text becomes text that is no id.
            (Some(id), None) => {
                ProjectId::try_from(String::from_utf8_lossy(id.as_bytes()).as_ref())?
            }
            (Some(_), Some(_)) => {
                return Err(Invalid::new("X-Project-Id", "must be given once"));
            }
        };
        Ok(Self { project })
    }
}
