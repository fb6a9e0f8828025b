//! The mock server as a program: arguments, listen, shut down.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Parser, ValueEnum};
use fabric_model::Invalid;
use fabric_server::{Clock, Credential, Limits, MockServer, Profile, Seed, Settings, Tls};
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::filter::{LevelFilter, filter_fn};
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

    /// A token that X-Auth-Token may hold, good for one project if one follows the last =, else for the
    /// one in X-Project-Id; repeatable. Once there is any token or access key, who has none is refused
    /// [env: `FABRIC_TOKEN`, several with spaces between them, besides the flags]
    #[arg(long = "token", value_name = "TOKEN[=PROJECT]")]
    tokens: Vec<SecretText>,

    /// An access key that requests may be signed with, its id and its secret; otherwise as --token
    /// [env: `FABRIC_ACCESS_KEY`]
    #[arg(long = "access-key", value_name = "AK:SK[=PROJECT]")]
    access_keys: Vec<SecretText>,

    /// Tokens and access keys in JSON, with expiry and allowed actions if wanted (see the README)
    #[arg(long, value_name = "FILE", env = "FABRIC_CREDENTIALS")]
    credentials: Option<PathBuf>,

    /// Lets everybody in who reaches this machine, where it listens beyond it without credentials
    #[arg(long, env = "FABRIC_OPEN_TO_ALL", value_parser = BoolishValueParser::new())]
    open_to_all: bool,

    /// The certificate chain for TLS, in PEM, leaf first
    #[arg(long, value_name = "FILE", env = "FABRIC_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", env = "FABRIC_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// TLS with a certificate authority made at start, for tests; clients trust its certificate,
    /// which is written to this file, anew at each start
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

    /// Stops the clock at this time, such as 2025-09-15T08:30:00Z
    #[arg(long, value_name = "TIME", env = "FABRIC_TIME")]
    time: Option<humantime::Timestamp>,

    /// Makes ids, names and addresses the same at every start
    #[arg(long, value_name = "N", env = "FABRIC_RNG_SEED", value_parser = whole_number::<u64>)]
    rng_seed: Option<u64>,

    /// Access clients to start with: a JSON array of them as the service answers them; the project of
    /// each stands in a field of its own, `project_id`
    #[arg(long, value_name = "FILE", env = "FABRIC_SEED")]
    seed: Option<PathBuf>,

    /// The longest time for one request; what takes longer is answered with 408
    #[arg(long, value_name = "DUR", env = "FABRIC_REQUEST_TIMEOUT", default_value = "30s")]
    request_timeout: humantime::Duration,

    /// The largest body of a request; what is larger is answered with 413
    #[arg(long, value_name = "BYTES", env = "FABRIC_BODY_LIMIT", default_value_t = 12 * 1024 * 1024, value_parser = whole_number::<usize>)]
    body_limit: usize,

    /// How logs are written
    #[arg(long, env = "FABRIC_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,

    /// What is logged: error, warn, info (every refusal), debug (every request) or trace
    #[arg(long, value_name = "LEVEL", env = "FABRIC_LOG_LEVEL", default_value = "info")]
    log_level: LogLevel,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// A secret among the arguments.
#[derive(Clone)]
struct SecretText(SecretString);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
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
    if settings.is_open_beyond_this_machine() && !settings.open_to_all {
        return Err(format!(
            "--listen {listen} would let everybody in who reaches this machine: give --token, \
             --access-key or --credentials, or say --open-to-all"
        ));
    }
    let (credentials, access_clients) = (settings.credentials.len(), settings.access_clients.len());
    let (profile, rng_seed) = (settings.profile, settings.rng_seed);
    // An open request takes no longer than this.
    let grace = settings.limits.time.saturating_add(Duration::from_secs(1));
    // From here on a signal means to stop in order, so it is caught before anybody knows of us.
    let mut signals =
        StopSignals::catch().map_err(|error| format!("cannot catch signals: {error}"))?;
    let server = MockServer::start_with(settings).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidInput => error.to_string(),
        _ => format!("cannot listen on {listen}: {}", why(&error)),
    })?;
    if let (Some(path), Some(pem)) = (&arguments.tls_self_signed, server.certificate_authority()) {
        write_certificate(path, pem)?;
    }
    let endpoint = server.endpoint();
    tracing::info!(endpoint, ?profile, credentials, access_clients, rng_seed, "listening");
    if credentials == 0 {
        tracing::info!("everybody is let in who reaches this address");
    }
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
    let request_timeout = Duration::from(arguments.request_timeout);
    if request_timeout.is_zero() {
        return Err("--request-timeout must not be 0: no request could be answered".to_owned());
    }
    // Drawn here, so that the log tells how to have the same again.
    let rng_seed = arguments.rng_seed.unwrap_or_else(|| fastrand::u64(..));
    let clock = Clock::system();
    if let Some(time) = arguments.time {
        clock.set(time.into());
    }
    Ok(Settings {
        clock,
        listen: arguments.listen,
        credentials: credentials(arguments)?,
        open_to_all: arguments.open_to_all,
        tls: tls(arguments)?,
        profile: arguments.profile,
        creating_time: arguments.creating_time.into(),
        deleting_time: arguments.deleting_time.into(),
        rng_seed: Some(rng_seed),
        access_clients,
        limits: Limits { body: arguments.body_limit, time: request_timeout },
        hostname: hostname(),
    })
}

fn read(what: &str, path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path)
        .map_err(|error| format!("cannot read the {what} {}: {error}", path.display()))
}

type Parse = fn(&str) -> Result<Credential, Invalid>;

/// What callers may present. None of the errors holds a secret.
fn credentials(arguments: &Arguments) -> Result<Vec<Credential>, String> {
    let given = |flag: &str, variable: &str, texts: &[SecretText], parse: Parse| {
        let listed = std::env::var(variable).ok();
        if listed.as_ref().is_some_and(|listed| listed.trim().is_empty()) {
            return Err(format!("{variable} is set, but empty"));
        }
        let listed = listed.unwrap_or_default();
        let from_flags = texts.iter().map(|text| text.0.expose_secret());
        let credentials: Result<Vec<_>, _> =
            from_flags.chain(listed.split_whitespace()).map(parse).collect();
        credentials.map_err(|invalid| format!("{flag} or {variable}: {invalid}"))
    };
    let (tokens, access_keys) = (&arguments.tokens, &arguments.access_keys);
    let mut credentials = given("--token", "FABRIC_TOKEN", tokens, Credential::parse_token)?;
    credentials.extend(given(
        "--access-key",
        "FABRIC_ACCESS_KEY",
        access_keys,
        Credential::parse_access_key,
    )?);
    if let Some(path) = &arguments.credentials {
        let json = read("credentials", path)?;
        let listed = std::str::from_utf8(&json)
            .map_err(|_| Invalid::new("file", "must be UTF-8"))
            .and_then(Credential::parse_file)
            .map_err(|invalid| {
                format!("the credentials {} are wrong: {invalid}", path.display())
            })?;
        if listed.is_empty() {
            return Err(format!(
                "the credentials {} hold neither tokens nor access_keys",
                path.display()
            ));
        }
        credentials.extend(listed);
    }
    Ok(credentials)
}

fn tls(arguments: &Arguments) -> Result<Option<Tls>, String> {
    if arguments.tls_self_signed.is_some() {
        let names = [arguments.listen.ip().to_string(), hostname()];
        let tls = Tls::self_signed(&names, Clock::system().now());
        return tls.map(Some).map_err(|error| format!("--tls-self-signed: {error}"));
    }
    let (Some(certificate), Some(key)) = (&arguments.tls_cert, &arguments.tls_key) else {
        return Ok(None);
    };
    let tls = Tls::from_pem(&read("certificate", certificate)?, &read("key", key)?)
        .map_err(|error| format!("--tls-cert, --tls-key: {error}"))?;
    Ok(Some(tls))
}

/// Writes the certificate that clients are to trust, over one of an earlier start, but over nothing else.
fn write_certificate(path: &Path, pem: &str) -> Result<(), String> {
    let is_precious = std::fs::read(path)
        .is_ok_and(|there| !there.is_empty() && !there.starts_with(b"-----BEGIN CERTIFICATE-----"));
    if is_precious {
        return Err(format!(
            "--tls-self-signed {}: the file is there and is no certificate; name another",
            path.display()
        ));
    }
    std::fs::write(path, pem)
        .map_err(|error| format!("cannot write the certificate {}: {error}", path.display()))
}

fn whole_number<N: FromStr>(text: &str) -> Result<N, &'static str> {
    text.parse().map_err(|_| "expected a whole number")
}

fn listen_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    let mut addresses = text
        .to_socket_addrs()
        .map_err(|_| "expected a PORT, or ADDRESS:PORT such as 127.0.0.1:8080".to_owned())?;
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
    let level = match arguments.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let registry = tracing_subscriber::registry().with(level).with(is_ours_or_plain);
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
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && *line != MORE);
    let lines: Vec<&str> = lines.take_while(|line| !line.starts_with("Usage:")).collect();
    let lines = lines.join("; ");
    let reason = lines.trim_start_matches("error: ");
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
