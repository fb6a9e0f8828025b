//! What a resource is: a kind of thing that operations are about.

use crate::{Nothing, Payload};

/// A kind of thing in the contract, such as access clients.
///
/// Each [`Operation`](crate::Operation) is about one. Its name is the tag in the `OpenAPI` document, and
/// whatever serves or shows records of a resource goes by it.
pub trait Resource: 'static {
    /// The name of many, in lower case with hyphens, as in a path: `access-clients`.
    const NAME: &'static str;
    /// The name of one, in words: `access client`.
    const SINGULAR: &'static str;
    /// What it is, in a few words.
    const DESCRIPTION: &'static str;
    /// The path parameter that holds the id of one; `None` where no path names one.
    const ID_PARAMETER: Option<&'static str>;

    /// One of them, as the service answers it.
    type Answer: Identified;

    /// All of the above but the type.
    const INFO: &'static ResourceInfo = &ResourceInfo {
        name: Self::NAME,
        singular: Self::SINGULAR,
        description: Self::DESCRIPTION,
        id_parameter: Self::ID_PARAMETER,
    };
}

/// What [`Resource`] says of a resource.
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
}

impl ResourceInfo {
    /// The name of many, in words: `access clients`.
    #[must_use]
    pub fn plural(&self) -> String {
        self.name.replace('-', " ")
    }
}

/// An answer that says which thing it is about.
pub trait Identified: Payload {
    /// The id, if the answer has it.
    fn id(&self) -> Option<&str>;
}

/// An answer that says in which state the thing is.
pub trait Stateful: Identified {
    /// The states.
    type Status: Clone + std::fmt::Debug + std::fmt::Display + PartialEq + Send + Sync + 'static;

    /// The state, if the answer has it.
    fn status(&self) -> Option<&Self::Status>;
}

/// What has no body is about nothing in particular.
impl Identified for Nothing {
    fn id(&self) -> Option<&str> {
        None
    }
}
