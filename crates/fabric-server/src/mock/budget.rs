//! Allowances: what there is only so much of at once, beyond what one request may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::mock::coverage::Gauge;

/// How much a mock server does, and holds, at once besides the calls of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// The bytes of all bodies to the control surface together, but for snapshots. What does not fit is rejected
    /// with 503.
    pub control_bodies: usize,
    /// The most look-ups in the journal at once, until their answers are sent. More wait, and are rejected with 503
    /// after ten seconds.
    pub lookups: usize,
    /// The most streams of events at once. More are rejected with 503.
    pub event_streams: usize,
    /// The most passwords that are verified at once, or wait for it. More are rejected with 503.
    pub sign_ins: usize,
}

impl Default for Budgets {
    /// 64 MiB of bodies, 8 look-ups, 100 streams and 64 passwords.
    fn default() -> Self {
        Self { control_bodies: 64 * 1024 * 1024, lookups: 8, event_streams: 100, sign_ins: 64 }
    }
}

/// The budgets of a running server.
#[derive(Debug)]
pub(crate) struct Spending {
    pub(crate) control_bodies: Allowance,
    pub(crate) lookups: Allowance,
    pub(crate) event_streams: Allowance,
    pub(crate) sign_ins: Allowance,
}

impl Spending {
    pub(crate) fn new(budgets: Budgets) -> Self {
        Self {
            control_bodies: Allowance::new(budgets.control_bodies),
            lookups: Allowance::new(budgets.lookups),
            event_streams: Allowance::new(budgets.event_streams),
            sign_ins: Allowance::new(budgets.sign_ins),
        }
    }

    /// What is taken of each, what there is, and how often there was too little.
    pub(crate) fn gauges(&self) -> [Gauge<'static>; 3] {
        let each = |of: fn(&Allowance) -> u64| {
            [
                ("control_bodies", &self.control_bodies),
                ("lookups", &self.lookups),
                ("event_streams", &self.event_streams),
                ("sign_ins", &self.sign_ins),
            ]
            .map(|(name, budget)| (format!("{{budget=\"{name}\"}}"), of(budget)))
            .to_vec()
        };
        let gauge = |name, help, of| Gauge { name, help, values: each(of) };
        [
            gauge("fabric_mock_budget_taken", "What is taken of a budget.", Allowance::taken),
            gauge("fabric_mock_budget_limit", "How large a budget is.", |budget| {
                budget.limit as u64
            }),
            gauge("fabric_mock_budget_rejected", "How often a budget was spent.", |budget| {
                budget.rejected.load(Ordering::Relaxed)
            }),
        ]
    }
}

/// Something of which there is only so much at once. Clones are the same budget.
#[derive(Clone, Debug)]
pub(crate) struct Allowance {
    left: Arc<Semaphore>,
    limit: usize,
    rejected: Arc<AtomicU64>,
}

impl Allowance {
    pub(crate) fn new(limit: usize) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Self { left: Arc::new(Semaphore::new(limit)), limit, rejected: Arc::default() }
    }

    /// Takes so much, until what it returns is dropped; `None` if there is too little.
    pub(crate) fn take(&self, amount: usize) -> Option<OwnedSemaphorePermit> {
        let amount = u32::try_from(amount).unwrap_or(u32::MAX);
        self.counted(self.left.clone().try_acquire_many_owned(amount).ok())
    }

    /// Takes one, and waits for it for a time.
    pub(crate) async fn wait_for_one(&self, at_most: Duration) -> Option<OwnedSemaphorePermit> {
        let taken = tokio::time::timeout(at_most, self.left.clone().acquire_owned()).await;
        self.counted(taken.ok().and_then(Result::ok))
    }

    fn counted(&self, taken: Option<OwnedSemaphorePermit>) -> Option<OwnedSemaphorePermit> {
        if taken.is_none() {
            self.rejected.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    fn taken(&self) -> u64 {
        (self.limit - self.left.available_permits()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_budget_is_taken_to_its_limit_given_back_and_counted() {
        let budget = Allowance::new(10);
        let (seven, three) = (budget.take(7), budget.take(3));
        assert!(seven.is_some() && three.is_some() && budget.take(1).is_none());
        assert_eq!((budget.taken(), budget.rejected.load(Ordering::Relaxed)), (10, 1));
        assert!(budget.wait_for_one(Duration::from_millis(1)).await.is_none());
        drop(seven);
        assert!(budget.wait_for_one(Duration::ZERO).await.is_some());
        assert_eq!((budget.taken(), budget.rejected.load(Ordering::Relaxed)), (3, 2));
    }
}
