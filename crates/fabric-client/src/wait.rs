//! Waits for an access client to get somewhere.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fabric_model::AccessClientId;
use fabric_model::access_client::{AccessClient, AccessClientStatus};
use tokio::time::{Instant, sleep};

use crate::{AccessClients, Error};

/// How to wait.
///
/// The first look is at once, the second after the interval, and each further one after half as long again,
/// up to the longest interval.
#[derive(Clone)]
#[must_use]
pub struct Wait {
    interval: Duration,
    longest: Duration,
    timeout: Duration,
    observer: Option<Observer>,
}

type Observer = Arc<dyn Fn(&AccessClient) + Send + Sync>;

impl Default for Wait {
    /// From one second to ten, for ten minutes.
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            longest: Duration::from_secs(10),
            timeout: Duration::from_mins(10),
            observer: None,
        }
    }
}

impl Wait {
    /// Sets the first interval, and the longest.
    pub fn intervals(mut self, first: Duration, longest: Duration) -> Self {
        (self.interval, self.longest) = (first, longest);
        self
    }

    /// Sets how long to wait in all.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Shows what each look has found, for progress.
    pub fn observe(mut self, observer: impl Fn(&AccessClient) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }
}

impl fmt::Debug for Wait {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Wait")
            .field("interval", &self.interval)
            .field("longest", &self.longest)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Why a wait ended without what was waited for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// A look failed, and the next would do no better.
    #[error("cannot look at the access client")]
    Call(#[from] Error),
    /// It has a status from which it does not get there: one that is not known, such as `CREATE_FAIL`, or
    /// that of being deleted. Delete it, or ask support.
    #[error("the access client is {status}")]
    Failed {
        /// The status.
        status: AccessClientStatus,
        /// What was seen last.
        last: Box<AccessClient>,
    },
    /// It was being created, and is gone: the service undid its creation. Create it anew.
    #[error("the creation of the access client was undone")]
    RolledBack {
        /// What was seen last.
        last: Box<AccessClient>,
    },
    /// It took too long. Wait again, or ask support.
    #[error("the access client is not there yet after {waited:?}")]
    TimedOut {
        /// How long it was waited for.
        waited: Duration,
        /// What was seen last, if anything.
        last: Option<Box<AccessClient>>,
        /// Why the last look failed, if it did.
        source: Option<Error>,
    },
}

/// What a look says.
enum Look {
    There,
    NotYet,
    Never(AccessClientStatus),
}

impl AccessClients<'_> {
    /// Waits until an access client is `RUNNING`, and returns it.
    ///
    /// ```no_run
    /// # async fn example(client: fabric_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use fabric_client::Wait;
    ///
    /// let wait = Wait::default().timeout(std::time::Duration::from_secs(120));
    /// let running = client.access_clients().wait_until_running("3f2c9a5e", wait).await?;
    /// println!("{:?}", running.access_connections);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any [`WaitError`]; [`WaitError::RolledBack`] if it was seen to be created and then was gone. One
    /// that was never there is a [`WaitError::Call`] with [`Error::is_not_found`].
    pub async fn wait_until_running<Id>(
        &self,
        id: Id,
        wait: Wait,
    ) -> Result<AccessClient, WaitError>
    where
        Id: TryInto<AccessClientId>,
        Error: From<Id::Error>,
    {
        let id = id.try_into().map_err(Error::from)?;
        let outcome = self.wait(id, wait, |status| match status {
            AccessClientStatus::Running => Look::There,
            AccessClientStatus::Creating => Look::NotYet,
            other => Look::Never(other.clone()),
        });
        match outcome.await? {
            Seen::There(found) => Ok(*found),
            Seen::Missing { last: Some(last), .. } => Err(WaitError::RolledBack { last }),
            Seen::Missing { error, .. } => Err(WaitError::Call(error)),
        }
    }

    /// Waits until an access client is deleted: until it is not found, or says so.
    ///
    /// # Errors
    ///
    /// Any [`WaitError`] but [`WaitError::RolledBack`].
    pub async fn wait_until_deleted<Id>(&self, id: Id, wait: Wait) -> Result<(), WaitError>
    where
        Id: TryInto<AccessClientId>,
        Error: From<Id::Error>,
    {
        let id = id.try_into().map_err(Error::from)?;
        let gone = self.wait(id, wait, |status| match status {
            AccessClientStatus::Deleted => Look::There,
            AccessClientStatus::Unknown(_) => Look::Never(status.clone()),
            _ => Look::NotYet,
        });
        gone.await.map(drop)
    }

    /// Looks until `judge` has had enough, or there is nothing to look at.
    async fn wait(
        &self,
        id: AccessClientId,
        wait: Wait,
        judge: impl Fn(&AccessClientStatus) -> Look,
    ) -> Result<Seen, WaitError> {
        let started = Instant::now();
        let mut interval = wait.interval;
        let mut last = None;
        loop {
            let left = wait.timeout.saturating_sub(started.elapsed());
            // A look must not take longer than the wait, but the first is always made.
            let limit = self.client.timeout.min(left.max(SHORTEST_LOOK));
            let looking = self.client.with_timeout(limit);
            let mut source = None;
            match looking.access_clients().show(&id).await {
                Ok(found) => {
                    if let Some(observer) = &wait.observer {
                        observer(&found);
                    }
                    let unknown = AccessClientStatus::Unknown("without a status".to_owned());
                    match judge(found.status.as_ref().unwrap_or(&unknown)) {
                        Look::There => return Ok(Seen::There(Box::new(found))),
                        Look::NotYet => last = Some(Box::new(found)),
                        Look::Never(status) => {
                            return Err(WaitError::Failed { status, last: Box::new(found) });
                        }
                    }
                }
                Err(error) if error.is_not_found() => return Ok(Seen::Missing { last, error }),
                // The service may be back at the next look.
                Err(error) if error.is_retryable() => source = Some(error),
                Err(error) => return Err(error.into()),
            }
            let waited = started.elapsed();
            let left = wait.timeout.saturating_sub(waited);
            if left.is_zero() {
                return Err(WaitError::TimedOut { waited, last, source });
            }
            sleep(interval.min(left)).await;
            interval = (interval.saturating_mul(3) / 2).min(wait.longest.max(wait.interval));
        }
    }
}

/// What a wait ends with.
enum Seen {
    There(Box<AccessClient>),
    Missing { last: Option<Box<AccessClient>>, error: Error },
}

/// A look has this much time even at the end of a wait.
const SHORTEST_LOOK: Duration = Duration::from_secs(1);
