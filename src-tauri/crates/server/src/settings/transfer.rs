//! Taking settings to another machine: what an import would change.

use orrery_types::Settings;
use serde::Serialize;
use serde_json::Value;

/// One value that differs. Values are as in the file; empty stands for not there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// `quiet.from`, `budgets.0.limit_usd`.
    pub key: String,
    pub from: Value,
    pub to: Value,
}

/// Every value in which two sets of settings differ, by key.
pub fn changes(from: &Settings, to: &Settings) -> Vec<Change> {
    let value = |settings: &Settings| serde_json::to_value(settings).unwrap_or_default();
    let mut changes = Vec::new();
    compare("", &value(from), &value(to), &mut changes);
    changes
}

fn compare(key: &str, from: &Value, to: &Value, changes: &mut Vec<Change>) {
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    match (from, to) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let get = |map: &serde_json::Map<String, Value>| map.get(name).cloned().unwrap_or_default();
                compare(&below(name), &get(a), &get(b), changes);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.iter().chain(b).all(Value::is_object) => {
            for at in 0..a.len().max(b.len()) {
                let get = |list: &[Value]| list.get(at).cloned().unwrap_or_default();
                compare(&below(&at.to_string()), &get(a), &get(b), changes);
            }
        }
        (from, to) if from != to => {
            changes.push(Change { key: key.to_owned(), from: from.clone(), to: to.clone() });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use orrery_types::Budget;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let from = Settings::default();
        let mut to = Settings { watch: false, ..Settings::default() };
        to.quiet.from = "23:00".to_owned();
        to.budgets = vec![Budget { id: "shop".to_owned(), limit_usd: 4.0, ..Budget::default() }];
        let told: Vec<(String, Value)> =
            changes(&from, &to).into_iter().map(|change| (change.key, change.to)).collect();
        assert_eq!(told[0].0, "budgets.0");
        assert_eq!(told[1..], [("quiet.from".to_owned(), json!("23:00")), ("watch".to_owned(), json!(false))]);
        assert_eq!(changes(&from, &from), []);
    }
}
