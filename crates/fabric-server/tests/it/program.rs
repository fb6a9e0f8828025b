//! The program: what it says when it starts, and how it stops.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::raw::{self, request};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fabric-server"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn start(arguments: &[&str]) -> (Child, SocketAddr) {
    let mut child = program(arguments).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address = line["listening"].as_str().unwrap().strip_prefix("http://").unwrap();
    (child, address.parse().unwrap())
}

fn fails(arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = program(arguments).output().unwrap();
    assert_eq!(status.code(), Some(2), "{arguments:?}");
    assert!(stdout.is_empty());
    let text = String::from_utf8(stderr).unwrap();
    let lines: Vec<&str> =
        text.lines().filter(|line| line.starts_with("fabric-server: ")).collect();
    assert_eq!(lines.len(), 1, "{text}");
    lines[0].to_owned()
}

#[test]
fn a_wrong_start_is_explained_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert!(fails(&["--listen", &address]).contains("the port is taken"));
    assert!(fails(&["--listen", "nowhere"]).contains("expected ADDRESS:PORT"));
    assert!(fails(&["--port", "1"]).contains("unexpected argument '--port'"));
    assert!(fails(&["--profile", "lax"]).contains("must be documented or strict"));
    assert!(fails(&["--creating-time", "soon"]).contains("--creating-time"));
    assert!(fails(&["--seed", "/does/not/exist"]).contains("cannot read the seed"));
    let seed = std::env::temp_dir().join(format!("fabric-seed-{}.json", std::process::id()));
    std::fs::write(&seed, r#"[{}, {"name": 5}]"#).unwrap();
    let reason = fails(&["--listen", "0", "--seed", seed.to_str().unwrap()]);
    std::fs::remove_file(&seed).unwrap();
    assert!(reason.contains("access client [1]: name:"), "{reason}");
}

#[cfg(unix)]
#[test]
fn a_signal_finishes_open_requests_and_ends_with_success() {
    let (mut child, address) = start(&["--listen", "0"]);
    let mut open = TcpStream::connect(address).unwrap();
    let bytes = raw::json("POST", "/v1/access-clients", b"{}");
    let (first, last) = bytes.split_at(bytes.len() - 1);
    open.write_all(first).unwrap();
    // The request must be under way before the signal comes.
    std::thread::sleep(Duration::from_millis(200));
    let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    std::thread::sleep(Duration::from_millis(200));
    open.write_all(last).unwrap();
    assert_eq!(raw::read(&mut open).status, 200);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("stopping"), "{log}");
}

#[test]
fn the_same_seed_gives_the_same_ids_and_the_environment_is_heard() {
    let create = || {
        let mut command = program(&["--listen", "0"]);
        let mut child = command.env("FABRIC_RNG_SEED", "7").spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let port =
            line.rsplit(':').next().unwrap().trim_end_matches("\"}\n").parse::<u16>().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        raw::send(address, &request("GET", "/healthcheck", "", b""));
        let answer = raw::send(address, &raw::json("POST", "/v1/access-clients", b"{}"));
        child.kill().unwrap();
        child.wait().unwrap();
        answer.json()["id"].clone()
    };
    assert_eq!(create(), create());
}
