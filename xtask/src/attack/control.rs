//! The control surface: bodies without end, searches of the journal, and snapshots that are wrong.

use serde_json::{Value, json};

use crate::attack::answer::Surface;
use crate::attack::attacker::{Attack, Attacker, On, PATIENCE, request};
use crate::attack::connection::Received;

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "control-bodies",
        does: "four snapshots of 200 MiB at once, in chunks, that stop before their end",
        promise: "the budget of bodies is kept, and the connections end in time",
        share: 1,
        at_most: 4,
        on: On::Server {
            flags: &[
                "--control-bodies-limit",
                "16777216",
                "--bodies-limit",
                "33554432",
                "--request-timeout",
                "3s",
            ],
            run: |attacker| Box::pin(bodies(attacker)),
        },
    },
    Attack {
        name: "control-journal",
        does: "searches and lists of a full journal, many at once",
        promise: "the polite caller is served",
        share: 5,
        at_most: 1000,
        on: On::Server {
            flags: &["--journal-limit", "16777216"],
            run: |attacker| Box::pin(journal(attacker)),
        },
    },
    Attack {
        name: "control-snapshots",
        does: "snapshots with values changed, removed and made up",
        promise: "each is restored or rejected, and what is wrong changes nothing",
        share: 20,
        at_most: 20_000,
        on: On::Server { flags: &[], run: |attacker| Box::pin(snapshots(attacker)) },
    },
    Attack {
        name: "control-large-snapshots",
        does: "snapshots with many thousand records",
        promise: "memory follows from what they hold",
        share: 1,
        at_most: 20,
        on: On::Server {
            flags: &["--control-bodies-limit", "16777216"],
            run: |attacker| Box::pin(large(attacker)),
        },
    },
];

async fn bodies(attacker: Attacker) -> Result<(), String> {
    const CHUNKS: u32 = 200;
    let amount = attacker.amount.max(4);
    attacker
        .crowd(amount, |attacker| async move {
            attacker.judge.sent();
            let Ok(mut connection) = attacker.connect().await else { return Ok(()) };
            let head = "PUT /_mock/v1/snapshot HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
            let mut is_sent = connection.send(head.as_bytes()).await.is_ok();
            let mut chunk = b"100000\r\n".to_vec();
            chunk.resize(chunk.len() + 0x10_0000, b' ');
            chunk.extend_from_slice(b"\r\n");
            for _ in 0..CHUNKS {
                if !is_sent {
                    break;
                }
                is_sent = connection.send(&chunk).await.is_ok();
            }
            match connection.answer(false, PATIENCE).await {
                Received::Answer(answer) => attacker.judge.answer(&answer, Surface::Control, true, false),
                Received::Closed => attacker.judge.got("closed"),
                other => return Err(format!("{other:?} to a snapshot without end")),
            }
            Ok(())
        })
        .await
}

async fn journal(attacker: Attacker) -> Result<(), String> {
    let body = json!({"name": "n".repeat(50_000)}).to_string();
    for _ in 0..100 {
        attacker
            .ask(&request("POST", "/v1/workspaces", "", body.as_bytes()), Surface::Service)
            .await;
    }
    attacker
        .crowd(8, |mut attacker| async move {
            for _ in 0..attacker.amount {
                let calls = json!({"operation": "CreateWorkspace", "body": {"name": "none"}});
                let verify = json!({"calls": calls, "count": 3}).to_string();
                let call = match attacker.random.u8(..3) {
                    0 => request("GET", "/_mock/v1/journal?limit=1000", "", b""),
                    1 => request("GET", "/_mock/v1/journal?path=none", "", b""),
                    _ => request("POST", "/_mock/v1/journal/verify", "", verify.as_bytes()),
                };
                attacker.ask(&call, Surface::Control).await;
            }
            Ok(())
        })
        .await
}

async fn snapshots(mut attacker: Attacker) -> Result<(), String> {
    for number in 0..5 {
        let body = json!({"name": format!("workspace-{number}")}).to_string();
        attacker
            .ask(&request("POST", "/v1/workspaces", "", body.as_bytes()), Surface::Service)
            .await;
    }
    let snapshot = get(&attacker, "/_mock/v1/snapshot").await?;
    for _ in 0..attacker.amount {
        let mut changed = snapshot.clone();
        for _ in 0..attacker.random.u8(1..4) {
            change(&mut changed, &mut attacker.random);
        }
        let mut bytes = changed.to_string().into_bytes();
        if attacker.random.u8(..) < 20 {
            bytes.truncate(attacker.random.usize(..bytes.len()));
        }
        let status =
            attacker.ask(&request("PUT", "/_mock/v1/snapshot", "", &bytes), Surface::Control).await;
        if status == Some(204) {
            // What was taken in can be given out again.
            get(&attacker, "/_mock/v1/snapshot").await?;
            attacker.ask(&request("POST", "/_mock/v1/reset", "", b""), Surface::Control).await;
        }
    }
    Ok(())
}

async fn get(attacker: &Attacker, path: &str) -> Result<Value, String> {
    let mut connection = attacker.connect().await.map_err(|error| error.to_string())?;
    connection.send(&request("GET", path, "", b"")).await.map_err(|error| error.to_string())?;
    match connection.answer(false, PATIENCE).await {
        Received::Answer(answer) if answer.status == 200 => {
            serde_json::from_slice(&answer.body).map_err(|error| format!("{path}: {error}"))
        }
        other => Err(format!("{path}: {other:?}")),
    }
}

/// Changes a value somewhere inside.
pub(crate) fn change(value: &mut Value, random: &mut fastrand::Rng) {
    match value {
        Value::Object(fields) if !fields.is_empty() && random.u8(..) < 240 => {
            let number = random.usize(..fields.len());
            let name = fields.keys().nth(number).cloned().unwrap_or_default();
            match random.u8(..12) {
                0 => drop(fields.remove(&name)),
                1 => {
                    if let Some(value) = fields.remove(&name) {
                        fields.insert(format!("{name}x"), value);
                    }
                }
                _ => {
                    if let Some(field) = fields.get_mut(&name) {
                        change(field, random);
                    }
                }
            }
        }
        Value::Array(items) if !items.is_empty() && random.u8(..) < 240 => {
            let number = random.usize(..items.len());
            match random.u8(..4) {
                0 => items.push(items[number].clone()),
                _ => change(&mut items[number], random),
            }
        }
        _ => {
            let odd = [
                json!(null),
                json!(true),
                json!(-1),
                json!(0),
                json!(u64::MAX),
                json!(1e300),
                json!(""),
                json!([]),
                json!({}),
                json!("\u{1b}[31m\n"),
                json!("../../etc/passwd"),
                json!("9999-12-31T23:59:59Z"),
                json!("-0001-01-01T00:00:00Z"),
                json!("x".repeat(10_000)),
                json!("default"),
                json!(i64::MIN),
            ];
            *value = random.choice(odd).unwrap_or_default();
        }
    }
}

async fn large(attacker: Attacker) -> Result<(), String> {
    let create = json!({"name": "one"}).to_string();
    attacker
        .ask(&request("POST", "/v1/access-clients", "", create.as_bytes()), Surface::Service)
        .await;
    let mut snapshot = get(&attacker, "/_mock/v1/snapshot").await?;
    multiply(&mut snapshot, 10_000);
    let body = snapshot.to_string();
    for _ in 0..attacker.amount {
        attacker
            .ask(&request("PUT", "/_mock/v1/snapshot", "", body.as_bytes()), Surface::Control)
            .await;
        attacker
            .ask(&request("GET", "/v1/access-clients?name=none", "", b""), Surface::Service)
            .await;
    }
    Ok(())
}

/// Repeats the access clients of a snapshot, each with an id of its own.
fn multiply(value: &mut Value, times: usize) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::Array(records) if name == "access-clients" && !records.is_empty() => {
                        let record = records[0].clone();
                        records.clear();
                        records.extend((0..times).map(|number| {
                            let mut record = record.clone();
                            record["id"] = json!(format!("attacked-{number}"));
                            record
                        }));
                    }
                    field => multiply(field, times),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| multiply(item, times)),
        _ => {}
    }
}
