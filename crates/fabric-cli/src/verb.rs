//! A verb of a resource: an operation, as the command line names it.

use fabric_model::{
    List, Operation, OperationInfo, OperationVisitor, ResourceInfo, operations, visit_operations,
};
use http::Method;

use crate::document::{Document, Field, Fields};

/// A verb of a resource: an operation.
pub(crate) struct Verb {
    pub(crate) name: String,
    pub(crate) operation: &'static OperationInfo,
    pub(crate) fields: Fields,
    pub(crate) paging: Paging,
}

/// Whether an operation answers a page at a time.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Paging {
    Pages,
    None,
}

/// Where an argument belongs; with the name of the field it is the id of the argument.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Path,
    Query,
    Body,
}

/// The ids of the arguments that are no fields.
pub(crate) const JSON: &str = "json";
pub(crate) const MOST: &str = "most";

/// The parameters of paging, for which `--most` stands.
const PAGING: [&str; 2] = ["offset", "limit"];

impl Place {
    pub(crate) fn id(self, field: &Field) -> String {
        format!("{}:{}", self.name(), field.name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Body => "body",
        }
    }
}

impl Verb {
    pub(crate) fn of(operation: &'static OperationInfo, document: &Document) -> Self {
        Self {
            name: verb_name(operation),
            operation,
            fields: document.fields(operation),
            paging: paging(operation),
        }
    }

    /// The path parameter that stands after the verb: the id of a record of the resource.
    pub(crate) fn positional(&self) -> impl Iterator<Item = &Field> {
        self.fields.path.iter().filter(|field| self.is_own_id(field))
    }

    /// The path parameters that have flags: what the record belongs to. The project is that of the client.
    pub(crate) fn owners(&self) -> impl Iterator<Item = &Field> {
        let project = self.operation.project_parameter;
        let is_project = move |field: &Field| project == Some(field.name.as_str());
        self.fields.path.iter().filter(move |field| !self.is_own_id(field) && !is_project(field))
    }

    fn is_own_id(&self, field: &Field) -> bool {
        self.operation.resource.id_parameter == Some(field.name.as_str())
    }

    /// Whether `--most` stands for a parameter.
    pub(crate) fn is_paging(&self, field: &Field) -> bool {
        self.paging == Paging::Pages && PAGING.contains(&field.name.as_str())
    }
}

/// The verb of an operation. Where operations of a resource share it, the words that tell their ids apart follow.
fn verb_name(operation: &OperationInfo) -> String {
    let verb = plain_verb(operation);
    let mut others = operations().iter().filter(|other| other.id != operation.id);
    let is_shared =
        others.any(|other| other.resource == operation.resource && plain_verb(other) == verb);
    let mut name = vec![verb];
    if is_shared {
        let known = known_words(operation.resource);
        name.extend(words(operation.id).into_iter().skip(1).filter(|word| !known.contains(word)));
    }
    name.join("-")
}

/// What an operation does, by its method; what a POST does, its id says.
fn plain_verb(operation: &OperationInfo) -> String {
    let verb = match operation.method {
        Method::DELETE => "delete",
        Method::PUT => "update",
        Method::GET if operation.items_in_response.is_some() => "list",
        Method::GET => "show",
        // Searches have a list of conditions as their body, and the end of the path says what they do.
        _ if operation.only_reads => operation.path.rsplit('/').next().unwrap_or_default(),
        _ => {
            let mut words = words(operation.id).into_iter().filter(|word| word != "batch");
            return words.next().unwrap_or_default();
        }
    };
    verb.to_owned()
}

/// The words that ids have because of what the operations are about: the service, the resource and its owner.
fn known_words(resource: &ResourceInfo) -> Vec<String> {
    let names = [Some(resource), resource.owner].into_iter().flatten();
    let names = names.flat_map(|it| [it.name, it.singular]);
    let words = names.flat_map(|name| name.split(['-', ' '])).map(str::to_owned);
    words.chain(["fabric".to_owned()]).collect()
}

/// The words of an id such as `CreateAccessClientInfo`, in lower case.
fn words(id: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for character in id.chars() {
        match words.last_mut() {
            Some(word) if !character.is_uppercase() => word.push(character),
            _ => words.push(character.to_lowercase().collect()),
        }
    }
    words
}

/// Whether an operation answers a page at a time.
fn paging(operation: &OperationInfo) -> Paging {
    struct Find(&'static str, Paging);
    impl OperationVisitor for Find {
        fn visit<O: Operation>(&mut self) {}

        fn visit_list<O: List>(&mut self) {
            if O::ID == self.0 {
                self.1 = Paging::Pages;
            }
        }
    }
    let mut find = Find(operation.id, Paging::None);
    visit_operations(&mut find);
    find.1
}
