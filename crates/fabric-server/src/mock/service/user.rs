//! The user of a mock, whose callers are no users.

use fabric_model::user::User;

/// Account and user, each by its id and its name.
const NAME: &str = "mock";

/// Who creates and changes what a mock keeps.
pub(super) fn user() -> User {
    User {
        domain_id: Some(NAME.to_owned()),
        domain_name: Some(NAME.to_owned()),
        user_id: Some(NAME.to_owned()),
        user_name: Some(NAME.to_owned()),
    }
}
