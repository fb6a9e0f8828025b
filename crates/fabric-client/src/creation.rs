//! A create that is not made twice.

use std::collections::HashSet;
use std::pin::pin;

use fabric_model::Invalid;
use fabric_model::access_client::{AccessClient, AccessClientCreate, ListAccessClientsQuery};
use futures_util::TryStreamExt;

use crate::{AccessClients, Error};

/// What a create came to: see [`AccessClients::create_or_find`].
#[derive(Clone, Debug, PartialEq)]
pub enum Creation {
    /// The service said so.
    Created(AccessClient),
    /// The answer was lost, but here is what it must have been about.
    Found(AccessClient),
}

impl Creation {
    /// The access client, however it was learned of.
    #[must_use]
    pub fn into_access_client(self) -> AccessClient {
        match self {
            Self::Created(access_client) | Self::Found(access_client) => access_client,
        }
    }
}

impl AccessClients<'_> {
    /// Creates an access client, and finds out whether it was created if the answer is lost.
    ///
    /// A create has no key by which the service could tell that it was sent twice, and what it creates
    /// costs money, so the client does not send it again once it may have been received. This call looks
    /// instead: it lists what has the name, before and, if the answer is lost, after. What is new then, and
    /// has the VPC and the subnets that were asked for, must be it.
    ///
    /// It can be wrong where others create access clients with the same name and network at the same time,
    /// and it finds nothing where the service takes its time to list what it creates: then the error is
    /// that of the create, and [`Error::is_in_doubt`].
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::Invalid`] without a name; [`Error::Lookup`] if the caller may not list, or
    /// the list fails.
    pub async fn create_or_find(&self, body: AccessClientCreate) -> Result<Creation, Error> {
        let Some(name) = body.name.clone() else {
            return Err(Invalid::new("name", "must be given, to find by").into());
        };
        let before = self.named(&name).await.map_err(|error| Error::Lookup(Box::new(error)))?;
        let before: HashSet<_> = before.into_iter().filter_map(|known| known.id).collect();
        let error = match self.create(body.clone()).await {
            Ok(created) => return Ok(Creation::Created(created)),
            Err(error) if error.is_in_doubt() => error,
            Err(error) => return Err(error),
        };
        let Ok(after) = self.named(&name).await else { return Err(error) };
        let is_new = |found: &AccessClient| {
            found.id.as_ref().is_some_and(|id| !before.contains(id)) && is_in_network(found, &body)
        };
        let mut found = after.into_iter().filter(is_new);
        match (found.next(), found.next()) {
            (Some(found), None) => Ok(Creation::Found(found)),
            _ => Err(error),
        }
    }

    /// What has exactly this name.
    async fn named(&self, name: &str) -> Result<Vec<AccessClient>, Error> {
        let name = name.to_owned();
        let query =
            ListAccessClientsQuery { limit: 100, name: Some(name.clone()), ..Default::default() };
        let mut items = pin!(self.items(query));
        let mut named = Vec::new();
        while let Some(found) = items.try_next().await? {
            if found.name.as_ref() == Some(&name) {
                named.push(found);
            }
        }
        Ok(named)
    }
}

/// Whether what was found is in the network that was asked for.
fn is_in_network(found: &AccessClient, asked: &AccessClientCreate) -> bool {
    let vpc = asked.vpc_id.as_ref().map(AsRef::as_ref);
    let mut subnets: Vec<&str> = asked.subnet_ids.iter().map(String::as_str).collect();
    if subnets.is_empty() {
        subnets.extend(asked.subnet_id.as_ref().map(AsRef::<str>::as_ref));
    }
    let mut theirs: Vec<&str> = found.subnet_ids.iter().map(String::as_str).collect();
    subnets.sort_unstable();
    theirs.sort_unstable();
    // What an answer leaves out tells nothing.
    let has_vpc = vpc.is_none() || found.vpc_id.is_none() || found.vpc_id.as_deref() == vpc;
    has_vpc && (subnets.is_empty() || theirs.is_empty() || subnets == theirs)
}
