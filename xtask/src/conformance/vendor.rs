//! What the vendor publishes in Python: the core of its SDKs, and its SDKs for DataArts Fabric and for the
//! identity service. All call the mock server unmodified.

use std::path::Path;
use std::process::Command;

use super::server::Server;
use super::workshop::{settings, workshop};
use crate::shell::{Outcome, run, write};

/// An access key.
const KEY: [&str; 2] = ["AKIDCONFORMANCE", "the-secret-of-conformance"];

/// The project that it is good for, where it is not good for any.
const PROJECT: &str = "0123456789abcdef0123456789abcdef";

/// The core calls every operation on access clients, which no SDK has, signed in each of its ways.
pub(super) fn core(python: &Path) -> Outcome {
    let authority = workshop().join("authority.pem");
    let keys = [&format!("{}={PROJECT}", KEY.join(":")), "AKIDWRONG:another-secret"];
    let temporary = r#"{"access_keys": [{"access_key_id": "AKIDTEMPORARY",
        "secret_access_key": "the-secret-of-a-day", "security_token": "gQpjbi1ub3J0aC00example/+=="}]}"#;
    let start = |tls: &[&str]| {
        let mut command = server(temporary)?;
        Server::start(command.args(tls).env("FABRIC_ACCESS_KEY", keys.join(" ")))
    };
    let plain = start(&[])?;
    let secure = start(&["--tls-self-signed", &authority.display().to_string()])?;
    let mut program = program(python, "vendor_core.py");
    run(program.args([&plain.endpoint, &secure.endpoint]).arg(&authority))
}

/// The SDK for DataArts Fabric finds its project, and calls every operation that it has.
pub(super) fn sdk(python: &Path) -> Outcome {
    let reader = r#"{"access_keys": [{"access_key_id": "AKIDREADER",
        "secret_access_key": "the-secret-of-a-reader", "actions": ["DataArtsFabric:workspace:list"]}]}"#;
    // No operation makes an endpoint public, so one is there from the start.
    let fixtures = format!(
        r#"{{"workspaces": [{{"project_id": "{PROJECT}", "id": "public", "name": "public"}}],
        "endpoints": [{{"project_id": "{PROJECT}", "workspace_id": "public", "name": "public",
        "type": "inference", "status": "INACTIVE", "visibility": "PUBLIC"}}]}}"#
    );
    let file = workshop().join("fixtures.json");
    write(&file, &fixtures)?;
    let mut command = server(reader)?;
    command.arg("--fixtures").arg(&file);
    for time in ["--creating-time", "--updating-time", "--deleting-time"] {
        command.args([time, "30s"]);
    }
    let key = format!("{}={PROJECT}", KEY.join(":"));
    let server = Server::start(command.env("FABRIC_ACCESS_KEY", key))?;
    let mut program = program(python, "vendor_sdk.py");
    program.env("HUAWEICLOUD_SDK_AK", KEY[0]).env("HUAWEICLOUD_SDK_SK", KEY[1]);
    program.env("HUAWEICLOUD_SDK_IAM_ENDPOINT", &server.endpoint);
    program.env("HUAWEICLOUD_SDK_REGION_DATAARTSFABRIC_CN_NORTH_4", &server.endpoint);
    run(program.arg(&server.endpoint))
}

/// The SDK for the identity service signs a user in, and the temporary key that it gets signs calls.
pub(super) fn sign_in(python: &Path) -> Outcome {
    let user = r#"{"users": [{"domain": "conformance", "name": "ada", "password": "the password of Ada"}]}"#;
    let mut command = server(user)?;
    let server = Server::start(command.env("FABRIC_ACCESS_KEY", KEY.join(":")))?;
    run(program(python, "vendor_iam.py").arg(&server.endpoint))
}

/// A mock server that knows some credentials.
fn server(credentials: &str) -> Result<Command, String> {
    let file = workshop().join("credentials.json");
    write(&file, credentials)?;
    let mut command = Server::command();
    command.arg("--credentials").arg(&file);
    Ok(command)
}

/// A program of ours that uses an SDK, with nothing in its environment that is for another.
fn program(python: &Path, name: &str) -> Command {
    let mut program = Command::new(python.join("python"));
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("HUAWEICLOUD_") {
            program.env_remove(variable);
        }
    }
    // The SDK writes an id of its own to its home when it is loaded.
    program.env("HOME", workshop()).env("NO_PROXY", "127.0.0.1");
    program.env("PYTHONDONTWRITEBYTECODE", "1");
    program.arg(settings().join(name));
    program
}
