//! Who may use the control surface.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::mock::error::ControlError;
use crate::mock::header::X_MOCK_TOKEN;

/// Who may use the control surface.
#[derive(Clone, Debug)]
pub(crate) enum Access {
    /// Callers on this machine, but no page of another site in its browser.
    ThisMachine,
    /// Any caller.
    Everybody,
    /// Callers with the token.
    Token(SecretString),
    /// No caller, since other machines reach it and there is no token.
    Nobody,
}

/// Lets a request through, or rejects it.
pub(crate) async fn admit(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Result<Response, ControlError> {
    let reject = |status, reason: &str| Err(ControlError { status, message: reason.to_owned() });
    match &*access {
        Access::Everybody => {
            if !is_of_own_page(request.uri(), request.headers()) {
                return reject(StatusCode::FORBIDDEN, OF_ANOTHER_SITE);
            }
        }
        Access::Nobody => {
            return reject(
                StatusCode::FORBIDDEN,
                "the control surface is closed, since the server is reached from other machines: start it \
                 with --control-token, or --open-to-all",
            );
        }
        Access::ThisMachine => {
            if !is_of_this_machine(request.uri(), request.headers()) {
                return reject(StatusCode::FORBIDDEN, OF_ANOTHER_SITE);
            }
        }
        Access::Token(token) => {
            let bearer = request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
            let bearer = bearer.and_then(|value| value.strip_prefix(b"Bearer "));
            let given = request.headers().get(X_MOCK_TOKEN).map(HeaderValue::as_bytes).or(bearer);
            // Hashes take as long to compare whatever differs.
            let digest = |token: &[u8]| <[u8; 32]>::from(Sha256::digest(token));
            if given.map(digest) != Some(digest(token.expose_secret().as_bytes())) {
                return reject(
                    StatusCode::UNAUTHORIZED,
                    "the control surface wants the token of --control-token, as `Authorization: Bearer TOKEN` \
                     or `X-Mock-Token: TOKEN`",
                );
            }
        }
    }
    Ok(next.run(request).await)
}

const OF_ANOTHER_SITE: &str = "pages of other sites can't use the control surface, nor who calls this machine by \
                               another name than localhost or its address; start the server with \
                               --control-token (and --cors-origin for a page) to let them";

/// Whether a request comes from no page, or from one of the host that it is for.
fn is_of_own_page(uri: &Uri, headers: &HeaderMap) -> bool {
    origin(headers).is_none_or(|origin| Some(origin) == host(uri, headers))
}

/// Whether a request names this machine as its host, and comes from no page of another: a browser here
/// may be led to us by any site.
pub(crate) fn is_of_this_machine(uri: &Uri, headers: &HeaderMap) -> bool {
    let is_local = |authority: &str| {
        let host = authority.rsplit_once(':').map_or(authority, |(host, port)| {
            if port.bytes().all(|byte| byte.is_ascii_digit()) { host } else { authority }
        });
        let host = host.trim_matches(['[', ']']);
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    };
    host(uri, headers).is_none_or(is_local) && origin(headers).is_none_or(is_local)
}

/// The host and port that a request is for. HTTP/2 has them in the target.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let header = headers.get(HOST).map(|value| value.to_str().unwrap_or_default());
    header.or(uri.authority().map(Authority::as_str))
}

/// The host and port of the page that a request comes from; an empty one for a page that hides its own.
fn origin(headers: &HeaderMap) -> Option<&str> {
    let origin = headers.get(ORIGIN)?.to_str().unwrap_or_default();
    Some(origin.split_once("://").map_or("", |(_, authority)| authority))
}
