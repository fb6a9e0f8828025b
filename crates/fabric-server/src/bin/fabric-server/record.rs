//! Records what a real endpoint does: `fabric-server record`.

use std::path::Path;
use std::time::Duration;

use fabric_model::ProjectId;
use fabric_server::journal::{Entries, Filter};
use fabric_server::{Credential, Recorder, RecorderSettings, World};

use crate::arguments::Command;
use crate::settings::read;
use crate::signals::StopSignals;
use crate::terminal::{announce, why};

/// How often what is new is written.
const WRITE_TIME: Duration = Duration::from_secs(1);

/// Passes calls on until a signal comes, and writes what came of them.
pub(crate) async fn run(command: Command) -> Result<(), String> {
    let Command::Record {
        upstream,
        listen,
        out,
        project,
        upstream_token,
        upstream_access_key,
        upstream_ca,
    } = command
    else {
        return Ok(());
    };
    let token = upstream_token.map(|token| Credential::token(token.expose()));
    let key = upstream_access_key.map(|key| Credential::parse_access_key(key.expose()));
    let credential = token.or(key).transpose().map_err(|invalid| invalid.to_string())?;
    let certificate_authorities = upstream_ca.map(|path| read("certificate", &path)).transpose()?;
    let project = ProjectId::try_from(project)
        .map_err(|_| "--project must have 1 to 64 letters, digits or hyphens".to_owned())?;
    if out.join("snapshot.json").exists() || out.join("journal.json").exists() {
        return Err(format!(
            "{} has a recording already: choose another --out, or remove it",
            out.display()
        ));
    }
    std::fs::create_dir_all(&out)
        .map_err(|error| format!("cannot make the directory {}: {error}", out.display()))?;
    let mut signals =
        StopSignals::catch().map_err(|error| format!("cannot catch signals: {error}"))?;
    let settings =
        RecorderSettings { listen, upstream, credential, certificate_authorities, project };
    let recorder = Recorder::start(settings).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidInput | std::io::ErrorKind::Other => error.to_string(),
        _ => format!("cannot listen on {listen}: {}", why(&error)),
    })?;
    write(&out, recorder.world())?;
    tracing::info!(endpoint = recorder.endpoint(), out = %out.display(), "recording");
    announce(&recorder.endpoint());
    let mut written = 0;
    loop {
        tokio::select! {
            () = signals.next() => break,
            () = tokio::time::sleep(WRITE_TIME) => {
                let newest = recorder.world().journal(&Filter { limit: Some(1), ..Filter::default() });
                let newest = newest.entries.first().map_or(0, |entry| entry.sequence);
                if newest != written {
                    write(&out, recorder.world())?;
                    written = newest;
                }
            }
        }
    }
    let world = recorder.world().clone();
    recorder.shutdown(Duration::from_secs(30)).await;
    write(&out, &world)
}

/// Writes both files; each is whole at any time.
fn write(out: &Path, world: &World) -> Result<(), String> {
    let mut journal = Entries { entries: Vec::new(), evicted: 0 };
    loop {
        let before = journal.entries.last().map(|entry| entry.sequence);
        let page = world.journal(&Filter { before, limit: Some(1_000), ..Filter::default() });
        journal.evicted = page.evicted;
        if page.entries.is_empty() {
            break;
        }
        journal.entries.extend(page.entries);
    }
    let journal = serde_json::to_string_pretty(&journal).map_err(|error| error.to_string())?;
    for (name, text) in [("snapshot.json", world.snapshot().to_json()), ("journal.json", journal)] {
        let (path, new) = (out.join(name), out.join(format!("{name}.new")));
        std::fs::write(&new, text)
            .and_then(|()| std::fs::rename(&new, &path))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}
