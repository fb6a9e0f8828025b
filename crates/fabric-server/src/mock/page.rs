//! The page for people, and the reference of the contract.

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
    let files = files.merge(reference());
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

/// The reference has its style and pictures written into its page.
#[cfg(feature = "reference")]
const REFERENCE_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                                frame-ancestors 'none'";

/// Swagger UI with the contract and the control surface.
#[cfg(feature = "reference")]
fn reference() -> Router {
    use axum::middleware::map_response;
    use axum::response::Response;
    use http::HeaderValue;
    use utoipa_swagger_ui::{Config, SwaggerUi, Url};
    let documents = [
        Url::with_primary("The contract", "/_mock/openapi.json", true),
        Url::new("The control surface", "/_mock/v1/openapi.json"),
    ];
    let contract =
        get(|| async { ([(CONTENT_TYPE, "application/json")], fabric_model::document::json()) });
    // Its badge of validation would be asked for elsewhere.
    let config = Config::new(documents).validator_url("none");
    let guarded = async |mut response: Response| {
        response
            .headers_mut()
            .insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(REFERENCE_POLICY));
        response
    };
    let ui: Router = SwaggerUi::new("/_mock/reference").config(config).into();
    ui.layer(map_response(guarded)).route("/_mock/openapi.json", contract)
}
