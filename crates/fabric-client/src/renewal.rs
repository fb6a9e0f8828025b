//! The credentials in use, renewed once for all waiting calls.

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use parking_lot::RwLock;
use tokio::sync::Mutex;

use crate::credentials::Ready;
use crate::{Credentials, CredentialsProvider, Error};

/// How long before their expiry credentials are renewed, at most; for short-lived ones it is a tenth of their
/// life.
const AHEAD_MAX: Duration = Duration::from_mins(5);

/// The delay after an early renewal that failed, during which the old credentials stay in use.
const PATIENCE: Duration = Duration::from_secs(30);

/// Fixed credentials, or those of a provider.
#[derive(Debug)]
pub(crate) enum Source {
    Fixed(Arc<Ready>),
    Renewed(Renewal),
}

#[derive(Debug)]
pub(crate) struct Renewal {
    provider: Arc<dyn CredentialsProvider>,
    /// The longest time that the provider may take.
    limit: Duration,
    current: RwLock<Option<Current>>,
    /// Held by the call that asks the provider; the error of the last answer, if it was one.
    asking: Mutex<Option<Failure>>,
    /// The number of the provider's answers.
    answers: AtomicU64,
}

#[derive(Clone, Debug)]
struct Current {
    ready: Arc<Ready>,
    renew_at: Option<SystemTime>,
}

/// An error of the provider.
type Failure = Arc<dyn StdError + Send + Sync>;

impl Source {
    pub(crate) fn fixed(credentials: Credentials) -> Self {
        Self::Fixed(Arc::new(Ready::new(credentials)))
    }

    pub(crate) fn renewed(provider: Arc<dyn CredentialsProvider>, limit: Duration) -> Self {
        let (current, asking, answers) = Default::default();
        Self::Renewed(Renewal { provider, limit, current, asking, answers })
    }

    /// The credentials to use now, unless they must be asked for or renewed first.
    pub(crate) fn at_hand(&self, now: SystemTime) -> Option<Arc<Ready>> {
        match self {
            Self::Fixed(ready) => Some(ready.clone()),
            Self::Renewed(renewal) => {
                renewal.get().filter(|current| current.is_fresh(now)).map(|current| current.ready)
            }
        }
    }

    /// The credentials to use now.
    pub(crate) async fn current(&self, now: SystemTime) -> Result<Arc<Ready>, Error> {
        let renewal = match self {
            Self::Fixed(ready) => return Ok(ready.clone()),
            Self::Renewed(renewal) => renewal,
        };
        let Some(current) = renewal.get() else { return renewal.wait(now, None).await };
        if current.is_fresh(now) {
            return Ok(current.ready);
        }
        if current.ready.credentials.expires_at().is_some_and(|end| now >= end) {
            return renewal.wait(now, Some(&current.ready)).await;
        }
        // They are still valid: one call asks for new ones, the others use these.
        let Ok(mut asking) = renewal.asking.try_lock() else { return Ok(current.ready) };
        // Another call may have renewed them just now.
        let current = renewal.get().unwrap_or(current);
        if current.is_fresh(now) {
            return Ok(current.ready);
        }
        if let Ok(ready) = renewal.ask(now, &mut asking).await {
            return Ok(ready);
        }
        let ready = current.ready;
        renewal.set(ready.clone(), Some(now + PATIENCE));
        Ok(ready)
    }

    /// Other credentials than these, which the service rejected; `None` if there are no others.
    pub(crate) async fn renew(
        &self,
        rejected: &Arc<Ready>,
        now: SystemTime,
    ) -> Result<Option<Arc<Ready>>, Error> {
        let Self::Renewed(renewal) = self else { return Ok(None) };
        let next = renewal.wait(now, Some(rejected)).await?;
        Ok(Some(next).filter(|next| !next.credentials.are_the_same(&rejected.credentials)))
    }
}

impl Current {
    fn is_fresh(&self, now: SystemTime) -> bool {
        self.renew_at.is_none_or(|time| now < time)
    }
}

impl Renewal {
    fn get(&self) -> Option<Current> {
        self.current.read().clone()
    }

    fn set(&self, ready: Arc<Ready>, renew_at: Option<SystemTime>) {
        *self.current.write() = Some(Current { ready, renew_at });
    }

    /// Waits for credentials other than `old`: those that another call has got meanwhile, or new ones.
    async fn wait(&self, now: SystemTime, old: Option<&Arc<Ready>>) -> Result<Arc<Ready>, Error> {
        let answers = self.answers.load(Ordering::Acquire);
        let mut asking = self.asking.lock().await;
        if let Some(current) = self.get()
            && old.is_none_or(|old| !Arc::ptr_eq(old, &current.ready))
        {
            return Ok(current.ready);
        }
        if self.answers.load(Ordering::Acquire) != answers
            && let Some(failure) = &*asking
        {
            // The provider has just failed for the call before this one.
            return Err(Error::Credentials(failure.clone()));
        }
        self.ask(now, &mut asking).await
    }

    async fn ask(
        &self,
        now: SystemTime,
        asking: &mut Option<Failure>,
    ) -> Result<Arc<Ready>, Error> {
        let answer = tokio::time::timeout(self.limit, self.provider.provide()).await;
        let answer = answer.unwrap_or_else(|_| Err("the provider timed out".into()));
        self.answers.fetch_add(1, Ordering::Release);
        match answer {
            Ok(credentials) => {
                let renew_at = credentials.expires_at().map(|end| {
                    let life = end.duration_since(now).unwrap_or_default();
                    end - AHEAD_MAX.min(life / 10)
                });
                let ready = Arc::new(Ready::new(credentials));
                self.set(ready.clone(), renew_at);
                *asking = None;
                Ok(ready)
            }
            Err(error) => {
                let failure = Failure::from(error);
                *asking = Some(failure.clone());
                Err(Error::Credentials(failure))
            }
        }
    }
}
