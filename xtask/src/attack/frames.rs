//! Frames of HTTP/2, written and read by hand, so that they may be wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::attack::answer::{Answer, Surface};
use crate::attack::connection::Connection;
use crate::attack::judge::Judge;

/// Types of frames.
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

/// Flags of frames.
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// Settings.
const HEADER_TABLE_SIZE: u16 = 1;
const INITIAL_WINDOW_SIZE: u16 = 4;

/// A frame; a length that is no longer than three bytes is taken from the payload.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// The beginning of a connection on which the server may send so many bytes of each answer. It is told to keep
/// no table of headers, so that every status stands in full.
pub(crate) fn preface(window: u32) -> Vec<u8> {
    let mut settings = Vec::new();
    for (setting, value) in [(HEADER_TABLE_SIZE, 0), (INITIAL_WINDOW_SIZE, window)] {
        settings.extend(setting.to_be_bytes());
        settings.extend(value.to_be_bytes());
    }
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &settings));
    bytes
}

/// Headers as literals that no table keeps.
pub(crate) fn block(headers: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in headers {
        bytes.push(0);
        for text in [name.as_bytes(), value] {
            write_length(&mut bytes, text.len());
            bytes.extend_from_slice(text);
        }
    }
    bytes
}

/// A length in HPACK, with a prefix of seven bits and no Huffman code.
pub(crate) fn write_length(bytes: &mut Vec<u8>, mut length: usize) {
    if length < 127 {
        bytes.push(u8::try_from(length).unwrap_or_default());
        return;
    }
    bytes.push(127);
    length -= 127;
    while length >= 128 {
        bytes.push(u8::try_from(length % 128).unwrap_or_default() | 128);
        length /= 128;
    }
    bytes.push(u8::try_from(length).unwrap_or_default());
}

/// The headers of a request to this method and path.
pub(crate) fn request_block(method: &str, path: &str, more: &[(&str, &[u8])]) -> Vec<u8> {
    let mut headers: Vec<(&str, &[u8])> = vec![
        (":method", method.as_bytes()),
        (":scheme", b"http"),
        (":path", path.as_bytes()),
        (":authority", b"localhost"),
        ("content-type", b"application/json"),
    ];
    headers.extend(more);
    block(&headers)
}

/// A request without a body.
pub(crate) fn get(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &request_block("GET", path, &[]))
}

/// What the server sends on a connection.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    received: Vec<u8>,
    open: BTreeMap<u32, (u16, Vec<u8>)>,
    /// Whether answers have no bodies.
    pub(crate) is_head: bool,
    /// How many streams were answered to their end, and how many were reset.
    pub(crate) answered: u64,
    pub(crate) reset: u64,
    /// The reason why the server ends the connection.
    pub(crate) end: Option<u32>,
}

impl Answers {
    /// Reads what comes until `is_enough`, or the connection ends, or nothing comes for a while; judges each
    /// answer. Says whether the connection goes on.
    pub(crate) async fn read(
        &mut self,
        connection: &mut Connection,
        judge: &Judge,
        patience: Duration,
        is_enough: impl Fn(&Self) -> bool,
    ) -> bool {
        while !is_enough(self) {
            match connection.bytes(patience).await {
                None => return true,
                Some(bytes) if bytes.is_empty() => return false,
                Some(bytes) => self.received.extend(bytes),
            }
            let acknowledgements = self.take_frames(judge);
            if !acknowledgements.is_empty() && connection.send(&acknowledgements).await.is_err() {
                return false;
            }
        }
        true
    }

    /// Takes whole frames, and returns what is to be sent for them.
    fn take_frames(&mut self, judge: &Judge) -> Vec<u8> {
        let mut position = 0;
        let mut reply = Vec::new();
        while let Some(head) = self.received.get(position..position + 9) {
            let length =
                usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            let (kind, flags) = (head[3], head[4]);
            let stream = u32::from_be_bytes([head[5] & 127, head[6], head[7], head[8]]);
            let Some(payload) = self.received.get(position + 9..position + 9 + length) else {
                break;
            };
            position += 9 + length;
            match kind {
                HEADERS => {
                    let status = status(payload).unwrap_or_default();
                    self.open.entry(stream).or_default().0 = status;
                }
                DATA => {
                    self.open.entry(stream).or_default().1.extend_from_slice(payload);
                    if length > 0 {
                        let room = u32::try_from(length).unwrap_or_default().to_be_bytes();
                        reply.extend(frame(WINDOW_UPDATE, 0, 0, &room));
                    }
                }
                RST_STREAM => {
                    self.reset += 1;
                    self.open.remove(&stream);
                    judge.got("stream reset");
                }
                SETTINGS if flags & ACK == 0 => reply.extend(frame(SETTINGS, ACK, 0, &[])),
                PING if flags & ACK == 0 => reply.extend(frame(PING, ACK, 0, payload)),
                GOAWAY => {
                    let reason = payload.get(4..8).and_then(|reason| reason.try_into().ok());
                    let reason = u32::from_be_bytes(reason.unwrap_or_default());
                    if self.end.is_none() {
                        judge.got(&format!("GOAWAY {reason}"));
                    }
                    self.end = Some(reason);
                }
                _ => {}
            }
            if matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0 {
                self.answered += 1;
                if let Some((status, body)) = self.open.remove(&stream) {
                    judge_answer(judge, status, body, self.is_head);
                }
            }
        }
        self.received.drain(..position);
        reply
    }
}

/// Judges status and body. Other headers are not decoded, but taken as they should be.
fn judge_answer(judge: &Judge, status: u16, body: Vec<u8>, is_head: bool) {
    if status == 0 {
        judge.violation("an answer over HTTP/2 has no status".to_owned());
        return;
    }
    let headers = [
        ("content-type", "application/json"),
        ("x-request-id", "00000000-0000-0000-0000-000000000000-0-unread"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let is_refused = body.is_empty() && !is_head;
    let answer = Answer { status, headers, body, is_kept: true };
    judge.answer(&answer, Surface::Unknown, !is_refused, is_head);
}

/// The status in a block of headers, of which it is the first.
fn status(block: &[u8]) -> Option<u16> {
    // The size of the table, which is told anew.
    let start = block.iter().position(|byte| byte & 0xe0 != 0x20)?;
    let block = &block[start..];
    match *block {
        [0x88, ..] => Some(200),
        [0x89, ..] => Some(204),
        [0x8b, ..] => Some(304),
        [0x8c, ..] => Some(400),
        [0x8d, ..] => Some(404),
        [0x8e, ..] => Some(500),
        [0x08 | 0x18 | 0x48, length, ref text @ ..] => {
            let text = text.get(..usize::from(length & 127))?;
            let digits = if length & 128 == 0 { text.to_vec() } else { digits(text) };
            std::str::from_utf8(digits.get(..3)?).ok()?.parse().ok()
        }
        _ => None,
    }
}

/// Digits in the Huffman code of HPACK: 0 to 2 have five bits, the others six.
fn digits(text: &[u8]) -> Vec<u8> {
    let bits: Vec<u8> =
        text.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let number = |bits: &[u8]| bits.iter().fold(0, |number, bit| number << 1 | bit);
    let (mut digits, mut rest) = (Vec::new(), &bits[..]);
    while rest.len() >= 5 {
        let short = number(&rest[..5]);
        if short <= 2 {
            digits.push(b'0' + short);
            rest = &rest[5..];
        } else {
            let Some(long) = rest.get(..6).map(number).filter(|long| (0x19..=0x1f).contains(long))
            else {
                break;
            };
            digits.push(b'3' + long - 0x19);
            rest = &rest[6..];
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read_and_answers_outside_the_contract_are_found() {
        assert_eq!(status(&[0x20, 0x88]), Some(200));
        assert_eq!(status(&[0x08, 0x03, b'4', b'0', b'1']), Some(401));
        // 4 is 011010, 0 is 00000 and 1 is 00001.
        assert_eq!(status(&[0x48, 0x82, 0b0110_1000, 0b0000_0001]), Some(401));
        let judged = |body: &[u8]| {
            let judge = Judge::default();
            let received = frame(HEADERS, END_HEADERS, 1, &[0x8c]);
            let mut answers = Answers { received, ..Answers::default() };
            answers.received.extend(frame(DATA, END_STREAM, 1, body));
            answers.take_frames(&judge);
            assert_eq!(answers.answered, 1);
            judge.violations()
        };
        let good = br#"{"error_code":"common.01000001","error_msg":"why"}"#;
        assert_eq!(judged(good), [""; 0]);
        assert_eq!(judged(b"Bad Request").len(), 1);
    }
}
