//! The routes of the control surface, each the same as a method of [`World`].

use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use fabric_model::{Invalid, ProjectId, json};
use futures_util::StreamExt;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use utoipa::openapi::OpenApi;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::clock::Clock;
use crate::api::time;
use crate::mock::control::bounds::{broken, place_to_look_up, spent};
use crate::mock::control::stream;
use crate::mock::coverage::Coverage;
use crate::mock::error::ControlError;
use crate::mock::fault::rule::{Fault, FaultStatus};
use crate::mock::identity::accounts::{DEFAULT_DOMAIN, NewUser, ProjectName, UserStatus};
use crate::mock::journal;
use crate::mock::journal::entry::{Entries, Entry, Filter};
use crate::mock::journal::verify::{Expectation, Verdict};
use crate::mock::snapshot::Snapshot;
use crate::mock::status::{
    ClockStatus, ProjectAccess, ProjectSummary, Records, ResourceStatus, WorldStatus,
};
use crate::mock::world::World;

/// A snapshot of a few million records. Other bodies have axum's limit of 2 MiB.
const SNAPSHOT_MAX_LENGTH: usize = 1024 * 1024 * 1024;

/// The document of the control surface.
pub(crate) fn document() -> OpenApi {
    let (_, mut document) = controlled().split_for_parts();
    document.merge(probes().split_for_parts().1);
    document
}

pub(crate) fn controlled() -> OpenApiRouter<World> {
    OpenApiRouter::new()
        .routes(routes!(status))
        .routes(routes!(reset))
        .routes(routes!(take_snapshot, put_snapshot))
        .routes(routes!(list_projects, create_project, name_project))
        .routes(routes!(delete_project))
        .routes(routes!(list_users, put_user, remove_user))
        .routes(routes!(list_resources))
        .routes(routes!(list_records))
        .routes(routes!(list_faults, add_fault, clear_faults))
        .routes(routes!(remove_fault))
        .routes(routes!(list_journal, clear_journal))
        .routes(routes!(stream_journal))
        .routes(routes!(verify))
        .routes(routes!(show_clock, set_clock, follow_clock))
        .routes(routes!(show_coverage))
        .routes(routes!(metrics))
}

/// What answers any caller, in whatever state the mock is.
pub(crate) fn probes() -> OpenApiRouter<World> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// What the control surface answers when it rejects a request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// What is wrong, and what to do about it.
    error: String,
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        (self.status, axum::Json(ErrorBody { error: self.message })).into_response()
    }
}

/// A body in JSON.
struct Json<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ControlError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ControlError> {
        let body = Bytes::from_request(request, state).await.map_err(|error: BytesRejection| {
            ControlError { status: error.status(), message: error.body_text() }
        })?;
        Ok(Self(json::read(&body)?))
    }
}

/// What stands after the `?`.
struct Query<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ControlError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ControlError> {
        axum::extract::Query::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|error: QueryRejection| ControlError::invalid(error.body_text()))
    }
}

/// What stands in the path.
struct Path<T>(T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ControlError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ControlError> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(path)| Self(path))
            .map_err(|error: PathRejection| ControlError::invalid(error.body_text()))
    }
}

/// Which project, where all are meant when there is none.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfProject {
    /// Only of this project.
    #[param(value_type = Option<String>)]
    project_id: Option<ProjectId>,
}

/// The world at a glance: version, seed, clock and journal.
#[utoipa::path(get, path = "/_mock/v1/status", responses((status = 200, body = WorldStatus)))]
async fn status(State(world): State<World>) -> axum::Json<WorldStatus> {
    axum::Json(world.status())
}

/// Goes back to how the server was started, or resets one project.
///
/// Records, faults, clocks, draws, projects, journal and coverage; of one project what belongs to it, but
/// for its token.
#[utoipa::path(post, path = "/_mock/v1/reset", params(OfProject), responses((status = 204)))]
async fn reset(
    State(world): State<World>,
    Query(OfProject { project_id }): Query<OfProject>,
) -> Result<StatusCode, ControlError> {
    // Many records take a while to go.
    spawn_blocking(move || world.reset(project_id.as_ref())).await.map_err(|_| broken())?;
    Ok(StatusCode::NO_CONTENT)
}

/// All state as of one moment, to be committed or restored later. Journal and coverage are not in it.
#[utoipa::path(get, path = "/_mock/v1/snapshot", responses((status = 200, body = Snapshot)))]
async fn take_snapshot(State(world): State<World>) -> impl IntoResponse {
    let body = stream::written(move |writer| world.snapshot().write_to(writer));
    ([(CONTENT_TYPE, "application/json")], body)
}

/// Restores a snapshot, all at once. One that is wrong changes nothing.
#[utoipa::path(
    put, path = "/_mock/v1/snapshot", request_body = Snapshot,
    responses(
        (status = 204),
        (status = 400, body = ErrorBody),
        (status = 409, description = "It has more than there may be, or another is being read", body = ErrorBody),
    )
)]
async fn put_snapshot(State(world): State<World>, body: Body) -> Result<StatusCode, ControlError> {
    // Each has as much in memory as it holds.
    let Ok(turn) = world.restoring().clone().try_lock_owned() else {
        let reason = "another snapshot is being read: wait until that is restored";
        return Err(ControlError::conflict(reason.to_owned()));
    };
    let read = move |reader| {
        let _turn = turn;
        // The default project need not be one of those that are limited.
        let most = world.projects_max().saturating_add(1);
        let snapshot = Snapshot::read_some(reader, most).map_err(|error| {
            let reason = format!("the snapshot is wrong: {error}");
            if error.is_too_much {
                ControlError::conflict(reason)
            } else {
                ControlError::invalid(reason)
            }
        })?;
        world.restore_within_limits(&snapshot)?;
        Ok(StatusCode::NO_CONTENT)
    };
    stream::read(body, SNAPSHOT_MAX_LENGTH, read).await
}

/// Every project.
#[derive(Debug, Serialize, ToSchema)]
struct Projects {
    projects: Vec<ProjectSummary>,
}

/// Every project that has or had records, or was made, and the default one.
#[utoipa::path(get, path = "/_mock/v1/projects", responses((status = 200, body = Projects)))]
async fn list_projects(State(world): State<World>) -> Result<axum::Json<Projects>, ControlError> {
    // Many projects take a while to be counted.
    spawn_blocking(move || world.projects())
        .await
        .map(|projects| axum::Json(Projects { projects }))
        .map_err(|_| broken())
}

/// A project to make.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProject {
    /// Its id, 1 to 64 letters, digits and hyphens; made up when absent.
    #[schema(value_type = Option<String>, nullable = false)]
    project_id: Option<ProjectId>,
    /// The project whose records and clock it starts with; empty when absent.
    #[schema(value_type = Option<String>, nullable = false)]
    from: Option<ProjectId>,
}

/// Makes a project, empty or forked from another, with a token of its own.
///
/// A fork takes the same time whatever the size of the other project, and does not change with it.
#[utoipa::path(
    post, path = "/_mock/v1/projects", request_body = NewProject,
    responses(
        (status = 201, body = ProjectAccess),
        (status = 404, description = "There is no project to fork from", body = ErrorBody),
        (status = 409, description = "There is such a project already, or there are too many", body = ErrorBody),
    )
)]
async fn create_project(
    State(world): State<World>,
    body: Bytes,
) -> Result<impl IntoResponse, ControlError> {
    let new: NewProject = if body.is_empty() { NewProject::default() } else { json::read(&body)? };
    let access = world.create_project(new.project_id, new.from.as_ref())?;
    Ok((StatusCode::CREATED, axum::Json(access)))
}

/// Names a project, for sign-in: callers then find it by that name only. It need not be there yet.
#[utoipa::path(
    put, path = "/_mock/v1/projects", request_body = ProjectName,
    responses((status = 204), (status = 400, body = ErrorBody))
)]
async fn name_project(
    State(world): State<World>,
    Json(name): Json<ProjectName>,
) -> Result<StatusCode, ControlError> {
    world.name_project(name).map(|()| StatusCode::NO_CONTENT)
}

/// The users who may sign in.
#[derive(Debug, Serialize, ToSchema)]
struct Users {
    users: Vec<UserStatus>,
}

/// The users who may sign in, by domain and name.
#[utoipa::path(get, path = "/_mock/v1/users", responses((status = 200, body = Users)))]
async fn list_users(State(world): State<World>) -> axum::Json<Users> {
    axum::Json(Users { users: world.users() })
}

/// Adds a user who may sign in, or replaces the one of the same domain and name.
///
/// The tokens and keys that the user signed in for are revoked. Where any caller is accepted, only the passwords of
/// users that were added are verified.
#[utoipa::path(
    put, path = "/_mock/v1/users", request_body = NewUser,
    responses((status = 200, body = UserStatus), (status = 400, body = ErrorBody))
)]
async fn put_user(
    State(world): State<World>,
    Json(user): Json<NewUser>,
) -> Result<axum::Json<UserStatus>, ControlError> {
    let put = spawn_blocking(move || world.put_user(user)).await;
    put.unwrap_or_else(|_| Err(broken())).map(axum::Json)
}

/// Which user.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfUser {
    /// The name of the user's domain; `default` when absent.
    domain: Option<String>,
    /// The name.
    name: String,
}

/// Removes a user that was added, and revokes the tokens and keys that the user signed in for.
#[utoipa::path(
    delete, path = "/_mock/v1/users", params(OfUser),
    responses(
        (status = 204),
        (status = 404, description = "There is no such user", body = ErrorBody),
        (status = 409, description = "The server was started with the user", body = ErrorBody),
    )
)]
async fn remove_user(
    State(world): State<World>,
    Query(OfUser { domain, name }): Query<OfUser>,
) -> Result<StatusCode, ControlError> {
    let domain = domain.as_deref().unwrap_or(DEFAULT_DOMAIN);
    world.remove_user(domain, &name).map(|()| StatusCode::NO_CONTENT)
}

/// Deletes a project with all that belongs to it.
#[utoipa::path(
    delete, path = "/_mock/v1/projects/{project_id}", params(("project_id" = String, Path, description = "The project")),
    responses((status = 204), (status = 404, body = ErrorBody))
)]
async fn delete_project(
    State(world): State<World>,
    Path(id): Path<ProjectId>,
) -> Result<StatusCode, ControlError> {
    spawn_blocking(move || world.delete_project(&id)).await.unwrap_or_else(|_| Err(broken()))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which records.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// How many are left out before them.
    #[serde(default)]
    offset: usize,
    /// How many at most, 1 to 100; 10 when absent.
    limit: Option<usize>,
}

/// The resources of which there are records.
#[derive(Debug, Serialize, ToSchema)]
struct Resources {
    resources: Vec<ResourceStatus>,
}

/// The resources of which there are records.
#[utoipa::path(get, path = "/_mock/v1/resources", responses((status = 200, body = Resources)))]
async fn list_resources(State(world): State<World>) -> axum::Json<Resources> {
    axum::Json(Resources { resources: world.resources() })
}

/// The records of a resource in a project, as the service lists them, without its credentials.
#[utoipa::path(
    get, path = "/_mock/v1/projects/{project_id}/{resource}",
    params(
        ("project_id" = String, Path, description = "The project"),
        ("resource" = String, Path, description = "The resource by its name, such as access-clients"),
        Page,
    ),
    responses(
        (status = 200, body = Records<Object>),
        (status = 404, description = "There is no such resource", body = ErrorBody),
    )
)]
async fn list_records(
    State(world): State<World>,
    Path((id, resource)): Path<(ProjectId, String)>,
    Query(Page { offset, limit }): Query<Page>,
) -> Result<axum::Json<Records<serde_json::Value>>, ControlError> {
    let limit = limit.unwrap_or(10).clamp(1, 100);
    // Many records that are gone take a while to be left out.
    let (of, named) = (world.clone(), resource.clone());
    let records = spawn_blocking(move || of.records_json(&id, &named, offset, limit)).await;
    let records = records.map_err(|_| broken())?.ok_or_else(|| {
        let known: Vec<_> = world.resources().into_iter().map(|known| known.name).collect();
        let known = known.join(", ");
        ControlError::not_found(format!("there is no resource {resource}; there are {known}"))
    })?;
    Ok(axum::Json(records))
}

/// Faults in force.
#[derive(Debug, Serialize, ToSchema)]
struct FaultList {
    faults: Vec<FaultStatus>,
}

/// The faults in force, the first first.
#[utoipa::path(get, path = "/_mock/v1/faults", params(OfProject), responses((status = 200, body = FaultList)))]
async fn list_faults(
    State(world): State<World>,
    Query(OfProject { project_id }): Query<OfProject>,
) -> axum::Json<FaultList> {
    axum::Json(FaultList { faults: world.faults(project_id.as_ref()) })
}

/// Adds a fault: which calls go wrong, how, and whether the service does what they ask all the same.
#[utoipa::path(
    post, path = "/_mock/v1/faults", request_body = Fault,
    responses(
        (status = 201, body = FaultStatus),
        (status = 400, description = "The fault contradicts itself", body = ErrorBody),
    )
)]
async fn add_fault(
    State(world): State<World>,
    Json(fault): Json<Fault>,
) -> Result<impl IntoResponse, ControlError> {
    Ok((StatusCode::CREATED, axum::Json(world.add_fault(fault)?)))
}

/// Removes the faults of a project, or all.
#[utoipa::path(delete, path = "/_mock/v1/faults", params(OfProject), responses((status = 204)))]
async fn clear_faults(
    State(world): State<World>,
    Query(OfProject { project_id }): Query<OfProject>,
) -> StatusCode {
    world.clear_faults(project_id.as_ref());
    StatusCode::NO_CONTENT
}

/// Removes a fault.
#[utoipa::path(
    delete, path = "/_mock/v1/faults/{id}", params(("id" = u64, Path, description = "The number of the fault")),
    responses((status = 204), (status = 404, body = ErrorBody))
)]
async fn remove_fault(
    State(world): State<World>,
    Path(id): Path<String>,
) -> Result<StatusCode, ControlError> {
    let number =
        id.parse().map_err(|_| ControlError::not_found(format!("there is no fault {id}")))?;
    world.remove_fault(number).map(|()| StatusCode::NO_CONTENT)
}

/// The calls that were made, newest first.
#[utoipa::path(get, path = "/_mock/v1/journal", params(Filter), responses((status = 200, body = Entries)))]
async fn list_journal(
    State(world): State<World>,
    Query(filter): Query<Filter>,
) -> Result<impl IntoResponse, ControlError> {
    filter.check()?;
    let place = place_to_look_up(&world).await?;
    let body = stream::written(move |writer| {
        let _place = place;
        world.calls().write_entries(&filter, writer)
    });
    Ok(([(CONTENT_TYPE, "application/json")], body))
}

/// Clears the journal of a project, or of all.
#[utoipa::path(delete, path = "/_mock/v1/journal", params(OfProject), responses((status = 204)))]
async fn clear_journal(
    State(world): State<World>,
    Query(OfProject { project_id }): Query<OfProject>,
) -> StatusCode {
    world.clear_journal(project_id.as_ref());
    StatusCode::NO_CONTENT
}

/// The calls as they are made, as server-sent events.
///
/// Each is an event `call` with the number of the call as its id, from `after` or `Last-Event-ID` on, and
/// when both are absent from now on. When calls were evicted before they could be sent, an event `evicted`
/// says so.
#[utoipa::path(
    get, path = "/_mock/v1/journal/stream", params(Filter),
    responses((status = 200, content_type = "text/event-stream", body = Entry))
)]
async fn stream_journal(
    State(world): State<World>,
    Query(filter): Query<Filter>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ControlError> {
    if !world.calls().is_on() {
        return Err(ControlError::conflict(
            "the journal is off: start the server without `--journal-limit 0`".to_owned(),
        ));
    }
    filter.check()?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let filter = Filter { after: filter.after.or(last), ..filter };
    let streams = &world.spending().event_streams;
    let place = streams.take(1);
    let place = place.ok_or_else(|| spent("there are too many streams", "--max-event-streams"))?;
    let events = world.calls_as_they_come(filter).map(move |event| {
        let _place = &place;
        match event {
            journal::entry::Event::Call(entry) => {
                let event = Event::default().event("call").id(entry.sequence.to_string());
                event.json_data(entry)
            }
            journal::entry::Event::Evicted(count) => {
                Event::default().event("evicted").json_data(serde_json::json!({ "count": count }))
            }
        }
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// Whether the calls that a test expects were made: 200 if so, 409 with what came instead if not.
#[utoipa::path(
    post, path = "/_mock/v1/journal/verify", request_body = Expectation,
    responses((status = 200, body = Verdict), (status = 409, body = Verdict))
)]
async fn verify(
    State(world): State<World>,
    Json(expectation): Json<Expectation>,
) -> Result<impl IntoResponse, ControlError> {
    let place = place_to_look_up(&world).await?;
    let look = move || {
        // A caller who gives up frees the place only once the work is done.
        let _place = place;
        world.verify(&expectation)
    };
    let verdict = spawn_blocking(look).await.map_err(|_| broken())??;
    let status = if verdict.is_met { StatusCode::OK } else { StatusCode::CONFLICT };
    Ok((status, axum::Json(verdict)))
}

/// What to do to a clock, in this order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    /// Sets the time, in RFC 3339 and UTC.
    #[schema(nullable = false, format = DateTime)]
    time: Option<String>,
    /// Freezes the clock, or lets it run on.
    #[schema(nullable = false)]
    frozen: Option<bool>,
    /// Advances it by so much, such as `1h 30m` or `500ms`.
    #[schema(nullable = false)]
    advance: Option<String>,
}

/// What the clock of the server, or of a project, shows.
#[utoipa::path(get, path = "/_mock/v1/clock", params(OfProject), responses((status = 200, body = ClockStatus)))]
async fn show_clock(
    State(world): State<World>,
    Query(of): Query<OfProject>,
) -> axum::Json<ClockStatus> {
    axum::Json(ClockStatus::of(&clock(&world, of)))
}

/// Sets, freezes, resumes or advances the clock: all that depends on time goes by it, such as
/// status, expiry of tokens, locks of keys, and faults that have a time.
#[utoipa::path(
    put, path = "/_mock/v1/clock", params(OfProject), request_body = ClockChange,
    responses((status = 200, body = ClockStatus), (status = 400, body = ErrorBody))
)]
async fn set_clock(
    State(world): State<World>,
    Query(of): Query<OfProject>,
    Json(change): Json<ClockChange>,
) -> Result<axum::Json<ClockStatus>, ControlError> {
    let ClockChange { time, frozen, advance } = change;
    if time.is_none() && frozen.is_none() && advance.is_none() {
        return Err(ControlError::invalid("give time, frozen or advance".to_owned()));
    }
    let time = time.map(|time| time::read(&time).map_err(|rule| Invalid::new("time", rule)));
    let time = time.transpose()?;
    let advance = advance.map(|by| {
        humantime::parse_duration(&by)
            .map_err(|_| Invalid::new("advance", "must be like 1h 30m or 500ms"))
    });
    let advance = advance.transpose()?;
    let clock = clock(&world, of);
    match (time, frozen) {
        (Some(time), Some(true)) => clock.freeze_at(time),
        (None, Some(true)) => clock.freeze(),
        (time, frozen) => {
            if let Some(time) = time {
                clock.set(time);
            }
            if frozen == Some(false) {
                clock.resume();
            }
        }
    }
    if let Some(by) = advance {
        clock.advance(by);
    }
    Ok(axum::Json(ClockStatus::of(&clock)))
}

/// Lets the clock of the server follow the system's again, or that of a project the server's.
#[utoipa::path(delete, path = "/_mock/v1/clock", params(OfProject), responses((status = 204)))]
async fn follow_clock(State(world): State<World>, Query(of): Query<OfProject>) -> StatusCode {
    clock(&world, of).follow();
    StatusCode::NO_CONTENT
}

fn clock(world: &World, OfProject { project_id }: OfProject) -> Clock {
    match project_id {
        Some(project) => world.clock().of(project),
        None => world.clock().clone(),
    }
}

/// What callers have met of the contract, in all projects: each documented answer of each operation, and
/// how often.
#[utoipa::path(get, path = "/_mock/v1/coverage", responses((status = 200, body = Coverage)))]
async fn show_coverage(State(world): State<World>) -> axum::Json<Coverage> {
    axum::Json(world.coverage())
}

/// Counts and gauges for Prometheus.
#[utoipa::path(get, path = "/_mock/v1/metrics", responses((status = 200, content_type = "text/plain", body = String)))]
async fn metrics(State(world): State<World>) -> impl IntoResponse {
    // Many projects take a while to be counted.
    let metrics = spawn_blocking(move || world.metrics()).await.map_err(|_| broken());
    metrics.map(|metrics| ([(CONTENT_TYPE, "text/plain; version=0.0.4")], metrics))
}

/// Whether the program runs: no fault, reset or limit touches this.
#[utoipa::path(get, path = "/_mock/v1/live", responses((status = 200, content_type = "text/plain", body = String)))]
async fn live() -> &'static str {
    "live\n"
}

/// Whether it takes calls: no longer once it was asked to stop.
#[utoipa::path(
    get, path = "/_mock/v1/ready",
    responses(
        (status = 200, content_type = "text/plain", body = String),
        (status = 503, description = "It is stopping", body = ErrorBody),
    )
)]
async fn ready(State(world): State<World>) -> Result<&'static str, ControlError> {
    if world.stop().is_stopping() {
        let message = "the server is stopping".to_owned();
        return Err(ControlError { status: StatusCode::SERVICE_UNAVAILABLE, message });
    }
    Ok("ready\n")
}
