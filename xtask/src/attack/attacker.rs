//! What an attack is, and what it attacks with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::attack::answer::Surface;
use crate::attack::connection::{Connection, Received};
use crate::attack::judge::Judge;

/// One attack: a name, what it does, and how it is judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attack {
    /// How `--only` and the table call it.
    pub(crate) name: &'static str,
    /// What it does, in a line.
    pub(crate) does: &'static str,
    /// What is promised besides what is promised of every attack.
    pub(crate) promise: &'static str,
    /// How many of a thousand requests of a run it makes.
    pub(crate) share: u64,
    /// The most requests or connections that it makes, or that a command may make.
    pub(crate) at_most: u64,
    pub(crate) on: On,
}

/// What is attacked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum On {
    /// A server of its own with these flags. `{folder}` in a flag is the folder of the files of attacks.
    Server { flags: &'static [&'static str], run: fn(Attacker) -> Running },
    /// The same, where something is unlike usual.
    ServerIn {
        surroundings: Surroundings,
        flags: &'static [&'static str],
        run: fn(Attacker) -> Running,
    },
    /// A program that calls a hostile server at `{address}`, which serves each connection this way.
    Command {
        program: &'static str,
        arguments: &'static [&'static str],
        serve: fn(TcpStream, Rng) -> Serving,
        ends: Ends,
    },
    /// The start of the server, by hostile files after this flag.
    Start { flag: &'static str, file: fn(&mut Rng) -> Vec<u8> },
}

/// What a server runs in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Surroundings {
    Usual,
    /// Standard error is a pipe that nobody reads, and every rejection is logged.
    UnreadLog,
    /// The system lets it open 100 files and connections.
    FewDescriptors,
}

/// How the command must end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ends {
    /// Soon, and by itself.
    ByItself,
    /// There is no end of what it asked for: it may go on, within its memory.
    MayGoOn,
}

/// An attack on a server. An error is a promise that was broken.
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// A hostile server.
pub(crate) type Serving = Pin<Box<dyn Future<Output = std::io::Result<()>> + Send>>;

/// How long a request that is whole may go unanswered. The limits of the servers are a few seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What the servers demand where callers are known. Others accept it too.
pub(crate) const TOKEN: &str = "attack-polite-token";

/// The means of an attack on a server.
#[derive(Debug)]
pub(crate) struct Attacker {
    pub(crate) address: SocketAddr,
    pub(crate) judge: Arc<Judge>,
    /// How many requests or connections to make.
    pub(crate) amount: u64,
    pub(crate) random: Rng,
    /// The process of the server.
    pub(crate) process: u32,
    /// Where the documents of `openapi/` are.
    pub(crate) documents: PathBuf,
    held: Arc<Mutex<Vec<Connection>>>,
}

impl Attacker {
    pub(crate) fn new(
        address: SocketAddr,
        process: u32,
        judge: Arc<Judge>,
        amount: u64,
        random: Rng,
    ) -> Self {
        let documents = crate::shell::root().join("openapi");
        Self { address, judge, amount, random, process, documents, held: Arc::default() }
    }

    /// Another one like it, with random numbers of its own, which holds its connections together with this one.
    pub(crate) fn fork(&mut self, amount: u64) -> Self {
        Self {
            address: self.address,
            judge: self.judge.clone(),
            amount,
            random: self.random.fork(),
            process: self.process,
            documents: self.documents.clone(),
            held: self.held.clone(),
        }
    }

    /// Connects from 127.0.0.1.
    pub(crate) async fn connect(&self) -> std::io::Result<Connection> {
        Connection::open(self.address, Ipv4Addr::LOCALHOST).await
    }

    /// Connects from one of many addresses of this machine, since each has only so many ports.
    pub(crate) async fn connect_from_anywhere(&mut self) -> std::io::Result<Connection> {
        let [a, b] = [self.random.u8(..), self.random.u8(1..255)];
        Connection::open(self.address, Ipv4Addr::new(127, 1, a, b)).await
    }

    /// Keeps a connection open until the attack is over.
    pub(crate) fn hold(&self, connection: Connection) {
        self.held().push(connection);
    }

    /// What was held, which is then let go by whoever asks.
    pub(crate) fn take_held(&self) -> Vec<Connection> {
        std::mem::take(&mut *self.held())
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Lets several attack at once, who share the amount.
    pub(crate) async fn crowd<F>(
        mut self,
        crowd: u64,
        attack: impl Fn(Attacker) -> F,
    ) -> Result<(), String>
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let crowd = crowd.min(self.amount).max(1);
        let mut tasks = JoinSet::new();
        for number in 0..crowd {
            let amount = self.amount / crowd + u64::from(number < self.amount % crowd);
            tasks.spawn(attack(self.fork(amount)));
        }
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(|error| format!("the attack itself broke: {error}"))??;
        }
        Ok(())
    }

    /// Sends a request that is whole, on a connection of its own, and judges its answer. `None` if the connection
    /// ended without one.
    pub(crate) async fn ask(&self, request: &[u8], surface: Surface) -> Option<u16> {
        let mut connection = self.connect().await.ok()?;
        self.ask_on(&mut connection, request, surface).await
    }

    /// As [`Self::ask`], on a connection.
    pub(crate) async fn ask_on(
        &self,
        connection: &mut Connection,
        request: &[u8],
        surface: Surface,
    ) -> Option<u16> {
        self.judge.sent();
        // A rejection may come before everything is sent.
        let _ = connection.send(request).await;
        match connection.answer(false, PATIENCE).await {
            Received::Answer(answer) => {
                self.judge.answer(&answer, surface, true, false);
                Some(answer.status)
            }
            Received::Closed => {
                self.judge.got("closed");
                None
            }
            Received::Nothing => {
                self.judge.violation("a whole request was not answered".to_owned());
                None
            }
            Received::Broken(reason) => {
                self.judge.violation(reason);
                None
            }
        }
    }
}

/// A request with a body in JSON, or without one.
pub(crate) fn request(method: &str, target: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut bytes = format!(
        "{method} {target} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         x-auth-token: {TOKEN}\r\n{headers}content-length: {length}\r\n\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
