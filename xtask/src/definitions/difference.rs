//! A difference between our document and the definitions.

use std::fmt::{self, Display};

/// Where the two say different things, and what ours says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The operation, and the way to the part of it: `ListJobs, answer 200.jobs[].name`.
    pub(crate) place: String,
    /// Such as `maximum is 99, defined as 100`.
    pub(crate) what: String,
}

impl Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.what)
    }
}
