//! A service of workspaces with tokens of its own: `cargo run --example own_service -- PORT`.

#![expect(clippy::print_stdout, reason = "the program says where it listens")]

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use fabric_model::workspace::{
    CreateWorkspace, DeleteWorkspace, ListWorkspaces, Workspace, WorkspacePage,
};
use fabric_model::{ApiError, Failure, Nothing, ProjectId, Request, header};
use fabric_server::{Api, Caller, Callers, Grant, Server, Verifier, Verifying};
use http::request::Parts;

/// The state that every handler gets: the workspaces of each project, by their ids.
#[derive(Clone, Default)]
struct Workspaces(Arc<Mutex<HashMap<ProjectId, BTreeMap<String, Workspace>>>>);

impl Workspaces {
    fn lock(&self) -> MutexGuard<'_, HashMap<ProjectId, BTreeMap<String, Workspace>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// A handler takes the state, the caller, and the request, which is valid. The type of the request says which
// operation the handler serves.
async fn create(
    workspaces: Workspaces,
    caller: Caller,
    request: Request<CreateWorkspace>,
) -> Result<Workspace, ApiError> {
    let mut projects = workspaces.lock();
    let project = projects.entry(caller.project).or_default();
    let workspace = Workspace {
        id: Some(uuid::Uuid::new_v4().to_string()),
        name: Some(request.body.name),
        description: request.body.description,
        create_time: Some(humantime::format_rfc3339_millis(caller.now).to_string()),
        ..Workspace::default()
    };
    project.extend(workspace.id.clone().map(|id| (id, workspace.clone())));
    Ok(workspace)
}

async fn list(
    workspaces: Workspaces,
    caller: Caller,
    request: Request<ListWorkspaces>,
) -> Result<WorkspacePage, ApiError> {
    let projects = workspaces.lock();
    let all: Vec<_> = projects.get(&caller.project).into_iter().flatten().collect();
    let page = all.iter().skip(request.query.offset as usize).take(request.query.limit as usize);
    let workspaces = page.map(|(_, workspace)| (*workspace).clone()).collect();
    Ok(WorkspacePage { workspaces, total: all.len() as u64 })
}

async fn delete(
    workspaces: Workspaces,
    caller: Caller,
    request: Request<DeleteWorkspace>,
) -> Result<Nothing, ApiError> {
    let mut projects = workspaces.lock();
    let project = projects.get_mut(&caller.project);
    let deleted = project.and_then(|project| project.remove(request.path.workspace_id.as_str()));
    deleted.map(|_| Nothing {}).ok_or_else(|| Failure::NotFound.into())
}

/// Knows callers by their tokens. A real one asks its session store here.
struct Tokens(HashMap<&'static str, ProjectId>);

impl Verifier for Tokens {
    fn verify<'a>(&'a self, parts: &'a Parts, _body: &'a [u8], _: SystemTime) -> Verifying<'a> {
        Box::pin(async {
            let token = parts.headers.get(header::X_AUTH_TOKEN);
            let project = token.and_then(|token| self.0.get(token.to_str().ok()?));
            match project {
                Some(project) => Ok(Grant { project: Some(project.clone()), ..Grant::default() }),
                None => Err(Failure::TokenRejected.into()),
            }
        })
    }
}

/// Serves workspaces on a port of this machine; 0 takes a free one.
pub(crate) fn start(port: u16) -> io::Result<Server> {
    let project = ProjectId::try_from("7a6d1e0f4c3b48d29e5f8a7b6c5d4e3f");
    let tokens = Tokens(HashMap::from([("a-token", project.map_err(io::Error::other)?)]));
    let api = Api::new(Workspaces::default())
        .callers(Callers::verified_by(tokens))
        .operation(create)
        .operation(list)
        .operation(delete);
    Server::start(TcpListener::bind((Ipv4Addr::LOCALHOST, port))?, api.into_router())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).ok_or("usage: own_service PORT")?;
    let server = start(port.parse()?)?;
    println!("listening on http://{}; Ctrl-C stops", server.address());
    tokio::signal::ctrl_c().await?;
    server.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
