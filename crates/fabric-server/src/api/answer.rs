//! Answers. Every failure of every layer is an error of the contract.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::IntoResponse;
use bytes::Bytes;
use fabric_model::ApiError;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// An answer before it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers, but for those that every answer gets: `X-Request-Id` and `Date`.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// An answer without headers.
    #[must_use]
    pub fn new(status: StatusCode, body: Bytes) -> Self {
        Self { status, headers: HeaderMap::new(), body }
    }

    /// An answer in JSON.
    #[must_use]
    pub fn json(status: StatusCode, body: Bytes) -> Self {
        let mut answer = Self::new(status, body);
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static(ApiError::MEDIA_TYPE));
        answer
    }

    /// The answer to a request that failed.
    #[must_use]
    pub fn of(error: &ApiError) -> Self {
        Self::json(error.status(), Bytes::from(error.to_bytes()))
    }

    /// The answer as it is sent.
    #[must_use]
    pub fn into_response(self) -> Response<AnswerBody> {
        let mut response = Response::new(AnswerBody::Whole(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }

    /// The answer if the path does not have the method. `OPTIONS` is answered with the methods of the path.
    pub(crate) fn no_such_method(
        method: &Method,
        allowed: &HeaderValue,
        rejection: &ApiError,
    ) -> Self {
        let mut answer = if method == Method::OPTIONS {
            Self::new(StatusCode::NO_CONTENT, Bytes::new())
        } else {
            Self::of(rejection)
        };
        answer.headers.insert(ALLOW, allowed.clone());
        answer
    }
}

/// The body of an answer that is being sent.
// Not axum's alone: that is on the heap even if it is empty.
#[derive(Debug)]
pub enum AnswerBody {
    /// All of it is there.
    Whole(Bytes),
    /// It comes by and by.
    Streamed(Body),
}

impl AnswerBody {
    /// Leaves only the headers of a response, as for `HEAD`.
    pub(crate) fn remove_from(response: &mut Response<Self>) {
        let body = std::mem::replace(response.body_mut(), Self::Whole(Bytes::new()));
        if let Some(length) = body.size_hint().exact().filter(|length| *length > 0) {
            response.headers_mut().entry(CONTENT_LENGTH).or_insert_with(|| length.into());
        }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.get_mut() {
            Self::Whole(body) if body.is_empty() => Poll::Ready(None),
            Self::Whole(body) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(body))))),
            Self::Streamed(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_empty(),
            Self::Streamed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => SizeHint::with_exact(body.len() as u64),
            Self::Streamed(body) => body.size_hint(),
        }
    }
}

impl From<AnswerBody> for Body {
    fn from(body: AnswerBody) -> Self {
        match body {
            AnswerBody::Whole(body) => body.into(),
            AnswerBody::Streamed(body) => body,
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> axum::response::Response {
        self.into_response().map(Body::from)
    }
}
