//! Faults: which calls go wrong, how, and whether the service does what they ask for.

pub(crate) mod delivery;
pub(crate) mod effect;
pub(crate) mod firing;
pub(crate) mod rule;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use fabric_model::{OperationInfo, ProjectId};
use parking_lot::Mutex;

use crate::mock::error::ControlError;
use crate::mock::fault::firing::Firing;
use crate::mock::fault::rule::{Fault, FaultStatus};
use crate::mock::random::Draws;

/// A call as faults see it.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) operation: &'static OperationInfo,
    pub(crate) project: &'a ProjectId,
    /// The path as it was sent.
    pub(crate) path: &'a str,
    pub(crate) now: SystemTime,
}

impl Call<'_> {
    /// Whether the path has a parameter with a value, as the route decodes it.
    fn has(&self, name: &str, value: &str) -> bool {
        let mut parameters = self.operation.path_parameters(self.path);
        parameters.any(|(given, text)| given == name && text == value)
    }
}

/// A fault in force, and where its draws have got to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ActiveFault {
    pub(crate) status: FaultStatus,
    /// Its place among the faults of its project, which its draws follow from.
    pub(crate) place: u64,
    pub(crate) draws: Draws,
}

impl ActiveFault {
    /// A fault for which so many numbers were drawn.
    pub(crate) fn new(status: FaultStatus, place: u64, count: u64, seed: u64) -> Self {
        let project = status.fault.when.project_id.as_ref().map_or("", ProjectId::as_str);
        let draws = Draws::new(seed, &["fault", project, &place.to_string()]).after(count);
        Self { status, place, draws }
    }

    /// Whether the fault would change the call. Counts the calls that it is about, whichever fault changes
    /// them in the end.
    fn wants(&mut self, call: &Call<'_>) -> bool {
        let FaultStatus { fault, matched, fired, .. } = &mut self.status;
        let when = &fault.when;
        // A fault of no operation is one of the service: whoever is to meet it must be able to sign in.
        let is_its_operation = match when.operation.as_deref() {
            Some(id) => id == call.operation.id,
            None => !call.operation.is_sign_in,
        };
        let is_meant = is_its_operation
            && when.parameters.iter().all(|(name, value)| call.has(name, value))
            && when.from.is_none_or(|from| from <= call.now)
            && when.until.is_none_or(|until| call.now < until);
        if !is_meant {
            return false;
        }
        *matched = matched.saturating_add(1);
        let draws = &mut self.draws;
        when.probability.is_none_or(|probability| draws.f64() < probability)
            && when.call.is_none_or(|call| call == *matched)
            && when.times.is_none_or(|times| *fired < times)
    }

    fn fire(&mut self) -> Firing {
        self.status.fired = self.status.fired.saturating_add(1);
        Firing::new(Some(self.status.id), &self.status.fault, &mut self.draws)
    }
}

/// The faults in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    active: Mutex<FaultSet>,
    /// How many there are: mostly none, and then nothing is locked.
    count: AtomicUsize,
}

/// The faults of every project, and under no project those for all.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FaultSet {
    pub(crate) of: BTreeMap<Option<ProjectId>, Vec<ActiveFault>>,
    pub(crate) last_id: u64,
}

/// The most faults at a time: each call of a project looks at all of its own.
pub(crate) const FAULTS_MAX: usize = 10_000;

impl Faults {
    /// What is to happen to a call, if anything.
    pub(crate) fn draw(&self, call: &Call<'_>) -> Option<Firing> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut active = self.active.lock();
        let mut firing = None;
        for scope in [Some(call.project.clone()), None] {
            for fault in active.of.get_mut(&scope).into_iter().flatten() {
                if fault.wants(call) && firing.is_none() {
                    firing = Some(fault.fire());
                }
            }
        }
        firing
    }

    pub(crate) fn add(&self, fault: Fault, seed: u64) -> Result<FaultStatus, ControlError> {
        let fault = fault.checked()?;
        self.change(|active| {
            if active.of.values().map(Vec::len).sum::<usize>() >= FAULTS_MAX {
                let reason = format!("there are {FAULTS_MAX} faults already; remove some");
                return Err(ControlError::conflict(reason));
            }
            let Some(id) = active.last_id.checked_add(1) else {
                return Err(ControlError::conflict("there are no more numbers".to_owned()));
            };
            active.last_id = id;
            let project = fault.when.project_id.clone();
            let of_project = active.of.entry(project.clone()).or_default();
            // By its place among those of its project, so that other projects don't change its draws.
            let place = of_project.last().map_or(0, |last| last.place.saturating_add(1));
            let status = FaultStatus { id, fault, matched: 0, fired: 0 };
            of_project.push(ActiveFault::new(status.clone(), place, 0, seed));
            Ok(status)
        })
    }

    /// The faults of a project, or all.
    pub(crate) fn list(&self, project: Option<&ProjectId>) -> Vec<FaultStatus> {
        let active = self.active.lock();
        let of = active.of.iter().filter(|(of, _)| project.is_none() || of.as_ref() == project);
        let mut all: Vec<_> =
            of.flat_map(|(_, faults)| faults).map(|fault| fault.status.clone()).collect();
        all.sort_by_key(|status| status.id);
        all
    }

    pub(crate) fn count(&self, project: &ProjectId) -> usize {
        self.active.lock().of.get(&Some(project.clone())).map_or(0, Vec::len)
    }

    pub(crate) fn remove(&self, id: u64) -> bool {
        self.change(|active| {
            let before: usize = active.of.values().map(Vec::len).sum();
            for of_project in active.of.values_mut() {
                of_project.retain(|fault| fault.status.id != id);
            }
            before != active.of.values().map(Vec::len).sum::<usize>()
        })
    }

    /// Removes those of a project, or all.
    pub(crate) fn clear(&self, project: Option<&ProjectId>) {
        self.change(|active| match project {
            Some(project) => _ = active.of.remove(&Some(project.clone())),
            None => active.of.clear(),
        });
    }

    pub(crate) fn active(&self) -> FaultSet {
        self.active.lock().clone()
    }

    pub(crate) fn restore(&self, restored: FaultSet) {
        self.change(|active| *active = restored);
    }

    pub(crate) fn replace_of(&self, project: &ProjectId, of_project: Option<&Vec<ActiveFault>>) {
        let of_project = of_project.cloned().unwrap_or_default();
        self.change(|active| _ = active.of.insert(Some(project.clone()), of_project));
    }

    fn change<T>(&self, act: impl FnOnce(&mut FaultSet) -> T) -> T {
        let mut active = self.active.lock();
        let outcome = act(&mut active);
        active.of.retain(|_, of_project| !of_project.is_empty());
        self.count.store(active.of.values().map(Vec::len).sum(), Ordering::Release);
        outcome
    }
}
