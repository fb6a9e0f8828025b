//! Tables and records of resources that are known by name only: for what works the same for all of them.

use std::any::Any;
use std::fmt;
use std::time::SystemTime;

use fabric_model::{Invalid, Resource};
use serde::Serialize;
use serde_json::Value;
use validator::Validate;

use crate::api::time;
use crate::mock::table::{Answer, Learned, Making, Record, Selection, Table};

/// A table of any resource: for what works the same for all of them.
pub(crate) trait AnyTable: fmt::Debug + Send + Sync {
    /// A copy, which costs nothing.
    fn boxed(&self) -> Box<dyn AnyTable>;

    fn as_any(&self) -> &dyn Any;

    fn as_any_mut(&mut self) -> &mut dyn Any;

    fn count(&self, now: SystemTime) -> usize;

    fn has(&self, id: &str, now: SystemTime) -> bool;

    /// Whether a record is gone that has not been dropped.
    fn has_gone(&self, now: SystemTime) -> bool;

    /// Drops records that are gone.
    fn remove_gone(&mut self, now: SystemTime);

    /// Deletes a record at once; `false` if there is none.
    fn remove(&mut self, id: &str, now: SystemTime) -> bool;

    /// Who owns records, whether they are there or not.
    fn owners(&self) -> Vec<&str>;

    /// How many records an owner has.
    fn count_of(&self, owner: &str, now: SystemTime) -> usize;

    /// Deletes the records of an owner at once, and gives their ids.
    fn remove_of(&mut self, owner: &str, now: SystemTime) -> Vec<String>;

    /// A page of answers, as a `Vec` of them.
    fn answers(&self, page: (usize, usize), now: SystemTime) -> (Box<dyn Any>, usize);

    /// The same in JSON, each with the id of its owner, as fixtures have it.
    fn json(&self, page: (usize, usize), now: SystemTime) -> (Vec<Value>, usize);

    /// The records, to be written.
    fn records(&self) -> Box<dyn erased_serde::Serialize + '_>;

    /// Takes in what a service has answered.
    fn learn_json(&mut self, answer: Value, making: &mut Making<'_>) -> Result<Learned, Invalid>;
}

impl<R: Record> AnyTable for Table<R> {
    fn boxed(&self) -> Box<dyn AnyTable> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn count(&self, now: SystemTime) -> usize {
        self.count(now)
    }

    fn has(&self, id: &str, now: SystemTime) -> bool {
        self.get(id, now).is_some()
    }

    fn has_gone(&self, now: SystemTime) -> bool {
        self.count_gone(now) > 0
    }

    fn remove_gone(&mut self, now: SystemTime) {
        self.remove_gone(now);
    }

    fn remove(&mut self, id: &str, now: SystemTime) -> bool {
        self.remove(id, now)
    }

    fn owners(&self) -> Vec<&str> {
        self.owners().collect()
    }

    fn count_of(&self, owner: &str, now: SystemTime) -> usize {
        self.count_of(owner, now)
    }

    fn remove_of(&mut self, owner: &str, now: SystemTime) -> Vec<String> {
        self.remove_of(owner, now)
    }

    fn answers(&self, page: (usize, usize), now: SystemTime) -> (Box<dyn Any>, usize) {
        let (answers, total) =
            self.page(&Selection::default(), page, now, |record| record.answer(now));
        (Box::new(answers), total)
    }

    fn json(&self, page: (usize, usize), now: SystemTime) -> (Vec<Value>, usize) {
        let parameter = R::Resource::OWNER.and_then(|owner| owner.id_parameter);
        self.page(&Selection::default(), page, now, |record| {
            let mut json = serde_json::to_value(record.answer(now)).unwrap_or_default();
            if let Some(parameter) = parameter {
                json[parameter] = record.owner().into();
            }
            json
        })
    }

    fn records(&self) -> Box<dyn erased_serde::Serialize + '_> {
        Box::new(Records(self))
    }

    fn learn_json(&mut self, answer: Value, making: &mut Making<'_>) -> Result<Learned, Invalid> {
        let answer = serde_json::from_value::<Answer<R>>(answer)
            .map_err(|error| Invalid::new("it", error.to_string()))?;
        answer.validate()?;
        self.learn(answer, making)
    }
}

/// The records of a table as a list.
struct Records<'a, R>(&'a Table<R>);

impl<R: Record> Serialize for Records<'_, R> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

/// Reads the records of a table from JSON, and checks each.
pub(crate) fn read_records<R: Record>(json: &str) -> Result<Table<R>, Invalid> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let records: Vec<R> = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| Invalid::new(error.path().to_string(), error.inner().to_string()))?;
    let wrong = |place: usize, id: &str, rule: &str| {
        Invalid::new(format!("[{place}]"), format!("{id}: {rule}"))
    };
    for (place, record) in records.iter().enumerate() {
        let answer = record.answer(record.created_at());
        answer
            .validate()
            .map_err(|errors| wrong(place, record.id(), &Invalid::from(errors).to_string()))?;
        if record.created_at() != time::whole_milliseconds(record.created_at()) {
            return Err(wrong(place, record.id(), "created_at: must be in whole milliseconds"));
        }
    }
    Table::of(records).map_err(|(place, id)| wrong(place, &id, "must not be there twice"))
}
