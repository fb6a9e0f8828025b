//! The journal: the calls that were made, within a budget of bytes.

pub(crate) mod entry;
pub(crate) mod mismatch;
pub(crate) mod packed;
pub(crate) mod secret;
pub(crate) mod verify;

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fabric_model::ProjectId;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::api::time;
use crate::mock::error::ControlError;
use crate::mock::journal::entry::{Entries, Entry, Event, Filter};
use crate::mock::journal::packed::{Call, Packed, written};
use crate::mock::journal::verify::{Expectation, Matching, Near, Verdict};
use crate::mock::names::operation;

/// What is known of the calls of a server.
#[derive(Debug)]
pub(crate) struct Journal {
    limit: usize,
    ring: Mutex<Ring>,
    /// The last call, for streams.
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    projects: HashMap<ProjectId, Queue>,
    /// The calls of callers that are not known.
    unattributed: Queue,
    bytes: usize,
    last: u64,
    evicted: Evicted,
    /// Of projects of which nothing at all is known any more.
    strangers: Evicted,
}

#[derive(Debug, Default)]
struct Queue {
    calls: VecDeque<Arc<Packed>>,
    bytes: usize,
    evicted: Evicted,
}

/// Calls that were evicted.
#[derive(Clone, Copy, Debug, Default)]
struct Evicted {
    count: u64,
    /// The last of them.
    newest: u64,
}

impl Evicted {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.newest = self.newest.max(other.newest);
    }
}

/// What a project takes besides its calls: its id, its places, and the first room of its queue.
fn overhead(id: &ProjectId) -> usize {
    2 * (size_of::<(ProjectId, Queue)>() + id.as_str().len() + 4 * size_of::<Arc<Packed>>())
}

/// From so many projects on, those without calls are no more told apart.
const PROJECTS_MAX: usize = 10_000;

/// The size of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JournalStatus {
    /// Whether the journal is on.
    pub is_on: bool,
    /// How many calls it holds.
    pub entries: usize,
    /// How much memory they take, in bytes.
    pub bytes: usize,
    /// How much memory they may take, in bytes.
    pub limit: usize,
    /// How many calls were evicted.
    pub evicted: u64,
}

impl Journal {
    /// A journal of at most so many bytes; with none it is off.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, ring: Mutex::default(), newest: watch::Sender::new(0) }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.limit > 0
    }

    pub(crate) fn add(&self, call: &Call<'_>) {
        if !self.is_on() {
            return;
        }
        let mut packed = Packed::new(call);
        let bytes = packed.bytes();
        let sequence = {
            let ring = &mut *self.ring.lock();
            ring.last += 1;
            packed.sequence = ring.last;
            ring.bytes += bytes;
            let queue = match call.project {
                None => &mut ring.unattributed,
                Some(project) => {
                    if let Some(known) = ring.projects.get_mut(project) {
                        known
                    } else {
                        ring.bytes += overhead(project);
                        ring.projects.entry(project.clone()).or_default()
                    }
                }
            };
            queue.bytes += bytes;
            queue.calls.push_back(Arc::new(packed));
            if ring.bytes > self.limit {
                ring.evict(self.limit);
            }
            ring.last
        };
        // Telling costs something even if nobody listens. Who begins to listen now finds the call itself.
        if self.newest.receiver_count() > 0 {
            self.newest.send_replace(sequence);
        }
    }

    /// Adds a call from another journal, as far as it can be one.
    pub(crate) fn add_entry(&self, entry: &Entry) {
        let project = entry.project_id.as_deref().map(ProjectId::try_from).transpose();
        let Ok(project) = project else { return };
        let mut headers = HeaderMap::new();
        for (name, value) in &entry.headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str()))
            {
                headers.insert(name, value);
            }
        }
        self.add(&Call {
            at: time::read(&entry.time).unwrap_or(SystemTime::UNIX_EPOCH),
            project: project.as_ref(),
            operation: entry.operation.as_deref().and_then(operation),
            method: &Method::try_from(entry.method.as_str()).unwrap_or_default(),
            target: &entry.target,
            headers: &headers,
            body: &written(&entry.body),
            status: entry.status.and_then(|status| StatusCode::from_u16(status).ok()),
            error_code: entry.error_code.as_deref(),
            answer: &written(&entry.answer),
            request_id: &entry.request_id,
            took: Duration::from_micros(entry.microseconds),
            fault: entry.fault,
            reason: entry.reason.as_deref(),
            signature: entry.signature.as_ref(),
        });
    }

    /// The calls that fit, newest first.
    pub(crate) fn entries(&self, filter: &Filter) -> Entries {
        let limit = filter.limit.unwrap_or(100).clamp(1, 1_000);
        let (taken, evicted) = {
            let ring = self.ring.lock();
            (ring.taken(filter), ring.evicted(filter.project_id.as_ref()).count)
        };
        let mut found = found(&taken, filter);
        found.sort_unstable_by_key(|(_, packed)| Reverse(packed.sequence));
        found.truncate(limit);
        Entries {
            entries: found.into_iter().map(|(id, packed)| packed.entry(id)).collect(),
            evicted,
        }
    }

    /// What comes next of a stream, the oldest first; moves `after` on.
    pub(crate) fn next(&self, filter: &mut Filter) -> Vec<Event> {
        const CALLS_MAX: usize = 20;
        let after = filter.after.unwrap_or_default();
        filter.before = None;
        let (taken, evicted, last) = {
            let ring = self.ring.lock();
            (ring.taken(filter), ring.evicted(filter.project_id.as_ref()), ring.last)
        };
        let mut found = found(&taken, filter);
        found.sort_unstable_by_key(|(_, packed)| packed.sequence);
        found.truncate(CALLS_MAX);
        filter.after = Some(match found.last() {
            Some((_, packed)) if found.len() == CALLS_MAX => packed.sequence,
            _ => last,
        });
        // Calls that were sent before they were evicted are not lost.
        let missed = (evicted.newest > after).then(|| evicted.count.min(evicted.newest - after));
        let calls = found.into_iter().map(|(id, packed)| Event::Call(Box::new(packed.entry(id))));
        missed.map(Event::Evicted).into_iter().chain(calls).collect()
    }

    /// Whether anything is known of calls of a project.
    pub(crate) fn has_calls_of(&self, project: &ProjectId) -> bool {
        self.ring.lock().projects.contains_key(project)
    }

    /// The number of the last call.
    pub(crate) fn last(&self) -> u64 {
        self.ring.lock().last
    }

    /// Tells of each new call.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// Clears the calls of a project, or all.
    pub(crate) fn clear(&self, project: Option<&ProjectId>) {
        let mut ring = self.ring.lock();
        match project {
            Some(project) => {
                if let Some(gone) = ring.projects.remove(project) {
                    ring.bytes -= gone.bytes + overhead(project);
                }
            }
            None => *ring = Ring { last: ring.last, ..Ring::default() },
        }
    }

    pub(crate) fn status(&self) -> JournalStatus {
        let ring = self.ring.lock();
        JournalStatus {
            is_on: self.is_on(),
            entries: ring.queues(None, true).map(|(_, calls)| calls.len()).sum(),
            bytes: ring.bytes,
            limit: self.limit,
            evicted: ring.evicted.count,
        }
    }

    /// Whether the calls that a test expects were made.
    pub(crate) fn verify(&self, expectation: &Expectation) -> Result<Verdict, ControlError> {
        if !self.is_on() {
            let reason = "the journal is off, so there is nothing to verify: start without `--journal-limit 0`";
            return Err(ControlError::conflict(reason.to_owned()));
        }
        expectation.count.check()?;
        let calls = &expectation.calls;
        calls.check()?;
        let (taken, evicted) = {
            let ring = self.ring.lock();
            let of = Filter { project_id: calls.project_id.clone(), ..Filter::default() };
            (ring.taken(&of), ring.evicted(calls.project_id.as_ref()).count)
        };
        let mut found = 0;
        let mut near = Vec::new();
        for Taken { project, calls: taken } in &taken {
            for packed in taken {
                let differs_in = calls.differences(project.as_ref(), packed);
                if differs_in.is_empty() {
                    found += 1;
                } else {
                    near.push((differs_in, project.as_ref(), packed));
                }
            }
        }
        let (is_met, message) = expectation.count.judge(found, evicted, !near.is_empty());
        let mut instead = Vec::new();
        if !is_met {
            near.sort_by_key(|(differs_in, _, packed)| {
                (differs_in.len(), Reverse(packed.sequence))
            });
            instead.extend(near.into_iter().take(INSTEAD_MAX).map(
                |(differs_in, project, packed)| Near { differs_in, call: packed.entry(project) },
            ));
        }
        Ok(Verdict { is_met, message, found, instead })
    }
}

/// How many calls a verdict tells of.
const INSTEAD_MAX: usize = 5;

impl Ring {
    /// The queue of a project, or all of them.
    fn queues(
        &self,
        project: Option<&ProjectId>,
        unattributed: bool,
    ) -> impl Iterator<Item = (Option<&ProjectId>, &VecDeque<Arc<Packed>>)> {
        let one = project.and_then(|project| self.projects.get_key_value(project));
        let all = project.is_none().then(|| self.projects.iter()).into_iter().flatten();
        let of_nobody = (project.is_none() || unattributed).then_some((None, &self.unattributed));
        let of_projects = one.into_iter().chain(all).map(|(id, queue)| (Some(id), queue));
        of_projects.chain(of_nobody).map(|(id, queue)| (id, &queue.calls))
    }

    /// The calls among which a filter looks, to be looked at beyond the lock: copies share them.
    fn taken(&self, filter: &Filter) -> Vec<Taken> {
        let unattributed = filter.unattributed.unwrap_or_default();
        let queues = self.queues(filter.project_id.as_ref(), unattributed);
        let taken = queues.map(|(project, calls)| {
            // Each queue is in order.
            let place = |sequence: u64| calls.partition_point(|packed| packed.sequence < sequence);
            let start = filter.after.map_or(0, |after| place(after.saturating_add(1)));
            let end = filter.before.map_or(calls.len(), place).max(start);
            let calls = calls.range(start..end).cloned().collect();
            Taken { project: project.cloned(), calls }
        });
        taken.collect()
    }

    fn evicted(&self, project: Option<&ProjectId>) -> Evicted {
        match project {
            None => self.evicted,
            Some(id) => self.projects.get(id).map_or(self.strangers, |queue| queue.evicted),
        }
    }

    /// Evicts the oldest calls of those projects that have most, so that a busy one leaves the others
    /// theirs; more than needs be, so that not every call has to look for room.
    fn evict(&mut self, limit: usize) {
        let enough = limit - limit / 8;
        let Self { projects, unattributed, bytes, evicted, strangers, .. } = self;
        let has_too_many = projects.len() > PROJECTS_MAX;
        while *bytes > enough {
            let mut by_size: Vec<_> = projects.values_mut().chain([&mut *unattributed]).collect();
            by_size.sort_unstable_by_key(|queue| Reverse(queue.bytes));
            let before = *bytes;
            for queue in by_size {
                let half = queue.bytes / 2;
                while *bytes > enough && queue.bytes > half {
                    let Some(packed) = queue.calls.pop_front() else { break };
                    let gone = Evicted { count: 1, newest: packed.sequence };
                    queue.bytes -= packed.bytes();
                    *bytes -= packed.bytes();
                    queue.evicted.add(gone);
                    evicted.add(gone);
                }
                let room = 2 * queue.calls.len();
                queue.calls.shrink_to(room);
            }
            if *bytes == before {
                break;
            }
        }
        if has_too_many || *bytes > enough {
            projects.retain(|id, queue| {
                let stays = !queue.calls.is_empty();
                if !stays {
                    *bytes -= overhead(id);
                    strangers.add(queue.evicted);
                }
                stays
            });
        }
    }
}

/// Calls of a project, or of nobody.
struct Taken {
    project: Option<ProjectId>,
    calls: Vec<Arc<Packed>>,
}

/// The calls that fit.
fn found<'a>(taken: &'a [Taken], filter: &Filter) -> Vec<(Option<&'a ProjectId>, &'a Arc<Packed>)> {
    let matching = Matching::from(filter);
    let fits = |packed: &&Arc<Packed>| matching.differences_but_of_body(packed).is_empty();
    let found = taken.iter().flat_map(|Taken { project, calls }| {
        calls.iter().filter(fits).map(move |packed| (project.as_ref(), packed))
    });
    found.collect()
}
