//! What an operation can say beyond what those of access clients say: a project in its path, query parameters
//! that repeat, another status of success.

use fabric_client::{Client, Retry};
use fabric_model::{
    ApiError, Example, Identified, Nothing, Operation, Parameters, Payload, ProjectId, Request,
    Resource,
};
use fabric_server::{Api, Caller, Callers, Credential, Server};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::raw;

/// Pots, of which a project has some.
#[derive(Clone, Copy, Debug)]
struct Pots;

impl Resource for Pots {
    const NAME: &'static str = "pots";
    const SINGULAR: &'static str = "pot";
    const DESCRIPTION: &'static str = "What tea is made in";
    const ID_PARAMETER: Option<&'static str> = Some("pot_id");

    type Answer = Pot;
}

/// Brews tea in the pots of a project.
#[derive(Clone, Copy, Debug, PartialEq)]
struct BrewTea;

impl Operation for BrewTea {
    const ID: &'static str = "BrewTea";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/v1/{project_id}/pots/{pot_id}/tea";
    const SUCCESS: StatusCode = StatusCode::CREATED;
    const ACTION: Option<&'static str> = None;
    const SUMMARY: &'static str = "Brew tea";
    const DESCRIPTION: &'static str = "Brews tea.";
    const PROJECT_PARAMETER: Option<&'static str> = Some("project_id");
    const ONLY_READS: bool = true;

    type Resource = Pots;
    type Path = PotPath;
    type Query = Leaves;
    type Body = Nothing;
    type Response = Pot;

    fn example() -> Example<Self> {
        Example { request: brew("mine", "pot-1", &["green"]), response: Pot::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, utoipa::IntoParams)]
struct PotPath {
    #[param(value_type = String)]
    project_id: ProjectId,
    pot_id: String,
}

impl Parameters for PotPath {}

#[derive(
    Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, utoipa::IntoParams,
)]
#[serde(default)]
struct Leaves {
    #[validate(length(max = 2))]
    leaf: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minutes: Option<u32>,
}

impl Parameters for Leaves {}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, utoipa::ToSchema)]
struct Pot {
    id: Option<String>,
    leaves: Vec<String>,
}

impl Payload for Pot {}

impl Identified for Pot {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

fn brew(project: &str, pot: &str, leaves: &[&str]) -> Request<BrewTea> {
    let path = PotPath { project_id: project.parse().unwrap(), pot_id: pot.to_owned() };
    let leaf = leaves.iter().map(|leaf| (*leaf).to_owned()).collect();
    Request { path, query: Leaves { leaf, minutes: None }, body: Nothing {} }
}

async fn handle((): (), caller: Caller, request: Request<BrewTea>) -> Result<Pot, ApiError> {
    // The handler is called only where both are the same.
    assert_eq!(caller.project, request.path.project_id);
    Ok(Pot { id: Some(request.path.pot_id), leaves: request.query.leaf })
}

fn serve(callers: Callers) -> Server {
    let router = Api::new(()).callers(callers).operation(handle).into_router();
    Server::start(std::net::TcpListener::bind("127.0.0.1:0").unwrap(), router).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_in_the_path_must_be_that_of_the_caller() {
    let known =
        Callers::known(["good=mine", "roaming"].map(|it| Credential::parse_token(it).unwrap()));
    let status = async |server: &Server, headers: &str, project: &str| {
        let target = format!("/v1/{project}/pots/p/tea");
        let request = raw::request("POST", &target, headers, b"");
        let address = server.address();
        tokio::task::spawn_blocking(move || raw::send(address, &request).status).await.unwrap()
    };
    let server = serve(known.unwrap());
    for (headers, project, expected) in [
        ("X-Auth-Token: good\r\n", "mine", 201),
        ("X-Auth-Token: good\r\nX-Project-Id: mine\r\n", "mine", 201),
        ("X-Auth-Token: good\r\n", "theirs", 403),
        ("X-Auth-Token: good\r\n", "%6Dine", 201),
        ("X-Auth-Token: good\r\n", "%00", 403),
        ("X-Auth-Token: roaming\r\n", "theirs", 201),
        ("X-Auth-Token: roaming\r\nX-Project-Id: mine\r\n", "theirs", 403),
        ("", "mine", 401),
    ] {
        assert_eq!(status(&server, headers, project).await, expected, "{headers}{project}");
    }
    let server = serve(Callers::everybody());
    assert_eq!(status(&server, "", "mine").await, 201);
    assert_eq!(status(&server, "X-Project-Id: mine\r\n", "theirs").await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn query_parameters_repeat_and_the_client_understands_another_status() {
    let server = serve(Callers::everybody());
    let client = Client::builder(&format!("http://{}", server.address())).retry(Retry::off());
    let client = client.build().unwrap();
    for leaves in [&[][..], &["green"], &["green", "a b&c=é+%"]] {
        let request = brew("mine", "pot/1", leaves);
        assert_eq!(client.send(&request).await.unwrap().leaves, leaves);
    }
    let target = brew("mine", "p", &["green", "black tea"]).target();
    assert_eq!(target, "/v1/mine/pots/p/tea?leaf=green&leaf=black%20tea");
    let read = |query: &str| Request::<BrewTea>::read("/v1/mine/pots/p/tea", query, None, b"");
    assert_eq!(read("leaf=a&other=1&leaf=b&other=2").unwrap().query.leaf, ["a", "b"]);
    let error = |query: &str| read(query).unwrap_err().to_string();
    assert_eq!(error("minutes=1&leaf=a&minutes=2"), "minutes: must be given once");
    assert_eq!(error("leaf=a&leaf=b&leaf=c"), "leaf: must have at most 2 items");
    assert!(BrewTea::INFO.is_repeatable(), "it only reads");
}
