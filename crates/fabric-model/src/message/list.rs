//! `ListMessageNotificationPolicy`: GET `/v1/workspaces/{workspace_id}/messages`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{MessagePolicies, MessagePolicy};
use crate::list::list;
use crate::workspace::WorkspacePath;
use crate::{Example, Nothing, Operation, Request};

/// Lists message policies, a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListMessageNotificationPolicy;

impl Operation for ListMessageNotificationPolicy {
    const ID: &'static str = "ListMessageNotificationPolicy";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/workspaces/{workspace_id}/messages";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric:workspace:listMessagePolicy");
    const SUMMARY: &'static str = "List message policies";
    const DESCRIPTION: &'static str = "Answers a page of the message policies of a workspace. `message_type`, \
        `name_pattern` and `notify_type` narrow the list.\n\n\
        Not documented, but decided here:\n\n\
        * The newest come first; ties are ordered by id.\n\
        * `name_pattern` matches a case-sensitive substring of the pattern of a policy, in which an asterisk is \
        a character like any other. All that is given must match.\n\
        * `message_type` and `notify_type` are whole types. One that does not exist matches nothing; an empty \
        one narrows nothing.";
    const ITEMS_IN_RESPONSE: Option<&'static str> = Some("/policies");

    type Resource = MessagePolicies;
    type Path = WorkspacePath;
    type Query = ListMessageNotificationPolicyQuery;
    type Body = Nothing;
    type Response = MessagePolicyPage;

    fn example() -> Example<Self> {
        let query = ListMessageNotificationPolicyQuery {
            message_type: Some("job".to_owned()),
            name_pattern: Some("ray_job".to_owned()),
            notify_type: Some("SUCCESS".to_owned()),
            ..ListMessageNotificationPolicyQuery::default()
        };
        let path = crate::workspace::example_path();
        Example {
            request: Request { path, query, body: Nothing {} },
            response: MessagePolicyPage { policies: vec![super::example()], total: Some(1) },
        }
    }
}

/// Which message policies are to be listed.
#[contract(query)]
#[derive(Eq)]
pub struct ListMessageNotificationPolicyQuery {
    /// The number of matches to skip: 0 to 1,000,000,000.
    #[rule(range = 0..=1_000_000_000, default = 0, format = "int32")]
    pub offset: u32,

    /// The most message policies to answer: 1 to 100.
    #[rule(range = 1..=100, default = 10, format = "int32")]
    pub limit: u32,

    /// What the messages are about: 0 to 64 characters.
    #[rule(length = 0..=64, example = "job")]
    pub message_type: Option<String>,

    /// A part of the pattern: 0 to 1,024 characters.
    #[rule(length = 0..=1024, example = "ray_job")]
    pub name_pattern: Option<String>,

    /// Which results are told: 0 to 16 characters.
    #[rule(length = 0..=16, example = "SUCCESS")]
    pub notify_type: Option<String>,
}

/// A page of a list. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct MessagePolicyPage {
    /// The message policies of the page: 0 to 10,000.
    #[rule(items = 0..=10_000, nested)]
    pub policies: Vec<MessagePolicy>,

    /// How many message policies match, on this page and all others. The documentation says 0 to 10,000; decided
    /// here: all matches count, and it does not stop at 10,000.
    #[rule(minimum = 0, format = "int32", example = 1)]
    pub total: Option<u64>,
}

list! { ListMessageNotificationPolicyQuery, MessagePolicyPage: policies of MessagePolicy }
