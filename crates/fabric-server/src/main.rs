//! The mock server as a program: arguments, listen, shut down.

use std::io::{IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use fabric_model::Invalid;
use fabric_server::{Clock, Credential, Limits, MockServer, Profile, Seed, Settings, Tls};
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// A mock server for Huawei Cloud DataArts Fabric access clients.
///
/// The first line on standard output is {"listening":"http://ADDRESS:PORT"}; logs go to standard
/// error. SIGTERM and Ctrl-C finish the open requests and stop.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    /// Where to listen, as ADDRESS:PORT or PORT of this machine; port 0 takes a free one
    #[arg(long, value_name = "ADDR", env = "FABRIC_LISTEN", default_value = "127.0.0.1:8080", value_parser = listen_address)]
    listen: SocketAddr,

    /// A token that X-Auth-Token may hold, good for one project if that is given, else for the one in
    /// X-Project-Id; repeatable, or several with spaces between them. Once there is any token or
    /// access key, callers without one are refused
    #[arg(
        long = "token",
        value_name = "TOKEN[=PROJECT]",
        env = "FABRIC_TOKEN",
        hide_env_values = true,
        value_delimiter = ' '
    )]
    tokens: Vec<String>,

    /// An access key that requests may be signed with, its id and its secret; otherwise as --token
    #[arg(
        long = "access-key",
        value_name = "AK:SK[=PROJECT]",
        env = "FABRIC_ACCESS_KEY",
        hide_env_values = true,
        value_delimiter = ' '
    )]
    access_keys: Vec<String>,

    /// Tokens and access keys in JSON, with expiry and allowed actions if wanted (see the README)
    #[arg(long, value_name = "FILE", env = "FABRIC_CREDENTIALS")]
    credentials: Option<PathBuf>,

    /// Lets everybody in who reaches this machine, where it listens beyond it without credentials
    #[arg(long, env = "FABRIC_OPEN_TO_ALL")]
    open_to_all: bool,

    /// The certificate chain for TLS, in PEM, leaf first
    #[arg(long, value_name = "FILE", env = "FABRIC_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", env = "FABRIC_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// TLS with a certificate authority made at start, for tests; clients trust its certificate,
    /// which is written to this file
    #[arg(long, value_name = "FILE", env = "FABRIC_TLS_SELF_SIGNED", conflicts_with_all = ["tls_cert", "tls_key"])]
    tls_self_signed: Option<PathBuf>,

    /// How to fill the gaps of the documentation: documented (every field is optional) or strict
    #[arg(long, env = "FABRIC_PROFILE", default_value = "documented")]
    profile: Profile,

    /// How long an access client is CREATING, such as 500ms or 2s
    #[arg(long, value_name = "DUR", env = "FABRIC_CREATING_TIME", default_value = "0s")]
    creating_time: humantime::Duration,

    /// How long an access client is DELETING
    #[arg(long, value_name = "DUR", env = "FABRIC_DELETING_TIME", default_value = "0s")]
    deleting_time: humantime::Duration,

    /// Makes ids, names and addresses the same at every start
    #[arg(long, value_name = "N", env = "FABRIC_RNG_SEED")]
    rng_seed: Option<u64>,

    /// Access clients to start with: a JSON array of them as the service answers them; the project of
    /// each stands in a field of its own, `project_id`
    #[arg(long, value_name = "FILE", env = "FABRIC_SEED")]
    seed: Option<PathBuf>,

    /// The longest time for one request; what takes longer is answered with 408
    #[arg(long, value_name = "DUR", env = "FABRIC_REQUEST_TIMEOUT", default_value = "30s")]
    request_timeout: humantime::Duration,

    /// The largest body of a request; what is larger is answered with 413
    #[arg(long, value_name = "BYTES", env = "FABRIC_BODY_LIMIT", default_value_t = 12 * 1024 * 1024)]
    body_limit: usize,

    /// How logs are written
    #[arg(long, env = "FABRIC_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,

    /// What is logged: error, warn, info (every refusal), debug (every request) or trace
    #[arg(long, value_name = "LEVEL", env = "FABRIC_LOG_LEVEL", default_value = "info", value_parser = Targets::from_str)]
    log_level: Targets,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// The status of a program that was started wrongly.
const MISUSE: u8 = 2;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return explain(&error),
    };
    start_logging(&arguments);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start the runtime: {error}")),
    };
    match runtime.block_on(run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => fail(&reason),
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let listen = arguments.listen;
    let settings = settings(&arguments)?;
    if settings.lets_everybody_in() && !settings.open_to_all {
        return Err(format!(
            "--listen {listen} would let everybody in who reaches this machine: give --token, \
             --access-key or --credentials, or say --open-to-all"
        ));
    }
    // An open request takes no longer than this.
    let grace = settings.limits.time.saturating_add(Duration::from_secs(1));
    // From here on a signal means to stop in order, so it is caught before anybody knows of us.
    let mut signals =
        StopSignals::catch().map_err(|error| format!("cannot catch signals: {error}"))?;
    let server = MockServer::start_with(settings)
        .await
        .map_err(|error| format!("cannot listen on {listen}: {}", why(&error)))?;
    announce(server.endpoint());
    signals.next().await;
    tracing::info!("stopping: finishing the open requests; a second signal stops at once");
    tokio::select! {
        result = server.shutdown(grace) => result.map_err(|error| error.to_string()),
        () = signals.next() => Ok(()),
    }
}

fn settings(arguments: &Arguments) -> Result<Settings, String> {
    let access_clients = match &arguments.seed {
        None => Vec::new(),
        Some(path) => {
            let json = read("seed", path)?;
            let json = String::from_utf8_lossy(&json);
            Seed::parse(&json)
                .map_err(|error| format!("the seed {} is wrong: {error}", path.display()))?
        }
    };
    let rng_seed = arguments.rng_seed.unwrap_or_else(|| fastrand::u64(..));
    tracing::info!(rng_seed, access_clients = access_clients.len(), "starting");
    Ok(Settings {
        listen: arguments.listen,
        credentials: credentials(arguments)?,
        open_to_all: arguments.open_to_all,
        tls: tls(arguments)?,
        profile: arguments.profile,
        creating_time: arguments.creating_time.into(),
        deleting_time: arguments.deleting_time.into(),
        rng_seed: Some(rng_seed),
        access_clients,
        limits: Limits { body: arguments.body_limit, time: arguments.request_timeout.into() },
        hostname: hostname(),
        ..Settings::default()
    })
}

fn read(what: &str, path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path)
        .map_err(|error| format!("cannot read the {what} {}: {error}", path.display()))
}

/// What callers may present. None of the errors holds a secret.
fn credentials(arguments: &Arguments) -> Result<Vec<Credential>, String> {
    let given = |texts: &[String], flag: &str, parse: fn(&str) -> Result<Credential, Invalid>| {
        let texts = texts.iter().filter(|text| !text.is_empty());
        let credentials = texts.map(|text| parse(text));
        let credentials = credentials.collect::<Result<Vec<_>, _>>();
        credentials.map_err(|invalid| format!("{flag}: {invalid}"))
    };
    let mut credentials = given(&arguments.tokens, "--token", Credential::parse_token)?;
    credentials.extend(given(
        &arguments.access_keys,
        "--access-key",
        Credential::parse_access_key,
    )?);
    if let Some(path) = &arguments.credentials {
        let json = read("credentials", path)?;
        let listed = std::str::from_utf8(&json)
            .map_err(|_| Invalid::new("it", "must be UTF-8"))
            .and_then(Credential::parse_file)
            .map_err(|invalid| {
                format!("the credentials {} are wrong: {invalid}", path.display())
            })?;
        if listed.is_empty() {
            return Err(format!("the credentials {} hold none", path.display()));
        }
        credentials.extend(listed);
    }
    Ok(credentials)
}

fn tls(arguments: &Arguments) -> Result<Option<Tls>, String> {
    if let Some(path) = &arguments.tls_self_signed {
        let names = [arguments.listen.ip().to_string(), hostname()];
        let tls = Tls::self_signed(&names, Clock::system().now())
            .map_err(|error| format!("--tls-self-signed: {error}"))?;
        let authority = tls.certificate_authority().unwrap_or_default();
        std::fs::write(path, authority)
            .map_err(|error| format!("cannot write the certificate {}: {error}", path.display()))?;
        return Ok(Some(tls));
    }
    let (Some(certificate), Some(key)) = (&arguments.tls_cert, &arguments.tls_key) else {
        return Ok(None);
    };
    let tls = Tls::from_pem(&read("certificate", certificate)?, &read("key", key)?)
        .map_err(|error| format!("--tls-cert, --tls-key: {error}"))?;
    Ok(Some(tls))
}

fn listen_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    let mut addresses = text
        .to_socket_addrs()
        .map_err(|_| "expected ADDRESS:PORT, such as 127.0.0.1:8080".to_owned())?;
    addresses.next().ok_or_else(|| "the name has no address".to_owned())
}

/// What the end of a request id says of this machine. Only Linux tells it in a file.
fn hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "localhost".to_owned() } else { name.trim().to_owned() }
}

/// Whoever starts the server reads where it listens from the first line on standard output.
fn announce(endpoint: &str) {
    let mut output = std::io::stdout();
    let line = serde_json::json!({ "listening": endpoint });
    // Nobody need listen to what we say.
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

fn why(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "the port is taken; choose another, or 0 for a free one".to_owned()
        }
        std::io::ErrorKind::AddrNotAvailable => "this machine does not have the address".to_owned(),
        _ => error.to_string(),
    }
}

fn start_logging(arguments: &Arguments) {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // The libraries below us print headers at their finest levels, and those hold credentials.
    let is_ours_or_plain = filter_fn(|event| {
        *event.level() <= tracing::Level::INFO || event.target().starts_with("fabric_")
    });
    let registry =
        tracing_subscriber::registry().with(arguments.log_level.clone()).with(is_ours_or_plain);
    match arguments.log_format {
        LogFormat::Text => registry.with(lines.with_ansi(std::io::stderr().is_terminal())).init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).init(),
    }
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
}

/// Says in one line what is wrong with the command line, or what was asked of it.
fn explain(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Help or version.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<&str> = lines.take_while(|line| !line.starts_with("Usage:")).collect();
    let lines = lines.join(" ");
    let reason = lines.trim_start_matches("error: ").trim_end_matches(MORE).trim_end();
    fail(&format!("{reason} (--help lists what there is)"))
}

/// How clap ends what it says, where it does not show the usage.
const MORE: &str = "For more information, try '--help'.";

/// Says in one line why there is no server.
fn fail(reason: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "fabric-server: {reason}");
    ExitCode::from(MISUSE)
}

/// The signals that ask a program to stop.
struct StopSignals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignals {
    #[cfg(unix)]
    fn catch() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "the other systems can fail here")]
    fn catch() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_self, clippy::needless_pass_by_ref_mut, reason = "as on the others")]
    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
