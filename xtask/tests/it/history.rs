//! Random calls by several callers at once, over workspaces with what they own and over access clients, against a
//! simple reference model.
//!
//! Calls come in rounds; those of a round are under way together. Their answers must be those of the reference
//! in some order of the calls. Every order that fits is followed on, so a lost update, a wrong page, or a leak
//! between projects, resources or owners leaves none. At the end every record is reached through its owners, nothing
//! that was deleted shows, counts equal lists, and a server that starts from the snapshot is the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use fabric_client::{Client, Error};
use fabric_model::metrics::UpdateMetricsConfig;
use fabric_model::tag::{
    BatchCreateFabricWorkspaceTags, BatchDeleteFabricWorkspaceTags, CountTagFabricWorkspaces,
    ListFabricProjectTags, ListFabricWorkspaceTags, ListTagFabricWorkspaces,
};
use fabric_model::{
    Operation, OperationInfo, OperationVisitor, Payload, ResourceInfo, operations, visit_operations,
};
use fabric_server::{Credential, MockServer, Settings, Snapshot};
use http::{Method, StatusCode};
use parking_lot::Mutex;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// Each with a token of its own.
const PROJECTS: [&str; 2] = ["project-0", "project-1"];

/// The resources of these histories, each after its owner, with the parameter by which its list is narrowed to an
/// id.
const RESOURCES: [(&str, &str); 7] = [
    (WORKSPACES, "id"),
    ("access-clients", "id"),
    ("endpoints", "endpoint_id"),
    ("jobs", "id"),
    ("job-versions", "version_id"),
    ("models", "id"),
    ("model-versions", "version_id"),
];

const WORKSPACES: &str = "workspaces";

/// An id that nothing has.
const NONE: &str = "00000000-0000-0000-0000-000000000000";

/// A resource that can be created, listed and deleted.
struct Kind {
    resource: &'static ResourceInfo,
    list: &'static OperationInfo,
    /// The path of one of them.
    item: String,
    id_parameter: &'static str,
    /// The kind of its owner, as a place in [`KINDS`].
    owner: Option<usize>,
    creation: Creation,
    can_be_updated: bool,
}

/// How one is created.
struct Creation {
    method: Method,
    path: String,
    body: Value,
    /// Where the body has names.
    names: Vec<&'static str>,
    /// Where the answer has the id: in the first of these that is there.
    ids: Vec<&'static str>,
}

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let mut kinds: Vec<Kind> = Vec::new();
    for (name, id_parameter) in RESOURCES {
        kinds.push(Kind::of(name, id_parameter, &kinds));
    }
    kinds
});

/// The bodies of the examples, by operation.
static EXAMPLES: LazyLock<HashMap<&str, Value>> = LazyLock::new(|| {
    struct Bodies(HashMap<&'static str, Value>);
    impl OperationVisitor for Bodies {
        fn visit<O: Operation>(&mut self) {
            let body = O::example().request.body.write().unwrap();
            self.0.insert(O::ID, serde_json::from_slice(&body).unwrap_or_default());
        }
    }
    let mut bodies = Bodies(HashMap::new());
    visit_operations(&mut bodies);
    bodies.0
});

impl Kind {
    fn of(name: &str, id_parameter: &'static str, before: &[Self]) -> Self {
        let find = |method: Method, path: &str| {
            let mut all = operations().iter();
            all.find(|operation| operation.method == method && operation.path == path).copied()
        };
        let mut own = operations().iter().filter(|operation| operation.resource.name == name);
        let list = own
            .find(|it| it.method == Method::GET && it.items_in_response.is_some())
            .unwrap_or_else(|| panic!("no operation lists {name}"));
        let resource = list.resource;
        let item = format!("{}/{{{}}}", list.path, resource.id_parameter.unwrap());
        assert!(find(Method::DELETE, &item).is_some(), "no operation deletes {name}");
        let owner = resource
            .owner
            .map(|owner| before.iter().position(|kind| kind.resource.name == owner.name).unwrap());
        let creation = match (find(Method::POST, list.path), owner) {
            (Some(create), _) => {
                let body = EXAMPLES[create.id].clone();
                let names = ["/name", "/version/name"];
                let names = names.into_iter().filter(|name| body.pointer(name).is_some());
                let names = names.collect();
                let ids = vec![create.id_in_response.unwrap()];
                Creation { method: Method::POST, path: create.path.to_owned(), body, names, ids }
            }
            // Versions are added by an update of what they are versions of.
            (None, Some(owner)) => {
                let owner = &before[owner];
                let version = owner.creation.body["version"].clone();
                Creation {
                    method: Method::PUT,
                    path: owner.item.clone(),
                    body: json!({ "version": version }),
                    names: vec!["/version/name"],
                    ids: VERSION_IDS.into(),
                }
            }
            (None, None) => panic!("no operation creates {name}"),
        };
        let can_be_updated = find(Method::PUT, &item).is_some();
        Self { resource, list, item, id_parameter, owner, creation, can_be_updated }
    }

    /// The kind of a resource, as a place in [`KINDS`].
    fn named(name: &str) -> usize {
        KINDS.iter().position(|kind| kind.resource.name == name).unwrap()
    }

    /// How many owners are above one of them.
    fn depth(&self) -> usize {
        self.owner.map_or(0, |owner| KINDS[owner].depth() + 1)
    }

    /// The kind of its versions, of which one is created with it.
    fn versions(&self) -> Option<usize> {
        KINDS
            .iter()
            .position(|kind| kind.creation.method == Method::PUT && kind.creation.path == self.item)
    }
}

/// Where an answer has the id of the version that was created.
const VERSION_IDS: [&str; 2] = ["/version_id", "/current_version/id"];

/// Which of the ids so far is meant.
#[derive(Clone, Copy, Debug)]
struct Target {
    index: usize,
    among: Among,
}

#[derive(Clone, Copy, Debug)]
enum Among {
    /// Those of the kind that the caller created.
    Own,
    /// Those of the kind, of any project.
    Kind,
    /// Those of the kind, below the owners of another.
    Strays,
    /// All.
    All,
}

/// Something that was created.
#[derive(Clone, Debug)]
struct Created {
    project: usize,
    kind: usize,
    /// The ids of its owners, from the outermost on, then its own.
    path: Vec<String>,
}

impl Target {
    /// The ids of the owners, then that of a record of a kind.
    fn path(self, project: usize, kind: usize, created: &[Created]) -> Vec<String> {
        let pick = |among: &dyn Fn(&&Created) -> bool, index: usize| {
            let all: Vec<_> = created.iter().filter(among).collect();
            let picked = all.get(index % all.len().max(1));
            picked.map(|created| created.path.clone()).unwrap_or_default()
        };
        let is_own = |it: &&Created| (it.project, it.kind) == (project, kind);
        let mut path = match self.among {
            Among::Own => pick(&is_own, self.index),
            Among::Kind => pick(&|it| it.kind == kind, self.index),
            Among::Strays => {
                let mut path = pick(&is_own, self.index + 1);
                let id = pick(&is_own, self.index).pop();
                path.pop();
                path.into_iter().chain(id).collect()
            }
            Among::All => pick(&|_| true, self.index),
        };
        let length = KINDS[kind].depth() + 1;
        path.drain(..path.len().saturating_sub(length));
        path.resize(length, NONE.to_owned());
        path
    }
}

/// A call by a caller of a project.
#[derive(Clone, Debug)]
enum Call {
    Create { owner: Target, name: String },
    Update { target: Target, name: String },
    Show { target: Target },
    Delete { target: Target },
    List { owner: Target, offset: usize, limit: usize, part: Option<String> },
    Tag { workspace: Target, key: String, value: String },
    Untag { workspace: Target, key: String, value: Option<String> },
    Tags { workspace: Target },
    Filter { wanted: Wanted, offset: usize, limit: usize },
    Count { wanted: Wanted },
    SwitchMetrics { workspace: Target, enable: bool },
}

/// Which workspaces are looked for.
#[derive(Clone, Debug, Default)]
struct Wanted {
    is_untagged: bool,
    tag: Option<(String, Vec<String>)>,
    part: Option<String>,
}

impl Wanted {
    fn json(&self) -> Value {
        let mut filter = json!({ "without_any_tag": self.is_untagged });
        if let Some((key, values)) = &self.tag {
            filter["tags"] = json!([{ "key": key, "values": values }]);
        }
        if let Some(part) = &self.part {
            filter["matches"] = json!([{ "key": "resource_name", "value": part }]);
        }
        filter
    }

    fn fits(&self, known: &Known) -> bool {
        let is_tagged_so = match &self.tag {
            _ if self.is_untagged => known.tags.is_empty(),
            Some((key, values)) => {
                known.tags.get(key).is_some_and(|value| values.is_empty() || values.contains(value))
            }
            None => true,
        };
        is_tagged_so && self.part.as_ref().is_none_or(|part| known.name.contains(part))
    }
}

/// A call with the ids in its path.
#[derive(Clone, Debug)]
struct Planned {
    project: usize,
    kind: usize,
    call: Call,
    /// The ids of the owners; then, unless the call is about all of what they own, that of the record.
    path: Vec<String>,
}

impl Planned {
    fn new(project: usize, kind: usize, call: Call, created: &[Created]) -> Self {
        let workspaces = Kind::named(WORKSPACES);
        let (kind, call) = Self::possible(project, kind, call, created);
        let (kind, path) = match &call {
            Call::Create { owner, .. } | Call::List { owner, .. } => {
                let owner = KINDS[kind].owner.map(|of| owner.path(project, of, created));
                (kind, owner.unwrap_or_default())
            }
            Call::Update { target, .. } | Call::Show { target } | Call::Delete { target } => {
                (kind, target.path(project, kind, created))
            }
            Call::Tag { workspace, .. }
            | Call::Untag { workspace, .. }
            | Call::Tags { workspace }
            | Call::SwitchMetrics { workspace, .. } => {
                (workspaces, workspace.path(project, workspaces, created))
            }
            Call::Filter { .. } | Call::Count { .. } => (workspaces, Vec::new()),
        };
        Self { project, kind, call, path }
    }

    /// A call on which something depends: where there never was anything to call about, it is created, from its
    /// owners on; and what has no update is shown.
    fn possible(project: usize, kind: usize, call: Call, created: &[Created]) -> (usize, Call) {
        let has = |kind| created.iter().any(|it| (it.project, it.kind) == (project, kind));
        let name = "abab".to_owned();
        let call = match call {
            Call::Update { target, .. } | Call::Show { target } | Call::Delete { target }
                if !has(kind) =>
            {
                Call::Create { owner: target, name: name.clone() }
            }
            Call::Update { target, .. } if !KINDS[kind].can_be_updated => Call::Show { target },
            call => call,
        };
        match (&call, KINDS[kind].owner) {
            (&(Call::Create { owner, .. } | Call::List { owner, .. }), Some(of)) if !has(of) => {
                Self::possible(project, of, Call::Create { owner, name }, created)
            }
            _ => (kind, call),
        }
    }
}

/// What a caller sees of a call.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Created {
        id: String,
        version: Option<String>,
    },
    Shown {
        id: String,
        name: String,
    },
    Done,
    NotFound,
    Rejected,
    /// Ids and names, or keys and values; how many there are on all pages, if the answer says so.
    Listed {
        page: Vec<(String, String)>,
        total: Option<u64>,
    },
}

/// The service as simple as can be: what there is, with the round of its creation.
#[derive(Clone, Debug, Default, PartialEq)]
struct Reference(Vec<Known>);

#[derive(Clone, Debug, PartialEq)]
struct Known {
    project: usize,
    kind: usize,
    /// The ids of its owners, then its own.
    path: Vec<String>,
    name: String,
    round: usize,
    /// Of what has versions, the one that is current.
    current: Option<String>,
    /// Of a workspace.
    tags: BTreeMap<String, String>,
    /// Of a workspace: whether its metrics are collected.
    metrics: Option<bool>,
}

impl Known {
    fn id(&self) -> &str {
        self.path.last().unwrap()
    }

    /// Its name with its tags.
    fn tagged(&self) -> String {
        self.tags
            .iter()
            .fold(self.name.clone(), |text, (key, value)| text + " " + key + "=" + value)
    }
}

impl Reference {
    fn find(&mut self, project: usize, kind: usize, path: &[String]) -> Option<&mut Known> {
        let is_it = |it: &&mut Known| (it.project, it.kind) == (project, kind) && it.path == path;
        self.0.iter_mut().find(is_it)
    }

    /// Whether the owner of records of a kind is there.
    fn has_owner(&mut self, project: usize, kind: usize, owners: &[String]) -> bool {
        KINDS[kind].owner.is_none_or(|owner| self.find(project, owner, owners).is_some())
    }

    /// Whether a workspace, or whatever else owns records, has any.
    fn owns_any(&self, known: &Known) -> bool {
        self.0.iter().any(|it| {
            it.project == known.project
                && it.path.len() > known.path.len()
                && it.path.starts_with(&known.path)
        })
    }

    /// What the caller must see. Only the ids of something new are taken from what was seen.
    fn expect(&mut self, round: usize, planned: &Planned, seen: &Seen) -> Seen {
        let Planned { project, kind, call, path } = planned;
        let (project, kind) = (*project, *kind);
        match call {
            Call::Create { name, .. } => self.create(round, planned, name, seen),
            Call::Update { name, .. } => self.change(planned, |it| it.name.clone_from(name)),
            Call::Show { .. } => match self.find(project, kind, path) {
                Some(known) => Seen::Shown { id: known.id().to_owned(), name: known.name.clone() },
                None => Seen::NotFound,
            },
            Call::Delete { .. } => self.delete(planned),
            Call::List { offset, limit, part, .. } => {
                if !self.has_owner(project, kind, path) {
                    return Seen::NotFound;
                }
                let is_in = |known: &Known| {
                    known.path[..known.path.len() - 1] == *path
                        && part.as_ref().is_none_or(|part| known.name.contains(part))
                };
                let all = self.sorted(project, kind, is_in);
                let page = all.iter().skip(*offset).take(*limit);
                let page = page.map(|it| (it.id().to_owned(), it.name.clone())).collect();
                Seen::Listed { page, total: Some(all.len() as u64) }
            }
            Call::Tag { key, value, .. } => {
                self.change(planned, |it| _ = it.tags.insert(key.clone(), value.clone()))
            }
            Call::Untag { key, value, .. } => self.change(planned, |it| {
                if value.is_none() || it.tags.get(key) == value.as_ref() {
                    it.tags.remove(key);
                }
            }),
            Call::Tags { .. } => match self.find(project, kind, path) {
                Some(it) => {
                    Seen::Listed { page: it.tags.clone().into_iter().collect(), total: None }
                }
                None => Seen::NotFound,
            },
            Call::Filter { wanted, offset, limit } => {
                let all = self.sorted(project, kind, |known| wanted.fits(known));
                let page = all.iter().skip(*offset).take(*limit);
                let page = page.map(|it| (it.id().to_owned(), it.tagged())).collect();
                Seen::Listed { page, total: Some(all.len() as u64) }
            }
            Call::Count { wanted } => {
                let all = self.sorted(project, kind, |known| wanted.fits(known));
                Seen::Listed { page: Vec::new(), total: Some(all.len() as u64) }
            }
            Call::SwitchMetrics { enable, .. } => {
                self.change(planned, |it| it.metrics = Some(*enable))
            }
        }
    }

    fn change(&mut self, planned: &Planned, change: impl FnOnce(&mut Known)) -> Seen {
        match self.find(planned.project, planned.kind, &planned.path) {
            Some(known) => {
                change(known);
                Seen::Done
            }
            None => Seen::NotFound,
        }
    }

    fn create(&mut self, round: usize, planned: &Planned, name: &str, seen: &Seen) -> Seen {
        let Planned { project, kind, path: owners, .. } = planned;
        let (project, kind) = (*project, *kind);
        if !self.has_owner(project, kind, owners) {
            return Seen::NotFound;
        }
        let Seen::Created { id, version } = seen else { return Seen::Done };
        let versions = KINDS[kind].versions();
        let ids: Vec<_> = std::iter::once(id).chain(version).collect();
        let is_known = self.0.iter().any(|known| ids.contains(&&known.path[known.path.len() - 1]));
        if is_known || version.is_some() != versions.is_some() {
            return Seen::Done;
        }
        let new = |kind: usize, owners: &[String], id: &String| Known {
            project,
            kind,
            path: [owners, std::slice::from_ref(id)].concat(),
            name: name.to_owned(),
            round,
            current: None,
            tags: BTreeMap::new(),
            metrics: None,
        };
        let mut known = new(kind, owners, id);
        if let Some((versions, version)) = versions.zip(version.as_ref()) {
            self.0.push(new(versions, &known.path, version));
            known.current = Some(version.clone());
        }
        self.0.push(known);
        // A version that an update adds is current.
        if KINDS[kind].creation.method == Method::PUT
            && let Some(owner) = KINDS[kind].owner.and_then(|of| self.find(project, of, owners))
        {
            owner.current = Some(id.clone());
        }
        seen.clone()
    }

    fn delete(&mut self, planned: &Planned) -> Seen {
        let Planned { project, kind, path, .. } = planned;
        let (project, kind) = (*project, *kind);
        let Some(known) = self.find(project, kind, path).cloned() else { return Seen::NotFound };
        let owners = &path[..path.len() - 1];
        let owner = KINDS[kind].owner.and_then(|owner| self.find(project, owner, owners));
        let is_current = owner.is_some_and(|owner| owner.current.as_deref() == Some(known.id()));
        let is_full = kind == Kind::named(WORKSPACES) && self.owns_any(&known);
        if is_current || is_full {
            return Seen::Rejected;
        }
        self.0.retain(|it| it.project != project || !it.path.starts_with(path));
        Seen::Done
    }

    /// The records of a kind in a project, newest first, then by id.
    fn sorted(&self, project: usize, kind: usize, is_in: impl Fn(&Known) -> bool) -> Vec<&Known> {
        let all = self.0.iter().filter(|it| (it.project, it.kind) == (project, kind));
        let mut all: Vec<_> = all.filter(|known| is_in(known)).collect();
        all.sort_by(|a, b| b.round.cmp(&a.round).then_with(|| a.id().cmp(b.id())));
        all
    }
}

/// An answer: what is in its body, or what was rejected.
enum Answer {
    Good(Value),
    NotFound,
    Rejected,
}

impl Answer {
    fn seen(self, of: impl FnOnce(Value) -> Seen) -> Seen {
        match self {
            Self::Good(body) => of(body),
            Self::NotFound => Seen::NotFound,
            Self::Rejected => Seen::Rejected,
        }
    }

    fn done(self) -> Seen {
        self.seen(|_| Seen::Done)
    }
}

/// A path with ids in it.
fn fill(template: &str, ids: &[String]) -> String {
    let mut ids = ids.iter();
    let parts = template.split('/').map(|part| match part.strip_prefix('{') {
        Some(_) => ids.next().unwrap().as_str(),
        None => part,
    });
    let path = parts.collect::<Vec<_>>().join("/");
    assert!(ids.next().is_none(), "{template} has fewer ids");
    path
}

/// Makes a call.
async fn ask(client: &Client, method: &Method, target: &str, body: Option<Value>) -> Answer {
    let bytes = body.as_ref().map_or(Bytes::new(), |body| body.to_string().into());
    let mut request = http::Request::builder().method(method).uri(target);
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    match client.execute(request.body(bytes).unwrap()).await {
        Ok(answer) if answer.body().is_empty() => Answer::Good(Value::Null),
        Ok(answer) => Answer::Good(serde_json::from_slice(answer.body()).unwrap()),
        Err(error) if Error::is_not_found(&error) => Answer::NotFound,
        Err(Error::Rejected(error)) if error.status() == StatusCode::BAD_REQUEST => {
            Answer::Rejected
        }
        Err(error) => panic!("{target}: {error}"),
    }
}

fn text(json: &Value) -> String {
    json.as_str().unwrap_or_else(|| panic!("{json} is no text")).to_owned()
}

/// A page of a list: the ids and the names.
fn listed(list: &OperationInfo, page: &Value) -> Seen {
    let items = page.pointer(list.items_in_response.unwrap()).unwrap().as_array().unwrap();
    let page_of = items.iter().map(|item| (text(&item["id"]), text(&item["name"]))).collect();
    Seen::Listed { page: page_of, total: Some(page["total"].as_u64().unwrap()) }
}

/// A page of workspaces by their tags: the ids, and the names with the tags.
fn filtered(page: &Value) -> Seen {
    let workspace = |item: &Value| {
        let tags = item["tags"].as_array().unwrap().iter();
        let tags = tags.fold(text(&item["resource_name"]), |sum, tag| {
            sum + " " + &text(&tag["key"]) + "=" + &text(&tag["value"])
        });
        (text(&item["resource_id"]), tags)
    };
    let page_of = page["resources"].as_array().unwrap().iter().map(workspace).collect();
    Seen::Listed { page: page_of, total: Some(page["total_count"].as_u64().unwrap()) }
}

async fn perform(client: &Client, planned: &Planned) -> Seen {
    let Planned { project, kind, call, path } = planned;
    let kind = &KINDS[*kind];
    let project = PROJECTS[*project].to_owned();
    let of_project = |path: &str| fill(path, std::slice::from_ref(&project));
    let of_workspace =
        |of: &str| fill(of, &[std::slice::from_ref(&project), path.as_slice()].concat());
    match call {
        Call::Create { name, .. } => {
            let Creation { method, path: template, body, names, ids } = &kind.creation;
            let mut body = body.clone();
            for place in names {
                *body.pointer_mut(place).unwrap() = json!(name);
            }
            let has_versions = kind.versions().is_some();
            ask(client, method, &fill(template, path), Some(body)).await.seen(|answer| {
                let id = |places: &[&str]| {
                    text(places.iter().find_map(|place| answer.pointer(place)).unwrap())
                };
                Seen::Created { id: id(ids), version: has_versions.then(|| id(&VERSION_IDS)) }
            })
        }
        Call::Update { name, .. } => {
            let body = Some(json!({ "name": name }));
            ask(client, &Method::PUT, &fill(&kind.item, path), body).await.done()
        }
        Call::Delete { .. } => {
            ask(client, &Method::DELETE, &fill(&kind.item, path), None).await.done()
        }
        Call::Show { .. } => {
            // Not every resource shows one of them alone.
            let (id, owners) = path.split_last().unwrap();
            let target = format!("{}?{}={id}", fill(kind.list.path, owners), kind.id_parameter);
            let answer = ask(client, &Method::GET, &target, None).await;
            answer.seen(|page| {
                let Seen::Listed { page, .. } = listed(kind.list, &page) else { unreachable!() };
                let found = page.into_iter().next();
                found.map_or(Seen::NotFound, |(id, name)| Seen::Shown { id, name })
            })
        }
        Call::List { offset, limit, part, .. } => {
            let part = part.as_ref().map(|part| format!("&name={part}")).unwrap_or_default();
            let target =
                format!("{}?offset={offset}&limit={limit}{part}", fill(kind.list.path, path));
            ask(client, &Method::GET, &target, None).await.seen(|page| listed(kind.list, &page))
        }
        Call::Tag { key, value, .. } => {
            let body = json!({ "tags": [{ "key": key, "value": value }] });
            let target = of_workspace(BatchCreateFabricWorkspaceTags::PATH);
            ask(client, &Method::POST, &target, Some(body)).await.done()
        }
        Call::Untag { key, value, .. } => {
            let mut tag = json!({ "key": key });
            if let Some(value) = value {
                tag["value"] = json!(value);
            }
            let target = of_workspace(BatchDeleteFabricWorkspaceTags::PATH);
            ask(client, &Method::POST, &target, Some(json!({ "tags": [tag] }))).await.done()
        }
        Call::Tags { .. } => {
            let target = of_workspace(ListFabricWorkspaceTags::PATH);
            ask(client, &Method::GET, &target, None).await.seen(|page| {
                let tags = page["tags"].as_array().unwrap().iter();
                let page = tags.map(|tag| (text(&tag["key"]), text(&tag["value"]))).collect();
                Seen::Listed { page, total: None }
            })
        }
        Call::Filter { wanted, offset, limit } => {
            let path = of_project(ListTagFabricWorkspaces::PATH);
            let target = format!("{path}?offset={offset}&limit={limit}");
            let body = Some(wanted.json());
            ask(client, &Method::POST, &target, body).await.seen(|page| filtered(&page))
        }
        Call::Count { wanted } => {
            let target = of_project(CountTagFabricWorkspaces::PATH);
            ask(client, &Method::POST, &target, Some(wanted.json())).await.seen(|answer| {
                let total = Some(answer["total_count"].as_u64().unwrap());
                Seen::Listed { page: Vec::new(), total }
            })
        }
        Call::SwitchMetrics { enable, .. } => {
            let body = Some(json!({ "enable": enable }));
            ask(client, &Method::PUT, &fill(UpdateMetricsConfig::PATH, path), body).await.done()
        }
    }
}

fn target() -> impl Strategy<Value = Target> {
    let among = prop_oneof![
        12 => Just(Among::Own),
        1 => Just(Among::Kind),
        1 => Just(Among::Strays),
        1 => Just(Among::All),
    ];
    (any::<usize>(), among).prop_map(|(index, among)| Target { index, among })
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let tag = option::of(("[kl]", vec("[vw]", 0..3)));
    (any::<bool>(), tag, option::of("[ab]{1,2}")).prop_map(|(is_untagged, tag, part)| Wanted {
        is_untagged,
        tag,
        part,
    })
}

fn call() -> impl Strategy<Value = Call> {
    let name = "[ab]{4,6}";
    let part = option::of("[ab]{4}");
    prop_oneof![
        6 => (target(), name).prop_map(|(owner, name)| Call::Create { owner, name }),
        3 => (target(), name).prop_map(|(target, name)| Call::Update { target, name }),
        2 => target().prop_map(|target| Call::Show { target }),
        3 => target().prop_map(|target| Call::Delete { target }),
        3 => (target(), 0_usize..4, 1_usize..5, part)
            .prop_map(|(owner, offset, limit, part)| Call::List { owner, offset, limit, part }),
        3 => (target(), "[kl]", "[vw]")
            .prop_map(|(workspace, key, value)| Call::Tag { workspace, key, value }),
        1 => (target(), "[kl]", option::of("[vw]"))
            .prop_map(|(workspace, key, value)| Call::Untag { workspace, key, value }),
        1 => target().prop_map(|workspace| Call::Tags { workspace }),
        2 => (wanted(), 0_usize..3, 1_usize..4)
            .prop_map(|(wanted, offset, limit)| Call::Filter { wanted, offset, limit }),
        1 => wanted().prop_map(|wanted| Call::Count { wanted }),
        1 => (target(), any::<bool>())
            .prop_map(|(workspace, enable)| Call::SwitchMetrics { workspace, enable }),
    ]
}

fn permutations(length: usize) -> Vec<Vec<usize>> {
    if length == 0 {
        return vec![vec![]];
    }
    let shorter = permutations(length - 1);
    let insert = |order: &Vec<usize>, place: usize| {
        let mut order = order.clone();
        order.insert(place, length - 1);
        order
    };
    shorter.iter().flat_map(|order| (0..length).map(move |place| insert(order, place))).collect()
}

fn settings() -> Settings {
    let credentials = PROJECTS.map(|id| Credential::parse_token(&format!("of-{id}={id}")).unwrap());
    Settings { credentials: credentials.to_vec(), ..Settings::default() }
}

fn clients(server: &MockServer) -> [Client; 2] {
    PROJECTS.map(|id| {
        Client::builder(server.endpoint()).auth_token(format!("of-{id}")).build().unwrap()
    })
}

/// What came of calls: `Delete workspaces: Rejected`.
type Met = BTreeSet<String>;

/// Calls one after another, in rounds: the project and the kind of each.
type History = Vec<Vec<(usize, usize, Call)>>;

/// The name of a variant.
fn variant(of: &impl std::fmt::Debug) -> String {
    format!("{of:?}").split(' ').next().unwrap().to_owned()
}

async fn run(history: History) -> Result<Met, TestCaseError> {
    let mut met = Met::new();
    let server = MockServer::start_with(settings()).await.unwrap();
    server.clock().freeze_at(std::time::UNIX_EPOCH);
    let clients = clients(&server);
    let mut states = vec![Reference::default()];
    let mut created: Vec<Created> = Vec::new();
    for (round, calls) in history.into_iter().enumerate() {
        server.clock().advance(Duration::from_millis(1));
        let calls: Vec<_> = calls
            .into_iter()
            .map(|(project, kind, call)| Planned::new(project, kind, call, &created))
            .collect();
        let mut tasks = Vec::new();
        for planned in calls.clone() {
            let client = clients[planned.project].clone();
            tasks.push(tokio::spawn(async move { perform(&client, &planned).await }));
        }
        let mut seen = Vec::new();
        for task in tasks {
            seen.push(task.await.unwrap());
        }
        let mut next: Vec<Reference> = Vec::new();
        for order in permutations(calls.len()) {
            for state in &states {
                let mut state = state.clone();
                let fits = order
                    .iter()
                    .all(|&place| state.expect(round, &calls[place], &seen[place]) == seen[place]);
                state.0.sort_by(|a, b| a.path.cmp(&b.path));
                if fits && !next.contains(&state) {
                    next.push(state);
                }
            }
        }
        prop_assert!(!next.is_empty(), "round {round}: no order explains {calls:?} -> {seen:?}");
        states = next;
        for (Planned { project, kind, path, call }, seen) in calls.iter().zip(seen) {
            let of = KINDS[*kind].resource.name;
            met.insert(format!("{} {of}: {}", variant(call), variant(&seen)));
            if let Seen::Created { id, version } = seen {
                let path = [path.as_slice(), &[id]].concat();
                let versions = KINDS[*kind].versions();
                if let Some((kind, version)) = versions.zip(version) {
                    let path = [path.as_slice(), &[version]].concat();
                    created.push(Created { project: *project, kind, path });
                }
                created.push(Created { project: *project, kind: *kind, path });
            }
        }
    }
    let found = everything(&server, &created).await;
    let of_state = |state: &Reference| Found::of(state) == found;
    prop_assert!(states.iter().any(of_state), "no order explains what is there: {found:?}");
    let snapshot = server.world().snapshot().to_json();
    let restored = Some(Snapshot::parse(&snapshot).unwrap());
    let second =
        MockServer::start_with(Settings { snapshot: restored, ..settings() }).await.unwrap();
    prop_assert_eq!(second.world().snapshot().to_json(), snapshot);
    prop_assert_eq!(everything(&second, &created).await, found);
    Ok(met)
}

/// What callers find at the end: the name of each record by project, kind and path, and what is set of workspaces.
#[derive(Debug, Default, PartialEq)]
struct Found {
    names: BTreeMap<(usize, usize, Vec<String>), String>,
    /// The tags of workspaces that have some, after their names.
    tagged: BTreeMap<String, String>,
    metrics: BTreeMap<String, bool>,
}

impl Found {
    fn of(state: &Reference) -> Self {
        let mut found = Self::default();
        for known in &state.0 {
            let place = (known.project, known.kind, known.path.clone());
            found.names.insert(place, known.name.clone());
            if !known.tags.is_empty() {
                found.tagged.insert(known.id().to_owned(), known.tagged());
            }
            found.metrics.extend(known.metrics.map(|enable| (known.id().to_owned(), enable)));
        }
        found
    }

    /// The paths of the records of a kind in a project.
    fn paths(&self, project: usize, kind: usize) -> Vec<Vec<String>> {
        let is_in = |place: &&(usize, usize, Vec<String>)| (place.0, place.1) == (project, kind);
        self.names.keys().filter(is_in).map(|(_, _, path)| path.clone()).collect()
    }
}

/// All pages of a list, two items a page: as many items as every page says that there are.
async fn all_pages(
    client: &Client,
    planned: impl Fn(usize, usize) -> Planned,
) -> Vec<(String, String)> {
    let mut all = Vec::new();
    loop {
        let Seen::Listed { page, total } = perform(client, &planned(all.len(), 2)).await else {
            panic!("a list is not answered: {:?}", planned(all.len(), 2));
        };
        let is_last = page.len() < 2;
        all.extend(page);
        let total = usize::try_from(total.unwrap()).unwrap();
        assert!(all.len() <= total, "more than {total}: {all:?}");
        if is_last {
            assert_eq!(all.len(), total, "{all:?}");
            return all;
        }
    }
}

/// Reaches every record through its owners. Nothing else is kept, and nothing else of what was created shows.
async fn everything(server: &MockServer, created: &[Created]) -> Found {
    let mut found = Found::default();
    let nothing = Target { index: 0, among: Among::All };
    let workspaces = Kind::named(WORKSPACES);
    for (project, client) in clients(server).iter().enumerate() {
        for (kind, Kind { owner, .. }) in KINDS.iter().enumerate() {
            let owners = owner.map_or(vec![Vec::new()], |owner| found.paths(project, owner));
            for path in owners {
                let list = |offset, limit| Planned {
                    project,
                    kind,
                    call: Call::List { owner: nothing, offset, limit, part: None },
                    path: path.clone(),
                };
                for (id, name) in all_pages(client, list).await {
                    let path = [path.as_slice(), &[id]].concat();
                    found.names.insert((project, kind, path), name);
                }
            }
        }
        let filter = |wanted: &Wanted| {
            let wanted = wanted.clone();
            move |offset, limit| Planned {
                project,
                kind: workspaces,
                call: Call::Filter { wanted: wanted.clone(), offset, limit },
                path: Vec::new(),
            }
        };
        let untagged = Wanted { is_untagged: true, ..Wanted::default() };
        let all = all_pages(client, filter(&Wanted::default())).await;
        let without_tags = all_pages(client, filter(&untagged)).await;
        let ids: BTreeSet<_> = all.iter().map(|(id, _)| vec![id.clone()]).collect();
        assert_eq!(ids, found.paths(project, workspaces).into_iter().collect());
        for (wanted, found) in [(Wanted::default(), &all), (untagged, &without_tags)] {
            let call = Call::Count { wanted };
            let count = Planned { project, kind: workspaces, call, path: Vec::new() };
            let total = Some(found.len() as u64);
            let counted = Seen::Listed { page: Vec::new(), total };
            assert_eq!(perform(client, &count).await, counted);
        }
        found.tagged.extend(all.into_iter().filter(|it| !without_tags.contains(it)));
        check_project_tags(client, project, &found).await;
        check_owners(server, project, &mut found);
    }
    for created in created {
        check_ghost(server, created, &found).await;
    }
    found
}

/// The tags of a project are those of its workspaces.
async fn check_project_tags(client: &Client, project: usize, found: &Found) {
    let mut expected: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in found.paths(project, Kind::named(WORKSPACES)) {
        let tagged = found.tagged.get(&path[0]).map(String::as_str).unwrap_or_default();
        for tag in tagged.split(' ').skip(1) {
            let (key, value) = tag.split_once('=').unwrap();
            expected.entry(key.to_owned()).or_default().insert(value.to_owned());
        }
    }
    let target = fill(ListFabricProjectTags::PATH, &[PROJECTS[project].to_owned()]);
    let Answer::Good(page) = ask(client, &Method::GET, &target, None).await else {
        panic!("the tags of a project are not answered");
    };
    let expected: Vec<_> =
        expected.iter().map(|(key, values)| json!({ "key": key, "values": values })).collect();
    assert_eq!(page["tags"], json!(expected));
}

/// Whatever the mock keeps of the project has an owner that callers reach, and no record is out of reach.
fn check_owners(server: &MockServer, project: usize, found: &mut Found) {
    let id = PROJECTS[project].parse().unwrap();
    let mut resources: Vec<_> = operations().iter().map(|operation| operation.resource).collect();
    resources.dedup();
    for resource in resources {
        let Some(records) = server.world().records_json(&id, resource.name, 0, usize::MAX) else {
            continue;
        };
        let kind = KINDS.iter().position(|kind| kind.resource.name == resource.name);
        if let Some(kind) = kind {
            assert_eq!(records.total, found.paths(project, kind).len(), "{}", resource.name);
        }
        let Some(owner) = resource.owner else { continue };
        let owners = found.paths(project, Kind::named(owner.name));
        for record in records.records {
            let owner = text(&record[owner.id_parameter.unwrap()]);
            assert!(owners.iter().any(|path| path.last() == Some(&owner)), "an orphan: {record}");
            if resource.name == "metrics" {
                found.metrics.insert(owner, record["enable"].as_bool().unwrap());
            }
        }
    }
}

/// What was created and is not found does not show, and neither does what it owned.
async fn check_ghost(server: &MockServer, created: &Created, found: &Found) {
    let Created { project, kind, path } = created;
    let (project, kind) = (*project, *kind);
    if found.names.contains_key(&(project, kind, path.clone())) {
        return;
    }
    let client = &clients(server)[project];
    let target = Target { index: 0, among: Among::All };
    let show = Planned { project, kind, call: Call::Show { target }, path: path.clone() };
    assert_eq!(perform(client, &show).await, Seen::NotFound, "a ghost: {show:?}");
    for (place, _) in KINDS.iter().enumerate().filter(|(_, of)| of.owner == Some(kind)) {
        let call = Call::List { owner: target, offset: 0, limit: 1, part: None };
        let list = Planned { project, kind: place, call, path: path.clone() };
        assert_eq!(perform(client, &list).await, Seen::NotFound, "a ghost: {list:?}");
    }
}

/// Calls of a history: the first round makes a workspace in each project, without which there is little to do.
fn history() -> impl Strategy<Value = History> {
    // There are more calls of workspaces, since they own the rest, and of versions, which need several of them.
    let has_more = |kind: &usize| {
        KINDS[*kind].resource.name == WORKSPACES || KINDS[*kind].creation.method == Method::PUT
    };
    let kinds: Vec<usize> = (0..KINDS.len()).chain((0..KINDS.len()).filter(has_more)).collect();
    let round = vec((0..PROJECTS.len(), select(kinds), call()), 1..5);
    vec(round, 1..40).prop_map(|mut rounds| {
        let owner = Target { index: 0, among: Among::Own };
        let create = |project| {
            let call = Call::Create { owner, name: "aaaa".to_owned() };
            (project, Kind::named(WORKSPACES), call)
        };
        rounds.insert(0, (0..PROJECTS.len()).map(create).collect());
        rounds
    })
}

#[test]
fn whatever_a_workspace_holds_is_in_these_histories() {
    let holds_others = |resource: &&ResourceInfo| resource.owner.is_some();
    // Of these there is one a workspace, or they have no names: tags and metrics have calls of their own.
    let others = ["tags", "metrics", "message-policies"];
    let resources: BTreeSet<_> = operations()
        .iter()
        .map(|operation| operation.resource)
        .filter(holds_others)
        .map(|resource| resource.name)
        .filter(|name| !others.contains(name))
        .collect();
    let owned: BTreeSet<_> =
        KINDS.iter().map(|kind| kind.resource).filter(holds_others).map(|of| of.name).collect();
    assert_eq!(owned, resources);
}

#[test]
fn calls_at_once_are_as_if_one_after_another() {
    let config = Config { cases: 96, failure_persistence: None, ..Config::default() };
    let met = Mutex::new(Met::new());
    let outcome = TestRunner::new(config).run(&history(), |history| {
        met.lock().extend(Runtime::new().unwrap().block_on(run(history))?);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    // Histories in which nothing happens would pass, too.
    let met = met.into_inner();
    let mut expected: Vec<String> = Vec::new();
    for kind in KINDS.iter() {
        let name = kind.resource.name;
        let is_version = kind.creation.method == Method::PUT;
        expected.extend(
            ["Create: Created", "Show: Shown", "Delete: Done", "List: Listed"]
                .into_iter()
                .chain(kind.can_be_updated.then_some("Update: Done"))
                .chain((is_version || name == WORKSPACES).then_some("Delete: Rejected"))
                .map(|outcome| outcome.replacen(':', &format!(" {name}:"), 1)),
        );
    }
    for verb in ["Tag", "Untag", "SwitchMetrics"] {
        expected.push(format!("{verb} {WORKSPACES}: Done"));
    }
    for verb in ["Tags", "Filter", "Count"] {
        expected.push(format!("{verb} {WORKSPACES}: Listed"));
    }
    for expected in expected {
        assert!(met.contains(&expected), "no history has {expected}; they have {met:#?}");
    }
    for verb in
        ["Create", "Show", "Update", "Delete", "List", "Tag", "Untag", "Tags", "SwitchMetrics"]
    {
        let is_it =
            |met: &String| met.starts_with(&format!("{verb} ")) && met.ends_with(": NotFound");
        assert!(met.iter().any(is_it), "no history has {verb}: NotFound; they have {met:#?}");
    }
}
