//! Message policies: which results of jobs a workspace tells which topic.

mod create;
mod delete;
mod list;

use fabric_model_macros::contract;

pub use create::{CreateMessageNotificationPolicy, MessagePoliciesCreate, MessagePolicyInput};
pub use delete::DeleteMessageNotificationPolicy;
pub use list::{
    ListMessageNotificationPolicy, ListMessageNotificationPolicyQuery, MessagePolicyPage,
};

use crate::open_enum::open_enum;
use crate::text::text;
use crate::workspace::{WorkspaceId, Workspaces};
use crate::{Identified, Resource, ResourceInfo};

/// The message policies of a workspace.
#[derive(Clone, Copy, Debug)]
pub struct MessagePolicies;

impl Resource for MessagePolicies {
    const NAME: &'static str = "message-policies";
    const SINGULAR: &'static str = "message policy";
    const DESCRIPTION: &'static str = "Which results of jobs a workspace tells which topic";
    const ID_PARAMETER: Option<&'static str> = Some("message_policy_id");
    const OWNER: Option<&'static ResourceInfo> = Some(Workspaces::INFO);

    type Answer = MessagePolicy;
}

text! {
    /// Names a message policy: 1 to 1,024 characters other than `.` and `/`. The documentation allows an empty id
    /// and any character; a path can hold neither an empty id nor `.` nor `..`.
    MessagePolicyId, field "message_policy_id", schema "MessagePolicyIdParameter"
    described "Names a message policy.",
    1 to 1024 of SEGMENT, example "4eacd2e1cda14170a74bd5b70de1060e"
}

open_enum! {
    /// What messages are about.
    MessageType described "What messages are about.", example "job" {
        /// The results of jobs.
        Job = "job",
    }
}

open_enum! {
    /// Which results are told.
    NotificationType described "Which results are told.", example "SUCCESS" {
        /// Successes.
        Success = "SUCCESS",
        /// Failures.
        Failed = "FAILED",
    }
}

/// A message policy, as the service answers it. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct MessagePolicy {
    /// The id: 0 to 1,024 characters.
    #[rule(required, length = 0..=1024, example = "ray_job_123456789")]
    pub id: Option<String>,

    /// What its messages are about.
    #[rule(required)]
    pub message_type: Option<MessageType>,

    /// Whose results are told, by a name in which an asterisk stands for any characters: 0 to 1,024 characters.
    #[rule(required, length = 0..=1024, example = "ray_job*")]
    pub name_pattern: Option<String>,

    /// Which results are told: 1 or 2.
    #[rule(required, items = 1..=2)]
    pub notification_types: Vec<NotificationType>,

    /// The topic of the notification service (SMN) that is told: 0 to 1,024 characters.
    #[rule(required, length = 0..=1024, example = "smn:topic:xxxxxxx")]
    pub topic_urn: Option<String>,
}

impl Identified for MessagePolicy {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

/// The path of the operations on one message policy.
#[contract(path)]
#[derive(Eq)]
pub struct MessagePolicyPath {
    /// The id of the workspace: 1 to 36 letters, digits and hyphens.
    pub workspace_id: WorkspaceId,

    /// The id of the message policy: 1 to 1,024 characters other than `.` and `/`.
    pub message_policy_id: MessagePolicyId,
}

/// The message policy of the documentation's examples.
fn example() -> MessagePolicy {
    MessagePolicy {
        id: Some("4eacd2e1cda14170a74bd5b70de1060e".to_owned()),
        message_type: Some(MessageType::Job),
        name_pattern: Some("ray_job*".to_owned()),
        notification_types: vec![NotificationType::Success, NotificationType::Failed],
        topic_urn: Some("smn:topic:xxxxxxx".to_owned()),
    }
}
