//! The journal: the calls that were made, within a budget of bytes.

pub(crate) mod entry;
pub(crate) mod mismatch;
pub(crate) mod packed;
pub(crate) mod secret;
pub(crate) mod verify;

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use fabric_model::ProjectId;
use foldhash::fast::RandomState;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::api::time;
use crate::mock::error::ControlError;
use crate::mock::journal::entry::{Entries, Entry, Event, Filter};
use crate::mock::journal::packed::{Call, Packed, Segment, written};
use crate::mock::journal::verify::{Expectation, Matching, Near, Verdict};
use crate::mock::names::operation;

/// What is known of the calls of a server.
#[derive(Debug)]
pub(crate) struct Journal {
    limit: usize,
    /// How many bytes the texts of a segment have before another one begins.
    segment: usize,
    /// How many calls there were.
    sequence: AtomicU64,
    /// How many bytes all of them take.
    bytes: AtomicUsize,
    /// The calls of projects. Each project has one of these, so that those of others seldom wait.
    rings: [Mutex<Ring>; RINGS],
    /// The calls of callers that are not known. They have no more than their part of the room.
    unattributed: Mutex<Queue>,
    hasher: RandomState,
    /// Held by whoever makes room.
    evicting: Mutex<()>,
    /// The last call, for streams.
    newest: watch::Sender<u64>,
}

const RINGS: usize = 16;

#[derive(Debug, Default)]
struct Ring {
    projects: HashMap<ProjectId, Queue, RandomState>,
    evicted: Evicted,
    /// Of projects of which nothing at all is known any more.
    strangers: Evicted,
}

/// Calls of a project, in their order.
#[derive(Debug, Default)]
struct Queue {
    /// Whoever looks at calls shares them. Nothing is added to what is shared: then another segment begins.
    segments: VecDeque<Arc<Segment>>,
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
    2 * (size_of::<(ProjectId, Queue)>() + id.as_str().len() + 4 * size_of::<Arc<Segment>>())
}

/// How many bytes the texts of a segment have, unless the journal is small.
const SEGMENT: usize = 32 * 1024;

/// What part of the journal calls of unknown callers may fill.
const UNATTRIBUTED: usize = 8;

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

impl Queue {
    /// Adds a call, and gives by how many bytes the queue has grown.
    fn add(&mut self, sequence: u64, call: &Call<'_>, size: usize) -> usize {
        let last = self.segments.back_mut();
        let is_full = last.as_ref().is_some_and(|last| last.is_full(size));
        let mut grown = 0;
        let open = last.and_then(Arc::get_mut).filter(|_| !is_full);
        if let Some(segment) = open {
            let before = segment.bytes();
            segment.add(sequence, call);
            grown += segment.bytes() - before;
        } else {
            // One that follows a full one is likely to become full itself.
            let mut segment = Segment::new(if is_full { size } else { 0 });
            segment.add(sequence, call);
            grown += segment.bytes();
            self.segments.push_back(Arc::new(segment));
        }
        self.bytes += grown;
        grown
    }

    /// Evicts the oldest calls until so many bytes are left, or until so many are gone. Gives how many are gone.
    fn evict(&mut self, left: usize, enough: usize, all: &mut Evicted) -> usize {
        let mut gone = 0;
        while self.bytes > left && gone < enough {
            let Some(segment) = self.segments.pop_front() else { break };
            let evicted = Evicted { count: segment.len() as u64, newest: segment.last() };
            self.bytes -= segment.bytes();
            gone += segment.bytes();
            self.evicted.add(evicted);
            all.add(evicted);
        }
        let room = 2 * self.segments.len();
        self.segments.shrink_to(room);
        gone
    }

    fn len(&self) -> usize {
        self.segments.iter().map(|segment| segment.len()).sum()
    }
}

impl Journal {
    /// A journal of at most so many bytes; with none it is off.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            segment: SEGMENT.min(limit / 64),
            sequence: AtomicU64::new(0),
            bytes: AtomicUsize::new(0),
            rings: Default::default(),
            unattributed: Mutex::default(),
            hasher: RandomState::default(),
            evicting: Mutex::new(()),
            newest: watch::Sender::new(0),
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.limit > 0
    }

    pub(crate) fn add(&self, call: &Call<'_>) {
        if !self.is_on() {
            return;
        }
        // A call gets its number where its queue is locked: so whoever reads what was the last number and then
        // looks at the queues finds every call up to it.
        let next = || self.sequence.fetch_add(1, Ordering::AcqRel) + 1;
        // What it takes is counted there too, so that nobody evicts what was not counted.
        let count = |grown: usize| {
            grown > 0 && self.bytes.fetch_add(grown, Ordering::AcqRel) + grown > self.limit
        };
        let (sequence, is_full) = match call.project {
            None => {
                let mut queue = self.unattributed.lock();
                let sequence = next();
                (sequence, count(queue.add(sequence, call, self.segment)))
            }
            Some(project) => {
                let mut ring = self.ring(project).lock();
                let sequence = next();
                if let Some(known) = ring.projects.get_mut(project) {
                    (sequence, count(known.add(sequence, call, self.segment)))
                } else {
                    let queue = ring.projects.entry(project.clone()).or_default();
                    let grown = queue.add(sequence, call, self.segment);
                    (sequence, count(grown + overhead(project)))
                }
            }
        };
        if is_full {
            self.evict();
        }
        // Telling costs something even if nobody listens. Who begins to listen now finds the call itself.
        if self.newest.receiver_count() > 0 {
            self.newest.send_if_modified(|newest| {
                let is_newer = sequence > *newest;
                *newest = sequence.max(*newest);
                is_newer
            });
        }
    }

    fn ring(&self, project: &ProjectId) -> &Mutex<Ring> {
        let hash = self.hasher.hash_one(project.as_str());
        // The map of a ring goes by other bits.
        &self.rings[(hash >> 48) as usize % RINGS]
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
            request_id: entry.request_id.as_bytes(),
            took: Duration::from_micros(entry.microseconds),
            fault: entry.fault,
            reason: entry.reason.as_deref(),
            signature: entry.signature.as_ref(),
        });
    }

    /// The calls that fit, newest first.
    pub(crate) fn entries(&self, filter: &Filter) -> Entries {
        let (taken, evicted) = self.take(filter);
        let found = newest(&taken, filter).into_iter();
        let entries = found.map(|(id, packed)| packed.entry(id)).collect();
        Entries { entries, evicted: evicted.count }
    }

    /// Writes the same in JSON, one call at a time: many with large bodies take a GiB together.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub(crate) fn write_entries(
        &self,
        filter: &Filter,
        mut writer: impl io::Write,
    ) -> io::Result<()> {
        let (taken, evicted) = self.take(filter);
        writer.write_all(br#"{"entries":["#)?;
        for (place, (id, packed)) in newest(&taken, filter).into_iter().enumerate() {
            if place > 0 {
                writer.write_all(b",")?;
            }
            serde_json::to_writer(&mut writer, &packed.entry(id))?;
        }
        write!(writer, r#"],"evicted":{}}}"#, evicted.count)?;
        writer.flush()
    }

    /// What comes next of a stream, the oldest first; moves `after` on.
    pub(crate) fn next(&self, filter: &mut Filter) -> Vec<Event> {
        const CALLS_MAX: usize = 20;
        let after = filter.after.unwrap_or_default();
        let last = self.last();
        filter.before = Some(last.saturating_add(1));
        let (taken, evicted) = self.take(filter);
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
        self.ring(project).lock().projects.contains_key(project)
    }

    /// The number of the last call.
    pub(crate) fn last(&self) -> u64 {
        self.sequence.load(Ordering::Acquire)
    }

    /// Tells of each new call.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// Clears the calls of a project, or all.
    pub(crate) fn clear(&self, project: Option<&ProjectId>) {
        if let Some(project) = project {
            if let Some(gone) = self.ring(project).lock().projects.remove(project) {
                self.bytes.fetch_sub(gone.bytes + overhead(project), Ordering::AcqRel);
            }
            return;
        }
        for ring in &self.rings {
            let gone = std::mem::take(&mut *ring.lock());
            let bytes = gone.projects.iter().map(|(id, queue)| queue.bytes + overhead(id));
            self.bytes.fetch_sub(bytes.sum(), Ordering::AcqRel);
        }
        let gone = std::mem::take(&mut *self.unattributed.lock());
        self.bytes.fetch_sub(gone.bytes, Ordering::AcqRel);
    }

    pub(crate) fn status(&self) -> JournalStatus {
        let mut entries = self.unattributed.lock().len();
        for ring in &self.rings {
            entries += ring.lock().projects.values().map(Queue::len).sum::<usize>();
        }
        JournalStatus {
            is_on: self.is_on(),
            entries,
            bytes: self.bytes.load(Ordering::Acquire),
            limit: self.limit,
            evicted: self.evicted(None).count,
        }
    }

    /// The calls among which a filter looks, and what was evicted of them: to be looked at beyond the locks, since
    /// copies share the calls.
    fn take(&self, filter: &Filter) -> (Vec<Taken>, Evicted) {
        let of_project = filter.project_id.as_ref();
        let mut taken = Vec::new();
        let mut add = |project: Option<&ProjectId>, queue: &Queue| {
            // Each queue is in order.
            let after = filter.after.unwrap_or_default();
            let start = queue.segments.partition_point(|segment| segment.last() <= after);
            let segments = queue.segments.range(start..).cloned().collect();
            taken.push(Taken { project: project.cloned(), segments });
        };
        if of_project.is_none() || filter.unattributed.unwrap_or_default() {
            add(None, &self.unattributed.lock());
        }
        match of_project {
            Some(project) => {
                if let Some(queue) = self.ring(project).lock().projects.get(project) {
                    add(Some(project), queue);
                }
            }
            None => {
                for ring in &self.rings {
                    ring.lock().projects.iter().for_each(|(id, queue)| add(Some(id), queue));
                }
            }
        }
        (taken, self.evicted(of_project))
    }

    fn evicted(&self, project: Option<&ProjectId>) -> Evicted {
        if let Some(id) = project {
            let ring = self.ring(id).lock();
            return ring.projects.get(id).map_or(ring.strangers, |queue| queue.evicted);
        }
        let mut all = self.unattributed.lock().evicted;
        self.rings.iter().for_each(|ring| all.add(ring.lock().evicted));
        all
    }

    /// Makes room, a little at a time: the oldest calls go of those projects that have most, so that a busy one
    /// leaves the others theirs.
    fn evict(&self) {
        // Whoever finds somebody at it leaves the rest to them.
        let Some(_evicting) = self.evicting.try_lock() else { return };
        let enough = self.limit - self.limit / 64;
        let excess = || self.bytes.load(Ordering::Acquire).saturating_sub(enough);
        let gone = |bytes: usize| _ = self.bytes.fetch_sub(bytes, Ordering::AcqRel);
        // Calls of unknown callers never take the room of others.
        gone(self.unattributed.lock().evict(
            self.limit / UNATTRIBUTED,
            excess(),
            &mut Evicted::default(),
        ));
        while excess() > 0 {
            let mut by_size = Vec::new();
            for (place, ring) in self.rings.iter().enumerate() {
                let ring = ring.lock();
                let queues = ring.projects.iter().filter(|(_, queue)| queue.bytes > 0);
                by_size.extend(queues.map(|(id, queue)| (queue.bytes, place, id.clone())));
            }
            by_size.sort_unstable_by_key(|(bytes, ..)| Reverse(*bytes));
            if by_size.is_empty() {
                self.forget_strangers();
                gone(self.unattributed.lock().evict(0, excess(), &mut Evicted::default()));
                return;
            }
            if by_size.len() > PROJECTS_MAX {
                self.forget_strangers();
            }
            for (bytes, place, id) in by_size {
                if excess() == 0 {
                    break;
                }
                let Ring { projects, evicted, .. } = &mut *self.rings[place].lock();
                if let Some(queue) = projects.get_mut(&id) {
                    gone(queue.evict(bytes / 2, excess(), evicted));
                }
            }
        }
    }

    /// Forgets the projects of which no call is left.
    fn forget_strangers(&self) {
        for ring in &self.rings {
            let Ring { projects, strangers, .. } = &mut *ring.lock();
            projects.retain(|id, queue| {
                let stays = !queue.segments.is_empty();
                if !stays {
                    self.bytes.fetch_sub(overhead(id), Ordering::AcqRel);
                    strangers.add(queue.evicted);
                }
                stays
            });
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
        let of = Filter { project_id: calls.project_id.clone(), ..Filter::default() };
        let (taken, evicted) = self.take(&of);
        let mut found = 0;
        let mut near = Vec::new();
        for Taken { project, segments } in &taken {
            for packed in segments.iter().flat_map(|segment| segment.calls()) {
                let differs_in = calls.differences(project.as_ref(), packed);
                if differs_in.is_empty() {
                    found += 1;
                } else {
                    near.push((differs_in, project.as_ref(), packed));
                }
            }
        }
        let (is_met, message) = expectation.count.judge(found, evicted.count, !near.is_empty());
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

/// Calls of a project, or of nobody.
struct Taken {
    project: Option<ProjectId>,
    segments: Vec<Arc<Segment>>,
}

/// The calls that fit, newest first, as many as were asked for.
fn newest<'a>(taken: &'a [Taken], filter: &Filter) -> Vec<(Option<&'a ProjectId>, Packed<'a>)> {
    let mut found = found(taken, filter);
    found.sort_unstable_by_key(|(_, packed)| Reverse(packed.sequence));
    found.truncate(filter.limit.unwrap_or(100).clamp(1, 1_000));
    found
}

/// The calls that fit.
fn found<'a>(taken: &'a [Taken], filter: &Filter) -> Vec<(Option<&'a ProjectId>, Packed<'a>)> {
    let matching = Matching::from(filter);
    let (after, before) = (filter.after.unwrap_or_default(), filter.before.unwrap_or(u64::MAX));
    let fits = |packed: &Packed<'_>| {
        (after < packed.sequence && packed.sequence < before)
            && matching.differences_but_of_body(*packed).is_empty()
    };
    let found = taken.iter().flat_map(|Taken { project, segments }| {
        let calls = segments.iter().flat_map(|segment| segment.calls());
        calls.filter(fits).map(move |packed| (project.as_ref(), packed))
    });
    found.collect()
}
