//! The credentials in use, renewed once for everybody who waits.

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use parking_lot::RwLock;
use tokio::sync::Mutex;

use crate::credentials::Ready;
use crate::{Credentials, CredentialsProvider, Error};

/// The longest time ahead of their end that credentials are renewed; for short-lived ones it is a tenth
/// of their life.
const AHEAD_MAX: Duration = Duration::from_mins(5);

/// When an early renewal failed, how long the old credentials do before the next try.
const PATIENCE: Duration = Duration::from_secs(30);

/// Credentials that stay, or are had from a provider.
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
    /// Held by the one who asks the provider, with what came of it.
    asking: Mutex<Option<Failure>>,
    /// How often the provider has answered.
    answers: AtomicU64,
}

#[derive(Clone, Debug)]
struct Current {
    ready: Arc<Ready>,
    renew_at: Option<SystemTime>,
}

/// What the provider said last, if that was an error.
type Failure = Arc<dyn StdError + Send + Sync>;

impl Source {
    pub(crate) fn fixed(credentials: Credentials) -> Self {
        Self::Fixed(Arc::new(Ready::new(credentials)))
    }

    pub(crate) fn renewed(provider: Arc<dyn CredentialsProvider>, limit: Duration) -> Self {
        let (current, asking, answers) = Default::default();
        Self::Renewed(Renewal { provider, limit, current, asking, answers })
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
        // They are still good: one asks for new ones, the others go on with these.
        let Ok(mut asking) = renewal.asking.try_lock() else { return Ok(current.ready) };
        // Somebody may have been quicker.
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

    /// Other credentials than these, which the service refused; `None` if there are no others.
    pub(crate) async fn renew(
        &self,
        refused: &Arc<Ready>,
        now: SystemTime,
    ) -> Result<Option<Arc<Ready>>, Error> {
        let Self::Renewed(renewal) = self else { return Ok(None) };
        let next = renewal.wait(now, Some(refused)).await?;
        Ok(Some(next).filter(|next| !next.credentials.are_the_same(&refused.credentials)))
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

    /// Waits for others than `old`: those that somebody else was given meanwhile, or asks for them.
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
            // Whoever was before us has been told just now.
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
        let answer = answer.unwrap_or_else(|_| Err("the provider took too long".into()));
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
