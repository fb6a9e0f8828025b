//! Which projects a caller may use, and what they are called.

use fabric_model::ProjectId;

use crate::api::callers::{DEFAULT_PROJECT, default_project};
use crate::mock::identity::accounts::{Directory, KnownProject, User, made_up_id};

/// The projects that a caller may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Any: each name is that of a project.
    Any,
    /// Those of a domain, of which nobody has named any: each name is that of a project, but for projects that are
    /// named for other domains.
    Unnamed,
    /// These.
    Only(Vec<ProjectId>),
}

impl Reach {
    /// What a user may use: the user's own projects, else those of the domain, else any that is of no other domain.
    /// A user whom nobody knows may use any.
    pub(crate) fn of_user(user: Option<&User>, domain: &str, directory: &Directory) -> Self {
        let Some(user) = user else { return Self::Any };
        if let Some(projects) = &user.project_ids {
            return Self::Only(projects.clone());
        }
        let of_domain = directory.projects(|project| project.domain == domain);
        let of_domain: Vec<_> = of_domain.into_iter().map(|project| project.id).collect();
        if of_domain.is_empty() { Self::Unnamed } else { Self::Only(of_domain) }
    }

    /// The same, and a project that credentials are good for, which comes first.
    pub(crate) fn with(self, project: Option<&ProjectId>) -> Self {
        match (self, project) {
            (Self::Only(mut ids), Some(project)) => {
                ids.retain(|id| id != project);
                ids.insert(0, project.clone());
                Self::Only(ids)
            }
            (reach, _) => reach,
        }
    }

    /// The one project with a name, which is mostly that of a region. A project that nobody has named goes by
    /// any name; where any project will do, the id follows from the name.
    pub(crate) fn named(
        &self,
        name: &str,
        domain: &str,
        directory: &Directory,
    ) -> Option<KnownProject> {
        match self {
            Self::Any => {
                let of_name = directory.projects(|known| known.name == name);
                let own = of_name.iter().find(|known| known.domain == domain);
                Some(own.or(of_name.first()).cloned().unwrap_or_else(|| KnownProject {
                    name: name.to_owned(),
                    id: id_of_name(name),
                    domain: domain.to_owned(),
                }))
            }
            Self::Unnamed => {
                let (id, name, domain) = (id_of_name(name), name.to_owned(), domain.to_owned());
                let is_free = directory.project(&id).is_none();
                is_free.then_some(KnownProject { name, id, domain })
            }
            Self::Only(ids) => {
                let of_name = directory.projects(|known| known.name == name);
                let named = |id: &ProjectId| of_name.iter().find(|known| known.id == *id);
                if let Some(known) = ids.iter().find_map(named) {
                    return Some(known.clone());
                }
                let unnamed = ids.iter().find(|id| directory.project(id).is_none())?;
                let (name, domain) = (name.to_owned(), domain.to_owned());
                Some(KnownProject { name, id: unnamed.clone(), domain })
            }
        }
    }

    /// The project with an id.
    pub(crate) fn with_id(
        &self,
        id: &str,
        domain: &str,
        directory: &Directory,
    ) -> Option<KnownProject> {
        let id = ProjectId::try_from(id).ok()?;
        let may_use = match self {
            Self::Any => true,
            Self::Unnamed => directory.project(&id).is_none(),
            Self::Only(ids) => ids.contains(&id),
        };
        may_use.then(|| KnownProject::with_id(&id, domain, directory))
    }

    /// All of them, by name and id. Where any will do, those that somebody has named and the one that the caller
    /// is in, else the default one.
    pub(crate) fn all(
        &self,
        own: Option<KnownProject>,
        domain: &str,
        directory: &Directory,
    ) -> Vec<KnownProject> {
        let mut all: Vec<_> = match self {
            Self::Any => directory.projects(|_| true),
            Self::Unnamed => Vec::new(),
            Self::Only(ids) => {
                ids.iter().map(|id| KnownProject::with_id(id, domain, directory)).collect()
            }
        };
        if let Some(own) = own {
            all.retain(|project| project.id != own.id);
            all.push(own);
        }
        if all.is_empty() && !matches!(self, Self::Only(_)) {
            all.push(KnownProject::with_id(&default_project(), domain, directory));
        }
        all.sort();
        all
    }
}

/// The id of the project that a name is made up for: always the same.
fn id_of_name(name: &str) -> ProjectId {
    if name == DEFAULT_PROJECT {
        return default_project();
    }
    ProjectId::try_from(made_up_id("project", name)).expect("hexadecimal digits make an id")
}
