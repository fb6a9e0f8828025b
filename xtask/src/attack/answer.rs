//! Answers as they come over HTTP/1.1, and whether they are answers of the contract.

use std::sync::LazyLock;

use fabric_model::{ApiError, Failure, OperationInfo, identity, operations};
use serde_json::Value;

/// An answer that was read to its end, or a stream of events up to its first one.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names are in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the server keeps the connection for further requests.
    pub(crate) is_kept: bool,
}

/// What a request was about, which decides what a rejection looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Surface {
    /// The operations of the service.
    Service,
    /// Those of the identity service.
    SignIn,
    /// What is under `/_mock`.
    Control,
    /// It cannot be told, since the request is not HTTP.
    Unknown,
}

/// How an answer is judged.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    Contract,
    /// It is none of the contract, for a reason that is accepted.
    Exception(&'static str),
    /// It must not occur.
    Violation(String),
}

/// hyper rejects by itself what it cannot parse: no request is made of it, so none of ours sees it.
const NOT_HTTP: &str = "not HTTP: empty refusal of hyper";

/// Before there is a request, it has no id.
const NO_ROOM: &str = "no room for a connection: no request id";

/// The longest head that is read.
const HEAD_MAX_LENGTH: usize = 256 * 1024;

impl Surface {
    pub(crate) fn of(path: &str) -> Self {
        if path.starts_with("/_mock") {
            Self::Control
        } else if path.starts_with("/v3") {
            Self::SignIn
        } else {
            Self::Service
        }
    }
}

impl Answer {
    /// Reads the first answer of what a server sent, and says how long it is; `None` if more must come.
    /// `has_ended` says that no more will.
    ///
    /// # Errors
    ///
    /// What was sent is not HTTP, or ends too early.
    pub(crate) fn parse(
        sent: &[u8],
        is_head: bool,
        has_ended: bool,
    ) -> Result<Option<(Self, usize)>, String> {
        let Some(length) = sent.windows(4).position(|end| end == b"\r\n\r\n") else {
            return match sent {
                [] => Ok(None),
                _ if has_ended => Err("the head of an answer is cut off".to_owned()),
                _ if sent.len() > HEAD_MAX_LENGTH => Err("a head without end".to_owned()),
                _ => Ok(None),
            };
        };
        let head = String::from_utf8_lossy(&sent[..length]);
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status = first.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
        let Some(status) = status.and_then(|status| status.parse::<u16>().ok()) else {
            return Err(format!("no answer of HTTP/1: {first:?}"));
        };
        let start = length + 4;
        if (100..200).contains(&status) && status != 101 {
            let rest = Self::parse(&sent[start..], is_head, has_ended)?;
            return Ok(rest.map(|(answer, length)| (answer, start + length)));
        }
        let headers = lines.map(|line| match line.split_once(':') {
            Some((name, value)) => Ok((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => Err(format!("no header: {line:?}")),
        });
        let headers = headers.collect::<Result<Vec<_>, _>>()?;
        let mut answer = Self { status, headers, body: Vec::new(), is_kept: true };
        answer.is_kept = !first.starts_with("HTTP/1.0") && answer.header("connection") != "close";
        let body = &sent[start..];
        let cut_off = || if has_ended { Err("an answer is cut off".to_owned()) } else { Ok(None) };
        if is_head || matches!(status, 101 | 204 | 304) {
            return Ok(Some((answer, start)));
        }
        if answer.header("content-type").starts_with("text/event-stream") {
            answer.is_kept = false;
            return Ok(Some((answer, sent.len())));
        }
        if answer.header("transfer-encoding") == "chunked" {
            let Some((whole, length)) = unchunk(body)? else { return cut_off() };
            answer.body = whole;
            return Ok(Some((answer, start + length)));
        }
        if let Ok(length) = answer.header("content-length").parse::<usize>() {
            let Some(whole) = body.get(..length) else { return cut_off() };
            answer.body = whole.to_vec();
            return Ok(Some((answer, start + length)));
        }
        if !has_ended {
            return Ok(None);
        }
        answer.is_kept = false;
        answer.body = body.to_vec();
        Ok(Some((answer, sent.len())))
    }

    /// The value of a header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// What a table shows of it: status and code.
    pub(crate) fn shown(&self) -> String {
        let json: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        match json["error_code"].as_str() {
            Some(code) => format!("{} {code}", self.status),
            None => self.status.to_string(),
        }
    }

    /// Judges the answer to a request. `is_http` says whether the request was one by the rules of HTTP, and no
    /// larger than what hyper takes.
    pub(crate) fn judge(&self, surface: Surface, is_http: bool, is_head: bool) -> Verdict {
        if !is_http && self.body.is_empty() && matches!(self.status, 400 | 413 | 414 | 431 | 505) {
            return Verdict::Exception(NOT_HTTP);
        }
        let judged = match surface {
            Surface::Service => self.of_service(is_head),
            Surface::SignIn if self.is_of_service_alone() => self.of_service(is_head),
            Surface::SignIn => self.of_sign_in(is_head),
            Surface::Control => self.of_control(is_head),
            Surface::Unknown => {
                let any =
                    [self.of_service(is_head), self.of_sign_in(is_head), self.of_control(is_head)];
                let [service, ..] = &any;
                if any.iter().any(Result::is_ok) { Ok(()) } else { service.clone() }
            }
        };
        match judged {
            Ok(()) => Verdict::Contract,
            // One for which there is no room is told so before it has asked anything.
            Err(_) if self.status == 503 && !self.is_kept && self.is_no_room() => {
                Verdict::Exception(NO_ROOM)
            }
            Err(reason) => {
                let body = String::from_utf8_lossy(&self.body[..self.body.len().min(200)]);
                Verdict::Violation(format!("{reason}: {} {body:?}", self.status))
            }
        }
    }

    fn is_no_room(&self) -> bool {
        self.header("x-request-id").is_empty() && self.error_of_service().is_ok()
    }

    /// Limits of the head and unknown paths are rejected before it is known whose they are.
    fn is_of_service_alone(&self) -> bool {
        self.error_of_service().is_ok()
    }

    fn of_service(&self, is_head: bool) -> Result<(), String> {
        check_request_id(self.header("x-request-id"))?;
        if OF_SUCCESS.contains(&self.status) {
            return self.json_or_nothing();
        }
        if is_head { self.status_of_failure() } else { self.error_of_service() }
    }

    fn status_of_failure(&self) -> Result<(), String> {
        let is_known = Failure::ALL.iter().any(|failure| failure.status() == self.status);
        if is_known && self.status != 500 {
            Ok(())
        } else {
            Err("no status of the contract".into())
        }
    }

    fn error_of_service(&self) -> Result<(), String> {
        let json = self.json()?;
        let error = ApiError::read(
            http_status(self.status)?,
            None,
            &serde_json::to_vec(&json).unwrap_or_default(),
        );
        let code = error.code().ok_or("no error_code")?;
        let known = Failure::ALL
            .iter()
            .find(|failure| failure.status() == self.status && failure.code() == code);
        match known {
            None => Err("no failure of the contract".to_owned()),
            // No request should bring the service to this.
            Some(Failure::Internal) => Err("the server is at fault".to_owned()),
            Some(_) => match json["error_msg"].as_str() {
                Some(message) if (2..=512).contains(&message.chars().count()) => Ok(()),
                _ => Err("no error_msg of 2 to 512 characters".to_owned()),
            },
        }
    }

    fn of_sign_in(&self, is_head: bool) -> Result<(), String> {
        check_request_id(self.header("x-request-id"))?;
        if OF_SUCCESS.contains(&self.status) {
            return self.json_or_nothing();
        }
        let mut known = identity::IdentityFailure::ALL.iter();
        if self.status == 500 || !known.any(|failure| failure.status() == self.status) {
            return Err("no status of the identity service".to_owned());
        }
        if is_head {
            return Ok(());
        }
        let error = &self.json()?["error"];
        if error["code"] == self.status
            && error["message"].is_string()
            && error["title"].is_string()
        {
            Ok(())
        } else {
            Err("no error of the identity service".to_owned())
        }
    }

    fn of_control(&self, is_head: bool) -> Result<(), String> {
        match self.status {
            200..400 => Ok(()),
            // What a verdict of the journal says, not an error.
            409 if self.json().is_ok_and(|verdict| verdict["is_met"] == false) => Ok(()),
            400..500 | 503 if is_head => Ok(()),
            400..500 | 503 if self.json().is_ok_and(|body| body["error"].is_string()) => Ok(()),
            // Limits that hold for all requests.
            400..500 | 503 if self.error_of_service().is_ok() => Ok(()),
            400..500 | 503 => Err("no error of the control surface".to_owned()),
            _ => Err("no status of the control surface".to_owned()),
        }
    }

    fn json_or_nothing(&self) -> Result<(), String> {
        if self.body.is_empty() { Ok(()) } else { self.json().map(|_| ()) }
    }

    fn json(&self) -> Result<Value, String> {
        let media_type = self.header("content-type");
        if media_type != ApiError::MEDIA_TYPE {
            return Err(format!("the media type is {media_type:?}"));
        }
        serde_json::from_slice(&self.body).map_err(|error| format!("no JSON ({error})"))
    }
}

/// The statuses of a success, of whatever operation.
static OF_SUCCESS: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let operations = operations().iter().chain(identity::operations());
    operations.map(|operation: &&OperationInfo| operation.success.as_u16()).collect()
});

fn http_status(status: u16) -> Result<http::StatusCode, String> {
    http::StatusCode::from_u16(status).map_err(|error| error.to_string())
}

/// Checks for the form `request_uuid-timestamp-hostname`.
fn check_request_id(id: &str) -> Result<(), String> {
    let is_uuid = |text: &str| {
        text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
    };
    let uuid = id.get(..36).is_some_and(is_uuid);
    let rest = id.get(36..).and_then(|rest| rest.strip_prefix('-'));
    let rest = rest.and_then(|rest| rest.split_once('-'));
    let is_rest = |(time, host): (&str, &str)| time.parse::<u64>().is_ok() && !host.is_empty();
    if uuid && rest.is_some_and(is_rest) {
        Ok(())
    } else {
        Err(format!("the request id is {id:?}"))
    }
}

/// A body in chunks, and how long it was with them; `None` if more must come.
fn unchunk(sent: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let (mut whole, mut position) = (Vec::new(), 0);
    loop {
        let rest = &sent[position..];
        let Some(line) = rest.windows(2).position(|end| end == b"\r\n") else { return Ok(None) };
        let size = String::from_utf8_lossy(&rest[..line]);
        let size = usize::from_str_radix(size.trim(), 16)
            .map_err(|_| format!("no length of a chunk: {size:?}"))?;
        let start = line + 2;
        let Some(chunk) = rest.get(start..start + size + 2) else { return Ok(None) };
        if !chunk.ends_with(b"\r\n") {
            return Err("a chunk has another length than it says".to_owned());
        }
        whole.extend_from_slice(&chunk[..size]);
        position += start + size + 2;
        if size == 0 {
            return Ok(Some((whole, position)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "x-request-id: 3795813c-8cc7-49fc-b638-38c4f25a40ec-1795562238352-vm\r\n";
    const JSON: &str = "content-type: application/json\r\n";

    fn judged(surface: Surface, status: &str, headers: &str, body: &str) -> Verdict {
        let length = body.len();
        let text = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}");
        let (answer, length) = Answer::parse(text.as_bytes(), false, false).unwrap().unwrap();
        assert_eq!(length, text.len());
        answer.judge(surface, true, false)
    }

    #[test]
    fn an_answer_outside_the_contract_is_found() {
        let good = r#"{"error_code":"APIG.0101","error_msg":"There is none"}"#;
        let both = format!("{JSON}{ID}");
        assert_eq!(judged(Surface::Service, "404 Not Found", &both, good), Verdict::Contract);
        assert_eq!(judged(Surface::Service, "200 OK", &both, "{}"), Verdict::Contract);
        let refused = judged(
            Surface::Service,
            "503 Service Unavailable",
            &format!("{JSON}connection: close\r\n"),
            r#"{"error_code":"common.00000503","error_msg":"service unavailable"}"#,
        );
        assert_eq!(refused, Verdict::Exception(NO_ROOM));
        for (status, headers, body) in [
            ("404 Not Found", JSON, good),
            ("404 Not Found", ID, good),
            ("404 Not Found", &both, "{}"),
            ("404 Not Found", &both, "not JSON"),
            ("400 Bad Request", &both, good),
            ("400 Bad Request", &both, ""),
            ("418 I'm a teapot", &both, r#"{"error_code":"common.01000001","error_msg":"no"}"#),
            ("200 OK", &both, "not JSON"),
            (
                "500 Internal Server Error",
                &both,
                r#"{"error_code":"common.00000500","error_msg":"internal error"}"#,
            ),
        ] {
            let verdict = judged(Surface::Service, status, headers, body);
            assert!(matches!(verdict, Verdict::Violation(_)), "{status} {body}: {verdict:?}");
        }
        let control = judged(Surface::Control, "400 Bad Request", JSON, r#"{"error":"wrong"}"#);
        assert_eq!(control, Verdict::Contract);
        for (headers, body) in [(JSON, "{}"), ("content-type: text/plain\r\n", "wrong"), ("", "")] {
            let verdict = judged(Surface::Control, "400 Bad Request", headers, body);
            assert!(matches!(verdict, Verdict::Violation(_)), "{body}: {verdict:?}");
        }
    }

    #[test]
    fn only_what_is_not_http_may_be_refused_without_a_body() {
        let empty = Answer { status: 400, ..Answer::default() };
        assert_eq!(empty.judge(Surface::Unknown, false, false), Verdict::Exception(NOT_HTTP));
        let verdict = empty.judge(Surface::Unknown, true, false);
        assert!(matches!(verdict, Verdict::Violation(_)), "{verdict:?}");
    }

    #[test]
    fn answers_are_read_one_by_one_and_cut_off_ones_are_found() {
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
        let two = format!("HTTP/1.1 100 Continue\r\n\r\n{chunked}HTTP/1.1 204 No Content\r\n\r\n");
        let (first, length) = Answer::parse(two.as_bytes(), false, false).unwrap().unwrap();
        assert_eq!((first.status, &first.body[..]), (200, &b"ab"[..]));
        let (second, _) = Answer::parse(&two.as_bytes()[length..], false, true).unwrap().unwrap();
        assert_eq!(second.status, 204);
        for cut in
            ["HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab", &chunked[..55]]
        {
            assert!(Answer::parse(cut.as_bytes(), false, false).unwrap().is_none(), "{cut}");
            assert!(Answer::parse(cut.as_bytes(), false, true).is_err(), "{cut}");
        }
    }
}
