//! A sorted map whose copies share what has not changed since, and which knows the rank of every key.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;
use std::slice;
use std::sync::{Arc, OnceLock};

/// The most items of a leaf, and the most children of a branch.
const WIDTH: usize = 64;

/// What has fewer is joined with a neighbour.
const NARROW: usize = WIDTH / 4;

/// A B+ tree. A copy costs nothing: a change copies the nodes on the way to what changes, if they are shared, and no
/// others. Nodes know how many items are below them, so the item of a rank, and the rank of a key, take as long as
/// the item of a key.
///
/// With each leaf goes a note, which is made from its items when somebody asks for it, and lost when they change.
pub(crate) struct Tree<K, V, N = ()> {
    root: Option<Arc<Node<K, V, N>>>,
    len: usize,
}

enum Node<K, V, N> {
    Leaf(Leaf<K, V, N>),
    Branch(Vec<Child<K, V, N>>),
}

/// Neighbouring items, in their order.
pub(crate) struct Leaf<K, V, N> {
    items: Vec<(K, V)>,
    note: OnceLock<N>,
}

struct Child<K, V, N> {
    /// No key of the child is less, and every key of the child before is.
    first: K,
    /// How many items are in it.
    len: usize,
    node: Arc<Node<K, V, N>>,
}

impl<K, V, N> Clone for Tree<K, V, N> {
    fn clone(&self) -> Self {
        Self { root: self.root.clone(), len: self.len }
    }
}

impl<K, V, N> Default for Tree<K, V, N> {
    fn default() -> Self {
        Self { root: None, len: 0 }
    }
}

impl<K, V, N> fmt::Debug for Tree<K, V, N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tree").field("len", &self.len).finish_non_exhaustive()
    }
}

/// A copy that is about to change: it starts without the note.
impl<K: Clone, V: Clone, N> Clone for Node<K, V, N> {
    fn clone(&self) -> Self {
        match self {
            Self::Leaf(leaf) => {
                let mut items = Vec::with_capacity(WIDTH.min(leaf.items.len() + 1));
                items.extend_from_slice(&leaf.items);
                Self::Leaf(Leaf { items, note: OnceLock::new() })
            }
            Self::Branch(children) => Self::Branch(children.clone()),
        }
    }
}

impl<K: Clone, V, N> Clone for Child<K, V, N> {
    fn clone(&self) -> Self {
        Self { first: self.first.clone(), len: self.len, node: self.node.clone() }
    }
}

impl<K, V, N> Leaf<K, V, N> {
    pub(crate) fn items(&self) -> &[(K, V)] {
        &self.items
    }

    /// The note that goes with the leaf, made if it is not there.
    pub(crate) fn note(&self, make: impl FnOnce(&[(K, V)]) -> N) -> &N {
        self.note.get_or_init(|| make(&self.items))
    }
}

impl<K, V, N> Tree<K, V, N> {
    /// How many items there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The item of a key: of the one that `compare` finds equal. It says how a key compares with the one that is
    /// looked for.
    pub(crate) fn get(&self, compare: impl Fn(&K) -> Ordering) -> Option<&(K, V)> {
        let mut node = self.root.as_deref()?;
        loop {
            match node {
                Node::Leaf(leaf) => {
                    let place = leaf.items.binary_search_by(|(key, _)| compare(key)).ok()?;
                    return Some(&leaf.items[place]);
                }
                Node::Branch(children) => node = &children[place_of(children, &compare)].node,
            }
        }
    }

    /// The item of the least key.
    pub(crate) fn first(&self) -> Option<&(K, V)> {
        self.from(0).next()
    }

    /// How many keys are less than the one that is looked for, or than those: `compare` may find many equal.
    pub(crate) fn rank(&self, compare: impl Fn(&K) -> Ordering) -> usize {
        let Some(mut node) = self.root.as_deref() else { return 0 };
        let mut before = 0;
        loop {
            match node {
                Node::Leaf(leaf) => {
                    return before + leaf.items.partition_point(|(key, _)| compare(key).is_lt());
                }
                Node::Branch(children) => {
                    // The last child that begins with less: what is not less may begin in it, or right behind it.
                    let place = children.partition_point(|child| compare(&child.first).is_lt());
                    let place = place.saturating_sub(1);
                    before += children[..place].iter().map(|child| child.len).sum::<usize>();
                    node = &children[place].node;
                }
            }
        }
    }

    /// The items from a rank on.
    pub(crate) fn from(&self, rank: usize) -> Items<'_, K, V, N> {
        let mut leaves = self.leaves(rank..self.len);
        let leaf = leaves.next().map(|(leaf, range)| leaf.items[range.start..].iter());
        Items { leaf: leaf.unwrap_or_default(), leaves }
    }

    /// The leaves with the items of some ranks, each with the places of these items in it.
    pub(crate) fn leaves(&self, ranks: Range<usize>) -> Leaves<'_, K, V, N> {
        let mut leaves = Leaves { branches: Vec::new(), next: None, skipped: 0, left: ranks.len() };
        let Some(mut node) = self.root.as_deref() else { return leaves };
        leaves.skipped = ranks.start;
        while let Node::Branch(children) = node {
            let mut rest = children.iter();
            while let Some(child) = rest.next() {
                if leaves.skipped < child.len || rest.len() == 0 {
                    node = &child.node;
                    break;
                }
                leaves.skipped -= child.len;
            }
            leaves.branches.push(rest);
        }
        leaves.next = Some(node);
        leaves
    }
}

impl<K: Ord + Clone, V: Clone, N> Tree<K, V, N> {
    /// A tree of items in their order, with full nodes.
    pub(crate) fn of_sorted(items: Vec<(K, V)>) -> Self {
        let len = items.len();
        let mut items = items.into_iter();
        let mut level: Vec<Child<K, V, N>> = Vec::with_capacity(len.div_ceil(WIDTH));
        while items.len() > 0 {
            let items: Vec<_> = items.by_ref().take(WIDTH).collect();
            level.push(Child::of(Node::Leaf(Leaf { items, note: OnceLock::new() })));
        }
        while level.len() > 1 {
            let mut children = level.into_iter();
            let mut above = Vec::with_capacity(children.len().div_ceil(WIDTH));
            while children.len() > 0 {
                above.push(Child::of(Node::Branch(children.by_ref().take(WIDTH).collect())));
            }
            level = above;
        }
        Self { root: level.pop().map(|child| child.node), len }
    }

    /// Adds an item whose key is not there yet.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.len += 1;
        let Some(root) = &mut self.root else {
            let leaf = Leaf { items: vec![(key, value)], note: OnceLock::new() };
            self.root = Some(Arc::new(Node::Leaf(leaf)));
            return;
        };
        if let Some(right) = insert(root, key, value) {
            let first = root.first().clone();
            let left = Child { first, len: self.len - right.len, node: root.clone() };
            *root = Arc::new(Node::Branch(vec![left, right]));
        }
    }

    /// The value of a key, to be changed.
    pub(crate) fn get_mut(&mut self, compare: impl Fn(&K) -> Ordering) -> Option<&mut V> {
        let mut node = self.root.as_mut()?;
        loop {
            match Arc::make_mut(node) {
                Node::Leaf(leaf) => {
                    leaf.note.take();
                    let place = leaf.items.binary_search_by(|(key, _)| compare(key)).ok()?;
                    return Some(&mut leaf.items[place].1);
                }
                Node::Branch(children) => {
                    let place = place_of(children, &compare);
                    node = &mut children[place].node;
                }
            }
        }
    }

    /// Removes the item of a key, if it is there.
    pub(crate) fn remove(&mut self, compare: impl Fn(&K) -> Ordering) -> Option<(K, V)> {
        let root = self.root.as_mut()?;
        let removed = remove(root, &compare)?;
        self.len -= 1;
        while let Node::Branch(children) = &**root
            && let [only] = children.as_slice()
        {
            *root = only.node.clone();
        }
        if self.len == 0 {
            self.root = None;
        }
        Some(removed)
    }

    /// Removes the item of the least key.
    pub(crate) fn remove_first(&mut self) -> Option<(K, V)> {
        let first = self.first()?.0.clone();
        self.remove(|key| key.cmp(&first))
    }
}

impl<K, V, N> Node<K, V, N> {
    /// How many items it has, or children.
    fn width(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.items.len(),
            Self::Branch(children) => children.len(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.items.len(),
            Self::Branch(children) => children.iter().map(|child| child.len).sum(),
        }
    }

    fn first(&self) -> &K {
        match self {
            Self::Leaf(leaf) => &leaf.items[0].0,
            Self::Branch(children) => &children[0].first,
        }
    }
}

impl<K: Clone, V, N> Child<K, V, N> {
    fn of(node: Node<K, V, N>) -> Self {
        Self { first: node.first().clone(), len: node.len(), node: Arc::new(node) }
    }
}

/// The child that has a key, if one has it.
fn place_of<K, V, N>(children: &[Child<K, V, N>], compare: &impl Fn(&K) -> Ordering) -> usize {
    children.partition_point(|child| compare(&child.first).is_le()).saturating_sub(1)
}

/// Adds an item, and gives what does not fit any more: the right half of the node.
fn insert<K: Ord + Clone, V: Clone, N>(
    node: &mut Arc<Node<K, V, N>>,
    key: K,
    value: V,
) -> Option<Child<K, V, N>> {
    match Arc::make_mut(node) {
        Node::Leaf(Leaf { items, note }) => {
            note.take();
            let place = items.partition_point(|(known, _)| *known < key);
            let right = insert_at(items, place, (key, value))?;
            Some(Child::of(Node::Leaf(Leaf { items: right, note: OnceLock::new() })))
        }
        Node::Branch(children) => {
            let place = place_of(children, &|known| known.cmp(&key));
            let child = &mut children[place];
            if key < child.first {
                child.first = key.clone();
            }
            child.len += 1;
            let right = insert(&mut child.node, key, value)?;
            child.len -= right.len;
            Some(Child::of(Node::Branch(insert_at(children, place + 1, right)?)))
        }
    }
}

/// Adds to a list that may be full, and gives what does not fit any more. At either end little is moved away, so
/// that what is added in order leaves full nodes behind.
fn insert_at<T>(list: &mut Vec<T>, place: usize, new: T) -> Option<Vec<T>> {
    if list.len() < WIDTH {
        list.insert(place, new);
        return None;
    }
    if place == WIDTH {
        return Some(vec![new]);
    }
    let mut right = list.split_off(if place == 0 { 0 } else { WIDTH / 2 });
    if place <= list.len() {
        list.insert(place, new);
    } else {
        right.insert(place - list.len(), new);
    }
    Some(right)
}

fn remove<K: Clone, V: Clone, N>(
    node: &mut Arc<Node<K, V, N>>,
    compare: &impl Fn(&K) -> Ordering,
) -> Option<(K, V)> {
    match Arc::make_mut(node) {
        Node::Leaf(Leaf { items, note }) => {
            let place = items.binary_search_by(|(key, _)| compare(key)).ok()?;
            note.take();
            Some(items.remove(place))
        }
        Node::Branch(children) => {
            let place = place_of(children, compare);
            let child = &mut children[place];
            let removed = remove(&mut child.node, compare)?;
            child.len -= 1;
            if child.len == 0 {
                children.remove(place);
            } else if child.node.width() < NARROW {
                widen(children, place);
            }
            Some(removed)
        }
    }
}

/// Joins a child that has become narrow with a neighbour, if both fit into one.
fn widen<K: Clone, V: Clone, N>(children: &mut Vec<Child<K, V, N>>, place: usize) {
    let left = place.saturating_sub(1);
    let Some([one, other]) = children.get_mut(left..left + 2) else { return };
    if one.node.width() + other.node.width() > WIDTH {
        return;
    }
    one.len += other.len;
    match (Arc::make_mut(&mut one.node), Arc::make_mut(&mut other.node)) {
        (Node::Leaf(one), Node::Leaf(other)) => {
            one.note.take();
            one.items.append(&mut other.items);
        }
        (Node::Branch(one), Node::Branch(other)) => one.append(other),
        // All leaves are equally far from the root.
        _ => return,
    }
    children.remove(left + 1);
}

/// The leaves from a rank on: see [`Tree::leaves`].
pub(crate) struct Leaves<'a, K, V, N> {
    /// What is still to be seen of the branches above the next leaf.
    branches: Vec<slice::Iter<'a, Child<K, V, N>>>,
    next: Option<&'a Node<K, V, N>>,
    /// How many items of the next leaf are left out.
    skipped: usize,
    /// How many items are still to come.
    left: usize,
}

impl<'a, K, V, N> Iterator for Leaves<'a, K, V, N> {
    type Item = (&'a Leaf<K, V, N>, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let mut node = self.next.take();
        while node.is_none() {
            let child = self.branches.last_mut()?.next();
            if child.is_none() {
                self.branches.pop();
            }
            node = child.map(|child| &*child.node);
        }
        while let Some(Node::Branch(children)) = node {
            let mut rest = children.iter();
            node = rest.next().map(|child| &*child.node);
            self.branches.push(rest);
        }
        let Some(Node::Leaf(leaf)) = node else { return None };
        let start = std::mem::take(&mut self.skipped).min(leaf.items.len());
        let end = leaf.items.len().min(start.saturating_add(self.left));
        self.left -= end - start;
        Some((leaf, start..end))
    }
}

/// The items from a rank on: see [`Tree::from`].
pub(crate) struct Items<'a, K, V, N> {
    leaf: slice::Iter<'a, (K, V)>,
    leaves: Leaves<'a, K, V, N>,
}

impl<'a, K, V, N> Iterator for Items<'a, K, V, N> {
    type Item = &'a (K, V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.leaf.next() {
                return Some(item);
            }
            let (leaf, range) = self.leaves.next()?;
            self.leaf = leaf.items[range].iter();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::mock::random::Draws;

    type Numbers = Tree<u64, u64, usize>;

    /// Compares everything that can be asked with a map of the standard library.
    fn check(tree: &Numbers, expected: &BTreeMap<u64, u64>) {
        assert_eq!(tree.len(), expected.len());
        assert!(tree.from(0).map(|(key, value)| (key, value)).eq(expected));
        for (rank, key) in expected.keys().enumerate().step_by(97) {
            assert_eq!(tree.rank(|known| known.cmp(key)), rank);
            assert_eq!(tree.from(rank).next().unwrap().0, *key);
            let less = expected.range(..key / 1_000 * 1_000).count();
            assert_eq!(tree.rank(|known| (known / 1_000).cmp(&(key / 1_000))), less);
            let notes = tree.leaves(rank..rank + 100).map(|(leaf, range)| {
                assert_eq!(*leaf.note(<[_]>::len), leaf.items().len(), "a note of other items");
                range.len()
            });
            assert_eq!(notes.sum::<usize>(), expected.len().min(rank + 100) - rank);
        }
        assert!(tree.from(expected.len()).next().is_none());
    }

    #[test]
    fn a_tree_is_like_a_sorted_map_and_its_copies_stay_as_they_are() {
        let mut draws = Draws::new(1, &["tree"]);
        let (mut tree, mut expected) = (Numbers::default(), BTreeMap::new());
        let mut copies = Vec::new();
        for step in 0..60_000_u64 {
            // It grows, shrinks to nothing, and grows again; at times in order.
            let key = match step / 5_000 % 4 {
                0 => 1_000_000 + step,
                1 => 1_000_000 - step,
                _ => draws.between(0..=20_000) + 990_000,
            };
            let grows = step / 20_000 != 1;
            if grows && !expected.contains_key(&key) {
                tree.insert(key, step);
                expected.insert(key, step);
            } else if let Some(key) = expected.range(draws.between(0..=1_100_000)..).next() {
                let key = *key.0;
                if step % 3 == 0 && grows {
                    *tree.get_mut(|known| known.cmp(&key)).unwrap() += 1;
                    *expected.get_mut(&key).unwrap() += 1;
                } else {
                    assert_eq!(tree.remove(|known| known.cmp(&key)), expected.remove_entry(&key));
                }
            } else {
                assert_eq!(tree.remove_first(), expected.pop_first());
            }
            if step % 3_001 == 0 {
                check(&tree, &expected);
                copies.push((tree.clone(), expected.clone()));
            }
        }
        for (tree, expected) in &copies {
            check(tree, expected);
            let sorted: Vec<_> = expected.iter().map(|(key, value)| (*key, *value)).collect();
            check(&Numbers::of_sorted(sorted), expected);
        }
        assert!(copies.iter().any(|(_, expected)| expected.len() > WIDTH * WIDTH));
    }

    #[test]
    fn what_is_added_in_order_leaves_full_leaves() {
        for backwards in [false, true] {
            let mut tree = Numbers::default();
            for number in 0..10_000 {
                tree.insert(if backwards { 10_000 - number } else { number }, 0);
            }
            let leaves = tree.leaves(0..10_000).count();
            assert!(leaves <= 10_000_usize.div_ceil(WIDTH) + 1, "{leaves} leaves");
        }
    }
}
