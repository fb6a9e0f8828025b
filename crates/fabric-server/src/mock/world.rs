//! The world of a mock server: its projects with their records, faults, clocks and journals.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use fabric_model::access_client::{AccessClient, AccessClientPage, AccessClientStatus};
use fabric_model::{AccessClientId, ProjectId};
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::auth::{DEFAULT_PROJECT, default_project};
use crate::mock::coverage::{Counts, Coverage};
use crate::mock::fault::{Fault, FaultStatus, Faults, Rules};
use crate::mock::journal::{
    Entries, Entry, Expectation, Filter as JournalFilter, Journal, JournalStatus, Verdict,
};
use crate::mock::snapshot::{Draws, OfProject, Parts, Snapshot};
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
/// world.reset(None)?;
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
    rng_seed: AtomicU64,
    clock: Clock,
    callers: Callers,
    projects: RwLock<HashMap<ProjectId, Mutex<Project>>>,
    faults: Faults,
    throttle: Option<Throttle>,
    journal: Journal,
    counts: Counts,
    /// What a reset goes back to.
    start: Mutex<Snapshot>,
    /// Set when the server stops: what waits then ends.
    stopping: watch::Sender<bool>,
}

/// What belongs to a project.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) records: Records,
    random: fastrand::Rng,
}

impl Project {
    fn new(rng_seed: u64, id: &ProjectId) -> Self {
        let random = random_stream(rng_seed, &["project", id.as_str()]);
        Self { records: Records::default(), random }
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProjectAccess {
    /// The project.
    #[schema(value_type = String)]
    pub project_id: ProjectId,
    /// A token for `X-Auth-Token`, good for this project only, whoever else may call.
    pub token: String,
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
        let rng_seed = settings.rng_seed.unwrap_or_else(|| fastrand::u32(..).into());
        let nothing = Snapshot::of(Parts {
            rng_seed,
            clocks: settings.clock.readings(),
            projects: BTreeMap::new(),
            faults: Vec::new(),
            last_fault_id: 0,
        });
        let world = Self(Arc::new(Inner {
            profile: settings.profile,
            creating_time: settings.creating_time,
            deleting_time: settings.deleting_time,
            quota: settings.quota,
            rng_seed: AtomicU64::new(rng_seed),
            clock: settings.clock.clone(),
            callers,
            projects: RwLock::default(),
            faults: Faults::default(),
            throttle: settings.rate_limit.map(Throttle::new),
            journal: Journal::new(settings.journal_limit),
            counts: Counts::new(),
            start: Mutex::new(nothing),
            stopping: watch::Sender::new(false),
        }));
        if let Some(snapshot) = &settings.snapshot {
            world.restore(snapshot);
        }
        world.plant(&settings.access_clients);
        world.remember_start();
        world
    }

    /// Replaces every record by these, and goes back to how the server was started in all else: what a
    /// changed seed file wants.
    pub fn reseed(&self, access_clients: &[Seed]) {
        let mut start = self.0.start.lock().clone();
        for project in start.projects.values_mut() {
            (project.access_clients, project.random) = (Vec::new(), None);
        }
        self.restore(&start);
        self.0.journal.clear(None);
        self.0.counts.clear();
        self.plant(access_clients);
        self.remember_start();
    }

    fn remember_start(&self) {
        *self.0.start.lock() = self.snapshot();
    }

    pub(crate) fn plant(&self, seeds: &[Seed]) {
        for Seed { project: id, access_client: given, created_at } in seeds {
            self.ensure(id);
            let now = self.now(id);
            let created_at = created_at.map_or(now, time::whole_milliseconds);
            let caller = Caller::of(id.clone());
            self.in_project(&caller, |project| {
                let known = given.id.as_ref().and_then(|id| AccessClientId::try_from(id).ok());
                let record = Record {
                    id: known.unwrap_or_else(|| project.new_client_id(now)),
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
                        Some(AccessClientStatus::Deleting) => {
                            Some(time::later(now, self.0.deleting_time))
                        }
                        _ => None,
                    },
                };
                project.records.insert(record, now);
            });
        }
    }

    /// Goes back to how the server was started: records, faults, clocks, draws and projects; forgets the
    /// journal, the coverage, and which keys are locked. Of one project, only what belongs to it; its token
    /// stays good.
    ///
    /// # Errors
    ///
    /// A project that is not known.
    pub fn reset(&self, project: Option<&ProjectId>) -> Result<(), ControlError> {
        let start = self.0.start.lock().clone();
        let Some(id) = project else {
            self.restore(&start);
            self.0.journal.clear(None);
            self.0.counts.clear();
            return Ok(());
        };
        self.known(id)?;
        let mut start = start.into_parts();
        let new = start.projects.remove(id).unwrap_or_default();
        let project = Mutex::new(self.project_of(id, &new));
        self.0.projects.write().insert(id.clone(), project);
        self.0.faults.replace_of(id, new.faults);
        self.0.clock.put_back(id, &start.clocks);
        self.0.journal.clear(Some(id));
        if let Some(throttle) = &self.0.throttle {
            throttle.clear_of(id);
        }
        Ok(())
    }

    /// All state, as of one moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        // Nobody else is in any project while this is held. Copies of records cost nothing, so that is short.
        let all = self.0.projects.write();
        let copies: Vec<_> =
            all.iter().map(|(id, project)| (id.clone(), project.lock().clone())).collect();
        let Rules { mut of, last_id } = self.0.faults.rules();
        let clocks = self.0.clock.readings();
        let tokens = self.0.callers.issued();
        drop(all);
        let mut projects = BTreeMap::<ProjectId, OfProject>::new();
        for (id, copy) in copies {
            let of_project = projects.entry(id).or_default();
            of_project.random = Some(Draws::of(&copy.random));
            of_project.access_clients = copy.records.iter().cloned().collect();
        }
        for (digest, id) in tokens {
            projects.entry(id).or_default().tokens_sha256.push(hex::encode(digest));
        }
        let faults = of.remove(&None).unwrap_or_default();
        for (id, rules) in of {
            if let Some(id) = id {
                projects.entry(id).or_default().faults = rules;
            }
        }
        for of_project in projects.values_mut() {
            of_project.tokens_sha256.sort();
        }
        Snapshot::of(Parts {
            rng_seed: self.rng_seed(),
            clocks,
            projects,
            faults,
            last_fault_id: last_id,
        })
    }

    /// Puts the world back to a snapshot, all at once. The journal goes on.
    pub fn restore(&self, snapshot: &Snapshot) {
        let Parts { rng_seed, clocks, projects, faults, last_fault_id } =
            snapshot.clone().into_parts();
        self.0.rng_seed.store(rng_seed, Ordering::Relaxed);
        let mut rules = Rules { of: BTreeMap::from([(None, faults)]), last_id: last_fault_id };
        let mut tokens = HashMap::new();
        let mut all = HashMap::new();
        for (id, of_project) in projects {
            let digests = of_project.tokens_sha256.iter();
            tokens.extend(
                digests.filter_map(|digest| {
                    Some((super::snapshot::parse_digest(digest)?, id.clone()))
                }),
            );
            all.insert(id.clone(), Mutex::new(self.project_of(&id, &of_project)));
            rules.of.insert(Some(id), of_project.faults);
        }
        let mut current = self.0.projects.write();
        *current = all;
        self.0.faults.restore(rules);
        self.0.clock.restore(clocks);
        self.0.callers.restore(tokens);
        if let Some(throttle) = &self.0.throttle {
            throttle.clear();
        }
    }

    fn project_of(&self, id: &ProjectId, of_project: &OfProject) -> Project {
        let mut project = Project::new(self.rng_seed(), id);
        if let Some(draws) = of_project.random {
            project.random = draws.go_on();
        }
        for record in &of_project.access_clients {
            // None of them goes while they are put in.
            project.records.insert(record.clone(), SystemTime::UNIX_EPOCH);
        }
        project
    }

    /// Makes a project: empty, or with the records and the clock of another as they are, in the same time
    /// whatever its size. Its id is made up when there is none given.
    ///
    /// # Errors
    ///
    /// A project that is there already, or one to fork from that is not.
    pub fn create_project(
        &self,
        id: Option<ProjectId>,
        from: Option<&ProjectId>,
    ) -> Result<ProjectAccess, ControlError> {
        let made_up = || ProjectId::try_from(uuid::Uuid::new_v4().simple().to_string());
        let id = id.map_or_else(made_up, Ok)?;
        let mut projects = self.0.projects.write();
        if projects.contains_key(&id) {
            let reason = format!("project_id: there is a project {id} already");
            return Err(ControlError::conflict(reason));
        }
        let mut project = Project::new(self.rng_seed(), &id);
        if let Some(from) = from {
            match projects.get(from) {
                Some(other) => project.records = other.lock().records.clone(),
                None if from.as_str() == DEFAULT_PROJECT => {}
                None => {
                    let reason = format!("from: there is no project {from}");
                    return Err(ControlError::not_found(reason));
                }
            }
            self.0.clock.copy(from, &id);
        }
        projects.insert(id.clone(), Mutex::new(project));
        let token = self.0.callers.issue(&id);
        Ok(ProjectAccess { project_id: id, token })
    }

    /// Ends a project with all that belongs to it: records, faults, journal, clock and token.
    ///
    /// # Errors
    ///
    /// A project that is not known.
    pub fn delete_project(&self, id: &ProjectId) -> Result<(), ControlError> {
        self.known(id)?;
        self.0.projects.write().remove(id);
        self.0.callers.revoke(id);
        self.0.faults.clear(Some(id));
        self.0.clock.of(id.clone()).follow();
        self.0.journal.clear(Some(id));
        if let Some(throttle) = &self.0.throttle {
            throttle.clear_of(id);
        }
        Ok(())
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

    fn known(&self, id: &ProjectId) -> Result<(), ControlError> {
        if id.as_str() == DEFAULT_PROJECT || self.0.projects.read().contains_key(id) {
            return Ok(());
        }
        Err(ControlError::not_found(format!("there is no project {id}")))
    }

    /// Every project that has or had records, or was made, and the default one; by their ids.
    #[must_use]
    pub fn projects(&self) -> Vec<ProjectSummary> {
        let mut counts = BTreeMap::from([(default_project(), 0)]);
        for (id, project) in &*self.0.projects.read() {
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
        self.0.rng_seed.load(Ordering::Relaxed)
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
    pub(crate) fn random(&self, name: &str) -> fastrand::Rng {
        random_stream(self.rng_seed(), &["call", name])
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
        let projects = self.0.projects.read();
        let Some(project) = projects.get(&caller.project) else {
            // There is nothing in it that could be changed.
            return act(&mut Project::new(self.rng_seed(), &caller.project));
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
        if !self.0.projects.read().contains_key(id) {
            let mut projects = self.0.projects.write();
            projects
                .entry(id.clone())
                .or_insert_with(|| Mutex::new(Project::new(self.rng_seed(), id)));
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
