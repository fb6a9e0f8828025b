//! The mock server as a program: arguments, listen, shut down.

mod arguments;
mod ask;
mod log;
mod record;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::CommandFactory;
use fabric_model::Invalid;
use fabric_server::journal::{Entries, Entry};
use fabric_server::{
    Clock, Credential, Fixtures, Limits, MockServer, Settings, Snapshot, Tls, World,
};
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::arguments::{Arguments, Command, LogFormat, LogLevel, Misuse, SecretText};
use crate::log::{LastLines, Log};

/// The status of a program that was started wrongly.
const MISUSE: u8 = 2;

fn main() -> ExitCode {
    let (mut arguments, effective) = match arguments::read() {
        Ok(read) => read,
        Err(Misuse::CommandLine(error)) => return explain(&error),
        Err(Misuse::File(reason)) => return fail(&reason),
    };
    if arguments.print_config {
        return print(&effective.to_toml());
    }
    let command = arguments.command.take();
    if let Some(Command::Completions { shell }) = command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "fabric-server", &mut script);
        return print(&String::from_utf8_lossy(&script));
    }
    let last_lines = match start_logging(&arguments) {
        Ok(last_lines) => last_lines,
        Err(error) => return fail(&format!("cannot start the log: {error}")),
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start the runtime: {error}")),
    };
    let outcome = runtime.block_on(async {
        match command {
            Some(Command::Healthcheck(asked)) => ask::health(&asked, &arguments).await,
            Some(Command::Coverage { asked, fail_under, need, json }) => {
                ask::coverage(&asked, &arguments, fail_under, &need, json).await
            }
            Some(command @ Command::Record { .. }) => record::run(command).await.map(|()| true),
            Some(Command::Completions { .. }) => Ok(true),
            None => run(arguments).await.map(|()| true),
        }
    });
    // What is wrong stands below what led to it.
    drop(last_lines);
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => fail(&reason),
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let listen = arguments.listen;
    // Before it is read: what is written meanwhile is then noticed later.
    let fixtures_version = fixtures_version(&arguments);
    let settings = settings(&arguments)?;
    let journal = journal(&arguments)?;
    if settings.is_open_beyond_this_machine() && !settings.open_to_all {
        return Err(format!(
            "--listen {listen} would accept any caller that reaches this machine: give --token, \
             --access-key or --credentials, or say --open-to-all"
        ));
    }
    let (credentials, records) = (settings.credentials.len(), settings.fixtures.len());
    let profile = settings.profile;
    // An open request takes no longer than this.
    let grace = settings.limits.time.saturating_add(Duration::from_secs(1));
    // From here on a signal means to stop in order, so it is caught before anybody knows of us.
    let mut signals =
        StopSignals::catch().map_err(|error| format!("cannot catch signals: {error}"))?;
    let mut hangup = Hangup::catch().map_err(|error| format!("cannot catch signals: {error}"))?;
    let server = MockServer::start_with(settings).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidInput => error.to_string(),
        _ => format!("cannot listen on {listen}: {}", why(&error)),
    })?;
    if let (Some(path), Some(pem)) = (&arguments.tls_self_signed, server.certificate_authority()) {
        write_certificate(path, pem)?;
    }
    server.world().add_to_journal(&journal);
    let (endpoint, seed) = (server.endpoint(), server.world().status().seed);
    tracing::info!(endpoint, ?profile, credentials, records, seed, "listening");
    if credentials == 0 && !listen.ip().is_loopback() {
        tracing::warn!(
            "--open-to-all: any caller that reaches this machine is accepted, and may use the control \
             surface unless there is a --control-token"
        );
    } else if credentials == 0 {
        tracing::info!("any caller on this machine is accepted");
    }
    announce(server.endpoint());
    tokio::select! {
        () = signals.next() => {}
        () = reload(&mut hangup, &arguments, fixtures_version, server.world()) => {}
    }
    tracing::info!("stopping: finishing the open requests; a second signal stops at once");
    tokio::select! {
        result = server.shutdown(grace) => result.map_err(|error| error.to_string()),
        () = signals.next() => Ok(()),
    }
}

/// Reads the fixtures again on SIGHUP, and with --watch-fixtures whenever the file changes.
async fn reload(
    hangup: &mut Hangup,
    arguments: &Arguments,
    mut seen: Option<FixturesVersion>,
    world: &World,
) {
    loop {
        tokio::select! {
            () = hangup.next() => {}
            () = tokio::time::sleep(WATCH_TIME), if arguments.watch_fixtures => {
                let now = fixtures_version(arguments);
                // A file that is gone for a moment is being written.
                if now.is_none() || now == seen {
                    continue;
                }
                seen = now;
            }
        }
        match fixtures(arguments) {
            Ok(_) if arguments.fixtures.is_none() => {
                tracing::warn!("nothing changes: there are no --fixtures to read again");
            }
            Ok(fixtures) => {
                world.start_from(&fixtures);
                tracing::info!(records = fixtures.len(), "started afresh from the fixtures");
            }
            Err(reason) => tracing::error!("nothing changes: {reason}"),
        }
    }
}

/// When the fixtures were written, and how long they are.
type FixturesVersion = (SystemTime, u64);

fn fixtures_version(arguments: &Arguments) -> Option<FixturesVersion> {
    let about = std::fs::metadata(arguments.fixtures.as_ref()?).ok()?;
    Some((about.modified().ok()?, about.len()))
}

/// How often a file that is watched is looked at.
const WATCH_TIME: Duration = Duration::from_millis(500);

fn fixtures(arguments: &Arguments) -> Result<Fixtures, String> {
    let Some(path) = &arguments.fixtures else { return Ok(Fixtures::default()) };
    Fixtures::parse(&text("fixtures", path)?)
        .map_err(|error| format!("the fixtures {} are wrong: {error}", path.display()))
}

fn journal(arguments: &Arguments) -> Result<Vec<Entry>, String> {
    let Some(path) = &arguments.journal else { return Ok(Vec::new()) };
    if arguments.journal_limit == 0 {
        return Err("--journal needs a --journal-limit above 0".to_owned());
    }
    let entries: Entries = serde_json::from_str(&text("journal", path)?)
        .map_err(|error| format!("the journal {} is wrong: {error}", path.display()))?;
    Ok(entries.entries)
}

fn snapshot(arguments: &Arguments) -> Result<Option<Snapshot>, String> {
    let Some(path) = &arguments.snapshot else { return Ok(None) };
    if arguments.time.is_some() || arguments.seed.is_some() {
        return Err("--snapshot has a clock and a seed: leave out --time and --seed".to_owned());
    }
    Snapshot::parse(&text("snapshot", path)?)
        .map(Some)
        .map_err(|error| format!("the snapshot {} is wrong: {error}", path.display()))
}

fn settings(arguments: &Arguments) -> Result<Settings, String> {
    let fixtures = fixtures(arguments)?;
    if arguments.watch_fixtures && arguments.fixtures.is_none() {
        return Err("--watch-fixtures needs --fixtures".to_owned());
    }
    let request_timeout = arguments.request_timeout;
    if request_timeout.is_zero() {
        return Err("--request-timeout must not be 0: no request could be answered".to_owned());
    }
    let clock = Clock::system();
    if let Some(time) = arguments.time {
        clock.freeze_at(time);
    }
    Ok(Settings {
        clock,
        listen: arguments.listen,
        credentials: credentials(arguments)?,
        open_to_all: arguments.open_to_all,
        tls: tls(arguments)?,
        profile: arguments.profile,
        creating_time: arguments.creating_time,
        deleting_time: arguments.deleting_time,
        seed: arguments.seed,
        fixtures,
        snapshot: snapshot(arguments)?,
        quota: arguments.quota,
        rate_limit: arguments.rate_limit,
        journal_limit: arguments.journal_limit,
        control_token: control_token(arguments)?,
        cors_origins: arguments.cors_origins.clone(),
        limits: Limits { body: arguments.body_limit, time: request_timeout },
        hostname: hostname(),
    })
}

fn control_token(arguments: &Arguments) -> Result<Option<secrecy::SecretString>, String> {
    let Some(token) = &arguments.control_token else { return Ok(None) };
    fabric_model::header::check_token("--control-token", token.expose())
        .map_err(|invalid| invalid.to_string())?;
    Ok(Some(token.expose().into()))
}

fn read(what: &str, path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path)
        .map_err(|error| format!("cannot read the {what} {}: {error}", path.display()))
}

fn text(what: &str, path: &Path) -> Result<String, String> {
    String::from_utf8(read(what, path)?)
        .map_err(|_| format!("the {what} {} is not UTF-8", path.display()))
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
        let from_flags = texts.iter().map(SecretText::expose);
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
        if arguments.tls_cert.is_some() || arguments.tls_key.is_some() {
            return Err(
                "--tls-self-signed makes a certificate: leave out --tls-cert and --tls-key"
                    .to_owned(),
            );
        }
        let names = [arguments.listen.ip().to_string(), hostname()];
        let tls = Tls::self_signed(&names, Clock::system().now());
        return tls.map(Some).map_err(|error| format!("--tls-self-signed: {error}"));
    }
    let (Some(certificate), Some(key)) = (&arguments.tls_cert, &arguments.tls_key) else {
        if arguments.tls_cert.is_some() || arguments.tls_key.is_some() {
            return Err("--tls-cert and --tls-key go together".to_owned());
        }
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

/// The name of this machine, for the ends of request ids.
fn hostname() -> String {
    let name = gethostname::gethostname().to_string_lossy().trim().to_owned();
    if name.is_empty() { "localhost".to_owned() } else { name }
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

/// Logs from now on. What it returns waits, when it is dropped, until the last lines are written.
fn start_logging(arguments: &Arguments) -> std::io::Result<LastLines> {
    let log = Log::start(std::io::stderr())?;
    let lines = tracing_subscriber::fmt::layer().with_writer(Arc::clone(&log));
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
    Ok(LastLines(log))
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
    let lines = lines.join("; ").replace(":; ", ": ");
    let reason = lines.trim_start_matches("error: ");
    fail(&format!("{reason} (--help lists what there is)"))
}

/// How clap ends what it says, where it does not show the usage.
const MORE: &str = "For more information, try '--help'.";

/// Prints what was asked for.
fn print(text: &str) -> ExitCode {
    // Nobody need read it to its end.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

/// Says in one line why there is no server.
fn fail(reason: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "fabric-server: {reason}");
    ExitCode::from(MISUSE)
}

/// The signal that asks a program to read its files again.
struct Hangup {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

impl Hangup {
    #[cfg(unix)]
    fn catch() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { signal: signal(SignalKind::hangup())? })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        self.signal.recv().await;
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "the other systems can fail here")]
    fn catch() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_self, clippy::needless_pass_by_ref_mut, reason = "as on the others")]
    async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
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
