//! Reads JSON as it comes, of which no more than a value need be in memory.

use std::io::{self, BufRead};

use memchr::memchr2;

/// The longest value that is read as one.
const VALUE_MAX: usize = 64 * 1024 * 1024;

/// Reads JSON: goes into objects and arrays, and takes other values as text. Whether that text is JSON is left to
/// whoever reads it; here it is told apart from what follows it.
///
/// `serde_json` looks at what it reads from a file a byte at a time: that took longer than all else together.
pub(super) struct JsonReader<R> {
    reader: R,
    /// How many bytes were read.
    read: u64,
    value: Vec<u8>,
}

/// Why a text is no JSON.
pub(super) struct Malformed(pub(super) String);

impl From<io::Error> for Malformed {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

impl<R: BufRead> JsonReader<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, read: 0, value: Vec::new() }
    }

    /// Reads an object. `each` is given each name, and must read the value.
    pub(super) fn object<E: From<Malformed>>(
        &mut self,
        mut each: impl FnMut(&mut Self, String) -> Result<(), E>,
    ) -> Result<(), E> {
        self.list([b'{', b'}'], |json| {
            let name = serde_json::from_str(json.value()?);
            let Ok(name) = name else { return Err(json.malformed("no name of a field").into()) };
            json.take(b":")?;
            each(json, name)
        })
    }

    /// Reads an array. `each` must read an item.
    pub(super) fn array<E: From<Malformed>>(
        &mut self,
        each: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.list([b'[', b']'], each)
    }

    fn list<E: From<Malformed>>(
        &mut self,
        [open, close]: [u8; 2],
        mut each: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.take(&[open])?;
        if self.peek()? == Some(close) {
            self.take(&[close])?;
            return Ok(());
        }
        loop {
            each(self)?;
            if self.take(&[b',', close])? == close {
                return Ok(());
            }
        }
    }

    /// Checks that nothing follows.
    pub(super) fn end(&mut self) -> Result<(), Malformed> {
        match self.peek()? {
            None => Ok(()),
            Some(_) => Err(self.malformed("more than one value")),
        }
    }

    /// The next byte that is no space.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Malformed> {
        loop {
            let bytes = self.reader.fill_buf()?;
            let spaces = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let next = bytes.get(spaces).copied();
            let is_end = bytes.is_empty();
            self.consume(spaces);
            if next.is_some() || is_end {
                return Ok(next);
            }
        }
    }

    /// The text of the next value.
    pub(super) fn value(&mut self) -> Result<&str, Malformed> {
        self.peek()?;
        self.value.clear();
        let mut scan = Scan::default();
        while !scan.is_over {
            let bytes = self.reader.fill_buf()?;
            if bytes.is_empty() {
                if scan.is_within() || self.value.is_empty() {
                    return Err(self.malformed("EOF"));
                }
                break;
            }
            let length = scan.go(bytes);
            if self.value.len() + length > VALUE_MAX {
                return Err(self.malformed("too long a value"));
            }
            self.value.extend_from_slice(&bytes[..length]);
            self.consume(length);
        }
        std::str::from_utf8(&self.value).map_err(|error| Malformed(error.to_string()))
    }

    /// Takes the next byte, which must be one of these.
    fn take(&mut self, expected: &[u8]) -> Result<u8, Malformed> {
        match self.peek()? {
            Some(byte) if expected.contains(&byte) => {
                self.consume(1);
                Ok(byte)
            }
            Some(_) => {
                let expected = expected.iter().map(|byte| char::from(*byte)).collect::<String>();
                Err(self.malformed(&format!("none of {expected}")))
            }
            None => Err(self.malformed("EOF")),
        }
    }

    fn consume(&mut self, length: usize) {
        self.read += length as u64;
        self.reader.consume(length);
    }

    fn malformed(&self, what: &str) -> Malformed {
        Malformed(format!("{what} after {} bytes", self.read))
    }
}

/// Looks for the end of a value.
#[derive(Default)]
struct Scan {
    depth: usize,
    is_in_text: bool,
    is_escaped: bool,
    is_over: bool,
}

impl Scan {
    /// Whether it cannot be over yet.
    fn is_within(&self) -> bool {
        self.depth > 0 || self.is_in_text
    }

    /// How many bytes are of the value.
    fn go(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() && !self.is_over {
            if self.is_in_text {
                at += self.text(&bytes[at..]);
                continue;
            }
            match bytes[at] {
                b'"' => self.is_in_text = true,
                b'{' | b'[' => self.depth += 1,
                // What ends a number stands behind it.
                b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => {
                    self.is_over = true;
                    break;
                }
                b'}' | b']' => {
                    self.depth -= 1;
                    self.is_over = self.depth == 0;
                }
                _ => {}
            }
            at += 1;
        }
        at
    }

    fn text(&mut self, bytes: &[u8]) -> usize {
        if std::mem::take(&mut self.is_escaped) {
            return 1;
        }
        let Some(at) = memchr2(b'"', b'\\', bytes) else { return bytes.len() };
        self.is_escaped = bytes[at] == b'\\';
        if !self.is_escaped {
            self.is_in_text = false;
            self.is_over = self.depth == 0;
        }
        at + 1
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use serde_json::{Value, json};

    use super::*;

    /// Reads a value to its leaves.
    fn whole<R: BufRead>(json: &mut JsonReader<R>) -> Result<Value, Malformed> {
        match json.peek()? {
            Some(b'{') => {
                let mut fields = serde_json::Map::new();
                json.object(|json, name| {
                    let value = whole(json)?;
                    fields.insert(name, value);
                    Ok::<_, Malformed>(())
                })?;
                Ok(fields.into())
            }
            Some(b'[') => {
                let mut items = Vec::new();
                json.array(|json| {
                    items.push(whole(json)?);
                    Ok::<_, Malformed>(())
                })?;
                Ok(items.into())
            }
            _ => serde_json::from_str(json.value()?).map_err(|error| Malformed(error.to_string())),
        }
    }

    #[test]
    fn values_are_read_as_they_are_however_the_text_is_cut() {
        let value = json!({
            "a \" \\ ü": ["", "}]", "\\\"{", 1.5e-3, -7, true, null, [], {}, [[["x"]]]],
            "b": {"c": {"d": [1, 2, 3]}, "": "\u{1f600}\n"}
        });
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            for size in 1..40 {
                let mut json = JsonReader::new(BufReader::with_capacity(size, text.as_bytes()));
                let read = whole(&mut json).map_err(|malformed| malformed.0).unwrap();
                assert!(json.end().is_ok());
                assert_eq!(read, value);
                let mut json = JsonReader::new(BufReader::with_capacity(size, text.as_bytes()));
                let text = json.value().map_err(|malformed| malformed.0).unwrap();
                assert_eq!(serde_json::from_str::<Value>(text).unwrap(), value);
            }
            for end in 0..text.len() {
                assert!(whole(&mut JsonReader::new(&text.as_bytes()[..end])).is_err(), "{end}");
            }
        }
    }

    #[test]
    fn what_is_no_json_is_rejected() {
        let texts = [
            "",
            "{",
            "[1 2]",
            "[1,]",
            "{\"a\" 1}",
            "{a: 1}",
            "{\"a\": }",
            "[}",
            "[\"\u{1}\"]",
            "tru",
        ];
        for text in texts {
            assert!(whole(&mut JsonReader::new(text.as_bytes())).is_err(), "{text}");
        }
        assert!(whole(&mut JsonReader::new(&b"[\"\xff\"]"[..])).is_err());
        let mut two = JsonReader::new(&b"1 2"[..]);
        assert!(whole(&mut two).is_ok() && two.end().is_err());
    }
}
