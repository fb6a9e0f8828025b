//! The list of all operations of sign-in.

use std::sync::LazyLock;

use super::{
    CreateTemporaryKey, CreateToken, ListAuthDomains, ListAuthProjects, ListProjects, ValidateToken,
};
use crate::{Operation, OperationInfo, OperationVisitor};

/// Visits every operation of sign-in, in the order of their document.
pub fn visit_operations(visitor: &mut impl OperationVisitor) {
    visitor.visit::<CreateToken>();
    visitor.visit::<ValidateToken>();
    visitor.visit::<ListProjects>();
    visitor.visit::<ListAuthProjects>();
    visitor.visit::<ListAuthDomains>();
    visitor.visit::<CreateTemporaryKey>();
}

/// The constants of every operation of sign-in, in the order of their document.
#[must_use]
pub fn operations() -> &'static [&'static OperationInfo] {
    struct Collect(Vec<&'static OperationInfo>);
    impl OperationVisitor for Collect {
        fn visit<O: Operation>(&mut self) {
            self.0.push(O::INFO);
        }
    }
    static OPERATIONS: LazyLock<Vec<&'static OperationInfo>> = LazyLock::new(|| {
        let mut collect = Collect(Vec::new());
        visit_operations(&mut collect);
        collect.0
    });
    &OPERATIONS
}

/// The constants of the operation of sign-in with an id, such as `KeystoneListProjects`.
#[must_use]
pub fn operation(id: &str) -> Option<&'static OperationInfo> {
    operations().iter().copied().find(|operation| operation.id == id)
}
