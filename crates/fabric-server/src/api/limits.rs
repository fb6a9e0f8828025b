//! The limits of head and body, which are checked first.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fabric_model::{ApiError, Failure, Invalid, header};
use futures_util::future::poll_immediate;
use http::header::{AUTHORIZATION, EXPECT, HOST};
use http::request::Parts;
use http::{HeaderName, Version};
use hyper::body::Body;

use crate::api::budget::{Budget, Share};

/// The limits of a request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body, in bytes. A larger one is rejected with 413.
    pub body: usize,
    /// The most bytes for the bodies of all requests together that are being read or answered. A body that comes in
    /// one piece, and is read at once, does not count. A request whose body finds no room is rejected with 503.
    pub bodies: usize,
    /// The longest time to receive a body. After it, the answer is 408.
    pub body_time: Duration,
    /// The longest time from the end of the head of a request to its answer. After it, the answer is 408.
    pub time: Duration,
}

impl Default for Limits {
    /// 12 MB for a body, as at the service's gateway, and 256 for all together; 20 seconds for a body, 30 for a
    /// request.
    fn default() -> Self {
        Self {
            body: 12 * 1024 * 1024,
            bodies: 256 * 1024 * 1024,
            body_time: Duration::from_secs(20),
            time: Duration::from_secs(30),
        }
    }
}

/// The longest request target, in bytes: 32 KB.
pub(crate) const TARGET_MAX_LENGTH: usize = 32 * 1024;

/// The largest head of a request without its first line, in bytes: 128 KB, names and values.
pub(crate) const HEADERS_MAX_LENGTH: usize = 128 * 1024;

/// The longest value of a single header: the longest token.
pub(crate) const HEADER_MAX_LENGTH: usize = header::TOKEN_MAX_LENGTH;

/// The most headers.
pub(crate) const HEADERS_MAX_COUNT: usize = 100;

/// How much of a body that is too large is read and thrown away, so that a caller who does not
/// listen while sending gets to see the rejection, and no connection reset in its place.
const DISCARDED_MAX_LENGTH: usize = 64 * 1024 * 1024;

/// Which headers a request may have, by what was seen of its head on the way: so that nobody looks for others.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is of another header")]
pub(crate) struct Head {
    /// `Authorization`.
    pub(crate) authorization: bool,
    /// `X-Auth-Token`.
    pub(crate) token: bool,
    /// `X-Project-Id`.
    pub(crate) project: bool,
    /// Any that begins with `X-Mock-`.
    pub(crate) mock: bool,
}

impl Head {
    /// Of a head that nobody has seen.
    pub(crate) const ANY: Self =
        Self { authorization: true, token: true, project: true, mock: true };

    const NONE: Self = Self { authorization: false, token: false, project: false, mock: false };

    fn add(&mut self, name: &HeaderName) {
        if *name == AUTHORIZATION {
            self.authorization = true;
        } else if name.as_str().starts_with("x-") {
            self.token |= *name == header::X_AUTH_TOKEN;
            self.project |= *name == header::X_PROJECT_ID;
            self.mock |= name.as_str().starts_with("x-mock-");
        }
    }
}

/// Rejects a request for its head.
pub(crate) fn check_head(parts: &Parts) -> Result<Head, ApiError> {
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > TARGET_MAX_LENGTH {
        return Err(Failure::UriTooLong.into());
    }
    let (mut total, mut head, mut has_host) = (0, Head::NONE, parts.uri.authority().is_some());
    for (name, value) in &parts.headers {
        total += name.as_str().len() + value.len();
        head.add(name);
        has_host |= *name == HOST;
        if value.len() > HEADER_MAX_LENGTH {
            return Err(Failure::HeadersTooLarge.into());
        }
    }
    if total > HEADERS_MAX_LENGTH || parts.headers.len() > HEADERS_MAX_COUNT {
        return Err(Failure::HeadersTooLarge.into());
    }
    // HTTP/1.1 demands to know the host, and a signature covers it; HTTP/2 has it in the target.
    if parts.version == Version::HTTP_11 && !has_host {
        return Err(Invalid::new("Host", "must be given").into());
    }
    Ok(head)
}

/// How long a body that nobody needs is waited for.
const DISCARDING_MAX: Duration = Duration::from_secs(1);

/// Reads a body and throws it away, so that a caller who does not listen while sending gets to see the rejection.
pub(crate) async fn discard_body<B>(parts: &Parts, mut body: B)
where
    B: Body<Data = Bytes> + Unpin,
{
    if parts.headers.contains_key(EXPECT) {
        return;
    }
    let discard = async {
        let mut left = DISCARDED_MAX_LENGTH;
        while let Ok(Some(chunk)) = next_chunk(&mut body).await {
            let Some(less) = left.checked_sub(chunk.len()) else { return };
            left = less;
        }
    };
    let _ = tokio::time::timeout(DISCARDING_MAX, discard).await;
}

/// The next piece of a body; `None` at its end.
async fn next_chunk<B: Body<Data = Bytes> + Unpin>(
    body: &mut B,
) -> Result<Option<Bytes>, B::Error> {
    while !body.is_end_stream() {
        match poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await.transpose()? {
            None => break,
            Some(frame) => {
                if let Ok(chunk) = frame.into_data() {
                    return Ok(Some(chunk));
                }
            }
        }
    }
    Ok(None)
}

/// Reads the bodies of requests.
#[derive(Clone, Debug)]
pub(crate) struct Bodies {
    /// The largest, in bytes.
    limit: usize,
    time: Duration,
    /// For those that do not come at once.
    budget: Budget,
}

impl Bodies {
    pub(crate) fn new(limits: &Limits) -> Self {
        let budget = Budget::new(limits.bodies);
        Self { limit: limits.body, time: limits.body_time, budget }
    }

    /// What all bodies together may take.
    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Reads a body to its end, or to the limit.
    pub(crate) async fn read<B>(&self, parts: &Parts, body: B) -> Result<Bytes, ApiError>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        pin!(self.read_within(self.limit, parts, body)).await
    }

    /// Reads a body that may have no more than `limit` bytes, nor more than any other.
    pub(crate) async fn read_within<B>(
        &self,
        limit: usize,
        parts: &Parts,
        body: B,
    ) -> Result<Bytes, ApiError>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let mut reading = pin!(self.read_at_leisure(self.limit.min(limit), parts, body));
        // Most bodies are there, and need no timer.
        match poll_immediate(reading.as_mut()).await {
            Some(read) => read,
            None => Box::pin(tokio::time::timeout(self.time, reading))
                .await
                .unwrap_or_else(|_| Err(Failure::TimedOut.into())),
        }
    }

    async fn read_at_leisure<B>(
        &self,
        limit: usize,
        parts: &Parts,
        mut body: B,
    ) -> Result<Bytes, ApiError>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        // A caller that asks first needs no more than the answer.
        let announced = body.size_hint().lower();
        if announced > limit as u64 && parts.headers.contains_key(EXPECT) {
            return Err(Failure::BodyTooLarge.into());
        }
        let Some(first) = next_chunk(&mut body).await.map_err(broken)? else {
            return Ok(Bytes::new());
        };
        if body.is_end_stream() && first.len() <= limit {
            return Ok(first);
        }
        let mut share = self.budget.share();
        let mut length = first.len();
        let mut read = BytesMut::new();
        let mut chunk = Some(first);
        while let Some(piece) = chunk {
            if length > limit.saturating_add(DISCARDED_MAX_LENGTH) {
                break;
            }
            if length > limit {
                read = BytesMut::new();
            } else if share.add(piece.len()) {
                if read.is_empty() {
                    // Only what is written to takes memory.
                    read.reserve(usize::try_from(announced).unwrap_or(0).min(limit));
                }
                read.extend_from_slice(&piece);
            } else {
                // What was read makes room for others before the rest is thrown away.
                drop((read, share, piece));
                discard_body(parts, body).await;
                return Err(Failure::Unavailable.into());
            }
            chunk = next_chunk(&mut body).await.map_err(broken)?;
            length += chunk.as_ref().map_or(0, Bytes::len);
        }
        if length > limit {
            return Err(Failure::BodyTooLarge.into());
        }
        Ok(Bytes::from_owner(Counted { bytes: read, _share: share }))
    }
}

fn broken<E>(_: E) -> ApiError {
    Invalid::new("body", "must be sent to its end").into()
}

/// A body that counts for as long as anybody has it.
struct Counted {
    bytes: BytesMut,
    _share: Share,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
