//! A fault that a call meets.

use std::time::Duration;

use fabric_model::OperationInfo;
use http::HeaderMap;

use crate::api::answer::Answer;
use crate::mock::error::ControlError;
use crate::mock::fault::effect::Effect;
use crate::mock::fault::rule::{Fault, Outcome, Write};
use crate::mock::header::X_MOCK_FAULT;
use crate::mock::random::Draws;

/// A fault that is to happen to a call.
#[derive(Clone, Debug)]
pub(crate) struct Firing {
    /// The number of the fault; none where the caller asked for it.
    pub(crate) id: Option<u64>,
    pub(crate) delay: Duration,
    pub(crate) then: Option<Effect>,
    pub(crate) write: Write,
    pub(crate) outcome: Option<Outcome>,
}

impl Firing {
    /// What the fault makes of an answer, unless it breaks the connection.
    pub(crate) fn replacement(&self) -> Option<Answer> {
        self.then.as_ref()?.replacement().ok()?
    }

    /// What was asked for with this very call.
    pub(crate) fn of_header(
        headers: &HeaderMap,
        operation: &OperationInfo,
        draws: impl FnOnce() -> Draws,
    ) -> Result<Option<Self>, ControlError> {
        let mut values = headers.get_all(X_MOCK_FAULT).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(ControlError::invalid("must be given once".to_owned()));
        }
        let fault = Fault::parse_header(value, operation)?;
        Ok(Some(Self::new(None, &fault, &mut draws())))
    }

    /// Whether an answer is sent, be it in part.
    pub(crate) fn is_answered(&self) -> bool {
        !matches!(self.then, Some(Effect::Reset | Effect::Drop | Effect::Hang))
    }

    /// The fault and its effect in words, for log and journal.
    pub(crate) fn in_words(&self) -> String {
        let whose = match self.id {
            Some(id) => format!("fault {id}"),
            None => "fault of X-Mock-Fault".to_owned(),
        };
        let effect = match &self.then {
            None => String::new(),
            Some(effect) => format!(", {}", effect.in_words()),
        };
        let delay = match self.delay {
            Duration::ZERO => String::new(),
            delay => format!(", {} ms late", delay.as_millis()),
        };
        let write = match self.write {
            Write::Kept => "kept",
            Write::Discarded => "discarded",
        };
        let outcome = match self.outcome {
            None => "",
            Some(Outcome::Failed) => ", what it begins fails",
        };
        format!("{whose}{effect}{delay}, write {write}{outcome}")
    }

    pub(crate) fn new(id: Option<u64>, fault: &Fault, draws: &mut Draws) -> Self {
        let delay = fault.delay.map_or(Duration::ZERO, |delay| delay.draw(draws));
        let then = fault.then.clone();
        Self { id, delay, then, write: fault.effective_write(), outcome: fault.outcome }
    }
}
