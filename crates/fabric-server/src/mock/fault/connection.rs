//! Connections that a fault can break.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::api::server::Prepare;

/// How a connection may be broken, from the request's side of it. Clones are of the same connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection(Arc<AtomicU8>);

const CLOSED: u8 = 1;
const RESET: u8 = 2;

impl Connection {
    /// Ends the connection before another byte is written.
    pub(crate) fn close(&self) {
        self.0.store(CLOSED, Ordering::Release);
    }

    /// The same, and tells the other side that something went wrong.
    pub(crate) fn reset(&self) {
        self.0.store(RESET, Ordering::Release);
    }
}

/// The stream of a [`Connection`].
#[derive(Debug)]
pub(crate) struct Breakable {
    stream: TcpStream,
    connection: Connection,
}

impl Breakable {
    fn check(&self) -> io::Result<()> {
        match self.connection.0.load(Ordering::Acquire) {
            0 => return Ok(()),
            // What is then dropped is not closed in order.
            RESET => self.stream.set_zero_linger()?,
            _ => {}
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

impl AsyncRead for Breakable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Breakable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Makes the connections of a server breakable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MakeBreakable;

impl Prepare for MakeBreakable {
    type Stream = Breakable;
    type Extension = Connection;

    fn prepare(&self, stream: TcpStream) -> (Breakable, Connection) {
        let connection = Connection::default();
        (Breakable { stream, connection: connection.clone() }, connection)
    }
}
