//! Ends connections over HTTP/2 that send frames for nothing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// How many frames that are of no request may come at once, and how many more each second.
const FREE: u32 = 10_000;

/// How many such frames a request earns: what acknowledges and cancels it.
const EARNED_BY_REQUEST: u32 = 8;

/// How many bytes of answers earn one such frame: callers tell that they have room again.
const EARNED_BY_BYTES: usize = 512;

const FRAME_HEAD: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;

/// A stream over which HTTP/2 is spoken.
///
/// SETTINGS and PING must be acknowledged, and empty DATA, `WINDOW_UPDATE`, PRIORITY and the like mean little. Whoever
/// sends many of them without asking for anything keeps the server busy for ever, and is disconnected.
#[derive(Debug)]
pub(crate) struct Frames<S> {
    stream: S,
    /// How many bytes of the frame, or at first of the preface, are still to come.
    left: usize,
    head: [u8; FRAME_HEAD],
    head_length: usize,
    /// How many frames of no request may still come, until more are earned.
    free: u32,
    free_since: Instant,
    written: usize,
}

impl<S> Frames<S> {
    pub(crate) fn new(stream: S, preface_length: usize) -> Self {
        Self {
            stream,
            left: preface_length,
            head: [0; FRAME_HEAD],
            head_length: 0,
            free: FREE,
            free_since: Instant::now(),
            written: 0,
        }
    }

    /// Looks at what was read; an error if there are too many frames that are of no request.
    fn read(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let skipped = self.left.min(bytes.len());
            bytes = &bytes[skipped..];
            self.left -= skipped;
            let taken = bytes.len().min(FRAME_HEAD - self.head_length);
            self.head[self.head_length..self.head_length + taken].copy_from_slice(&bytes[..taken]);
            self.head_length += taken;
            bytes = &bytes[taken..];
            if self.head_length == FRAME_HEAD {
                self.head_length = 0;
                let [high, middle, low, kind, ..] = self.head;
                self.left = u32::from_be_bytes([0, high, middle, low]) as usize;
                self.count(kind)?;
            }
        }
        Ok(())
    }

    fn count(&mut self, kind: u8) -> io::Result<()> {
        match kind {
            HEADERS => {
                self.free = self.free.saturating_add(EARNED_BY_REQUEST);
                return Ok(());
            }
            DATA if self.left > 0 => return Ok(()),
            _ => {}
        }
        let earned = u32::try_from(self.written / EARNED_BY_BYTES).unwrap_or(u32::MAX);
        self.written %= EARNED_BY_BYTES;
        self.free = self.free.saturating_add(earned);
        if self.free == 0 && self.free_since.elapsed() >= Duration::from_secs(1) {
            (self.free, self.free_since) = (FREE, Instant::now());
        }
        let too_many = || io::Error::other("too many frames that are of no request");
        self.free = self.free.checked_sub(1).ok_or_else(too_many)?;
        Ok(())
    }

    fn wrote(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &written {
            self.written = self.written.saturating_add(*bytes);
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Frames<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.read(&buffer.filled()[filled..])?;
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Frames<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, buffer);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap_or_default();
        [&[0, 0, length, kind, 0, 0, 0, 0, 0], payload].concat()
    }

    #[test]
    fn frames_of_no_request_are_counted_however_they_are_cut() {
        const PING: u8 = 6;
        let pings = frame(PING, &[0; 8]).repeat(FREE as usize);
        for size in [1, 7, 17, 4096] {
            let mut frames = Frames::new((), 3);
            frames.read(b"PRI").unwrap();
            let read = |frames: &mut Frames<()>, bytes: &[u8]| {
                bytes.chunks(size).try_for_each(|bytes| frames.read(bytes))
            };
            read(&mut frames, &pings).unwrap();
            assert!(read(&mut frames, &frame(DATA, b"")).is_err(), "{size}");
            // A request earns a few more, and DATA that holds something needs none.
            read(&mut frames, &frame(HEADERS, b"head")).unwrap();
            read(&mut frames, &frame(DATA, b"body").repeat(100)).unwrap();
            read(&mut frames, &pings[..8 * 17]).unwrap();
            assert!(read(&mut frames, &pings[..17]).is_err(), "{size}");
            frames.written = EARNED_BY_BYTES;
            read(&mut frames, &pings[..17]).unwrap();
            assert!(read(&mut frames, &pings[..17]).is_err(), "{size}");
        }
    }
}
