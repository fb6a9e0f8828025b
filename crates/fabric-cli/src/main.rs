//! `fabric`, a command for access clients: arguments in, calls out.

mod arguments;
mod output;

use std::io::{IsTerminal, Write};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use fabric_client::model::access_client::{
    AccessClient, AccessClientCreate, AccessClientUpdate, ListAccessClientsQuery,
};
use fabric_client::{
    AccessClients as Calls, Client, Creation, Credentials, CredentialsChain, Environment, Error,
    Wait, WaitError,
};
use futures_util::TryStreamExt;
use http::StatusCode;

use arguments::{AccessClients, Arguments, Command, Goal};
use output::Output;

/// What a script can tell failures apart by.
#[derive(Clone, Copy)]
enum Exit {
    Failed = 1,
    Misused = 2,
    NotFound = 3,
    NotAllowed = 4,
    Unreachable = 5,
    Hopeless = 6,
    TooLate = 7,
}

/// Why the command failed: one line, what to do about it, and how the program ends.
struct Failure {
    reason: String,
    hint: Option<String>,
    exit: Exit,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(arguments)),
        Err(error) => Err(misused(format!("cannot start: {error}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { reason, hint, exit }) => {
            tell(&format!("fabric: {reason}"));
            if let Some(hint) = hint {
                tell(&format!("  {hint}"));
            }
            ExitCode::from(exit as u8)
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let output = arguments.output;
    match &arguments.command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "fabric", &mut script);
            output::print(&String::from_utf8_lossy(&script))
        }
        Command::Health => {
            client(&arguments)?.show_health().await?;
            output.say("the service is up")
        }
        Command::AccessClients(command) => {
            access_clients(&client(&arguments)?, output, command).await
        }
    }
}

/// The client that the arguments and the environment want.
fn client(arguments: &Arguments) -> Result<Client, Failure> {
    let environment = Environment::of_process();
    let (mut endpoint, mut region) = (arguments.endpoint.clone(), arguments.region.clone());
    if endpoint.is_none() && region.is_none() {
        (endpoint, region) = (environment.get("FABRIC_ENDPOINT"), environment.get("FABRIC_REGION"));
    }
    let builder = match (endpoint, region) {
        // Global flags can stand on either side of a subcommand, where clap does not compare them.
        (Some(_), Some(_)) if arguments.endpoint.is_some() => {
            return Err(misused("--endpoint and --region both say where: give one".to_owned()));
        }
        (Some(endpoint), _) => Client::builder(&endpoint),
        (None, Some(region)) => Client::for_region(&region),
        (None, None) => {
            return Err(Failure {
                hint: Some(
                    "such as --region cn-north-4, or --endpoint http://127.0.0.1:8080".to_owned(),
                ),
                ..misused("where is the service? give --region or --endpoint".to_owned())
            });
        }
    };
    let mut builder = builder.user_agent(concat!("fabric/", env!("CARGO_PKG_VERSION")));
    builder = match environment.get("FABRIC_AUTH_TOKEN") {
        _ if arguments.anonymous => builder.credentials(Credentials::anonymous()),
        Some(token) => builder.auth_token(token),
        None => builder.credentials_provider(CredentialsChain::new(environment)),
    };
    if let Some(project) = &arguments.project_id {
        builder = builder.project_id(project.clone());
    }
    if let Some(path) = &arguments.ca_cert {
        let pem = std::fs::read_to_string(path)
            .map_err(|error| misused(format!("cannot read {}: {error}", path.display())))?;
        builder = builder.root_certificate(pem);
    }
    if arguments.allow_plain_http {
        builder = builder.allow_plain_http();
    }
    Ok(builder.timeout(arguments.timeout.into()).build()?)
}

async fn access_clients(
    client: &Client,
    output: Output,
    command: &AccessClients,
) -> Result<(), Failure> {
    let calls = client.access_clients();
    match command {
        AccessClients::Create { name, vpc_id, subnet_ids, connections, wait } => {
            let body = AccessClientCreate {
                name: name.clone(),
                vpc_id: vpc_id.clone(),
                subnet_ids: subnet_ids.clone(),
                access_connections: connections.clone(),
                ..AccessClientCreate::default()
            };
            let created = create(&calls, body).await?;
            if let Creation::Found(_) = created {
                tell("the answer was lost, but it was created");
            }
            let created = created.into_access_client();
            if !*wait {
                return output.one(&created);
            }
            let Some(id) = created.id else {
                return Err(Failure {
                    reason: "it was created, but the service gave it no id to wait for".to_owned(),
                    hint: None,
                    exit: Exit::Failed,
                });
            };
            // It is there and costs money from now on, whatever becomes of the wait.
            tell(&format!("created {id}"));
            let running = calls.wait_until_running(&id, progress(Wait::default())).await;
            let shown = running.map_err(|error| Failure {
                hint: Some(format!("`fabric access-clients wait {id}` waits on")),
                ..Failure::from(error)
            })?;
            output.one(&shown)
        }
        AccessClients::List { name, id, most } => {
            let most = most.map_or(usize::MAX, NonZeroUsize::get);
            let limit = u32::try_from(most).unwrap_or(100).min(100);
            let query = ListAccessClientsQuery {
                limit,
                name: name.clone(),
                id: id.clone(),
                ..ListAccessClientsQuery::default()
            };
            let mut items = pin!(calls.items(query));
            let mut listed: Vec<AccessClient> = Vec::new();
            while listed.len() < most
                && let Some(item) = items.try_next().await?
            {
                listed.push(item);
            }
            output.many(&listed)
        }
        AccessClients::Show { id } => output.one(&calls.show(id).await?),
        AccessClients::Update { id, name } => {
            calls.update(id, AccessClientUpdate { name: Some(name.clone()) }).await?;
            output.say(&format!("{id} is now named {name}"))
        }
        AccessClients::Delete { id, wait } => {
            calls.delete(id).await?;
            if *wait {
                calls.wait_until_deleted(id, progress(Wait::default())).await?;
                return output.say(&format!("{id} is deleted"));
            }
            output.say(&format!("{id} is being deleted"))
        }
        AccessClients::Wait { id, goal: Goal::Running, at_most } => output.one(
            &calls
                .wait_until_running(id, progress(Wait::default().timeout((*at_most).into())))
                .await?,
        ),
        AccessClients::Wait { id, goal: Goal::Deleted, at_most } => {
            calls
                .wait_until_deleted(id, progress(Wait::default().timeout((*at_most).into())))
                .await?;
            output.say(&format!("{id} is deleted"))
        }
    }
}

/// Creates once. With a name, an answer that is lost does not leave open what has become of it.
async fn create(calls: &Calls<'_>, body: AccessClientCreate) -> Result<Creation, Error> {
    if body.name.is_none() {
        return Ok(Creation::Created(calls.create(body).await?));
    }
    match calls.create_or_find(body.clone()).await {
        // Who may create need not be allowed to list.
        Err(Error::Lookup(error)) if error.status() == Some(StatusCode::FORBIDDEN) => {
            Ok(Creation::Created(calls.create(body).await?))
        }
        outcome => outcome,
    }
}

/// Says something beside the result.
fn tell(what: &str) {
    // There is nobody to tell that nobody can be told.
    let _ = writeln!(std::io::stderr(), "{}", output::plain(what));
}

/// Shows on a terminal what is waited for, and nothing where nobody looks.
fn progress(wait: Wait) -> Wait {
    if !std::io::stderr().is_terminal() {
        return wait;
    }
    let started = std::time::Instant::now();
    wait.observe(move |seen| {
        let status = seen.status.as_ref().map_or("without a status", |status| status.as_str());
        let seconds = started.elapsed().as_secs();
        tell(&format!("{seconds:>4} s  {status}"));
    })
}

fn misused(reason: String) -> Failure {
    Failure { reason, hint: None, exit: Exit::Misused }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut reason = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            reason += &[": ", &error.to_string()].concat();
            cause = error.source();
        }
        let hint = |text: &str| Some(text.to_owned());
        let status = error.status().map(|status| status.as_u16());
        let (exit, hint) = match (&error, status) {
            (Error::Configuration { .. } | Error::Invalid(_), _) => (Exit::Misused, None),
            (Error::Credentials(_), _) => (
                Exit::NotAllowed,
                hint(
                    "set FABRIC_AUTH_TOKEN, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or say \
                     --anonymous",
                ),
            ),
            (Error::Connect(_), _) if reason.contains("certificate") => {
                (Exit::Unreachable, hint("--ca-cert trusts another certificate"))
            }
            (Error::Connect(_), _) => {
                (Exit::Unreachable, hint("is the endpoint right, and can this machine reach it?"))
            }
            _ if error.is_not_found() => {
                (Exit::NotFound, hint("`fabric access-clients list` shows which there are"))
            }
            (_, Some(401)) => {
                (Exit::NotAllowed, hint("the token or the access key is not known, or has expired"))
            }
            (_, Some(403)) => (
                Exit::NotAllowed,
                hint("the credentials do not allow this, or are of another project"),
            ),
            _ => {
                let is_silent = matches!(error, Error::TimedOut(_) | Error::Interrupted(_));
                let exit = if is_silent { Exit::Unreachable } else { Exit::Failed };
                let doubt = "if this was to change something, it may have been done: look first";
                (exit, hint(doubt).filter(|_| error.is_in_doubt()))
            }
        };
        if let Some(id) = error.request_id() {
            reason += &[" (request ", id, ")"].concat();
        }
        Self { reason, hint, exit }
    }
}

impl From<WaitError> for Failure {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Call(error) | WaitError::TimedOut { source: Some(error), .. } => {
                error.into()
            }
            WaitError::TimedOut { .. } => {
                Self { reason: error.to_string(), hint: None, exit: Exit::TooLate }
            }
            error => Self { reason: error.to_string(), hint: None, exit: Exit::Hopeless },
        }
    }
}
