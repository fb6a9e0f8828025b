//! Tools that nobody here wrote, against the documents and the running mock server.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use fabric_model::access_client::ListAccessClients;
use fabric_model::{Operation, header};
use serde_json::Value;

use crate::{Outcome, cargo, read, root, run, write};

/// The one token of the servers that are called with tokens.
const TOKEN: &str = "conformance";

/// How many requests Schemathesis generates for each operation, at most, in each of its phases.
const EXAMPLES: usize = 100;

/// Installs the tools under `target/conformance`, and runs them.
pub(crate) fn conformance(is_thorough: bool) -> Outcome {
    cargo("build --package fabric-server")?;
    fs::create_dir_all(workshop())
        .map_err(|error| format!("cannot make {}: {error}", workshop().display()))?;
    let python = install_python()?;
    let node = install_node()?;
    lint(&node)?;
    schemathesis(&python, is_thorough)?;
    generated_python(&python)?;
    generated_typescript(&node)?;
    generated_rust()?;
    vendor_sdk(&python)?;
    longest_token()?;
    page(&node)?;
    image()
}

/// Where everything that the tools need and leave behind is put.
fn workshop() -> PathBuf {
    target().join("conformance")
}

/// The folder that cargo builds in, which this program itself is in.
fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).map_or_else(|| root().join("target"), Path::to_owned)
}

fn tools() -> PathBuf {
    root().join("xtask/conformance")
}

/// The Python tools in an environment of their own; made anew when their list has changed. Returns where
/// its programs are.
fn install_python() -> Result<PathBuf, String> {
    let environment = workshop().join("python");
    let programs = environment.join("bin");
    install(&environment, &["requirements.txt"], || {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        let pip =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        run(Command::new(programs.join("python")).args(pip).arg(tools().join("requirements.txt")))
    })?;
    Ok(programs)
}

/// The Node.js tools, in the same way. Returns their folder.
fn install_node() -> Result<PathBuf, String> {
    let folder = workshop().join("node");
    let files = ["package.json", "package-lock.json", ".npmrc"];
    install(&folder, &files, || {
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        for file in files {
            write(&folder.join(file), &read(&tools().join(file))?)?;
        }
        run(Command::new("npm").args(["ci", "--loglevel", "error", "--prefix"]).arg(&folder))
    })?;
    Ok(folder)
}

fn node_program(node: &Path, name: &str) -> Command {
    Command::new(node.join("node_modules/.bin").join(name))
}

/// Fills a folder, unless it was filled for the same files before.
fn install(folder: &Path, files: &[&str], fill: impl FnOnce() -> Outcome) -> Outcome {
    let wanted = files.iter().map(|file| read(&tools().join(file)));
    let wanted = wanted.collect::<Result<String, _>>()?;
    let stamp = folder.join("installed");
    if read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder)
            .map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
    }
    fill()?;
    write(&stamp, &wanted)
}

/// The strict rules of two linters, for all documents.
fn lint(node: &Path) -> Outcome {
    for document in ["openapi.json", "openapi-3.0.json", "mock.json"] {
        let path = root().join("openapi").join(document);
        say(&format!("linters: {document}"));
        let mut redocly = node_program(node, "redocly");
        redocly.arg("lint").arg("--config").arg(tools().join("redocly.yaml")).arg(&path);
        redocly.env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
        if document == "mock.json" {
            // Paths that no service has, streams and metrics, and probes that nobody can ask wrongly.
            redocly.args(["--skip-rule", "paths-kebab-case", "--skip-rule", "response-mime-type"]);
            redocly.args(["--skip-rule", "operation-4xx-response"]);
        }
        quietly(&mut redocly)?;
        let mut spectral = node_program(node, "spectral");
        spectral.args(["lint", "--fail-severity", "hint", "--ruleset"]);
        quietly(spectral.arg(tools().join("spectral.yaml")).arg(&path))?;
        say("  Redocly (recommended-strict and more), Spectral (all rules): nothing to say");
    }
    Ok(())
}

/// Schemathesis makes requests from the document, right and wrong ones, and checks the answers.
fn schemathesis(python: &Path, is_thorough: bool) -> Outcome {
    say("Schemathesis");
    let server = Server::start(Server::command().env("FABRIC_TOKEN", TOKEN))?;
    let reports = workshop().join("schemathesis");
    fs::remove_dir_all(&reports).ok();
    let mut tool = Command::new(python.join("schemathesis"));
    tool.arg("--config-file").arg(tools().join("schemathesis.toml")).arg("run");
    tool.arg(root().join("openapi/openapi.json")).args(["--url", &server.endpoint]);
    tool.args(["--header", &format!("X-Auth-Token: {TOKEN}"), "--no-color"]);
    tool.args(["--phases", "examples,coverage,fuzzing,stateful", "--warnings", "off"]);
    tool.args(["--report", "json,ndjson", "--report-dir"]).arg(&reports);
    if is_thorough {
        tool.args(["--max-examples", &(10 * EXAMPLES).to_string()]);
        tool.args(["--generation-database", "none"]);
    } else {
        // The same requests each time: what fails in CI fails here.
        tool.args(["--max-examples", &EXAMPLES.to_string(), "--generation-deterministic"]);
    }
    // It leaves a folder of its own where it runs.
    quietly(tool.env("NO_PROXY", "127.0.0.1").current_dir(workshop()))?;
    let summary: Value = serde_json::from_str(&read(&report(&reports, "json")?)?)
        .map_err(|error| format!("cannot read the report: {error}"))?;
    let events = read(&report(&reports, "ndjson")?)?;
    say(&format!(
        "  {} operations, {} requests, {} checks: nothing failed",
        summary["operations"]["tested"],
        summary["test_cases"]["generated"],
        events.lines().map(checks).sum::<usize>(),
    ));
    Ok(())
}

/// How many checks an event of Schemathesis tells of.
fn checks(event: &str) -> usize {
    let event: Value = serde_json::from_str(event).unwrap_or_default();
    let cases = event["ScenarioFinished"]["recorder"]["checks"].as_object();
    cases.into_iter().flatten().filter_map(|(_, checks)| checks.as_array()).map(Vec::len).sum()
}

fn report(folder: &Path, ending: &str) -> Result<PathBuf, String> {
    let files = fs::read_dir(folder).map_err(|error| format!("no reports: {error}"))?;
    let mut paths = files.filter_map(|file| Some(file.ok()?.path()));
    let is_it = |path: &PathBuf| path.extension().is_some_and(|given| given == ending);
    paths.find(is_it).ok_or_else(|| format!("no report ends in {ending}"))
}

/// The page of the mock server in headless Chromium, which is installed where it is not.
fn page(node: &Path) -> Outcome {
    say("the page of the mock server (Chromium)");
    if !Path::new("/usr/bin/chromium").exists() {
        quietly(Command::new("apt-get").args(["--quiet", "update"]))?;
        let install = ["install", "--quiet", "--yes", "--no-install-recommends", "chromium"];
        quietly(Command::new("apt-get").args(install).env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    let server = Server::start(&mut Server::command())?;
    write(&node.join("page.mjs"), &read(&tools().join("page.mjs"))?)?;
    let mut check = Command::new("node");
    check.arg(node.join("page.mjs")).arg(&server.endpoint).arg(workshop().join("page.png"));
    run(&mut check)
}

/// The program as the Containerfile builds it, in a root directory with nothing else.
fn image() -> Outcome {
    say("the program alone in a root directory (Containerfile)");
    let host = Command::new("rustc").args(["--print", "host-tuple"]).output();
    let host = host.map_err(|error| format!("cannot run rustc: {error}"))?;
    let host = String::from_utf8_lossy(&host.stdout).trim().to_owned();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--locked", "--package", "fabric-server", "--target", &host]);
    // In a folder of its own: with other flags cargo would build everything else anew.
    let folder = workshop().join("static");
    build.arg("--target-dir").arg(&folder).env("RUSTFLAGS", "-C target-feature=+crt-static");
    run(&mut build)?;
    let root = workshop().join("image");
    fs::create_dir_all(&root).map_err(|error| error.to_string())?;
    fs::copy(folder.join(&host).join("debug/fabric-server"), root.join("fabric-server"))
        .map_err(|error| format!("cannot copy the program: {error}"))?;
    let alone = |arguments: &[&str]| {
        // As somebody who is root only there.
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "chroot"]).arg(&root).arg("/fabric-server");
        command.args(arguments);
        command
    };
    let server = Server::start(alone(&["--listen", "0"]).stdout(Stdio::piped()))?;
    let healthcheck = ["healthcheck", "--endpoint", &server.endpoint];
    quietly(&mut alone(&healthcheck))?;
    say("  starts, and its healthcheck says that it is ready");
    Ok(())
}

/// What openapi-python-client generates calls the server.
fn generated_python(python: &Path) -> Outcome {
    say("generated client in Python (openapi-python-client)");
    let package = workshop().join("generated_client");
    fs::remove_dir_all(&package).ok();
    let mut generate = Command::new(python.join("openapi-python-client"));
    generate.args(["generate", "--meta", "none", "--fail-on-warning", "--path"]);
    generate.arg(root().join("openapi/openapi.json")).arg("--output-path").arg(&package);
    // It formats what it generates with a program beside it.
    let path = std::env::var("PATH").unwrap_or_default();
    quietly(generate.env("PATH", format!("{}:{path}", python.display())))?;
    let mut client = Command::new(python.join("python"));
    client.arg(tools().join("generated_python.py")).env("PYTHONPATH", workshop());
    call(&mut client)
}

/// What openapi-typescript and openapi-fetch make of the document is compiled and calls the server.
fn generated_typescript(node: &Path) -> Outcome {
    say("generated client in TypeScript (openapi-typescript, openapi-fetch)");
    for file in ["rename.ts", "tsconfig.json"] {
        write(&node.join(file), &read(&tools().join("typescript").join(file))?)?;
    }
    let mut generate = node_program(node, "openapi-typescript");
    generate.arg(root().join("openapi/openapi.json")).arg("--output").arg(node.join("schema.d.ts"));
    quietly(&mut generate)?;
    quietly(node_program(node, "tsc").arg("--project").arg(node))?;
    call(Command::new("node").arg(node.join("rename.js")))
}

/// What progenitor generates from the OpenAPI 3.0 document is compiled and calls the server.
fn generated_rust() -> Outcome {
    say("generated client in Rust (progenitor)");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--locked", "--manifest-path"]);
    build
        .arg(tools().join("progenitor/Cargo.toml"))
        .arg("--target-dir")
        .arg(workshop().join("rust"));
    run(&mut build)?;
    call(&mut Command::new(workshop().join("rust/debug/generated-rust-client")))
}

/// Runs a client's program, with the endpoint of a server and a token as its arguments.
fn call(client: &mut Command) -> Outcome {
    let server = Server::start(Server::command().env("FABRIC_TOKEN", TOKEN))?;
    run(client.args([&server.endpoint, TOKEN]).env("NO_PROXY", "127.0.0.1"))
}

/// Runs a command whose paths are absolute, and shows what it says only if it fails.
fn quietly(command: &mut Command) -> Outcome {
    let program = command.get_program().display().to_string();
    let output = command.output();
    let output = output.map_err(|error| format!("cannot run {program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    say(&String::from_utf8_lossy(&output.stdout));
    Err(format!("{program} failed: {}", String::from_utf8_lossy(&output.stderr)))
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
    run(Command::new(python.join("python"))
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
    const CURL_HTTP_2: usize = 65_300;
    say("curl with the longest token");
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
            let mut curl = Command::new("curl");
            curl.args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "20", version]);
            curl.args(["--output", "/dev/null", "--write-out", "%{http_version} %{http_code}"]);
            if !tls.is_empty() {
                curl.arg("--cacert").arg(&authority);
            }
            curl.args(["--header", &format!("@{}", file.display())]);
            curl.arg(format!("{}{}", server.endpoint, ListAccessClients::PATH));
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
        let mut command = Command::new(target().join("debug/fabric-server"));
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
        let line: Value = serde_json::from_str(&line).unwrap_or_default();
        let endpoint = line["listening"].as_str().unwrap_or_default().to_owned();
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
