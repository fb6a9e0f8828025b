//! Whether the service is up.

use fabric_model::health::ShowHealth;
use fabric_model::{ApiError, Nothing, Request};

use crate::api::around::Around;
use crate::mock::operations::{Mock, Service};

pub(super) fn operations<A: Around<Context = Mock>>(service: Service<A>) -> Service<A> {
    service.operation(show)
}

async fn show(_: Mock, _: Request<ShowHealth>) -> Result<Nothing, ApiError> {
    Ok(Nothing {})
}
