//! The log: a thread of its own writes it to standard error, so that no call waits for whoever reads it.

use std::io::{Result, Write};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// How many bytes may wait to be written. Lines for which there is no room are dropped.
const WAITING_MAX: usize = 1024 * 1024;

/// How long the end of the program waits until the last lines are written.
const LAST_LINES_TIME: Duration = Duration::from_secs(1);

/// Lines on their way to the output. A write never blocks: each is one line.
#[derive(Default)]
pub(crate) struct Log {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    lines: Vec<u8>,
    /// How many lines would stand behind `lines` if there had been room.
    dropped: u64,
    is_writing: bool,
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.dropped == 0
    }
}

impl Log {
    /// Starts the thread that writes.
    ///
    /// # Errors
    ///
    /// The system cannot start a thread.
    pub(crate) fn start(output: impl Write + Send + 'static) -> Result<Arc<Self>> {
        let log = Arc::new(Self::default());
        let writer = Arc::clone(&log);
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writer.write_to(output))?;
        Ok(log)
    }

    fn write_to(&self, mut output: impl Write) {
        let mut lines = Vec::new();
        loop {
            lines.clear();
            let mut queue = self.queue.lock();
            queue.is_writing = false;
            self.changed.notify_all();
            self.changed.wait_while(&mut queue, |queue| queue.is_empty());
            queue.is_writing = true;
            std::mem::swap(&mut queue.lines, &mut lines);
            let dropped = std::mem::take(&mut queue.dropped);
            drop(queue);
            if dropped > 0 {
                // A line like any other, in the format asked for: the next one after these.
                tracing::error!("{dropped} log lines were dropped: nobody read standard error");
            }
            // A log that cannot be written must not stop the server.
            let _ = output.write_all(&lines).and_then(|()| output.flush());
        }
    }
}

impl Write for &Log {
    fn write(&mut self, line: &[u8]) -> Result<usize> {
        let mut queue = self.queue.lock();
        let has_room = queue.lines.is_empty() || queue.lines.len() + line.len() <= WAITING_MAX;
        // After a line that was dropped the next ones are too, so that the gap is in one place.
        if has_room && queue.dropped == 0 {
            queue.lines.extend_from_slice(line);
            self.changed.notify_all();
        } else {
            queue.dropped += 1;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Waits when it is dropped until every line is written, or a second has passed.
pub(crate) struct LastLines(pub(crate) Arc<Log>);

impl Drop for LastLines {
    fn drop(&mut self) {
        let mut queue = self.0.queue.lock();
        let is_busy = |queue: &mut Queue| queue.is_writing || !queue.is_empty();
        self.0.changed.wait_while_for(&mut queue, is_busy, LAST_LINES_TIME);
    }
}
