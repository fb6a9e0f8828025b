//! What all tasks do with commands, files and the terminal.

use std::fs;
use std::path::Path;
use std::process::Command;

pub(crate) type Outcome = Result<(), String>;

pub(crate) fn cargo(arguments: &str) -> Outcome {
    run(&mut cargo_command(arguments))
}

/// Cargo with these arguments, in the root of the repository.
pub(crate) fn cargo_command(arguments: &str) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments.split(' ')).env("RUSTDOCFLAGS", "-D warnings").current_dir(root());
    cargo
}

/// Runs a command to its end, in the root of the repository.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let shown = shown(command);
    let status = command.current_dir(root()).status();
    let status = status.map_err(|error| format!("cannot run {shown}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{shown} failed")) }
}

/// A command as one types it, for messages: the program without its folder.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.display().to_string()).collect();
    format!("`{}`", words.join(" "))
}

pub(crate) fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

pub(crate) fn write(path: &Path, text: &str) -> Outcome {
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

#[expect(clippy::print_stdout, reason = "a task speaks to whoever runs it")]
pub(crate) fn say(what: &str) {
    println!("{what}");
}

#[expect(clippy::print_stderr, reason = "a task speaks to whoever runs it")]
pub(crate) fn complain(reason: &str) {
    eprintln!("xtask: {reason}");
}

/// Runs a command whose paths are absolute, and shows what it says only if it fails.
pub(crate) fn quietly(command: &mut Command) -> Outcome {
    let program = command.get_program().display().to_string();
    let output = command.output();
    let output = output.map_err(|error| format!("cannot run {program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    say(&String::from_utf8_lossy(&output.stdout));
    Err(format!("{program} failed: {}", String::from_utf8_lossy(&output.stderr)))
}
