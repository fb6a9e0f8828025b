//! What grows with the records of a project: calls, lists, starts, snapshots and memory.
//!
//! A server in a process of its own is asked over HTTP, by one connection at a time unless something else is said.
//! The times are those of the wall: of many calls the median, so that what else the machine does is left out.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::shell::{Outcome, cargo, say};

type Measured<T> = Result<T, String>;

/// How many records there are in the columns of the table.
const SIZES: [(usize, &str); 3] = [(1_000, "1k"), (100_000, "100k"), (1_000_000, "1M")];

/// How long calls are made beside something else.
const BESIDE: Duration = Duration::from_secs(3);

/// Prints the table of growth.
pub(crate) fn growth() -> Outcome {
    cargo("build --release --package fabric-server")?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/growth");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let columns = SIZES.map(|(count, _)| measure(&folder, count));
    let columns = columns.into_iter().collect::<Measured<Vec<_>>>()?;
    say(&format!(
        "\n| by records in the project |{}",
        SIZES.map(|(_, size)| format!(" {size} |")).concat()
    ));
    say(&format!("|---|{}", "--:|".repeat(SIZES.len())));
    for (row, (name, _)) in columns[0].iter().enumerate() {
        let cells = columns.iter().map(|column| format!(" {} |", column[row].1));
        say(&format!("| {name} |{}", cells.collect::<String>()));
    }
    fs::remove_dir_all(&folder).map_err(|error| error.to_string())
}

type Row = (&'static str, String);

fn measure(folder: &Path, count: usize) -> Measured<Vec<Row>> {
    let fixtures = folder.join("fixtures.json");
    write_fixtures(&fixtures, count).map_err(|error| error.to_string())?;
    let empty = Server::start(&[])?;
    let at_rest = empty.memory("VmRSS")?;
    let server = Server::start(&["--fixtures", &fixtures.to_string_lossy()])?;
    let mut rows = vec![("start with fixtures", seconds(server.start))];
    let grown = server.memory("VmRSS")?.saturating_sub(at_rest);
    let bytes = format!("{} B", grown * 1024 / count as u64);
    let mut calls = server.connect()?;
    let known = format!("/v1/access-clients/{}", id_of(count / 2));
    let named = |part: &str| format!("/v1/access-clients?limit=10&name={part}");
    let json = |body: &'static str| Some(body);
    rows.push(("show", calls.median("GET", &known, None)?));
    rows.push(("update", calls.median("PUT", &known, json("{\"name\":\"renamed\"}"))?));
    rows.push(("create", calls.median("POST", "/v1/access-clients", json("{\"name\":\"made\"}"))?));
    let mut place = 0;
    let delete = calls.median_of(|calls| {
        place += 1;
        calls.call("DELETE", &format!("/v1/access-clients/{}", id_of(place)), None)
    });
    rows.push(("delete", delete?));
    rows.push(("list, at its start", calls.median("GET", "/v1/access-clients?limit=10", None)?));
    let end = format!("/v1/access-clients?limit=10&offset={}", count - 10);
    rows.push(("list, at its end", calls.median("GET", &end, None)?));
    let by_id = format!("/v1/access-clients?id={}", id_of(count / 2));
    rows.push(("list by id", calls.median("GET", &by_id, None)?));
    let first = Instant::now();
    calls.call("GET", &named("nowhere"), None)?;
    rows.push(("list by name, the first", milliseconds(first.elapsed())));
    rows.push(("list by name, no match", calls.median("GET", &named("nowhere"), None)?));
    let one = named(&format!("client-{}-", count / 3));
    rows.push(("list by name, one match", calls.median("GET", &one, None)?));
    rows.push(("list by name, all match", calls.median("GET", &named("client"), None)?));
    let beside = |what: Option<&str>| {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                let Some(target) = what else { return Ok::<_, String>(()) };
                let mut other = server.connect()?;
                while !is_over.load(Ordering::Relaxed) {
                    other.call("GET", target, None)?;
                }
                Ok(())
            });
            let shown = percentile(&mut server.connect()?, &known);
            is_over.store(true, Ordering::Relaxed);
            other.join().map_err(|_| "a thread panicked".to_owned())??;
            shown
        })
    };
    rows.push(("show, p99", beside(None)?));
    rows.push(("show, p99 beside lists by name, no match", beside(Some(&named("nowhere")))?));
    rows.push(("show, p99 beside lists by name, all match", beside(Some(&named("client")))?));
    rows.push(("show, p99 beside snapshots", beside(Some("/_mock/v1/snapshot"))?));
    let snapshot = folder.join("snapshot.json");
    server.forget_peak()?;
    let before = server.memory("VmRSS")?;
    let begun = Instant::now();
    let length = calls.download("/_mock/v1/snapshot", &snapshot)?;
    rows.push(("snapshot out", seconds(begun.elapsed())));
    rows.push(("snapshot out, peak to resident memory", ratio(server.memory("VmHWM")?, before)));
    drop(server);
    let begun = Instant::now();
    empty.connect()?.upload("/_mock/v1/snapshot", &snapshot)?;
    rows.push(("snapshot in", seconds(begun.elapsed())));
    let after = empty.memory("VmRSS")?;
    rows.push(("snapshot in, peak to resident memory", ratio(empty.memory("VmHWM")?, after)));
    rows.push(("length of the snapshot", format!("{} MB", length / 1_000_000)));
    rows.push(("memory a record, after a start with fixtures", bytes));
    let restored = after.saturating_sub(at_rest) * 1024 / count as u64;
    rows.push(("memory a record, after a snapshot in", format!("{restored} B")));
    let begun = Instant::now();
    empty.connect()?.call("POST", "/_mock/v1/reset", None)?;
    rows.push(("reset", seconds(begun.elapsed())));
    rows.push(("memory after the reset", format!("{} MB", empty.memory("VmRSS")? / 1024)));
    Ok(rows)
}

/// The id of a record: those of neighbours are as far from each other as can be.
fn id_of(number: usize) -> String {
    let high = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{:08x}-{:04x}-4000-8000-{number:012x}", high >> 32, high >> 16 & 0xffff)
}

fn write_fixtures(path: &Path, count: usize) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    write!(file, "{{\"access-clients\":[")?;
    for number in 0..count {
        let (separator, id) = (if number == 0 { "" } else { "," }, id_of(number));
        let (hours, minutes, seconds) = (number / 3600 % 24, number / 60 % 60, number % 60);
        writeln!(
            file,
            "{separator}{{\"id\":\"{id}\",\"name\":\"access-client-{number}-x\",\"vpc_id\":\"{id}\",\
             \"subnet_ids\":[\"{id}\"],\"create_time\":\"2025-09-15T{hours:02}:{minutes:02}:{seconds:02}.000Z\"}}"
        )?;
    }
    write!(file, "]}}")?;
    file.flush()
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

#[expect(clippy::cast_precision_loss, reason = "kilobytes of memory")]
fn ratio(one: u64, other: u64) -> String {
    format!("{:.2}", one as f64 / other.max(1) as f64)
}

/// The time that 99 of 100 calls take at most.
fn percentile(calls: &mut Calls, target: &str) -> Measured<String> {
    let mut times = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < BESIDE {
        let call = Instant::now();
        calls.call("GET", target, None)?;
        times.push(call.elapsed());
    }
    times.sort_unstable();
    Ok(milliseconds(times[times.len() * 99 / 100]))
}

/// A server in a process of its own.
struct Server {
    process: Child,
    address: String,
    start: Duration,
}

impl Server {
    fn start(arguments: &[&str]) -> Measured<Self> {
        let program: PathBuf =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/fabric-server");
        let begun = Instant::now();
        let mut process = Command::new(&program)
            .args(["--listen", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let mut line = String::new();
        let output = process.stdout.take().ok_or("the server says nothing")?;
        BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
        let start = begun.elapsed();
        let said: Value = serde_json::from_str(&line).unwrap_or_default();
        let address = said["listening"].as_str().and_then(|url| url.strip_prefix("http://"));
        let address =
            address.ok_or_else(|| format!("the server did not start: {line}"))?.to_owned();
        Ok(Self { process, address, start })
    }

    fn connect(&self) -> Measured<Calls> {
        let stream = TcpStream::connect(&self.address).map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        Ok(Calls(BufReader::new(stream)))
    }

    /// Memory in kilobytes, as Linux tells it.
    fn memory(&self, name: &str) -> Measured<u64> {
        let path = format!("/proc/{}/status", self.process.id());
        let status = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        number.ok_or_else(|| format!("{path} has no {name}"))
    }

    /// Lets the most memory that there was begin anew.
    fn forget_peak(&self) -> Measured<()> {
        let path = format!("/proc/{}/clear_refs", self.process.id());
        fs::write(&path, "5").map_err(|error| format!("{path}: {error}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Calls over a connection.
struct Calls(BufReader<TcpStream>);

impl Calls {
    /// The median time of a call.
    fn median(&mut self, method: &str, target: &str, body: Option<&str>) -> Measured<String> {
        self.median_of(|calls| calls.call(method, target, body))
    }

    fn median_of(&mut self, mut call: impl FnMut(&mut Self) -> Measured<()>) -> Measured<String> {
        const CALLS: usize = 101;
        let mut times = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            let begun = Instant::now();
            call(self)?;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        Ok(milliseconds(times[CALLS / 2]))
    }

    /// Makes a call that must succeed.
    fn call(&mut self, method: &str, target: &str, body: Option<&str>) -> Measured<()> {
        let body = body.unwrap_or_default();
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let length = body.len();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\n{kind}Content-Length: {length}\r\n\r\n{body}"
        );
        self.0.get_mut().write_all(request.as_bytes()).map_err(|error| error.to_string())?;
        self.answer(&mut std::io::sink()).map(drop)
    }

    /// Writes an answer to a file; gives its length.
    fn download(&mut self, target: &str, path: &Path) -> Measured<u64> {
        let mut file = File::create(path).map_err(|error| error.to_string())?;
        let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.0.get_mut().write_all(request.as_bytes()).map_err(|error| error.to_string())?;
        self.answer(&mut file)
    }

    fn upload(&mut self, target: &str, path: &Path) -> Measured<()> {
        let mut file = File::open(path).map_err(|error| error.to_string())?;
        let length = file.metadata().map_err(|error| error.to_string())?.len();
        let head = format!(
            "PUT {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        let stream = self.0.get_mut();
        stream.write_all(head.as_bytes()).map_err(|error| error.to_string())?;
        std::io::copy(&mut file, stream).map_err(|error| error.to_string())?;
        self.answer(&mut std::io::sink()).map(drop)
    }

    /// Reads an answer, which must be a success; gives the length of its body.
    fn answer(&mut self, body: &mut impl Write) -> Measured<u64> {
        let status = self.line()?;
        let (mut length, mut is_chunked) = (0, false);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(given) = line.strip_prefix("content-length: ") {
                length = given.parse().map_err(|_| format!("no length: {given}"))?;
            }
            is_chunked |= line == "transfer-encoding: chunked";
        }
        let mut total = 0;
        loop {
            if is_chunked {
                let line = self.line()?;
                length =
                    u64::from_str_radix(&line, 16).map_err(|_| format!("no length: {line}"))?;
            }
            let read = std::io::copy(&mut self.0.by_ref().take(length), body);
            total += read.map_err(|error| error.to_string())?;
            if is_chunked {
                self.line()?;
            }
            if !is_chunked || length == 0 {
                break;
            }
        }
        let is_success = status.split(' ').nth(1).is_some_and(|code| code.starts_with('2'));
        if is_success { Ok(total) } else { Err(format!("a call was answered with {status}")) }
    }

    fn line(&mut self) -> Measured<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).map_err(|error| error.to_string())?;
        Ok(line.trim_end().to_owned())
    }
}
