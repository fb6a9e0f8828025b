//! Calls of a server over kept connections.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::shell::Outcome;

/// So many connections are kept.
const CONNECTIONS: usize = 16;

/// Kept connections to a server.
#[derive(Debug)]
pub(super) struct Load {
    connections: Vec<TcpStream>,
}

impl Load {
    pub(super) fn open(address: SocketAddr) -> Result<Self, String> {
        let open = || {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            Ok(stream)
        };
        let connections = (0..CONNECTIONS).map(|_| open()).collect::<std::io::Result<_>>();
        Ok(Self { connections: connections.map_err(failed)? })
    }

    /// Sends the request so many times, one after another, over each connection in its turn.
    pub(super) fn in_turn(&mut self, request: &[u8], calls: u32) -> Outcome {
        for (_, stream) in (0..calls).zip((0..CONNECTIONS).cycle()) {
            let stream = &mut self.connections[stream];
            stream.write_all(request).map_err(failed)?;
            read_answer(stream)?;
        }
        Ok(())
    }

    /// Sends the request over all connections at once, and again when all are answered, until so many calls
    /// are made, or a few more.
    pub(super) fn at_once(&mut self, request: &[u8], calls: u32) -> Result<u32, String> {
        let mut made = 0;
        while made < calls {
            for stream in &mut self.connections {
                stream.write_all(request).map_err(failed)?;
            }
            for stream in &mut self.connections {
                read_answer(stream)?;
                made += 1;
            }
        }
        Ok(made)
    }
}

/// Makes a call over a connection of its own, and gives the body of the answer.
pub(super) fn call(address: SocketAddr, request: &[u8]) -> Result<String, String> {
    let mut stream = TcpStream::connect(address).map_err(failed)?;
    stream.write_all(request).map_err(failed)?;
    read_answer(&mut stream)
}

/// A request as it is sent.
pub(super) fn request(method: &str, target: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("{method} {target} HTTP/1.1\r\n{headers}content-length: {length}\r\n\r\n{body}").into()
}

/// Reads an answer, which must be a success, and gives its body.
fn read_answer(stream: &mut TcpStream) -> Result<String, String> {
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    loop {
        let read = stream.read(&mut part).map_err(failed)?;
        if read == 0 {
            return Err("the server ended the connection".to_owned());
        }
        answer.extend_from_slice(&part[..read]);
        let Some(head) = answer.windows(4).position(|end| end == b"\r\n\r\n") else { continue };
        let body = &answer[head + 4..];
        let head = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
        if !head.starts_with("http/1.1 200") {
            return Err(format!("not a success: {}", String::from_utf8_lossy(&answer)));
        }
        if body.len() >= length {
            return Ok(String::from_utf8_lossy(body).into_owned());
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
fn failed(error: std::io::Error) -> String {
    format!("cannot call the server: {error}")
}
