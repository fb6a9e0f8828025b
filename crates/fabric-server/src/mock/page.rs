//! The page for people, and the reference of the contract.

#[cfg(feature = "reference")]
mod reference;

use axum::Router;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

/// The page loads nothing from elsewhere, and no other page may show it as its own.
const POLICY: &str = "default-src 'self'; frame-ancestors 'none'";

pub(crate) fn router() -> Router {
    let files = Router::new()
        .route(
            "/_mock/",
            get(async || file("text/html; charset=utf-8", include_str!("page/index.html"))),
        )
        .route(
            "/_mock/page.css",
            get(async || file("text/css; charset=utf-8", include_str!("page/page.css"))),
        )
        .route(
            "/_mock/icon.svg",
            get(async || file("image/svg+xml", include_str!("page/icon.svg"))),
        )
        .route(
            "/_mock/page.js",
            get(async || file("text/javascript; charset=utf-8", include_str!("page/page.js"))),
        )
        .route("/_mock", get(|| async { Redirect::permanent("/_mock/") }));
    #[cfg(feature = "reference")]
    let files = files.merge(reference::router());
    files
}

fn file(media_type: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, media_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}
