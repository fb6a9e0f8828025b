//! From arguments, and the files that they name, to the settings of a server.

use std::path::Path;
use std::time::SystemTime;

use fabric_model::Invalid;
use fabric_server::journal::{Entries, Entry};
use fabric_server::{
    Accounts, Budgets, Clock, ConnectionLimits, Credential, Fixtures, Limits, Settings, Snapshot,
    Tls,
};

use crate::arguments::{Arguments, SecretText};

/// When the fixtures were written, and how long they are.
pub(crate) type FixturesVersion = (SystemTime, u64);

pub(crate) fn fixtures_version(arguments: &Arguments) -> Option<FixturesVersion> {
    let about = std::fs::metadata(arguments.fixtures.as_ref()?).ok()?;
    Some((about.modified().ok()?, about.len()))
}

pub(crate) fn fixtures(arguments: &Arguments) -> Result<Fixtures, String> {
    let Some(path) = &arguments.fixtures else { return Ok(Fixtures::default()) };
    Fixtures::parse(&text("fixtures", path)?)
        .map_err(|error| format!("the fixtures {} are wrong: {error}", path.display()))
}

pub(crate) fn journal(arguments: &Arguments) -> Result<Vec<Entry>, String> {
    let Some(path) = &arguments.journal else { return Ok(Vec::new()) };
    if arguments.journal_limit == 0 {
        return Err("--journal needs a --journal-limit above 0".to_owned());
    }
    let entries: Entries = serde_json::from_str(&text("journal", path)?).map_err(|error| {
        // What the error says may hold the file's values.
        let (line, column) = (error.line(), error.column());
        format!("the journal {} is wrong at line {line} column {column}", path.display())
    })?;
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

pub(crate) fn settings(arguments: &Arguments) -> Result<Settings, String> {
    let fixtures = fixtures(arguments)?;
    if arguments.watch_fixtures && arguments.fixtures.is_none() {
        return Err("--watch-fixtures needs --fixtures".to_owned());
    }
    let request_timeout = arguments.request_timeout;
    if request_timeout.is_zero() {
        return Err("--request-timeout must not be 0: no request could be answered".to_owned());
    }
    if arguments.bodies_limit < arguments.body_limit {
        return Err("--bodies-limit must be at least --body-limit".to_owned());
    }
    let (credentials, accounts) = credentials(arguments)?;
    let clock = Clock::system();
    if let Some(time) = arguments.time {
        clock.freeze_at(time);
    }
    Ok(Settings {
        clock,
        listen: arguments.listen,
        credentials,
        accounts,
        open_to_all: arguments.open_to_all,
        tls: tls(arguments)?,
        profile: arguments.profile,
        creating_time: arguments.creating_time,
        updating_time: arguments.updating_time,
        deleting_time: arguments.deleting_time,
        seed: arguments.seed,
        fixtures,
        snapshot: snapshot(arguments)?,
        quota: arguments.quota,
        max_projects: arguments.max_projects,
        rate_limit: arguments.rate_limit,
        journal_limit: arguments.journal_limit,
        control_token: control_token(arguments)?,
        cors_origins: arguments.cors_origins.clone(),
        allowed_hosts: arguments.allowed_hosts.clone(),
        budgets: Budgets {
            control_bodies: arguments.control_bodies_limit,
            lookups: arguments.max_lookups,
            event_streams: arguments.max_event_streams,
            sign_ins: arguments.max_sign_ins,
        },
        limits: Limits {
            body: arguments.body_limit,
            bodies: arguments.bodies_limit,
            body_time: arguments.body_timeout,
            time: request_timeout,
        },
        connections: ConnectionLimits {
            connections: arguments.max_connections,
            per_address: arguments.max_connections_per_address.unwrap_or(arguments.max_connections),
            streams: arguments.max_streams,
            answers: arguments.answers_limit,
            head: arguments.head_timeout,
            idle: arguments.idle_timeout,
            answer: arguments.answer_timeout,
        },
        hostname: hostname(),
    })
}

fn control_token(arguments: &Arguments) -> Result<Option<secrecy::SecretString>, String> {
    let Some(token) = &arguments.control_token else { return Ok(None) };
    fabric_model::header::check_token("--control-token", token.expose())
        .map_err(|invalid| invalid.to_string())?;
    Ok(Some(token.expose().into()))
}

pub(crate) fn read(what: &str, path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path)
        .map_err(|error| format!("cannot read the {what} {}: {error}", path.display()))
}

fn text(what: &str, path: &Path) -> Result<String, String> {
    String::from_utf8(read(what, path)?)
        .map_err(|_| format!("the {what} {} is not UTF-8", path.display()))
}

type Parse = fn(&str) -> Result<Credential, Invalid>;

/// What callers may present. None of the errors holds a secret.
fn credentials(arguments: &Arguments) -> Result<(Vec<Credential>, Accounts), String> {
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
    let mut accounts = Accounts::default();
    if let Some(path) = &arguments.credentials {
        let json = read("credentials", path)?;
        let listed = std::str::from_utf8(&json)
            .map_err(|_| Invalid::new("file", "must be UTF-8"))
            .and_then(|json| Ok((Credential::parse_file(json)?, Accounts::parse_file(json)?)));
        let (listed, named) = listed.map_err(|invalid| {
            format!("the credentials {} are wrong: {invalid}", path.display())
        })?;
        if listed.is_empty() && named.is_empty() {
            return Err(format!(
                "the credentials {} hold neither tokens nor access_keys nor users",
                path.display()
            ));
        }
        credentials.extend(listed);
        accounts = named;
    }
    Ok((credentials, accounts))
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
pub(crate) fn write_certificate(path: &Path, pem: &str) -> Result<(), String> {
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
