//! Tags: keys and values by which workspaces are sorted and found.

mod count;
mod create;
mod delete;
mod filter;
mod list;
mod list_of_project;

use fabric_model_macros::contract;
use serde_json::{Map, Value};

pub use count::{CountTagFabricWorkspaces, WorkspaceCount};
pub use create::{BatchCreateFabricWorkspaceTags, TagsCreate};
pub use delete::{BatchDeleteFabricWorkspaceTags, TagSelector, TagsDelete};
pub use filter::{
    FilterWorkspacesQuery, ListTagFabricWorkspaces, NameMatch, SystemTagFilter,
    TaggedWorkspacePage, WorkspaceFilter,
};
pub use list::{ListFabricWorkspaceTags, ListTagsQuery, WorkspaceTags};
pub use list_of_project::{ListFabricProjectTags, ListProjectTagsQuery, ProjectTags};

use crate::text::text;
use crate::workspace::{EnterpriseProjectId, WorkspaceId, Workspaces};
use crate::{Identified, Resource, ResourceInfo};

/// The tags of the workspaces of a project: a record holds those of one workspace.
#[derive(Clone, Copy, Debug)]
pub struct Tags;

impl Resource for Tags {
    const NAME: &'static str = "tags";
    const SINGULAR: &'static str = "tag";
    const DESCRIPTION: &'static str = "Keys and values by which workspaces are sorted and found";
    const ID_PARAMETER: Option<&'static str> = None;
    const OWNER: Option<&'static ResourceInfo> = Some(Workspaces::INFO);
    const OWNER_IN_ANSWER: Option<&'static str> = Some("resource_id");

    type Answer = TaggedWorkspace;
}

text! {
    /// Names the caller's project in a path: 1 to 36 letters, digits and hyphens.
    ProjectInPath, field "project_id", schema "ProjectIdParameter" described "Names the caller's project.",
    1 to 36 of ID, example "0b5633ba2b904511ad514346f4d23d4b"
}

text! {
    /// The key of a tag: 1 to 128 letters, digits and spaces of any script, and `_ . : = + - @`.
    TagKey, field "key", schema "TagKey" described "The key of a tag.",
    1 to 128 of TAG, example "key1"
}

text! {
    /// The value of a tag: 0 to 255 letters, digits and spaces of any script, and `_ . : / = + - @`.
    TagValue, field "value", schema "TagValue" described "The value of a tag.",
    0 to 255 of TAG_VALUE, example "value1"
}

text! {
    /// The key of a system tag, of which there is one: `_sys_enterprise_project_id`.
    SystemTagKey, field "key", schema "SystemTagKey" described "The key of the system tag.",
    26 to 26 of ENTERPRISE_PROJECT_KEY, example "_sys_enterprise_project_id"
}

text! {
    /// A key by which workspaces are searched: 0 to 128 characters.
    SearchedKey, field "key", schema "SearchedKey" described "The key of a tag.",
    0 to 128 of ANY, example "tag_key"
}

text! {
    /// A value by which workspaces are searched: 0 to 255 characters.
    SearchedValue, field "values", schema "SearchedValue" described "A value of a tag.",
    0 to 255 of ANY, example "tag_value"
}

/// A tag of a workspace.
#[contract(request)]
#[derive(Default, Eq)]
pub struct Tag {
    /// The key: 1 to 128 letters, digits and spaces of any script, and `_ . : = + - @`. A workspace has each key
    /// once.
    #[rule(like = TagKey)]
    pub key: String,

    /// The value: 0 to 255 letters, digits and spaces of any script, and `_ . : / = + - @`. Not documented, but
    /// decided here: without it, the value is empty.
    #[rule(like = TagValue)]
    pub value: Option<String>,
}

impl Identified for Tag {
    fn id(&self) -> Option<&str> {
        Some(&self.key)
    }
}

/// A system tag of a workspace: its enterprise project.
#[contract(request)]
#[derive(Default, Eq)]
pub struct SystemTag {
    /// The key: `_sys_enterprise_project_id`.
    #[rule(like = SystemTagKey)]
    pub key: String,

    /// The enterprise project: 1 to 64 letters, digits and hyphens; `0` is the default one.
    #[rule(like = EnterpriseProjectId)]
    pub value: String,
}

impl SystemTag {
    /// The one key.
    pub const KEY: &'static str = "_sys_enterprise_project_id";
}

/// A key with some of its values.
#[contract(request)]
#[derive(Default, Eq)]
pub struct TagValues {
    /// The key: 0 to 128 characters.
    #[rule(like = SearchedKey)]
    pub key: String,

    /// The values: 0 to 1,000,000, each of 0 to 255 characters. In a filter, none stand for any value; the
    /// documentation then wants an empty list.
    #[rule(items = 0..=1_000_000, each = SearchedValue)]
    pub values: Option<Vec<String>>,
}

impl Identified for TagValues {
    fn id(&self) -> Option<&str> {
        Some(&self.key)
    }
}

/// A workspace with its tags, as the service answers it. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct TaggedWorkspace {
    /// The id of the workspace: 1 to 36 letters, digits and hyphens. The documentation says exactly 36; decided
    /// here: as the ids of workspaces elsewhere.
    #[rule(like = WorkspaceId)]
    pub resource_id: Option<String>,

    /// The name of the workspace: 0 to 65,534 characters.
    #[rule(length = 0..=65_534, example = "fabric")]
    pub resource_name: Option<String>,

    /// Whatever else the service says of the workspace; nothing so far.
    #[rule(free)]
    pub resource_detail: Option<Map<String, Value>>,

    /// Its tags: 0 to 100,000.
    #[rule(items = 0..=100_000, nested)]
    pub tags: Vec<Tag>,

    /// Its system tags: 0 to 1.
    #[rule(items = 0..=1, nested)]
    pub sys_tags: Vec<SystemTag>,
}

impl Identified for TaggedWorkspace {
    fn id(&self) -> Option<&str> {
        self.resource_id.as_deref()
    }
}

/// The path of the operations on the tags of one workspace.
#[contract(path)]
#[derive(Eq)]
pub struct WorkspaceTagsPath {
    /// The project of the caller: 1 to 36 letters, digits and hyphens.
    pub project_id: ProjectInPath,

    /// The id of the workspace: 1 to 36 letters, digits and hyphens.
    pub workspace_id: WorkspaceId,
}

/// The path of the operations on the tags of all workspaces of a project.
#[contract(path)]
#[derive(Eq)]
pub struct ProjectTagsPath {
    /// The project of the caller: 1 to 36 letters, digits and hyphens.
    pub project_id: ProjectInPath,
}

/// The path parameter that holds the project of the caller.
const PROJECT_PARAMETER: Option<&str> = Some("project_id");

fn example_path() -> WorkspaceTagsPath {
    let id = WorkspaceId::try_from("e935d0ef-f4eb-4b95-aff1-9d33ae9f57a6");
    WorkspaceTagsPath {
        project_id: example_project_path().project_id,
        workspace_id: id.expect("a UUID is an id"),
    }
}

fn example_project_path() -> ProjectTagsPath {
    let id = ProjectInPath::try_from("0b5633ba2b904511ad514346f4d23d4b");
    ProjectTagsPath { project_id: id.expect("hexadecimal digits are an id") }
}

fn example_tag() -> Tag {
    Tag { key: "key1".to_owned(), value: Some("value1".to_owned()) }
}

fn example_system_tag() -> SystemTag {
    let value = "01049549-82cd-4b2b-9733-ddb94350c125".to_owned();
    SystemTag { key: SystemTag::KEY.to_owned(), value }
}
