//! What the program says to whoever starts it.

use std::io::Write;
use std::process::ExitCode;

/// The status of a program that was started wrongly.
const MISUSE: u8 = 2;

/// Whoever starts the server reads where it listens from the first line on standard output.
pub(crate) fn announce(endpoint: &str) {
    let mut output = std::io::stdout();
    let line = serde_json::json!({ "listening": endpoint });
    // Nobody need listen to what we say.
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

pub(crate) fn why(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "the port is taken; choose another, or 0 for a free one".to_owned()
        }
        std::io::ErrorKind::AddrNotAvailable => "this machine does not have the address".to_owned(),
        _ => error.to_string(),
    }
}

/// Says in one line what is wrong with the command line, or what was asked of it.
pub(crate) fn explain(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Help or version.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && *line != MORE);
    let lines: Vec<&str> = lines.take_while(|line| !line.starts_with("Usage:")).collect();
    let lines = lines.join("; ").replace(":; ", ": ");
    let reason = lines.trim_start_matches("error: ");
    fail(&format!("{reason} (--help lists what there is)"))
}

/// How clap ends what it says, where it does not show the usage.
const MORE: &str = "For more information, try '--help'.";

/// Prints what was asked for.
pub(crate) fn print(text: &str) -> ExitCode {
    // Nobody need read it to its end.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

/// Says in one line why there is no server.
pub(crate) fn fail(reason: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "fabric-server: {reason}");
    ExitCode::from(MISUSE)
}
