//! The Ray cluster of an endpoint: as it is asked for, and as it is answered.

use fabric_model_macros::contract;

use super::{ResourceDemand, SpecificationCode};
use crate::text::text;

/// The nodes that a Ray cluster is to have.
#[contract(request)]
#[derive(Default, Eq)]
pub struct RayClusterCreate {
    /// The head node.
    #[rule(nested)]
    pub head_node_resource: HeadNodeDemand,

    /// The groups of worker nodes: 1 to 10.
    #[rule(required, items = 1..=10, nested)]
    pub work_node_resources: Vec<WorkNodeDemand>,
}

/// What the head node of a Ray cluster needs.
#[contract(request)]
#[derive(Default, Eq)]
pub struct HeadNodeDemand {
    /// The code of the specification, of those that the service lists: 1 to 64 characters.
    #[rule(like = SpecificationCode)]
    pub spec_code: String,
}

text! {
    /// The name of a group of nodes: 1 to 32 characters, names of lower-case letters, digits and inner hyphens
    /// with dots between them.
    NodeGroupName, field "name", schema "NodeGroupName" described "The name of a group of nodes.",
    0 to 32 of LABEL, example "cpugroup1"
}

/// What a group of worker nodes of a Ray cluster needs.
#[contract(request)]
#[derive(Default, Eq)]
pub struct WorkNodeDemand {
    /// The name of the group: 1 to 32 characters, names of lower-case letters, digits and inner hyphens with
    /// dots between them.
    #[rule(like = NodeGroupName)]
    pub name: String,

    /// How many nodes of which specification.
    #[rule(nested)]
    pub resource: ResourceDemand,
}

/// A Ray cluster, as the service answers it. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct RayCluster {
    /// The head node.
    #[rule(nested)]
    pub head_group_spec: Option<RayHeadGroup>,

    /// The groups of worker nodes: 1 to 10.
    #[rule(items = 1..=10, nested)]
    pub worker_group_spec: Option<Vec<RayWorkerGroup>>,
}

/// What the service answers of a cluster that was asked for.
impl From<RayClusterCreate> for RayCluster {
    fn from(asked: RayClusterCreate) -> Self {
        let head = RayHeadGroup { spec_code: Some(asked.head_node_resource.spec_code) };
        let workers = asked.work_node_resources.into_iter().map(|group| RayWorkerGroup {
            max_replicas: Some(group.resource.max),
            min_replicas: Some(group.resource.min),
            name: Some(group.name),
            spec_code: Some(group.resource.spec_code),
        });
        Self { head_group_spec: Some(head), worker_group_spec: Some(workers.collect()) }
    }
}

/// The head node of a Ray cluster. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct RayHeadGroup {
    /// The code of its specification: 1 to 64 characters.
    #[rule(like = SpecificationCode)]
    pub spec_code: Option<String>,
}

text! {
    /// The name of a group of nodes in an answer: 1 to 128 letters, digits, dots, underscores and hyphens.
    AnsweredNodeGroupName, field "name", schema "AnsweredNodeGroupName"
    described "The name of a group of nodes.",
    1 to 128 of DOTTED, example "cpugroup1"
}

/// A group of worker nodes of a Ray cluster. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct RayWorkerGroup {
    /// The most nodes: at least 1. The documentation says at most 10,000, but a request may ask for more.
    #[rule(range = 1..=2_147_483_647, example = 4)]
    pub max_replicas: Option<u32>,

    /// The fewest nodes: at least 0. The documentation says at most 10,000, but a request may ask for more.
    #[rule(range = 0..=2_147_483_647, example = 1)]
    pub min_replicas: Option<u32>,

    /// The name: 1 to 128 letters, digits, dots, underscores and hyphens. The documentation has no dots here,
    /// but a request may use them.
    #[rule(like = AnsweredNodeGroupName)]
    pub name: Option<String>,

    /// The code of the specification: 1 to 64 characters.
    #[rule(like = SpecificationCode)]
    pub spec_code: Option<String>,
}

/// The Ray cluster of the examples.
pub(super) fn example() -> RayClusterCreate {
    RayClusterCreate {
        head_node_resource: HeadNodeDemand { spec_code: "mrs.c1m4".to_owned() },
        work_node_resources: vec![WorkNodeDemand {
            name: "cpugroup1".to_owned(),
            resource: ResourceDemand { max: 4, min: 1, spec_code: "mrs.c1m4".to_owned() },
        }],
    }
}
