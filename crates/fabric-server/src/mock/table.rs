//! The records of a resource in a project: in memory, sorted, and cheap to copy.

use std::any::Any;
use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use fabric_model::{Invalid, Resource, ResourceInfo};
use imbl::{HashMap, OrdMap, OrdSet};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use validator::Validate;

use crate::api::time;
use crate::mock::behaviour::Behaviour;
use crate::mock::random::Draws;

/// What the mock keeps of a resource: times, not a state, which follows from them.
pub(crate) trait Record:
    Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The resource that it is a record of.
    type Resource: Resource<Answer: DeserializeOwned>;

    /// Its id, unique among the records of the resource in a project.
    fn id(&self) -> &str;

    /// The id of the record that owns it; empty if it belongs to the project alone.
    #[expect(clippy::unnecessary_literal_bound, reason = "records that have one answer their own")]
    fn owner(&self) -> &str {
        ""
    }

    /// When it was created, in whole milliseconds. Lists are sorted by it, newest first, then by id.
    fn created_at(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    /// When it will be gone, if it is being deleted.
    fn gone_from(&self) -> Option<SystemTime> {
        None
    }

    /// The answer of the service about it.
    fn answer(&self, now: SystemTime) -> Answer<Self>;

    /// Makes a record from an answer of a service, or from fixtures. `known` is the record with the same id, if
    /// the mock has it: it fills in what the answer lacks.
    ///
    /// # Errors
    ///
    /// An answer that this mock could not give.
    fn learn(
        answer: Answer<Self>,
        known: Option<&Self>,
        making: &mut Making<'_>,
    ) -> Result<Self, Invalid>;

    /// The records that it owns and of which an answer about it tells. Whoever learns the answer learns them too.
    fn owned(&self, _answer: Answer<Self>) -> Vec<Owned> {
        Vec::new()
    }

    /// The records that every project starts with.
    fn catalogue() -> Vec<Self> {
        Vec::new()
    }
}

/// The answer of the service about a record.
pub(crate) type Answer<R> = <<R as Record>::Resource as Resource>::Answer;

/// A record as the service answers it, and its resource.
pub(crate) type Owned = (&'static ResourceInfo, Value);

/// What was learned from an answer.
#[derive(Debug)]
pub(crate) struct Learned {
    /// The id of the record.
    pub(crate) id: String,
    /// What is still to be learned: the records that it owns and of which the answer tells.
    pub(crate) owned: Vec<Owned>,
}

/// What fills in the fields that an answer or fixtures leave out.
pub(crate) struct Making<'a> {
    /// The id of the record that owns the new one; empty if none does.
    pub(crate) owner: &'a str,
    pub(crate) draws: &'a mut Draws,
    pub(crate) behaviour: &'a Behaviour,
    pub(crate) now: SystemTime,
}

impl Making<'_> {
    /// The id of an answer, or a new one.
    pub(crate) fn id<Id: TryFrom<String, Error = Invalid>>(
        &mut self,
        given: Option<String>,
    ) -> Result<Id, Invalid> {
        let id = given.unwrap_or_else(|| self.draws.uuid().to_string());
        Id::try_from(id).map_err(|invalid| Invalid::new("id", &invalid.violations()[0].rule))
    }

    /// When a record was created: as the field `create_time` of the answer says, as it is known, or now. In
    /// whole milliseconds.
    pub(crate) fn created_at(
        &self,
        given: Option<&str>,
        known: Option<SystemTime>,
    ) -> Result<SystemTime, Invalid> {
        let created_at = match given {
            Some(text) => time::read(text).map_err(|rule| Invalid::new("create_time", rule))?,
            None => known.unwrap_or(self.now),
        };
        Ok(time::whole_milliseconds(created_at))
    }
}

/// By owner; newest first; then by id.
type Place = (Arc<str>, Reverse<SystemTime>, Arc<str>);

/// Which records of a table are meant, and in which order. By default all, newest first.
pub(crate) struct Selection<'a, R> {
    /// Only those of an owner.
    pub(crate) owner: Option<&'a str>,
    /// Only those that match.
    pub(crate) is_match: Option<&'a dyn Fn(&R) -> bool>,
    /// Another order. What is equal in it is as without it.
    pub(crate) order: Option<&'a Order<R>>,
}

/// Compares two records.
type Order<R> = dyn Fn(&R, &R) -> Ordering;

impl<R> Default for Selection<'_, R> {
    fn default() -> Self {
        Self { owner: None, is_match: None, order: None }
    }
}

/// The records of a resource in a project. Every method first drops the records that are gone at `now`.
///
/// Copies share what has not changed since, so forking a project and undoing a write take the same time
/// whatever its size.
#[derive(Clone, Debug)]
pub(crate) struct Table<R> {
    by_place: OrdMap<Place, Arc<R>>,
    places: HashMap<Arc<str>, Place>,
    leaving: OrdSet<(SystemTime, Place)>,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self { by_place: OrdMap::new(), places: HashMap::new(), leaving: OrdSet::new() }
    }
}

impl<R: Record> Table<R> {
    /// Adds a record; `false` if there is one of the same id.
    pub(crate) fn insert(&mut self, record: R, now: SystemTime) -> bool {
        self.remove_gone(now);
        if self.places.contains_key(record.id()) {
            return false;
        }
        let id = Arc::<str>::from(record.id());
        let place = (self.owner(record.owner()), Reverse(record.created_at()), id.clone());
        if let Some(gone) = record.gone_from() {
            self.leaving.insert((gone, place.clone()));
        }
        self.places.insert(id, place.clone());
        self.by_place.insert(place, Arc::new(record));
        true
    }

    /// A record, if there is one.
    pub(crate) fn get(&mut self, id: &str, now: SystemTime) -> Option<&R> {
        self.remove_gone(now);
        self.by_place.get(self.places.get(id)?).map(Arc::as_ref)
    }

    /// A record, to be changed, except for `created_at` and `gone_from`: see [`Self::delete`].
    pub(crate) fn get_mut(&mut self, id: &str, now: SystemTime) -> Option<&mut R> {
        self.remove_gone(now);
        self.by_place.get_mut(self.places.get(id)?).map(Arc::make_mut)
    }

    /// A record, if it is there and of an owner.
    pub(crate) fn get_of(&mut self, owner: &str, id: &str, now: SystemTime) -> Option<&R> {
        self.get(id, now).filter(|record| record.owner() == owner)
    }

    /// The same, to be changed as by [`Self::get_mut`].
    pub(crate) fn get_mut_of(&mut self, owner: &str, id: &str, now: SystemTime) -> Option<&mut R> {
        self.get_of(owner, id, now)?;
        self.get_mut(id, now)
    }

    /// Deletes a record at once; `false` if there is none.
    pub(crate) fn remove(&mut self, id: &str, now: SystemTime) -> bool {
        self.remove_gone(now);
        let Some(place) = self.places.remove(id) else { return false };
        if let Some(record) = self.by_place.remove(&place)
            && let Some(gone) = record.gone_from()
        {
            self.leaving.remove(&(gone, place));
        }
        true
    }

    /// Marks a record as being deleted, unless it is already: `mark` sets when it will be gone. `false` if there
    /// is none.
    pub(crate) fn delete(&mut self, id: &str, now: SystemTime, mark: impl FnOnce(&mut R)) -> bool {
        let Some(record) = self.get_mut(id, now) else { return false };
        if record.gone_from().is_none() {
            mark(record);
            if let Some(gone) = record.gone_from()
                && let Some(place) = self.places.get(id)
            {
                self.leaving.insert((gone, place.clone()));
            }
        }
        true
    }

    /// A page of the records that are selected, and how many are on all pages.
    pub(crate) fn page<T>(
        &mut self,
        selection: &Selection<'_, R>,
        (offset, limit): (usize, usize),
        now: SystemTime,
        take: impl Fn(&R) -> T,
    ) -> (Vec<T>, usize) {
        self.remove_gone(now);
        if selection.owner.is_none() && selection.is_match.is_none() && selection.order.is_none() {
            let page = self.by_place.values().skip(offset).take(limit).map(|record| take(record));
            return (page.collect(), self.by_place.len());
        }
        let selected = || {
            let all: Box<dyn Iterator<Item = &R>> = match selection.owner {
                Some(owner) => Box::new(self.of_owner(owner)),
                None => Box::new(self.iter()),
            };
            all.filter(|record| selection.is_match.is_none_or(|is_match| is_match(record)))
        };
        let Some(order) = selection.order else {
            return (selected().skip(offset).take(limit).map(take).collect(), selected().count());
        };
        let mut sorted: Vec<_> = selected().collect();
        sorted.sort_by(|one, other| order(one, other));
        let total = sorted.len();
        (sorted.into_iter().skip(offset).take(limit).map(take).collect(), total)
    }

    /// The records of an owner, newest first.
    fn of_owner<'a>(&'a self, owner: &'a str) -> impl Iterator<Item = &'a R> {
        let first = (Arc::from(owner), Reverse(time::latest()), Arc::from(""));
        let rest = self.by_place.range(first..);
        rest.take_while(move |(place, _)| *place.0 == *owner).map(|(_, record)| record.as_ref())
    }

    /// An owner as it stands in the places of its records.
    fn owner(&self, owner: &str) -> Arc<str> {
        let known = self.of_owner(owner).next().and_then(|record| self.places.get(record.id()));
        known.map_or_else(|| Arc::from(owner), |place| place.0.clone())
    }

    /// How many there are.
    pub(crate) fn count(&mut self, now: SystemTime) -> usize {
        self.remove_gone(now);
        self.by_place.len()
    }

    /// Every record, newest first, also those that are gone and have not been met since.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &R> {
        self.by_place.values().map(Arc::as_ref)
    }

    fn remove_gone(&mut self, now: SystemTime) {
        while self.leaving.get_min().is_some_and(|(gone, _)| *gone <= now) {
            let Some((_, place)) = self.leaving.remove_min() else { return };
            self.places.remove(&place.2);
            self.by_place.remove(&place);
        }
    }

    pub(crate) fn learn(
        &mut self,
        answer: Answer<R>,
        making: &mut Making<'_>,
    ) -> Result<Learned, Invalid> {
        let known = fabric_model::Identified::id(&answer).map(str::to_owned);
        let known = known.and_then(|id| self.get(&id, making.now).cloned());
        let record = R::learn(answer.clone(), known.as_ref(), making)?;
        let learned = Learned { id: record.id().to_owned(), owned: record.owned(answer) };
        self.remove(&learned.id, making.now);
        self.insert(record, making.now);
        Ok(learned)
    }
}

/// A table of any resource: for what works the same for all of them.
pub(crate) trait AnyTable: fmt::Debug + Send + Sync {
    /// A copy, which costs nothing.
    fn boxed(&self) -> Box<dyn AnyTable>;

    fn as_any_mut(&mut self) -> &mut dyn Any;

    fn count(&mut self, now: SystemTime) -> usize;

    fn has(&mut self, id: &str, now: SystemTime) -> bool;

    /// Deletes a record at once; `false` if there is none.
    fn remove(&mut self, id: &str, now: SystemTime) -> bool;

    /// Who owns records, whether they are there or not.
    fn owners(&self) -> BTreeSet<Arc<str>>;

    /// How many records an owner has.
    fn count_of(&mut self, owner: &str, now: SystemTime) -> usize;

    /// Deletes the records of an owner at once, and gives their ids.
    fn remove_of(&mut self, owner: &str, now: SystemTime) -> Vec<String>;

    /// A page of answers, as a `Vec` of them.
    fn answers(&mut self, page: (usize, usize), now: SystemTime) -> (Box<dyn Any>, usize);

    /// The same in JSON, each with the id of its owner, as fixtures have it.
    fn json(&mut self, page: (usize, usize), now: SystemTime) -> (Vec<Value>, usize);

    /// The records, to be written.
    fn records(&self) -> Box<dyn erased_serde::Serialize + '_>;

    /// Checks what fixtures say, and gives the id, if they say one.
    fn check_json(&self, answer: Value, making: &mut Making<'_>)
    -> Result<Option<String>, Invalid>;

    /// Takes in what a service has answered, or what fixtures say.
    fn learn_json(&mut self, answer: Value, making: &mut Making<'_>) -> Result<Learned, Invalid>;
}

impl<R: Record> AnyTable for Table<R> {
    fn boxed(&self) -> Box<dyn AnyTable> {
        Box::new(self.clone())
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn count(&mut self, now: SystemTime) -> usize {
        self.count(now)
    }

    fn has(&mut self, id: &str, now: SystemTime) -> bool {
        self.get(id, now).is_some()
    }

    fn remove(&mut self, id: &str, now: SystemTime) -> bool {
        self.remove(id, now)
    }

    fn owners(&self) -> BTreeSet<Arc<str>> {
        self.by_place.keys().map(|place| place.0.clone()).collect()
    }

    fn count_of(&mut self, owner: &str, now: SystemTime) -> usize {
        self.remove_gone(now);
        self.of_owner(owner).count()
    }

    fn remove_of(&mut self, owner: &str, now: SystemTime) -> Vec<String> {
        let ids: Vec<_> = self.of_owner(owner).map(|record| record.id().to_owned()).collect();
        for id in &ids {
            self.remove(id, now);
        }
        ids
    }

    fn answers(&mut self, page: (usize, usize), now: SystemTime) -> (Box<dyn Any>, usize) {
        let (answers, total) =
            self.page(&Selection::default(), page, now, |record| record.answer(now));
        (Box::new(answers), total)
    }

    fn json(&mut self, page: (usize, usize), now: SystemTime) -> (Vec<Value>, usize) {
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

    fn check_json(
        &self,
        answer: Value,
        making: &mut Making<'_>,
    ) -> Result<Option<String>, Invalid> {
        let answer = read_answer::<R>(answer)?;
        let id = fabric_model::Identified::id(&answer).map(str::to_owned);
        R::learn(answer, None, making)?;
        Ok(id)
    }

    fn learn_json(&mut self, answer: Value, making: &mut Making<'_>) -> Result<Learned, Invalid> {
        self.learn(read_answer::<R>(answer)?, making)
    }
}

/// The records of a table as a list.
struct Records<'a, R>(&'a Table<R>);

impl<R: Record> Serialize for Records<'_, R> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

/// Reads an answer that has no fields but those of its type, and keeps its rules.
fn read_answer<R: Record>(json: Value) -> Result<Answer<R>, Invalid> {
    let given: Vec<String> = match &json {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, _)| name.clone())
            .collect(),
        _ => return Err(Invalid::new("it", "must be an object")),
    };
    let answer: Answer<R> = serde_path_to_error::deserialize(json)
        .map_err(|error| Invalid::new(error.path().to_string(), error.inner().to_string()))?;
    let known = serde_json::to_value(&answer).unwrap_or_default();
    if let Some(name) = given.into_iter().find(|name| known.get(name).is_none()) {
        let article =
            if R::Resource::SINGULAR.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
        let rule = format!("is no field of {article} {}", R::Resource::SINGULAR);
        return Err(Invalid::new(name, rule));
    }
    answer.validate()?;
    Ok(answer)
}

/// Reads the records of a table from JSON, and checks each.
pub(crate) fn read_records<R: Record>(json: &str) -> Result<Table<R>, Invalid> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let records: Vec<R> = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| Invalid::new(error.path().to_string(), error.inner().to_string()))?;
    let mut table = Table::default();
    for (place, record) in records.into_iter().enumerate() {
        let wrong =
            |rule: &str| Invalid::new(format!("[{place}]"), format!("{}: {rule}", record.id()));
        let answer = record.answer(record.created_at());
        answer.validate().map_err(|errors| wrong(&Invalid::from(errors).to_string()))?;
        if record.created_at() != time::whole_milliseconds(record.created_at()) {
            return Err(wrong("created_at: must be in whole milliseconds"));
        }
        let twice = wrong("must not be there twice");
        // None of them goes while they are put in.
        if !table.insert(record, SystemTime::UNIX_EPOCH) {
            return Err(twice);
        }
    }
    Ok(table)
}
