//! The records of a resource in a project: in memory, sorted, and cheap to copy.

pub(crate) mod answers;
pub(crate) mod builder;
pub(crate) mod erased;
mod names;
pub(crate) mod saved;
mod tree;

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use fabric_model::{Invalid, Resource, ResourceInfo};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::time;
use crate::mock::behaviour::Behaviour;
use crate::mock::random::Draws;
use crate::mock::table::names::{Names, Part};
use crate::mock::table::tree::Tree;

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

    /// Its name, if lists can be narrowed by a part of it; empty if they can't.
    #[expect(clippy::unnecessary_literal_bound, reason = "records that have one answer their own")]
    fn name(&self) -> &str {
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

    /// Whether an answer about it tells of records that it owns.
    const TELLS_OF_OTHERS: bool = false;

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

/// The place of an id without the id.
type Before = (Arc<str>, Reverse<SystemTime>);

/// An id, and before it what is compared first, so that mostly no other id need be read.
type Key = (u64, Arc<str>);

/// Which records of a table are meant, and in which order. By default all, newest first.
pub(crate) struct Selection<'a, R> {
    /// Only those of an owner.
    pub(crate) owner: Option<&'a str>,
    /// Only the one with an id.
    pub(crate) id: Option<&'a str>,
    /// Only those whose name has a part.
    pub(crate) name: Option<&'a str>,
    /// Only those that match.
    pub(crate) is_match: Option<&'a dyn Fn(&R) -> bool>,
    /// Another order. What is equal in it is as without it.
    pub(crate) order: Option<&'a Order<R>>,
}

/// Compares two records.
type Order<R> = dyn Fn(&R, &R) -> Ordering;

impl<R> Default for Selection<'_, R> {
    fn default() -> Self {
        Self { owner: None, id: None, name: None, is_match: None, order: None }
    }
}

/// The records of a resource in a project. No method shows a record that is gone at `now`; those that change
/// something also drop such records.
///
/// Copies share what has not changed since, so forking a project and undoing a write take the same time
/// whatever its size.
#[derive(Clone, Debug)]
pub(crate) struct Table<R> {
    by_place: Tree<Place, Arc<R>, Names>,
    by_id: Tree<Key, Before>,
    /// When records will be gone.
    leaving: Tree<(SystemTime, Arc<str>), ()>,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self { by_place: Tree::default(), by_id: Tree::default(), leaving: Tree::default() }
    }
}

impl<R: Record> Table<R> {
    /// Adds a record; `false` if there is one of the same id.
    pub(crate) fn insert(&mut self, record: R, now: SystemTime) -> bool {
        self.remove_gone(now);
        if self.before(record.id()).is_some() {
            return false;
        }
        self.put(Arc::new(record));
        true
    }

    /// A record, if there is one.
    pub(crate) fn get(&self, id: &str, now: SystemTime) -> Option<&R> {
        let (_, record) = self.by_place.get(at(self.before(id)?, id))?;
        Some(record.as_ref()).filter(|record| record.gone_from().is_none_or(|gone| gone > now))
    }

    /// A record, to be changed, except for `created_at` and `gone_from`: see [`Self::delete`].
    pub(crate) fn get_mut(&mut self, id: &str, now: SystemTime) -> Option<&mut R> {
        self.remove_gone(now);
        let (_, before) = self.by_id.get(of_id(id))?;
        self.by_place.get_mut(at(before, id)).map(Arc::make_mut)
    }

    /// A record, if it is there and of an owner.
    pub(crate) fn get_of(&self, owner: &str, id: &str, now: SystemTime) -> Option<&R> {
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
        self.take(id).is_some()
    }

    /// Marks a record as being deleted, unless it is already: `mark` sets when it will be gone. `false` if there
    /// is none.
    pub(crate) fn delete(&mut self, id: &str, now: SystemTime, mark: impl FnOnce(&mut R)) -> bool {
        let Some(record) = self.get_mut(id, now) else { return false };
        if record.gone_from().is_none() {
            mark(record);
            if let Some(gone) = record.gone_from() {
                self.leaving.insert((gone, id.into()), ());
            }
        }
        true
    }

    /// A page of the records that are selected, and how many are on all pages.
    pub(crate) fn page<T>(
        &self,
        selection: &Selection<'_, R>,
        (offset, limit): (usize, usize),
        now: SystemTime,
        take: impl Fn(&R) -> T,
    ) -> (Vec<T>, usize) {
        let table = self.without_gone(now);
        let ranks = table.ranks(selection.owner);
        let is_match = |record: &R| selection.is_match.is_none_or(|is_match| is_match(record));
        let name = selection.name.filter(|part| !part.is_empty());
        if let Some(id) = selection.id {
            let found = table.get(id, now).filter(|record| {
                selection.owner.is_none_or(|owner| record.owner() == owner)
                    && name.is_none_or(|part| record.name().contains(part))
                    && is_match(record)
            });
            return (
                found.iter().skip(offset).take(limit).map(|it| take(it)).collect(),
                found.iter().count(),
            );
        }
        let part = name.map(Part::new);
        let selected: Box<dyn Iterator<Item = &Arc<R>>> = match &part {
            Some(part) => Box::new(table.named(part, ranks)),
            None if selection.is_match.is_none() && selection.order.is_none() => {
                let total = ranks.len();
                let page = table.by_place.from(ranks.start + offset.min(total));
                let page = page.take(limit.min(total.saturating_sub(offset)));
                return (page.map(|(_, record)| take(record)).collect(), total);
            }
            None => Box::new(table.in_ranks(ranks)),
        };
        let selected = selected.filter(|record| selection.is_match.is_none() || is_match(record));
        if let Some(order) = selection.order {
            let mut sorted: Vec<_> = selected.collect();
            sorted.sort_by(|one, other| order(one, other));
            let page = sorted.iter().skip(offset).take(limit).map(|record| take(record));
            return (page.collect(), sorted.len());
        }
        let (mut page, mut total) = (Vec::new(), 0);
        for record in selected {
            if total >= offset && page.len() < limit {
                page.push(take(record));
            }
            total += 1;
        }
        (page, total)
    }

    /// How many there are, also those that are gone and have not been dropped.
    fn len(&self) -> usize {
        self.by_place.len()
    }

    /// How many there are.
    pub(crate) fn count(&self, now: SystemTime) -> usize {
        self.by_place.len() - self.count_gone(now)
    }

    /// Every record, newest first, also those that are gone and have not been dropped.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &R> {
        self.by_place.from(0).map(|(_, record)| record.as_ref())
    }

    /// How many an owner has.
    pub(crate) fn count_of(&self, owner: &str, now: SystemTime) -> usize {
        self.without_gone(now).ranks(Some(owner)).len()
    }

    /// Who owns records.
    pub(crate) fn owners(&self) -> impl Iterator<Item = &str> {
        let mut rank = 0;
        std::iter::from_fn(move || {
            let owner = &*self.by_place.from(rank).next()?.0.0;
            rank = self.ranks(Some(owner)).end;
            Some(owner)
        })
    }

    /// Deletes the records of an owner at once, and gives their ids.
    pub(crate) fn remove_of(&mut self, owner: &str, now: SystemTime) -> Vec<String> {
        self.remove_gone(now);
        let of_owner = self.in_ranks(self.ranks(Some(owner)));
        let ids: Vec<_> = of_owner.map(|record| record.id().to_owned()).collect();
        for id in &ids {
            self.take(id);
        }
        ids
    }

    /// Drops records that are gone.
    pub(crate) fn remove_gone(&mut self, now: SystemTime) {
        while self.leaving.first().is_some_and(|((gone, _), ())| *gone <= now)
            && let Some(((_, id), ())) = self.leaving.remove_first()
        {
            self.take(&id);
        }
    }

    pub(crate) fn learn(
        &mut self,
        answer: Answer<R>,
        making: &mut Making<'_>,
    ) -> Result<Learned, Invalid> {
        let known = fabric_model::Identified::id(&answer).map(str::to_owned);
        let known = known.and_then(|id| self.get(&id, making.now).cloned());
        let telling = R::TELLS_OF_OTHERS.then(|| answer.clone());
        let record = R::learn(answer, known.as_ref(), making)?;
        let owned = telling.map(|answer| record.owned(answer)).unwrap_or_default();
        let learned = Learned { id: record.id().to_owned(), owned };
        self.remove(&learned.id, making.now);
        self.insert(record, making.now);
        Ok(learned)
    }

    /// Where the leaves are in memory.
    fn leaf_addresses(&self) -> impl Iterator<Item = usize> {
        self.by_place
            .leaves(0..self.by_place.len())
            .map(|(leaf, _)| std::ptr::from_ref(leaf).addr())
    }

    /// The records that another table lacks or has otherwise, and the ids that this table lacks. It takes as long as
    /// there are leaves, and records in those that only one of them has.
    fn differences<'a>(&'a self, other: &'a Self) -> (Vec<&'a R>, Vec<&'a str>) {
        let (own, others): (HashSet<_>, HashSet<_>) =
            (self.leaf_addresses().collect(), other.leaf_addresses().collect());
        let apart = |table: &'a Self, known: HashSet<usize>| {
            let leaves = table.by_place.leaves(0..table.by_place.len());
            let leaves =
                leaves.filter(move |(leaf, _)| !known.contains(&std::ptr::from_ref(*leaf).addr()));
            leaves.flat_map(|(leaf, _)| leaf.items())
        };
        let theirs: HashMap<&str, _> =
            apart(other, own).map(|((.., id), record)| (&**id, record)).collect();
        let is_same = |(.., id): &Place, record: &Arc<R>| {
            theirs.get(&**id).is_some_and(|their| Arc::ptr_eq(their, record))
        };
        let more = apart(self, others).filter(|(place, record)| !is_same(place, record));
        let more = more.map(|(_, record)| &**record).collect();
        let mut less: Vec<_> =
            theirs.keys().copied().filter(|id| self.before(id).is_none()).collect();
        less.sort_unstable();
        (more, less)
    }

    /// Adds a record whose id is not there. With [`Self::take`] and [`Self::get_mut`] this is all that changes a
    /// table.
    fn put(&mut self, record: Arc<R>) {
        let id = Arc::<str>::from(record.id());
        let before = (self.owner(record.owner()), Reverse(record.created_at()));
        if let Some(gone) = record.gone_from() {
            self.leaving.insert((gone, id.clone()), ());
        }
        self.by_id.insert((first_of(&id), id.clone()), before.clone());
        self.by_place.insert((before.0, before.1, id), record);
    }

    /// Removes a record.
    fn take(&mut self, id: &str) -> Option<Arc<R>> {
        let (_, before) = self.by_id.remove(of_id(id))?;
        let (_, record) = self.by_place.remove(at(&before, id))?;
        if let Some(gone) = record.gone_from() {
            self.leaving.remove(|(known, other)| known.cmp(&gone).then_with(|| (**other).cmp(id)));
        }
        Some(record)
    }

    fn before(&self, id: &str) -> Option<&Before> {
        self.by_id.get(of_id(id)).map(|(_, before)| before)
    }

    /// The ranks of the records of an owner, or of all.
    fn ranks(&self, owner: Option<&str>) -> Range<usize> {
        let Some(owner) = owner else { return 0..self.by_place.len() };
        let first = self.by_place.rank(|place| (*place.0).cmp(owner));
        first..self.by_place.rank(|place| (*place.0).cmp(owner).then(Ordering::Less))
    }

    fn in_ranks(&self, ranks: Range<usize>) -> impl Iterator<Item = &Arc<R>> {
        self.by_place.from(ranks.start).take(ranks.len()).map(|(_, record)| record)
    }

    /// The records in some ranks whose name has a part.
    fn named<'a>(
        &'a self,
        part: &'a Part<'a>,
        ranks: Range<usize>,
    ) -> impl Iterator<Item = &'a Arc<R>> {
        self.by_place.leaves(ranks).flat_map(move |(leaf, range)| {
            let items = leaf.items();
            let names = leaf.note(|items| Names::of(items.iter().map(|(_, it)| it.name())));
            names.places(part, range).map(|place| &items[place].1)
        })
    }

    fn count_gone(&self, now: SystemTime) -> usize {
        self.leaving.rank(|(gone, _)| if *gone <= now { Ordering::Less } else { Ordering::Greater })
    }

    /// The same without records that are gone.
    fn without_gone(&self, now: SystemTime) -> Cow<'_, Self> {
        if self.count_gone(now) == 0 {
            return Cow::Borrowed(self);
        }
        let mut table = self.clone();
        table.remove_gone(now);
        Cow::Owned(table)
    }

    /// An owner as it stands in the places of its records.
    fn owner(&self, owner: &str) -> Arc<str> {
        if owner.is_empty() {
            return no_owner();
        }
        let known = self.by_place.from(self.ranks(Some(owner)).start).next();
        let known = known.map(|(place, _)| &place.0).filter(|known| ***known == *owner);
        known.map_or_else(|| owner.into(), Arc::clone)
    }
}

fn no_owner() -> Arc<str> {
    static NOBODY: LazyLock<Arc<str>> = LazyLock::new(|| "".into());
    NOBODY.clone()
}

/// What is compared before an id: its ends, in which ids mostly differ.
fn first_of(id: &str) -> u64 {
    let id = id.as_bytes();
    let end = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
    end(id.first_chunk()).rotate_left(29) ^ end(id.last_chunk())
}

/// Finds an id among keys.
fn of_id(id: &str) -> impl Fn(&Key) -> Ordering {
    let first = first_of(id);
    move |key| key.0.cmp(&first).then_with(|| (*key.1).cmp(id))
}

/// Finds the place of an id.
fn at(before: &Before, id: &str) -> impl Fn(&Place) -> Ordering {
    |place| {
        let (owner, created_at) = before;
        let of_owner =
            if Arc::ptr_eq(&place.0, owner) { Ordering::Equal } else { place.0.cmp(owner) };
        of_owner.then_with(|| place.1.cmp(created_at)).then_with(|| (*place.2).cmp(id))
    }
}
