//! The mock server as a program: arguments, listen, shut down.

use std::io::{IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use fabric_server::{Limits, MockServer, Profile, Seed, Settings};
use tracing_subscriber::filter::Targets;
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
            let json = std::fs::read_to_string(path)
                .map_err(|error| format!("cannot read the seed {}: {error}", path.display()))?;
            Seed::parse(&json)
                .map_err(|error| format!("the seed {} is wrong: {error}", path.display()))?
        }
    };
    let rng_seed = arguments.rng_seed.unwrap_or_else(|| fastrand::u64(..));
    tracing::info!(rng_seed, access_clients = access_clients.len(), "starting");
    Ok(Settings {
        listen: arguments.listen,
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
    let registry = tracing_subscriber::registry().with(arguments.log_level.clone());
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
