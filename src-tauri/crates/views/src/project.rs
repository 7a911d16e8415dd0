//! What projects are called where people see them.

use std::collections::{BTreeMap, HashMap};

use orrery_types::Project;

/// A name for each project that no other has, by id: its own name, with the owner before it where two share the name,
/// and the whole id where even that is shared.
pub fn labels(projects: &[Project]) -> BTreeMap<String, String> {
    let long = |project: &Project| match project.owner.as_str() {
        "" => project.id.clone(),
        owner => format!("{owner}/{}", project.name),
    };
    let (mut names, mut longs) = (HashMap::new(), HashMap::new());
    for project in projects {
        *names.entry(project.name.as_str()).or_insert(0) += 1;
        *longs.entry(long(project)).or_insert(0) += 1;
    }
    let label = |project: &Project| {
        let owned = long(project);
        match (names.get(project.name.as_str()), longs.get(&owned)) {
            (Some(1), _) if !project.name.is_empty() => project.name.clone(),
            (_, Some(1)) => owned,
            _ => project.id.clone(),
        }
    };
    projects.iter().map(|project| (project.id.clone(), label(project))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_grows_as_far_as_it_must() {
        let project =
            |id: &str, name: &str, owner: &str| Project { id: id.into(), name: name.into(), owner: owner.into() };
        let projects = [
            project("github.com/acme/api", "api", "acme"),
            project("/home/api", "api", "home"),
            project("gitlab.com/acme/api", "api", "acme"),
            project("github.com/acme/site", "site", "acme"),
        ];
        let labels = labels(&projects);
        let of = |id: &str| labels[id].as_str();
        assert_eq!(of("github.com/acme/site"), "site");
        assert_eq!(of("/home/api"), "home/api");
        assert_eq!(of("github.com/acme/api"), "github.com/acme/api");
        assert_eq!(of("gitlab.com/acme/api"), "gitlab.com/acme/api");
    }
}
