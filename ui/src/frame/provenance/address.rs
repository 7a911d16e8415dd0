//! What is billed, as it stands in the address.

use orrery_types::UsageQuery;

use crate::api::{percent_decode, to_query};

/// Requests whose cost a figure shows, and the figure's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Billed {
    pub query: UsageQuery,
    /// `Turn 3`, `claude-opus-5 in November`. Empty: the query says it.
    pub name: String,
}

impl Billed {
    /// All requests of a session.
    pub fn session(id: &str) -> Billed {
        Billed { query: UsageQuery { session: Some(id.to_owned()), ..UsageQuery::default() }, name: String::new() }
    }

    /// The value of `bill=`.
    pub fn address(&self) -> String {
        let query = to_query(&UsageQuery { after: None, limit: None, ..self.query.clone() });
        let name = (!self.name.is_empty()).then(|| format!("name={}", crate::api::percent_encode(&self.name)));
        let parts = [query.trim_start_matches('?').to_owned(), name.unwrap_or_default()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&")
    }

    /// The way back. `None` when a part is none of ours.
    pub fn read(text: &str) -> Option<Billed> {
        let mut billed = Billed::default();
        for (key, value) in text
            .split('&')
            .filter(|pair| *pair != "all")
            .map(|pair| pair.split_once('='))
            .collect::<Option<Vec<_>>>()?
        {
            let value = percent_decode(value)?;
            let query = &mut billed.query;
            match key {
                "session" => query.session = Some(value),
                "agent" => query.agent = Some(value),
                "project" => query.project = Some(value),
                "model" => query.model = Some(value),
                "subagent" => query.subagent = Some(value),
                "from_ms" => query.from_ms = Some(value.parse().ok()?),
                "to_ms" => query.to_ms = Some(value.parse().ok()?),
                "name" => billed.name = value,
                _ => return None,
            }
        }
        Some(billed)
    }

    pub fn title(&self) -> String {
        let UsageQuery { session, agent, project, model, subagent, from_ms, .. } = &self.query;
        if !self.name.is_empty() {
            return self.name.clone();
        }
        match (subagent, session, model, project, agent, from_ms) {
            (Some(_), ..) => "Cost of the subagent".to_owned(),
            (_, Some(_), ..) => "Cost of the session".to_owned(),
            (_, _, Some(model), ..) => format!("Cost of {model}"),
            (_, _, _, Some(project), ..) => format!("Cost of {project}"),
            (_, _, _, _, Some(agent), _) => format!("Cost of {}", orrery_views::format::agent(agent)),
            _ => "Cost of all requests".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_billed_survives_the_address() {
        let query = UsageQuery {
            session: Some("a/b &=?ü".into()),
            model: Some("claude-opus-5[1m]".into()),
            from_ms: Some(5),
            to_ms: Some(7),
            ..UsageQuery::default()
        };
        let billed = Billed { query, name: "Turn 3".into() };
        assert_eq!(Billed::read(&billed.address()), Some(billed));
        assert_eq!(Billed::session("s").address(), "session=s");
        assert_eq!(Billed::read("all"), Some(Billed::default()));
        assert_eq!((Billed::read(""), Billed::read("x=1"), Billed::read("from_ms=x")), (None, None, None));
    }
}
