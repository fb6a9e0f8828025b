//! `CreateMessageNotificationPolicy`: POST `/v1/workspaces/{workspace_id}/messages`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{MessagePolicies, MessagePolicy, MessageType, NotificationType};
use crate::workspace::WorkspacePath;
use crate::{Example, Nothing, Operation, Request};

/// Creates message policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateMessageNotificationPolicy;

impl Operation for CreateMessageNotificationPolicy {
    const ID: &'static str = "CreateMessageNotificationPolicy";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/messages";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:workspace:createMessagePolicy");
    const SUMMARY: &'static str = "Create message policies";
    const DESCRIPTION: &'static str = "Creates message policies of a workspace.\n\n\
        Not documented, but decided here:\n\n\
        * All policies of the list are created, or none. The answer, which has one policy, is the first of \
        them; `ListMessageNotificationPolicy` has them all.\n\
        * The list has at least one policy, since there would be none to answer.\n\
        * `name_pattern` is required, although it has a default too.\n\
        * The same policy may be created twice. The topic need not exist.";
    const ID_IN_RESPONSE: Option<&'static str> = Some("/id");

    type Resource = MessagePolicies;
    type Path = WorkspacePath;
    type Query = Nothing;
    type Body = MessagePoliciesCreate;
    type Response = MessagePolicy;

    fn example() -> Example<Self> {
        let body =
            MessagePoliciesCreate { message_notification_policy_list: vec![example_input()] };
        let path = crate::workspace::example_path();
        Example { request: Request { path, query: Nothing {}, body }, response: super::example() }
    }
}

/// The message policies that are to be created.
#[contract(request)]
#[derive(Default, Eq)]
pub struct MessagePoliciesCreate {
    /// The message policies: 1 to 1,000. The documentation allows an empty list too.
    #[rule(required, items = 1..=1000, nested)]
    pub message_notification_policy_list: Vec<MessagePolicyInput>,
}

/// What a message policy is to be. Every field is required, and none may be `null`.
#[contract(request)]
#[derive(Eq)]
pub struct MessagePolicyInput {
    /// What its messages are about.
    #[rule(known)]
    pub message_type: MessageType,

    /// Whose results are told, by a name in which an asterisk stands for any characters: 0 to 1,024 characters.
    #[rule(length = 0..=1024, default = "*", example = "ray_job*")]
    pub name_pattern: String,

    /// Which results are told: 1 or 2.
    #[rule(required, known, items = 1..=2)]
    pub notification_types: Vec<NotificationType>,

    /// The topic of the notification service (SMN) that is told: 0 to 1,024 characters.
    #[rule(length = 0..=1024, example = "smn:topic:xxxxxxx")]
    pub topic_urn: String,
}

fn example_input() -> MessagePolicyInput {
    MessagePolicyInput {
        message_type: MessageType::Job,
        name_pattern: "ray_job*".to_owned(),
        notification_types: vec![NotificationType::Success, NotificationType::Failed],
        topic_urn: "smn:topic:xxxxxxx".to_owned(),
    }
}
