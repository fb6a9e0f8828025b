//! Faults: when a call goes wrong, how, and whether what it asked for is done all the same.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use fabric_model::health::ShowHealth;
use fabric_model::{
    AccessClientId, ApiError, Failure, Operation, OperationVisitor, ProjectId, visit_operations,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::mock::snapshot::Draws;
use crate::mock::{ControlError, random_stream};
use crate::time;

/// A rule: the calls that it is about, and what becomes of them.
///
/// Rules are looked at in the order in which they were added, those of the caller's project before those
/// for every project; the first that fires counts.
///
/// ```
/// use fabric_server::fault::{Effect, Fault, When, Write};
///
/// let fault = Fault {
///     when: When { operation: Some("CreateAccessClientInfo".into()), times: Some(1), ..When::default() },
///     then: Some(Effect::answer(408)),
///     write: Some(Write::Kept),
///     ..Fault::default()
/// };
/// let same = serde_json::json!({
///     "when": { "operation": "CreateAccessClientInfo", "times": 1 },
///     "then": { "kind": "answer", "status": 408 },
///     "write": "kept",
/// });
/// assert_eq!(serde_json::to_value(&fault)?, same);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which calls; all when absent.
    #[serde(default, skip_serializing_if = "When::is_always")]
    #[schema(inline)]
    pub when: When,
    /// How long the answer is held back, or what comes in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub delay: Option<Delay>,
    /// What comes in place of the answer; the service's own answer when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub then: Option<Effect>,
    /// Whether the service does what was asked. When absent: yes where the caller gets the service's own
    /// answer, whole or in part, and no where something else comes in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub write: Option<Write>,
}

/// The calls that a rule is about: those for which everything holds that is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The operation, by the id that it has in the `OpenAPI` document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("ShowAccessClient"))]
    pub operation: Option<String>,
    /// The project of the caller. The rule then belongs to the project, and ends with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>)]
    pub project_id: Option<ProjectId>,
    /// The access client in the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>)]
    pub client_id: Option<AccessClientId>,
    /// Only the n-th such call since the rule was made, from 1. Calls that other rules change count too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub call: Option<u64>,
    /// At most so many times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub times: Option<u64>,
    /// How likely, from 0 to 1, drawn from the seed of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    pub probability: Option<f64>,
    /// From this time on, by the clock of the project.
    #[serde(with = "time::optional", default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>, format = DateTime)]
    pub from: Option<SystemTime>,
    /// Until before this time.
    #[serde(with = "time::optional", default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>, format = DateTime)]
    pub until: Option<SystemTime>,
}

impl When {
    fn is_always(&self) -> bool {
        *self == Self::default()
    }
}

/// How long an answer is held back; at most ten minutes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Delay {
    /// Always as long.
    Fixed {
        /// So long.
        #[schema(maximum = 600_000)]
        milliseconds: u64,
    },
    /// Any time between two, each as likely.
    Uniform {
        /// The shortest.
        #[schema(maximum = 600_000)]
        minimum_milliseconds: u64,
        /// The longest.
        #[schema(maximum = 600_000)]
        maximum_milliseconds: u64,
    },
    /// As networks are: mostly near the median, at times much longer.
    LogNormal {
        /// Half of the calls take longer.
        #[schema(maximum = 600_000)]
        median_milliseconds: u64,
        /// How far it spreads: the standard deviation of the logarithm, such as 0.5.
        #[schema(minimum = 0, maximum = 10)]
        sigma: f64,
    },
}

/// The longest delay, and the longest that a call hangs.
pub(crate) const DELAY_MAX: Duration = Duration::from_mins(10);

/// What comes in place of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Another answer.
    Answer {
        /// Its status.
        #[schema(minimum = 200, maximum = 599)]
        status: u16,
        /// Which failure of the contract, where several have the status: 401 and 404 come from the
        /// service and from the gateway.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false, examples("APIG.0301"))]
        error_code: Option<String>,
        /// The body: text as it is, anything else as JSON. When absent: the contract's own for a failure, none
        /// for a success.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        body: Option<Value>,
        /// Headers besides those of every answer; its `X-request-id` and its length stay the server's.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
    },
    /// 429 with `Retry-After`.
    Throttle {
        /// How long to wait, in seconds.
        retry_after_seconds: u64,
    },
    /// The connection is reset in place of an answer (over HTTP/2 with all that is under way on it).
    Reset,
    /// The connection is closed in place of an answer.
    Drop,
    /// The head of the answer, a part of its body, and the end of the connection.
    Truncate {
        /// How much of the body is sent; half of it when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        bytes: Option<usize>,
    },
    /// A whole answer whose body is no JSON.
    Corrupt,
    /// The body comes in small pieces.
    Trickle {
        /// How much at a time; 1 when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false, minimum = 1)]
        bytes: Option<usize>,
        /// How long between two; 100 when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false, maximum = 600_000)]
        every_milliseconds: Option<u64>,
    },
    /// Nothing comes, for ten minutes; then the connection is closed.
    Hang,
}

impl Effect {
    /// The contract's own answer of a status, or success without a body.
    #[must_use]
    pub fn answer(status: u16) -> Self {
        Self::Answer { status, error_code: None, body: None, headers: BTreeMap::new() }
    }

    fn in_words(&self) -> String {
        match self {
            Self::Answer { status, .. } => format!("answers {status}"),
            Self::Throttle { .. } => "answers 429".to_owned(),
            Self::Reset => "resets the connection".to_owned(),
            Self::Drop => "closes the connection".to_owned(),
            Self::Truncate { .. } => "cuts the body off".to_owned(),
            Self::Corrupt => "breaks the body".to_owned(),
            Self::Trickle { .. } => "sends the body in small pieces".to_owned(),
            Self::Hang => "never answers".to_owned(),
        }
    }

    /// Whether the caller gets the service's own answer, if only in part.
    fn shows_own_answer(&self) -> bool {
        matches!(self, Self::Truncate { .. } | Self::Corrupt | Self::Trickle { .. })
    }
}

/// Whether the service does what was asked, when the caller is not told so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// It does.
    Kept,
    /// It does not.
    Discarded,
}

/// A rule that is in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FaultStatus {
    /// Its number, by which it is removed.
    pub id: u64,
    /// The rule, with what was left open decided.
    #[serde(flatten)]
    pub fault: Fault,
    /// How many calls it was about.
    pub matched: u64,
    /// How many of them it changed.
    pub fired: u64,
}

impl Fault {
    /// Whether the service does what was asked.
    #[must_use]
    pub fn is_write_kept(&self) -> bool {
        match self.write {
            Some(write) => write == Write::Kept,
            None => self.then.as_ref().is_none_or(Effect::shows_own_answer),
        }
    }

    /// Reads the header `X-Mock-Fault`: a rule in JSON, a status, or the kind of an effect that needs
    /// nothing else, such as `reset`.
    pub(crate) fn parse_header(value: &HeaderValue) -> Result<Self, ControlError> {
        let wrong = ControlError::invalid;
        let text = value.to_str().map_err(|_| wrong("must be ASCII".to_owned()))?.trim();
        let fault = if text.starts_with('{') {
            fabric_model::json::read(text.as_bytes())
                .map_err(|invalid| wrong(invalid.to_string()))?
        } else {
            let then = match text.parse() {
                Ok(status) => Effect::answer(status),
                Err(_) => {
                    serde_json::from_value(serde_json::json!({ "kind": text })).map_err(|_| {
                        wrong(
                            "must be a rule in JSON, a status, or one of reset, drop, truncate, \
                             corrupt, trickle and hang"
                                .to_owned(),
                        )
                    })?
                }
            };
            Self { then: Some(then), ..Self::default() }
        };
        if !fault.when.is_always() {
            return Err(wrong("`when` is this very call; leave it out".to_owned()));
        }
        fault.checked()
    }

    /// The rule, if it can be kept to, with what was left open decided.
    pub(crate) fn checked(mut self) -> Result<Self, ControlError> {
        let wrong =
            |field: &str, rule: &str| Err(ControlError::invalid(format!("{field}: {rule}")));
        let When { operation, call, times, probability, from, until, .. } = &self.when;
        if let Some(id) = operation
            && !operation_ids().contains(&id.as_str())
        {
            let known = operation_ids().join(", ");
            return wrong("when.operation", &format!("must be one of {known}"));
        }
        if operation.as_deref() == Some(ShowHealth::ID) && self.when.project_id.is_some() {
            return wrong("when.project_id", "must be left out: a health check is of no project");
        }
        if *call == Some(0) || *times == Some(0) {
            return wrong("when.call, when.times", "must be at least 1");
        }
        if probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return wrong("when.probability", "must be from 0 to 1");
        }
        if let (Some(from), Some(until)) = (from, until)
            && from >= until
        {
            return wrong("when.until", "must be later than when.from");
        }
        let longest = DELAY_MAX.as_millis();
        let is_too_long = |milliseconds: u64| u128::from(milliseconds) > longest;
        match self.delay {
            Some(
                Delay::Fixed { milliseconds }
                | Delay::LogNormal { median_milliseconds: milliseconds, .. },
            ) if is_too_long(milliseconds) => {
                return wrong("delay", "must be at most 600000 milliseconds");
            }
            Some(Delay::Uniform { minimum_milliseconds, maximum_milliseconds })
                if is_too_long(maximum_milliseconds)
                    || minimum_milliseconds > maximum_milliseconds =>
            {
                return wrong(
                    "delay",
                    "must go from a minimum to a maximum of 600000 milliseconds",
                );
            }
            Some(Delay::LogNormal { sigma, .. }) if !(0.0..=10.0).contains(&sigma) => {
                return wrong("delay.sigma", "must be from 0 to 10");
            }
            _ => {}
        }
        match &self.then {
            None if self.delay.is_none() => {
                return wrong("then", "must be given, or a delay: the rule would do nothing");
            }
            Some(effect @ Effect::Answer { .. }) => _ = effect.replacement()?,
            Some(Effect::Trickle { bytes, every_milliseconds })
                if *bytes == Some(0) || every_milliseconds.is_some_and(is_too_long) =>
            {
                return wrong("then", "must be at least 1 byte every 600000 milliseconds");
            }
            _ => {}
        }
        self.write = Some(if self.is_write_kept() { Write::Kept } else { Write::Discarded });
        Ok(self)
    }
}

impl Effect {
    /// The answer that comes in place of the service's own, if one does.
    fn replacement(&self) -> Result<Option<Answer>, ControlError> {
        let (status, error_code, body, headers) = match self {
            Self::Answer { status, error_code, body, headers } => {
                (*status, error_code.as_deref(), body.as_ref(), headers)
            }
            Self::Throttle { retry_after_seconds } => {
                let mut answer = Answer::of(&Failure::Throttled.into());
                answer.headers.insert(http::header::RETRY_AFTER, (*retry_after_seconds).into());
                return Ok(Some(answer));
            }
            _ => return Ok(None),
        };
        let wrong =
            |field: &str, rule: &str| ControlError::invalid(format!("then.{field}: {rule}"));
        let status = StatusCode::from_u16(status)
            .ok()
            .filter(|status| status.as_u16() >= 200 && status.as_u16() < 600)
            .ok_or_else(|| wrong("status", "must be from 200 to 599"))?;
        let failure = Failure::ALL.into_iter().find(|failure| {
            failure.status() == status && error_code.is_none_or(|code| failure.code() == code)
        });
        let mut answer = match (body, failure) {
            (Some(Value::String(text)), _) => Answer::new(status, text.clone().into()),
            (Some(body), _) => Answer::json(status, body.to_string().into()),
            (None, Some(failure)) => Answer::of(&ApiError::from(failure)),
            (None, None) if error_code.is_some() => {
                return Err(wrong(
                    "error_code",
                    "is of no failure of the contract with that status",
                ));
            }
            (None, None) if status.is_success() => Answer::new(status, bytes::Bytes::new()),
            (None, None) => {
                return Err(wrong(
                    "body",
                    "must be given: no failure of the contract has the status",
                ));
            }
        };
        for (name, value) in headers {
            let name = HeaderName::try_from(name.as_str())
                .map_err(|_| wrong("headers", "has a name that no header can have"))?;
            if [http::header::CONTENT_LENGTH, http::header::TRANSFER_ENCODING].contains(&name) {
                return Err(wrong("headers", "must leave the length to the server"));
            }
            let value = HeaderValue::try_from(value.as_str())
                .map_err(|_| wrong("headers", "has a value that no header can have"))?;
            answer.headers.insert(name, value);
        }
        Ok(Some(answer))
    }
}

/// The names of all operations.
pub(crate) fn operation_ids() -> Vec<&'static str> {
    struct Ids(Vec<&'static str>);
    impl OperationVisitor for Ids {
        fn visit<O: Operation>(&mut self) {
            self.0.push(O::ID);
        }
    }
    let mut ids = Ids(Vec::new());
    visit_operations(&mut ids);
    ids.0
}

/// A fault that is to happen to a call.
#[derive(Clone, Debug)]
pub(crate) struct Firing {
    /// The rule; none where the caller asked for it.
    pub(crate) id: Option<u64>,
    pub(crate) delay: Duration,
    pub(crate) then: Option<Effect>,
    pub(crate) is_write_kept: bool,
}

impl Firing {
    /// What the rule makes of an answer, unless it breaks the connection.
    pub(crate) fn replacement(&self) -> Option<Answer> {
        self.then.as_ref()?.replacement().ok()?
    }

    /// What was asked for with this very call.
    pub(crate) fn of_header(
        headers: &HeaderMap,
        random: impl FnOnce() -> fastrand::Rng,
    ) -> Result<Option<Self>, ControlError> {
        let mut values = headers.get_all(super::X_MOCK_FAULT).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(ControlError::invalid("must be given once".to_owned()));
        }
        let fault = Fault::parse_header(value)?;
        Ok(Some(Self::new(None, &fault, &mut random())))
    }

    /// Whether an answer is sent, be it in part.
    pub(crate) fn is_answered(&self) -> bool {
        !matches!(self.then, Some(Effect::Reset | Effect::Drop | Effect::Hang))
    }

    /// What happens, for whoever wonders.
    pub(crate) fn in_words(&self) -> String {
        let whose = match self.id {
            Some(id) => format!("fault {id}"),
            None => "fault of X-Mock-Fault".to_owned(),
        };
        let effect = match &self.then {
            None => String::new(),
            Some(effect) => format!(", {}", effect.in_words()),
        };
        let delay = match self.delay {
            Duration::ZERO => String::new(),
            delay => format!(", {} ms late", delay.as_millis()),
        };
        let write = if self.is_write_kept { "kept" } else { "discarded" };
        format!("{whose}{effect}{delay}, write {write}")
    }

    fn new(id: Option<u64>, fault: &Fault, random: &mut fastrand::Rng) -> Self {
        let delay = fault.delay.map_or(Duration::ZERO, |delay| delay.draw(random));
        let is_write_kept = fault.is_write_kept();
        Self { id, delay, then: fault.then.clone(), is_write_kept }
    }
}

impl Delay {
    fn draw(self, random: &mut fastrand::Rng) -> Duration {
        let delay = match self {
            Self::Fixed { milliseconds } => Duration::from_millis(milliseconds),
            Self::Uniform { minimum_milliseconds, maximum_milliseconds } => {
                Duration::from_millis(random.u64(minimum_milliseconds..=maximum_milliseconds))
            }
            Self::LogNormal { median_milliseconds, sigma } => {
                // Box and Muller: from two even draws, one that is normal.
                let (first, second) = (1.0 - random.f64(), random.f64());
                let normal = (-2.0 * first.ln()).sqrt() * (std::f64::consts::TAU * second).cos();
                let median = Duration::from_millis(median_milliseconds).as_secs_f64();
                let seconds = median * (sigma * normal).exp();
                Duration::try_from_secs_f64(seconds).unwrap_or(DELAY_MAX)
            }
        };
        delay.min(DELAY_MAX)
    }
}

/// A rule with what has come of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rule {
    #[serde(flatten)]
    pub(crate) status: FaultStatus,
    /// Its place among the rules of its project, which its draws hang on.
    #[serde(default)]
    place: u64,
    /// Where its draws have come to.
    random: Draws,
}

impl Rule {
    /// Whether the rule would change the call. Counts the calls that it is about, whichever rule changes
    /// them in the end.
    fn wants(&mut self, call: &Call<'_>) -> bool {
        let FaultStatus { fault, matched, fired, .. } = &mut self.status;
        let when = &fault.when;
        let is_meant = when.operation.as_deref().is_none_or(|id| id == call.operation)
            && when.client_id.as_ref().is_none_or(|id| call.client_id == Some(id.as_str()))
            && when.from.is_none_or(|from| from <= call.now)
            && when.until.is_none_or(|until| call.now < until);
        if !is_meant {
            return false;
        }
        *matched = matched.saturating_add(1);
        let is_likely = when.probability.is_none_or(|probability| {
            let mut random = self.random.go_on();
            let drawn = random.f64();
            self.random = Draws::of(&random);
            drawn < probability
        });
        is_likely
            && when.call.is_none_or(|call| call == *matched)
            && when.times.is_none_or(|times| *fired < times)
    }

    fn fire(&mut self) -> Firing {
        self.status.fired = self.status.fired.saturating_add(1);
        let mut random = self.random.go_on();
        let firing = Firing::new(Some(self.status.id), &self.status.fault, &mut random);
        self.random = Draws::of(&random);
        firing
    }
}

/// A call as rules see it.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) operation: &'static str,
    pub(crate) project: &'a ProjectId,
    pub(crate) client_id: Option<&'a str>,
    pub(crate) now: SystemTime,
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Mutex<Rules>,
    /// How many there are: mostly none, and then nothing is locked.
    count: AtomicUsize,
}

/// The rules of every project, and under no project those for all.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rules {
    pub(crate) of: BTreeMap<Option<ProjectId>, Vec<Rule>>,
    pub(crate) last_id: u64,
}

/// The most rules at a time: each call of a project looks at all of its own.
pub(crate) const RULES_MAX: usize = 10_000;

impl Faults {
    /// What is to happen to a call, if anything.
    pub(crate) fn draw(&self, call: &Call<'_>) -> Option<Firing> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut rules = self.rules.lock();
        let mut firing = None;
        for scope in [Some(call.project.clone()), None] {
            for rule in rules.of.get_mut(&scope).into_iter().flatten() {
                if rule.wants(call) && firing.is_none() {
                    firing = Some(rule.fire());
                }
            }
        }
        firing
    }

    pub(crate) fn add(&self, fault: Fault, rng_seed: u64) -> Result<FaultStatus, ControlError> {
        let fault = fault.checked()?;
        self.change(|rules| {
            if rules.of.values().map(Vec::len).sum::<usize>() >= RULES_MAX {
                let reason = format!("there are {RULES_MAX} faults already; remove some");
                return Err(ControlError::conflict(reason));
            }
            let Some(id) = rules.last_id.checked_add(1) else {
                return Err(ControlError::conflict("there are no more numbers".to_owned()));
            };
            rules.last_id = id;
            let project = fault.when.project_id.clone();
            let of_project = rules.of.entry(project.clone()).or_default();
            // By its place among those of its project, so that other projects don't change its draws.
            let place = of_project.last().map_or(0, |last| last.place.saturating_add(1));
            let name = project.as_ref().map_or("", ProjectId::as_str);
            let random = random_stream(rng_seed, &["fault", name, &place.to_string()]);
            let status = FaultStatus { id, fault, matched: 0, fired: 0 };
            of_project.push(Rule { status: status.clone(), place, random: Draws::of(&random) });
            Ok(status)
        })
    }

    /// The rules of a project, or all.
    pub(crate) fn list(&self, project: Option<&ProjectId>) -> Vec<FaultStatus> {
        let rules = self.rules.lock();
        let of = rules.of.iter().filter(|(of, _)| project.is_none() || of.as_ref() == project);
        let mut all: Vec<_> =
            of.flat_map(|(_, rules)| rules).map(|rule| rule.status.clone()).collect();
        all.sort_by_key(|status| status.id);
        all
    }

    pub(crate) fn count(&self, project: &ProjectId) -> usize {
        self.rules.lock().of.get(&Some(project.clone())).map_or(0, Vec::len)
    }

    pub(crate) fn remove(&self, id: u64) -> bool {
        self.change(|rules| {
            let before: usize = rules.of.values().map(Vec::len).sum();
            for of_project in rules.of.values_mut() {
                of_project.retain(|rule| rule.status.id != id);
            }
            before != rules.of.values().map(Vec::len).sum::<usize>()
        })
    }

    /// Removes those of a project, or all.
    pub(crate) fn clear(&self, project: Option<&ProjectId>) {
        self.change(|rules| match project {
            Some(project) => _ = rules.of.remove(&Some(project.clone())),
            None => rules.of.clear(),
        });
    }

    pub(crate) fn rules(&self) -> Rules {
        self.rules.lock().clone()
    }

    pub(crate) fn restore(&self, restored: Rules) {
        self.change(|rules| *rules = restored);
    }

    pub(crate) fn replace_of(&self, project: &ProjectId, of_project: Option<&Vec<Rule>>) {
        let of_project = of_project.cloned().unwrap_or_default();
        self.change(|rules| _ = rules.of.insert(Some(project.clone()), of_project));
    }

    fn change<T>(&self, act: impl FnOnce(&mut Rules) -> T) -> T {
        let mut rules = self.rules.lock();
        let outcome = act(&mut rules);
        rules.of.retain(|_, of_project| !of_project.is_empty());
        self.count.store(rules.of.values().map(Vec::len).sum(), Ordering::Release);
        outcome
    }
}
