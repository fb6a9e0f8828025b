//! Answers of a service about records of a resource, as fixtures have them.

use std::any::Any;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use fabric_model::{Identified, Invalid, Resource};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use validator::Validate;

use crate::mock::behaviour::Behaviour;
use crate::mock::owners::{Owners, owner_of};
use crate::mock::random::Draws;
use crate::mock::table::builder::TableBuilder;
use crate::mock::table::{Answer, Learned, Making, Record, Table};

/// Answers about records of a resource, whichever that is.
pub(crate) trait AnyAnswers: Any + fmt::Debug + Send + Sync {
    /// The id that an answer has, if it has one.
    fn id(&self, place: usize) -> Option<&str>;

    /// Whether some answers are the same as others.
    fn are(&self, range: Range<usize>, others: &dyn AnyAnswers, of: Range<usize>) -> bool;

    /// Adds or changes a record of a table, as an answer says.
    fn teach(
        &self,
        table: &mut dyn Any,
        place: usize,
        making: &mut Making<'_>,
    ) -> Result<Learned, Invalid>;

    /// Fills an empty table with records, if that gives the same as one after the other; `false` if it does not, and
    /// nothing was done.
    fn fill(
        &self,
        table: &mut dyn Any,
        range: Range<usize>,
        making: &mut Making<'_>,
    ) -> Result<bool, Invalid>;
}

/// Reads answers, and checks that records can be made of them.
pub(crate) trait ReadAnswers {
    /// Reads one in JSON, among whose fields are those that say where it belongs.
    fn read(&mut self, json: &str) -> Result<Whereabouts, Invalid>;

    /// Checks that the last one that was read fits the owners.
    fn check_last(&mut self, owners: &Owners) -> Result<(), Invalid>;

    fn finish(self: Box<Self>) -> Arc<dyn AnyAnswers>;
}

/// Where a record of fixtures belongs.
pub(crate) struct Whereabouts {
    /// The field `project_id`.
    pub(crate) project: Option<String>,
    pub(crate) owners: Owners,
}

struct Answers<R: Record>(Vec<Answer<R>>);

impl<R: Record> fmt::Debug for Answers<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Answers").field(&self.0.len()).finish()
    }
}

const OTHER: &str = "answers, tables and fixtures of a resource are found by its name";

impl<R: Record> AnyAnswers for Answers<R> {
    fn id(&self, place: usize) -> Option<&str> {
        self.0[place].id()
    }

    fn are(&self, range: Range<usize>, others: &dyn AnyAnswers, of: Range<usize>) -> bool {
        let others: &dyn Any = others;
        others.downcast_ref::<Self>().is_some_and(|others| self.0[range] == others.0[of])
    }

    fn teach(
        &self,
        table: &mut dyn Any,
        place: usize,
        making: &mut Making<'_>,
    ) -> Result<Learned, Invalid> {
        let table = table.downcast_mut::<Table<R>>().expect(OTHER);
        table.learn(self.0[place].clone(), making)
    }

    fn fill(
        &self,
        table: &mut dyn Any,
        range: Range<usize>,
        making: &mut Making<'_>,
    ) -> Result<bool, Invalid> {
        let table = table.downcast_mut::<Table<R>>().expect(OTHER);
        if R::TELLS_OF_OTHERS || range.len() < 2 || table.iter().next().is_some() {
            return Ok(false);
        }
        let draws = making.draws.clone();
        let mut builder = TableBuilder::new();
        for answer in &self.0[range] {
            builder.push(R::learn(answer.clone(), None, making)?);
        }
        let Ok(filled) = builder.finish() else {
            // The later of two with the same id changes the earlier.
            *making.draws = draws;
            return Ok(false);
        };
        *table = filled;
        Ok(true)
    }
}

/// Reads answers about records of a kind.
pub(crate) struct AnswerReader<R: Record> {
    answers: Vec<Answer<R>>,
    /// The names of fields that say which record owns another.
    parameters: Vec<&'static str>,
    /// The names of fields that were seen and are those of an answer.
    known: HashSet<String>,
    behaviour: Behaviour,
}

impl<R: Record> AnswerReader<R> {
    pub(crate) fn new() -> Self {
        let owners = std::iter::successors(R::Resource::OWNER, |info| info.owner);
        Self {
            answers: Vec::new(),
            parameters: owners.filter_map(|info| info.id_parameter).collect(),
            known: HashSet::new(),
            behaviour: Behaviour::default(),
        }
    }

    /// Checks that an answer has fields of these names.
    fn check_names(&mut self, answer: &Answer<R>, names: &[&str]) -> Result<(), Invalid> {
        if names.iter().all(|name| self.known.contains(*name)) {
            return Ok(());
        }
        let json = serde_json::to_value(answer).unwrap_or_default();
        if let Some(name) = names.iter().find(|name| json.get(*name).is_none()) {
            let singular = R::Resource::SINGULAR;
            let article = if singular.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
            return Err(Invalid::new(*name, format!("is no field of {article} {singular}")));
        }
        self.known.extend(names.iter().map(|name| (*name).to_owned()));
        Ok(())
    }
}

impl<R: Record> ReadAnswers for AnswerReader<R> {
    fn read(&mut self, json: &str) -> Result<Whereabouts, Invalid> {
        let Fields(fields) =
            serde_json::from_str(json).map_err(|_| Invalid::new("it", "must be an object"))?;
        let mut whereabouts = Whereabouts { project: None, owners: Owners::new() };
        let mut owner_in_answer = None;
        let mut names = Vec::with_capacity(fields.len());
        for (name, value) in &fields {
            let text = || {
                serde_json::from_str::<String>(value.get())
                    .map_err(|_| Invalid::new(name.as_ref(), "must be a string"))
            };
            let is_in_answer = R::Resource::OWNER_IN_ANSWER == Some(name.as_ref());
            if name == "project_id" {
                whereabouts.project = Some(text()?);
            } else if self.parameters.contains(&name.as_ref()) {
                whereabouts.owners.insert(name.to_string(), text()?);
            } else if value.get() != "null" {
                names.push(name.as_ref());
            }
            if is_in_answer && value.get() != "null" {
                owner_in_answer = Some(text()?);
            }
        }
        if let (Some(id), Some(parameter)) = (owner_in_answer, self.parameters.first()) {
            whereabouts.owners.entry((*parameter).to_owned()).or_insert(id);
        }
        let answer: Answer<R> = serde_json::from_str(json).map_err(|_| {
            // Once more, to tell where it is wrong: to keep track takes a while.
            let mut again = serde_json::Deserializer::from_str(json);
            let wrong = serde_path_to_error::deserialize::<_, Answer<R>>(&mut again).err();
            wrong.map_or_else(
                || Invalid::new("it", "must be an answer of the service"),
                |error| Invalid::new(error.path().to_string(), error.inner().to_string()),
            )
        })?;
        self.check_names(&answer, &names)?;
        answer.validate()?;
        self.answers.push(answer);
        Ok(whereabouts)
    }

    fn check_last(&mut self, owners: &Owners) -> Result<(), Invalid> {
        let Some(answer) = self.answers.last() else { return Ok(()) };
        let mut making = Making {
            owner: owner_of(R::Resource::INFO, owners)?,
            draws: &mut Draws::new(0, &[]),
            behaviour: &self.behaviour,
            now: SystemTime::UNIX_EPOCH,
        };
        R::learn(answer.clone(), None, &mut making).map(drop)
    }

    fn finish(self: Box<Self>) -> Arc<dyn AnyAnswers> {
        Arc::new(Answers::<R>(self.answers))
    }
}

/// The fields of an object, as they stand there.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(16);
                while let Some(Name(name)) = map.next_key()? {
                    fields.push((name, map.next_value()?));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
