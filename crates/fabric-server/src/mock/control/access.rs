//! Who may use the control surface, and under which names this machine is called.

use std::net::IpAddr;
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
pub(crate) struct Access {
    pub(crate) callers: AllowedCallers,
    pub(crate) hosts: Hosts,
    /// Sites whose pages may use it besides its own, as `Origin` names them.
    pub(crate) origins: Vec<String>,
}

/// Who may use the control surface, by what they present.
#[derive(Clone, Debug)]
pub(crate) enum AllowedCallers {
    /// Callers on this machine.
    ThisMachine,
    /// Any caller.
    Everybody,
    /// Callers with the token, and pages of any site that have it.
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
    let (uri, headers) = (request.uri(), request.headers());
    match &access.callers {
        AllowedCallers::Nobody => {
            return reject(
                StatusCode::FORBIDDEN,
                "the control surface is closed, since the server is reached from other machines: start it \
                 with --control-token, or --open-to-all",
            );
        }
        AllowedCallers::Everybody | AllowedCallers::ThisMachine => {
            let is_of_other_name = matches!(access.callers, AllowedCallers::ThisMachine)
                && !access.hosts.are_named_by(uri, headers);
            if is_of_other_name || !access.is_of_allowed_page(uri, headers) {
                return reject(StatusCode::FORBIDDEN, OF_ANOTHER_SITE);
            }
        }
        AllowedCallers::Token(token) => {
            let bearer = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
            let bearer = bearer.and_then(|value| value.strip_prefix(b"Bearer "));
            let given = headers.get(X_MOCK_TOKEN).map(HeaderValue::as_bytes).or(bearer);
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

const OF_ANOTHER_SITE: &str = "pages of other sites or ports can't use the control surface, nor who calls this \
                               machine by another name than localhost or its address: start the server with \
                               --cors-origin for a page, --allowed-host for a name, or --control-token";

impl Access {
    /// Whether a request comes from no page, from one of the server's own, or from one that is allowed.
    fn is_of_allowed_page(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(ORIGIN) else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        if self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
            return true;
        }
        // A page that hides its own origin says `null`.
        let own = host(uri, headers).and_then(|host| host.parse::<Authority>().ok());
        let of_page = origin.parse::<Uri>().ok();
        let of_page = of_page.filter(|page| page.scheme().is_some());
        own.is_some() && of_page.and_then(|page| page.into_parts().authority) == own
    }
}

/// The names that this machine is called by: those of its loopback interface, and those that were allowed. A browser
/// here may be led to us by any site, under the name of that site.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    allowed: Vec<String>,
}

impl Hosts {
    /// With names without a port, besides those of the loopback interface.
    pub(crate) fn new(allowed: &[String]) -> Self {
        Self { allowed: allowed.to_vec() }
    }

    /// Whether the host that a request is for is one of them. A request that names none is of no browser.
    pub(crate) fn are_named_by(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        host(uri, headers).is_none_or(|host| self.have(host))
    }

    /// Whether a host, mostly with a port, is one of them.
    fn have(&self, host: &str) -> bool {
        // As nearly all say it.
        let usual = host.strip_prefix("127.0.0.1").or_else(|| host.strip_prefix("localhost"));
        let usual = usual.map(|port| port.strip_prefix(':').unwrap_or(port));
        if usual.is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit())) {
            return true;
        }
        let Ok(authority) = host.parse::<Authority>() else { return false };
        if authority.as_str().contains('@') {
            return false;
        }
        let name = authority.host().trim_end_matches('.');
        let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
        address.is_ok_and(|address| address.is_loopback())
            || name.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("localhost"))
            || self.allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
    }
}

/// The host and port that a request is for. HTTP/2 has them in the target.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let header = headers.get(HOST).map(|value| value.to_str().unwrap_or_default());
    header.or(uri.authority().map(Authority::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_loopback_interface_and_allowed_ones_are_of_this_machine() {
        let hosts = Hosts::new(&["mock.test".to_owned()]);
        for own in [
            "localhost",
            "LOCALHOST:80",
            "127.0.0.1:8080",
            "127.9.9.9",
            "[::1]:80",
            "app.localhost:1",
            "localhost.",
            "mock.test:8080",
            "Mock.Test",
        ] {
            assert!(hosts.have(own), "{own}");
        }
        for other in [
            "",
            "example.org",
            "localhost.example.org:80",
            "localhostile",
            "127.0.0.1.example.org",
            "127.0.0.1@example.org",
            "localhost:80@example.org",
            "localhost@example.org",
            "a.mock.test",
            "0.0.0.0",
            "[::]",
            "notlocalhost",
        ] {
            assert!(!hosts.have(other), "{other}");
        }
    }
}
