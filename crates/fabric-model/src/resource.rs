//! What a resource is: a kind of thing that operations are about.

use crate::{Nothing, Payload};

/// A kind of thing in the contract, such as access clients.
///
/// Each [`Operation`](crate::Operation) is about one. Its name is the tag in the `OpenAPI` document, and names
/// the resource in the mock server and in the command.
pub trait Resource: 'static {
    /// The plural name, in lower case with hyphens, as in a path: `access-clients`.
    const NAME: &'static str;
    /// The singular name, in words: `access client`.
    const SINGULAR: &'static str;
    /// What it is, in a few words.
    const DESCRIPTION: &'static str;
    /// The path parameter that holds an id of the resource; `None` if no path has one.
    const ID_PARAMETER: Option<&'static str>;

    /// The resource whose records own those of this one; `None` if they belong to the project alone. A record is
    /// reached through the path of its owner, and goes with it.
    const OWNER: Option<&'static ResourceInfo> = None;

    /// The field of the answer that holds the id of the owner, which is then the id of the record too: an owner has
    /// one such record at most. `None` if records have ids of their own.
    const OWNER_IN_ANSWER: Option<&'static str> = None;

    /// The answer of the service about one record.
    type Answer: Identified;

    /// All constants.
    const INFO: &'static ResourceInfo = &ResourceInfo {
        name: Self::NAME,
        singular: Self::SINGULAR,
        description: Self::DESCRIPTION,
        id_parameter: Self::ID_PARAMETER,
        owner: Self::OWNER,
        owner_in_answer: Self::OWNER_IN_ANSWER,
    };
}

/// The constants of a [`Resource`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceInfo {
    /// [`Resource::NAME`].
    pub name: &'static str,
    /// [`Resource::SINGULAR`].
    pub singular: &'static str,
    /// [`Resource::DESCRIPTION`].
    pub description: &'static str,
    /// [`Resource::ID_PARAMETER`].
    pub id_parameter: Option<&'static str>,
    /// [`Resource::OWNER`].
    pub owner: Option<&'static ResourceInfo>,
    /// [`Resource::OWNER_IN_ANSWER`].
    pub owner_in_answer: Option<&'static str>,
}

impl ResourceInfo {
    /// The plural name, in words: `access clients`.
    #[must_use]
    pub fn plural(&self) -> String {
        self.name.replace('-', " ")
    }
}

/// An answer that can hold the id of a record.
pub trait Identified: Payload {
    /// The id, if the answer has it.
    fn id(&self) -> Option<&str>;
}

/// An answer that can hold the state of a record.
pub trait Stateful: Identified {
    /// The states.
    type Status: Clone + std::fmt::Debug + std::fmt::Display + PartialEq + Send + Sync + 'static;

    /// The state, if the answer has it.
    fn status(&self) -> Option<&Self::Status>;
}

/// An answer without a body has no id.
impl Identified for Nothing {
    fn id(&self) -> Option<&str> {
        None
    }
}
