//! Why the command failed, and its exit status.

use fabric_client::model::{Invalid, Operation, Resource, Stateful};
use fabric_client::{CreateError, Error, IdentityError, WaitError};

use crate::output::plain;

/// The exit statuses, by which a script can tell failures apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Failed = 1,
    Misused = 2,
    NotFound = 3,
    NotAllowed = 4,
    Unreachable = 5,
    Hopeless = 6,
    TooLate = 7,
}

/// Why the command failed: one line, advice, and the exit status.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) reason: String,
    pub(crate) hint: Option<String>,
    pub(crate) exit: Exit,
}

impl Failure {
    pub(crate) fn new(exit: Exit, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: None, exit }
    }

    pub(crate) fn misused(reason: impl Into<String>) -> Self {
        Self::new(Exit::Misused, reason)
    }

    /// Adds advice, unless there is some.
    pub(crate) fn or_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert(hint.into());
        self
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        Error::from(invalid).into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut reason = with_causes(&error);
        let (exit, hint) = sort(&error, &reason);
        if let Some(id) = error.request_id() {
            reason += &[" (request ", id, ")"].concat();
        }
        Self { reason, hint: hint.map(str::to_owned), exit }
    }
}

impl From<CreateError> for Failure {
    fn from(error: CreateError) -> Self {
        let prefix = match &error {
            CreateError::Lookup(_) => format!("{error}: "),
            _ => String::new(),
        };
        let failure = Self::from(Error::from(error));
        Self { reason: prefix + &failure.reason, ..failure }
    }
}

impl<O: Operation<Response: Stateful>> From<WaitError<O>> for Failure {
    fn from(error: WaitError<O>) -> Self {
        match error {
            WaitError::Call(error) | WaitError::TimedOut { source: Some(error), .. } => {
                error.into()
            }
            WaitError::TimedOut { .. } => Self::new(Exit::TooLate, plain(&error.to_string())),
            WaitError::RolledBack { .. } => {
                Self::new(Exit::Hopeless, format!("the {} is gone", O::Resource::SINGULAR))
            }
            error => Self::new(Exit::Hopeless, plain(&error.to_string())),
        }
    }
}

/// An error with its causes, on one line.
fn with_causes(error: &Error) -> String {
    let mut line = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        line += &[": ", &error.to_string()].concat();
        cause = error.source();
    }
    plain(&line)
}

/// The exit status of an error, and advice.
fn sort(error: &Error, reason: &str) -> (Exit, Option<&'static str>) {
    let status = error.status().map(|status| status.as_u16());
    match (error, status) {
        (Error::Configuration { .. }, _) if reason.contains("allow_plain_http") => {
            (Exit::Misused, Some("--allow-plain-http allows it"))
        }
        (Error::Configuration { .. } | Error::Invalid(_), _) => (Exit::Misused, None),
        (Error::Credentials(source), _) => match source.downcast_ref() {
            Some(error) => sort_identity(error, reason),
            None => (
                Exit::NotAllowed,
                Some(
                    "set FABRIC_AUTH_TOKEN, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or OS_USERNAME, \
                     OS_PASSWORD and OS_USER_DOMAIN_NAME, or say --anonymous",
                ),
            ),
        },
        (Error::Connect(_), _) if reason.contains("certificate") => {
            (Exit::Unreachable, Some("--ca-cert trusts another certificate"))
        }
        (Error::Connect(_), _) => {
            (Exit::Unreachable, Some("is the endpoint right, and can this machine reach it?"))
        }
        _ if error.is_not_found() => (Exit::NotFound, None),
        (_, Some(401)) => {
            (Exit::NotAllowed, Some("the token or the access key is not known, or has expired"))
        }
        (_, Some(403)) => {
            (Exit::NotAllowed, Some("the credentials do not allow this, or are of another project"))
        }
        _ => {
            let is_silent = matches!(error, Error::TimedOut(_) | Error::Interrupted(_));
            let exit = if is_silent { Exit::Unreachable } else { Exit::Failed };
            let doubt = "a change may have been carried out all the same: check first";
            (exit, Some(doubt).filter(|_| error.is_in_doubt()))
        }
    }
}

/// The same for what the identity service did not do.
fn sort_identity(error: &IdentityError, reason: &str) -> (Exit, Option<&'static str>) {
    let set_project = Some("--project-id, or HUAWEICLOUD_SDK_PROJECT_ID, sets the project");
    match (error, error.call()) {
        (_, Some(call)) => match (call.status().map(|status| status.as_u16()), error) {
            (Some(401), IdentityError::SignIn { .. }) => {
                (Exit::NotAllowed, Some("the user, the password or the domain is wrong"))
            }
            (Some(404), IdentityError::SignIn { .. }) => {
                (Exit::NotAllowed, Some("the user has no such project, or there is no such domain"))
            }
            (Some(_), IdentityError::Lookup { .. }) => (Exit::NotAllowed, set_project),
            _ => sort(call, reason),
        },
        (IdentityError::Configuration(_), _) if reason.contains("allow_plain_http") => {
            (Exit::Misused, Some("--allow-plain-http allows it"))
        }
        (IdentityError::Configuration(_), _) => (
            Exit::Misused,
            Some("--project-id, HUAWEICLOUD_SDK_PROJECT_ID or OS_PROJECT_NAME sets the project"),
        ),
        _ => (Exit::NotAllowed, set_project),
    }
}
