//! Swagger UI with the contract and the control surface, out of the archive in which its crate brings it.

use axum::Router;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED as ARCHIVE;

/// Swagger UI has its style and pictures written into its page.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      frame-ancestors 'none'";

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

pub(super) fn router() -> Router {
    let contract =
        get(|| async { ([(CONTENT_TYPE, "application/json")], fabric_model::document::json()) });
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-cache"),
    ];
    let page = get(async move || (headers, include_str!("reference.html")));
    let start = get(async || ([(CONTENT_TYPE, SCRIPT)], include_str!("reference.js")));
    let unpacked = |name, media_type| get(async move || unpacked(name, media_type));
    Router::new()
        .route("/_mock/openapi.json", contract)
        .route("/_mock/reference", get(async || Redirect::permanent("/_mock/reference/")))
        .route("/_mock/reference/", page)
        .route("/_mock/reference/reference.js", start)
        .route("/_mock/reference/swagger-ui.css", unpacked("swagger-ui.css", STYLE))
        .route("/_mock/reference/swagger-ui-bundle.js", unpacked("swagger-ui-bundle.js", SCRIPT))
        .route(
            "/_mock/reference/swagger-ui-standalone-preset.js",
            unpacked("swagger-ui-standalone-preset.js", SCRIPT),
        )
}

/// A file of the distribution, compressed: whoever shows this page can unpack it.
fn unpacked(name: &str, media_type: &'static str) -> impl IntoResponse + use<> {
    let Some(file) = gzip(ARCHIVE, &format!("/dist/{name}")) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (CONTENT_TYPE, media_type),
        (CONTENT_ENCODING, "gzip"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, file).into_response()
}

/// The file of a ZIP archive whose name ends so, as a gzip file.
///
/// Both hold the same compressed bytes, so nothing is unpacked or packed: the archive's head around them gives
/// way to that of RFC 1952. Nothing if there is no such file, or it is not compressed by DEFLATE.
fn gzip(archive: &[u8], name_end: &str) -> Option<Vec<u8>> {
    const DEFLATE: usize = 8;
    const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let number = |at: usize, bytes: usize| {
        let bytes = archive.get(at..at + bytes)?.iter().rev();
        Some(bytes.fold(0_usize, |number, byte| number << 8 | usize::from(*byte)))
    };
    // The directory of the archive is found from its end, behind which there may be a comment.
    let end = archive.windows(4).rposition(|bytes| bytes == b"PK\x05\x06")?;
    let mut entry = number(end + 16, 4)?;
    while archive.get(entry..entry + 4)? == b"PK\x01\x02" {
        let name_length = number(entry + 28, 2)?;
        let name = archive.get(entry + 46..entry + 46 + name_length)?;
        if name.ends_with(name_end.as_bytes()) && number(entry + 10, 2)? == DEFLATE {
            let file = number(entry + 42, 4)?;
            let content = file + 30 + number(file + 26, 2)? + number(file + 28, 2)?;
            let compressed = archive.get(content..content + number(entry + 20, 4)?)?;
            // The checksum and the size, which end a gzip file, stand side by side but for the packed size.
            let (checksum, size) = (archive.get(entry + 16..entry + 20)?, &archive[entry + 24..]);
            return Some([&HEAD, compressed, checksum, size.get(..4)?].concat());
        }
        entry += 46 + name_length + number(entry + 30, 2)? + number(entry + 32, 2)?;
    }
    None
}
