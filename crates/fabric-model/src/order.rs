//! By what a list is sorted, and in which direction.

use crate::open_enum::open_enum;

open_enum! {
    /// By what a list is sorted.
    SortBy described "By what a list is sorted.", example "CREATE_TIME" {
        /// When it was created.
        CreateTime = "CREATE_TIME",
        /// When it was last changed.
        UpdateTime = "UPDATE_TIME",
        /// Its name.
        Name = "NAME",
    }
}

open_enum! {
    /// In which direction a list is sorted.
    OrderBy described "In which direction a list is sorted.", example "DESC" {
        /// The greatest first.
        Descending = "DESC",
        /// The smallest first.
        Ascending = "ASC",
    }
}

impl From<&str> for OrderBy {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}
