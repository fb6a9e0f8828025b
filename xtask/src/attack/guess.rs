//! Guessed passwords, keys and tokens.

use serde_json::json;

use crate::attack::answer::Surface;
use crate::attack::attacker::{Attack, Attacker, On, TOKEN, request};

/// Callers are known, and the control surface has a token.
const KNOWN: &[&str] =
    &["--credentials", "{folder}/credentials.json", "--control-token", "attack-control-token"];

const NEVER: &str = "none is let in";

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "guess-passwords",
        does: "passwords of a known user and of unknown ones, many at once",
        promise: NEVER,
        share: 20,
        at_most: 5000,
        on: On::Server { flags: KNOWN, run: |attacker| Box::pin(judged(attacker, 64, passwords)) },
    },
    Attack {
        name: "guess-keys",
        does: "signatures of a known key",
        promise: NEVER,
        share: 50,
        at_most: 50_000,
        on: On::Server { flags: KNOWN, run: |attacker| Box::pin(judged(attacker, 16, keys)) },
    },
    Attack {
        name: "guess-tokens",
        does: "tokens of callers, of sign-in and of the control surface",
        promise: NEVER,
        share: 50,
        at_most: 50_000,
        on: On::Server { flags: KNOWN, run: |attacker| Box::pin(judged(attacker, 16, tokens)) },
    },
    Attack {
        name: "guess-ways-in",
        does: "the control surface from pages of other sites, and by paths that look like open ones; another host",
        promise: NEVER,
        share: 20,
        at_most: 5000,
        on: On::Server { flags: &[], run: |attacker| Box::pin(attacker.crowd(8, ways_in)) },
    },
];

/// Lets several guess at once. Some of it must have been looked at: guesses that are no requests prove nothing.
async fn judged<F>(attacker: Attacker, crowd: u64, guess: fn(Attacker) -> F) -> Result<(), String>
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let judge = attacker.judge.clone();
    attacker.crowd(crowd, guess).await?;
    let is_rejected = |answer: &str| answer.starts_with("401");
    if judge.times(is_rejected) > 0 { Ok(()) } else { Err("not one guess was judged".to_owned()) }
}

async fn passwords(mut attacker: Attacker) -> Result<(), String> {
    for _ in 0..attacker.amount {
        let name = if attacker.random.bool() { "victim".to_owned() } else { word(&mut attacker) };
        let user =
            json!({"domain": {"name": "attack"}, "name": name, "password": word(&mut attacker)});
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        let scope = json!({"domain": {"name": "attack"}});
        let body = json!({"auth": {"identity": identity, "scope": scope}}).to_string();
        let guess = request("POST", "/v3/auth/tokens", "", body.as_bytes());
        let status = attacker.ask(&guess, Surface::SignIn).await;
        not_let_in(status, &body)?;
    }
    Ok(())
}

async fn keys(mut attacker: Attacker) -> Result<(), String> {
    for _ in 0..attacker.amount {
        let signature: String = (0..64).map(|_| attacker.random.digit(16)).collect();
        let algorithms = ["SDK-HMAC-SHA256", "SDK-HMAC-SM3", "V11-HMAC-SHA256", "SDK-HMAC-SHA1"];
        let algorithm = attacker.random.choice(algorithms).unwrap_or_default();
        let headers = format!(
            "x-sdk-date: 20250915T083000Z\r\nauthorization: {algorithm} Access=attack-key, \
             SignedHeaders=host;x-sdk-date, Signature={signature}\r\n"
        );
        let guess = without_token(&request("GET", "/v1/access-clients", &headers, b""));
        let status = attacker.ask(&guess, Surface::Service).await;
        not_let_in(status, &signature)?;
    }
    Ok(())
}

async fn tokens(mut attacker: Attacker) -> Result<(), String> {
    for _ in 0..attacker.amount {
        let word = word(&mut attacker);
        let (path, headers) = match attacker.random.u8(..4) {
            0 => ("/v1/access-clients", format!("x-auth-token: {word}\r\n")),
            1 => ("/v3/auth/projects", format!("x-auth-token: mock-{word}\r\n")),
            2 => ("/_mock/v1/status", format!("authorization: Bearer {word}\r\n")),
            _ => ("/_mock/v1/journal", format!("x-mock-token: {word}\r\n")),
        };
        let guess = without_token(&request("GET", path, &headers, b""));
        let status = attacker.ask(&guess, Surface::of(path)).await;
        not_let_in(status, path)?;
    }
    Ok(())
}

async fn ways_in(mut attacker: Attacker) -> Result<(), String> {
    let cases = [
        ("/_mock/v1/status", "origin: http://evil.example\r\n"),
        ("/_mock/v1/status", "origin: null\r\n"),
        (
            "/_mock/v1/status",
            "sec-fetch-site: cross-site\r\norigin: http://localhost.evil.example\r\n",
        ),
        ("/_mock/v1/snapshot", "origin: http://127.0.0.1.evil.example\r\n"),
        ("/_mock//v1/status", "origin: http://evil.example\r\n"),
        ("/_mock/v1/live/../status", "origin: http://evil.example\r\n"),
        ("/_mock/v1/live%2f..%2fstatus", "origin: http://evil.example\r\n"),
        ("/_MOCK/v1/status", ""),
        ("/v1/../_mock/v1/status", "origin: http://evil.example\r\n"),
    ];
    for _ in 0..attacker.amount {
        let (path, headers) = attacker.random.choice(cases).unwrap_or_default();
        let guess = without_token(&request("GET", path, headers, b""));
        let status = attacker.ask(&guess, Surface::of(path)).await;
        not_let_in(status, path)?;
    }
    // A page may lead a browser to this machine by a name of its own.
    for path in ["/_mock/v1/status", "/v1/access-clients"] {
        let foreign = format!("GET {path} HTTP/1.1\r\nhost: evil.example\r\n\r\n");
        not_let_in(attacker.ask(foreign.as_bytes(), Surface::of(path)).await, "a foreign host")?;
    }
    Ok(())
}

fn not_let_in(status: Option<u16>, guess: &str) -> Result<(), String> {
    match status {
        Some(status) if status < 400 => Err(format!("let in: {status} for {guess}")),
        _ => Ok(()),
    }
}

fn word(attacker: &mut Attacker) -> String {
    (0..attacker.random.usize(1..40)).map(|_| attacker.random.alphanumeric()).collect()
}

fn without_token(request: &[u8]) -> Vec<u8> {
    let request = String::from_utf8_lossy(request);
    request.replace(&format!("x-auth-token: {TOKEN}\r\n"), "").into_bytes()
}
