//! The user who owns a resource.

use fabric_model_macros::contract;

use crate::text::text;

text! {
    /// Names a user or an account: 1 to 36 letters, digits and hyphens.
    UserId, field "user_id", schema "UserIdentity" described "Names a user or an account.",
    1 to 36 of ID, example "0b5633ba2b904511ad514346f4d23d4b"
}

/// A user and the account that the user belongs to. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct User {
    /// The id of the account: 1 to 36 letters, digits and hyphens.
    #[rule(like = UserId)]
    pub domain_id: Option<String>,

    /// The name of the account: 0 to 64 characters.
    #[rule(length = 0..=64, example = "admin")]
    pub domain_name: Option<String>,

    /// The id of the user: 1 to 36 letters, digits and hyphens.
    #[rule(like = UserId)]
    pub user_id: Option<String>,

    /// The name of the user: 0 to 64 characters.
    #[rule(length = 0..=64, example = "user")]
    pub user_name: Option<String>,
}

/// The user of the documentation's examples.
pub(crate) fn example() -> User {
    User {
        domain_id: Some("0b5633ba2b904511ad514346f4d23d4b".to_owned()),
        domain_name: Some("admin".to_owned()),
        user_id: Some("0b5633ba2b904511ad514346f4d23d4b".to_owned()),
        user_name: Some("user".to_owned()),
    }
}
