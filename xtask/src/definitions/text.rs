//! What texts a schema allows, in words that are the same for the same texts: `1 to 36 of [0-9A-Za-z]`.
//!
//! Limits of length and pattern are taken together, since one document says with the one what another says
//! with the other. Of patterns it is the meaning that counts: the order in a class, escapes, groups and
//! alternatives that list words are all one.

use std::collections::BTreeSet;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look};
use serde_json::{Map, Value};

/// How many words a pattern may list until it counts as a pattern.
const MOST_WORDS: usize = 64;

/// What a schema of type `string` allows; `None` if that is any text.
pub(super) fn allowed(schema: &Map<String, Value>) -> Option<String> {
    let limit = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
    let lengths = Lengths { min: limit("minLength").unwrap_or(0), max: limit("maxLength") };
    let pattern = schema.get("pattern").and_then(Value::as_str).map(Pattern::read);
    let listed = schema.get("enum").and_then(Value::as_array).map(|values| {
        values.iter().map(|value| value.as_str().unwrap_or_default().to_owned()).collect()
    });
    let words: Option<BTreeSet<String>> = listed.or_else(|| match &pattern {
        Some(Ok(pattern)) if pattern.is_whole() => words(&pattern.core),
        _ => None,
    });
    if let Some(words) = words {
        let fit = words.into_iter().filter(|word| lengths.hold(word)).collect::<Vec<_>>();
        return Some(format!("one of {}", fit.join(", ")));
    }
    match pattern {
        None => lengths.told().map(|lengths| format!("{lengths} characters")),
        Some(Err(pattern)) => Some(format!("{} like {pattern}", lengths.shown())),
        Some(Ok(pattern)) => match run(&pattern.core) {
            Some((class, own)) if pattern.is_whole() => {
                let class = Hir::class(Class::Unicode(class));
                Some(format!("{} of {class}", lengths.and(&own).shown()))
            }
            _ if pattern.is_whole() => {
                let lengths = lengths.and(&Lengths::of(&pattern.core));
                Some(format!("{} characters {pattern}", lengths.shown()))
            }
            _ => Some(format!("{} characters {pattern}", lengths.shown())),
        },
    }
}

/// How many characters a text may have.
#[derive(Clone, Copy)]
struct Lengths {
    min: u64,
    max: Option<u64>,
}

impl Lengths {
    /// How many characters the texts have that fit.
    fn of(hir: &Hir) -> Self {
        let exactly = |length: u64| Self { min: length, max: Some(length) };
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => exactly(0),
            HirKind::Literal(literal) => {
                exactly(String::from_utf8_lossy(&literal.0).chars().count() as u64)
            }
            HirKind::Class(_) => exactly(1),
            HirKind::Capture(capture) => Self::of(&capture.sub),
            HirKind::Repetition(repetition) => {
                let each = Self::of(&repetition.sub);
                let times = repetition.max.map(u64::from);
                let max = each.max.zip(times).and_then(|(each, times)| each.checked_mul(times));
                Self { min: each.min.saturating_mul(repetition.min.into()), max }
            }
            HirKind::Concat(parts) => parts.iter().map(Self::of).fold(exactly(0), |sum, part| {
                let max = sum.max.zip(part.max).and_then(|(sum, part)| sum.checked_add(part));
                Self { min: sum.min.saturating_add(part.min), max }
            }),
            HirKind::Alternation(parts) => {
                let each = || parts.iter().map(Self::of);
                let max = each().map(|part| part.max).collect::<Option<Vec<_>>>();
                Self {
                    min: each().map(|part| part.min).min().unwrap_or(0),
                    max: max.and_then(|lengths| lengths.into_iter().max()),
                }
            }
        }
    }

    fn hold(&self, text: &str) -> bool {
        let length = text.chars().count() as u64;
        length >= self.min && self.max.is_none_or(|max| length <= max)
    }

    fn and(&self, other: &Self) -> Self {
        let max = [self.max, other.max].into_iter().flatten().min();
        Self { min: self.min.max(other.min), max }
    }

    fn told(&self) -> Option<String> {
        (self.min > 0 || self.max.is_some()).then(|| self.shown())
    }

    fn shown(&self) -> String {
        match self.max {
            Some(max) => format!("{} to {max}", self.min),
            None => format!("{} or more", self.min),
        }
    }
}

/// A pattern without the anchors at its ends.
struct Pattern {
    core: Hir,
    at_start: bool,
    at_end: bool,
}

impl Pattern {
    /// Reads a pattern as JavaScript means it, in which `\w` is ASCII; fails with the pattern if it can't.
    fn read(pattern: &str) -> Result<Self, String> {
        let ascii = pattern.replace(r"\w", "[0-9A-Za-z_]").replace(r"\d", "[0-9]");
        let hir = ParserBuilder::new().build().parse(&ascii).map_err(|_| pattern.to_owned())?;
        let mut parts = match hir.into_kind() {
            HirKind::Concat(parts) => parts,
            kind => vec![rebuilt(kind)],
        };
        let is = |part: Option<&Hir>, look: Look| {
            part.is_some_and(|part| matches!(part.kind(), HirKind::Look(it) if *it == look))
        };
        let at_start = is(parts.first(), Look::Start);
        if at_start {
            parts.remove(0);
        }
        let at_end = is(parts.last(), Look::End);
        if at_end {
            parts.pop();
        }
        let core = Hir::concat(parts.into_iter().map(without_groups).collect());
        Ok(Self { core, at_start, at_end })
    }

    /// Whether a text must fit it from end to end.
    fn is_whole(&self) -> bool {
        self.at_start && self.at_end
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match (self.at_start, self.at_end) {
            (true, true) => "like",
            (true, false) => "that begin like",
            (false, true) => "that end like",
            (false, false) => "that somewhere are like",
        };
        match words(&self.core) {
            Some(words) => {
                let words = words.into_iter().collect::<Vec<_>>();
                write!(formatter, "{what} one of {}", words.join(", "))
            }
            None => write!(formatter, "{what} {}", self.core),
        }
    }
}

fn rebuilt(kind: HirKind) -> Hir {
    match kind {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Repetition(repetition) => Hir::repetition(repetition),
        HirKind::Capture(capture) => Hir::capture(capture),
        HirKind::Concat(parts) => Hir::concat(parts),
        HirKind::Alternation(parts) => Hir::alternation(parts),
    }
}

fn without_groups(hir: Hir) -> Hir {
    let all = |parts: Vec<Hir>| parts.into_iter().map(without_groups).collect();
    match hir.into_kind() {
        HirKind::Capture(capture) => without_groups(*capture.sub),
        HirKind::Repetition(mut repetition) => {
            *repetition.sub = without_groups(*repetition.sub);
            Hir::repetition(repetition)
        }
        HirKind::Concat(parts) => Hir::concat(all(parts)),
        HirKind::Alternation(parts) => {
            let mut parts = all(parts);
            parts.sort_by_cached_key(Hir::to_string);
            Hir::alternation(parts)
        }
        kind => rebuilt(kind),
    }
}

/// The characters and lengths of a pattern that is one class, repeated or not.
fn run(core: &Hir) -> Option<(ClassUnicode, Lengths)> {
    match core.kind() {
        HirKind::Repetition(repetition) => {
            let class = class(&repetition.sub)?;
            let max = repetition.max.map(u64::from);
            Some((class, Lengths { min: repetition.min.into(), max }))
        }
        _ => Some((class(core)?, Lengths { min: 1, max: Some(1) })),
    }
}

fn class(hir: &Hir) -> Option<ClassUnicode> {
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class.clone()),
        HirKind::Literal(literal) => {
            let mut characters = std::str::from_utf8(&literal.0).ok()?.chars();
            let (character, None) = (characters.next()?, characters.next()) else { return None };
            Some(ClassUnicode::new([ClassUnicodeRange::new(character, character)]))
        }
        _ => None,
    }
}

/// The texts that fit, if they are few.
fn words(hir: &Hir) -> Option<BTreeSet<String>> {
    let words: BTreeSet<String> = match hir.kind() {
        HirKind::Empty => [String::new()].into(),
        HirKind::Literal(literal) => [String::from_utf8(literal.0.to_vec()).ok()?].into(),
        HirKind::Class(Class::Unicode(class)) => {
            const MOST_LETTERS: usize = 8;
            let letters = class.iter().flat_map(|range| range.start()..=range.end());
            let letters: BTreeSet<_> = letters.take(MOST_LETTERS + 1).map(String::from).collect();
            (letters.len() <= MOST_LETTERS).then_some(letters)?
        }
        HirKind::Repetition(optional) if (optional.min, optional.max) == (0, Some(1)) => {
            let mut words = words(&optional.sub)?;
            words.insert(String::new());
            words
        }
        HirKind::Concat(parts) => {
            parts.iter().try_fold(BTreeSet::from([String::new()]), |begun, part| {
                let ends = words(part)?;
                let words = begun
                    .iter()
                    .flat_map(|begun| ends.iter().map(move |end| format!("{begun}{end}")));
                Some(words.collect::<BTreeSet<_>>()).filter(|words| words.len() <= MOST_WORDS)
            })?
        }
        HirKind::Alternation(parts) => {
            let words = parts.iter().map(words).collect::<Option<Vec<_>>>()?;
            words.into_iter().flatten().collect()
        }
        _ => return None,
    };
    (words.len() <= MOST_WORDS).then_some(words)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(schema: &Value) -> String {
        allowed(schema.as_object().expect("an object")).unwrap_or_default()
    }

    fn of_pattern(pattern: &str) -> String {
        shown(&json!({ "pattern": pattern }))
    }

    #[test]
    fn what_means_the_same_reads_the_same() {
        let lengths = json!({ "pattern": "^[A-Za-z0-9-]*$", "minLength": 1, "maxLength": 36 });
        assert_eq!(shown(&lengths), "1 to 36 of [\\-0-9A-Za-z]");
        assert_eq!(of_pattern("^[0-9a-zA-Z\\-]{1,36}$"), shown(&lengths));
        let again = json!({ "pattern": "^[a-zA-Z0-9-]{0,99}$", "minLength": 1, "maxLength": 36 });
        assert_eq!(shown(&again), shown(&lengths));

        assert_eq!(of_pattern("^[\\u4e00-\\u9fa5_\\-\\ ]+$"), of_pattern("^[ _一-龥-]+$"));
        assert_eq!(of_pattern("^[\\p{N}\\p{L}.\\/]*$"), of_pattern("^[./\\p{L}\\p{N}]*$"));
        assert_eq!(of_pattern("^\\/(\\w+\\/?)+$"), of_pattern("^/(?:[A-Za-z0-9_]+/?)+$"));
        let length =
            json!({ "pattern": "^x-(ab|c)[0-9a-f]{8}$", "minLength": 11, "maxLength": 99 });
        assert_eq!(of_pattern("^x-(c|ab)[a-f0-9]{8}$"), shown(&length));
        assert_eq!(of_pattern("^(DPU|APU|MU)$"), "one of APU, DPU, MU");
        assert_eq!(of_pattern("^(DPU|APU|MU)$"), shown(&json!({ "enum": ["MU", "DPU", "APU"] })));
        assert_eq!(shown(&json!({ "minLength": 0 })), "");
    }

    #[test]
    fn what_means_something_else_reads_otherwise() {
        let id = of_pattern("^[A-Za-z0-9-]{1,36}$");
        for other in [
            "^[A-Za-z0-9_-]{1,36}$",
            "^[A-Za-z0-9-]{1,37}$",
            "^[A-Za-z0-9-]{0,36}$",
            "^[A-Za-z0-9-]{1,}$",
            "[A-Za-z0-9-]{1,36}$",
            "^[A-Za-z0-9-]{1,36}",
            "[A-Za-z0-9-]{1,36}",
            "^[^A-Za-z0-9-]{1,36}$",
            "^([A-Za-z0-9]-?){1,36}$",
        ] {
            assert_ne!(of_pattern(other), id, "{other}");
        }
        assert_ne!(of_pattern("^(DESC|ASC)$"), of_pattern("(DESC|ASC)"));
        assert_ne!(of_pattern("^obs://.+/$"), of_pattern("^obs://[^/]+/.+$"));
        assert_ne!(of_pattern("^[a-z]{2}$"), shown(&json!({ "minLength": 2, "maxLength": 2 })));
    }

    #[test]
    fn anchors_count_and_are_told() {
        let schema = json!({ "pattern": "[a-z]{1,3}", "minLength": 1, "maxLength": 3 });
        assert_eq!(shown(&schema), "1 to 3 characters that somewhere are like [a-z]{1,3}");
        assert_eq!(
            of_pattern("(DESC|ASC)"),
            "0 or more characters that somewhere are like one of ASC, DESC"
        );
    }
}
