//! The stream of a connection: what goes over it is seen, and a call may break it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::api::connections::{Broken, Watch};

/// What a connection over HTTP/2 begins with.
pub(crate) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The stream of a connection, which tells its [`Watch`] what goes over it.
#[derive(Debug)]
pub(crate) struct Watched {
    stream: TcpStream,
    watch: Arc<Watch>,
    is_blocked: bool,
    /// What was read to tell the version of HTTP, and is still to be passed on.
    start: [u8; PREFACE.len()],
    start_length: u8,
}

impl Watched {
    pub(crate) fn new(stream: TcpStream, watch: Arc<Watch>) -> Self {
        let start = [0; PREFACE.len()];
        Self { stream, watch, is_blocked: false, start, start_length: 0 }
    }

    fn note<T>(&mut self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_pending() != self.is_blocked {
            self.is_blocked = written.is_pending();
            self.watch.note_blocked(self.is_blocked);
        }
        written
    }

    fn check(&self) -> io::Result<()> {
        match self.watch.broken() {
            None => return Ok(()),
            // What is then dropped is not closed in order.
            Some(Broken::Reset) => self.stream.set_zero_linger()?,
            Some(Broken::Closed) => {}
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

impl Watched {
    /// Whether the other side speaks HTTP/2 from the start.
    ///
    /// # Errors
    ///
    /// The stream cannot be read.
    pub(crate) async fn begins_http_2(&mut self) -> io::Result<bool> {
        let mut length = 0;
        while length < PREFACE.len() {
            let read = self.stream.read(&mut self.start[length..]).await?;
            length += read;
            self.start_length = u8::try_from(length).unwrap_or(u8::MAX);
            if read == 0 || self.start[..length] != PREFACE[..length] {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Passes on what was read to tell the version; whether nothing more fits.
    fn pass_start_on(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let length = usize::from(self.start_length);
        let passed = length.min(buffer.remaining());
        buffer.put_slice(&self.start[..passed]);
        self.start.copy_within(passed..length, 0);
        self.start_length = u8::try_from(length - passed).unwrap_or(u8::MAX);
        buffer.remaining() == 0
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.start_length > 0 {
            // Together with what follows: hyper makes room for another piece when it gets a small one.
            if !self.pass_start_on(buffer) {
                let _ = Pin::new(&mut self.stream).poll_read(context, buffer)?;
            }
            return Poll::Ready(Ok(()));
        }
        let filled = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > filled {
            self.watch.note_heard();
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut self.stream).poll_write(context, buffer);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.note(written)
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
