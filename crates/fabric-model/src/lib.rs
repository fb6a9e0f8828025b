#![doc = include_str!("../README.md")]

pub mod access_client;
pub mod agency;
pub mod agreement;
pub mod base_model;
pub mod charset;
#[cfg(feature = "openapi")]
pub mod document;
pub mod endpoint;
mod error;
pub mod feature;
pub mod framework;
pub mod header;
pub mod health;
pub mod identity;
mod invalid;
pub mod job;
pub mod job_version;
pub mod json;
mod list;
pub mod message;
pub mod metrics;
pub mod model_definition;
pub mod model_version;
mod open_enum;
mod operation;
mod operations;
pub mod order;
mod parameters;
mod payload;
mod resource;
#[cfg(feature = "signature")]
pub mod signature;
pub mod specification;
#[cfg(feature = "proptest")]
pub mod strategy;
pub mod tag;
mod text;
pub mod user;
pub mod visibility;
pub mod workspace;

pub use access_client::{AccessClientId, SubnetId, VpcId};
pub use error::{ApiError, ErrorBody, Failure, ForbiddenBody, ForbiddenDetail, Source};
pub use invalid::{Invalid, Violation};
pub use list::{List, Page, Paging};
pub use operation::{Example, Operation, OperationInfo, Request};
pub use operations::{OperationVisitor, operation, operations, visit_operations};
pub use payload::{Nothing, Parameters, Payload};
pub use resource::{Identified, Resource, ResourceInfo, Stateful};
pub use text::ProjectId;
