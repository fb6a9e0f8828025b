//! The contract of **Huawei Cloud DataArts Fabric access clients**: the VPC endpoint clients through
//! which a network reaches the service.
//!
//! Everything that a server and a client must agree on is here, and nothing else: the types with
//! their documented limits, the errors, and the six [`Operation`]s with method, path, status, action
//! and failures, and how a request is signed. No I/O, no clock, no HTTP library.
//!
//! ```
//! use fabric_model::Payload;
//! use fabric_model::access_client::AccessClientUpdate;
//! use validator::Validate;
//!
//! let update = AccessClientUpdate::read(br#"{"name":"zzh_test1122"}"#)?;
//! assert_eq!(update.name.as_deref(), Some("zzh_test1122"));
//! update.validate()?;
//!
//! let too_long = AccessClientUpdate { name: Some("x".repeat(65)) };
//! assert!(too_long.validate().is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! | feature | brings |
//! |---|---|
//! | (none) | the types, `serde` and `validator` |
//! | `openapi` | the OpenAPI document, and `utoipa` schemas on every type |
//! | `signature` | signing requests with an access key, and verifying them |
//! | `proptest` | strategies of valid and invalid values, drawn from those schemas |

pub mod access_client;
pub mod charset;
#[cfg(feature = "openapi")]
pub mod document;
mod error;
pub mod feature;
pub mod header;
pub mod health;
mod invalid;
pub mod json;
mod list;
mod open_enum;
mod operation;
mod operations;
mod parameters;
mod payload;
mod resource;
#[cfg(feature = "signature")]
pub mod signature;
#[cfg(feature = "proptest")]
pub mod strategy;
mod text;
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
