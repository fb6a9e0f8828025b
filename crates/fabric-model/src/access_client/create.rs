//! `CreateAccessClient`: POST /v1/access-clients.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use super::{AccessClient, AccessClients, SubnetId, VpcId};
use crate::text::text;
use crate::{Example, Nothing, Operation, Request};

text! {
    /// The name of a new access client: 4 to 32 letters, digits and hyphens.
    AccessClientName, field "name", schema "AccessClientName" described "The name of an access client.",
    4 to 32 of ID, example "analytics-1"
}

/// Creates an access client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateAccessClient;

impl Operation for CreateAccessClient {
    const ID: &'static str = "CreateAccessClientInfo";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/v1/access-clients";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = Some("DataArtsFabric::createAccessClient");
    const SUMMARY: &'static str = "Create an access client";
    const DESCRIPTION: &'static str = "Creates an access client and answers it.\n\n\
        Not documented, but decided here:\n\n\
        * `{}` is enough, and the service makes up a name. The mock server has a stricter profile, in \
        which a create needs `name`, `vpc_id`, and `subnet_id`, `subnet_ids` or \
        `access_connections`.\n\
        * The same name may be used twice, so a request sent again makes a second access client.\n\
        * New ids are lower-case UUIDs with hyphens.";
    const ID_IN_RESPONSE: Option<&'static str> = Some("/id");

    type Resource = AccessClients;
    type Path = Nothing;
    type Query = Nothing;
    type Body = AccessClientCreate;
    type Response = AccessClient;

    fn example() -> Example<Self> {
        let body = AccessClientCreate {
            name: Some("analytics-1".to_owned()),
            vpc_id: VpcId::try_from("0b7e3c52-91d4-4a68-8c1f-5d2e7f9a6b30").ok(),
            subnet_id: SubnetId::try_from("c4d81f6a-2e59-47b3-a0d7-8e6f1b3c9d25").ok(),
            subnet_ids: Vec::new(),
            access_connections: vec![AccessConnectionCreate {
                vpcep_id: Some("9e2b6f41-0c7d-4d35-b8a1-3f5e7c9d1b20".to_owned()),
                vpcep_service_name: None,
                domain: Some("fabric.example.com".to_owned()),
            }],
        };
        let response = AccessClient { name: body.name.clone(), ..super::example() };
        Example { request: Request { path: Nothing {}, query: Nothing {}, body }, response }
    }
}

/// What an access client is to be. Every field is optional, and none may be `null`.
#[contract(request)]
#[derive(Default, Eq)]
pub struct AccessClientCreate {
    /// The name: 4 to 32 letters, digits and hyphens. Names need not be unique.
    #[rule(like = AccessClientName)]
    pub name: Option<String>,

    /// The virtual private cloud that is to reach the service: 1 to 64 letters, digits and hyphens.
    #[rule(inline)]
    pub vpc_id: Option<VpcId>,

    /// The one subnet: exactly 36 letters, digits and hyphens. Not documented, but decided here: a
    /// `subnet_ids` that is not empty wins over it, and an answer has `subnet_ids` only.
    #[rule(inline)]
    pub subnet_id: Option<SubnetId>,

    /// The subnets: 0 to 100. If there are any, `subnet_id` does not count.
    #[rule(items = 0..=100, example = json!(["c4d81f6a-2e59-47b3-a0d7-8e6f1b3c9d25"]))]
    pub subnet_ids: Vec<String>,

    /// The connections: at most 100. The documentation gives no limit here; this one is ours, after
    /// the limit in answers.
    #[rule(items = 0..=100, nested)]
    pub access_connections: Vec<AccessConnectionCreate>,
}

/// A connection that an access client is to have. Every field is optional, and none may be `null`.
#[contract(request)]
#[derive(Default, Eq)]
pub struct AccessConnectionCreate {
    /// The VPC endpoint: 0 to 64 characters.
    #[rule(length = 0..=64, example = "9e2b6f41-0c7d-4d35-b8a1-3f5e7c9d1b20")]
    pub vpcep_id: Option<String>,

    /// The VPC endpoint service: 0 to 64 characters.
    #[rule(length = 0..=64, example = "cn-north-4.fabric.4d1c2a7e")]
    pub vpcep_service_name: Option<String>,

    /// The domain name under which the service is to be reached: 0 to 100 characters.
    #[rule(length = 0..=100, example = "fabric.example.com")]
    pub domain: Option<String>,
}
