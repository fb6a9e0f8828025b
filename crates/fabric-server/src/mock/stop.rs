//! Tells whatever waits that the server stops.

use std::sync::Arc;

use tokio::sync::watch;

/// Whether the server stops. Clones are of the same server.
#[derive(Clone, Debug)]
pub(crate) struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Stop {
    /// Ends whatever waits: streams, and calls that hang.
    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits for the server to stop.
    pub(crate) async fn stopped(&self) {
        let mut stopping = self.0.subscribe();
        // The sender lives as long as we do.
        let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
    }
}
