//! The example of the README: a service of one's own, called over a socket.

#[path = "../../examples/own_service.rs"]
#[expect(dead_code, reason = "it is a whole program, of which a test calls a part")]
mod example;

use fabric_client::model::workspace::{
    CreateWorkspace, DeleteWorkspace, ListWorkspaces, ListWorkspacesQuery, Workspace,
    WorkspaceCreate, WorkspacePath,
};
use fabric_client::model::{Nothing, Request};
use fabric_client::{Client, Error};
use fabric_server::Server;

use crate::raw;

const TOKEN: &str = "X-Auth-Token: a-token\r\nContent-Type: application/json\r\n";

fn client(server: &Server, token: &str) -> Client {
    let endpoint = format!("http://{}", server.address());
    Client::builder(&endpoint).auth_token(token).build().unwrap()
}

async fn create(client: &Client, name: &str) -> Result<Workspace, Error> {
    let body = WorkspaceCreate { name: name.to_owned(), ..WorkspaceCreate::default() };
    client.send(&Request::<CreateWorkspace> { path: Nothing {}, query: Nothing {}, body }).await
}

#[tokio::test]
async fn a_known_caller_creates_lists_and_deletes() {
    let server = example::start(0).unwrap();
    let client = client(&server, "a-token");
    let created = create(&client, "fabric").await.unwrap();
    assert_eq!(created.name.as_deref(), Some("fabric"));
    let list = Request::<ListWorkspaces> {
        path: Nothing {},
        query: ListWorkspacesQuery::default(),
        body: Nothing {},
    };
    let page = client.send(&list).await.unwrap();
    assert_eq!((page.total, &page.workspaces[..]), (1, &[created.clone()][..]));
    let path = WorkspacePath { workspace_id: created.id.unwrap().parse().unwrap() };
    let delete = Request::<DeleteWorkspace> { path, query: Nothing {}, body: Nothing {} };
    client.send(&delete).await.unwrap();
    assert_eq!(client.send(&list).await.unwrap().total, 0);
    assert!(client.send(&delete).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn others_are_rejected_and_so_is_what_breaks_the_contract() {
    let server = example::start(0).unwrap();
    let error = create(&client(&server, "another"), "fabric").await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(401), "{error}");
    // The client does not send what is invalid.
    let address = server.address();
    let send = move |target: &str, headers: &str, body: &str| {
        raw::send(address, &raw::request("POST", target, headers, body.as_bytes()))
    };
    let answers = tokio::task::spawn_blocking(move || {
        [
            send("/v1/workspaces", TOKEN, r#"{"name":"abc"}"#),
            send("/v1/workspaces", "Content-Type: application/json\r\n", r#"{"name":"fabric"}"#),
            send("/v1/access-clients", TOKEN, "{}"),
        ]
    });
    let answers = answers.await.unwrap();
    assert_eq!(answers.each_ref().map(|answer| answer.status), [400, 401, 404]);
    let message = answers[0].json()["error_msg"].as_str().unwrap().to_owned();
    assert!(message.ends_with("name: must have 4 to 32 characters"), "{message}");
    assert_eq!(answers[2].json()["error_code"], "APIG.0101");
}

#[test]
fn the_readme_shows_the_example_to_the_letter() {
    let readme = include_str!("../../README.md");
    assert!(readme.contains(include_str!("../../examples/own_service.rs")));
}
