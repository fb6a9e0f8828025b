//! The servers that are compared, and what they are asked.

use std::fmt::Write;
use std::net::SocketAddr;
use std::process::Command;
use std::time::SystemTime;

use fabric_model::signature::{AccessKey, Algorithm, RequestLine};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::Value;

use super::built::built;
use super::load::{call, request};
use super::server::Server;

/// What all are compared with.
pub(super) const AXUM: &str = "bare axum";

/// Ours, with its default settings.
pub(super) const OURS: &str = "ours, journal on";

pub(super) const SUBJECTS: [Subject; 6] = [
    Subject { name: "bare hyper", bare: Some("hyper"), flags: &[], caller: Caller::Anybody },
    Subject { name: AXUM, bare: Some("axum"), flags: &[], caller: Caller::Anybody },
    Subject {
        name: "ours, journal off",
        bare: None,
        flags: &["--journal-limit", "0"],
        caller: Caller::Anybody,
    },
    Subject { name: OURS, bare: None, flags: JOURNAL, caller: Caller::Anybody },
    Subject {
        name: "ours, journal on, with a token",
        bare: None,
        flags: JOURNAL,
        caller: Caller::Token,
    },
    Subject {
        name: "ours, journal on, with a signature",
        bare: None,
        flags: JOURNAL,
        caller: Caller::Signature,
    },
];

/// Small enough that calls are evicted from the first one that is counted, as it goes on for ever after.
const JOURNAL: &[&str] = &["--journal-limit", "1048576"];

const TOKEN: &str =
    "MIIEpAYJKoZIhvcNAQcCoIIElTCCBJECAQExDTALBglghkgBZQMEAgEwggKGBgkqhkiG9w0BBwGgggJ3";
const ACCESS_KEY: (&str, &str) = ("AKIDBENCH", "secret-of-the-bench");
const BODY: &str = r#"{"name":"zzh_test1122"}"#;

/// A server with its settings, and who calls it.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) name: &'static str,
    /// The one of `benches/bare.rs`, or ours.
    bare: Option<&'static str>,
    flags: &'static [&'static str],
    caller: Caller,
}

#[derive(Clone, Copy, Debug)]
enum Caller {
    Anybody,
    Token,
    Signature,
}

impl Subject {
    pub(super) fn command(&self) -> Command {
        let Some(bare) = self.bare else {
            let mut command = Command::new(built("fabric-server"));
            command.args(["--listen", "0", "--seed", "1"]).args(self.flags);
            match self.caller {
                Caller::Anybody => {}
                Caller::Token => drop(command.args(["--token", TOKEN])),
                Caller::Signature => {
                    let (id, secret) = ACCESS_KEY;
                    command.arg("--access-key").arg(format!("{id}:{secret}"));
                }
            }
            return command;
        };
        let mut command = Command::new(built("bare"));
        command.arg(bare);
        command
    }

    /// The update that the server is measured with, of an access client that is there.
    pub(super) fn request(&self, server: &Server) -> Result<Vec<u8>, String> {
        let address = server.address;
        let mut id = "3f2c9a5e-8d1b-4c7a-9e6f-0a1b2c3d4e5f".to_owned();
        if self.bare.is_none() {
            let path = "/v1/access-clients";
            let headers = self.headers(address, &Method::POST, path, "{}")?;
            let created = call(address, &request("POST", path, &headers, "{}"))?;
            let created: Value = serde_json::from_str(&created).unwrap_or_default();
            created["id"].as_str().ok_or("there is no id")?.clone_into(&mut id);
        }
        let path = format!("/v1/access-clients/{id}");
        let headers = self.headers(address, &Method::PUT, &path, BODY)?;
        Ok(request("PUT", &path, &headers, BODY))
    }

    fn headers(
        &self,
        address: SocketAddr,
        method: &Method,
        path: &str,
        body: &str,
    ) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        match self.caller {
            Caller::Anybody => {}
            Caller::Token => drop(headers.insert("x-auth-token", HeaderValue::from_static(TOKEN))),
            Caller::Signature => {
                let (id, secret) = ACCESS_KEY;
                let key = AccessKey::new(id, secret).map_err(|error| error.to_string())?;
                let host = address.to_string();
                let line = RequestLine { method, path, query: "", host: host.as_bytes() };
                #[expect(clippy::disallowed_methods, reason = "the server checks it by its clock")]
                let now = SystemTime::now();
                key.sign(&Algorithm::Sha256, line, &mut headers, body.as_bytes(), now);
            }
        }
        let mut lines = format!("host: {address}\r\n");
        for (name, value) in &headers {
            // A string takes whatever is written.
            write!(lines, "{name}: {}\r\n", value.to_str().unwrap_or_default()).ok();
        }
        Ok(lines)
    }
}
