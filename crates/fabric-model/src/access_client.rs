//! The access client: a VPC endpoint client through which a network reaches the service.

mod create;
mod delete;
mod list;
mod show;
mod update;

use fabric_model_macros::contract;

pub use create::{AccessClientCreate, AccessConnectionCreate, CreateAccessClient};
pub use delete::DeleteAccessClient;
pub use list::{AccessClientPage, ListAccessClients, ListAccessClientsQuery};
pub use show::ShowAccessClient;
pub use update::{AccessClientUpdate, UpdateAccessClient};

use crate::open_enum::open_enum;
use crate::text::text;
use crate::{Identified, Resource, Stateful};

/// The access clients of a project.
#[derive(Clone, Copy, Debug)]
pub struct AccessClients;

impl Resource for AccessClients {
    const NAME: &'static str = "access-clients";
    const SINGULAR: &'static str = "access client";
    const DESCRIPTION: &'static str =
        "VPC endpoint clients through which a network reaches the service";
    const ID_PARAMETER: Option<&'static str> = Some("client_id");

    type Answer = AccessClient;
}

text! {
    /// Names an access client in a path or a query: 1 to 64 letters, digits and hyphens.
    ///
    /// In an answer the id is plain text, since the documentation gives no alphabet for it there;
    /// `AccessClientId::try_from` makes a path of it.
    // Not AccessClientId: generators make that of the field `id` of AccessClient.
    AccessClientId, field "client_id", schema "ClientId" described "Names an access client.",
    1 to 64 of ID, example "3f2c9a5e-7b1d-4c86-9f10-2a4b6c8d0e1f"
}

text! {
    /// A virtual private cloud: 1 to 64 letters, digits and hyphens.
    VpcId, field "vpc_id", schema "VpcId" described "A virtual private cloud.",
    1 to 64 of ID, example "0b7e3c52-91d4-4a68-8c1f-5d2e7f9a6b30"
}

text! {
    /// A subnet: exactly 36 letters, digits and hyphens.
    SubnetId, field "subnet_id", schema "SubnetId" described "A subnet.",
    36 to 36 of ID, example "c4d81f6a-2e59-47b3-a0d7-8e6f1b3c9d25"
}

/// An access client, as the service answers it. Each field may be absent.
// Nothing here fails to read because the service said less, or more, than documented: limits bind
// who writes, not who reads.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct AccessClient {
    /// The id: 1 to 64 characters.
    #[rule(length = 1..=64, example = "3f2c9a5e-7b1d-4c86-9f10-2a4b6c8d0e1f")]
    pub id: Option<String>,

    /// The name: 1 to 64 letters, digits, Chinese characters, underscores, hyphens, dots and spaces.
    /// The documentation gives no alphabet for the name in an update, so other characters may occur.
    #[rule(length = 1..=64, example = "zzh_test1122")]
    pub name: Option<String>,

    /// The lifecycle state.
    pub status: Option<AccessClientStatus>,

    /// The virtual private cloud: 1 to 64 characters.
    #[rule(length = 1..=64, example = "0b7e3c52-91d4-4a68-8c1f-5d2e7f9a6b30")]
    pub vpc_id: Option<String>,

    /// The subnets: 0 to 100.
    #[rule(items = 0..=100, example = json!(["c4d81f6a-2e59-47b3-a0d7-8e6f1b3c9d25"]))]
    pub subnet_ids: Vec<String>,

    /// The connections: 0 to 100.
    #[rule(items = 0..=100)]
    pub access_connections: Vec<AccessConnection>,

    /// When it was created. The documentation gives no format; decided here: RFC 3339 in UTC with
    /// milliseconds, ending in `Z`.
    #[rule(example = "2025-09-15T08:30:00.000Z")]
    pub create_time: Option<String>,
}

impl Identified for AccessClient {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl Stateful for AccessClient {
    type Status = AccessClientStatus;

    fn status(&self) -> Option<&AccessClientStatus> {
        self.status.as_ref()
    }
}

/// A connection of an access client, as the service answers it; each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct AccessConnection {
    /// The VPC endpoint.
    #[rule(example = "9e2b6f41-0c7d-4d35-b8a1-3f5e7c9d1b20")]
    pub vpcep_id: Option<String>,

    /// The subnet of the VPC endpoint.
    #[rule(example = "c4d81f6a-2e59-47b3-a0d7-8e6f1b3c9d25")]
    pub subnet_id: Option<String>,

    /// The domain name under which the service is reached.
    #[rule(example = "fabric.example.com")]
    pub domain: Option<String>,

    /// The address of the VPC endpoint.
    #[rule(example = "192.0.2.10")]
    pub ip: Option<String>,

    /// Whose connection it is.
    #[rule(example = "7a6d1e0f4c3b48d29e5f8a7b6c5d4e3f")]
    pub owner: Option<String>,
}

open_enum! {
    /// Where an access client is in its life.
    AccessClientStatus
    described "The lifecycle state: being created, in use, being deleted, deleted.",
    example "RUNNING" {
        /// Being made.
        Creating = "CREATING",
        /// In use.
        Running = "RUNNING",
        /// Being removed.
        Deleting = "DELETING",
        /// Gone.
        Deleted = "DELETED",
    }
}

/// The path of the operations on one access client.
#[contract(path)]
#[derive(Eq)]
pub struct AccessClientPath {
    /// The id of the access client: 1 to 64 letters, digits and hyphens.
    pub client_id: AccessClientId,
}

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
