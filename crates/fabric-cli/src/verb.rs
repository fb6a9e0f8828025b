//! A verb of a resource: an operation, as the command line names it.

use fabric_model::{
    List, Operation, OperationInfo, OperationVisitor, operations, visit_operations,
};

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

    /// The path parameters that the command line gives: all but the project, which is that of the client.
    pub(crate) fn positional(&self) -> impl Iterator<Item = &Field> {
        let project = self.operation.project_parameter;
        self.fields.path.iter().filter(move |field| project != Some(field.name.as_str()))
    }

    /// Whether `--most` stands for a parameter.
    pub(crate) fn is_paging(&self, field: &Field) -> bool {
        self.paging == Paging::Pages && PAGING.contains(&field.name.as_str())
    }
}

/// The first word of the id of an operation, or, where operations of a resource share it, the whole id.
fn verb_name(operation: &OperationInfo) -> String {
    let first = |id: &'static str| words(id).into_iter().next().unwrap_or_default();
    let verb = first(operation.id);
    let sharing = operations()
        .iter()
        .filter(|other| other.resource == operation.resource && first(other.id) == verb);
    if sharing.count() == 1 { verb } else { words(operation.id).join("-") }
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
