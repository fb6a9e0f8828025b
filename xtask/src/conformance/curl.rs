//! curl, which sends the longest token.

use std::path::{Path, PathBuf};
use std::process::Command;

use fabric_model::access_client::ListAccessClients;
use fabric_model::{Operation, header};

use super::server::Server;
use super::tools;
use super::workshop::workshop;
use crate::shell::{Outcome, say, write};
use crate::stage::Missing;

const REMEDY: &str = "install curl, built with HTTP/2";

/// Finds a curl that speaks HTTP/2.
pub(super) fn find() -> Result<PathBuf, Missing> {
    let curl = tools::find("curl", REMEDY)?;
    let version = Command::new(&curl).arg("--version").output();
    let features = version.map(|output| output.stdout).unwrap_or_default();
    if String::from_utf8_lossy(&features).contains("HTTP2") {
        Ok(curl)
    } else {
        Err(Missing::new(format!("{} does not speak HTTP/2", curl.display()), REMEDY))
    }
}

/// curl sends the longest token that the contract allows, and over HTTP/2 the longest that it can: the
/// library in it, nghttp2, stops at 64 KiB for names and values of all headers together.
pub(super) fn longest_token(curl: &Path) -> Outcome {
    const CURL_HTTP_2: usize = 65_300;
    let authority = workshop().join("authority.pem");
    let secure = ["--tls-self-signed", &authority.display().to_string()];
    for tls in [&[][..], &secure] {
        for (version, shown, length) in [
            ("--http1.1", "1.1", header::TOKEN_MAX_LENGTH),
            (if tls.is_empty() { "--http2-prior-knowledge" } else { "--http2" }, "2", CURL_HTTP_2),
        ] {
            let token = "t".repeat(length);
            let server = Server::start(Server::command().args(tls).env("FABRIC_TOKEN", &token))?;
            let file = workshop().join("token.header");
            write(&file, &format!("{}: {token}\n", header::X_AUTH_TOKEN))?;
            let mut call = Command::new(curl);
            call.args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "20", version]);
            call.args(["--output", "/dev/null", "--write-out", "%{http_version} %{http_code}"]);
            if !tls.is_empty() {
                call.arg("--cacert").arg(&authority);
            }
            call.args(["--header", &format!("@{}", file.display())]);
            call.arg(format!("{}{}", server.endpoint, ListAccessClients::PATH));
            let output = call.output().map_err(|error| format!("cannot run curl: {error}"))?;
            let answer = String::from_utf8_lossy(&output.stdout).into_owned();
            if answer != format!("{shown} 200") {
                let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
                return Err(format!("curl {version} {}: {answer} {complaint}", server.endpoint));
            }
            let scheme = if tls.is_empty() { "http" } else { "https" };
            say(&format!("  {scheme}, HTTP/{shown}: {length} characters, 200"));
        }
    }
    Ok(())
}
