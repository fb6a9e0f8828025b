//! Every shape of error that the contract knows, read and, where it is ours, written back.

use fabric_model::{ApiError, Failure, Invalid};
use http::StatusCode;
use serde_json::{Value, json};

const SAMPLES: [(Failure, &str, &str, &str); 6] = [
    (
        Failure::InvalidRequest,
        include_str!("examples/400.json"),
        "common.01000001",
        "failed to read",
    ),
    (Failure::TokenRejected, include_str!("examples/401.json"), "APIG.1002", "Incorrect token"),
    (Failure::Forbidden, include_str!("examples/403.json"), "403", "X-Auth-Token is invalid"),
    (Failure::NotFound, include_str!("examples/404.json"), "common.01000001", "response status"),
    (Failure::TimedOut, include_str!("examples/408.json"), "common.00000408", "timeout exception"),
    (Failure::Internal, include_str!("examples/500.json"), "common.00000500", "internal error"),
];

fn json_of(error: &ApiError) -> Value {
    serde_json::from_slice(&error.to_bytes()).unwrap()
}

#[test]
fn documented_samples_are_read_and_written_back_equal() {
    for (failure, sample, code, beginning) in SAMPLES {
        let expected: Value = serde_json::from_str(sample).unwrap();
        let read = ApiError::read(failure.status(), None, sample.as_bytes());
        assert_eq!(json_of(&read), expected);
        assert_eq!(read.code().as_deref(), Some(code));
        assert!(read.message().unwrap().starts_with(beginning), "{read}");
        assert_eq!(json_of(&ApiError::from(failure)), expected, "what we write for {failure:?}");
    }
}

#[test]
fn the_code_of_403_stays_a_number_outside_and_a_string_inside() {
    let written = json_of(&Failure::Forbidden.into());
    assert_eq!(written["error_code"], json!(403));
    assert_eq!(written["error"]["code"], json!("403"));
}

#[test]
fn other_shapes_give_code_and_message() {
    let cases = [
        (
            json!({"error_code": "APIG.0308", "error_msg": "slow", "request_id": "r"}),
            Some("APIG.0308"),
            Some("slow"),
        ),
        (
            json!({"error": {"code": 401, "message": "who?", "title": "Unauthorized"}}),
            Some("401"),
            Some("who?"),
        ),
        (json!({"code": "X.1", "message": "m"}), Some("X.1"), Some("m")),
        (json!({"errorCode": "Y.2", "errorMsg": "n"}), Some("Y.2"), Some("n")),
        (json!({"message": "alone"}), None, Some("alone")),
        (json!({"error_msg": 5, "code": "Z", "message": "p"}), Some("Z"), Some("p")),
        (json!({}), None, None),
    ];
    for (body, code, message) in cases {
        let read = ApiError::read(StatusCode::BAD_GATEWAY, None, body.to_string().as_bytes());
        assert_eq!((read.code().as_deref(), read.message()), (code, message), "{body}");
        assert_eq!(json_of(&read), body, "nothing is lost");
    }
}

#[test]
fn bodies_that_are_no_json_objects_are_kept_and_shown_in_one_line() {
    let read = |body: &[u8]| ApiError::read(StatusCode::BAD_GATEWAY, Some("id"), body);
    let html = read(b"<html>\n<body>Bad\x07 gateway</body>");
    assert_eq!(html.to_bytes(), b"<html>\n<body>Bad\x07 gateway</body>");
    assert_eq!(html.to_string(), "502: <html> <body>Bad  gateway</body>");
    assert_eq!(read(b"").to_string(), "502: Bad Gateway");
    assert_eq!(read(b"[1]").to_string(), "502: [1]");
    assert_eq!(read(b"").request_id(), Some("id"));
}

#[test]
fn details_are_found_where_they_stand() {
    let body = br#"{"error_code":"a.00000001","error_msg":"m","solution_msg":"s","request_id":"in the body",
        "details":{"encoded_authorization_message":"coded"}}"#;
    let read = ApiError::read(StatusCode::FORBIDDEN, None, body);
    assert_eq!(read.solution(), Some("s"));
    assert_eq!(read.request_id(), Some("in the body"));
    assert_eq!(read.encoded_authorization_message(), Some("coded"));
    assert_eq!(
        ApiError::read(StatusCode::FORBIDDEN, Some("header"), body).request_id(),
        Some("header")
    );
}

#[test]
fn not_found_is_told_from_a_missing_path() {
    let is_not_found = |status: u16, body: &str| {
        ApiError::read(StatusCode::from_u16(status).unwrap(), None, body.as_bytes()).is_not_found()
    };
    assert!(is_not_found(404, include_str!("examples/404.json")));
    assert!(is_not_found(400, r#"{"error_code":"dataartsfabric.00010009","error_msg":"gone"}"#));
    assert!(!is_not_found(400, include_str!("examples/400.json")));
    assert!(!is_not_found(404, r#"{"error_code":"APIG.0101","error_msg":"no API"}"#));
    assert!(!is_not_found(404, "<html>"));
}

#[test]
fn an_invalid_request_is_answered_with_the_documented_beginning_and_a_bounded_message() {
    let error = ApiError::from(Invalid::new("name", "é".repeat(1000)));
    let message = error.message().unwrap();
    assert!(message.starts_with(
        "failed to read http request, please check your input, code: 400, reason: name: é"
    ));
    assert_eq!(message.chars().count(), 512);
}
