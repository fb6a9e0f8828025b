//! `DeleteMessageNotificationPolicy`: DELETE `/v1/workspaces/{workspace_id}/messages/{message_policy_id}`.

use http::{Method, StatusCode};

use super::{MessagePolicies, MessagePolicyId, MessagePolicyPath};
use crate::{Example, Nothing, Operation, Request};

/// Deletes a message policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleteMessageNotificationPolicy;

impl Operation for DeleteMessageNotificationPolicy {
    const ID: &'static str = "DeleteMessageNotificationPolicy";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/messages/{message_policy_id}";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:workspace:deleteMessagePolicy");
    const SUMMARY: &'static str = "Delete a message policy";
    const DESCRIPTION: &'static str = "Deletes a message policy, at once, and answers without a body.\n\n\
        Not documented, but decided here: an id has no `.` and no `/`, so that a path can hold it.";

    type Resource = MessagePolicies;
    type Path = MessagePolicyPath;
    type Query = Nothing;
    type Body = Nothing;
    type Response = Nothing;

    fn example() -> Example<Self> {
        let id = MessagePolicyId::try_from("4eacd2e1cda14170a74bd5b70de1060e");
        let path = MessagePolicyPath {
            workspace_id: crate::workspace::example_path().workspace_id,
            message_policy_id: id.expect("hexadecimal digits are an id"),
        };
        Example {
            request: Request { path, query: Nothing {}, body: Nothing {} },
            response: Nothing {},
        }
    }
}
