//! The service itself: what the mock registers, a file for each resource.

mod access_client;
mod agency;
mod agreement;
mod agreement_rule;
mod base_model;
mod endpoint;
mod feature;
mod framework;
mod health;
mod job;
mod job_version;
mod message;
mod metrics;
mod model_definition;
mod model_version;
mod order;
mod specification;
mod tag;
mod user;
mod workspace;

use std::sync::LazyLock;

use crate::api::around::Around;
use crate::mock::operations::{Mock, Service};
use crate::mock::tables::Registered;

/// Registers resources: what the mock keeps of each, and the operations on it.
macro_rules! register {
    ($($resource:ident),+; without records: $($other:ident),+;) => {
        /// The resources of which the mock keeps records.
        pub(crate) fn resources() -> &'static [Registered] {
            static RESOURCES: LazyLock<Vec<Registered>> =
                LazyLock::new(|| vec![$($resource::resource()),+]);
            &RESOURCES
        }

        /// The handler of every operation.
        pub(crate) fn service<A: Around<Context = Mock>>(around: A) -> Service<A> {
            let service = Service::new(around);
            $(let service = $resource::operations(service);)+
            $(let service = $other::operations(service);)+
            service
        }
    };
}

register! {
    access_client, workspace, tag, metrics, endpoint, job, job_version, framework, feature,
    model_definition, model_version, base_model, message, agency, agreement, agreement_rule, specification;
    without records: health;
}
