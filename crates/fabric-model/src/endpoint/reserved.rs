//! The resources that are reserved for an endpoint.

use fabric_model_macros::contract;

use crate::text::text;

text! {
    /// The code of a specification, of those that the service lists: 1 to 64 characters.
    SpecificationCode, field "spec_code", schema "SpecificationCode"
    described "The code of a specification.",
    1 to 64 of ANY, example "mrs.c1m4"
}

/// The resources that are reserved for an endpoint. Each field may be absent, but not `null` in a request.
#[contract(request)]
#[derive(Default, Eq)]
pub struct ReservedResource {
    /// The APUs.
    #[rule(nested)]
    pub apu: Option<ReservedUnits>,

    /// The DPUs.
    #[rule(nested)]
    pub dpu: Option<ReservedUnits>,

    /// The MUs.
    #[rule(nested)]
    pub mu: Option<ResourceDemand>,
}

text! {
    /// The code of a specification of units: 1 to 40 letters, digits and dots.
    UnitsCode, field "spec_code", schema "UnitsCode" described "The code of a specification of units.",
    1 to 40 of CODE, example "dpu.d1x"
}

/// Units of a specification: those that are always there, and those that are added under load.
#[contract(request)]
#[derive(Default, Eq)]
pub struct ReservedUnits {
    /// The most units: 1 to 1,000. Without it, as many as are always there.
    #[rule(range = 1..=1000, example = 100)]
    pub max_num: Option<u32>,

    /// The code of the specification, of those that the service lists: 1 to 40 letters, digits and dots.
    #[rule(like = UnitsCode)]
    pub spec_code: String,

    /// The units that are always there: 1 to 1,000.
    #[rule(range = 1..=1000, example = 1)]
    pub warm_up_num: u32,
}

/// How many resources of a specification are needed.
#[contract(request)]
#[derive(Default, Eq)]
pub struct ResourceDemand {
    /// The most: at least 1.
    #[rule(range = 1..=2_147_483_647, example = 4)]
    pub max: u32,

    /// The fewest: at least 0.
    #[rule(range = 0..=2_147_483_647, example = 1)]
    pub min: u32,

    /// The code of the specification, of those that the service lists: 1 to 64 characters.
    #[rule(like = SpecificationCode)]
    pub spec_code: String,
}

/// The reserved resources of the examples.
pub(super) fn example() -> ReservedResource {
    ReservedResource {
        apu: None,
        dpu: Some(ReservedUnits {
            max_num: Some(100),
            spec_code: "dpu.d1x".to_owned(),
            warm_up_num: 1,
        }),
        mu: None,
    }
}
