//! The variables that the vendor's own SDKs read.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Where variables are looked up: the process, or a list of one's own in a test.
///
/// ```
/// use fabric_client::Environment;
///
/// let environment = Environment::from([("HUAWEICLOUD_SDK_AK", "AKIDEXAMPLE")]);
/// assert_eq!(environment.get("HUAWEICLOUD_SDK_AK").as_deref(), Some("AKIDEXAMPLE"));
/// assert_eq!(environment.get("HUAWEICLOUD_SDK_SK"), None);
/// ```
#[derive(Clone)]
pub struct Environment(Option<Arc<HashMap<String, String>>>);

impl Environment {
    /// The environment of this process, read anew at each look.
    #[must_use]
    pub fn of_process() -> Self {
        Self(None)
    }

    /// A variable. One that is empty counts as absent, and so does one that is not UTF-8.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let value = match &self.0 {
            None => std::env::var(name).ok(),
            Some(variables) => variables.get(name).cloned(),
        };
        value.filter(|value| !value.is_empty())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        let owned = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self(Some(Arc::new(HashMap::from(owned))))
    }
}

/// Variables may be secrets, so only their number is told.
impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => formatter.write_str("Environment(of the process)"),
            Some(variables) => write!(formatter, "Environment({} variables)", variables.len()),
        }
    }
}
