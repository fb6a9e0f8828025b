//! Finds what stands at the path of a request.
//!
//! axum's router would find it too. For every request it allocates the parameters of the path and a future, and
//! clones the handler, which costs more instructions than everything that the mock does with a call.

/// What stands at paths with `{parameters}`, as they are sent: a parameter takes a segment that is not empty.
#[derive(Debug)]
pub(crate) struct Paths<T> {
    first: Segment,
    places: Vec<T>,
}

/// What may follow after the segments of a path so far.
#[derive(Debug, Default)]
struct Segment {
    fixed: Vec<(&'static str, Segment)>,
    parameter: Option<Box<Segment>>,
    place: Option<usize>,
}

impl<T> Default for Paths<T> {
    fn default() -> Self {
        Self { first: Segment::default(), places: Vec::new() }
    }
}

impl<T> Paths<T> {
    /// What stands at the path of a template, such as `/v1/workspaces/{workspace_id}`.
    pub(crate) fn entry(&mut self, template: &'static str, new: impl FnOnce() -> T) -> &mut T {
        let mut segment = &mut self.first;
        for name in template.split('/').skip(1) {
            segment = if name.starts_with('{') {
                segment.parameter.get_or_insert_default()
            } else {
                let known = segment.fixed.iter().position(|(known, _)| *known == name);
                let place = known.unwrap_or_else(|| {
                    segment.fixed.push((name, Segment::default()));
                    segment.fixed.len() - 1
                });
                &mut segment.fixed[place].1
            };
        }
        let place = *segment.place.get_or_insert_with(|| {
            self.places.push(new());
            self.places.len() - 1
        });
        &mut self.places[place]
    }

    /// The place of a path. Where both fit, a fixed segment counts before a parameter.
    pub(crate) fn find(&self, path: &str) -> Option<usize> {
        self.first.find(path.strip_prefix('/')?)
    }

    /// What stands at a place.
    pub(crate) fn at(&self, place: usize) -> &T {
        &self.places[place]
    }

    /// Everything, in the order in which it came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter()
    }
}

impl Segment {
    fn find(&self, path: &str) -> Option<usize> {
        let end = path.find('/');
        let name = &path[..end.unwrap_or(path.len())];
        let follow = |next: &Self| match end {
            None => next.place,
            Some(end) => next.find(&path[end + 1..]),
        };
        let fixed = self.fixed.iter().find(|(fixed, _)| *fixed == name);
        let found = fixed.and_then(|(_, next)| follow(next));
        found.or_else(|| self.parameter.as_deref().filter(|_| !name.is_empty()).and_then(follow))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_the_template_that_it_fits() {
        let templates = ["/v1/jobs", "/v1/jobs/{id}", "/v1/jobs/{id}/versions", "/v1/jobs/count"];
        let mut paths = Paths::default();
        for template in templates {
            *paths.entry(template, || "") = template;
        }
        let find = |path: &str| paths.find(path).map(|place| *paths.at(place));
        for template in templates {
            assert_eq!(find(&template.replace("{id}", "%7Bid%7D")), Some(template));
        }
        assert_eq!(find("/v1/jobs/count/versions"), Some("/v1/jobs/{id}/versions"));
        for path in
            ["", "/", "*", "/v1", "/v1/jobs/", "//v1/jobs", "/v1/jobs/1/", "/v1/jobs//versions"]
        {
            assert_eq!(find(path), None, "{path}");
        }
        assert_eq!(paths.iter().count(), templates.len());
    }
}
