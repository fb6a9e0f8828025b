//! Coverage: how often callers met each documented answer of each operation.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fabric_model::{ApiError, Failure, OperationInfo, identity, operations};
use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which documented answers callers have met, and which not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Coverage {
    /// How many of the documented answers were met at least once.
    pub covered: usize,
    /// How many there are: for each operation its success and its documented failures.
    pub total: usize,
    /// `covered` of `total`, in per cent, to one digit.
    pub percent: f64,
    /// Each operation.
    pub operations: Vec<OperationCoverage>,
}

/// Which answers of an operation callers have met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OperationCoverage {
    /// The operation, by the id that it has in the `OpenAPI` document.
    pub operation: String,
    /// The documented answers, then others that were met.
    pub answers: Vec<AnswerCoverage>,
}

/// How often an answer was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnswerCoverage {
    /// Its status; absent if there was no answer, such as when a fault closes the connection.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Its code.
    pub error_code: Option<String>,
    /// Whether the operation documents it.
    pub is_documented: bool,
    /// How often.
    pub calls: u64,
}

/// A number that goes up and down, for Prometheus.
pub(crate) struct Gauge<'a> {
    pub(crate) name: &'a str,
    pub(crate) help: &'a str,
    /// By their labels, in braces, if they have any.
    pub(crate) values: Vec<(String, u64)>,
}

impl<'a> Gauge<'a> {
    /// One without labels.
    pub(crate) fn new(name: &'a str, help: &'a str, value: u64) -> Self {
        Self { name, help, values: vec![(String::new(), value)] }
    }
}

/// Success, each failure, and everything else.
const ANSWERS: usize = Failure::ALL.len() + 2;
const SUCCESS: usize = 0;
const OTHER: usize = ANSWERS - 1;

/// The counts of a server, of every operation.
#[derive(Debug)]
pub(crate) struct Counts {
    operations: Vec<OfOperation>,
    /// Their places, by their ids.
    places: HashMap<&'static str, usize, FixedState>,
    /// What was of no operation.
    elsewhere: AtomicU64,
    /// How many calls took at most so long, and how long all took.
    times: [AtomicU64; BUCKETS.len()],
    microseconds: AtomicU64,
}

#[derive(Debug)]
struct OfOperation {
    operation: &'static OperationInfo,
    answers: [AtomicU64; ANSWERS],
}

/// In microseconds.
const BUCKETS: [u64; 8] = [50, 100, 250, 500, 1_000, 10_000, 100_000, u64::MAX];

impl Counts {
    pub(crate) fn new() -> Self {
        let counted = |operation: &&'static OperationInfo| OfOperation {
            operation,
            answers: Default::default(),
        };
        let operations: Vec<_> =
            operations().iter().chain(identity::operations()).map(counted).collect();
        let places = operations.iter().enumerate().map(|(place, of)| (of.operation.id, place));
        Self {
            places: places.collect(),
            operations,
            elsewhere: AtomicU64::new(0),
            times: Default::default(),
            microseconds: AtomicU64::new(0),
        }
    }

    /// Counts an answer; `None` for none. `error` is what a failure says.
    pub(crate) fn add(
        &self,
        operation: Option<&OperationInfo>,
        status: Option<u16>,
        error_code: Option<&str>,
        took: Duration,
    ) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS.iter().position(|most| took <= *most).unwrap_or_default();
        self.times[bucket].fetch_add(1, Ordering::Relaxed);
        self.microseconds.fetch_add(took, Ordering::Relaxed);
        let place = operation.and_then(|operation| self.places.get(operation.id));
        let of = place.map(|place| &self.operations[*place]);
        let counter = match of {
            None => &self.elsewhere,
            Some(of) => &of.answers[of.place(status, error_code)],
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn clear(&self) {
        let answers = self.operations.iter().flat_map(|of| &of.answers);
        for counter in answers.chain(&self.times).chain([&self.elsewhere, &self.microseconds]) {
            counter.store(0, Ordering::Relaxed);
        }
    }

    pub(crate) fn coverage(&self) -> Coverage {
        // Sign-in is no part of the service.
        let of_service = |of: &&OfOperation| !of.operation.is_sign_in;
        let operations = self.operations.iter().filter(of_service);
        let operations: Vec<_> = operations.map(OfOperation::coverage).collect();
        let documented =
            || operations.iter().flat_map(|of| &of.answers).filter(|of| of.is_documented);
        let (covered, total) =
            (documented().filter(|of| of.calls > 0).count(), documented().count());
        #[expect(clippy::cast_precision_loss, reason = "both are below a hundred or so")]
        let percent = (1_000.0 * covered as f64 / total as f64).round() / 10.0;
        Coverage { covered, total, percent, operations }
    }

    /// The same for Prometheus.
    pub(crate) fn prometheus(&self, gauges: &[Gauge<'_>]) -> String {
        use std::fmt::Write;
        let mut text = String::new();
        let name = "fabric_mock_answers_total";
        let mut line = |line: std::fmt::Arguments<'_>| _ = writeln!(text, "{line}");
        line(format_args!("# HELP {name} Answers, by operation, status and error code."));
        line(format_args!("# TYPE {name} counter"));
        for of in self.operations.iter().map(OfOperation::coverage) {
            for answer in &of.answers {
                let status = answer.status.map_or("none".to_owned(), |status| status.to_string());
                let (operation, code) =
                    (&of.operation, answer.error_code.as_deref().unwrap_or_default());
                let labels =
                    format!("operation=\"{operation}\",status=\"{status}\",error_code=\"{code}\"");
                line(format_args!("{name}{{{labels}}} {}", answer.calls));
            }
        }
        let elsewhere = self.elsewhere.load(Ordering::Relaxed);
        line(format_args!("{name}{{operation=\"\",status=\"\",error_code=\"\"}} {elsewhere}"));
        let name = "fabric_mock_answer_seconds";
        line(format_args!("# HELP {name} How long the service took, without delays of faults."));
        line(format_args!("# TYPE {name} histogram"));
        let mut count = 0;
        for (most, calls) in BUCKETS.iter().zip(&self.times) {
            count += calls.load(Ordering::Relaxed);
            let most = if *most == u64::MAX {
                "+Inf".to_owned()
            } else {
                Duration::from_micros(*most).as_secs_f64().to_string()
            };
            line(format_args!("{name}_bucket{{le=\"{most}\"}} {count}"));
        }
        let seconds =
            Duration::from_micros(self.microseconds.load(Ordering::Relaxed)).as_secs_f64();
        line(format_args!("{name}_sum {seconds}"));
        line(format_args!("{name}_count {count}"));
        for Gauge { name, help, values } in gauges {
            line(format_args!("# HELP {name} {help}"));
            line(format_args!("# TYPE {name} gauge"));
            for (labels, value) in values {
                line(format_args!("{name}{labels} {value}"));
            }
        }
        text
    }
}

impl OfOperation {
    fn place(&self, status: Option<u16>, error_code: Option<&str>) -> usize {
        let Some(status) = status else { return OTHER };
        if status == self.operation.success.as_u16() {
            return SUCCESS;
        }
        // A status counts as met whoever answers with it, and in whatever words.
        let has = |failure: &&Failure| failure.status().as_u16() == status;
        let failures = || Failure::ALL.iter().filter(has);
        let exact = failures().find(|failure| Some(failure.code()) == error_code);
        let place = exact.or_else(|| failures().next());
        place
            .and_then(|found| Failure::ALL.iter().position(|failure| failure == found))
            .map_or(OTHER, |place| place + 1)
    }

    fn coverage(&self) -> OperationCoverage {
        let calls = |place: usize| self.answers[place].load(Ordering::Relaxed);
        let success = AnswerCoverage {
            status: Some(self.operation.success.as_u16()),
            error_code: None,
            is_documented: true,
            calls: calls(SUCCESS),
        };
        let failures = Failure::ALL.iter().enumerate().map(|(place, failure)| AnswerCoverage {
            status: Some(failure.status().as_u16()),
            error_code: ApiError::from(*failure).code().map(String::from),
            is_documented: self.operation.failures.contains(failure),
            calls: calls(place + 1),
        });
        let other = AnswerCoverage {
            status: None,
            error_code: None,
            is_documented: false,
            calls: calls(OTHER),
        };
        let mut answers = vec![success];
        answers.extend(
            failures.chain([other]).filter(|answer| answer.is_documented || answer.calls > 0),
        );
        OperationCoverage { operation: self.operation.id.to_owned(), answers }
    }
}
