//! Creates that find out what became of a lost answer, in place of creating a second time.

use std::collections::HashSet;
use std::pin::pin;

use fabric_model::{ApiError, Identified, Invalid, List, Operation, Page, Request};
use futures_util::TryStreamExt;
use http::StatusCode;

use crate::{Client, Error};

/// The result of a create: see [`Client::create_or_find`].
#[derive(Clone, Debug, PartialEq)]
pub enum Creation<T> {
    /// The service answered the create with it.
    Created(T),
    /// The answer to the create was lost, and a list then showed this as new.
    Found(T),
}

impl<T> Creation<T> {
    /// The created resource, in either case.
    #[must_use]
    pub fn into_inner(self) -> T {
        match self {
            Self::Created(created) | Self::Found(created) => created,
        }
    }
}

/// Why [`Client::create_or_find`] failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// Listing what exists failed, so the create was not sent.
    #[error("nothing was created, since listing what exists failed")]
    Lookup(#[source] Error),
    /// The create failed.
    #[error(transparent)]
    Call(#[from] Error),
}

impl CreateError {
    /// The error of the call that failed.
    #[must_use]
    pub fn error(&self) -> &Error {
        match self {
            Self::Lookup(error) | Self::Call(error) => error,
        }
    }

    /// [`Error::status`].
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.error().status()
    }

    /// [`Error::request_id`].
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.error().request_id()
    }

    /// [`Error::api_error`].
    #[must_use]
    pub fn api_error(&self) -> Option<&ApiError> {
        self.error().api_error()
    }

    /// [`Error::is_retryable`].
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.error().is_retryable()
    }

    /// Whether the service may have carried out the create in spite of this error. Never so if the create was
    /// not sent.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        matches!(self, Self::Call(error) if error.is_in_doubt())
    }
}

impl From<Invalid> for CreateError {
    fn from(invalid: Invalid) -> Self {
        Self::Call(invalid.into())
    }
}

/// Forgets whether the create was sent, so [`Error::is_in_doubt`] may be true although it was not.
impl From<CreateError> for Error {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Lookup(error) | CreateError::Call(error) => error,
        }
    }
}

/// What an operation lists.
type Item<L> = <<L as Operation>::Response as Page>::Item;

impl Client {
    /// Sends a create once, and finds out whether it was carried out if the answer is lost.
    ///
    /// A create has no key by which the service could recognize a repetition, and what it creates costs
    /// money, so the client does not repeat a create that may have been received. This call lists the
    /// candidates instead, before the create and, if the answer is lost, after it. `list` asks for the
    /// candidates; `is_meant` tells whether one has the properties that were asked for. If exactly one
    /// candidate is new, it is taken for the created one.
    ///
    /// It may be wrong where other callers create resources with the same properties at the same time. It finds
    /// nothing where the service lists new resources late: then it returns the error of the create, which
    /// [is in doubt](CreateError::is_in_doubt).
    ///
    /// # Errors
    ///
    /// [`CreateError::Lookup`] if the caller may not list, or the first list fails; otherwise any [`Error`] of
    /// the create.
    pub async fn create_or_find<C, L>(
        &self,
        create: &Request<C>,
        list: Request<L>,
        is_meant: impl Fn(&Item<L>) -> bool,
    ) -> Result<Creation<Item<L>>, CreateError>
    where
        C: Operation<Response = Item<L>>,
        L: List,
    {
        create.validate()?;
        let before = self.matching(list.clone(), &is_meant).await.map_err(CreateError::Lookup)?;
        let known: HashSet<&str> = before.iter().filter_map(Identified::id).collect();
        let error = match self.send(create).await {
            Ok(created) => return Ok(Creation::Created(created)),
            Err(error) if error.is_in_doubt() => error,
            Err(error) => return Err(error.into()),
        };
        let Ok(after) = self.matching(list, &is_meant).await else { return Err(error.into()) };
        let is_new = |found: &Item<L>| found.id().is_some_and(|id| !known.contains(id));
        let mut found = after.into_iter().filter(is_new);
        match (found.next(), found.next()) {
            (Some(found), None) => Ok(Creation::Found(found)),
            _ => Err(error.into()),
        }
    }

    /// The items of a list that `is_meant` accepts.
    async fn matching<L: List>(
        &self,
        list: Request<L>,
        is_meant: &impl Fn(&Item<L>) -> bool,
    ) -> Result<Vec<Item<L>>, Error> {
        let mut items = pin!(self.items(list));
        let mut matching = Vec::new();
        while let Some(item) = items.try_next().await? {
            if is_meant(&item) {
                matching.push(item);
            }
        }
        Ok(matching)
    }
}
