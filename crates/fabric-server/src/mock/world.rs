//! The world of a mock server: its projects with their records, faults, clocks and journals.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use fabric_model::{ProjectId, Resource};
use futures_util::future::{Either, select};
use futures_util::stream::{self, Stream};
use parking_lot::Mutex;

use crate::api::budget::Budget;
use crate::api::callers::{Callers, DEFAULT_PROJECT, default_project};
use crate::api::clock::Clock;
use crate::api::connections::Connections;
use crate::api::credentials::Grant;
use crate::api::issued::ISSUED_MAX;
use crate::api::time;
#[cfg(feature = "record")]
use crate::mock::behaviour::Behaviour;
use crate::mock::budget::Spending;
use crate::mock::control::access::Hosts;
use crate::mock::coverage::{Counts, Coverage, Gauge};
use crate::mock::error::ControlError;
use crate::mock::fault::rule::{Fault, FaultStatus, Write};
use crate::mock::fault::{FaultSet, Faults};
use crate::mock::fixtures::Fixtures;
use crate::mock::identity::accounts::{
    Accounts, Directory, NewUser, ProjectName, Refused, User, UserStatus,
};
use crate::mock::journal::Journal;
use crate::mock::journal::entry::{Entries, Entry, Event, Filter};
use crate::mock::journal::verify::{Expectation, Verdict};
use crate::mock::projects::{Live, Projects};
use crate::mock::random::Draws;
use crate::mock::service::resources;
use crate::mock::settings::Settings;
use crate::mock::snapshot::{Contents, Snapshot};
use crate::mock::state::State;
use crate::mock::status::{
    ClockStatus, ProjectAccess, ProjectSummary, Records, ResourceStatus, WorldStatus,
};
use crate::mock::stop::Stop;
use crate::mock::tables::Tables;
use crate::mock::throttle::Throttle;

/// The state of a mock server, and what a test may do with it: the same as under `/_mock/v1` over HTTP.
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
/// let rejected = client.access_clients().create(Default::default()).await.unwrap_err();
/// assert_eq!(rejected.status().unwrap(), 403);
///
/// world.reset(None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct World(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    projects: Arc<Projects>,
    clock: Clock,
    callers: Callers,
    directory: Directory,
    faults: Faults,
    throttle: Option<Throttle>,
    journal: Journal,
    counts: Counts,
    spending: Spending,
    /// Under which names calls must be, if under certain ones.
    hosts: Option<Hosts>,
    start: Mutex<Start>,
    /// Held by the one whose snapshot is being read.
    restoring: Arc<tokio::sync::Mutex<()>>,
    /// Set when the server stops, to end streams and delays.
    stop: Stop,
    /// Set once it is served.
    served: OnceLock<Served>,
}

/// What is counted of the server.
#[derive(Debug)]
struct Served {
    connections: Connections,
    bodies: Budget,
}

impl Served {
    fn gauges(&self) -> Vec<Gauge<'static>> {
        let counts = self.connections.counts();
        vec![
            Gauge::new("fabric_mock_connections", "Open connections.", counts.open as u64),
            Gauge {
                name: "fabric_mock_connections_ended",
                help: "Connections that were refused, evicted for another when idle, or took too long.",
                values: [
                    ("refused", counts.refused),
                    ("evicted", counts.evicted),
                    ("late", counts.late),
                ]
                .map(|(reason, count)| (format!("{{reason=\"{reason}\"}}"), count))
                .into(),
            },
            Gauge::new(
                "fabric_mock_body_bytes",
                "Bytes of bodies that are being read or answered.",
                self.bodies.used() as u64,
            ),
            Gauge::new(
                "fabric_mock_bodies_rejected",
                "Bodies for which there was no room.",
                self.bodies.exceeded(),
            ),
            Gauge::new(
                "fabric_mock_answer_bytes",
                "Bytes of answers that wait to be received.",
                counts.answer_bytes as u64,
            ),
            Gauge::new(
                "fabric_mock_answers_rejected",
                "Answers for which there was no room.",
                counts.answers_rejected,
            ),
        ]
    }
}

/// What a reset goes back to.
#[derive(Debug)]
struct Start {
    with_fixtures: State,
    /// The same before the fixtures, which may be read again.
    without: State,
}

impl World {
    /// The world as the settings say.
    pub(crate) fn new(settings: &Settings, callers: Callers) -> Self {
        let first = Tables::first(resources());
        let bare = match &settings.snapshot {
            Some(snapshot) => snapshot.to_state(first),
            None => State {
                seed: settings.seed.unwrap_or_else(random_seed),
                projects_made: 0,
                first,
                projects: HashMap::new(),
                faults: FaultSet::default(),
                clocks: settings.clock.readings(),
                tokens: HashMap::new(),
                accounts: Accounts::default(),
            },
        };
        let live = Live::new(bare.seed, 0, bare.first.clone(), HashMap::new());
        let world = Self(Arc::new(Inner {
            projects: Arc::new(Projects::new(settings.behaviour(), settings.max_projects, live)),
            clock: settings.clock.clone(),
            callers,
            directory: Directory::new(settings.accounts.clone()),
            faults: Faults::default(),
            throttle: settings.rate_limit.map(|limit| Throttle::new(limit, settings.clock.clone())),
            journal: Journal::new(settings.journal_limit),
            counts: Counts::new(),
            spending: Spending::new(settings.budgets),
            hosts: settings.guards_hosts().then(|| Hosts::new(&settings.allowed_hosts)),
            start: Mutex::new(Start { with_fixtures: bare.clone(), without: bare }),
            restoring: Arc::default(),
            stop: Stop::default(),
            served: OnceLock::new(),
        }));
        world.start_from(&settings.fixtures);
        world
    }

    /// Resets the world, as [`Self::reset`] does, and replaces the fixtures of the settings by these.
    pub fn start_from(&self, fixtures: &Fixtures) {
        let mut start = self.0.start.lock();
        let state = start.without.clone().with(fixtures, &self.0.projects.behaviour);
        start.with_fixtures = state.clone();
        drop(start);
        self.put(state);
        self.0.journal.clear(None);
        self.0.counts.clear();
    }

    /// Takes records, faults, clocks, draws and projects back to the start, clears the journal and the coverage,
    /// and unlocks keys. With a project, resets only what belongs to it; its token stays good.
    pub fn reset(&self, project: Option<&ProjectId>) {
        let Some(id) = project else {
            let start = self.0.start.lock().with_fixtures.clone();
            self.put(start);
            self.0.journal.clear(None);
            self.0.counts.clear();
            return;
        };
        let start = &self.0.start.lock().with_fixtures;
        let mut live = self.0.projects.write();
        let old = match start.projects.get(id) {
            Some(project) => live.projects.insert(id.clone(), Mutex::new(project.clone())),
            // One that has a token stays known.
            None if self.0.callers.has_issued(id) => {
                let project = live.new_project(id);
                live.projects.insert(id.clone(), Mutex::new(project))
            }
            None => live.projects.remove(id),
        };
        self.0.faults.replace_of(id, start.faults.of.get(&Some(id.clone())));
        self.0.clock.restore_of(id, &start.clocks);
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

    /// All state, of one moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let live = self.0.projects.write();
        let projects = live.projects.iter();
        let state = State {
            seed: live.seed,
            projects_made: live.projects_made,
            first: live.first.clone(),
            projects: projects.map(|(id, project)| (id.clone(), project.lock().clone())).collect(),
            faults: self.0.faults.active(),
            clocks: self.0.clock.readings(),
            tokens: self.0.callers.issued(),
            accounts: self.0.directory.added(),
        };
        drop(live);
        Snapshot::of(&state)
    }

    /// Restores a snapshot as [`Self::restore`] does, if what is in it is no more than could be added.
    pub(crate) fn restore_within_limits(&self, snapshot: &Snapshot) -> Result<(), ControlError> {
        let most = self.0.projects.most;
        let Contents { projects, tokens, sign_ins } = snapshot.contents();
        for (count, most, what) in [
            (projects, most, "projects (--max-projects)"),
            (tokens, most, "tokens of projects (--max-projects)"),
            (sign_ins, ISSUED_MAX, "tokens of users"),
        ] {
            if count > most {
                let reason = format!("the snapshot has {count} {what}; there may be {most}");
                return Err(ControlError::conflict(reason));
            }
        }
        self.restore(snapshot);
        Ok(())
    }

    /// How many projects there may be, besides the default one.
    pub(crate) fn projects_max(&self) -> usize {
        self.0.projects.most
    }

    /// Restores a snapshot, all at once. The journal is kept.
    pub fn restore(&self, snapshot: &Snapshot) {
        let first = self.0.projects.read().first.clone();
        self.put(snapshot.to_state(first));
    }

    pub(crate) fn restoring(&self) -> &Arc<tokio::sync::Mutex<()>> {
        &self.0.restoring
    }

    fn put(&self, state: State) {
        let State { seed, projects_made, first, projects, faults, clocks, tokens, accounts } =
            state;
        let new = Live::new(seed, projects_made, first, projects);
        let mut live = self.0.projects.write();
        let old = std::mem::replace(&mut *live, new);
        self.0.faults.restore(faults);
        self.0.clock.restore(clocks);
        self.0.directory.restore(accounts);
        self.0.callers.restore(tokens);
        if let Some(throttle) = &self.0.throttle {
            throttle.clear();
        }
        drop(live);
        // Many records take a while to go.
        drop(old);
    }

    /// Creates a project: empty, or with a copy of the records and the clock of another. A copy takes the same
    /// time whatever the size of the project. Without an id, it gets one that follows from the seed.
    ///
    /// # Errors
    ///
    /// The project exists, the project to copy does not, or there are as many as there may be.
    pub fn create_project(
        &self,
        id: Option<ProjectId>,
        from: Option<&ProjectId>,
    ) -> Result<ProjectAccess, ControlError> {
        let mut live = self.0.projects.write();
        let id = match id {
            Some(id) if live.projects.contains_key(&id) => {
                let reason = format!("project_id: there is a project {id} already");
                return Err(ControlError::conflict(reason));
            }
            Some(id) => id,
            None => loop {
                live.projects_made += 1;
                let name = live.projects_made.to_string();
                let id = Draws::new(live.seed, &["project id", &name]).uuid();
                let id = ProjectId::try_from(id.simple().to_string())?;
                if !live.projects.contains_key(&id) {
                    break id;
                }
            },
        };
        let most = self.0.projects.most;
        if !live.has_room(&id, most) || self.0.callers.lasting_tokens() >= most {
            let reason = format!(
                "there are {most} projects already: delete some, or start with more --max-projects"
            );
            return Err(ControlError::conflict(reason));
        }
        let mut project = live.new_project(&id);
        if let Some(from) = from {
            match live.projects.get(from) {
                Some(other) => project.tables = other.lock().tables.clone(),
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

    /// Deletes a project with all that belongs to it: records, faults, journal, clock and token.
    ///
    /// # Errors
    ///
    /// The project does not exist.
    pub fn delete_project(&self, id: &ProjectId) -> Result<(), ControlError> {
        let mut live = self.0.projects.write();
        let old = live.projects.remove(id);
        let is_known = old.is_some()
            || id.as_str() == DEFAULT_PROJECT
            || self.0.callers.has_issued(id)
            || self.0.directory.project(id).is_some()
            || self.0.faults.count(id) > 0
            || self.0.clock.is_set_for(id)
            || self.0.journal.has_calls_of(id);
        self.0.callers.revoke(id);
        self.0.directory.forget_project(id);
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

    /// Adds a user who may sign in, or replaces the one of the same domain and name. The tokens and keys that
    /// the user signed in for are revoked. It takes a while: the password is hashed.
    ///
    /// Where any caller is accepted, only the passwords of users that were added are verified.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use fabric_server::{MockServer, NewUser};
    ///
    /// let server = MockServer::start().await;
    /// let user = server.world().put_user(NewUser::new("IAMDomain", "IAMUser", "IAMPassword"))?;
    /// assert_eq!(server.world().users(), [user]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// A field of the user breaks its rule, or there are too many users.
    pub fn put_user(&self, user: NewUser) -> Result<UserStatus, ControlError> {
        let (key, user) = user.checked()?;
        let (domain, name) = key.clone();
        let _live = self.0.projects.read();
        let revoke = || self.0.callers.revoke_user(&domain, &name);
        self.0.directory.put_user(key, user.clone(), revoke).map_err(refused)?;
        Ok(user.status(domain, name))
    }

    /// Removes a user that was added, and revokes the tokens and keys that the user signed in for.
    ///
    /// # Errors
    ///
    /// There is no such user, or the server was started with it.
    pub fn remove_user(&self, domain: &str, name: &str) -> Result<(), ControlError> {
        let _live = self.0.projects.read();
        let revoke = || self.0.callers.revoke_user(domain, name);
        self.0.directory.remove_user(domain, name, revoke).map_err(refused)
    }

    /// The users who may sign in, by domain and name.
    #[must_use]
    pub fn users(&self) -> Vec<UserStatus> {
        self.0.directory.users()
    }

    /// Names a project, which need not be there yet: callers then find it by that name only.
    ///
    /// # Errors
    ///
    /// A field breaks its rule, or there are too many names.
    pub fn name_project(&self, name: ProjectName) -> Result<(), ControlError> {
        let project = name.checked()?;
        let _live = self.0.projects.read();
        self.0.directory.name_project(project).map_err(refused)
    }

    /// Every project that was created or has had records, and the default one, sorted by id.
    #[must_use]
    pub fn projects(&self) -> Vec<ProjectSummary> {
        let live = self.0.projects.read();
        let mut all = BTreeMap::from([(default_project(), live.first.clone())]);
        let projects = live.projects.iter();
        all.extend(projects.map(|(id, project)| (id.clone(), project.lock().tables.clone())));
        drop(live);
        let summary = |(project_id, tables): (ProjectId, Tables)| {
            let counts = tables.counts(self.now(&project_id));
            let faults = self.0.faults.count(&project_id);
            let records =
                counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
            ProjectSummary { project_id, records, faults }
        };
        all.into_iter().map(summary).collect()
    }

    /// The resources that the mock keeps records of.
    #[must_use]
    pub fn resources(&self) -> Vec<ResourceStatus> {
        resources().iter().map(|resource| ResourceStatus::from(resource.info)).collect()
    }

    /// The records of a resource in a project, newest first, as a list answers them.
    ///
    /// # Panics
    ///
    /// When the mock keeps no records of the resource: see [`Self::resources`].
    #[must_use]
    pub fn records<R: Resource>(
        &self,
        id: &ProjectId,
        offset: usize,
        limit: usize,
    ) -> Records<R::Answer> {
        let now = self.now(id);
        let project = self.0.projects.copy_of(id, now);
        let table = project.tables.named(R::NAME).expect("the mock serves the resource");
        let (records, total) = table.answers((offset, limit), now);
        let records = records.downcast().expect("the records of a resource are of its answer");
        Records { records: *records, total }
    }

    /// The same in JSON, for a resource by its name; `None` if the mock keeps no records of it.
    #[must_use]
    pub fn records_json(
        &self,
        id: &ProjectId,
        resource: &str,
        offset: usize,
        limit: usize,
    ) -> Option<Records<serde_json::Value>> {
        let now = self.now(id);
        let project = self.0.projects.copy_of(id, now);
        let (records, total) = project.tables.named(resource)?.json((offset, limit), now);
        Some(Records { records, total })
    }

    /// Adds a fault.
    ///
    /// # Errors
    ///
    /// The fault contradicts itself, or there are too many faults.
    pub fn add_fault(&self, fault: Fault) -> Result<FaultStatus, ControlError> {
        self.0.faults.add(fault, self.seed())
    }

    /// The faults of a project, or all, in the order in which they were added.
    #[must_use]
    pub fn faults(&self, project: Option<&ProjectId>) -> Vec<FaultStatus> {
        self.0.faults.list(project)
    }

    /// Removes a fault.
    ///
    /// # Errors
    ///
    /// There is no fault with this number.
    pub fn remove_fault(&self, id: u64) -> Result<(), ControlError> {
        if self.0.faults.remove(id) {
            return Ok(());
        }
        Err(ControlError::not_found(format!("there is no fault {id}")))
    }

    /// Removes the faults of a project, or all.
    pub fn clear_faults(&self, project: Option<&ProjectId>) {
        self.0.faults.clear(project);
    }

    /// The calls that were made, newest first.
    #[must_use]
    pub fn journal(&self, filter: &Filter) -> Entries {
        self.0.journal.entries(filter)
    }

    /// Streams matching calls as they are made, from `after` on, or from now on, until the server stops. `before`
    /// and `limit` of the filter are ignored.
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
    pub fn calls_as_they_come(&self, filter: Filter) -> impl Stream<Item = Event> + use<> {
        let after = filter.after.unwrap_or_else(|| self.0.journal.last());
        let filter = Filter { after: Some(after), ..filter };
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
                let stopped = std::pin::pin!(world.0.stop.stopped());
                let Either::Left((Ok(()), _)) = select(changed, stopped).await else { return None };
            }
        })
    }

    /// Adds calls to the journal, such as those of a recording, newest first as [`Self::journal`] lists them. They
    /// get new numbers.
    pub fn add_to_journal(&self, entries: &[Entry]) {
        for entry in entries.iter().rev() {
            self.0.journal.add_entry(entry);
        }
    }

    /// Clears the journal of a project, or of all projects.
    pub fn clear_journal(&self, project: Option<&ProjectId>) {
        self.0.journal.clear(project);
    }

    /// Verifies that the calls that a test expects were made.
    ///
    /// # Errors
    ///
    /// The journal is off, or the expectation contradicts itself.
    pub fn verify(&self, expectation: &Expectation) -> Result<Verdict, ControlError> {
        self.0.journal.verify(expectation)
    }

    /// The clock of the server; [`Clock::of`] gives that of a project.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Which documented answers callers have met, in all projects.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.0.counts.coverage()
    }

    /// A summary: version, seed, clock and journal.
    #[must_use]
    pub fn status(&self) -> WorldStatus {
        WorldStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: self.seed(),
            clock: ClockStatus::of(&self.0.clock),
            journal: self.0.journal.status(),
        }
    }

    /// Counts and gauges, in the text format of Prometheus.
    #[must_use]
    pub fn metrics(&self) -> String {
        let projects = self.projects();
        let journal = self.0.journal.status();
        let mut records = BTreeMap::<&str, u64>::new();
        for (name, count) in projects.iter().flat_map(|project| &project.records) {
            *records.entry(name).or_default() += *count as u64;
        }
        let label = |(name, count)| (format!("{{resource=\"{name}\"}}"), count);
        let records = records.into_iter().map(label).collect();
        let faults = self.faults(None).len() as u64;
        let mut gauges = vec![
            Gauge::new("fabric_mock_projects", "Projects.", projects.len() as u64),
            Gauge::new(
                "fabric_mock_projects_limit",
                "Projects that there may be, besides the default one.",
                self.0.projects.most as u64,
            ),
            Gauge::new(
                "fabric_mock_tokens",
                "Tokens that were issued, to projects and to users.",
                self.0.callers.issued_tokens() as u64,
            ),
            Gauge {
                name: "fabric_mock_records",
                help: "Records, in all projects, by resource.",
                values: records,
            },
            Gauge::new("fabric_mock_faults", "Faults in force.", faults),
            Gauge::new(
                "fabric_mock_journal_entries",
                "Calls in the journal.",
                journal.entries as u64,
            ),
            Gauge::new("fabric_mock_journal_bytes", "Memory of the journal.", journal.bytes as u64),
        ];
        gauges.extend(self.0.spending.gauges());
        gauges.extend(self.0.served.get().into_iter().flat_map(Served::gauges));
        self.0.counts.prometheus(&gauges)
    }

    pub(crate) fn spending(&self) -> &Spending {
        &self.0.spending
    }

    /// The names under which calls must be, if they must be under certain ones.
    pub(crate) fn hosts(&self) -> Option<&Hosts> {
        self.0.hosts.as_ref()
    }

    /// Shows in [`Self::metrics`] what is counted of the server.
    pub(crate) fn count_of_server(&self, connections: Connections, bodies: Budget) {
        let _ = self.0.served.set(Served { connections, bodies });
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.0.directory
    }

    /// Gives a user a token, unless the user has changed since the password was verified.
    pub(crate) fn sign_in(
        &self,
        domain: &str,
        name: &str,
        user: Option<&Arc<User>>,
        grant: &Grant,
        write: Write,
    ) -> Option<String> {
        let _live = self.0.projects.read();
        self.0.directory.while_unchanged(domain, name, user, || {
            let token = self.0.callers.new_token();
            if write == Write::Kept {
                self.0.callers.accept_token(&token, grant.clone());
            }
            token
        })
    }

    fn seed(&self) -> u64 {
        self.0.projects.read().seed
    }

    #[cfg(feature = "record")]
    pub(crate) fn behaviour(&self) -> &Behaviour {
        &self.0.projects.behaviour
    }

    /// The time in a project, in whole milliseconds.
    pub(crate) fn now(&self, project: &ProjectId) -> SystemTime {
        time::whole_milliseconds(self.0.clock.now_in(project))
    }

    pub(crate) fn callers(&self) -> &Callers {
        &self.0.callers
    }

    pub(crate) fn active_faults(&self) -> &Faults {
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

    pub(crate) fn all_projects(&self) -> &Arc<Projects> {
        &self.0.projects
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.0.stop
    }

    /// A sequence of draws for a call that brings its own fault.
    pub(crate) fn header_draws(&self, project: &ProjectId) -> Draws {
        Draws::new(self.0.projects.draw_for_header(project), &["header call"])
    }
}

/// Why an account is not changed.
fn refused(refused: Refused) -> ControlError {
    match refused {
        Refused::Full => ControlError::conflict("there are too many already".to_owned()),
        Refused::Unknown => ControlError::not_found("there is no such user".to_owned()),
        Refused::Fixed => ControlError::conflict(
            "the user is one that the server was started with: disable it instead".to_owned(),
        ),
    }
}

/// A random seed, short enough to be typed.
fn random_seed() -> u64 {
    fastrand::u32(..).into()
}
