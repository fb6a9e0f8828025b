//! Passwords: kept as slow hashes, of which a few are computed at a time.

use std::fmt;
use std::sync::{Arc, LazyLock, mpsc};
use std::time::Duration;

use argon2::password_hash::phc;
use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};
use fabric_model::Invalid;
use fabric_model::identity::Secret;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot};

use crate::mock::budget::Allowance;

/// A password as an Argon2 hash. It does not show in `Debug` output.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PasswordHash(Arc<str>);

/// What a hash of ours takes: 4 MiB, three times over. A stolen one is slow to guess, and a test is not slow.
const MEMORY_KIBIBYTES: u32 = 4 * 1024;
const PASSES: u32 = 3;

/// What a hash of somebody else may take.
const MEMORY_MAX_KIBIBYTES: u32 = 64 * 1024;
const PASSES_MAX: u32 = 10;

impl PasswordHash {
    /// The hash of a password, with a salt of its own.
    pub(crate) fn of(password: &Secret) -> Self {
        let (tell, told) = mpsc::channel();
        let password = password.clone();
        hash(move || _ = tell.send(Self::computed(&password)));
        told.recv().expect("a hash that is asked for is computed")
    }

    fn computed(password: &Secret) -> Self {
        let params = Params::new(MEMORY_KIBIBYTES, PASSES, 1, None);
        let argon2 = Argon2::from(params.expect("the parameters are within their limits"));
        let salt = uuid::Uuid::new_v4();
        let hash = argon2.hash_password_with_salt(password.expose().as_bytes(), salt.as_bytes());
        let hash = hash.expect("a password is shorter than 4 GiB, and the salt is fit");
        Self(hash.to_string().into())
    }

    /// What stands in for the hash of a user who does not exist: an answer then takes as long.
    pub(crate) fn of_nobody() -> Self {
        static HASH: LazyLock<PasswordHash> = LazyLock::new(|| {
            let random = uuid::Uuid::new_v4().to_string();
            PasswordHash::of(&Secret::from(random))
        });
        HASH.clone()
    }

    /// Reads a hash in the PHC form, such as `$argon2id$v=19$m=4096,t=3,p=1$…`.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let wrong = |rule: String| Invalid::new("password_hash", rule);
        let is_whole = |hash: &phc::PasswordHash| hash.salt.is_some() && hash.hash.is_some();
        let hash = phc::PasswordHash::new(text).ok().filter(is_whole);
        let params = hash.filter(|hash| hash.algorithm.as_str().starts_with("argon2"));
        let params = params.and_then(|hash| Params::try_from(&hash).ok());
        let params =
            params.ok_or_else(|| wrong("must be an Argon2 hash, $argon2id$…".to_owned()))?;
        if params.m_cost() > MEMORY_MAX_KIBIBYTES || params.t_cost() > PASSES_MAX {
            let rule = format!("must have m up to {MEMORY_MAX_KIBIBYTES} and t up to {PASSES_MAX}");
            return Err(wrong(rule));
        }
        Ok(Self(text.into()))
    }

    /// The hash in the PHC form.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn is_of(&self, password: &Secret) -> bool {
        Argon2::default().verify_password(password.expose().as_bytes(), &*self.0).is_ok()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// Lets a few passwords be verified at a time, and a few more wait.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    running: Arc<Semaphore>,
    /// Those that wait, and those that run.
    admitted: Allowance,
}

/// How many passwords are verified at a time.
const RUNNING_MAX: usize = 2;

/// Computes a hash in one of a few threads of its own, since a thread that has computed one keeps the memory that it
/// took.
fn hash(work: impl FnOnce() + Send + 'static) {
    type Work = Box<dyn FnOnce() + Send>;
    static WORK: LazyLock<mpsc::Sender<Work>> = LazyLock::new(|| {
        let (sender, receiver) = mpsc::channel::<Work>();
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..RUNNING_MAX {
            let receiver = receiver.clone();
            std::thread::spawn(move || {
                loop {
                    let work = receiver.lock().recv();
                    let Ok(work) = work else { return };
                    work();
                }
            });
        }
        sender
    });
    // The threads wait for work as long as the program runs.
    let _ = WORK.send(Box::new(work));
}

/// How long one waits.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Too many passwords are to be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Busy;

impl fmt::Display for Busy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("too many passwords are to be verified at once, see --max-sign-ins")
    }
}

impl Gate {
    pub(crate) fn new(admitted: Allowance) -> Self {
        Self { running: Arc::new(Semaphore::new(RUNNING_MAX)), admitted }
    }

    /// Whether a password is that of a hash.
    pub(crate) async fn verify(&self, hash: PasswordHash, password: Secret) -> Result<bool, Busy> {
        let admitted = self.admitted.take(1).ok_or(Busy)?;
        let running = tokio::time::timeout(WAIT_MAX, self.running.clone().acquire_owned()).await;
        let running = running.map_err(|_| Busy)?.map_err(|_| Busy)?;
        let (tell, told) = oneshot::channel();
        self::hash(move || {
            let is_right = hash.is_of(&password);
            // A caller who gives up frees the place only once the work is done.
            drop((admitted, running));
            let _ = tell.send(is_right);
        });
        told.await.map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn guesses_beyond_the_bound_are_turned_away_and_the_others_wait() {
        let (gate, hash) = (Gate::new(Allowance::new(64)), PasswordHash::of(&"one".into()));
        let guess = |_| gate.verify(hash.clone(), "two".into());
        let outcomes = futures_util::future::join_all((0..100).map(guess)).await;
        let of = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
        assert_eq!((of(Ok(false)), of(Err(Busy))), (64, 36));
        assert_eq!(gate.verify(hash, "one".into()).await, Ok(true));
        assert_eq!(gate.running.available_permits(), RUNNING_MAX);
    }

    #[tokio::test]
    async fn a_guess_that_nobody_waits_for_keeps_its_place_until_it_is_done() {
        let (gate, hash) = (Gate::new(Allowance::new(64)), PasswordHash::of(&"one".into()));
        for _ in 0..RUNNING_MAX {
            // Polled once, a guess begins; then its caller goes.
            let guess = gate.verify(hash.clone(), "two".into());
            assert_eq!(futures_util::future::poll_immediate(guess).await, None);
        }
        assert_eq!(gate.running.available_permits(), 0);
        let ends = async {
            while gate.running.available_permits() < RUNNING_MAX {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(WAIT_MAX, ends).await.expect("the places are free again");
    }

    #[test]
    fn a_hash_is_salted_and_read_back_within_its_limits() {
        let (first, second) = (PasswordHash::of(&"one".into()), PasswordHash::of(&"one".into()));
        assert_ne!(first, second);
        let read = PasswordHash::parse(first.as_str()).expect("it is whole");
        assert!(read.is_of(&"one".into()) && !read.is_of(&"two".into()));
        assert_eq!(format!("{read:?}"), "[redacted]");
        let greedy = first.as_str().replace("m=4096", "m=4000000");
        assert_ne!(greedy, first.as_str());
        for wrong in [greedy.as_str(), "", "hunter2", "$argon2id$v=19$m=4096,t=3,p=1", "$2b$10$abc"]
        {
            assert!(PasswordHash::parse(wrong).is_err(), "{wrong}");
        }
    }
}
