//! Tables and records of resources that are known by name only: for what works the same for all of them.

use std::any::Any;
use std::fmt;
use std::time::SystemTime;

use fabric_model::{Invalid, Resource};
use serde_json::Value;
use serde_json::value::RawValue;
use validator::Validate;

use crate::mock::table::{Answer, Learned, Making, Record, Selection, Table};

/// A table of any resource: for what works the same for all of them.
pub(crate) trait AnyTable: fmt::Debug + Send + Sync {
    /// A copy, which costs nothing.
    fn boxed(&self) -> Box<dyn AnyTable>;

    fn as_any(&self) -> &dyn Any;

    fn as_any_mut(&mut self) -> &mut dyn Any;

    /// How many records there are, also those that are gone and have not been dropped.
    fn len(&self) -> usize;

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

    /// The records, as snapshots have them.
    fn saved(&self) -> SavedRecords<'_>;

    /// What tells the leaves of the table from any others: a leaf that two tables have holds the same records.
    fn leaves(&self) -> Vec<usize>;

    /// What another table with some of the same leaves lacks, and the ids that it has too many.
    fn beside<'a>(&'a self, other: &'a dyn AnyTable) -> (SavedRecords<'a>, Vec<&'a str>);

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

    fn len(&self) -> usize {
        self.len()
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

    fn saved(&self) -> SavedRecords<'_> {
        Box::new(self.iter().map(saved))
    }

    fn leaves(&self) -> Vec<usize> {
        self.leaf_addresses().collect()
    }

    fn beside<'a>(&'a self, other: &'a dyn AnyTable) -> (SavedRecords<'a>, Vec<&'a str>) {
        let Some(other) = other.as_any().downcast_ref::<Self>() else {
            return (self.saved(), Vec::new());
        };
        let (more, less) = self.differences(other);
        (Box::new(more.into_iter().map(saved)), less)
    }

    fn learn_json(&mut self, answer: Value, making: &mut Making<'_>) -> Result<Learned, Invalid> {
        let answer = serde_json::from_value::<Answer<R>>(answer)
            .map_err(|error| Invalid::new("it", error.to_string()))?;
        answer.validate()?;
        self.learn(answer, making)
    }
}

/// Records in JSON.
pub(crate) type SavedRecords<'a> = Box<dyn Iterator<Item = Box<RawValue>> + 'a>;

fn saved<R: Record>(record: &R) -> Box<RawValue> {
    serde_json::value::to_raw_value(record).expect("a record holds nothing that JSON can't")
}
