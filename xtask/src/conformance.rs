//! Tools that nobody here wrote, against the running mock server.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{Outcome, cargo, read, root, run, write};

/// Installs the tools under `target/conformance`, and runs them.
pub(crate) fn conformance() -> Outcome {
    cargo("build --package fabric-server")?;
    let python = install_python()?;
    vendor_sdk(&python)?;
    longest_token()
}

/// Where everything that the tools need and leave behind is put.
fn workshop() -> PathBuf {
    root().join("target/conformance")
}

fn tools() -> PathBuf {
    root().join("xtask/conformance")
}

/// The Python tools in an environment of their own; made anew when their list has changed.
fn install_python() -> Result<PathBuf, String> {
    let environment = workshop().join("python");
    let python = environment.join("bin/python");
    let wanted = read(&tools().join("requirements.txt"))?;
    let stamp = environment.join("requirements.txt");
    if read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    if environment.exists() {
        fs::remove_dir_all(&environment)
            .map_err(|error| format!("cannot remove {}: {error}", environment.display()))?;
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    run(Command::new(&python).args(pip).arg(tools().join("requirements.txt")))?;
    write(&stamp, &wanted)?;
    Ok(python)
}

/// The vendor's Python client stack calls every operation, signed in each of its ways.
fn vendor_sdk(python: &Path) -> Outcome {
    let authority = workshop().join("authority.pem");
    let keys = [
        "AKIDCONFORMANCE:the-secret-of-conformance=0123456789abcdef0123456789abcdef",
        "AKIDWRONG:another-secret",
    ];
    let credentials = workshop().join("credentials.json");
    let temporary = r#"{"access_keys": [{"access_key_id": "AKIDTEMPORARY",
        "secret_access_key": "the-secret-of-a-day", "security_token": "gQpjbi1ub3J0aC00example/+=="}]}"#;
    write(&credentials, temporary)?;
    let start = |tls: &[&str]| {
        let mut command = Server::command();
        command.args(tls).env("FABRIC_ACCESS_KEY", keys.join(" "));
        Server::start(command.arg("--credentials").arg(&credentials))
    };
    let plain = start(&[])?;
    let secure = start(&["--tls-self-signed", &authority.display().to_string()])?;
    say("vendor SDK (huaweicloudsdkcore)");
    run(Command::new(python)
        .arg(tools().join("vendor_sdk.py"))
        .args([&plain.endpoint, &secure.endpoint])
        .arg(&authority)
        // It writes an id of its own there when it is loaded.
        .env("HOME", workshop())
        .env("NO_PROXY", "127.0.0.1"))
}

/// curl sends the longest token that the contract allows, and over HTTP/2 the longest that it can: the
/// library in it, nghttp2, stops at 64 KiB for names and values of all headers together.
fn longest_token() -> Outcome {
    const CONTRACT: usize = 65_534;
    const CURL_HTTP_2: usize = 65_300;
    say("curl with the longest token");
    let authority = workshop().join("authority.pem");
    let secure = ["--tls-self-signed", &authority.display().to_string()];
    for tls in [&[][..], &secure] {
        for (version, shown, length) in [
            ("--http1.1", "1.1", CONTRACT),
            (if tls.is_empty() { "--http2-prior-knowledge" } else { "--http2" }, "2", CURL_HTTP_2),
        ] {
            let token = "t".repeat(length);
            let server = Server::start(Server::command().args(tls).env("FABRIC_TOKEN", &token))?;
            let header = workshop().join("token.header");
            write(&header, &format!("X-Auth-Token: {token}\n"))?;
            let mut curl = Command::new("curl");
            curl.args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "20", version]);
            curl.args(["--output", "/dev/null", "--write-out", "%{http_version} %{http_code}"]);
            curl.arg("--cacert").arg(&authority).arg("--header");
            curl.arg(format!("@{}", header.display()));
            curl.arg(format!("{}/v1/access-clients", server.endpoint));
            let output = curl.output().map_err(|error| format!("cannot run curl: {error}"))?;
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

/// A mock server of this build, stopped when dropped.
struct Server {
    process: Child,
    endpoint: String,
}

impl Server {
    fn command() -> Command {
        let mut command = Command::new(root().join("target/debug/fabric-server"));
        // What the shell sets for a server of its own is not meant for this one.
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("FABRIC_") {
                command.env_remove(variable);
            }
        }
        command.args(["--listen", "0", "--log-level", "warn"]).stdout(Stdio::piped());
        command
    }

    fn start(command: &mut Command) -> Result<Self, String> {
        let mut process = command.spawn().map_err(|error| format!("no server: {error}"))?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
        }
        let endpoint = line.split('"').nth(3).unwrap_or_default().to_owned();
        let server = Self { process, endpoint };
        if server.endpoint.is_empty() {
            Err("the server did not start".to_owned())
        } else {
            Ok(server)
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is gone already, if this fails.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[expect(clippy::print_stdout, reason = "a task speaks to whoever runs it")]
fn say(what: &str) {
    println!("{what}");
}
