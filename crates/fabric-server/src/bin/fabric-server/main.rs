//! The mock server as a program: arguments, listen, shut down.

mod arguments;
mod ask;
mod log;
mod record;
mod settings;
mod signals;
mod terminal;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::CommandFactory;
use fabric_server::{MockServer, World};
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::arguments::{Arguments, Command, LogFormat, LogLevel, Misuse};
use crate::log::{LastLines, Log};
use crate::settings::{
    FixturesVersion, fixtures, fixtures_version, journal, settings, write_certificate,
};
use crate::signals::{Hangup, StopSignals};
use crate::terminal::{announce, explain, fail, print, why};

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
    // Nothing is waited for any more, however long it would take: it had its time.
    runtime.shutdown_background();
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
    let (users, accepts_any_caller) = (settings.accounts.len(), settings.accepts_any_caller());
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
    tracing::info!(endpoint, ?profile, credentials, users, records, seed, "listening");
    if accepts_any_caller && !listen.ip().is_loopback() {
        tracing::warn!(
            "--open-to-all: any caller that reaches this machine is accepted, and may use the control \
             surface unless there is a --control-token"
        );
    } else if accepts_any_caller {
        tracing::info!("any caller on this machine is accepted");
    }
    announce(server.endpoint());
    tokio::select! {
        () = signals.next() => {}
        () = reload(&mut hangup, &arguments, fixtures_version, server.world()) => {}
    }
    tracing::info!("stopping: finishing the open requests; a second signal stops at once");
    tokio::select! {
        () = server.shutdown(grace) => {}
        () = signals.next() => {}
    }
    Ok(())
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

/// How often a file that is watched is looked at.
const WATCH_TIME: Duration = Duration::from_millis(500);

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
