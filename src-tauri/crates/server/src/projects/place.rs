//! The repository around a folder: its common git directory, its remote, and the name these give the project.

use std::fs;
use std::path::{Path, PathBuf};

use orrery_types::Project;

/// A repository's configuration is small.
const MOST_CONFIG: u64 = 1024 * 1024;

/// A working directory's project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub project: Project,
    /// Empty outside of repositories, and when the directory itself is gone.
    pub git: Option<Git>,
}

/// Where git keeps what belongs to one work tree, and what all work trees share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Git {
    pub dir: PathBuf,
    pub common: PathBuf,
}

/// The project of `cwd`. `remote` is what the source says of it, for directories that are gone.
pub fn of(cwd: &str, remote: Option<&str>, home: &Path) -> Place {
    let path = Path::new(cwd);
    // Looking at a share of another machine would greet that machine with the person's name.
    let is_local = path.is_absolute() && !cwd.starts_with("//") && !cwd.starts_with("\\\\");
    let found = is_local.then(|| find(path, home)).flatten();
    match found {
        Some((root, git)) => {
            let project = named(&root, &git);
            Place { project, git: Some(git).filter(|_| path.is_dir()) }
        }
        None => {
            let project = remote.and_then(|remote| of_remote(remote, None)).unwrap_or_else(|| of_folder(cwd));
            Place { project, git: None }
        }
    }
}

/// The work tree around `cwd`, or around what is left of its path.
fn find(cwd: &Path, home: &Path) -> Option<(PathBuf, Git)> {
    let left = cwd.ancestors().find(|dir| dir.is_dir())?;
    let root = left
        .ancestors()
        .filter(|dir| *dir != home || *dir == cwd)
        .find(|dir| dir.join(".git").symlink_metadata().is_ok())?;
    let dir = git_dir(root)?;
    let common = match fs::read_to_string(dir.join("commondir")) {
        Ok(text) => dir.join(text.trim()),
        Err(_) => dir.clone(),
    };
    let common = common.canonicalize().unwrap_or(common);
    Some((root.to_owned(), Git { dir, common }))
}

/// A folder `.git`, or the folder that a file `.git` names: work trees and submodules.
fn git_dir(root: &Path) -> Option<PathBuf> {
    let dot = root.join(".git");
    if dot.is_dir() {
        return dot.join("HEAD").exists().then_some(dot);
    }
    let text = fs::read_to_string(&dot).ok()?;
    Some(root.join(text.trim().strip_prefix("gitdir:")?.trim()))
}

fn named(root: &Path, git: &Git) -> Project {
    let config = git.common.join("config");
    let is_small = fs::metadata(&config).is_ok_and(|meta| meta.len() <= MOST_CONFIG);
    let config = if is_small { fs::read_to_string(config).unwrap_or_default() } else { String::new() };
    let main = main_tree(root, &git.common);
    remote_of(&config)
        .and_then(|url| of_remote(&url, Some(&main)))
        .unwrap_or_else(|| of_folder(&main.to_string_lossy()))
}

/// The work tree that the repository was made with; a bare repository is its own.
fn main_tree(root: &Path, common: &Path) -> PathBuf {
    if common.file_name().is_some_and(|name| name == ".git") {
        return common.parent().unwrap_or(root).to_owned();
    }
    // A submodule's git directory lies inside that of the repository around it.
    let is_submodule = common.iter().any(|part| part == "modules");
    if is_submodule { root.canonicalize().unwrap_or_else(|_| root.to_owned()) } else { common.to_owned() }
}

/// URL of `origin`, else of the first remote.
fn remote_of(config: &str) -> Option<String> {
    let mut remotes: Vec<(String, String)> = Vec::new();
    let mut section = None;
    for line in config.lines().map(str::trim) {
        if line.starts_with('[') {
            let name = line.strip_prefix("[remote \"").and_then(|rest| rest.split('"').next());
            section = name.map(str::to_owned);
        } else if let (Some(remote), Some((key, url))) = (&section, line.split_once('='))
            && key.trim().eq_ignore_ascii_case("url")
        {
            remotes.push((remote.clone(), url.trim().trim_matches('"').to_owned()));
        }
    }
    let origin = remotes.iter().position(|(name, _)| name == "origin").unwrap_or(0);
    (origin < remotes.len()).then(|| remotes.swap_remove(origin).1)
}

/// The project that a remote's URL names: host and path, without user, password, port and ending.
fn of_remote(url: &str, main: Option<&Path>) -> Option<Project> {
    let url = url.trim();
    let (host, path) = match url.split_once("://") {
        Some(("file", path)) => (None, path),
        Some((_, rest)) => {
            let (host, path) = rest.split_once('/')?;
            (Some(host), path)
        }
        // `git@host:path`, as scp writes it; one letter before the colon is a drive.
        None => match url.split_once(':') {
            Some((host, path)) if host.len() > 1 && !host.contains('/') => (Some(host), path),
            _ => (None, url),
        },
    };
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix("/.git").or_else(|| path.strip_suffix(".git")).unwrap_or(path);
    let Some(host) = host else {
        let path = main.map_or_else(|| PathBuf::from(path), |main| main.join(path));
        return Some(of_folder(&path.canonicalize().unwrap_or(path).to_string_lossy()));
    };
    let host = host.rsplit('@').next().unwrap_or(host).split(':').next().unwrap_or(host).to_ascii_lowercase();
    let path = path.trim_start_matches('/');
    let mut parts = path.rsplit('/').filter(|part| !part.is_empty());
    let name = parts.next()?.to_owned();
    let owner = parts.next().unwrap_or(&host).to_owned();
    Some(Project { id: format!("{host}/{path}"), name, owner })
}

/// A folder outside of repositories, or a repository without a remote. Paths of either system's kind.
fn of_folder(path: &str) -> Project {
    let path = path.trim_end_matches(['/', '\\']);
    let mut parts = path.rsplit(['/', '\\']).filter(|part| !part.is_empty());
    let name = parts.next().unwrap_or("/").to_owned();
    let owner = parts.next().unwrap_or_default().to_owned();
    Project { id: if path.is_empty() { "/".to_owned() } else { path.to_owned() }, name, owner }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_remote_has_one_id_however_it_is_written() {
        for url in [
            "git@github.com:acme/api.git",
            "https://github.com/acme/api.git",
            "https://me:secret@GitHub.com/acme/api/",
            "ssh://git@github.com:22/acme/api.git",
            "git://github.com/acme/api",
        ] {
            let project = of_remote(url, None).expect(url);
            assert_eq!((project.id.as_str(), project.name.as_str()), ("github.com/acme/api", "api"), "{url}");
            assert_eq!(project.owner, "acme");
        }
        assert_eq!(of_remote("/srv/git/api.git", None).map(|project| project.id).as_deref(), Some("/srv/git/api"));
        assert_eq!(of_remote("https://", None), None);
    }

    #[test]
    fn origin_comes_before_other_remotes() {
        let config = "[core]\n\turl = no\n[remote \"up\"]\n\turl = a:b/up\n[remote \"origin\"]\n\turl = a:b/mine\n";
        assert_eq!(remote_of(config).as_deref(), Some("a:b/mine"));
        assert_eq!(remote_of("[remote \"up\"]\nurl=x:y/z").as_deref(), Some("x:y/z"));
        assert_eq!(remote_of("[branch \"main\"]\nremote = origin"), None);
    }

    #[test]
    fn a_folder_that_is_gone_is_known_by_its_path() {
        let place = of("/no/such/home/api", None, Path::new("/home/me"));
        assert_eq!(place.project, Project { id: "/no/such/home/api".into(), name: "api".into(), owner: "home".into() });
        let place = of("/no/such/home/api", Some("git@host:acme/api"), Path::new("/home/me"));
        assert_eq!(place.project.id, "host/acme/api");
        assert_eq!(of("C:\\work\\api\\", None, Path::new("/h")).project.name, "api");
        assert_eq!(of("//evil/share", None, Path::new("/h")).git, None);
    }
}
