//! The ids of requests, one for every answer.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::HeaderValue;
use parking_lot::Mutex;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng;

/// Makes ids of the form `request_uuid-timestamp-hostname`; the timestamp is in milliseconds since
/// 1970.
#[derive(Debug)]
pub struct RequestIds {
    random: Mutex<Pcg64Mcg>,
    hostname: String,
}

impl RequestIds {
    /// Ids that follow from a seed, the time and a host name.
    #[must_use]
    pub fn new(seed: u64, hostname: String) -> Self {
        Self { random: Mutex::new(Pcg64Mcg::new(seed.into())), hostname }
    }

    /// Ids that are others at each start.
    pub(crate) fn random(hostname: String) -> Self {
        Self { random: Mutex::new(Pcg64Mcg::new(fastrand::u128(..))), hostname }
    }

    pub(crate) fn next(&self, now: SystemTime) -> HeaderValue {
        let mut bytes = [0; 16];
        self.random.lock().fill_bytes(&mut bytes);
        let uuid = uuid::Builder::from_random_bytes(bytes).into_uuid();
        let mut buffer = uuid::Uuid::encode_buffer();
        let uuid = uuid.hyphenated().encode_lower(&mut buffer);
        let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut timestamp = itoa::Buffer::new();
        // Every answer has one, so it is put together without the formatter.
        let id = [uuid, timestamp.format(since_epoch.as_millis()), &self.hostname].join("-");
        HeaderValue::from_maybe_shared(Bytes::from(id))
            .unwrap_or(HeaderValue::from_static("request-id-unavailable"))
    }
}
