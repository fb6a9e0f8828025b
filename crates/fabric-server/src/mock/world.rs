//! The world of a mock server: its projects with their records, faults, clocks and journals.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fabric_model::access_client::{AccessClient, AccessClientPage, AccessClientStatus};
use fabric_model::{AccessClientId, ProjectId};
use futures_util::future::{Either, select};
use futures_util::stream::{self, Stream};
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::auth::{DEFAULT_PROJECT, default_project};
use crate::clock::Readings;
use crate::mock::coverage::{Counts, Coverage};
use crate::mock::fault::{Fault, FaultStatus, Faults, Rules};
use crate::mock::journal::{
    Entries, Entry, Event, Expectation, Filter as JournalFilter, Journal, JournalStatus, Verdict,
};
use crate::mock::snapshot::Snapshot;
use crate::mock::throttle::Throttle;
use crate::mock::{ControlError, random_stream};
use crate::store::{Filter, Record, Records};
use crate::{Caller, Callers, Clock, Profile, Seed, Settings, time};

/// All that a mock server knows, and what a test may do with it: the same as under `/_mock/v1` over HTTP.
/// Clones are the same world.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use fabric_client::Client;
/// use fabric_server::fault::{Effect, Fault};
/// use fabric_server::MockServer;
///
/// let server = MockServer::start().await;
/// let world = server.world();
/// let project = world.create_project(None, None)?;
/// let client = Client::builder(server.endpoint()).auth_token(project.token).build()?;
///
/// world.add_fault(Fault { then: Some(Effect::answer(403)), ..Fault::default() })?;
/// let refused = client.access_clients().create(Default::default()).await.unwrap_err();
/// assert_eq!(refused.status().unwrap(), 403);
///
/// world.reset(None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct World(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    profile: Profile,
    creating_time: Duration,
    deleting_time: Duration,
    quota: Option<usize>,
    clock: Clock,
    callers: Callers,
    /// Held, to be written, by whatever changes more than one of these at once: nobody then is in between.
    live: RwLock<Live>,
    faults: Faults,
    throttle: Option<Throttle>,
    journal: Journal,
    counts: Counts,
    /// What a reset goes back to, and the same before the access clients of the settings.
    start: Mutex<(State, State)>,
    /// Set when the server stops: what waits then ends.
    stopping: watch::Sender<bool>,
}

#[derive(Debug)]
struct Live {
    rng_seed: u64,
    /// How many projects were given an id.
    projects_made: u64,
    projects: HashMap<ProjectId, Mutex<Project>>,
}

/// All state of a world at a moment. A copy costs as much as there are projects, whatever is in them.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) rng_seed: u64,
    pub(crate) projects_made: u64,
    pub(crate) projects: HashMap<ProjectId, Project>,
    pub(crate) rules: Rules,
    pub(crate) clocks: Readings,
    /// Who has a token, by its SHA-256.
    pub(crate) tokens: HashMap<[u8; 32], ProjectId>,
}

/// What belongs to a project.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) records: Records,
    pub(crate) random: fastrand::Rng,
    /// For calls that bring a fault of their own.
    pub(crate) header_random: fastrand::Rng,
}

impl Project {
    pub(crate) fn new(rng_seed: u64, id: &ProjectId) -> Self {
        Self {
            records: Records::default(),
            random: random_stream(rng_seed, &["project", id.as_str()]),
            header_random: random_stream(rng_seed, &["header", id.as_str()]),
        }
    }

    pub(crate) fn make_id(&mut self) -> String {
        let bytes = self.random.u128(..).to_ne_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// An id that no record has.
    pub(crate) fn new_client_id(&mut self, now: SystemTime) -> AccessClientId {
        loop {
            let id = AccessClientId::try_from(self.make_id()).expect("a UUID is an id");
            if self.records.get(&id, now).is_none() {
                return id;
            }
        }
    }

    pub(crate) fn make_name(&mut self) -> String {
        format!("client-{:08x}", self.random.u32(..))
    }

    /// An address of the range that is set aside for documentation.
    pub(crate) fn make_address(&mut self) -> String {
        format!("192.0.2.{}", self.random.u8(1..=254))
    }
}

/// A project that was made, and how to call in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProjectAccess {
    /// The project.
    #[schema(value_type = String)]
    pub project_id: ProjectId,
    /// A token for `X-Auth-Token`, good for this project only, whoever else may call.
    pub token: String,
}

/// The token is left out.
impl fmt::Debug for ProjectAccess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { project_id, token: _ } = self;
        formatter
            .debug_struct("ProjectAccess")
            .field("project_id", project_id)
            .finish_non_exhaustive()
    }
}

/// A project, at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProjectSummary {
    /// The project.
    #[schema(value_type = String)]
    pub project_id: ProjectId,
    /// How many access clients it has.
    pub access_clients: usize,
    /// How many faults are for it alone.
    pub faults: usize,
}

/// A mock server, at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorldStatus {
    /// The version of the program.
    pub version: String,
    /// What ids, made-up names, addresses and draws follow from: give it again to have them again.
    pub rng_seed: u64,
    /// The clock of the server.
    pub clock: ClockStatus,
    /// The journal.
    pub journal: JournalStatus,
}

/// What a clock shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClockStatus {
    /// The time, in RFC 3339.
    #[schema(format = DateTime)]
    pub time: String,
    /// Whether it is stopped.
    pub frozen: bool,
    /// How far it is ahead of the clock of the system, such as `1h 5s` or `-3s`.
    pub offset: String,
}

impl World {
    /// The world as the settings want it.
    pub(crate) fn new(settings: &Settings, callers: Callers) -> Self {
        let bare = match &settings.snapshot {
            Some(snapshot) => snapshot.to_state(),
            None => State {
                rng_seed: settings.rng_seed.unwrap_or_else(|| fastrand::u32(..).into()),
                projects_made: 0,
                projects: HashMap::new(),
                rules: Rules::default(),
                clocks: settings.clock.readings(),
                tokens: HashMap::new(),
            },
        };
        let world = Self(Arc::new(Inner {
            profile: settings.profile,
            creating_time: settings.creating_time,
            deleting_time: settings.deleting_time,
            quota: settings.quota,
            clock: settings.clock.clone(),
            callers,
            live: RwLock::new(Live { rng_seed: 0, projects_made: 0, projects: HashMap::new() }),
            faults: Faults::default(),
            throttle: settings.rate_limit.map(Throttle::new),
            journal: Journal::new(settings.journal_limit),
            counts: Counts::new(),
            start: Mutex::new((bare.clone(), bare)),
            stopping: watch::Sender::new(false),
        }));
        world.reseed(&settings.access_clients);
        world
    }

    /// Starts afresh with these access clients in place of those of the settings: what a changed seed file
    /// wants. All else is as after a [reset](Self::reset).
    pub fn reseed(&self, access_clients: &[Seed]) {
        let mut start = self.0.start.lock();
        let mut seeded = start.1.clone();
        for seed in access_clients {
            let now = time::whole_milliseconds(seeded.clocks.time(Some(&seed.project)));
            let new = || Project::new(seeded.rng_seed, &seed.project);
            let project = seeded.projects.entry(seed.project.clone()).or_insert_with(new);
            self.plant(project, seed, now);
        }
        start.0 = seeded.clone();
        drop(start);
        self.put(seeded);
        self.0.journal.clear(None);
        self.0.counts.clear();
    }

    pub(crate) fn plant(&self, project: &mut Project, seed: &Seed, now: SystemTime) {
        let Seed { project: _, access_client: given, created_at } = seed;
        let created_at = created_at.map_or(now, time::whole_milliseconds);
        let record = Record {
            id: seed.id().unwrap_or_else(|| project.new_client_id(now)),
            name: given.name.clone().unwrap_or_else(|| project.make_name()),
            vpc_id: given.vpc_id.clone(),
            subnet_ids: given.subnet_ids.clone(),
            access_connections: given.access_connections.clone(),
            created_at,
            running_from: match given.status {
                Some(AccessClientStatus::Creating) => self.running_from(now),
                _ => created_at,
            },
            gone_from: match given.status {
                Some(AccessClientStatus::Deleting) => Some(time::later(now, self.0.deleting_time)),
                _ => None,
            },
        };
        project.records.insert(record, now);
    }

    /// Goes back to how the server was started: records, faults, clocks, draws and projects; forgets the
    /// journal, the coverage, and which keys are locked. Of one project, only what belongs to it; its token
    /// stays good.
    pub fn reset(&self, project: Option<&ProjectId>) {
        let Some(id) = project else {
            let start = self.0.start.lock().0.clone();
            self.put(start);
            self.0.journal.clear(None);
            self.0.counts.clear();
            return;
        };
        let (start, _) = &*self.0.start.lock();
        let mut live = self.0.live.write();
        let old = match start.projects.get(id) {
            Some(project) => live.projects.insert(id.clone(), Mutex::new(project.clone())),
            // One that has a token stays known.
            None if self.0.callers.has_issued(id) => {
                let project = Project::new(live.rng_seed, id);
                live.projects.insert(id.clone(), Mutex::new(project))
            }
            None => live.projects.remove(id),
        };
        self.0.faults.replace_of(id, start.rules.of.get(&Some(id.clone())));
        self.0.clock.put_back(id, &start.clocks);
        self.end_calls(id);
        drop(live);
        // Many records take a while to go.
        drop(old);
    }

    fn end_calls(&self, id: &ProjectId) {
        self.0.journal.clear(Some(id));
        if let Some(throttle) = &self.0.throttle {
            throttle.clear_of(id);
        }
    }

    /// All state, as of one moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let live = self.0.live.write();
        let projects = live.projects.iter();
        let state = State {
            rng_seed: live.rng_seed,
            projects_made: live.projects_made,
            projects: projects.map(|(id, project)| (id.clone(), project.lock().clone())).collect(),
            rules: self.0.faults.rules(),
            clocks: self.0.clock.readings(),
            tokens: self.0.callers.issued(),
        };
        drop(live);
        Snapshot::of(&state)
    }

    /// Puts the world back to a snapshot, all at once. The journal goes on.
    pub fn restore(&self, snapshot: &Snapshot) {
        self.put(snapshot.to_state());
    }

    fn put(&self, state: State) {
        let State { rng_seed, projects_made, projects, rules, clocks, tokens } = state;
        let projects =
            projects.into_iter().map(|(id, project)| (id, Mutex::new(project))).collect();
        let new = Live { rng_seed, projects_made, projects };
        let mut live = self.0.live.write();
        let old = std::mem::replace(&mut *live, new);
        self.0.faults.restore(rules);
        self.0.clock.restore(clocks);
        self.0.callers.restore(tokens);
        if let Some(throttle) = &self.0.throttle {
            throttle.clear();
        }
        drop(live);
        // Many records take a while to go.
        drop(old);
    }

    /// Makes a project: empty, or with the records and the clock of another as they are, in the same time
    /// whatever its size. Without an id it gets one that follows from the seed.
    ///
    /// # Errors
    ///
    /// A project that is there already, or one to fork from that is not.
    pub fn create_project(
        &self,
        id: Option<ProjectId>,
        from: Option<&ProjectId>,
    ) -> Result<ProjectAccess, ControlError> {
        let mut live = self.0.live.write();
        let id = match id {
            Some(id) if live.projects.contains_key(&id) => {
                let reason = format!("project_id: there is a project {id} already");
                return Err(ControlError::conflict(reason));
            }
            Some(id) => id,
            None => loop {
                live.projects_made += 1;
                let name = live.projects_made.to_string();
                let bytes =
                    random_stream(live.rng_seed, &["project id", &name]).u128(..).to_ne_bytes();
                let id = uuid::Builder::from_random_bytes(bytes).into_uuid().simple().to_string();
                let id = ProjectId::try_from(id)?;
                if !live.projects.contains_key(&id) {
                    break id;
                }
            },
        };
        let mut project = Project::new(live.rng_seed, &id);
        if let Some(from) = from {
            match live.projects.get(from) {
                Some(other) => project.records = other.lock().records.clone(),
                None if from.as_str() == DEFAULT_PROJECT => {}
                None => {
                    let reason = format!("from: there is no project {from}");
                    return Err(ControlError::not_found(reason));
                }
            }
            self.0.clock.copy(from, &id);
        }
        live.projects.insert(id.clone(), Mutex::new(project));
        let token = self.0.callers.issue(&id);
        Ok(ProjectAccess { project_id: id, token })
    }

    /// Ends a project with all that belongs to it: records, faults, journal, clock and token.
    ///
    /// # Errors
    ///
    /// A project of which there is nothing.
    pub fn delete_project(&self, id: &ProjectId) -> Result<(), ControlError> {
        let mut live = self.0.live.write();
        let old = live.projects.remove(id);
        let is_known = old.is_some()
            || id.as_str() == DEFAULT_PROJECT
            || self.0.callers.has_issued(id)
            || self.0.faults.count(id) > 0
            || self.0.clock.is_set_for(id)
            || self.0.journal.has_calls_of(id);
        self.0.callers.revoke(id);
        self.0.faults.clear(Some(id));
        self.0.clock.of(id.clone()).follow();
        self.end_calls(id);
        drop(live);
        if is_known {
            Ok(())
        } else {
            Err(ControlError::not_found(format!("there is no project {id}")))
        }
    }

    /// An access client of a project, if there is one.
    #[cfg(feature = "record")]
    pub(crate) fn access_client(
        &self,
        project: &ProjectId,
        id: &AccessClientId,
    ) -> Option<AccessClient> {
        let now = self.now(project);
        let caller = Caller::of(project.clone());
        self.in_project(&caller, |project| {
            project.records.get(id, now).map(|record| record.answer(now))
        })
    }

    /// Takes an access client out at once.
    #[cfg(feature = "record")]
    pub(crate) fn forget(&self, project: &ProjectId, id: &str) {
        let Ok(id) = AccessClientId::try_from(id) else { return };
        let now = self.now(project);
        let caller = Caller::of(project.clone());
        self.in_project(&caller, |project| project.records.take(&id, now));
    }

    /// Every project that has or had records, or was made, and the default one; by their ids.
    #[must_use]
    pub fn projects(&self) -> Vec<ProjectSummary> {
        let mut counts = BTreeMap::from([(default_project(), 0)]);
        for (id, project) in &self.0.live.read().projects {
            counts.insert(id.clone(), project.lock().records.count(self.now(id)));
        }
        let summary = |(project_id, access_clients)| {
            let faults = self.0.faults.count(&project_id);
            ProjectSummary { project_id, access_clients, faults }
        };
        counts.into_iter().map(summary).collect()
    }

    /// The access clients of a project, as a list answers them.
    #[must_use]
    pub fn access_clients(&self, id: &ProjectId, offset: usize, limit: usize) -> AccessClientPage {
        let now = self.now(id);
        let caller = Caller::of(id.clone());
        let (access_client_infos, total): (Vec<AccessClient>, _) = self
            .in_project(&caller, |project| {
                project.records.page(Filter::default(), offset, limit, now)
            });
        AccessClientPage { access_client_infos, total: Some(total as u64) }
    }

    /// Adds a rule.
    ///
    /// # Errors
    ///
    /// A rule that can't be kept to, or too many of them.
    pub fn add_fault(&self, fault: Fault) -> Result<FaultStatus, ControlError> {
        self.0.faults.add(fault, self.rng_seed())
    }

    /// The rules in force: those of a project, or all; the first first.
    #[must_use]
    pub fn faults(&self, project: Option<&ProjectId>) -> Vec<FaultStatus> {
        self.0.faults.list(project)
    }

    /// Removes a rule.
    ///
    /// # Errors
    ///
    /// There is none of this number.
    pub fn remove_fault(&self, id: u64) -> Result<(), ControlError> {
        if self.0.faults.remove(id) {
            return Ok(());
        }
        Err(ControlError::not_found(format!("there is no fault {id}")))
    }

    /// Removes the rules of a project, or all.
    pub fn clear_faults(&self, project: Option<&ProjectId>) {
        self.0.faults.clear(project);
    }

    /// The calls that were made, newest first.
    #[must_use]
    pub fn journal(&self, filter: &JournalFilter) -> Entries {
        self.0.journal.entries(filter)
    }

    /// The calls that fit as they are made, from `after` on, or from now on; until the server stops. The
    /// filter's `before` and `limit` do not count.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use fabric_client::Client;
    /// use fabric_server::MockServer;
    /// use fabric_server::journal::{Event, Filter};
    /// use futures_util::StreamExt;
    ///
    /// let server = MockServer::start().await;
    /// let mut calls = std::pin::pin!(server.world().calls_as_they_come(Filter::default()));
    /// Client::new(server.endpoint())?.access_clients().create(Default::default()).await?;
    /// let Some(Event::Call(call)) = calls.next().await else { panic!("no call came") };
    /// assert_eq!(call.operation.as_deref(), Some("CreateAccessClientInfo"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn calls_as_they_come(&self, filter: JournalFilter) -> impl Stream<Item = Event> + use<> {
        let after = filter.after.unwrap_or_else(|| self.0.journal.last());
        let filter = JournalFilter { after: Some(after), ..filter };
        let (world, newest) = (self.clone(), self.0.journal.subscribe());
        let state = (world, newest, filter, VecDeque::new());
        stream::unfold(state, async |(world, mut newest, mut filter, mut waiting)| {
            loop {
                if let Some(event) = waiting.pop_front() {
                    return Some((event, (world, newest, filter, waiting)));
                }
                newest.borrow_and_update();
                waiting.extend(world.0.journal.next(&mut filter));
                if !waiting.is_empty() {
                    continue;
                }
                let changed = std::pin::pin!(newest.changed());
                let stopped = std::pin::pin!(world.stopped());
                let Either::Left((Ok(()), _)) = select(changed, stopped).await else { return None };
            }
        })
    }

    /// Puts calls in the journal that were made elsewhere, such as those of a
    /// recording; the newest first, as the journal tells them. They count anew.
    pub fn add_to_journal(&self, entries: &[Entry]) {
        for entry in entries.iter().rev() {
            self.0.journal.add_entry(entry);
        }
    }

    /// Forgets the calls of a project, or all.
    pub fn clear_journal(&self, project: Option<&ProjectId>) {
        self.0.journal.clear(project);
    }

    /// Whether the calls that a test expects were made.
    ///
    /// # Errors
    ///
    /// The journal is off.
    pub fn verify(&self, expectation: &Expectation) -> Result<Verdict, ControlError> {
        self.0.journal.verify(expectation)
    }

    /// The clock of the server; [`Clock::of`] gives that of a project.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// What callers have met of the contract, in all projects.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.0.counts.coverage()
    }

    /// The world at a glance.
    #[must_use]
    pub fn status(&self) -> WorldStatus {
        WorldStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rng_seed: self.rng_seed(),
            clock: ClockStatus::of(&self.0.clock),
            journal: self.0.journal.status(),
        }
    }

    /// Counts and gauges, in the text format of Prometheus.
    #[must_use]
    pub fn metrics(&self) -> String {
        let projects = self.projects();
        let journal = self.0.journal.status();
        let records: usize = projects.iter().map(|project| project.access_clients).sum();
        self.0.counts.prometheus(&[
            ("fabric_mock_projects", "Projects.", projects.len() as u64),
            ("fabric_mock_access_clients", "Access clients, in all projects.", records as u64),
            ("fabric_mock_faults", "Faults in force.", self.faults(None).len() as u64),
            ("fabric_mock_journal_entries", "Calls in the journal.", journal.entries as u64),
            ("fabric_mock_journal_bytes", "Memory that the journal takes.", journal.bytes as u64),
        ])
    }

    fn rng_seed(&self) -> u64 {
        self.0.live.read().rng_seed
    }

    pub(crate) fn profile(&self) -> Profile {
        self.0.profile
    }

    pub(crate) fn quota(&self) -> Option<usize> {
        self.0.quota
    }

    pub(crate) fn deleting_time(&self) -> Duration {
        self.0.deleting_time
    }

    pub(crate) fn running_from(&self, now: SystemTime) -> SystemTime {
        time::later(now, self.0.creating_time)
    }

    /// The time in a project, in whole milliseconds.
    pub(crate) fn now(&self, project: &ProjectId) -> SystemTime {
        time::whole_milliseconds(self.0.clock.now_in(project))
    }

    pub(crate) fn rules(&self) -> &Faults {
        &self.0.faults
    }

    pub(crate) fn calls(&self) -> &Journal {
        &self.0.journal
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.0.counts
    }

    pub(crate) fn throttle(&self) -> Option<&Throttle> {
        self.0.throttle.as_ref()
    }

    /// A sequence of draws for a call that brings its own fault.
    pub(crate) fn header_random(&self, project: &ProjectId) -> fastrand::Rng {
        let caller = Caller::of(project.clone());
        self.in_project_to_fill(&caller, |project| project.header_random.fork())
    }

    /// Has everything end that waits: streams, and calls that hang.
    pub(crate) fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.0.stopping.borrow()
    }

    /// Waits for the server to stop.
    pub(crate) async fn stopped(&self) {
        let mut stopping = self.0.stopping.subscribe();
        // The sender lives as long as we do.
        let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
    }

    /// Runs `act` on the project of a caller. If the caller's writes are not to be kept, the records are
    /// afterwards as they were.
    pub(crate) fn in_project<T>(&self, caller: &Caller, act: impl FnOnce(&mut Project) -> T) -> T {
        let live = self.0.live.read();
        let Some(project) = live.projects.get(&caller.project) else {
            // There is nothing in it that could be changed.
            return act(&mut Project::new(live.rng_seed, &caller.project));
        };
        let mut project = project.lock();
        if caller.keeps_writes {
            return act(&mut project);
        }
        let before = project.records.clone();
        let outcome = act(&mut project);
        project.records = before;
        outcome
    }

    /// The same for what may add records.
    pub(crate) fn in_project_to_fill<T>(
        &self,
        caller: &Caller,
        act: impl FnOnce(&mut Project) -> T,
    ) -> T {
        self.ensure(&caller.project);
        self.in_project(caller, act)
    }

    fn ensure(&self, id: &ProjectId) {
        if !self.0.live.read().projects.contains_key(id) {
            let mut live = self.0.live.write();
            let new = Mutex::new(Project::new(live.rng_seed, id));
            live.projects.entry(id.clone()).or_insert(new);
        }
    }
}

impl ClockStatus {
    /// What a clock shows now.
    #[must_use]
    pub fn of(clock: &Clock) -> Self {
        let ahead = clock.ahead();
        let duration = humantime::format_duration(Duration::from_millis(ahead.unsigned_abs()));
        let sign = if ahead < 0 { "-" } else { "" };
        Self {
            time: time::write(clock.now()),
            frozen: clock.is_stopped(),
            offset: format!("{sign}{duration}"),
        }
    }
}
