//! The context of the mock's handlers, and how handlers are joined to operations.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

use fabric_model::{ApiError, Failure, Operation, Paging, Payload, ProjectId, Request, Resource};
use http::header::CONTENT_TYPE;
use http::request::Parts;

use crate::api::around::Around;
use crate::api::routing::Api;
use crate::mock::behaviour::Behaviour;
use crate::mock::fault::rule::{Outcome, Write};
use crate::mock::owners::Owners;
use crate::mock::projects::{Project, Projects};
use crate::mock::table::{Answer, Record};

/// The context of a handler: its call, and the project that it works on.
#[derive(Debug)]
pub(crate) struct Mock {
    pub(crate) projects: Arc<Projects>,
    pub(crate) project: ProjectId,
    /// The time of the call, in whole milliseconds.
    pub(crate) now: SystemTime,
    /// Whether the changes of the handler are kept.
    pub(crate) write: Write,
    /// How what the call begins ends; as it would by itself when absent.
    pub(crate) outcome: Option<Outcome>,
}

impl Mock {
    pub(crate) fn behaviour(&self) -> &Behaviour {
        &self.projects.behaviour
    }

    /// Runs `act` on the project of the caller.
    pub(crate) fn project<T>(&self, act: impl FnOnce(&mut Project) -> T) -> T {
        self.projects.with(&self.project, self.write, act)
    }

    /// Looks at a copy of the project of the caller. A list may take a while: neither calls in the project nor those
    /// that this thread serves wait for it.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Project) -> T + Send + 'static,
    ) -> T {
        /// How many records are looked through within a millisecond or so.
        const FEW: usize = 5_000;
        let project = self.projects.copy_of(&self.project, self.now);
        if project.tables.len(self.now) <= FEW {
            return look(&project);
        }
        let looking = tokio::task::spawn_blocking(move || look(&project));
        looking.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    /// Runs `act` on the project of the caller, where it may add records, up to the quota of the project.
    ///
    /// # Errors
    ///
    /// 429 if the project has as many records of the kind as it may have.
    pub(crate) fn project_to_fill<R: Record, T>(
        &self,
        act: impl FnOnce(&mut Project) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.projects.with_new(&self.project, self.write, |project| {
            self.check_quota::<R>(project)?;
            act(project)
        })
    }

    /// Checks that the project may have another record of a kind.
    ///
    /// # Errors
    ///
    /// 429 if it may not.
    pub(crate) fn check_quota<R: Record>(&self, project: &Project) -> Result<(), ApiError> {
        self.check_quota_of::<R>(project, 1)
    }

    /// Checks that the project may have more records of a kind.
    ///
    /// # Errors
    ///
    /// 429 if it may not.
    pub(crate) fn check_quota_of<R: Record>(
        &self,
        project: &Project,
        more: usize,
    ) -> Result<(), ApiError> {
        let Some(quota) = self.behaviour().quota.filter(|_| more > 0) else { return Ok(()) };
        if project.records::<R>().count(self.now) + more > quota {
            let what = R::Resource::INFO.plural();
            let message = format!("The quota of {what} of the project has been reached");
            return Err(ApiError::saying(Failure::Throttled, &message));
        }
        Ok(())
    }
}

/// What a handler has found, or 404.
///
/// # Errors
///
/// 404, if there is nothing.
pub(crate) fn found<T>(found: Option<T>) -> Result<T, ApiError> {
    found.ok_or_else(|| Failure::NotFound.into())
}

/// The offset and the limit of a list.
pub(crate) fn page_of(query: &impl Paging) -> (usize, usize) {
    (query.offset() as usize, query.limit() as usize)
}

/// The operations of the mock, and what a recorder learns from calls of them.
pub(crate) struct Service<A: Around<Context = Mock>> {
    pub(crate) api: Api<(), A>,
    pub(crate) lessons: Lessons,
}

/// What a recorder learns from calls, by operation.
#[derive(Default)]
pub(crate) struct Lessons(HashMap<&'static str, Lesson>);

type Lesson = Box<dyn Fn(&Call<'_>, &mut Project, &Behaviour, SystemTime) + Send + Sync>;

impl fmt::Debug for Lessons {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Lessons").field(&self.0.len()).finish()
    }
}

/// A successful call of another service.
pub(crate) struct Call<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) body: &'a [u8],
    pub(crate) answer: &'a [u8],
}

/// What a call tells of a record.
pub(crate) enum Seen<R: Record> {
    /// It is as answered, in the fields that the answer has. Its owner is in the path of the call.
    There(Answer<R>),
    /// It is gone.
    Gone(String),
}

/// What a recorder learns with.
pub(crate) struct Learning<'a> {
    pub(crate) project: &'a mut Project,
    /// The parameters in the path of the call.
    owners: &'a Owners,
    behaviour: &'a Behaviour,
    pub(crate) now: SystemTime,
}

impl Learning<'_> {
    /// Adds or changes a record as another service answered it. An answer that is invalid is ignored.
    pub(crate) fn observe<R: Record>(&mut self, answer: Answer<R>) {
        self.project.observe::<R>(answer, self.owners, self.behaviour, self.now);
    }
}

impl Lessons {
    /// Learns from a call of an operation.
    #[cfg(feature = "record")]
    pub(crate) fn learn(
        &self,
        operation: &str,
        call: &Call<'_>,
        project: &mut Project,
        behaviour: &Behaviour,
        now: SystemTime,
    ) {
        if let Some(lesson) = self.0.get(operation) {
            lesson(call, project, behaviour, now);
        }
    }
}

impl<A: Around<Context = Mock>> Service<A> {
    pub(crate) fn new(around: A) -> Self {
        Self { api: Api::with_around((), around), lessons: Lessons::default() }
    }

    /// Adds the operation that `handler` serves.
    pub(crate) fn operation<O, Handler, Answering>(mut self, handler: Handler) -> Self
    where
        O: Operation,
        Handler: Fn(Mock, Request<O>) -> Answering + Clone + Send + Sync + 'static,
        Answering: Future<Output = Result<O::Response, ApiError>> + Send + 'static,
    {
        self.api = self.api.operation(move |(), mock, request| handler(mock, request));
        self
    }

    /// Adds what a recorder learns about records from a successful call of an operation.
    pub(crate) fn teaching<O: Operation, R: Record>(
        self,
        seen: fn(Request<O>, O::Response) -> Vec<Seen<R>>,
    ) -> Self {
        self.learning(move |request: Request<O>, response, learning| {
            for seen in seen(request, response) {
                match seen {
                    Seen::There(answer) => learning.observe::<R>(answer),
                    Seen::Gone(id) => _ = learning.project.remove::<R>(&id, learning.now),
                }
            }
        })
    }

    /// Adds what a recorder does with a project after a successful call of an operation.
    pub(crate) fn learning<O: Operation>(
        mut self,
        learn: impl Fn(Request<O>, O::Response, &mut Learning<'_>) + Send + Sync + 'static,
    ) -> Self {
        let lesson: Lesson = Box::new(move |call, project, behaviour, now| {
            let content_type = call.parts.headers.get(CONTENT_TYPE);
            let request = Request::<O>::read(
                call.parts.uri.path(),
                call.parts.uri.query().unwrap_or_default(),
                content_type.map(http::HeaderValue::as_bytes),
                call.body,
            );
            let (Ok(request), Ok(response)) = (request, O::Response::read_answer(call.answer))
            else {
                return;
            };
            let owners = O::INFO.path_parameters(call.parts.uri.path());
            let owners = &owners.map(|(name, id)| (name.to_owned(), id.into_owned())).collect();
            learn(request, response, &mut Learning { project, owners, behaviour, now });
        });
        self.lessons.0.insert(O::ID, lesson);
        self
    }
}
