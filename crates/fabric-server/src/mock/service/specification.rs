//! Specifications: what the mock keeps of them, and how it answers.

use std::time::SystemTime;

use fabric_model::specification::{
    ListSpecs, Specification, SpecificationPage, SpecificationScenario, SpecificationType,
    Specifications,
};
use fabric_model::{ApiError, Invalid, Request};
use serde::{Deserialize, Serialize};

use crate::api::around::Around;
use crate::mock::operations::{Mock, Seen, Service, page_of};
use crate::mock::table::{Making, Record, Selection};
use crate::mock::tables::Registered;

pub(super) fn resource() -> Registered {
    Registered::of::<SpecificationRecord>()
}

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service.operation(list).teaching(|_: Request<ListSpecs>, page| {
        page.spec_codes.into_iter().map(Seen::<SpecificationRecord>::There).collect()
    })
}

/// What is kept of a specification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpecificationRecord {
    spec_code: String,
    spec_type: SpecificationType,
    resource_type: String,
    stride: i32,
    min_stride_num: i32,
    max_stride_num: i32,
    stride_num_whitelist: Vec<i32>,
    unit: String,
    usage_factor: String,
    usage_measure_id: i32,
}

impl SpecificationRecord {
    fn new(spec_code: &str, spec_type: SpecificationType, resource_type: &str) -> Self {
        Self {
            spec_code: spec_code.to_owned(),
            spec_type,
            resource_type: resource_type.to_owned(),
            stride: 1,
            min_stride_num: 1,
            max_stride_num: 10_000,
            stride_num_whitelist: Vec::new(),
            unit: "unit".to_owned(),
            usage_factor: "duration".to_owned(),
            usage_measure_id: 4,
        }
    }

    /// What its resources are bought for, which no answer tells: the nodes of Ray clusters have a type of their own.
    fn scenario(&self) -> SpecificationScenario {
        if self.resource_type.split('.').any(|part| part == "ray") {
            SpecificationScenario::Compute
        } else {
            SpecificationScenario::Endpoint
        }
    }
}

impl Record for SpecificationRecord {
    type Resource = Specifications;

    fn id(&self) -> &str {
        &self.spec_code
    }

    fn answer(&self, _: SystemTime) -> Specification {
        Specification {
            spec_code: Some(self.spec_code.clone()),
            spec_type: Some(self.spec_type.clone()),
            resource_type: Some(self.resource_type.clone()),
            stride: Some(self.stride),
            min_stride_num: Some(self.min_stride_num),
            max_stride_num: Some(self.max_stride_num),
            stride_num_whitelist: self.stride_num_whitelist.clone(),
            unit: Some(self.unit.clone()),
            usage_factor: Some(self.usage_factor.clone()),
            usage_measure_id: Some(self.usage_measure_id),
        }
    }

    fn learn(
        answer: Specification,
        known: Option<&Self>,
        _: &mut Making<'_>,
    ) -> Result<Self, Invalid> {
        let code = answer.spec_code.ok_or_else(|| Invalid::new("spec_code", "must be given"))?;
        let known = known.cloned().unwrap_or_else(|| {
            Self::new(&code, SpecificationType::Dpu, "hws.resource.type.fabric.dpu")
        });
        let whitelist = Some(answer.stride_num_whitelist).filter(|list| !list.is_empty());
        Ok(Self {
            spec_code: code,
            spec_type: answer.spec_type.unwrap_or(known.spec_type),
            resource_type: answer.resource_type.unwrap_or(known.resource_type),
            stride: answer.stride.unwrap_or(known.stride),
            min_stride_num: answer.min_stride_num.unwrap_or(known.min_stride_num),
            max_stride_num: answer.max_stride_num.unwrap_or(known.max_stride_num),
            stride_num_whitelist: whitelist.unwrap_or(known.stride_num_whitelist),
            unit: answer.unit.unwrap_or(known.unit),
            usage_factor: answer.usage_factor.unwrap_or(known.usage_factor),
            usage_measure_id: answer.usage_measure_id.unwrap_or(known.usage_measure_id),
        })
    }

    fn catalogue() -> Vec<Self> {
        use SpecificationType::{Apu, Dpu, Mu};
        [
            ("apu.a1x", Apu, "hws.resource.type.fabric.apu"),
            ("dpu.d1x", Dpu, "hws.resource.type.fabric.dpu"),
            ("mu.m1x", Mu, "hws.resource.type.fabric.mu"),
            ("ray.c16m64", Dpu, "hws.resource.type.fabric.ray.cpu.x86"),
            ("ray.c8m32", Dpu, "hws.resource.type.fabric.ray.cpu.x86"),
            ("ray.n1c24m192", Apu, "hws.resource.type.fabric.ray.npu.arm"),
        ]
        .map(|(code, of, resource_type)| Self::new(code, of, resource_type))
        .into()
    }
}

async fn list(mock: Mock, request: Request<ListSpecs>) -> Result<SpecificationPage, ApiError> {
    let (query, now) = (request.query, mock.now);
    let list = mock.look(move |project| {
        let types = &query.spec_types;
        let is_match = |record: &SpecificationRecord| {
            (types.is_empty() || types.iter().any(|of| of.as_str() == record.spec_type.as_str()))
                && query.scenario.as_ref().is_none_or(|scenario| record.scenario() == *scenario)
        };
        let selection = Selection {
            id: query.spec_code.as_deref(),
            is_match: Some(&is_match),
            ..Selection::default()
        };
        let table = project.records::<SpecificationRecord>();
        table.page(&selection, page_of(&query), now, |record| record.answer(now))
    });
    let (spec_codes, total) = list.await;
    Ok(SpecificationPage { spec_codes, total: Some(total as u64) })
}
