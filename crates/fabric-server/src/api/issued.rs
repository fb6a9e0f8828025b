//! The tokens that were issued while a server runs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::SystemTime;

use fabric_model::ProjectId;

use crate::api::credentials::Grant;

/// Tokens by their SHA-256: looking one up then takes as long whatever is wrong with it, and no token stays in
/// memory.
pub(crate) type Tokens = HashMap<[u8; 32], Arc<Grant>>;

/// The most tokens, and the most temporary keys, that are issued and expire.
pub(crate) const ISSUED_MAX: usize = 10_000;

/// Tokens that were issued.
#[derive(Debug, Default)]
pub(crate) struct IssuedTokens {
    all: Tokens,
    /// Those that are good for a project.
    of_projects: HashMap<ProjectId, HashSet<[u8; 32]>>,
    /// How many expire.
    expiring: usize,
}

impl IssuedTokens {
    pub(crate) fn new(tokens: Tokens) -> Self {
        let mut issued = Self::default();
        for (digest, grant) in tokens {
            issued.put(digest, grant);
        }
        issued
    }

    pub(crate) fn get(&self, digest: &[u8; 32]) -> Option<&Arc<Grant>> {
        self.all.get(digest)
    }

    pub(crate) fn all(&self) -> &Tokens {
        &self.all
    }

    /// How many there are that do not expire: those of projects.
    pub(crate) fn lasting(&self) -> usize {
        self.all.len() - self.expiring
    }

    pub(crate) fn has_of(&self, project: &ProjectId) -> bool {
        self.of_projects.contains_key(project)
    }

    /// Adds a token. If too many expire, some that do so soon make room; those of projects take the place of none.
    pub(crate) fn insert(&mut self, digest: [u8; 32], grant: Grant) {
        if self.expiring >= ISSUED_MAX && grant.expires_at.is_some() {
            let goes = surplus(self.all.values().filter_map(|grant| grant.expires_at).collect());
            self.remove_where(goes);
        }
        self.put(digest, Arc::new(grant));
    }

    /// Removes the tokens of a project.
    pub(crate) fn remove_of(&mut self, project: &ProjectId) {
        for digest in self.of_projects.remove(project).unwrap_or_default() {
            let grant = self.all.remove(&digest);
            self.expiring -= usize::from(grant.is_some_and(|grant| grant.expires_at.is_some()));
        }
    }

    pub(crate) fn remove_where(&mut self, mut goes: impl FnMut(&Grant) -> bool) {
        let going = self.all.iter().filter(|(_, grant)| goes(grant)).map(|(digest, _)| *digest);
        for digest in going.collect::<Vec<_>>() {
            self.remove(&digest);
        }
    }

    fn put(&mut self, digest: [u8; 32], grant: Arc<Grant>) {
        self.remove(&digest);
        if let Some(project) = &grant.project {
            self.of_projects.entry(project.clone()).or_default().insert(digest);
        }
        self.expiring += usize::from(grant.expires_at.is_some());
        self.all.insert(digest, grant);
    }

    fn remove(&mut self, digest: &[u8; 32]) {
        let Some(grant) = self.all.remove(digest) else { return };
        self.expiring -= usize::from(grant.expires_at.is_some());
        if let Some(project) = &grant.project
            && let Some(tokens) = self.of_projects.get_mut(project)
        {
            tokens.remove(digest);
            if tokens.is_empty() {
                self.of_projects.remove(project);
            }
        }
    }
}

/// Tells which grants make room: of those that expire, at these times, the eighth that does so first.
pub(crate) fn surplus(mut ends: Vec<SystemTime>) -> impl FnMut(&Grant) -> bool {
    ends.sort_unstable();
    let last = ends.get(ends.len() / 8).copied();
    let mut count = ends.len() / 8 + 1;
    move |grant| {
        let goes = count > 0 && grant.expires_at.is_some_and(|end| Some(end) <= last);
        count -= usize::from(goes);
        goes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn grant(project: Option<&str>, expires: Option<u64>) -> Grant {
        Grant {
            project: project.map(|id| id.parse().unwrap()),
            expires_at: expires
                .map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)),
            ..Grant::default()
        }
    }

    fn digest(number: usize) -> [u8; 32] {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_le_bytes());
        digest
    }

    #[test]
    fn tokens_go_with_their_project_and_those_that_expire_make_room_for_each_other() {
        let mut issued = IssuedTokens::default();
        for number in 0..100 {
            issued.insert(digest(number), grant(Some(&format!("p{}", number % 10)), None));
        }
        for number in 0..ISSUED_MAX {
            let project = (number % 2 == 0).then_some("p3");
            issued.insert(digest(1_000 + number), grant(project, Some(number as u64)));
        }
        assert_eq!((issued.lasting(), issued.all().len()), (100, 100 + ISSUED_MAX));
        issued.insert(digest(500), grant(None, Some(5)));
        assert_eq!(issued.lasting(), 100);
        assert!(issued.all().len() <= 100 + ISSUED_MAX - ISSUED_MAX / 8);
        assert!(issued.get(&digest(1_000)).is_none(), "it would have expired first");
        assert!(issued.get(&digest(1_000 + ISSUED_MAX - 1)).is_some());
        assert!(issued.has_of(&"p3".parse().unwrap()));
        issued.remove_of(&"p3".parse().unwrap());
        assert!(!issued.has_of(&"p3".parse().unwrap()) && issued.get(&digest(3)).is_none());
        assert_eq!(issued.lasting(), 90);
        let again = IssuedTokens::new(issued.all().clone());
        assert_eq!(
            (again.lasting(), again.expiring, again.of_projects.len()),
            (90, issued.expiring, 9)
        );
        issued.remove_where(|_| true);
        assert_eq!((issued.lasting(), issued.expiring, issued.of_projects.len()), (0, 0, 0));
    }
}
