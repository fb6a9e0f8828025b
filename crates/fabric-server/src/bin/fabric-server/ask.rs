//! Questions to a running server: whether it takes calls, and what its callers have met.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use fabric_model::{charset, json};
use fabric_server::coverage::Coverage;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response, StatusCode};

use crate::arguments::{Arguments, Asked};
use crate::settings::read;

/// Whether the server takes calls.
pub(crate) async fn health(asked: &Asked, arguments: &Arguments) -> Result<bool, String> {
    match get(asked, arguments, "/_mock/v1/ready").await {
        Ok(answer) => say(&beginning(&answer)),
        Err(reason) => say(&reason).map(|_| false),
    }
}

/// Tells what callers have met of the contract; whether that is as much as is wanted.
pub(crate) async fn coverage(
    asked: &Asked,
    arguments: &Arguments,
    fail_under: Option<u8>,
    need: &[u16],
    as_json: bool,
) -> Result<bool, String> {
    let text = get(asked, arguments, "/_mock/v1/coverage").await?;
    let coverage: Coverage = serde_json::from_str(&text)
        .map_err(|error| format!("what answers there is no mock server: {error}"))?;
    if as_json {
        let json = serde_json::to_string(&coverage).map_err(|error| error.to_string())?;
        say(&json::escape(&json))?;
    } else {
        say(&in_words(&coverage))?;
    }
    let mut is_enough = true;
    let mut complain = |reason: String| {
        is_enough = false;
        let _ = writeln!(std::io::stderr(), "fabric-server: {reason}");
    };
    for status in need {
        let mut answers = coverage.operations.iter().flat_map(|of| &of.answers);
        if !answers.any(|answer| answer.status == Some(*status) && answer.calls > 0) {
            complain(format!("no caller ever met a {status}"));
        }
    }
    if let Some(least) = fail_under
        && coverage.percent < f64::from(least)
    {
        complain(format!(
            "{} % of the documented answers were met, wanted are {least} %",
            coverage.percent
        ));
    }
    Ok(is_enough)
}

fn in_words(coverage: &Coverage) -> String {
    let mut lines = Vec::new();
    for of in &coverage.operations {
        lines.push(plain(&of.operation));
        for answer in &of.answers {
            let status = answer.status.map_or("-".to_owned(), |status| status.to_string());
            let code = match (&answer.error_code, answer.status) {
                (Some(code), _) => plain(code),
                (None, Some(_)) => String::new(),
                (None, None) => "something else, or nothing at all".to_owned(),
            };
            let calls = match answer.calls {
                0 => "never".to_owned(),
                calls => calls.to_string(),
            };
            lines.push(format!("  {calls:>8}  {status:>3}  {code}").trim_end().to_owned());
        }
    }
    let Coverage { covered, total, percent, .. } = coverage;
    lines.push(format!("{covered} of {total} documented answers met, {percent} %"));
    lines.join("\n")
}

async fn get(asked: &Asked, arguments: &Arguments, path: &str) -> Result<String, String> {
    let (endpoint, own_authority) = match &asked.endpoint {
        Some(endpoint) => (endpoint.trim_end_matches('/').to_owned(), None),
        None => own_endpoint(arguments),
    };
    if !["http://", "https://"].iter().any(|scheme| endpoint.starts_with(scheme)) {
        return Err("--endpoint must be like http://127.0.0.1:8080".to_owned());
    }
    // reqwest is built without a provider of cryptography, and takes that of the process.
    rustls::crypto::ring::default_provider().install_default().ok();
    // Who is redirected asks another server than it was told to.
    let mut builder = Client::builder().timeout(asked.timeout).no_proxy().redirect(Policy::none());
    if let Some(path) = asked.ca.as_ref().or(own_authority) {
        let pem = read("certificate", path)?;
        let certificates = Certificate::from_pem_bundle(&pem)
            .map_err(|_| format!("the certificate {} is no PEM", path.display()))?;
        builder = builder.tls_certs_only(certificates);
    } else if endpoint.starts_with("http://") {
        // Small images have no authorities to trust, and plain HTTP needs none.
        builder = builder.tls_certs_only([]);
    }
    let client = builder.build().map_err(|error| format!("cannot call: {error}"))?;
    let mut request = client.get(format!("{endpoint}{path}"));
    if let Some(token) = &asked.control_token {
        request = request.bearer_auth(token.expose());
    }
    let answer = request.send().await.map_err(|error| {
        // The innermost says most: that nobody listens, or that a certificate is not trusted.
        let mut why: &dyn std::error::Error = &error;
        while let Some(source) = why.source() {
            why = source;
        }
        let hint =
            if endpoint.starts_with("https://") { "; --ca FILE says whom to trust" } else { "" };
        format!("no answer from {endpoint}: {why}{hint}")
    })?;
    let status = answer.status();
    let text = read_text(answer).await?;
    if status != StatusCode::OK {
        return Err(format!("{endpoint}{path} answers {status}: {}", beginning(&text)));
    }
    Ok(text)
}

/// The largest answer that is read; the coverage of all operations is much smaller.
const ANSWER_MAX_LENGTH: usize = 1024 * 1024;

async fn read_text(mut answer: Response) -> Result<String, String> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|error| error.without_url().to_string())? {
        if body.len() + part.len() > ANSWER_MAX_LENGTH {
            return Err(format!("the answer has more than {ANSWER_MAX_LENGTH} bytes"));
        }
        body.extend_from_slice(&part);
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// A text on one line, without what a terminal obeys.
fn plain(text: &str) -> String {
    text.replace(charset::steers, "\u{fffd}")
}

/// The beginning of an answer on one line: whoever answers may be no mock server.
fn beginning(text: &str) -> String {
    plain(&text.trim_end().chars().take(300).collect::<String>())
}

/// Where a server listens that was started with the same environment and file of settings, and the
/// certificate to trust it by.
fn own_endpoint(arguments: &Arguments) -> (String, Option<&PathBuf>) {
    let mut address = arguments.listen;
    // Who listens everywhere also listens here.
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    let authority = arguments.tls_self_signed.as_ref().or(arguments.tls_cert.as_ref());
    let scheme = if authority.is_some() { "https" } else { "http" };
    (format!("{scheme}://{address}"), authority)
}

fn say(text: &str) -> Result<bool, String> {
    writeln!(std::io::stdout(), "{text}").map_err(|error| error.to_string())?;
    Ok(true)
}
