//! The session of the README, command by command.

use std::collections::HashMap;
use std::time::Duration;

use fabric_server::{MockServer, Settings};

use crate::run;

const README: &str = include_str!("../../README.md");

/// The server of the README.
const ENDPOINT: &str = "http://127.0.0.1:8080";

/// What differs from one run to the next.
#[derive(Debug, PartialEq)]
enum Varying {
    Id,
    Time,
}

impl Varying {
    fn of(word: &str) -> Option<Self> {
        let is_hyphen = |at: usize| word.as_bytes().get(at) == Some(&b'-');
        match word.len() {
            36 if [8, 13, 18, 23].into_iter().all(is_hyphen) => Some(Self::Id),
            // The milliseconds of a time are a word of their own.
            19 if is_hyphen(4) && is_hyphen(7) && word.contains('T') => Some(Self::Time),
            4 if word.ends_with('Z') && word[..3].parse::<u16>().is_ok() => Some(Self::Time),
            _ => None,
        }
    }
}

/// Takes a line apart: words and what is between them.
fn words(line: &str) -> Vec<&str> {
    let is_in_word = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | ':' | '_');
    let mut words = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|it| is_in_word(it) != is_in_word(first)).unwrap_or(rest.len());
        words.push(&rest[..end]);
        rest = &rest[end..];
    }
    words
}

/// The arguments of a command line, with single quotes only.
fn arguments(line: &str) -> Vec<String> {
    let mut arguments = vec![String::new()];
    let mut is_quoted = false;
    for character in line.chars() {
        match character {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => arguments.push(String::new()),
            _ => arguments.last_mut().unwrap().push(character),
        }
    }
    arguments
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_is_as_the_readme_shows_it() {
    let session = README.split("## A session").nth(1).unwrap();
    let session = session.split("```console\n").nth(1).unwrap().split("```").next().unwrap();
    let time = Duration::from_millis(300);
    let (creating_time, updating_time, deleting_time) = (time, time, time);
    let settings = Settings { creating_time, updating_time, deleting_time, ..Settings::default() };
    let server = MockServer::start_with(settings).await.unwrap();
    let mut variables: Vec<(String, String)> = Vec::new();
    // The ids of the README with those of this run.
    let mut ids: HashMap<&str, String> = HashMap::new();
    let mut commands = 0;
    for step in session.split("$ ").filter(|step| !step.is_empty()) {
        let (line, expected) = step.split_once('\n').unwrap();
        let current: String = words(line)
            .into_iter()
            .map(|word| ids.get(word).map_or(word, String::as_str))
            .collect();
        let current = current.replace(ENDPOINT, server.endpoint());
        let arguments = arguments(&current);
        if arguments[0] == "export" {
            let pairs = arguments[1..].iter().filter_map(|pair| pair.split_once('='));
            variables.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
            continue;
        }
        assert_eq!(arguments[0], "fabric", "{line}");
        let given: Vec<&str> = arguments[1..].iter().map(String::as_str).collect();
        let environment: Vec<_> =
            variables.iter().map(|(name, value)| (&**name, &**value)).collect();
        let ended = run("", &given, &environment).await;
        let shown = (ended.complaint + &ended.output).replace(server.endpoint(), ENDPOINT);
        // A terminal shows each poll.
        let is_poll = |line: &&str| line.starts_with(' ') && line.contains(" s  ");
        let expected = expected.lines().filter(|line| !is_poll(line));
        let expected: Vec<&str> = expected.collect();
        let shown: Vec<&str> = shown.lines().collect();
        assert_eq!(shown.len(), expected.len(), "{line}: {shown:#?}");
        for (shown, expected) in shown.into_iter().zip(expected) {
            // The id of a request ends with time and host.
            let cut = |line: &'static str| line.split(" (request ").next().unwrap_or(line);
            let expected = cut(expected);
            let shown = shown.split(" (request ").next().unwrap_or(shown);
            let (shown, expected) = (words(shown), words(expected));
            assert_eq!(shown.len(), expected.len(), "{line}: {shown:?}");
            for (shown, expected) in shown.into_iter().zip(expected) {
                match (Varying::of(shown), Varying::of(expected)) {
                    (Some(one), Some(other)) if one == other => {
                        let known = ids.entry(expected).or_insert_with(|| shown.to_owned());
                        assert!(one == Varying::Time || known == shown, "{line}: {shown}");
                    }
                    _ => assert_eq!(shown, expected, "{line}"),
                }
            }
        }
        commands += 1;
    }
    assert!(commands > 10, "{commands}");
}
