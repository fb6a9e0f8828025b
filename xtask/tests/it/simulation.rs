//! Client and server with a bad network between them, over many seeds.
//!
//! reqwest opens its own sockets, so no simulated network can stand in their place. A relay on the loopback
//! interface does: for each connection it draws from the seed what becomes of it. A crash is what a client
//! sees of one: connections that break, and nobody who listens; what was done before stays done.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fabric_client::model::access_client::{
    AccessClientCreate, AccessClientUpdate, ListAccessClientsQuery,
};
use fabric_client::{Client, Error, Retry};
use fabric_server::MockServer;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// What becomes of a connection.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// It works, after a while.
    Late(u64),
    /// It is closed before anything is read.
    Closed,
    /// The request is read and lost.
    RequestLost,
    /// The request arrives, the answer is lost.
    AnswerLost,
    /// The request arrives, and the answer is cut in half.
    AnswerCut,
    /// Nothing is heard of it.
    Silent,
    /// The server goes down with this and every other connection, and is up again after a while, with
    /// what it had done.
    Crash(u64),
}

/// Draws fates: most connections work, but now and then none does for a while.
struct Network {
    random: fastrand::Rng,
    /// How many more connections meet a partition.
    partition: u32,
}

impl Network {
    fn new(seed: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), partition: 0 }
    }

    fn draw(&mut self) -> Fate {
        if self.partition > 0 {
            self.partition -= 1;
            return if self.random.bool() { Fate::Closed } else { Fate::Silent };
        }
        match self.random.u32(..100) {
            0..60 => Fate::Late(self.random.u64(..8)),
            60..68 => Fate::Closed,
            68..76 => Fate::RequestLost,
            76..84 => Fate::AnswerLost,
            84..90 => Fate::AnswerCut,
            90..94 => Fate::Silent,
            94..97 => Fate::Crash(self.random.u64(10..80)),
            _ => {
                self.partition = self.random.u32(1..8);
                Fate::Closed
            }
        }
    }
}

/// Relays connections to the server, each with its fate. Returns where it listens.
///
/// Each request on its way holds a clone of `underway`.
async fn relay(server: SocketAddr, network: Arc<Mutex<Network>>, underway: Arc<()>) -> String {
    let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = first.local_addr().unwrap();
    tokio::spawn(async move {
        let mut listener = first;
        loop {
            let mut connections = JoinSet::new();
            let down_for = loop {
                let (stream, _) = listener.accept().await.unwrap();
                match network.lock().draw() {
                    Fate::Crash(milliseconds) => break milliseconds,
                    fate => connections.spawn(carry(stream, server, fate, underway.clone())),
                };
            };
            // Whoever connects meanwhile is refused.
            drop(listener);
            connections.abort_all();
            sleep(Duration::from_millis(down_for)).await;
            listener = TcpListener::bind(address).await.unwrap();
        }
    });
    format!("http://{address}")
}

/// Carries one request and its answer, or what the fate makes of them.
async fn carry(
    mut client: TcpStream,
    server: SocketAddr,
    fate: Fate,
    underway: Arc<()>,
) -> Option<()> {
    if matches!(fate, Fate::Closed) {
        return None;
    }
    let mut buffer = vec![0; 65_536];
    let length = client.read(&mut buffer).await.ok()?;
    match fate {
        Fate::RequestLost => return None,
        // Until the caller gives up: an attempt without a limit would never end.
        Fate::Silent => {
            let _ = client.read(&mut buffer).await;
            return None;
        }
        Fate::Late(milliseconds) => sleep(Duration::from_millis(milliseconds)).await,
        _ => {}
    }
    // What has reached the server is done, although the connection breaks.
    let exchange = tokio::spawn(async move {
        let mut upstream = TcpStream::connect(server).await.ok()?;
        upstream.write_all(&buffer[..length]).await.ok()?;
        let length = upstream.read(&mut buffer).await.ok()?;
        drop(underway);
        Some((buffer, length))
    });
    let (buffer, length) = exchange.await.ok()??;
    match fate {
        Fate::AnswerLost => None,
        Fate::AnswerCut => client.write_all(&buffer[..length / 2]).await.ok(),
        _ => client.write_all(&buffer[..length]).await.ok(),
    }
}

/// Less than what all attempts together may take.
const DEADLINE: Duration = Duration::from_millis(400);

/// What a call came to, as far as it says whether the service did it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Said {
    Done,
    NotDone,
    InDoubt,
}

/// What a call came to, which ends whatever the network does.
async fn ended<T>(call: impl Future<Output = Result<T, Error>>) -> (Said, Option<T>) {
    let outcome =
        tokio::time::timeout(Duration::from_mins(1), call).await.expect("a call that ends");
    match outcome {
        Ok(value) => (Said::Done, Some(value)),
        Err(error) if error.is_in_doubt() => (Said::InDoubt, None),
        Err(Error::Connect(_)) => (Said::NotDone, None),
        Err(error) => panic!("{error:?}"),
    }
}

/// Renames, creates and deletes over the bad network, and looks over a good one at what came of it.
/// Returns how many calls were done, not done, and in doubt.
async fn run(seed: u64) -> [usize; 3] {
    let mut counts = [0; 3];
    let server = MockServer::start().await;
    let network = Arc::new(Mutex::new(Network::new(seed)));
    let underway = Arc::new(());
    let endpoint = relay(server.address(), network, underway.clone()).await;
    let good = Client::new(server.endpoint()).unwrap();
    let bad = Client::builder(&endpoint)
        // A connection for each attempt, so that each has a fate of its own.
        .idle_connections(0)
        .retry(
            Retry::default().attempts(4).delays(Duration::from_millis(2), Duration::from_millis(8)),
        )
        .attempt_timeout(Duration::from_millis(300))
        .timeout(DEADLINE)
        .build()
        .unwrap();
    // A call that has ended in doubt may have left a request on its way. The relay itself holds a clone.
    let quiet = async || {
        while Arc::strong_count(&underway) > 2 {
            sleep(Duration::from_millis(1)).await;
        }
    };
    let count = async || {
        good.access_clients().list(ListAccessClientsQuery::default()).await.unwrap().total.unwrap()
    };
    let name = async |id: &str| good.access_clients().show(id).await.unwrap().name.unwrap();
    let victim = good.access_clients().create(AccessClientCreate::default()).await.unwrap();
    let (id, mut known) = (victim.id.unwrap(), victim.name.unwrap());
    let mut records = count().await;
    for step in 0..12 {
        // A rename that is acknowledged is there; one that is not is there or not, and nothing else is.
        let wanted = format!("name-{step}");
        let update = AccessClientUpdate { name: Some(wanted.clone()) };
        let (said, _) = ended(bad.access_clients().update(&id, update)).await;
        counts[said as usize] += 1;
        quiet().await;
        let now = name(&id).await;
        match said {
            Said::Done => assert_eq!(now, wanted, "seed {seed}: a rename is lost"),
            Said::NotDone => assert_eq!(now, known, "seed {seed}: a rename that was not sent"),
            Said::InDoubt => assert!(now == wanted || now == known, "seed {seed}: {now}"),
        }
        known = now;
        // A create makes one, or none, and never two.
        let (said, created) =
            ended(bad.access_clients().create(AccessClientCreate::default())).await;
        counts[said as usize] += 1;
        quiet().await;
        let made = count().await - records;
        match said {
            Said::Done => assert_eq!(made, 1, "seed {seed}: a create made {made}"),
            Said::NotDone => assert_eq!(made, 0, "seed {seed}: a create that was not sent"),
            Said::InDoubt => assert!(made <= 1, "seed {seed}: a create made {made}"),
        }
        records += made;
        let Some(new) = created.and_then(|created| created.id) else { continue };
        let (said, _) = ended(bad.access_clients().delete(&new)).await;
        counts[said as usize] += 1;
        quiet().await;
        let is_there = good.access_clients().show(&new).await.is_ok();
        match said {
            Said::Done => assert!(!is_there, "seed {seed}: a delete is lost"),
            Said::NotDone => assert!(is_there, "seed {seed}: a delete that was not sent"),
            Said::InDoubt => {}
        }
        records = count().await;
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_is_done_twice() {
    let mut total = [0; 3];
    for seeds in (0..64_u64).collect::<Vec<_>>().chunks(16) {
        let runs: Vec<_> = seeds.iter().map(|seed| tokio::spawn(run(*seed))).collect();
        for run in runs {
            let counts = run.await.unwrap();
            total = std::array::from_fn(|place| total[place] + counts[place]);
        }
    }
    // Otherwise nothing was shown.
    let [done, not_done, in_doubt] = total;
    assert!(done > 1_000 && not_done > 0 && in_doubt > 50, "{total:?}");
}
