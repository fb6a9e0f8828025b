//! The access keys that a server knows, and which of them are locked.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fabric_model::signature::{AccessKey, Rejection, RequestLine, Signature};
use http::request::Parts;
use parking_lot::Mutex;

use crate::api::credentials::Grant;
use crate::api::rejected::Rejected;

/// Access keys by their ids.
#[derive(Debug, Default)]
pub(crate) struct AccessKeys(HashMap<String, Arc<KnownKey>>);

/// An access key that a server knows.
#[derive(Debug)]
pub(crate) struct KnownKey {
    key: AccessKey,
    grant: Arc<Grant>,
    rejections: Mutex<Rejections>,
}

/// The rejections of a key since it was last good.
#[derive(Debug, Default)]
struct Rejections {
    in_a_row: u32,
    locked_until: Option<SystemTime>,
}

const REJECTIONS_MAX: u32 = 5;
const LOCK_TIME: Duration = Duration::from_mins(5);

impl Rejections {
    fn is_locked(&self, now: SystemTime) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }

    /// Counts the outcome of a signature; while it was verified, others may have locked the key.
    ///
    /// A date that is off is no guess at a secret, and is not counted: a caller whose clock is wrong may
    /// have many calls under way before it learns of it.
    fn record(
        &mut self,
        outcome: &Result<(), Rejection>,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        if self.is_locked(now) {
            return Err(Rejection::KeyLocked);
        }
        match outcome {
            Ok(()) => *self = Self::default(),
            Err(Rejection::Date) => {}
            Err(_) => {
                self.in_a_row += 1;
                if self.in_a_row > REJECTIONS_MAX {
                    *self = Self { in_a_row: 0, locked_until: Some(now + LOCK_TIME) };
                }
            }
        }
        Ok(())
    }
}

impl AccessKeys {
    /// Adds a key; `false` if there is one with its id.
    pub(crate) fn insert(&mut self, key: AccessKey, grant: Grant) -> bool {
        let id = key.id().to_owned();
        let known = KnownKey { key, grant: Arc::new(grant), rejections: Mutex::default() };
        self.0.insert(id, Arc::new(known)).is_none()
    }

    /// Unlocks every key.
    pub(crate) fn unlock(&self) {
        for known in self.0.values() {
            *known.rejections.lock() = Rejections::default();
        }
    }

    /// The key with an id.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<KnownKey>> {
        self.0.get(id).cloned()
    }

    /// Keeps the keys whose grant fits.
    pub(crate) fn retain(&mut self, mut fits: impl FnMut(&Grant) -> bool) {
        self.0.retain(|_, known| fits(&known.grant));
    }

    /// Whether a key has this very grant.
    pub(crate) fn have(&self, grant: &Arc<Grant>) -> bool {
        self.0.values().any(|known| Arc::ptr_eq(&known.grant, grant))
    }

    /// What each key is good for.
    pub(crate) fn grants(&self) -> impl ExactSizeIterator<Item = &Grant> {
        self.0.values().map(|known| &*known.grant)
    }
}

impl KnownKey {
    /// Verifies a signature that names this key, and tells what the key is good for. `time_for` tells the time by
    /// which it is good. A key of no project is locked by the server's time: callers choose the project, and with it
    /// a clock.
    pub(crate) fn verify(
        &self,
        signature: &Signature<'_>,
        parts: &Parts,
        body: &[u8],
        server_time: SystemTime,
        time_for: impl FnOnce(&Grant) -> SystemTime,
    ) -> Result<(Arc<Grant>, SystemTime), Box<Rejected>> {
        let now = time_for(&self.grant);
        let lock_time = if self.grant.project.is_some() { now } else { server_time };
        if self.rejections.lock().is_locked(lock_time) {
            return Err(Rejection::KeyLocked.into());
        }
        let line = RequestLine {
            method: &parts.method,
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            host: parts.uri.authority().map_or(b"", |host| host.as_str().as_bytes()),
        };
        let outcome = if self.grant.has_expired(now) {
            Err(Rejection::SecurityToken)
        } else {
            signature.verify_at(now, &self.key, line, &parts.headers, body)
        };
        self.rejections.lock().record(&outcome, lock_time)?;
        if outcome == Err(Rejection::Mismatch) {
            // A signing bug is a riddle unless both sides can compare what they signed.
            let explanation = signature.explain(line, &parts.headers, body);
            tracing::debug!(
                access_key_id = self.key.id(),
                canonical_request = ?explanation.canonical_request,
                string_to_sign = ?explanation.string_to_sign,
                "the signature does not match what the server signs"
            );
            let rejected: Box<Rejected> = Rejection::Mismatch.into();
            return Err(Box::new(Rejected { explanation: Some(explanation), ..*rejected }));
        }
        outcome?;
        Ok((self.grant.clone(), now))
    }
}
