//! The names of a few neighbouring records in one text, so that looking for a part of a name reads little memory.

use std::ops::Range;

use memchr::memmem::Finder;

/// What stands behind every name: no text in UTF-8 has it, so nothing is found across two names.
const END: u8 = 0xff;

/// How many bits tell which triples of bytes there are.
const BITS: usize = 2048;

/// The names of a leaf.
///
/// Measured with a million names of 20 characters, of which none or one matches: reading each name where its record
/// is takes 250 ms, for each is far from the one before; reading them here 5 ms; and with the triples, by which most
/// leaves are left out, less than 1 ms. An index of all triples of a project would be as quick, but every write would
/// pay for it; this is made when a list wants it, and again for the leaves that have changed since.
#[derive(Debug)]
pub(crate) struct Names {
    /// A bit for every triple of bytes that a name has.
    triples: [u64; BITS / 64],
    text: Box<[u8]>,
    /// Where in the text each name ends.
    ends: Box<[usize]>,
}

impl Names {
    pub(crate) fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let (mut text, mut ends) = (Vec::new(), Vec::new());
        let mut triples = [0; BITS / 64];
        for name in names {
            for bit in bits_of(name.as_bytes()) {
                triples[bit / 64] |= 1 << (bit % 64);
            }
            text.extend_from_slice(name.as_bytes());
            ends.push(text.len());
            text.push(END);
        }
        Self { triples, text: text.into(), ends: ends.into() }
    }

    /// The places of the names that have a part, of those in a range.
    pub(crate) fn places<'a>(
        &'a self,
        part: &'a Part<'_>,
        range: Range<usize>,
    ) -> impl Iterator<Item = usize> + 'a {
        let is_possible = part.bits.iter().all(|bit| self.triples[bit / 64] >> (bit % 64) & 1 == 1);
        let Range { start: mut next, end } = if is_possible { range } else { 0..0 };
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let start = next.checked_sub(1).map_or(0, |before| self.ends[before] + 1);
            let found = start + part.finder.find(&self.text[start..=self.ends[end - 1]])?;
            while self.ends[next] < found {
                next += 1;
            }
            let place = next;
            next += 1;
            (place < end).then_some(place)
        })
    }
}

/// A part of a name that is looked for.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    finder: Finder<'a>,
    bits: Vec<usize>,
}

impl<'a> Part<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { finder: Finder::new(text), bits: bits_of(text.as_bytes()).collect() }
    }
}

/// The bits of the triples of a text.
fn bits_of(text: &[u8]) -> impl Iterator<Item = usize> {
    text.array_windows().map(|&[one, two, three]| {
        let triple = u32::from_le_bytes([one, two, three, 0]);
        // The high bits of a product with the golden ratio depend on all three bytes.
        (triple.wrapping_mul(0x9e37_79b1) >> (u32::BITS - BITS.ilog2())) as usize
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_in_the_names_that_have_it_and_in_no_others() {
        let of = ["abc", "", "bcd", "ü", "abab", "zab", "c"];
        let names = Names::of(of.into_iter());
        let parts = ["a", "ab", "abc", "bcd", "abab", "b", "ü", "zz", "cb", "xyz", "", "dab", "c"];
        for part in parts {
            for range in [0..7, 2..5, 6..7, 3..3] {
                let expected = range.clone().filter(|place| of[*place].contains(part));
                let found = Part::new(part);
                let places: Vec<_> = names.places(&found, range.clone()).collect();
                assert_eq!(places, expected.collect::<Vec<_>>(), "{part} in {range:?}");
            }
        }
    }
}
