//! Access clients beyond their operations: waits, creates that are found again, and short messages.

use clap::{Arg, Command, ValueEnum, value_parser};
use fabric_client::{CreateError, Creation};
use fabric_model::access_client::{
    self, AccessClient, CreateAccessClient, DeleteAccessClient, UpdateAccessClient,
};
use fabric_model::{AccessClientId, Request, Resource};
use http::StatusCode;
use serde_json::{Value, json};

use crate::extras::{Call, Extras, Flag, Running};
use crate::failure::{Exit, Failure};
use crate::output::{plain, tell};
use crate::request::Parts;
use crate::session::Session;
use crate::waits;

/// The extras of access clients.
pub(crate) struct AccessClients;

/// The status that `wait` awaits.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Goal {
    Running,
    Deleted,
}

/// The ids of the arguments.
const ID: &str = "id";
const GOAL: &str = "for";

impl Extras for AccessClients {
    fn resource(&self) -> &'static str {
        access_client::AccessClients::NAME
    }

    fn reserved(&self) -> &'static [&'static str] {
        waits::FLAGS
    }

    fn flag(&self, verb: &str, field: &str) -> Flag {
        match (verb, field) {
            // One subnet is a list of one.
            ("create", "subnet_id") => Flag::Omitted,
            ("create", "subnet_ids") => Flag::Named("subnet-id"),
            ("create", "access_connections") => Flag::Named("connection"),
            _ => Flag::OfField,
        }
    }

    fn extend(&self, command: Command) -> Command {
        let id = Arg::new(ID)
            .value_name("CLIENT_ID")
            .required(true)
            .help("The id of the access client")
            .value_parser(value_parser!(AccessClientId));
        let goal = Arg::new(GOAL)
            .long(GOAL)
            .default_value("running")
            .value_parser(value_parser!(Goal))
            .help("What to wait for");
        command
            .visible_alias("ac")
            .mut_subcommand("create", |create| {
                create.args(waits::flags("Waits until the access client is RUNNING"))
            })
            .mut_subcommand("update", |update| {
                update.mut_arg("body:name", |name| name.required_unless_present("json"))
            })
            .mut_subcommand("delete", |delete| {
                delete.args(waits::flags("Waits until the access client is gone"))
            })
            .subcommand(
                Command::new("wait")
                    .about("Wait until an access client is RUNNING, or gone")
                    .args([id, goal, waits::at_most()]),
            )
    }

    fn run<'a>(&self, call: Call<'a>) -> Option<Running<'a>> {
        match (call.name, call.verb) {
            ("create", Some(_)) => Some(Box::pin(create(call))),
            ("update", Some(_)) => Some(Box::pin(update(call))),
            ("delete", Some(_)) => Some(Box::pin(delete(call))),
            ("wait", _) => Some(Box::pin(wait(call))),
            _ => None,
        }
    }

    fn rows(&self, answer: &Value) -> Option<Vec<(String, Value)>> {
        let connection = |connection: &Value| {
            let parts = ["vpcep_id", "domain", "ip", "owner"].map(|part| connection[part].clone());
            Value::Array(parts.into_iter().filter(|part| !part.is_null()).collect())
        };
        let connections = answer["access_connections"].as_array()?.iter().map(connection);
        let mut rows = Vec::new();
        for (label, field) in
            [("id", "id"), ("name", "name"), ("status", "status"), ("vpc id", "vpc_id")]
        {
            rows.push((label.to_owned(), answer[field].clone()));
        }
        rows.push(("subnet ids".to_owned(), answer["subnet_ids"].clone()));
        rows.extend(connections.map(|it| ("connection".to_owned(), it)));
        rows.push(("created".to_owned(), answer["create_time"].clone()));
        Some(rows)
    }
}

async fn create(call: Call<'_>) -> Result<(), Failure> {
    let session = call.session;
    let created = create_once(session, read(call).await?).await?;
    if let Creation::Found(_) = created {
        tell("the answer was lost, but the access client was created");
    }
    let created = created.into_inner();
    if !waits::is_asked(call.matches) {
        return show(session, &created);
    }
    let Some(id) = &created.id else {
        let reason = "it was created, but the answer has no id to wait for";
        return Err(Failure::new(Exit::Failed, reason));
    };
    // From now on it exists and costs money, even if the wait fails.
    tell(&format!("created {}", plain(id)));
    let calls = session.client.access_clients();
    let running =
        calls.wait_until_running(id, waits::progress(call.matches)).await.map_err(|error| {
            let hint = Some(format!("`fabric access-clients wait {id}` continues to wait"));
            Failure { hint, ..error.into() }
        })?;
    show(session, &running)
}

/// Creates once. With a name, it finds out whether a create whose answer is lost was carried out.
async fn create_once(
    session: &Session,
    request: Request<CreateAccessClient>,
) -> Result<Creation<AccessClient>, Failure> {
    let calls = session.client.access_clients();
    if request.body.name.is_none() {
        return Ok(Creation::Created(calls.create(request.body).await?));
    }
    match calls.create_or_find(request.body.clone()).await {
        // A caller that may create need not be allowed to list.
        Err(CreateError::Lookup(error)) if error.status() == Some(StatusCode::FORBIDDEN) => {
            Ok(Creation::Created(calls.create(request.body).await?))
        }
        outcome => Ok(outcome?),
    }
}

async fn update(call: Call<'_>) -> Result<(), Failure> {
    let request: Request<UpdateAccessClient> = read(call).await?;
    call.session.client.send(&request).await?;
    let id = request.path.client_id;
    call.session.output.say(&match request.body.name {
        Some(name) => format!("{id} is now named {name}"),
        None => format!("{id} is unchanged"),
    })
}

async fn delete(call: Call<'_>) -> Result<(), Failure> {
    let request: Request<DeleteAccessClient> = read(call).await?;
    call.session.client.send(&request).await?;
    let id = request.path.client_id;
    if !waits::is_asked(call.matches) {
        return call.session.output.say(&format!("{id} is being deleted"));
    }
    wait_until_deleted(call, &id).await
}

async fn wait(call: Call<'_>) -> Result<(), Failure> {
    let (Some(id), Some(goal)) =
        (call.matches.get_one::<AccessClientId>(ID), call.matches.get_one::<Goal>(GOAL))
    else {
        return Err(Failure::misused("an id and a goal are required"));
    };
    match goal {
        Goal::Running => {
            let calls = call.session.client.access_clients();
            show(call.session, &calls.wait_until_running(id, waits::progress(call.matches)).await?)
        }
        Goal::Deleted => wait_until_deleted(call, id).await,
    }
}

async fn wait_until_deleted(call: Call<'_>, id: &AccessClientId) -> Result<(), Failure> {
    let calls = call.session.client.access_clients();
    calls.wait_until_deleted(id, waits::progress(call.matches)).await?;
    call.session.output.say(&format!("{id} is deleted"))
}

/// Reads the request of the call's operation.
async fn read<O: fabric_model::Operation>(call: Call<'_>) -> Result<Request<O>, Failure> {
    let verb = call.verb.ok_or_else(|| Failure::misused("there is no such operation"))?;
    Parts::collect(call.session, verb, call.matches).await?.read()
}

fn show(session: &Session, access_client: &AccessClient) -> Result<(), Failure> {
    let answer = json!(access_client);
    let rows = AccessClients.rows(&answer).unwrap_or_default();
    session.output.rows(&answer, rows)
}
