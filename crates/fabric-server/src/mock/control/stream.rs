//! Bodies that are written and read as they go: a snapshot is never in memory as a whole.

use std::convert::Infallible;
use std::io::{self, BufRead, Read, Write};
use std::time::Duration;

use axum::body::Body;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http::StatusCode;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::mock::error::ControlError;

/// How many pieces of a body wait between the connection and the thread that writes or reads it.
const PIECES: usize = 4;

const PIECE_LENGTH: usize = 64 * 1024;

/// How long the next [`PIECE_LENGTH`] bytes of a body are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A body that a thread of its own writes while it is sent.
pub(super) fn written(write: impl FnOnce(BodyWriter) -> io::Result<()> + Send + 'static) -> Body {
    let (sender, mut pieces) = mpsc::channel(PIECES);
    // It fails only if the caller goes, who then wants to know nothing more.
    spawn_blocking(move || write(BodyWriter { sender, piece: BytesMut::new() }));
    let pieces = stream::poll_fn(move |context| pieces.poll_recv(context));
    Body::from_stream(pieces.map(Ok::<_, Infallible>))
}

/// Writes a body.
pub(super) struct BodyWriter {
    sender: mpsc::Sender<Bytes>,
    piece: BytesMut,
}

impl Write for BodyWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_LENGTH {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = self.piece.split().freeze();
        self.piece.reserve(PIECE_LENGTH + PIECE_LENGTH / 8);
        let sent = piece.is_empty() || self.sender.blocking_send(piece).is_ok();
        if sent { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    }
}

/// Lets a thread of its own read a body of so many bytes at most while it comes. The body is always read to its end:
/// a caller that still sends may not read the answer.
///
/// # Errors
///
/// What `read` returns; 413 for a longer body, 408 for one that does not come.
pub(super) async fn read<T: Send + 'static>(
    body: Body,
    most: usize,
    read: impl FnOnce(BodyReader) -> Result<T, ControlError> + Send + 'static,
) -> Result<T, ControlError> {
    let (sender, pieces) = mpsc::channel(PIECES);
    let reading = spawn_blocking(move || read(BodyReader { pieces, piece: Bytes::new() }));
    let mut body = body.into_data_stream();
    let (mut length, mut awaited) = (0, PIECE_LENGTH);
    let mut until = Instant::now() + PATIENCE;
    let failed = loop {
        let piece = match tokio::time::timeout_at(until, body.next()).await {
            Ok(None) => break None,
            Ok(Some(Ok(piece))) => piece,
            Ok(Some(Err(error))) => {
                break Some((StatusCode::BAD_REQUEST, format!("the body does not come: {error}")));
            }
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                let reason =
                    format!("the body came too slowly: {PIECE_LENGTH} bytes take {seconds} s");
                break Some((StatusCode::REQUEST_TIMEOUT, reason));
            }
        };
        length += piece.len();
        if length > most {
            let reason = format!("the body must have at most {most} bytes");
            break Some((StatusCode::PAYLOAD_TOO_LARGE, reason));
        }
        if length >= awaited {
            (awaited, until) = (length + PIECE_LENGTH, Instant::now() + PATIENCE);
        }
        // Whoever reads may have seen enough.
        let _ = sender.send(Ok(piece)).await;
    };
    if let Some((status, message)) = failed {
        let _ = sender.send(Err(io::Error::other(message.clone()))).await;
        let _ = reading.await;
        return Err(ControlError { status, message });
    }
    drop(sender);
    reading.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// Reads a body.
pub(super) struct BodyReader {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    piece: Bytes,
}

impl BufRead for BodyReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.piece.is_empty()
            && let Some(piece) = self.pieces.blocking_recv()
        {
            self.piece = piece?;
        }
        Ok(&self.piece)
    }

    fn consume(&mut self, length: usize) {
        self.piece.advance(length);
    }
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut piece = self.fill_buf()?;
        let length = piece.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}
