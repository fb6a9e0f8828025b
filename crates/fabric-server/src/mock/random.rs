//! Random draws that follow from one seed, the same on every machine and in every version.

use std::ops::RangeInclusive;

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng;

/// A sequence of draws. PCG's algorithm is fixed, and what is made of its numbers is decided here: an update of
/// a library changes no draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draws {
    random: Pcg64Mcg,
    drawn: u64,
}

impl Draws {
    /// A sequence of its own for each name, which follows from the one seed: what happens in one place then
    /// changes no draw in another.
    pub(crate) fn new(seed: u64, names: &[&str]) -> Self {
        // FNV-1a.
        let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
        let names = names.iter().flat_map(|name| name.bytes().chain([0xff]));
        for byte in seed.to_le_bytes().into_iter().chain(names) {
            hash =
                (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
        Self { random: Pcg64Mcg::new(hash), drawn: 0 }
    }

    /// The same, after so many draws.
    pub(crate) fn after(mut self, drawn: u64) -> Self {
        self.random.advance(drawn.into());
        self.drawn += drawn;
        self
    }

    /// How many numbers were drawn.
    pub(crate) fn drawn(&self) -> u64 {
        self.drawn
    }

    pub(crate) fn u64(&mut self) -> u64 {
        self.drawn += 1;
        self.random.next_u64()
    }

    /// A whole number, each as likely.
    pub(crate) fn between(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (first, last) = range.into_inner();
        let count = u128::from(last.saturating_sub(first)) + 1;
        // The high half of a product: for the few numbers of these ranges as even as can be.
        let place = (u128::from(self.u64()) * count) >> 64;
        first + u64::try_from(place).unwrap_or_default()
    }

    /// From 0 up to, but not, 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    pub(crate) fn f64(&mut self) -> f64 {
        (self.u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A UUID of version 4.
    pub(crate) fn uuid(&mut self) -> uuid::Uuid {
        let number = u128::from(self.u64()) << 64 | u128::from(self.u64());
        uuid::Builder::from_random_bytes(number.to_be_bytes()).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Snapshots that are committed somewhere count on these numbers.
    #[test]
    fn the_stream_is_the_one_that_snapshots_count_on() {
        let mut draws = Draws::new(7, &["project", "default"]);
        let numbers = [draws.u64(), draws.between(1..=254), draws.u64()];
        assert_eq!(numbers, [704_775_304_628_277_174, 232, 8_193_556_929_117_861_606]);
        let mut later = Draws::new(7, &["project", "default"]).after(2);
        assert_eq!((later.u64(), later.drawn()), (numbers[2], 3));
        assert_eq!(draws, later);
        assert_ne!(Draws::new(8, &["project", "default"]).u64(), numbers[0]);
        assert!((0..1_000).all(|_| (0.0..1.0).contains(&draws.f64())));
    }
}
