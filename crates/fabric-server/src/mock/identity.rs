//! Sign-in: what the mock answers in the place of the identity service, on the same address.

pub(crate) mod accounts;
pub(crate) mod passwords;
mod projects;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fabric_model::identity::{
    CatalogEndpoint, CatalogEntry, CreateTemporaryKey, CreateToken, Domain, DomainList,
    DomainOfToken, IdentityFailure, Links, ListAuthDomains, ListAuthProjects, ListProjects,
    ListProjectsQuery, Project, ProjectList, ProjectOfToken, Role, Scope, TemporaryKey,
    TemporaryKeyAnswer, Token, TokenAnswer, UserOfToken, ValidateToken,
};
use fabric_model::signature::AccessKey;
use fabric_model::{ApiError, Nothing, ProjectId, Request, header};
use http::HeaderValue;

use crate::api::around::Around;
use crate::api::credentials::{Grant, SignedIn};
use crate::api::rejected::Rejected;
use crate::api::routing::Api;
use crate::api::sign_in::{SignInAnswer, SignInCall};
use crate::api::time;
use crate::mock::fault::rule::Write;
use crate::mock::identity::accounts::{DEFAULT_DOMAIN, Directory, KnownProject, made_up_id};
use crate::mock::identity::passwords::{Gate, PasswordHash};
use crate::mock::identity::projects::Reach;
use crate::mock::operations::Mock;
use crate::mock::world::World;

/// How long the token of a user is good: as long as the service's.
const TOKEN_LIFE: Duration = Duration::from_hours(24);

/// How long a temporary key is good, unless the caller asks for another time.
const KEY_LIFE: Duration = Duration::from_mins(15);

/// When what never expires is said to expire.
const NEVER: &str = "9999-12-31T23:59:59.000000Z";

type Answered<R> = Result<SignInAnswer<R>, Box<Rejected>>;

/// Adds the operations of sign-in.
pub(crate) fn operations<A: Around<Context = Mock>>(
    api: Api<(), A>,
    world: World,
    scheme: &'static str,
) -> Api<(), A> {
    let gate = Gate::new(world.spending().sign_ins.clone());
    let desk = Desk { world, gate, scheme };
    /// Joins a handler to its operation.
    macro_rules! handler {
        ($handler:ident) => {{
            let desk = desk.clone();
            move |(), mock, call| {
                let desk = desk.clone();
                async move { desk.$handler(&mock, call).await }
            }
        }};
    }
    api.sign_in::<CreateToken, _, _>(None, handler!(create_token))
        .sign_in::<ValidateToken, _, _>(None, handler!(validate_token))
        .sign_in::<ListProjects, _, _>(None, handler!(list_projects))
        .sign_in::<ListAuthProjects, _, _>(None, handler!(list_auth_projects))
        .sign_in::<ListAuthDomains, _, _>(None, handler!(list_auth_domains))
        .sign_in::<CreateTemporaryKey, _, _>(
            Some("/auth/identity/token/id"),
            handler!(create_temporary_key),
        )
}

/// Where users sign in.
#[derive(Clone)]
struct Desk {
    world: World,
    gate: Gate,
    scheme: &'static str,
}

#[expect(clippy::unused_async, reason = "handlers are async, and only one of these has to wait")]
impl Desk {
    async fn create_token(
        &self,
        mock: &Mock,
        call: SignInCall<CreateToken>,
    ) -> Answered<TokenAnswer> {
        let SignInCall { host, request, .. } = call;
        let auth = request.body.auth;
        let given = auth.identity.password.user;
        let (domain, name) = (given.domain.name, given.name);
        let scope = Asked::of(auth.scope)?;
        let known = self.directory().user(&domain, &name);
        if known.is_some() || !self.world.callers().is_everybody() {
            let hash =
                known.as_ref().map_or_else(PasswordHash::of_nobody, |user| user.password.clone());
            let is_right = self.gate.verify(hash, given.password).await.map_err(|busy| {
                rejected(IdentityFailure::Unavailable, format!("sign-in: {busy}"))
            })?;
            let reason = match &known {
                None => Some("there is no such user"),
                Some(_) if !is_right => Some("the password is wrong"),
                Some(user) if !user.is_enabled => Some("the user is disabled"),
                Some(_) => None,
            };
            if let Some(reason) = reason {
                return Err(rejected(
                    IdentityFailure::PasswordRejected,
                    format!("sign-in: {reason}"),
                ));
            }
        }
        let directory = self.directory();
        let reach = Reach::of_user(known.as_deref(), &domain, directory);
        let found = scope.find(&reach, &domain, directory).ok_or_else(|| {
            let reason = "sign-in: the scope is no project or domain of the user";
            rejected(IdentityFailure::NotFound, reason)
        })?;
        let project = match found {
            Found::Project(project) => Some(project),
            Found::Domain => None,
        };
        let id = project.as_ref().map(|project| project.id.clone());
        let now = self.now(id.as_ref());
        let grant = Grant {
            project: id.clone(),
            expires_at: Some(time::later(now, TOKEN_LIFE)),
            actions: known.as_ref().and_then(|user| user.actions.clone()),
            signed_in: Some(SignedIn {
                domain: domain.clone(),
                user: name.clone(),
                at: now,
                project: project.as_ref().map(|project| project.name.clone()),
            }),
        };
        let token = self.world.sign_in(&domain, &name, known.as_ref(), &grant, mock.write);
        let token = token.ok_or_else(|| {
            let reason = "sign-in: the user was changed meanwhile";
            rejected(IdentityFailure::PasswordRejected, reason)
        })?;
        let catalog = self.catalog(request.query.nocatalog.as_deref(), &host);
        let response = token_answer(&grant, project, catalog);
        Ok(SignInAnswer { response, subject_token: Some(token.into()), project: id })
    }

    async fn validate_token(
        &self,
        _: &Mock,
        call: SignInCall<ValidateToken>,
    ) -> Answered<TokenAnswer> {
        let SignInCall { grant: caller, headers, host, request, .. } = call;
        let callers = self.world.callers();
        let not_found =
            |reason: &'static str| rejected(IdentityFailure::SubjectTokenRejected, reason);
        let subject = headers.get(header::X_SUBJECT_TOKEN).filter(|token| !token.is_empty());
        let subject = subject.map(HeaderValue::as_bytes);
        let subject = subject.ok_or_else(|| not_found("sign-in: there is no X-Subject-Token"))?;
        let grant = match callers.grant_of(subject) {
            Some(grant) => grant,
            // Where any token will do, any token is good.
            None if callers.is_everybody() && !callers.is_of_issued_form(subject) => Arc::default(),
            None => return Err(not_found("sign-in: X-Subject-Token is not known")),
        };
        if grant.has_expired(self.now(grant.project.as_ref())) {
            return Err(not_found("sign-in: X-Subject-Token has expired"));
        }
        // Who was given a credential by whoever started the server may ask about any token.
        if let Some(user) = &caller.signed_in
            && !grant.is_of_user(&user.domain, &user.user)
        {
            return Err(not_found("sign-in: X-Subject-Token is that of somebody else"));
        }
        let project = self.project_of(&grant);
        let catalog = self.catalog(request.query.nocatalog.as_deref(), &host);
        let response = token_answer(&grant, project, catalog);
        let token = String::from_utf8_lossy(subject).into_owned();
        Ok(SignInAnswer { response, subject_token: Some(token.into()), project: None })
    }

    async fn list_projects(
        &self,
        _: &Mock,
        call: SignInCall<ListProjects>,
    ) -> Answered<ProjectList> {
        let SignInCall { grant, host, request, .. } = call;
        let query = request.query;
        if query.page.is_some() != query.per_page.is_some() {
            let message = "The request is invalid: page, per_page: must be given together";
            let error = IdentityFailure::InvalidRequest.saying(message);
            return Err(Rejected::new(
                error,
                "contract: page without per_page, or the other way round",
            ));
        }
        let projects = self.projects_of(&grant, query.name.as_deref());
        let origin = self.origin(&host);
        let projects = projects.iter().map(|project| described(project, &origin));
        let mut projects: Vec<_> = projects.filter(|project| fits(project, &query)).collect();
        let mut links = Links::to(format!("{origin}/v3/projects"));
        if let (Some(page), Some(per_page)) = (query.page, query.per_page) {
            let url = |page| {
                let query = ListProjectsQuery { page: Some(page), ..query.clone() };
                let request = Request::<ListProjects> { path: Nothing {}, query, body: Nothing {} };
                format!("{origin}{}", request.target())
            };
            let start = (u64::from(page) - 1) * u64::from(per_page);
            let start = usize::try_from(start).unwrap_or(usize::MAX).min(projects.len());
            let mut rest = projects.split_off(start);
            let has_more = rest.len() > per_page as usize;
            rest.truncate(per_page as usize);
            projects = rest;
            links.next = has_more.then(|| url(page + 1));
            links.previous = (page > 1).then(|| url(page - 1));
        }
        Ok(ProjectList { links: Some(links), projects }.into())
    }

    async fn list_auth_projects(
        &self,
        _: &Mock,
        call: SignInCall<ListAuthProjects>,
    ) -> Answered<ProjectList> {
        let origin = self.origin(&call.host);
        let projects = self.projects_of(&call.grant, None);
        let projects = projects.iter().map(|project| described(project, &origin)).collect();
        let links = Some(Links::to(format!("{origin}/v3/auth/projects")));
        Ok(ProjectList { links, projects }.into())
    }

    async fn list_auth_domains(
        &self,
        _: &Mock,
        call: SignInCall<ListAuthDomains>,
    ) -> Answered<DomainList> {
        let origin = self.origin(&call.host);
        let DomainOfToken { id, name } = domain_answer(&domain_of(&call.grant));
        let url = format!("{origin}/v3/domains/{}", id.as_deref().unwrap_or_default());
        let domain = Domain {
            description: Some(String::new()),
            enabled: Some(true),
            id,
            links: Some(Links::to(url)),
            name,
        };
        let links = Some(Links::to(format!("{origin}/v3/auth/domains")));
        Ok(DomainList { domains: vec![domain], links }.into())
    }

    async fn create_temporary_key(
        &self,
        mock: &Mock,
        call: SignInCall<CreateTemporaryKey>,
    ) -> Answered<TemporaryKeyAnswer> {
        let SignInCall { grant, now, request, .. } = call;
        let asked = request.body.auth.identity.token.and_then(|token| token.duration_seconds);
        let life = asked.map_or(KEY_LIFE, |seconds| Duration::from_secs(seconds.into()));
        let expires_at = time::later(time::whole_milliseconds(now), life);
        // No longer than what it is made from, or it could renew itself without end.
        let expires_at = grant.expires_at.map_or(expires_at, |end| end.min(expires_at));
        let [access, secret, token] = self.world.callers().new_key();
        let key = AccessKey::new(access.clone(), secret.clone());
        let key = key.and_then(|key| key.with_security_token(token.clone()))?;
        if mock.write == Write::Kept {
            self.world.callers().accept_key(key, &grant, expires_at).map_err(|_| {
                let reason = "sign-in: the caller's credentials were revoked meanwhile";
                rejected(IdentityFailure::CallerRejected, reason)
            })?;
        }
        let credential = TemporaryKey {
            access: Some(access),
            expires_at: Some(microseconds(expires_at)),
            secret: Some(secret.into()),
            securitytoken: Some(token.into()),
        };
        Ok(TemporaryKeyAnswer { credential: Some(credential) }.into())
    }
}

impl Desk {
    fn directory(&self) -> &Directory {
        self.world.directory()
    }

    /// The URL of the server, as a caller knows it.
    fn origin(&self, host: &str) -> String {
        format!("{}://{host}", self.scheme)
    }

    /// The time by which something of a project expires, or something of none.
    fn now(&self, project: Option<&ProjectId>) -> SystemTime {
        match project {
            Some(project) => self.world.now(project),
            None => time::whole_milliseconds(self.world.clock().now()),
        }
    }

    /// The projects that the caller may use, by name and id; with a name, the one of that name.
    fn projects_of(&self, grant: &Grant, name: Option<&str>) -> Vec<KnownProject> {
        let domain = domain_of(grant);
        let directory = self.directory();
        let reach = match (&grant.signed_in, &grant.project) {
            (Some(it), _) => {
                let user = directory.user(&it.domain, &it.user);
                Reach::of_user(user.as_deref(), &it.domain, directory).with(grant.project.as_ref())
            }
            (None, Some(project)) => Reach::Only(vec![project.clone()]),
            (None, None) => Reach::Any,
        };
        match name {
            Some(name) => reach.named(name, &domain, directory).into_iter().collect(),
            None => reach.all(self.project_of(grant), &domain, directory),
        }
    }

    /// The project that a grant is for, with the name by which it was asked for, unless somebody has named it.
    fn project_of(&self, grant: &Grant) -> Option<KnownProject> {
        let project = grant.project.as_ref()?;
        let asked = grant.signed_in.as_ref().and_then(|it| it.project.clone());
        let mut known = KnownProject::with_id(project, &domain_of(grant), self.directory());
        if let Some(asked) = asked
            && known.name == project.as_str()
        {
            known.name = asked;
        }
        Some(known)
    }

    /// The services that a token is good for: those that the mock serves.
    fn catalog(&self, nocatalog: Option<&str>, host: &str) -> Vec<CatalogEntry> {
        if nocatalog.is_some_and(|text| !text.is_empty()) {
            return Vec::new();
        }
        let origin = self.origin(host);
        let entry = |name: &str, path: &str| CatalogEntry {
            endpoints: vec![CatalogEndpoint {
                id: Some(made_up_id("endpoint", name)),
                interface: Some("public".to_owned()),
                region: Some("*".to_owned()),
                region_id: Some("*".to_owned()),
                url: Some(format!("{origin}{path}")),
            }],
            id: Some(made_up_id("service", name)),
            name: Some(name.to_owned()),
            kind: Some(name.to_owned()),
        };
        vec![entry("iam", "/v3.0"), entry("dataartsfabric", "/v1")]
    }
}

/// What a user asks a token for.
enum Asked {
    Project { id: Option<String>, name: Option<String> },
    Domain { id: Option<String>, name: Option<String> },
}

impl Asked {
    /// Either a project or a domain, either by its id or by its name.
    fn of(scope: Scope) -> Result<Self, Box<Rejected>> {
        let asked = match (scope.project, scope.domain) {
            (Some(project), None) => Self::Project { id: project.id, name: project.name },
            (None, Some(domain)) => Self::Domain { id: domain.id, name: domain.name },
            _ => {
                let reason = "contract: auth.scope: must have either project or domain";
                return Err(rejected(IdentityFailure::InvalidRequest, reason));
            }
        };
        let (Self::Project { id, name } | Self::Domain { id, name }) = &asked;
        if id.is_some() == name.is_some() {
            let reason = "contract: auth.scope: must have either id or name";
            return Err(rejected(IdentityFailure::InvalidRequest, reason));
        }
        Ok(asked)
    }

    /// What is asked for, if it is the user's.
    fn find(self, reach: &Reach, domain: &str, directory: &Directory) -> Option<Found> {
        let is_own = |is_own: bool| is_own.then_some(Found::Domain);
        match self {
            Self::Project { id: Some(id), .. } => {
                reach.with_id(&id, domain, directory).map(Found::Project)
            }
            Self::Project { name, .. } => {
                reach.named(&name?, domain, directory).map(Found::Project)
            }
            Self::Domain { id: Some(id), .. } => is_own(id == accounts::domain_id(domain)),
            Self::Domain { name, .. } => is_own(name? == domain),
        }
    }
}

/// What a token is to be good for.
enum Found {
    Project(KnownProject),
    /// The whole domain of the user.
    Domain,
}

/// What is told of a token with a grant.
fn token_answer(
    grant: &Grant,
    project: Option<KnownProject>,
    catalog: Vec<CatalogEntry>,
) -> TokenAnswer {
    let domain = domain_of(grant);
    let user = grant.signed_in.as_ref().map_or(DEFAULT_DOMAIN, |it| &it.user);
    let issued_at = grant.signed_in.as_ref().map_or(SystemTime::UNIX_EPOCH, |it| it.at);
    let role = |name: &str| Role { id: Some("0".to_owned()), name: Some(name.to_owned()) };
    let roles = match &grant.actions {
        None => vec![role("te_admin")],
        Some(actions) => actions.iter().map(|action| role(action)).collect(),
    };
    let is_of_domain = grant.is_of_domain();
    TokenAnswer {
        token: Some(Token {
            catalog,
            domain: is_of_domain.then(|| domain_answer(&domain)),
            expires_at: Some(grant.expires_at.map_or_else(|| NEVER.to_owned(), microseconds)),
            issued_at: Some(microseconds(issued_at)),
            methods: vec!["password".to_owned()],
            project: project.map(|project| ProjectOfToken {
                domain: Some(domain_answer(&project.domain)),
                id: Some(project.id.to_string()),
                name: Some(project.name),
            }),
            roles,
            user: Some(UserOfToken {
                domain: Some(domain_answer(&domain)),
                id: Some(accounts::user_id(&domain, user)),
                name: Some(user.to_owned()),
                password_expires_at: Some(String::new()),
            }),
        }),
    }
}

/// The name of the domain of whoever has a grant.
fn domain_of(grant: &Grant) -> String {
    grant.signed_in.as_ref().map_or(DEFAULT_DOMAIN, |it| &it.domain).to_owned()
}

fn domain_answer(name: &str) -> DomainOfToken {
    DomainOfToken { id: Some(accounts::domain_id(name)), name: Some(name.to_owned()) }
}

fn described(project: &KnownProject, origin: &str) -> Project {
    let domain = Some(accounts::domain_id(&project.domain));
    Project {
        description: Some(String::new()),
        domain_id: domain.clone(),
        enabled: Some(true),
        id: Some(project.id.to_string()),
        is_domain: Some(false),
        links: Some(Links::to(format!("{origin}/v3/projects/{}", project.id))),
        name: Some(project.name.clone()),
        parent_id: domain,
    }
}

/// Whether a project fits a query; the name was looked at before.
fn fits(project: &Project, query: &ListProjectsQuery) -> bool {
    let is_same = |asked: &Option<String>, own: &Option<String>| asked.is_none() || asked == own;
    is_same(&query.domain_id, &project.domain_id)
        && is_same(&query.parent_id, &project.parent_id)
        && query.enabled.is_none_or(|enabled| project.enabled == Some(enabled))
}

/// A time as the identity service writes it: with microseconds, of which the mock knows whole thousands.
fn microseconds(time: SystemTime) -> String {
    let text = time::write(time);
    format!("{}000Z", text.trim_end_matches('Z'))
}

fn rejected(
    failure: IdentityFailure,
    reason: impl Into<std::borrow::Cow<'static, str>>,
) -> Box<Rejected> {
    Rejected::new(ApiError::from(failure), reason)
}
