//! What is counted and found wrong while an attack runs.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::attack::answer::{Answer, Surface, Verdict};

/// What an attack has sent, what it got, and what of it breaks a promise.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    sent: AtomicU64,
    found: Mutex<Found>,
}

#[derive(Debug, Default)]
struct Found {
    /// What the attacker got, and how often.
    got: BTreeMap<String, u64>,
    exceptions: BTreeMap<&'static str, u64>,
    violations: Vec<String>,
    violations_count: u64,
}

/// How many violations are shown; the others are counted.
const SHOWN_MAX: usize = 5;

/// How many kinds of answers stand in a row of the table.
const KINDS_MAX: usize = 5;

impl Judge {
    /// Counts a request, or a connection or frame where there is no request.
    pub(crate) fn sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// How many requests were made.
    pub(crate) fn count(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Judges and counts an answer. See [`Answer::judge`].
    pub(crate) fn answer(&self, answer: &Answer, surface: Surface, is_http: bool, is_head: bool) {
        match answer.judge(surface, is_http, is_head) {
            Verdict::Contract => self.got(&answer.shown()),
            Verdict::Exception(reason) => {
                self.got(&answer.shown());
                *self.found().exceptions.entry(reason).or_default() += 1;
            }
            Verdict::Violation(reason) => self.violation(format!("outside the contract: {reason}")),
        }
    }

    /// Counts what the attacker got in place of an answer.
    pub(crate) fn got(&self, what: &str) {
        self.got_times(what, 1);
    }

    pub(crate) fn got_times(&self, what: &str, times: u64) {
        if times > 0 {
            *self.found().got.entry(what.to_owned()).or_default() += times;
        }
    }

    /// How often the attacker got what is like this.
    pub(crate) fn times(&self, is_like: impl Fn(&str) -> bool) -> u64 {
        self.found().got.iter().filter(|(what, _)| is_like(what)).map(|(_, times)| times).sum()
    }

    pub(crate) fn violation(&self, reason: String) {
        let mut found = self.found();
        found.violations_count += 1;
        if found.violations.len() < SHOWN_MAX && !found.violations.contains(&reason) {
            found.violations.push(reason);
        }
    }

    /// What is wrong, the first of each kind; nothing if all promises were kept.
    pub(crate) fn violations(&self) -> Vec<String> {
        let found = self.found();
        let mut shown = found.violations.clone();
        let more = found.violations_count.saturating_sub(shown.len() as u64);
        if more > 0 {
            shown.push(format!("and {more} more"));
        }
        shown
    }

    /// How many answers were exceptions, by their reasons.
    pub(crate) fn exceptions(&self) -> BTreeMap<&'static str, u64> {
        self.found().exceptions.clone()
    }

    /// What the attacker got, the most frequent first.
    pub(crate) fn gain(&self) -> String {
        let found = self.found();
        let mut got: Vec<_> = found.got.iter().collect();
        got.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
        let others: u64 = got.iter().skip(KINDS_MAX).map(|(_, times)| **times).sum();
        let mut shown: Vec<_> = got
            .iter()
            .take(KINDS_MAX)
            .map(
                |(what, times)| {
                    if **times == 1 { (*what).clone() } else { format!("{what} ×{times}") }
                },
            )
            .collect();
        if others > 0 {
            shown.push(format!("others ×{others}"));
        }
        shown.join(", ")
    }

    fn found(&self) -> std::sync::MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
