//! Waits: polls any resource that has a status, until it reaches one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fabric_model::{Operation, Request, Resource, Stateful};
use tokio::time::{Instant, sleep};

use crate::{Client, Error};

/// How to wait.
///
/// The client polls at once, then after the interval. Each further interval is half as long again as the one
/// before, up to the longest.
///
/// `O` is the operation that shows the resource, such as `ShowEndpoint`. The compiler finds it out where the wait is
/// passed to a call.
#[must_use]
pub struct Wait<O: Operation> {
    interval: Duration,
    longest: Duration,
    timeout: Duration,
    observer: Option<Observer<O>>,
}

type Observer<O> = Arc<dyn Fn(&<O as Operation>::Response) + Send + Sync>;

/// The status of what an operation shows.
type Status<O> = <<O as Operation>::Response as Stateful>::Status;

impl<O: Operation> Default for Wait<O> {
    /// Intervals from 1 second to 10, and a timeout of 10 minutes.
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            longest: Duration::from_secs(10),
            timeout: Duration::from_mins(10),
            observer: None,
        }
    }
}

impl<O: Operation> Wait<O> {
    /// Sets the first interval, and the longest.
    pub fn intervals(mut self, first: Duration, longest: Duration) -> Self {
        (self.interval, self.longest) = (first, longest);
        self
    }

    /// Sets the longest time to wait in all.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets a function that gets every answer, to show progress.
    pub fn observe(mut self, observer: impl Fn(&O::Response) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }
}

impl<O: Operation> Clone for Wait<O> {
    fn clone(&self) -> Self {
        Self { observer: self.observer.clone(), ..*self }
    }
}

impl<O: Operation> fmt::Debug for Wait<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Wait")
            .field("interval", &self.interval)
            .field("longest", &self.longest)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// What a status means to a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The wait is over.
    Reached,
    /// The resource is on its way: poll again.
    Pending,
    /// The resource will not get there from this status: [`WaitError::Failed`].
    Failed,
}

/// Why a wait ended without the awaited status.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError<O: Operation<Response: Stateful>> {
    /// A call failed, and repeating it would not help.
    #[error(transparent)]
    Call(#[from] Error),
    /// The resource has a status that does not lead to the awaited one, such as `CREATE_FAILED`, or
    /// `DELETING`. Delete the resource, or ask support.
    #[error("the {} is {status}", O::Resource::SINGULAR)]
    Failed {
        /// The status.
        status: Status<O>,
        /// The last answer.
        last: Box<O::Response>,
    },
    /// The answer has no status.
    #[error("the {} has no status", O::Resource::SINGULAR)]
    NoStatus {
        /// The last answer.
        last: Box<O::Response>,
    },
    /// The resource was on its way, and then was gone: the service undid its creation, or another caller deleted
    /// it.
    #[error(
        "the {} is gone; the service undid its creation, or it was deleted",
        O::Resource::SINGULAR
    )]
    RolledBack {
        /// The last answer.
        last: Box<O::Response>,
    },
    /// The timeout passed. Wait again, or ask support.
    #[error("the {} is not there yet after {waited:?}", O::Resource::SINGULAR)]
    TimedOut {
        /// How long the wait was.
        waited: Duration,
        /// The last answer, if there was one.
        last: Option<Box<O::Response>>,
        /// The error of the last call, if it failed.
        source: Option<Error>,
    },
}

impl Client {
    /// Polls a resource until its status is the awaited one, and returns it.
    ///
    /// `request` shows the resource; `judge` tells what each status means. A temporary error, such as an
    /// outage of the service, does not end the wait.
    ///
    /// ```no_run
    /// # async fn example(client: fabric_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use fabric_client::model::access_client::{
    ///     AccessClientPath, AccessClientStatus, ShowAccessClient,
    /// };
    /// use fabric_client::model::{Nothing, Request};
    /// use fabric_client::{Progress, Wait};
    ///
    /// let path = AccessClientPath { client_id: "3f2c9a5e".parse()? };
    /// let show = Request::<ShowAccessClient> { path, query: Nothing {}, body: Nothing {} };
    /// let running = client
    ///     .wait_until(&show, Wait::default(), |status| match status {
    ///         AccessClientStatus::Running => Progress::Reached,
    ///         AccessClientStatus::Creating => Progress::Pending,
    ///         _ => Progress::Failed,
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Any [`WaitError`]; [`WaitError::RolledBack`] if the resource was on its way and then was gone. One that
    /// is not found at first is a [`WaitError::Call`] with [`Error::is_not_found`].
    pub async fn wait_until<O: Operation<Response: Stateful>>(
        &self,
        request: &Request<O>,
        wait: Wait<O>,
        judge: impl Fn(&Status<O>) -> Progress,
    ) -> Result<O::Response, WaitError<O>> {
        match self.poll(request, wait, judge).await? {
            Polled::Reached(found) => Ok(*found),
            Polled::Missing { last: Some(last), .. } => Err(WaitError::RolledBack { last }),
            Polled::Missing { error, .. } => Err(WaitError::Call(error)),
        }
    }

    /// Polls a resource until it is gone: until it is not found, or `judge` says so of its status.
    ///
    /// # Errors
    ///
    /// Any [`WaitError`] but [`WaitError::RolledBack`].
    pub async fn wait_until_gone<O: Operation<Response: Stateful>>(
        &self,
        request: &Request<O>,
        wait: Wait<O>,
        judge: impl Fn(&Status<O>) -> Progress,
    ) -> Result<(), WaitError<O>> {
        self.poll(request, wait, judge).await.map(drop)
    }

    /// Polls until `judge` says that the wait is over, or the resource is not found.
    async fn poll<O: Operation<Response: Stateful>>(
        &self,
        request: &Request<O>,
        wait: Wait<O>,
        judge: impl Fn(&Status<O>) -> Progress,
    ) -> Result<Polled<O>, WaitError<O>> {
        let started = Instant::now();
        let mut interval = wait.interval;
        let mut last = None;
        loop {
            let left = wait.timeout.saturating_sub(started.elapsed());
            // A call must not outlast the wait, but the first is always made.
            let limit = self.timeout.min(left.max(SHORTEST_CALL));
            let mut source = None;
            match self.with_timeout(limit).send(request).await {
                Ok(found) => {
                    if let Some(observer) = &wait.observer {
                        observer(&found);
                    }
                    match found.status().map(|status| (judge(status), status.clone())) {
                        Some((Progress::Reached, _)) => {
                            return Ok(Polled::Reached(Box::new(found)));
                        }
                        Some((Progress::Pending, _)) => last = Some(Box::new(found)),
                        Some((Progress::Failed, status)) => {
                            return Err(WaitError::Failed { status, last: Box::new(found) });
                        }
                        None => return Err(WaitError::NoStatus { last: Box::new(found) }),
                    }
                }
                Err(error) if error.is_not_found() => return Ok(Polled::Missing { last, error }),
                // The service may be back at the next poll.
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

/// The end of polling.
enum Polled<O: Operation> {
    Reached(Box<O::Response>),
    Missing { last: Option<Box<O::Response>>, error: Error },
}

/// A call has this much time even at the end of a wait.
const SHORTEST_CALL: Duration = Duration::from_secs(1);
