//! Projects that sessions belong to, and what each is called.

use std::collections::BTreeMap;

use orrery_types::Project;
use orrery_views::project::labels;
use rusqlite::{Connection, params};

use crate::StoreError;

/// All projects in memory, once the first one was asked for.
#[derive(Default)]
pub(in crate::sqlite) struct Projects {
    known: Option<BTreeMap<String, Known>>,
}

struct Known {
    project: Project,
    label: String,
}

/// A project that is called otherwise from now on.
pub(in crate::sqlite) struct Renamed {
    pub id: String,
    pub label: String,
}

impl Projects {
    /// What the project is called. A new one may take the short name from another of the same name: those are listed.
    pub(in crate::sqlite) fn label(
        &mut self,
        conn: &Connection,
        project: &Project,
    ) -> Result<(String, Vec<Renamed>), StoreError> {
        let known = match &mut self.known {
            Some(known) => known,
            none => none.insert(load(conn)?),
        };
        if let Some(known) = known.get(&project.id) {
            return Ok((known.label.clone(), Vec::new()));
        }
        known.insert(project.id.clone(), Known { project: project.clone(), label: String::new() });
        let named: Vec<Project> = known
            .values()
            .filter(|other| other.project.name == project.name)
            .map(|other| other.project.clone())
            .collect();
        let mut renamed = Vec::new();
        for (id, label) in labels(&named) {
            let Some(known) = known.get_mut(&id).filter(|known| known.label != label) else { continue };
            known.label.clone_from(&label);
            save(conn, &known.project, &label)?;
            renamed.push(Renamed { id, label });
        }
        let new = renamed.iter().position(|renamed| renamed.id == project.id);
        let label = new.map(|place| renamed.remove(place).label).unwrap_or_default();
        Ok((label, renamed))
    }

    /// A transaction was lost: what is known is read again.
    pub(in crate::sqlite) fn forget(&mut self) {
        self.known = None;
    }
}

fn load(conn: &Connection) -> Result<BTreeMap<String, Known>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT id, name, owner, label FROM project")?;
    let rows = statement.query_map([], |row| {
        let project = Project { id: row.get(0)?, name: row.get(1)?, owner: row.get(2)? };
        Ok((project.id.clone(), Known { project, label: row.get(3)? }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn save(conn: &Connection, project: &Project, label: &str) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO project (id, name, owner, label) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET label = excluded.label",
    )?
    .execute(params![project.id, project.name, project.owner, label])?;
    Ok(())
}
