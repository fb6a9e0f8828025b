//! The command line: flags, commands, and the file that settings may stand in.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;
use clap::{
    ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
};
use fabric_server::{Budgets, ConnectionLimits, Limits, Profile, RateLimit};
use secrecy::{ExposeSecret, SecretString};

/// A mock server for Huawei Cloud DataArts Fabric.
///
/// The first line on standard output is {"listening":"http://ADDRESS:PORT"}; logs go to standard
/// error. SIGTERM and Ctrl-C finish the open requests and stop; SIGHUP reads the fixtures again.
///
/// A page for people is at /_mock/, what a test may do under /_mock/v1 (see /_mock/reference/).
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    subcommand_value_name = "COMMAND",
    subcommand_help_heading = "Commands, in place of serving"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Where to listen, as ADDRESS:PORT or PORT of this machine; port 0 takes a free one
    #[arg(long, value_name = "ADDR", env = "FABRIC_LISTEN", default_value = "127.0.0.1:8080", value_parser = listen_address)]
    pub(crate) listen: SocketAddr,

    /// A token that callers may present in X-Auth-Token; repeatable. With any token or access key, callers
    /// that present none of them are rejected. A project after the last = limits the token to it; without
    /// one, X-Project-Id names the project [env: `FABRIC_TOKEN`, several with spaces between them, besides
    /// the flags]
    #[arg(long = "token", value_name = "TOKEN[=PROJECT]")]
    pub(crate) tokens: Vec<SecretText>,

    /// An access key that requests may be signed with, its id and its secret; otherwise as --token
    /// [env: `FABRIC_ACCESS_KEY`]
    #[arg(long = "access-key", value_name = "AK:SK[=PROJECT]")]
    pub(crate) access_keys: Vec<SecretText>,

    /// Tokens and access keys in JSON, with expiry and allowed actions if wanted (see the README)
    #[arg(long, value_name = "FILE", env = "FABRIC_CREDENTIALS")]
    pub(crate) credentials: Option<PathBuf>,

    /// Allows --listen beyond this machine without credentials: any caller that reaches it is accepted
    #[arg(long, env = "FABRIC_OPEN_TO_ALL", value_parser = BoolishValueParser::new())]
    pub(crate) open_to_all: bool,

    /// The certificate chain for TLS, in PEM, leaf first
    #[arg(long, value_name = "FILE", env = "FABRIC_TLS_CERT")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// The private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", env = "FABRIC_TLS_KEY")]
    pub(crate) tls_key: Option<PathBuf>,

    /// TLS with a certificate authority made at start, for tests; clients trust its certificate,
    /// which is written to this file, anew at each start
    #[arg(long, value_name = "FILE", env = "FABRIC_TLS_SELF_SIGNED")]
    pub(crate) tls_self_signed: Option<PathBuf>,

    /// How to fill the gaps of the documentation: documented (every field is optional) or strict
    #[arg(long, env = "FABRIC_PROFILE", default_value = "documented")]
    pub(crate) profile: Profile,

    /// How long a new record is CREATING, if its resource has states, such as 500ms or 2s
    #[arg(long, value_name = "DUR", env = "FABRIC_CREATING_TIME", default_value = "0s", value_parser = duration)]
    pub(crate) creating_time: Duration,

    /// How long a changed record is UPDATING, if its resource has that state
    #[arg(long, value_name = "DUR", env = "FABRIC_UPDATING_TIME", default_value = "0s", value_parser = duration)]
    pub(crate) updating_time: Duration,

    /// How long a deleted record is DELETING, if its resource has states
    #[arg(long, value_name = "DUR", env = "FABRIC_DELETING_TIME", default_value = "0s", value_parser = duration)]
    pub(crate) deleting_time: Duration,

    /// Freezes the clock at this time, such as 2025-09-15T08:30:00Z
    #[arg(long, value_name = "TIME", env = "FABRIC_TIME", value_parser = time)]
    pub(crate) time: Option<SystemTime>,

    /// The number that ids, names, addresses and random draws follow from: the same at every start with the
    /// same number. Without it the log shows the one that was chosen
    #[arg(long, value_name = "N", env = "FABRIC_SEED", value_parser = seed)]
    pub(crate) seed: Option<u64>,

    /// Records to start with: a JSON object with a list for each resource, such as
    /// {"access-clients": [...], "workspaces": [...]}, each record as the service answers it; its project
    /// stands in a field of its own, `project_id`. A list alone is one of access clients
    #[arg(long, value_name = "FILE", env = "FABRIC_FIXTURES")]
    pub(crate) fixtures: Option<PathBuf>,

    /// Reads the fixtures again whenever the file changes, and then starts afresh from them
    #[arg(long, env = "FABRIC_WATCH_FIXTURES", value_parser = BoolishValueParser::new())]
    pub(crate) watch_fixtures: bool,

    /// A file with all state to start with, as GET /_mock/v1/snapshot answers it, seed and clock included; it
    /// is only read. --fixtures adds records to it
    #[arg(long, value_name = "FILE", env = "FABRIC_SNAPSHOT")]
    pub(crate) snapshot: Option<PathBuf>,

    /// A file with calls that the journal has from the start, as GET /_mock/v1/journal answers them; it is only
    /// read
    #[arg(long, value_name = "FILE", env = "FABRIC_JOURNAL")]
    pub(crate) journal: Option<PathBuf>,

    /// The most memory for the journal: the oldest calls are evicted. With 0 no call is kept
    #[arg(long, value_name = "BYTES", env = "FABRIC_JOURNAL_LIMIT", default_value_t = 16 * 1024 * 1024, value_parser = whole_number::<usize>)]
    pub(crate) journal_limit: usize,

    /// The token that the control surface under /_mock/v1 demands, as `Authorization: Bearer TOKEN`. Without it
    /// the surface is open to this machine, and closed where other machines reach it, unless --open-to-all
    #[arg(long, value_name = "TOKEN", env = "FABRIC_CONTROL_TOKEN", hide_env_values = true)]
    pub(crate) control_token: Option<SecretText>,

    /// The most records of a resource in a project; one more is rejected with 429. With 0 none can be created
    #[arg(long, value_name = "N", env = "FABRIC_QUOTA", value_parser = whole_number::<usize>)]
    pub(crate) quota: Option<usize>,

    /// The most projects besides the default one; a call that would begin one more is rejected with 429
    #[arg(long, value_name = "N", env = "FABRIC_MAX_PROJECTS", default_value_t = 10_000, value_parser = whole_number::<usize>)]
    pub(crate) max_projects: usize,

    /// The most calls of a project, such as 20/s; more are rejected with 429 and Retry-After
    #[arg(long, value_name = "N/TIME", env = "FABRIC_RATE_LIMIT")]
    pub(crate) rate_limit: Option<RateLimit>,

    #[arg(
        help = "A site whose pages may call from a browser, such as https://example.org, or * for all; repeatable. Pages \
                of a site that is named may use the control surface too",
        long = "cors-origin",
        value_name = "ORIGIN",
        env = "FABRIC_CORS_ORIGIN",
        value_delimiter = ' '
    )]
    pub(crate) cors_origins: Vec<String>,

    /// A name that this machine is called by, besides localhost and its addresses; repeatable. A server that accepts
    /// any caller on this machine rejects calls under other names, to which a page may lead a browser
    #[arg(
        long = "allowed-host",
        value_name = "NAME",
        env = "FABRIC_ALLOWED_HOST",
        value_delimiter = ' '
    )]
    pub(crate) allowed_hosts: Vec<String>,

    /// The most bytes of all bodies to the control surface at once, but for snapshots; more are answered with 503
    #[arg(long, value_name = "BYTES", env = "FABRIC_CONTROL_BODIES_LIMIT", default_value_t = Budgets::default().control_bodies, value_parser = whole_number::<usize>)]
    pub(crate) control_bodies_limit: usize,

    /// The most look-ups in the journal at once; more wait, and are answered with 503 after ten seconds
    #[arg(long, value_name = "N", env = "FABRIC_MAX_LOOKUPS", default_value_t = Budgets::default().lookups, value_parser = whole_number::<usize>)]
    pub(crate) max_lookups: usize,

    /// The most streams of the journal at once; more are answered with 503
    #[arg(long, value_name = "N", env = "FABRIC_MAX_EVENT_STREAMS", default_value_t = Budgets::default().event_streams, value_parser = whole_number::<usize>)]
    pub(crate) max_event_streams: usize,

    /// The most passwords that are verified at once or wait for it; more are answered with 503
    #[arg(long, value_name = "N", env = "FABRIC_MAX_SIGN_INS", default_value_t = Budgets::default().sign_ins, value_parser = whole_number::<usize>)]
    pub(crate) max_sign_ins: usize,

    /// The longest time for one request; what takes longer is answered with 408
    #[arg(long, value_name = "DUR", env = "FABRIC_REQUEST_TIMEOUT", default_value = "30s", value_parser = duration)]
    pub(crate) request_timeout: Duration,

    /// The largest body of a request; what is larger is answered with 413
    #[arg(long, value_name = "BYTES", env = "FABRIC_BODY_LIMIT", default_value_t = 12 * 1024 * 1024, value_parser = whole_number::<usize>)]
    pub(crate) body_limit: usize,

    /// The most memory for bodies that are being read or answered, of all requests together; a request for whose
    /// body there is no room is answered with 503. A body that comes in one piece does not count
    #[arg(long, value_name = "BYTES", env = "FABRIC_BODIES_LIMIT", default_value_t = Limits::default().bodies, value_parser = whole_number::<usize>)]
    pub(crate) bodies_limit: usize,

    /// The longest time to receive a body; what takes longer is answered with 408
    #[arg(long, value_name = "DUR", env = "FABRIC_BODY_TIMEOUT", default_value = "20s", value_parser = duration)]
    pub(crate) body_timeout: Duration,

    /// The most connections. For one more, the one that is idle the longest ends; if none is, the new one is
    /// answered with 503
    #[arg(long, value_name = "N", env = "FABRIC_MAX_CONNECTIONS", default_value_t = ConnectionLimits::default().connections, value_parser = whole_number::<usize>)]
    pub(crate) max_connections: usize,

    /// The most connections from one address, or from one /64 network of IPv6 addresses; by default as many as there
    /// may be, since callers in containers share one
    #[arg(long, value_name = "N", env = "FABRIC_MAX_CONNECTIONS_PER_ADDRESS", value_parser = whole_number::<usize>)]
    pub(crate) max_connections_per_address: Option<usize>,

    /// The most requests that a connection has underway over HTTP/2; it is told so, and keeps the others back
    #[arg(long, value_name = "N", env = "FABRIC_MAX_STREAMS", default_value_t = ConnectionLimits::default().streams, value_parser = whole_number::<u32>)]
    pub(crate) max_streams: u32,

    /// The most memory for answers that callers have not received yet; an answer for which there is no room is
    /// replaced by 503. The first 64 KiB of each connection do not count
    #[arg(long, value_name = "BYTES", env = "FABRIC_ANSWERS_LIMIT", default_value_t = ConnectionLimits::default().answers, value_parser = whole_number::<usize>)]
    pub(crate) answers_limit: usize,

    /// The longest time for the head of the first request; then the connection ends
    #[arg(long, value_name = "DUR", env = "FABRIC_HEAD_TIMEOUT", default_value = "30s", value_parser = duration)]
    pub(crate) head_timeout: Duration,

    /// The longest time between two requests of a connection
    #[arg(long, value_name = "DUR", env = "FABRIC_IDLE_TIMEOUT", default_value = "90s", value_parser = duration)]
    pub(crate) idle_timeout: Duration,

    /// The longest time for a caller to receive the next 64 KiB of an answer; then the connection ends
    #[arg(long, value_name = "DUR", env = "FABRIC_ANSWER_TIMEOUT", default_value = "60s", value_parser = duration)]
    pub(crate) answer_timeout: Duration,

    /// How logs are written
    #[arg(long, env = "FABRIC_LOG_FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,

    /// What is logged: error, warn, info (every rejection), debug (every request) or trace
    #[arg(long, value_name = "LEVEL", env = "FABRIC_LOG_LEVEL", default_value = "info")]
    pub(crate) log_level: LogLevel,

    /// Settings in TOML, each named as its flag without the dashes; flags and environment come first
    #[arg(long, value_name = "FILE", env = "FABRIC_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// Prints every setting, where it comes from, and no secret, and ends
    #[arg(long)]
    pub(crate) print_config: bool,
}

/// What the program does in place of serving.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Asks a running server whether it takes calls: ends with 0 if so, else with 1
    Healthcheck(Asked),
    /// Shows which documented answers callers have met, and which not; for CI
    Coverage {
        #[command(flatten)]
        asked: Asked,
        /// Ends with 1 if callers have met less than this share of all documented answers, in per cent
        #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
        fail_under: Option<u8>,
        /// Ends with 1 if no caller ever met this status, such as 408; repeatable
        #[arg(long, value_name = "STATUS")]
        need: Vec<u16>,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Passes calls on to a real endpoint until Ctrl-C, and writes a snapshot and a journal to start the mock
    /// server with, every second and at the end
    Record {
        #[arg(
            help = "The endpoint, such as https://fabric.cn-north-4.myhuaweicloud.com",
            long,
            value_name = "URL",
            env = "FABRIC_UPSTREAM"
        )]
        upstream: String,
        /// Where to listen, as ADDRESS:PORT or PORT of this machine; port 0 takes a free one
        #[arg(long, value_name = "ADDR", env = "FABRIC_LISTEN", default_value = "127.0.0.1:8080", value_parser = listen_address)]
        listen: SocketAddr,
        /// The directory for snapshot.json and journal.json, made if need be
        #[arg(long, value_name = "DIRECTORY", default_value = "recording")]
        out: PathBuf,
        /// The project in which the mock is to have what was seen, for callers that name none
        #[arg(long, value_name = "PROJECT", default_value = "default")]
        project: String,
        /// A token to call with, in place of what the callers present
        #[arg(long, value_name = "TOKEN", env = "FABRIC_UPSTREAM_TOKEN", hide_env_values = true)]
        upstream_token: Option<SecretText>,
        /// An access key to sign with, in place of what the callers present: callers' own signatures
        /// are for this program as the host, which an endpoint may refuse
        #[arg(
            long,
            value_name = "AK:SK",
            env = "FABRIC_UPSTREAM_ACCESS_KEY",
            hide_env_values = true,
            conflicts_with = "upstream_token"
        )]
        upstream_access_key: Option<SecretText>,
        /// A certificate authority to trust besides those of the system, in PEM
        #[arg(long, value_name = "FILE")]
        upstream_ca: Option<PathBuf>,
    },
    /// Prints what a shell needs to complete commands and flags
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// A running server.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Its address; by default where a server listens that has the same environment and file of settings
    #[arg(long, value_name = "URL", env = "FABRIC_ENDPOINT")]
    pub(crate) endpoint: Option<String>,
    /// Its certificate authority, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// The token of its control surface
    #[arg(long, value_name = "TOKEN", env = "FABRIC_CONTROL_TOKEN", hide_env_values = true)]
    pub(crate) control_token: Option<SecretText>,
    /// How long to wait
    #[arg(long, value_name = "DUR", default_value = "3s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// A secret among the arguments.
#[derive(Clone)]
pub(crate) struct SecretText(SecretString);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl SecretText {
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// Why there are no arguments to go by.
pub(crate) enum Misuse {
    /// What clap says, also of help and version.
    CommandLine(clap::Error),
    /// What is wrong with the file of settings.
    File(String),
}

impl From<clap::Error> for Misuse {
    fn from(error: clap::Error) -> Self {
        Self::CommandLine(error)
    }
}

/// Reads the command line, the environment, and the file that either may name.
pub(crate) fn read() -> Result<(Arguments, Effective), Misuse> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let mut command = Arguments::command();
    // What is wrong elsewhere is said when all is read.
    let first = command.clone().ignore_errors(true).try_get_matches_from(&arguments)?;
    let mut of_file = BTreeSet::new();
    if let Some(path) = first.get_one::<PathBuf>("config") {
        command = with_file(command, path, &mut of_file)?;
    }
    let matches = command.try_get_matches_from(&arguments)?;
    Ok((Arguments::from_arg_matches(&matches)?, Effective { matches, of_file }))
}

/// Makes what stands in the file the defaults of flags, so that one parser checks all of them.
fn with_file(
    mut command: clap::Command,
    path: &Path,
    of_file: &mut BTreeSet<String>,
) -> Result<clap::Command, Misuse> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Misuse::File(format!("cannot read the settings {shown}: {error}")))?;
    let settings: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        // What it prints besides is the line itself, in which a secret may stand.
        let before = error.span().map_or("", |span| &text[..span.start.min(text.len())]);
        let line = before.lines().count().max(1);
        Misuse::File(format!("the settings {shown} are no TOML, line {line}: {}", error.message()))
    })?;
    for (name, value) in settings {
        let wrong = |reason: &str| Misuse::File(format!("the settings {shown}: {name}: {reason}"));
        let known = settable(&command).find(|argument| argument.get_long() == Some(&name));
        let Some(known) = known.cloned() else {
            let known: Vec<_> = settable(&command).filter_map(clap::Arg::get_long).collect();
            return Err(wrong(&format!("is no setting; there are {}", known.join(", "))));
        };
        let values = match value {
            toml::Value::Array(values) if matches!(known.get_action(), ArgAction::Append) => values,
            toml::Value::Array(_) => return Err(wrong("must be one value, not several")),
            value => vec![value],
        };
        let values = values.into_iter().map(|value| match value {
            toml::Value::String(text) => Ok(text),
            toml::Value::Integer(number) => Ok(number.to_string()),
            toml::Value::Boolean(is_so) => Ok(is_so.to_string()),
            toml::Value::Datetime(time) => Ok(time.to_string()),
            _ => Err(wrong("must be a string, a whole number, true or false")),
        });
        let values = values.collect::<Result<Vec<String>, _>>()?;
        of_file.insert(name);
        command =
            command.mut_arg(known.get_id().as_str(), |argument| argument.default_values(values));
    }
    Ok(command)
}

/// The flags that a file may set.
fn settable(command: &clap::Command) -> impl Iterator<Item = &clap::Arg> {
    command.get_arguments().filter(|argument| {
        !["config", "print_config", "help", "version"].contains(&argument.get_id().as_str())
    })
}

/// The settings that are in force, and which of them stand in the file.
#[derive(Debug)]
pub(crate) struct Effective {
    matches: ArgMatches,
    of_file: BTreeSet<String>,
}

impl Effective {
    /// Every setting as TOML, with where it comes from; secrets are redacted.
    pub(crate) fn to_toml(&self) -> String {
        let Self { matches, of_file } = self;
        let mut lines = String::new();
        for argument in settable(&Arguments::command()) {
            let (Some(name), id) = (argument.get_long(), argument.get_id().as_str()) else {
                continue;
            };
            let is_secret = ["tokens", "access_keys", "control_token"].contains(&id);
            let values = matches.get_raw(id).into_iter().flatten();
            let values: Vec<String> = values
                .map(|value| match value.to_string_lossy() {
                    _ if is_secret => "\"[redacted]\"".to_owned(),
                    text if text.parse::<i64>().is_ok() || ["true", "false"].contains(&&*text) => {
                        text.into_owned()
                    }
                    text => serde_json::json!(text).to_string(),
                })
                .collect();
            let variable = argument.get_env().map(std::ffi::OsStr::to_string_lossy);
            let variable = match id {
                "tokens" => Some("FABRIC_TOKEN".into()),
                "access_keys" => Some("FABRIC_ACCESS_KEY".into()),
                _ => variable,
            };
            let is_list = matches!(argument.get_action(), ArgAction::Append);
            let more = match &variable {
                Some(variable)
                    if is_secret && is_list && std::env::var_os(&**variable).is_some() =>
                {
                    format!(" and those in {variable}")
                }
                _ => String::new(),
            };
            let line = match (&values[..], matches.value_source(id)) {
                ([], _) => format!("# {name} is not set{more}"),
                (values, source) => {
                    let source = match source {
                        Some(ValueSource::CommandLine) => format!("--{name}"),
                        Some(ValueSource::EnvVariable) => variable.unwrap_or_default().into_owned(),
                        _ if of_file.contains(name) => "--config".to_owned(),
                        _ => "default".to_owned(),
                    };
                    let value = if is_list {
                        format!("[{}]", values.join(", "))
                    } else {
                        values[0].clone()
                    };
                    format!("{name} = {value} # {source}{more}")
                }
            };
            lines.push_str(&line);
            lines.push('\n');
        }
        lines
    }
}

fn whole_number<N: FromStr>(text: &str) -> Result<N, &'static str> {
    text.parse().map_err(|_| "expected a whole number")
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text).map_err(|_| "expected a duration such as 500ms or 2s")
}

fn seed(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| {
        "expected a whole number; a file with records to start with goes after --fixtures \
         (FABRIC_FIXTURES)"
    })
}

fn time(text: &str) -> Result<SystemTime, &'static str> {
    humantime::parse_rfc3339(text).map_err(|_| "expected a time such as 2025-09-15T08:30:00Z")
}

pub(crate) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    let mut addresses = text
        .to_socket_addrs()
        .map_err(|_| "expected a PORT, or ADDRESS:PORT such as 127.0.0.1:8080".to_owned())?;
    addresses.next().ok_or_else(|| "the name has no address".to_owned())
}
