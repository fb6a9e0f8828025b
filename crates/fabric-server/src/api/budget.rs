//! Budgets of bytes that all calls of a server share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// So many bytes, of which some are in use. Clones are the same budget.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    limit: usize,
    used: AtomicUsize,
    exceeded: AtomicU64,
}

/// Bytes of a budget in use, until this is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    bytes: usize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Self(Arc::new(Counts { limit, used: AtomicUsize::new(0), exceeded: AtomicU64::new(0) }))
    }

    /// Bytes that are given back with the share that has them.
    pub(crate) fn share(&self) -> Share {
        Share { budget: self.clone(), bytes: 0 }
    }

    /// Uses so many bytes more; whether the budget has them. They are in use either way.
    pub(crate) fn add(&self, bytes: usize) -> bool {
        let used = self.0.used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let has_them = used <= self.0.limit;
        if !has_them {
            self.0.exceeded.fetch_add(1, Ordering::Relaxed);
        }
        has_them
    }

    /// Gives bytes back.
    pub(crate) fn remove(&self, bytes: usize) {
        self.0.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// How many bytes are in use.
    pub(crate) fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// How often there were too few.
    pub(crate) fn exceeded(&self) -> u64 {
        self.0.exceeded.load(Ordering::Relaxed)
    }
}

impl Share {
    /// Uses so many bytes more; whether the budget has them.
    pub(crate) fn add(&mut self, bytes: usize) -> bool {
        self.bytes += bytes;
        self.budget.add(bytes)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.remove(self.bytes);
    }
}
