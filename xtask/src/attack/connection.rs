//! A raw connection to the server, and the answers on it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::attack::answer::Answer;

/// A connection on which bytes are sent as they are.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    /// What was received and not looked at yet.
    received: Vec<u8>,
}

/// What came of waiting for an answer.
#[derive(Debug)]
pub(crate) enum Received {
    Answer(Answer),
    /// The server ended the connection.
    Closed,
    /// Nothing came in time.
    Nothing,
    /// Something that is no answer of HTTP/1.
    Broken(String),
}

impl Connection {
    /// Connects from an address of this machine; all of `127.0.0.0/8` are.
    pub(crate) async fn open(to: SocketAddr, from: Ipv4Addr) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        if from != Ipv4Addr::LOCALHOST {
            socket.bind((IpAddr::V4(from), 0).into())?;
        }
        let stream = timeout(Duration::from_secs(20), socket.connect(to)).await??;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::new() })
    }

    /// Sends bytes, unless the other side takes none for a while.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(Duration::from_secs(20), self.stream.write_all(bytes)).await?
    }

    /// Sends as many bytes as the other side takes at once.
    pub(crate) fn send_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.stream.try_write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            other => other,
        }
    }

    /// Waits for an answer, at most for a time.
    pub(crate) async fn answer(&mut self, is_head: bool, patience: Duration) -> Received {
        let reading = async {
            let mut has_ended = false;
            loop {
                match Answer::parse(&self.received, is_head, has_ended) {
                    Ok(Some((answer, length))) => {
                        self.received.drain(..length);
                        return Received::Answer(answer);
                    }
                    Ok(None) if has_ended => return Received::Closed,
                    Ok(None) => {}
                    Err(reason) => return Received::Broken(reason),
                }
                match self.stream.read_buf(&mut self.received).await {
                    Ok(0) => has_ended = true,
                    Ok(_) => {}
                    // What a server closes before it has read all of it is reset, and part of its answer may be lost.
                    Err(_) => return Received::Closed,
                }
            }
        };
        timeout(patience, reading).await.unwrap_or(Received::Nothing)
    }

    /// Receives bytes as they come; nothing if the connection has ended, `None` if nothing comes in time.
    pub(crate) async fn bytes(&mut self, patience: Duration) -> Option<Vec<u8>> {
        let mut bytes = std::mem::take(&mut self.received);
        if bytes.is_empty() {
            bytes.reserve(64 * 1024);
            let read = timeout(patience, self.stream.read_buf(&mut bytes)).await.ok()?;
            if read.is_err() {
                bytes.clear();
            }
        }
        Some(bytes)
    }

    /// Waits until the server ends the connection, and reads what it sends; says whether it did in time.
    pub(crate) async fn is_ended(&mut self, patience: Duration) -> bool {
        let mut buffer = vec![0; 16 * 1024];
        let reading =
            async { while self.stream.read(&mut buffer).await.is_ok_and(|length| length > 0) {} };
        timeout(patience, reading).await.is_ok()
    }

    /// Waits until the server ends the connection, and reads nothing.
    pub(crate) async fn is_ended_unread(&mut self, patience: Duration) -> bool {
        let until = tokio::time::Instant::now() + patience;
        while tokio::time::Instant::now() < until {
            // To write to a connection that was reset is an error; until then there is no room.
            if self.send_some(b"G").is_err() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }
}
