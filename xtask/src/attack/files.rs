//! Files that the server is started with, and that are wrong: fixtures, snapshots, journals, credentials, settings.

use fastrand::Rng;
use serde_json::{Value, json};

use crate::attack::attacker::{Attack, On};
use crate::attack::control::change;

const fn start(
    name: &'static str,
    does: &'static str,
    flag: &'static str,
    file: fn(&mut Rng) -> Vec<u8>,
) -> Attack {
    Attack {
        name,
        does,
        promise: "the server starts, or says why not in one line",
        share: 1,
        at_most: 1000,
        on: On::Start { flag, file },
    }
}

pub(crate) const ATTACKS: &[Attack] = &[
    start("files-fixtures", "fixtures that are wrong", "--fixtures", |random| {
        changed(fixtures(), random)
    }),
    start("files-snapshot", "recorded or taken state that is wrong", "--snapshot", |random| {
        changed(snapshot(), random)
    }),
    start("files-journal", "recorded calls that are wrong", "--journal", |random| {
        changed(journal(), random)
    }),
    start("files-credentials", "credentials that are wrong", "--credentials", |random| {
        changed(credentials(), random)
    }),
    start("files-settings", "settings that are wrong", "--config", settings),
];

/// A file with some values changed, or some bytes, or with nothing of it left.
fn changed(mut file: Value, random: &mut Rng) -> Vec<u8> {
    for _ in 0..random.u8(1..4) {
        change(&mut file, random);
    }
    let mut bytes = file.to_string().into_bytes();
    match random.u8(..12) {
        0 => bytes.truncate(random.usize(..=bytes.len())),
        1 => bytes = "[".repeat(random.usize(1..200_000)).into_bytes(),
        2 => {
            for _ in 0..random.usize(1..5) {
                if !bytes.is_empty() {
                    let at = random.usize(..bytes.len());
                    bytes[at] = random.u8(..);
                }
            }
        }
        _ => {}
    }
    bytes
}

fn fixtures() -> Value {
    json!({
        "access-clients": [{"name": "analytics-1", "project_id": "other", "create_time": "2025-09-15T08:30:00.000Z"}],
        "workspaces": [{"name": "fabric", "id": "w"}],
        "endpoints": [{"workspace_id": "w", "name": "endpoint", "status": "CREATE_FAILED", "error_code": "a", "error_msg": "b"}],
        "features": [{"key": "endpoint.ray", "value": "false"}],
    })
}

fn snapshot() -> Value {
    json!({
        "version": 2,
        "seed": 1,
        "projects_made": 0,
        "clocks": {"server": {"ahead": 0}, "projects": {"default": {"ahead": 5}}},
        "projects": {"default": {"drawn": [2, 0], "tables": {"workspaces": [{
            "id": "5f7a1bf0-a5c9-421d-8259-a3daef9c5a92",
            "name": "fabric",
            "enterprise_project_id": "0",
            "access_url": "https://5f7a1bf0.fabric.example.com/",
            "create_domain_name": "mock",
            "create_user_name": "mock",
            "created_at": "2026-11-24T23:37:22.496000000Z",
        }], "features": [{"key": "endpoint.ray", "value": "true"}]}}},
    })
}

fn journal() -> Value {
    json!({"evicted": 0, "entries": [{
        "sequence": 1,
        "time": "2026-11-24T23:37:22.496Z",
        "project_id": "default",
        "operation": "CreateWorkspace",
        "method": "POST",
        "target": "/v1/workspaces",
        "parameters": {},
        "headers": {"content-type": "application/json"},
        "body": {"name": "fabric"},
        "body_bytes": 17,
        "status": 200,
        "error_code": null,
        "answer": {"name": "fabric"},
        "request_id": "9135e0c4-d25e-4c1b-a179-6e42035eeeac-1795563442496-vm",
        "microseconds": 631,
        "fault": null,
        "reason": null,
    }]})
}

fn credentials() -> Value {
    json!({
        "tokens": [{
            "token": "MIIabc",
            "project_id": "p",
            "expires_at": "2030-01-01T00:00:00Z",
            "actions": ["DataArtsFabric::showVpcepClient"],
        }],
        "access_keys": [{"access_key_id": "A", "secret_access_key": "s", "security_token": "t"}],
        "users": [{"domain": "d", "name": "u", "password": "p", "project_ids": ["p"], "enabled": true}],
        "projects": [{"project_id": "p", "name": "cn-north-4", "domain": "d"}],
    })
}

fn settings(random: &mut Rng) -> Vec<u8> {
    const LINES: &[&str] = &[
        "listen = \"9000\"",
        "listen = []",
        "quota = -1",
        "journal-limit = 99999999999999999999",
        "body-limit = 1e3",
        "token = [\"a\", 1]",
        "token = \"\"",
        "time = 2025-09-15T08:30:00Z",
        "request-timeout = \"0s\"",
        "[table]",
        "x.y = 1",
        "profile = \"none\"",
        "rate-limit = \"0/0s\"",
        "seed = 0x10",
        "fixtures = \"/dev/null\"",
        "snapshot = \"/\"",
        "= = =",
        "\"\" = 1",
        "listen = '''",
        "\u{1b}[31m = 1",
        "cors-origin = \"\\u0000\"",
        "config = \"x\"",
        "help = true",
    ];
    let lines = (0..random.usize(1..4)).map(|_| random.choice(LINES).copied().unwrap_or_default());
    let mut bytes = lines.collect::<Vec<_>>().join("\n").into_bytes();
    if random.u8(..) < 30 {
        bytes.push(random.u8(..));
    }
    bytes
}
