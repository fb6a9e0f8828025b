//! Who sees a resource, and which of them a list shows.

use crate::open_enum::open_enum;

open_enum! {
    /// Who sees a resource.
    Visibility
    described "Who sees it: its project, or everybody.",
    example "PRIVATE" {
        /// Its project.
        Private = "PRIVATE",
        /// Everybody.
        Public = "PUBLIC",
    }
}

open_enum! {
    /// Whose resources a list shows, by their visibility.
    VisibilityFilter
    described "Whose resources are listed: private ones, public ones of whatever user, or all.",
    example "ALL" {
        /// Public ones, also those of other users.
        Public = "PUBLIC",
        /// Private ones.
        Private = "PRIVATE",
        /// All.
        All = "ALL",
    }
}
