//! Handshakes of TLS that stop, that are wrong, or that are many.

use std::time::Duration;

use crate::attack::attacker::{Attack, Attacker, On, PATIENCE, Running};
use crate::attack::slow::{Caller, each};

const FLAGS: &[&str] = &[
    "--head-timeout",
    "1s",
    "--idle-timeout",
    "1s",
    "--request-timeout",
    "1s",
    "--tls-self-signed",
    "{folder}/authority.pem",
];

const fn slow(name: &'static str, does: &'static str, run: fn(Attacker) -> Running) -> Attack {
    let on = On::Server { flags: FLAGS, run };
    Attack { name, does, promise: "the server ends every connection", share: 5, at_most: 500, on }
}

pub(crate) const ATTACKS: &[Attack] = &[
    slow("tls-silent", "handshakes that do not begin", |attacker| each(attacker, Caller::of(b""))),
    slow("tls-half", "handshakes that stop in the first message", |attacker| {
        each(attacker, Caller::of(&hello()[..40]))
    }),
    slow("tls-unfinished", "handshakes that stop after the first message", |attacker| {
        each(attacker, Caller::of(&hello()))
    }),
    Attack {
        name: "tls-noise",
        does: "first messages with other bytes here and there",
        promise: "each is answered or its connection ended, and others are served",
        share: 20,
        at_most: 50_000,
        on: On::Server { flags: FLAGS, run: |attacker| Box::pin(and_others(attacker, noise)) },
    },
    Attack {
        name: "tls-handshakes",
        does: "handshakes that end once the server has signed",
        promise: "others are served",
        share: 20,
        at_most: 20_000,
        on: On::Server { flags: FLAGS, run: |attacker| Box::pin(and_others(attacker, handshakes)) },
    },
];

/// Attacks, and begins a handshake of its own afterwards: the polite caller does not speak TLS.
async fn and_others<F>(mut attacker: Attacker, attack: fn(Attacker) -> F) -> Result<(), String>
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let other = attacker.fork(1);
    attacker.crowd(16, attack).await?;
    if begins(&other, &hello()).await == Some(HANDSHAKE) {
        Ok(())
    } else {
        Err("another handshake is not answered".to_owned())
    }
}

/// The first bytes of records.
const HANDSHAKE: u8 = 0x16;
const ALERT: u8 = 0x15;

/// Sends a first message, and returns the first byte of what comes, if anything does.
async fn begins(attacker: &Attacker, message: &[u8]) -> Option<u8> {
    attacker.judge.sent();
    let mut connection = attacker.connect().await.ok()?;
    connection.send(message).await.ok()?;
    connection.bytes(PATIENCE).await?.first().copied()
}

fn count(attacker: &Attacker, first: Option<u8>) {
    attacker.judge.got(match first {
        Some(HANDSHAKE) => "a handshake",
        Some(ALERT) => "an alert",
        Some(_) => "noise",
        None => "the end",
    });
}

async fn noise(mut attacker: Attacker) -> Result<(), String> {
    for _ in 0..attacker.amount {
        let mut message = hello();
        for _ in 0..attacker.random.u8(1..4) {
            let at = attacker.random.usize(..message.len());
            message[at] = attacker.random.u8(..);
        }
        let first = begins(&attacker, &message).await;
        count(&attacker, first);
    }
    Ok(())
}

async fn handshakes(attacker: Attacker) -> Result<(), String> {
    for _ in 0..attacker.amount {
        let first = begins(&attacker, &hello()).await;
        count(&attacker, first);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

/// The first message of TLS 1.3, with a group and a point that the server takes.
fn hello() -> Vec<u8> {
    let sized = |bytes: &[u8]| {
        let mut all = u16::try_from(bytes.len()).unwrap_or_default().to_be_bytes().to_vec();
        all.extend_from_slice(bytes);
        all
    };
    let extension = |kind: u16, bytes: &[u8]| [kind.to_be_bytes().to_vec(), sized(bytes)].concat();
    // The base point of the curve.
    let mut point = [0; 32];
    point[0] = 9;
    let share = [vec![0, 0x1d], sized(&point)].concat();
    let extensions = [
        extension(43, &[2, 3, 4]),
        extension(10, &sized(&[0, 0x1d])),
        extension(13, &sized(&[4, 3, 8, 4, 8, 7])),
        extension(51, &sized(&share)),
    ]
    .concat();
    let body = [
        vec![3, 3],
        vec![7; 32],
        vec![0],
        sized(&[0x13, 1, 0x13, 2, 0x13, 3]),
        vec![1, 0],
        sized(&extensions),
    ]
    .concat();
    let message = [vec![1, 0], sized(&body)].concat();
    [vec![0x16, 3, 1], sized(&message)].concat()
}
