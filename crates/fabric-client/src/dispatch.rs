//! Sends an operation over a transport, whichever service it leads to.

use std::time::Duration;

use bytes::Bytes;
use fabric_model::{Operation, Payload, Request};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use crate::call::{Call, Outcome};
use crate::retry::Effect;
use crate::transport::Transport;
use crate::{Error, Retry};

/// How operations are sent.
pub(crate) struct Dispatch<'a> {
    pub(crate) transport: &'a Transport,
    pub(crate) retry: Retry,
    /// The longest time for a call.
    pub(crate) timeout: Duration,
    /// What sending a request once more changes.
    pub(crate) effect: Effect,
    /// Headers that belong to the operation alone.
    pub(crate) headers: HeaderMap,
}

impl Dispatch<'_> {
    /// Sends a request, whose body is written already.
    pub(crate) async fn send<O: Operation>(
        &self,
        request: &Request<O>,
        body: Bytes,
    ) -> Result<Outcome, Error> {
        let target = request.target();
        let url = self.transport.url(&target);
        let make = || {
            let mut call = reqwest::Request::new(O::METHOD, url.clone());
            call.headers_mut().clone_from(&self.headers);
            if let Some(media_type) = O::Body::MEDIA_TYPE {
                call.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
                *call.body_mut() = Some(body.clone().into());
            }
            call
        };
        let call = Call {
            transport: self.transport,
            retry: self.retry,
            timeout: self.timeout,
            operation: Some(O::ID),
            method: O::METHOD,
            effect: self.effect,
            target,
            is_open: O::IS_OPEN,
            make,
        };
        call.run().await
    }
}
