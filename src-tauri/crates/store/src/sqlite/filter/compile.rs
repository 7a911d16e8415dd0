//! A filter's parts to SQL: what an event's columns and its session's columns can tell.
//!
//! A condition may let events through that do not match, for each hit is checked in memory; it never keeps a match out.

use orrery_types::{Compare, Field, Filter, Flag, Op, Source};
use orrery_views::filter::{Clock, FACTS, fold, name_matches};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::StoreError;

/// Up to so many sessions their events are read one session after the other.
const FEW_SESSIONS: usize = 16;

pub(super) struct Condition {
    pub sql: String,
    pub values: Vec<Value>,
    /// Whether exactly the matches meet it, so that the opposite can be asked for too.
    exact: bool,
    pub few: bool,
}

fn exact(sql: impl Into<String>, values: Vec<Value>) -> Condition {
    Condition { sql: sql.into(), values, exact: true, few: false }
}

/// `None` when the columns cannot tell.
pub(super) fn condition(conn: &Connection, filter: &Filter, clock: Clock) -> Result<Option<Condition>, StoreError> {
    Ok(match filter {
        Filter::And(parts) => {
            let mut found = Vec::new();
            let mut is_exact = true;
            for part in parts {
                match condition(conn, part, clock)? {
                    Some(condition) => found.push(condition),
                    None => is_exact = false,
                }
            }
            joined(found, " AND ", is_exact)
        }
        Filter::Or(parts) => {
            let mut found = Vec::new();
            for part in parts {
                match condition(conn, part, clock)? {
                    Some(condition) => found.push(condition),
                    None => return Ok(None),
                }
            }
            joined(found, " OR ", true)
        }
        Filter::Not(part) => condition(conn, part, clock)?
            .filter(|condition| condition.exact)
            .map(|condition| exact(format!("NOT coalesce({}, 0)", condition.sql), condition.values)),
        Filter::Value { field, any } => values(conn, *field, any)?,
        Filter::Number { field, op, value } => number(*field, *op, *value),
        Filter::Time { op, moment } => Some(time(*op, clock.ms(*moment))),
        Filter::Ok(ok) => Some(ended(*ok)),
        Filter::Is(Flag::Error) => Some(ended(false)),
        Filter::Is(Flag::Subagent) => Some(exact("e.subagent IS NOT NULL", Vec::new())),
        Filter::Is(Flag::Demo) => Some(exact("e.demo = 1", Vec::new())),
        _ => None,
    })
}

fn joined(parts: Vec<Condition>, word: &str, is_exact: bool) -> Option<Condition> {
    if parts.is_empty() {
        return None;
    }
    let sql = parts.iter().map(|part| part.sql.as_str()).collect::<Vec<_>>().join(word);
    Some(Condition {
        sql: format!("({sql})"),
        exact: is_exact && parts.iter().all(|part| part.exact),
        few: false,
        values: parts.into_iter().flat_map(|part| part.values).collect(),
    })
}

fn values(conn: &Connection, field: Field, any: &[String]) -> Result<Option<Condition>, StoreError> {
    let folded: Vec<String> = any.iter().map(|value| fold(value)).collect();
    Ok(match field {
        Field::Session => return sessions(conn, any).map(Some),
        Field::Agent => Some(labels(conn, "e.agent", "agent", &folded)?),
        Field::Name => Some(labels(conn, "e.name", "name", &folded)?),
        Field::Kind => {
            let kinds = FACTS.iter().find(|fact| fact.field == Field::Kind).map_or(&[][..], |fact| fact.values);
            let wanted = kinds.iter().filter(|kind| folded.iter().any(|value| name_matches(value, kind)));
            let values: Vec<Value> = wanted.map(|kind| Value::Text((*kind).to_owned())).collect();
            Some(exact(format!("e.kind IN ({})", marks(values.len())), values))
        }
        Field::Source => {
            let all = [Source::Hook, Source::Transcript, Source::Sender, Source::Otel, Source::Orrery];
            let wanted = all.into_iter().filter(|source| folded.iter().any(|value| name_matches(value, source.word())));
            let bits = wanted.fold(0, |bits, source| bits | source.bit());
            Some(exact("(e.sources & ?) <> 0", vec![Value::Integer(i64::from(bits))]))
        }
        Field::Project if any.iter().all(|value| !value.contains('*')) => {
            let values: Vec<Value> = folded.into_iter().map(Value::Text).collect();
            let sql =
                format!("+e.session IN (SELECT key FROM session WHERE fold(project) IN ({}))", marks(values.len()));
            Some(exact(sql, values))
        }
        Field::Turn => {
            let sql = any.iter().map(|_| "(e.turn >= ? AND e.turn < ? || char(1114111))").collect::<Vec<_>>();
            let values =
                any.iter().flat_map(|value| [Value::Text(value.clone()), Value::Text(value.clone())]).collect();
            Some(Condition { sql: format!("({})", sql.join(" OR ")), values, exact: false, few: false })
        }
        _ => None,
    })
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// Names are few: they are compared here, the very way the matcher does.
fn labels(conn: &Connection, column: &str, kind: &str, wanted: &[String]) -> Result<Condition, StoreError> {
    let mut statement = conn.prepare_cached("SELECT key, text FROM label WHERE kind = ?1")?;
    let mut rows = statement.query([kind])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let name = row.get_ref(1)?.as_str()?;
        if wanted.iter().any(|wanted| name_matches(wanted, name)) {
            keys.push(Value::Integer(row.get(0)?));
        }
    }
    Ok(match keys.len() {
        1 => exact(format!("{column} = ?"), keys),
        count => exact(format!("+{column} IN ({})", marks(count)), keys),
    })
}

/// Sessions by the beginnings of their ids.
fn sessions(conn: &Connection, beginnings: &[String]) -> Result<Condition, StoreError> {
    let mut keys = Vec::new();
    let mut statement =
        conn.prepare_cached("SELECT key FROM session WHERE id >= ?1 AND id < ?1 || char(1114111) LIMIT ?2")?;
    for beginning in beginnings {
        let mut rows = statement.query(rusqlite::params![beginning, FEW_SESSIONS as i64 + 1])?;
        while let Some(row) = rows.next()? {
            keys.push(Value::Integer(row.get(0)?));
        }
    }
    if keys.len() <= FEW_SESSIONS {
        let condition = exact(format!("e.session IN ({})", marks(keys.len())), keys);
        return Ok(Condition { few: true, ..condition });
    }
    let one = "+e.session IN (SELECT key FROM session WHERE id >= ? AND id < ? || char(1114111))";
    let sql = vec![one; beginnings.len()].join(" OR ");
    let values = beginnings.iter().flat_map(|value| [Value::Text(value.clone()), Value::Text(value.clone())]).collect();
    Ok(Condition { sql: format!("({sql})"), values, exact: false, few: false })
}

fn number(field: Field, op: Op, value: i64) -> Option<Condition> {
    let sign = op.sign();
    let column = match field {
        Field::Duration => return Some(exact(format!("e.duration_ms {sign} ?"), vec![Value::Integer(value)])),
        Field::Cost => "cost_usd_micros",
        Field::Tokens => "tokens",
        Field::Turns => "turns",
        Field::Tools => "tools",
        Field::Errors => "errors",
        _ => return None,
    };
    debug_assert!(!matches!(field.compare(), Compare::Name | Compare::Part | Compare::Start));
    let sql = format!("+e.session IN (SELECT key FROM session WHERE {column} {sign} ?)");
    Some(exact(sql, vec![Value::Integer(value)]))
}

/// Sessions that ended before, or began after, are left out with all their events.
fn time(op: Op, ms: i64) -> Condition {
    let sign = op.sign();
    let of_session = match op {
        Op::AtLeast | Op::More => Some("last_ms"),
        Op::AtMost | Op::Less => Some("started_ms"),
        Op::Equal => None,
    };
    match of_session {
        Some(column) => exact(
            format!("(e.at_ms {sign} ? AND +e.session IN (SELECT key FROM session WHERE {column} {sign} ?))"),
            vec![Value::Integer(ms), Value::Integer(ms)],
        ),
        None => exact("e.at_ms = ?", vec![Value::Integer(ms)]),
    }
}

fn ended(ok: bool) -> Condition {
    let failure = if ok { "" } else { " OR e.kind = 'failure'" };
    exact(format!("((e.kind = 'tool_end' AND e.ok = ?){failure})"), vec![Value::Integer(i64::from(ok))])
}
