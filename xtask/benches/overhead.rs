//! What our layers cost: the server against a bare axum handler, the client against bare reqwest,
//! reading and validating against `serde_json` alone.
//!
//! Both sides of each comparison take turns within one run, so that whatever else the machine does
//! meets both. Servers run in processes of their own on the first core, the load on the second.

#![expect(clippy::print_stdout, reason = "the figures are what a benchmark is for")]

use std::error::Error;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fabric_client::Client;
use fabric_model::access_client::{AccessClientCreate, AccessClientUpdate, CreateAccessClient};
use fabric_model::{Operation, Payload};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const BARE_SERVER: &str = "bare-server";
const SERVER_CORE: &str = "0";
const LOAD_CORE: &str = "1";
const SOAK: &str = "soak";
const UNDER_LOAD: &str = "FABRIC_BENCH_UNDER_LOAD";

/// Turns of each side.
const TURNS: usize = 15;

fn main() -> Outcome {
    if std::env::args().nth(1).as_deref() == Some(BARE_SERVER) {
        return tokio::runtime::Runtime::new()?.block_on(bare_server());
    }
    if std::env::var_os(UNDER_LOAD).is_none() && has_taskset() {
        // Once more, on the core of the load.
        let own = std::env::current_exe()?;
        let status = Command::new("taskset")
            .args(["--cpu-list", LOAD_CORE])
            .arg(own)
            .args(std::env::args_os().skip(1))
            .env(UNDER_LOAD, "1")
            .status()?;
        return if status.success() { Ok(()) } else { Err("the benchmark failed".into()) };
    }
    let runtime = runtime()?;
    let ours = Served::start(Command::new(shipped_server()?).args(["--listen", "0"]))?;
    if std::env::args().any(|argument| argument == SOAK) {
        return runtime.block_on(soak(&ours));
    }
    let off = ["--listen", "0", "--journal-limit", "0"];
    let without_journal = Served::start(Command::new(shipped_server()?).args(off))?;
    let bare = Served::start(Command::new(std::env::current_exe()?).arg(BARE_SERVER))?;
    println!("server: from exec to first answer     {:>6.1} ms", ours.start.as_secs_f64() * 1e3);
    println!(
        "server: resident memory at rest       {:>6} KiB; bare axum {} KiB; ratio {:.2} (aim: at most 2)",
        ours.memory()?,
        bare.memory()?,
        f64::from(ours.memory()?) / f64::from(bare.memory()?),
    );
    let id = runtime.block_on(create(&ours))?;
    let target = format!("/v1/access-clients/{id}");
    let title = "server: throughput to bare axum";
    runtime.block_on(server_throughput(title, &ours, &bare, &target))?;
    let id_without_journal = runtime.block_on(create(&without_journal))?;
    let target_without_journal = format!("/v1/access-clients/{id_without_journal}");
    let title = "server: the same without journal";
    runtime.block_on(server_throughput(title, &without_journal, &bare, &target_without_journal))?;
    println!("server: resident memory after load    {:>6} KiB", ours.memory()?);
    runtime.block_on(client_time(&bare, &id))?;
    reading_time()
}

fn runtime() -> Outcome<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// A handler that parses the same body and answers the same success, and nothing else.
async fn bare_server() -> Outcome {
    async fn update(axum::Json(body): axum::Json<AccessClientUpdate>) {
        black_box(body);
    }
    let router = axum::Router::new()
        .route("/v1/access-clients/{client_id}", axum::routing::put(update))
        .route("/healthcheck", axum::routing::get(async || ()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{{\"listening\":\"http://{}\"}}", listener.local_addr()?);
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        stream.set_nodelay(true).ok();
    });
    Ok(axum::serve(listener, router).await?)
}

fn shipped_server() -> Outcome<std::path::PathBuf> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target/release/fabric-server")
        .canonicalize();
    path.map_err(|_| "no target/release/fabric-server: run this as `cargo xtask bench`".into())
}

fn has_taskset() -> bool {
    Command::new("taskset").arg("--version").stdout(Stdio::null()).status().is_ok()
}

/// A server in a process of its own, on the core of the servers.
struct Served {
    process: Child,
    address: SocketAddr,
    start: Duration,
}

impl Served {
    fn start(command: &Command) -> Outcome<Self> {
        let mut pinned = if has_taskset() {
            let mut pinned = Command::new("taskset");
            pinned.args(["--cpu-list", SERVER_CORE]).arg(command.get_program());
            pinned
        } else {
            Command::new(command.get_program())
        };
        let begin = Instant::now();
        let mut process = pinned
            .args(command.get_args())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        let output = process.stdout.take().ok_or("no standard output")?;
        BufReader::new(output).read_line(&mut line)?;
        let address = serde_json::from_str::<serde_json::Value>(&line)?["listening"]
            .as_str()
            .and_then(|url| url.strip_prefix("http://"))
            .ok_or("no address in the first line")?
            .parse()?;
        let mut served = Self { process, address, start: Duration::ZERO };
        let request = request("GET", "/healthcheck", "");
        runtime()?.block_on(served.load(1, Duration::ZERO, &request))?;
        served.start = begin.elapsed();
        Ok(served)
    }

    /// Resident memory in KiB.
    fn memory(&self) -> Outcome<u32> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        Ok(line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("no VmRSS")?.parse()?)
    }

    /// Sends the request over so many connections, one after another on each, for so long, at least
    /// once. Gives the answers per second.
    async fn load(&self, connections: u32, time: Duration, request: &str) -> Outcome<f64> {
        let begin = Instant::now();
        let total = self.exchange(connections, request, move |_| begin.elapsed() < time).await?;
        Ok(f64::from(total) / begin.elapsed().as_secs_f64())
    }

    /// Sends the request so many times over each of so many connections.
    async fn calls(&self, connections: u32, each: u32, request: &str) -> Outcome {
        self.exchange(connections, request, move |count| count < each).await.map(|_| ())
    }

    async fn exchange(
        &self,
        connections: u32,
        request: &str,
        goes_on: impl Fn(u32) -> bool + Copy + Send + 'static,
    ) -> Outcome<u32> {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..connections {
            let mut stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            let request = request.to_owned();
            tasks.spawn(async move {
                let mut answer = [0; 4096];
                let mut count = 0_u32;
                while count == 0 || goes_on(count) {
                    stream.write_all(request.as_bytes()).await?;
                    let mut length = 0;
                    // The answers have no body, so the empty line is their end.
                    while !answer[..length].ends_with(b"\r\n\r\n") {
                        let read = stream.read(&mut answer[length..]).await?;
                        if read == 0 {
                            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
                        }
                        length += read;
                    }
                    if !answer.starts_with(b"HTTP/1.1 200") {
                        return Err(std::io::Error::other("not a success"));
                    }
                    count += 1;
                }
                Ok(count)
            });
        }
        let mut total = 0;
        while let Some(count) = tasks.join_next().await {
            total += count??;
        }
        Ok(total)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn request(method: &str, target: &str, body: &str) -> String {
    format!(
        "{method} {target} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn create(server: &Served) -> Outcome<String> {
    let client = Client::new(&format!("http://{}", server.address))?;
    let created = client.access_clients().create(AccessClientCreate::default()).await?;
    Ok(created.id.ok_or("an access client without an id")?)
}

/// A million calls with the journal on: what it takes at the end is what it took after the first tenth.
async fn soak(server: &Served) -> Outcome {
    const CONNECTIONS: u32 = 16;
    const CALLS: u32 = 1_000_000;
    let target = format!("/v1/access-clients/{}", create(server).await?);
    let request = request("PUT", &target, BODY);
    let mut after_first = 0;
    for part in 1..=10_u32 {
        server.calls(CONNECTIONS, CALLS / 10 / CONNECTIONS, &request).await?;
        let memory = server.memory()?;
        println!("after {:>9} calls: {memory} KiB", CALLS / 10 * part);
        if part == 1 {
            after_first = memory;
        }
    }
    let ratio = f64::from(server.memory()?) / f64::from(after_first);
    println!("soak: memory at the end, to after 100,000 calls: {ratio:.3} (aim: 0.90 to 1.10)");
    if (0.9..=1.1).contains(&ratio) { Ok(()) } else { Err("the memory is not bounded".into()) }
}

const BODY: &str = r#"{"name":"zzh_test1122"}"#;

async fn server_throughput(title: &str, ours: &Served, bare: &Served, target: &str) -> Outcome {
    const CONNECTIONS: u32 = 16;
    let request = request("PUT", target, BODY);
    let time = Duration::from_millis(700);
    for server in [ours, bare] {
        server.load(CONNECTIONS, time, &request).await?;
    }
    let mut ratios = Vec::new();
    let mut best = (0.0_f64, 0.0_f64);
    for turn in 0..TURNS {
        let (our_rate, bare_rate) = if turn % 2 == 0 {
            let our_rate = ours.load(CONNECTIONS, time, &request).await?;
            (our_rate, bare.load(CONNECTIONS, time, &request).await?)
        } else {
            let bare_rate = bare.load(CONNECTIONS, time, &request).await?;
            (ours.load(CONNECTIONS, time, &request).await?, bare_rate)
        };
        best = (best.0.max(our_rate), best.1.max(bare_rate));
        ratios.push(our_rate / bare_rate);
    }
    println!("server: best rate, ours and bare      {:>6.0} /s, {:.0} /s", best.0, best.1);
    report(title, "at least 0.90", &mut ratios);
    Ok(())
}

async fn client_time(server: &Served, id: &str) -> Outcome {
    const CALLS: u32 = 1_500;
    let endpoint = format!("http://{}", server.address);
    let client = Client::new(&endpoint)?;
    let bare = reqwest::Client::builder().no_proxy().build()?;
    let url = format!("{endpoint}/v1/access-clients/{id}");
    let update = AccessClientUpdate { name: Some("zzh_test1122".to_owned()) };
    let ours = async || -> Outcome<Duration> {
        let begin = Instant::now();
        for _ in 0..CALLS {
            client.access_clients().update(id, update.clone()).await?;
        }
        Ok(begin.elapsed())
    };
    let theirs = async || -> Outcome<Duration> {
        let begin = Instant::now();
        for _ in 0..CALLS {
            let body = serde_json::to_vec(&update)?;
            let call = bare.put(&url).header("content-type", "application/json").body(body);
            black_box(call.send().await?.error_for_status()?.bytes().await?);
        }
        Ok(begin.elapsed())
    };
    ours().await?;
    theirs().await?;
    let mut ratios = Vec::new();
    for turn in 0..TURNS {
        let (our_time, bare_time) = if turn % 2 == 0 {
            let our_time = ours().await?;
            (our_time, theirs().await?)
        } else {
            let bare_time = theirs().await?;
            (ours().await?, bare_time)
        };
        ratios.push(our_time.as_secs_f64() / bare_time.as_secs_f64());
    }
    report("client: time per call to bare reqwest", "at most 1.05", &mut ratios);
    Ok(())
}

fn reading_time() -> Outcome {
    let create = CreateAccessClient::example().request.body.write()?;
    for (name, body) in [("update", BODY.as_bytes().to_vec()), ("create", create)] {
        let mut ratios = match name {
            "update" => reading_ratios::<AccessClientUpdate>(&body),
            _ => reading_ratios::<AccessClientCreate>(&body),
        };
        let title = format!("model: read and validate to parse, {name}");
        report(&title, "at most 1.25", &mut ratios);
    }
    Ok(())
}

fn reading_ratios<P: Payload>(body: &[u8]) -> Vec<f64> {
    const ROUNDS: u32 = 200_000;
    let time = |read: &dyn Fn() -> bool| {
        let begin = Instant::now();
        for _ in 0..ROUNDS {
            assert!(read(), "the body is valid");
        }
        begin.elapsed().as_secs_f64()
    };
    let ours = || P::read(black_box(body)).is_ok_and(|read| read.validate().is_ok());
    let bare = || black_box(serde_json::from_slice::<P>(black_box(body))).is_ok();
    time(&ours);
    time(&bare);
    (0..TURNS).map(|_| time(&ours) / time(&bare)).collect()
}

/// The median of the ratios, and the middle half of them.
fn report(title: &str, aim: &str, ratios: &mut [f64]) {
    ratios.sort_by(f64::total_cmp);
    let at = |quarter: usize| ratios[quarter * (ratios.len() - 1) / 4];
    println!("{title:<37} {:>6.3} ({:.3} to {:.3}; aim: {aim})", at(2), at(1), at(3));
}
