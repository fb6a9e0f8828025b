//! Environment variables, of the process or of a test.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Environment variables: those of the process, or a list of a test.
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
    /// The environment of this process, read at each [`Self::get`].
    #[must_use]
    pub fn of_process() -> Self {
        Self(None)
    }

    /// The value of a variable. A value that is empty or not UTF-8 counts as absent.
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

/// Shows only the number of variables, since their values may be secret.
impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => formatter.write_str("Environment(of the process)"),
            Some(variables) => write!(formatter, "Environment({} variables)", variables.len()),
        }
    }
}
