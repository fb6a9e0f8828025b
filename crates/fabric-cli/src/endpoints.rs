//! Endpoints beyond their operations: waits, and short messages.

use clap::{Arg, Command, ValueEnum, value_parser};
use fabric_model::endpoint::{
    self, CreateEndpoint, DeleteEndpoint, Endpoint, EndpointId, UpdateEndpoint,
};
use fabric_model::workspace::WorkspaceId;
use fabric_model::{Operation, Request, Resource};
use serde_json::json;

use crate::extras::{Call, Extras, Running};
use crate::failure::{Exit, Failure};
use crate::group;
use crate::output::tell;
use crate::request::Parts;
use crate::session::Session;
use crate::waits;

/// The extras of endpoints.
pub(crate) struct Endpoints;

/// The status that `wait` awaits.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Goal {
    Running,
    Deleted,
}

/// The ids of the arguments.
const ID: &str = "id";
const WORKSPACE: &str = "workspace";
const GOAL: &str = "for";

impl Extras for Endpoints {
    fn resource(&self) -> &'static str {
        endpoint::Endpoints::NAME
    }

    fn reserved(&self) -> &'static [&'static str] {
        waits::FLAGS
    }

    fn extend(&self, command: Command) -> Command {
        let id = Arg::new(ID)
            .value_name("ENDPOINT_ID")
            .required(true)
            .help("The id of the endpoint")
            .value_parser(value_parser!(EndpointId));
        let workspace = group::owner(WORKSPACE, "workspace_id", "The id of the workspace")
            .value_parser(value_parser!(WorkspaceId));
        let goal = Arg::new(GOAL)
            .long(GOAL)
            .default_value("running")
            .value_parser(value_parser!(Goal))
            .help("What to wait for");
        let running = "Waits until the endpoint is RUNNING";
        command
            .mut_subcommand("create", |create| create.args(waits::flags(running)))
            .mut_subcommand("update", |update| update.args(waits::flags(running)))
            .mut_subcommand("delete", |delete| {
                delete.args(waits::flags("Waits until the endpoint is gone"))
            })
            .subcommand(
                Command::new("wait").about("Wait until an endpoint is RUNNING, or gone").args([
                    id,
                    workspace,
                    goal,
                    waits::at_most(),
                ]),
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
}

async fn create(call: Call<'_>) -> Result<(), Failure> {
    let request: Request<CreateEndpoint> = read(call).await?;
    let created = call.session.client.send(&request).await?;
    if !waits::is_asked(call.matches) {
        return show(call.session, &created);
    }
    let Some(id) = &created.id else {
        let reason = "it was created, but the answer has no id to wait for";
        return Err(Failure::new(Exit::Failed, reason));
    };
    let id = EndpointId::try_from(id)?;
    // From now on it exists and costs money, even if the wait fails.
    tell(&format!("created {id}"));
    wait_until_running(call, &request.path.workspace_id, &id).await
}

async fn update(call: Call<'_>) -> Result<(), Failure> {
    let request: Request<UpdateEndpoint> = read(call).await?;
    let updating = call.session.client.send(&request).await?;
    if !waits::is_asked(call.matches) {
        return show(call.session, &updating);
    }
    wait_until_running(call, &request.path.workspace_id, &request.path.endpoint_id).await
}

async fn delete(call: Call<'_>) -> Result<(), Failure> {
    let request: Request<DeleteEndpoint> = read(call).await?;
    call.session.client.send(&request).await?;
    let path = request.path;
    if !waits::is_asked(call.matches) {
        return call.session.output.say(&format!("{} is being deleted", path.endpoint_id));
    }
    wait_until_deleted(call, &path.workspace_id, &path.endpoint_id).await
}

async fn wait(call: Call<'_>) -> Result<(), Failure> {
    let matches = call.matches;
    let (id, workspace) = (matches.get_one::<EndpointId>(ID), matches.get_one(WORKSPACE));
    let (Some(id), Some(workspace), Some(goal)) = (id, workspace, matches.get_one::<Goal>(GOAL))
    else {
        return Err(Failure::misused("an id, a workspace and a goal are required"));
    };
    match goal {
        Goal::Running => wait_until_running(call, workspace, id).await,
        Goal::Deleted => wait_until_deleted(call, workspace, id).await,
    }
}

async fn wait_until_running(
    call: Call<'_>,
    workspace: &WorkspaceId,
    id: &EndpointId,
) -> Result<(), Failure> {
    let calls = call.session.client.endpoints(workspace)?;
    let running = calls.wait_until_running(id, waits::progress(call.matches)).await;
    show(
        call.session,
        &running.map_err(Failure::from).map_err(|failure| {
            let again = format!("`fabric endpoints wait --workspace-id {workspace} {id}`");
            match failure.exit {
                Exit::TooLate => failure.or_hint(format!("{again} continues to wait")),
                _ => failure,
            }
        })?,
    )
}

async fn wait_until_deleted(
    call: Call<'_>,
    workspace: &WorkspaceId,
    id: &EndpointId,
) -> Result<(), Failure> {
    let calls = call.session.client.endpoints(workspace)?;
    calls.wait_until_deleted(id, waits::progress(call.matches)).await?;
    call.session.output.say(&format!("{id} is deleted"))
}

/// Reads the request of the call's operation.
async fn read<O: Operation>(call: Call<'_>) -> Result<Request<O>, Failure> {
    let verb = call.verb.ok_or_else(|| Failure::misused("there is no such operation"))?;
    Parts::collect(call.session, verb, call.matches).await?.read()
}

fn show(session: &Session, endpoint: &Endpoint) -> Result<(), Failure> {
    session.output.one(&json!(endpoint))
}
