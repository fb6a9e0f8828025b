//! The ids of requests, one for every answer.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::HeaderValue;
use parking_lot::Mutex;

/// Makes ids of the form `request_uuid-timestamp-hostname`; the timestamp is in milliseconds since
/// 1970.
#[derive(Debug)]
pub struct RequestIds {
    random: Mutex<fastrand::Rng>,
    hostname: String,
}

impl RequestIds {
    /// Ids that follow from a seed, the time and the name of this machine.
    #[must_use]
    pub fn new(seed: u64, hostname: String) -> Self {
        Self { random: Mutex::new(fastrand::Rng::with_seed(seed)), hostname }
    }

    pub(crate) fn next(&self, now: SystemTime) -> HeaderValue {
        let mut buffer = uuid::Uuid::encode_buffer();
        let uuid = random_uuid(&self.random).hyphenated().encode_lower(&mut buffer);
        let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut timestamp = itoa::Buffer::new();
        // Every answer has one, so it is put together without the formatter.
        let id = [uuid, timestamp.format(since_epoch.as_millis()), &self.hostname].join("-");
        HeaderValue::from_maybe_shared(Bytes::from(id))
            .unwrap_or(HeaderValue::from_static("request-id-unavailable"))
    }
}

/// A UUID of version 4.
pub(crate) fn random_uuid(random: &Mutex<fastrand::Rng>) -> uuid::Uuid {
    uuid::Builder::from_random_bytes(random.lock().u128(..).to_ne_bytes()).into_uuid()
}
