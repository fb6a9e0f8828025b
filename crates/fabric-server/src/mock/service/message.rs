//! Message policies: what the mock keeps of them, and how it answers.

use std::time::SystemTime;

use fabric_model::message::{
    CreateMessageNotificationPolicy, DeleteMessageNotificationPolicy,
    ListMessageNotificationPolicy, MessagePolicies, MessagePolicy, MessagePolicyId,
    MessagePolicyPage, MessageType, NotificationType,
};
use fabric_model::{ApiError, Invalid, Nothing, Request};
use serde::{Deserialize, Serialize};

use super::workspace::WorkspaceRecord;
use crate::api::around::Around;
use crate::api::time;
use crate::mock::operations::{Mock, Seen, Service, found, page_of};
use crate::mock::table::{Making, Record, Selection};
use crate::mock::tables::Registered;

pub(super) fn resource() -> Registered {
    Registered::of::<MessagePolicyRecord>()
}

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service
        .operation(create)
        .operation(list)
        .operation(delete)
        // Of several policies, the ids of those that the answer lacks are learned from a list.
        .teaching(|_: Request<CreateMessageNotificationPolicy>, answer| vec![there(answer)])
        .teaching(|_: Request<ListMessageNotificationPolicy>, page| {
            page.policies.into_iter().map(there).collect()
        })
        .teaching(|request: Request<DeleteMessageNotificationPolicy>, _| {
            vec![Seen::<MessagePolicyRecord>::Gone(request.path.message_policy_id.into())]
        })
}

fn there(answer: MessagePolicy) -> Seen<MessagePolicyRecord> {
    Seen::There(answer)
}

/// What is kept of a message policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MessagePolicyRecord {
    id: MessagePolicyId,
    workspace_id: String,
    message_type: MessageType,
    name_pattern: String,
    notification_types: Vec<NotificationType>,
    topic_urn: String,
    /// In whole milliseconds.
    #[serde(with = "time")]
    created_at: SystemTime,
}

impl Record for MessagePolicyRecord {
    type Resource = MessagePolicies;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn owner(&self) -> &str {
        &self.workspace_id
    }

    fn name(&self) -> &str {
        &self.name_pattern
    }

    fn created_at(&self) -> SystemTime {
        self.created_at
    }

    fn answer(&self, _: SystemTime) -> MessagePolicy {
        MessagePolicy {
            id: Some(self.id.to_string()),
            message_type: Some(self.message_type.clone()),
            name_pattern: Some(self.name_pattern.clone()),
            notification_types: self.notification_types.clone(),
            topic_urn: Some(self.topic_urn.clone()),
        }
    }

    fn learn(
        answer: MessagePolicy,
        known: Option<&Self>,
        making: &mut Making<'_>,
    ) -> Result<Self, Invalid> {
        let id: MessagePolicyId = making.id(answer.id)?;
        let created_at = making.created_at(None, known.map(|known| known.created_at))?;
        let known = known.cloned().unwrap_or_else(|| Self {
            id: id.clone(),
            workspace_id: making.owner.to_owned(),
            message_type: MessageType::Job,
            name_pattern: "*".to_owned(),
            notification_types: vec![NotificationType::Success, NotificationType::Failed],
            topic_urn: "urn:smn:mock:mock:mock".to_owned(),
            created_at,
        });
        let notification_types = Some(answer.notification_types).filter(|types| !types.is_empty());
        Ok(Self {
            id,
            workspace_id: making.owner.to_owned(),
            message_type: answer.message_type.unwrap_or(known.message_type),
            name_pattern: answer.name_pattern.unwrap_or(known.name_pattern),
            notification_types: notification_types.unwrap_or(known.notification_types),
            topic_urn: answer.topic_urn.unwrap_or(known.topic_urn),
            created_at,
        })
    }
}

async fn create(
    mock: Mock,
    request: Request<CreateMessageNotificationPolicy>,
) -> Result<MessagePolicy, ApiError> {
    let workspace_id = String::from(request.path.workspace_id);
    let asked = request.body.message_notification_policy_list;
    mock.project(|project| {
        project.owner::<WorkspaceRecord>(&workspace_id, mock.now)?;
        mock.check_quota_of::<MessagePolicyRecord>(project, asked.len())?;
        let mut first = None;
        for policy in asked {
            let id = project.new_id::<MessagePolicyRecord>(mock.now);
            let record = MessagePolicyRecord {
                id: MessagePolicyId::try_from(id)?,
                workspace_id: workspace_id.clone(),
                message_type: policy.message_type,
                name_pattern: policy.name_pattern,
                notification_types: policy.notification_types,
                topic_urn: policy.topic_urn,
                created_at: mock.now,
            };
            first.get_or_insert_with(|| record.answer(mock.now));
            project.table().insert(record, mock.now);
        }
        let rule = "must have at least 1 item";
        first.ok_or_else(|| Invalid::new("message_notification_policy_list", rule).into())
    })
}

async fn list(
    mock: Mock,
    request: Request<ListMessageNotificationPolicy>,
) -> Result<MessagePolicyPage, ApiError> {
    let (workspace, query, now) = (request.path.workspace_id, request.query, mock.now);
    let list = mock.look(move |project| {
        project.owner::<WorkspaceRecord>(workspace.as_str(), now)?;
        // An empty type narrows nothing.
        let message_type = query.message_type.as_deref().filter(|of| !of.is_empty());
        let notify_type = query.notify_type.as_deref().filter(|of| !of.is_empty());
        let is_match = |record: &MessagePolicyRecord| {
            message_type.is_none_or(|of| record.message_type.as_str() == of)
                && notify_type
                    .is_none_or(|of| record.notification_types.iter().any(|one| one.as_str() == of))
        };
        let is_narrowed = message_type.is_some() || notify_type.is_some();
        let selection = Selection {
            owner: Some(workspace.as_str()),
            name: query.name_pattern.as_deref(),
            is_match: is_narrowed.then_some(&is_match),
            ..Selection::default()
        };
        let table = project.records::<MessagePolicyRecord>();
        let (policies, total) =
            table.page(&selection, page_of(&query), now, |record| record.answer(now));
        Ok(MessagePolicyPage { policies, total: Some(total as u64) })
    });
    list.await
}

async fn delete(
    mock: Mock,
    request: Request<DeleteMessageNotificationPolicy>,
) -> Result<Nothing, ApiError> {
    let path = request.path;
    let (workspace, id) = (path.workspace_id.as_str(), path.message_policy_id.as_str());
    mock.project(|project| {
        let table = project.table::<MessagePolicyRecord>();
        found(table.get_of(workspace, id, mock.now).map(drop))?;
        project.remove::<MessagePolicyRecord>(id, mock.now);
        Ok(Nothing {})
    })
}
