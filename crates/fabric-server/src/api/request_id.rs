//! The ids of requests, one for every answer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::HeaderValue;

/// Makes ids of the form `request_uuid-timestamp-hostname`; the timestamp is in milliseconds since
/// 1970.
#[derive(Debug)]
pub struct RequestIds {
    seed: u64,
    /// How many there were. Not a generator of numbers: calls of all projects would wait for one another.
    count: AtomicU64,
    hostname: String,
}

impl RequestIds {
    /// Ids that follow from a seed, the time and a host name.
    #[must_use]
    pub fn new(seed: u64, hostname: String) -> Self {
        Self { seed, count: AtomicU64::new(0), hostname }
    }

    /// Ids that are others at each start.
    pub(crate) fn random(hostname: String) -> Self {
        Self::new(fastrand::u64(..), hostname)
    }

    pub(crate) fn next(&self, now: SystemTime) -> HeaderValue {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        // The two halves follow from two numbers that no other id has.
        let half = |which: u64| mixed(self.seed ^ mixed(count.wrapping_mul(2).wrapping_add(which)));
        let random = u128::from(half(0)) << 64 | u128::from(half(1));
        let uuid = uuid::Builder::from_random_bytes(random.to_be_bytes()).into_uuid();
        let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let milliseconds = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
        let mut timestamp = itoa::Buffer::new();
        let timestamp = timestamp.format(milliseconds);
        // Every answer has one, so it is put together without the formatter.
        let length = uuid::fmt::Hyphenated::LENGTH + timestamp.len() + self.hostname.len() + 2;
        let mut id = Vec::with_capacity(length);
        let mut buffer = uuid::Uuid::encode_buffer();
        id.extend_from_slice(uuid.hyphenated().encode_lower(&mut buffer).as_bytes());
        for part in [timestamp, self.hostname.as_str()] {
            id.push(b'-');
            id.extend_from_slice(part.as_bytes());
        }
        HeaderValue::from_maybe_shared(Bytes::from(id))
            .unwrap_or(HeaderValue::from_static("request-id-unavailable"))
    }
}

/// Spreads a number over all 64 bits: the output function of `SplitMix64`.
fn mixed(number: u64) -> u64 {
    let mut number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_follow_from_seed_and_time_and_no_two_are_equal() {
        let ids = |seed| {
            let ids = RequestIds::new(seed, "a-host".to_owned());
            (0..1000).map(|_| ids.next(UNIX_EPOCH)).collect::<Vec<_>>()
        };
        assert_eq!(ids(1), ids(1));
        let all: HashSet<_> = [0, 1, 2, u64::MAX].into_iter().flat_map(ids).collect();
        assert_eq!(all.len(), 4000);
        assert!(all.iter().all(|id| id.as_bytes().ends_with(b"-0-a-host") && id.len() == 36 + 9));
    }
}
