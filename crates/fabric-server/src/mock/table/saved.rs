//! Records of a resource as snapshots have them.

use std::fmt;

use fabric_model::Invalid;
use validator::Validate;

use crate::api::time;
use crate::mock::table::builder::TableBuilder;
use crate::mock::table::erased::AnyTable;
use crate::mock::table::{Record, Table};

/// Reads the records of a table, one after the other.
pub(crate) trait ReadRecords {
    /// Reads a record in JSON.
    fn read(&mut self, json: &str) -> Result<(), Invalid>;

    /// The table with these records.
    fn finish(self: Box<Self>) -> Result<Box<dyn AnyTable>, Invalid>;

    /// Another table with these records in place of those of the same ids, and without others.
    fn finish_as(
        self: Box<Self>,
        other: &dyn AnyTable,
        without: &[String],
    ) -> Result<Box<dyn AnyTable>, Invalid>;
}

/// Reads records of a kind.
pub(crate) struct RecordReader<R> {
    builder: TableBuilder<R>,
}

impl<R: Record> RecordReader<R> {
    pub(crate) fn new() -> Self {
        Self { builder: TableBuilder::new() }
    }
}

impl<R: Record> ReadRecords for RecordReader<R> {
    fn read(&mut self, json: &str) -> Result<(), Invalid> {
        let record: R = read_json(json)?;
        let of_record =
            |rule: &dyn fmt::Display| Invalid::new("", format!("{}: {rule}", record.id()));
        let answer = record.answer(record.created_at());
        answer.validate().map_err(|errors| of_record(&Invalid::from(errors)))?;
        if record.created_at() != time::whole_milliseconds(record.created_at()) {
            return Err(of_record(&"created_at: must be in whole milliseconds"));
        }
        self.builder.push(record);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Box<dyn AnyTable>, Invalid> {
        match self.builder.finish() {
            Ok(table) => Ok(Box::new(table)),
            Err((place, id)) => {
                Err(Invalid::new(format!("[{place}]"), format!("{id}: must not be there twice")))
            }
        }
    }

    fn finish_as(
        self: Box<Self>,
        other: &dyn AnyTable,
        without: &[String],
    ) -> Result<Box<dyn AnyTable>, Invalid> {
        let other = other.as_any().downcast_ref::<Table<R>>();
        let mut table = other.expect("tables of a resource are found by its name").clone();
        for (place, id) in without.iter().enumerate() {
            if table.take(id).is_none() {
                return Err(Invalid::new(
                    format!("without[{place}]"),
                    "must be the id of a record",
                ));
            }
        }
        for record in self.builder.into_records() {
            table.take(record.id());
            table.put(record);
        }
        Ok(Box::new(table))
    }
}

/// Reads a value, and says where it is wrong, but never the value.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, Invalid> {
    serde_json::from_str(json).map_err(|error| {
        // Once more, to tell where it is wrong: to keep track takes a while.
        let mut again = serde_json::Deserializer::from_str(json);
        let path = match serde_path_to_error::deserialize::<_, T>(&mut again) {
            Err(error) => error.path().to_string(),
            Ok(_) => String::new(),
        };
        Invalid::new(if path == "." { "" } else { &path }, rule_of(&error))
    })
}

/// The rule that a value breaks.
fn rule_of(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    match text.split_once(", expected ") {
        Some((wrong, expected)) if !wrong.starts_with("unknown field") => {
            format!("must be {expected}")
        }
        _ => text.to_owned(),
    }
}
