//! Specifications: the resources that can be bought. `ListSpecs`: GET `/v1/specs`.

use fabric_model_macros::contract;
use http::{Method, StatusCode};

use crate::endpoint::SpecificationCode;
use crate::list::list;
use crate::open_enum::open_enum;
use crate::{Example, Identified, Nothing, Operation, Request, Resource};

/// The resources that can be bought.
#[derive(Clone, Copy, Debug)]
pub struct Specifications;

impl Resource for Specifications {
    const NAME: &'static str = "specifications";
    const SINGULAR: &'static str = "specification";
    const DESCRIPTION: &'static str = "The resources that can be bought";
    const ID_PARAMETER: Option<&'static str> = None;

    type Answer = Specification;
}

open_enum! {
    /// What a specification is of.
    SpecificationType described "What a specification is of.", example "DPU" {
        /// AI processing units.
        Apu = "APU",
        /// Data processing units.
        Dpu = "DPU",
        /// Model units.
        Mu = "MU",
        /// Amounts of resources that are used.
        ResourceUsage = "RESOURCE_USAGE_UNIT",
        /// Numbers of tokens that are used.
        TokensUsage = "TOKENS_USAGE_UNIT",
    }
}

open_enum! {
    /// The types by which specifications can be listed.
    UnitType described "The type of a specification of units.", example "APU" {
        /// AI processing units.
        Apu = "APU",
        /// Data processing units.
        Dpu = "DPU",
        /// Model units.
        Mu = "MU",
    }
}

open_enum! {
    /// What resources are bought for.
    SpecificationScenario described "What resources are bought for.", example "ENDPOINT" {
        /// Physical nodes of Ray clusters.
        Compute = "COMPUTE",
        /// The resources of endpoints.
        Endpoint = "ENDPOINT",
    }
}

/// A specification, as the service answers it. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct Specification {
    /// The code, by which other requests name it: 1 to 64 characters.
    #[rule(like = SpecificationCode)]
    pub spec_code: Option<String>,

    /// What it is of.
    pub spec_type: Option<SpecificationType>,

    /// The type of the resource, as bills have it.
    #[rule(example = "hws.resource.type.fabric.ray.cpu.x86")]
    pub resource_type: Option<String>,

    /// How many units a step has.
    #[rule(format = "int32", example = 1)]
    pub stride: Option<i32>,

    /// The fewest steps that can be bought: 1 to 10,000.
    #[rule(range = 1..=10_000, format = "int32", example = 1)]
    pub min_stride_num: Option<i32>,

    /// The most steps that can be bought: 1 to 10,000.
    #[rule(range = 1..=10_000, format = "int32", example = 10_000)]
    pub max_stride_num: Option<i32>,

    /// If there are any, the only numbers of steps that can be bought: 0 to 100.
    #[rule(items = 0..=100, example = json!([12, 13]))]
    pub stride_num_whitelist: Vec<i32>,

    /// What is counted.
    #[rule(example = "unit")]
    pub unit: Option<String>,

    /// The factor by which use is billed.
    #[rule(example = "duration")]
    pub usage_factor: Option<String>,

    /// The unit in which use is measured, as a number.
    #[rule(format = "int32", example = 6)]
    pub usage_measure_id: Option<i32>,
}

impl Identified for Specification {
    fn id(&self) -> Option<&str> {
        self.spec_code.as_deref()
    }
}

/// Lists specifications, a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListSpecs;

impl Operation for ListSpecs {
    const ID: &'static str = "ListSpecs";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/v1/specs";
    const SUCCESS: StatusCode = StatusCode::OK;
    const ACTION: Option<&'static str> = None;
    const SUMMARY: &'static str = "List specifications";
    const DESCRIPTION: &'static str = "Answers a page of the specifications of resources that can be bought. \
        `spec_code`, `spec_types` and `scenario` narrow the list.\n\n\
        Not documented, but decided here:\n\n\
        * The caller is identified as by all other operations.\n\
        * They are ordered by code.\n\
        * `spec_code` is a whole code. `spec_types` may be given several times, and matches any of the types. \
        All that is given must match.\n\
        * No answer tells the scenario: specifications whose `resource_type` is one of Ray are for `COMPUTE`, \
        others for `ENDPOINT`.\n\
        * An empty value is rejected like any other that breaks the rules of its parameter.";
    const ITEMS_IN_RESPONSE: Option<&'static str> = Some("/spec_codes");

    type Resource = Specifications;
    type Path = Nothing;
    type Query = ListSpecsQuery;
    type Body = Nothing;
    type Response = SpecificationPage;

    fn example() -> Example<Self> {
        let query = ListSpecsQuery {
            spec_types: vec![UnitType::Apu, UnitType::Dpu],
            ..ListSpecsQuery::default()
        };
        let specification = Specification {
            spec_code: Some("dpu.d1x".to_owned()),
            spec_type: Some(SpecificationType::Dpu),
            resource_type: Some("hws.resource.type.fabric.dpu".to_owned()),
            stride: Some(1),
            min_stride_num: Some(1),
            max_stride_num: Some(10_000),
            stride_num_whitelist: vec![12, 13],
            unit: Some("unit".to_owned()),
            usage_factor: Some("duration".to_owned()),
            usage_measure_id: Some(6),
        };
        Example {
            request: Request { path: Nothing {}, query, body: Nothing {} },
            response: SpecificationPage { spec_codes: vec![specification], total: Some(1) },
        }
    }
}

/// Which specifications are to be listed.
#[contract(query)]
#[derive(Eq)]
pub struct ListSpecsQuery {
    /// The whole code: 1 to 64 characters.
    #[rule(like = SpecificationCode)]
    pub spec_code: Option<String>,

    /// The types: 0 to 100, each under the same name.
    #[rule(known, items = 0..=100)]
    pub spec_types: Vec<UnitType>,

    /// The number of matches to skip: 0 to 1,000,000,000.
    #[rule(range = 0..=1_000_000_000, default = 0, format = "int32")]
    pub offset: u32,

    /// The most specifications to answer: 1 to 100.
    #[rule(range = 1..=100, default = 10, format = "int32")]
    pub limit: u32,

    /// What they are for.
    #[rule(known)]
    pub scenario: Option<SpecificationScenario>,
}

/// A page of a list. Each field may be absent.
#[contract(answer)]
#[derive(Default, Eq)]
pub struct SpecificationPage {
    /// The specifications of the page: 0 to 100.
    #[rule(items = 0..=100, nested)]
    pub spec_codes: Vec<Specification>,

    /// How many specifications match, on this page and all others.
    #[rule(minimum = 0, format = "int32", example = 1)]
    pub total: Option<u64>,
}

list! { ListSpecsQuery, SpecificationPage: spec_codes of Specification }
