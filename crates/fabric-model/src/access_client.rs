//! The access client: a VPC endpoint client through which a network reaches the service.

mod create;
mod delete;
mod list;
mod show;
mod update;

use serde::{Deserialize, Deserializer, Serialize};
use validator::Validate;

pub use create::{AccessClientCreate, AccessConnectionCreate, CreateAccessClient};
pub use delete::DeleteAccessClient;
pub use list::{AccessClientPage, LIMIT_DEFAULT, ListAccessClients, ListAccessClientsQuery};
pub use show::ShowAccessClient;
pub use update::{AccessClientUpdate, UpdateAccessClient};

use crate::{AccessClientId, Failure, Parameters, Payload, json};

/// The failures that are documented for every operation on access clients.
const FAILURES: &[Failure] = &[
    Failure::InvalidRequest,
    Failure::TokenRefused,
    Failure::Forbidden,
    Failure::NotFound,
    Failure::TimedOut,
    Failure::Internal,
];

/// An access client, as the service answers it. Each field may be absent.
// Nothing here fails to read because the service said less, or more, than documented: limits bind
// who writes, not who reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessClient {
    /// The id: 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 64))]
    #[cfg_attr(
        feature = "openapi",
        schema(
            nullable = false,
            min_length = 1,
            max_length = 64,
            example = "3f2c9a5e-7b1d-4c86-9f10-2a4b6c8d0e1f",
        )
    )]
    pub id: Option<String>,

    /// The name: 1 to 64 letters, digits, Chinese characters, underscores, hyphens, dots and spaces.
    /// The documentation gives no alphabet for the name in an update, so other characters may occur.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 64))]
    #[cfg_attr(
        feature = "openapi",
        schema(nullable = false, min_length = 1, max_length = 64, example = "zzh_test1122",)
    )]
    pub name: Option<String>,

    /// The lifecycle state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub status: Option<AccessClientStatus>,

    /// The virtual private cloud: 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 64))]
    #[cfg_attr(
        feature = "openapi",
        schema(
            nullable = false,
            min_length = 1,
            max_length = 64,
            example = "0b7e3c52-91d4-4a68-8c1f-5d2e7f9a6b30",
        )
    )]
    pub vpc_id: Option<String>,

    /// The subnets: 0 to 100.
    #[serde(default, deserialize_with = "json::list_or_null")]
    #[validate(length(max = 100))]
    #[cfg_attr(feature = "openapi", schema(
        required = false, max_items = 100, example = json!(["c4d81f6a-2e59-47b3-a0d7-8e6f1b3c9d25"]),
    ))]
    pub subnet_ids: Vec<String>,

    /// The connections: 0 to 100.
    #[serde(default, deserialize_with = "json::list_or_null")]
    #[validate(length(max = 100))]
    #[cfg_attr(feature = "openapi", schema(required = false, max_items = 100))]
    pub access_connections: Vec<AccessConnection>,

    /// When it was created. The documentation gives no format; decided here: RFC 3339 in UTC with
    /// milliseconds, ending in `Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(nullable = false, example = "2025-09-15T08:30:00.000Z")
    )]
    pub create_time: Option<String>,
}

impl Payload for AccessClient {}

/// A connection of an access client, as the service answers it; each field may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessConnection {
    /// The VPC endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(nullable = false, example = "9e2b6f41-0c7d-4d35-b8a1-3f5e7c9d1b20",)
    )]
    pub vpcep_id: Option<String>,

    /// The subnet of the VPC endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(nullable = false, example = "c4d81f6a-2e59-47b3-a0d7-8e6f1b3c9d25",)
    )]
    pub subnet_id: Option<String>,

    /// The domain name under which the service is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, example = "fabric.example.com"))]
    pub domain: Option<String>,

    /// The address of the VPC endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, example = "192.0.2.10"))]
    pub ip: Option<String>,

    /// Whose connection it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(nullable = false, example = "7a6d1e0f4c3b48d29e5f8a7b6c5d4e3f",)
    )]
    pub owner: Option<String>,
}

/// Where an access client is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccessClientStatus {
    /// Being made.
    Creating,
    /// In use.
    Running,
    /// Being removed.
    Deleting,
    /// Gone.
    Deleted,
    /// Whatever the service says that this version does not know.
    Unknown(String),
}

impl AccessClientStatus {
    /// The documented ones.
    pub const KNOWN: [Self; 4] = [Self::Creating, Self::Running, Self::Deleting, Self::Deleted];

    /// The status as the service spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Creating => "CREATING",
            Self::Running => "RUNNING",
            Self::Deleting => "DELETING",
            Self::Deleted => "DELETED",
            Self::Unknown(status) => status,
        }
    }
}

impl From<String> for AccessClientStatus {
    fn from(status: String) -> Self {
        let known = Self::KNOWN.into_iter().find(|known| known.as_str() == status);
        known.unwrap_or(Self::Unknown(status))
    }
}

impl std::fmt::Display for AccessClientStatus {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for AccessClientStatus {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for AccessClientStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for AccessClientStatus {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .description(Some(
                "The lifecycle state: being created, in use, being deleted, deleted.",
            ))
            .enum_values(Some(Self::KNOWN.map(|known| known.to_string())))
            .examples([Self::Running.as_str()])
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for AccessClientStatus {}

/// The path of the operations on one access client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Path))]
pub struct AccessClientPath {
    /// The id of the access client: 1 to 64 letters, digits and hyphens.
    pub client_id: AccessClientId,
}

impl Parameters for AccessClientPath {}

/// The access client of the documentation's examples.
fn example() -> AccessClient {
    AccessClient {
        id: Some(example_path().client_id.into()),
        name: Some("zzh_test1122".to_owned()),
        status: Some(AccessClientStatus::Running),
        vpc_id: Some("0b7e3c52-91d4-4a68-8c1f-5d2e7f9a6b30".to_owned()),
        subnet_ids: vec!["c4d81f6a-2e59-47b3-a0d7-8e6f1b3c9d25".to_owned()],
        access_connections: vec![AccessConnection {
            vpcep_id: Some("9e2b6f41-0c7d-4d35-b8a1-3f5e7c9d1b20".to_owned()),
            subnet_id: Some("c4d81f6a-2e59-47b3-a0d7-8e6f1b3c9d25".to_owned()),
            domain: Some("fabric.example.com".to_owned()),
            ip: Some("192.0.2.10".to_owned()),
            owner: Some("7a6d1e0f4c3b48d29e5f8a7b6c5d4e3f".to_owned()),
        }],
        create_time: Some("2025-09-15T08:30:00.000Z".to_owned()),
    }
}

fn example_path() -> AccessClientPath {
    let id = AccessClientId::try_from("3f2c9a5e-7b1d-4c86-9f10-2a4b6c8d0e1f");
    AccessClientPath { client_id: id.expect("a UUID is an id") }
}
