//! The control surface: `/_mock/v1` over HTTP, and the page for people beside it.

pub(crate) mod access;
pub(crate) mod bounds;
pub(crate) mod document;
pub(crate) mod routes;
mod stream;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware;
use http::header::CONTENT_TYPE;
use tower::ServiceExt;

use crate::mock::control::access::{Access, admit};
use crate::mock::control::bounds::Bounds;
use crate::mock::error::ControlError;
use crate::mock::page;
use crate::mock::world::World;

/// The control surface. It is put together when somebody first asks for it: a server that nobody controls
/// need not pay for that.
pub(crate) fn router(world: World, access: Access, time: Duration) -> Router {
    let surface = Arc::new(LazyLock::new(move || surface(world.clone(), access.clone(), time)));
    let surface = async move |mut request: Request| {
        // The path that led here is not one of the surface's own.
        request.extensions_mut().clear();
        LazyLock::force(&surface).clone().oneshot(request).await
    };
    let surface = axum::routing::any(surface);
    Router::new()
        .route("/_mock", surface.clone())
        .route("/_mock/", surface.clone())
        .route("/_mock/{*path}", surface)
}

fn surface(world: World, access: Access, time: Duration) -> Router {
    let access = Arc::new(access);
    let bounds = Arc::new(Bounds { time, bodies: world.spending().control_bodies.clone() });
    let controlled: Router = routes::controlled().with_state(world.clone()).into();
    let probes: Router = routes::probes().with_state(world).into();
    let fallback = async || {
        ControlError::not_found(
            "there is no such path or method in the control surface; see /_mock/v1/openapi.json"
                .to_owned(),
        )
    };
    let json = document::control_document();
    let document = async move || ([(CONTENT_TYPE, "application/json")], json.clone());
    controlled
        // Who is not admitted has no body read.
        .route_layer(middleware::from_fn_with_state(bounds, bounds::keep))
        .route_layer(middleware::from_fn_with_state(access, admit))
        .merge(probes)
        .route("/_mock/v1/openapi.json", axum::routing::get(document))
        .merge(page::router())
        .fallback(fallback)
        .method_not_allowed_fallback(fallback)
        .layer(middleware::map_response(bounds::in_json))
}
