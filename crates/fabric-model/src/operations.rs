//! The one list of all operations.

use std::sync::LazyLock;

use crate::{
    List, Operation, OperationInfo, access_client, agency, agreement, base_model, endpoint,
    feature, framework, health, job, job_version, message, metrics, model_definition,
    model_version, specification, tag, workspace,
};

/// A visitor of operations by their types: see [`visit_operations`].
pub trait OperationVisitor {
    /// Visits an operation.
    fn visit<O: Operation>(&mut self);

    /// Visits an operation that lists in pages. By default, the same as [`Self::visit`].
    fn visit_list<O: List>(&mut self) {
        self.visit::<O>();
    }
}

/// Visits every operation, in the order of the document.
pub fn visit_operations(visitor: &mut impl OperationVisitor) {
    visitor.visit::<access_client::CreateAccessClient>();
    visitor.visit_list::<access_client::ListAccessClients>();
    visitor.visit::<access_client::ShowAccessClient>();
    visitor.visit::<access_client::UpdateAccessClient>();
    visitor.visit::<access_client::DeleteAccessClient>();
    visitor.visit::<workspace::CreateWorkspace>();
    visitor.visit_list::<workspace::ListWorkspaces>();
    visitor.visit::<workspace::UpdateWorkspace>();
    visitor.visit::<workspace::DeleteWorkspace>();
    visitor.visit::<tag::BatchCreateFabricWorkspaceTags>();
    visitor.visit::<tag::BatchDeleteFabricWorkspaceTags>();
    visitor.visit_list::<tag::ListFabricWorkspaceTags>();
    visitor.visit_list::<tag::ListFabricProjectTags>();
    visitor.visit_list::<tag::ListTagFabricWorkspaces>();
    visitor.visit::<tag::CountTagFabricWorkspaces>();
    visitor.visit::<metrics::UpdateMetricsConfig>();
    visitor.visit::<endpoint::CreateEndpoint>();
    visitor.visit_list::<endpoint::ListEndpoints>();
    visitor.visit::<endpoint::ShowEndpoint>();
    visitor.visit::<endpoint::UpdateEndpoint>();
    visitor.visit::<endpoint::DeleteEndpoint>();
    visitor.visit::<endpoint::SubscribeEndpoint>();
    visitor.visit::<job::CreateJob>();
    visitor.visit_list::<job::ListJobs>();
    visitor.visit::<job::UpdateJob>();
    visitor.visit::<job::DeleteJob>();
    visitor.visit_list::<job_version::ListJobVersions>();
    visitor.visit::<job_version::DeleteJobVersion>();
    visitor.visit_list::<framework::ListFrameworks>();
    visitor.visit::<model_definition::CreateModelDefinition>();
    visitor.visit_list::<model_definition::ListModels>();
    visitor.visit::<model_definition::UpdateModelDefinition>();
    visitor.visit::<model_definition::CleanupModel>();
    visitor.visit_list::<model_version::ListModelVersions>();
    visitor.visit::<model_version::DeleteModelVersion>();
    visitor.visit_list::<base_model::ListBaseModels>();
    visitor.visit::<message::CreateMessageNotificationPolicy>();
    visitor.visit_list::<message::ListMessageNotificationPolicy>();
    visitor.visit::<message::DeleteMessageNotificationPolicy>();
    visitor.visit::<agency::CreateAgency>();
    visitor.visit::<agency::ListAgency>();
    visitor.visit::<agency::DeleteAgency>();
    visitor.visit::<agreement::CreateAgreement>();
    visitor.visit::<agreement::ShowAgreement>();
    visitor.visit::<agreement::DeleteAgreement>();
    visitor.visit::<agreement::ShowAgreementRule>();
    visitor.visit_list::<specification::ListSpecs>();
    visitor.visit_list::<feature::ListFeatures>();
    visitor.visit::<health::ShowHealth>();
}

/// The constants of every operation, in the order of the document: for use where the types do not matter.
#[must_use]
pub fn operations() -> &'static [&'static OperationInfo] {
    struct Collect(Vec<&'static OperationInfo>);
    impl OperationVisitor for Collect {
        fn visit<O: Operation>(&mut self) {
            self.0.push(O::INFO);
        }
    }
    static OPERATIONS: LazyLock<Vec<&'static OperationInfo>> = LazyLock::new(|| {
        let mut collect = Collect(Vec::new());
        visit_operations(&mut collect);
        collect.0
    });
    &OPERATIONS
}

/// The constants of the operation with an id, such as `ShowAccessClient`.
#[must_use]
pub fn operation(id: &str) -> Option<&'static OperationInfo> {
    operations().iter().copied().find(|operation| operation.id == id)
}
