//! A JSON merge patch over a TOML document: what is not named keeps its place, its form and its comments.

use serde_json::{Map, Value};
use toml_edit::{Array, ArrayOfTables, InlineTable, Item, Table, TableLike};

/// Changes what the patch names; `null` removes.
pub fn merge(table: &mut dyn TableLike, patch: &Map<String, Value>) {
    for (key, value) in patch {
        match value {
            Value::Null => drop(table.remove(key)),
            Value::Object(inner) => {
                if table.get(key).and_then(Item::as_table_like).is_none() {
                    let mut new = Table::new();
                    // `[rules]` itself is not written when only `[rules.loop]` is in it.
                    new.set_implicit(inner.values().all(Value::is_object));
                    table.insert(key, Item::Table(new));
                }
                if let Some(inner_table) = table.get_mut(key).and_then(Item::as_table_like_mut) {
                    merge(inner_table, inner);
                    if inner_table.is_empty() {
                        table.remove(key);
                    }
                }
            }
            Value::Array(items) if items.is_empty() => drop(table.remove(key)),
            Value::Array(items) if items.iter().all(Value::is_object) => merge_tables(table, key, items),
            value => {
                if let Some(value) = plain(value) {
                    set(table, key, value);
                }
            }
        }
    }
}

/// A list of tables: each is changed where it stands, so that its comments stay; those beyond the list go.
fn merge_tables(table: &mut dyn TableLike, key: &str, items: &[Value]) {
    if table.get(key).and_then(Item::as_array_of_tables).is_none() {
        table.insert(key, Item::ArrayOfTables(ArrayOfTables::new()));
    }
    let Some(list) = table.get_mut(key).and_then(Item::as_array_of_tables_mut) else { return };
    let id = |item: &Value| item.get("id").and_then(Value::as_str).map(str::to_owned);
    let wanted: Vec<Option<String>> = items.iter().map(id).collect();
    let mut at = 0;
    // Whoever is gone goes first, so that the rest meets itself again.
    while at < list.len() {
        let known = list.get(at).and_then(|table| table.get("id")).and_then(Item::as_str).map(str::to_owned);
        if known.is_some() && !wanted.contains(&known) {
            list.remove(at);
        } else {
            at += 1;
        }
    }
    for (at, item) in items.iter().enumerate() {
        let Value::Object(fields) = item else { continue };
        if at == list.len() {
            list.push(Table::new());
        }
        let Some(table) = list.get_mut(at) else { continue };
        let gone: Vec<String> =
            table.iter().map(|(key, _)| key.to_owned()).filter(|key| !fields.contains_key(key)).collect();
        for key in gone {
            table.remove(&key);
        }
        // Empty texts and lists are what a field is without being written.
        let says = |value: &Value| {
            !matches!(value, Value::String(text) if text.is_empty())
                && !matches!(value, Value::Array(list) if list.is_empty())
        };
        for (key, value) in fields {
            if !says(value) {
                table.remove(key);
            }
        }
        let said: Map<String, Value> =
            fields.iter().filter(|(_, value)| says(value)).map(|(key, value)| (key.clone(), value.clone())).collect();
        merge(table, &said);
    }
    while list.len() > items.len() {
        list.remove(list.len() - 1);
    }
}

/// Replaces the value alone, so that comments around it stay.
fn set(table: &mut dyn TableLike, key: &str, value: toml_edit::Value) {
    let Some(old) = table.get_mut(key) else {
        table.insert(key, Item::Value(value));
        return;
    };
    let decor = old.as_value().map(|old| old.decor().clone());
    // A sum written with cents stays one.
    let value = match value.as_integer() {
        Some(whole) if old.is_float() => (whole as f64).into(),
        _ => value,
    };
    *old = Item::Value(value);
    if let (Some(decor), Some(new)) = (decor, old.as_value_mut()) {
        *new.decor_mut() = decor;
    }
}

/// A value that stands on one line. Empty for null, which TOML has not.
fn plain(value: &Value) -> Option<toml_edit::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(on) => (*on).into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64()?.into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => Array::from_iter(items.iter().filter_map(plain)).into(),
        Value::Object(fields) => {
            let inner = fields.iter().filter_map(|(key, value)| Some((key.as_str(), plain(value)?)));
            InlineTable::from_iter(inner).into()
        }
    })
}
