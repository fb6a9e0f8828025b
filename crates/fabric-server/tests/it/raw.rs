//! HTTP as bytes, so that requests can be as wrong as they like.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use fabric_server::MockServer;
use serde_json::Value;

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }
}

/// Sends bytes and reads until the server closes.
pub(crate) fn send(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    // The server may answer and close before it has read everything.
    stream.write_all(request).ok();
    read(&mut stream)
}

pub(crate) fn read(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&bytes) {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(length) => bytes.extend_from_slice(&buffer[..length]),
        }
    }
    let end = head_end(&bytes).unwrap_or_else(|| {
        panic!("no answer, only {:?}", String::from_utf8_lossy(&bytes));
    });
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let body = &bytes[end + 4..];
    let body = if is_chunked(&head) { joined(body) } else { body.to_vec() };
    Answer { status, headers, body }
}

fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n")
}

fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = head_end(bytes) else { return false };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    if is_chunked(&head) {
        return bytes.ends_with(b"\r\n0\r\n\r\n");
    }
    let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: "));
    let length = length.and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
    bytes.len() >= end + 4 + length
}

fn is_chunked(head: &str) -> bool {
    head.to_ascii_lowercase().contains("\r\ntransfer-encoding: chunked")
}

/// The chunks of a body as one.
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = chunks.windows(2).position(|window| window == b"\r\n") {
        let length = std::str::from_utf8(&chunks[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        body.extend_from_slice(&chunks[end + 2..end + 2 + length]);
        chunks = &chunks[end + 4 + length..];
    }
    body
}

/// A request with a host and an end, which closes the connection.
pub(crate) fn request(method: &str, target: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\
         Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A request with a JSON body.
pub(crate) fn json(method: &str, target: &str, body: &[u8]) -> Vec<u8> {
    request(method, target, "Content-Type: application/json\r\n", body)
}

/// Sends a request with a JSON body, or none, and gives the status and the body, which is `null` if there is none.
pub(crate) async fn call(
    server: &MockServer,
    method: &str,
    target: &str,
    body: Value,
) -> (u16, Value) {
    let request = match body {
        Value::Null => request(method, target, "", b""),
        body => json(method, target, body.to_string().as_bytes()),
    };
    let address = server.address();
    let answer = tokio::task::spawn_blocking(move || send(address, &request)).await.unwrap();
    let body = if answer.body.is_empty() { Value::Null } else { answer.json() };
    (answer.status, body)
}
