//! Projects: what the sessions of one repository have in common.

use serde::{Deserialize, Serialize};

/// A project as its sessions' working directory shows it: a repository, or a folder outside any.
///
/// Worktrees, subfolders and clones of one remote are one project; two repositories of one name are two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Project {
    /// `github.com/acme/api` where the repository has a remote, else the path of its main work tree or of the folder.
    pub id: String,
    /// Last part of the remote's path or of the folder's.
    pub name: String,
    /// What tells two projects of one name apart: the remote's owner, or the parent folder. May be empty.
    pub owner: String,
}
