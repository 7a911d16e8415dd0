//! Our entries in a hooks object: found by their program's name, put in, kept up to date, taken out.

use jsonc_parser::ast::{Object, Value};

use crate::claude_code::settings::shell_word;

use super::edit::{Container, Document, Wrong, array, object, span, start_of};

/// Name of the program in our entries, with or without `.exe`.
const PROGRAM: &str = "orrery-hook";

/// Our entry for one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    pub event: &'static str,
    /// The handler as JSON on one line: `{ "type": "command", ... }`.
    pub handler: String,
    /// The event's list holds handlers, not groups of handlers.
    flat: bool,
}

impl Hook {
    /// A handler in a group of its own, as Claude Code, Codex and Gemini CLI have them.
    pub fn nested(event: &'static str, handler: String) -> Hook {
        Hook { event, handler, flat: false }
    }

    /// A handler right in the event's list, as Cursor has them.
    pub fn flat(event: &'static str, handler: String) -> Hook {
        Hook { event, handler, flat: true }
    }

    /// The element of the event's list that holds only our handler.
    fn group(&self) -> String {
        if self.flat {
            return self.handler.clone();
        }
        format!("{{ \"hooks\": [ {} ] }}", self.handler)
    }

    fn property(&self) -> String {
        format!("{}: [ {} ]", quoted(self.event), self.group())
    }
}

/// By which entries in a settings file are known to be ours.
#[derive(Debug, Clone)]
pub struct Mine<'a> {
    /// Absolute path of `orrery-hook`.
    pub program: &'a str,
    /// Where this agent's http hooks post to: `/hooks/claude-code`.
    pub path: String,
}

/// What an entry of ours has the agent do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handler {
    /// A command line for the shell.
    Shell(String),
    /// A program that is started without a shell.
    Program { program: String, args: Vec<String> },
    /// A post by the agent itself.
    Http { url: String, headers: Vec<(String, String)> },
}

impl Handler {
    /// Whether it gets to us as things are now: it starts this program, or posts to this server.
    pub(super) fn leads_here(&self, mine: &Mine, base_url: Option<&str>) -> bool {
        match self {
            Handler::Shell(command) | Handler::Program { program: command, .. } => {
                program_of(command) == program_of(&quoted(mine.program))
            }
            Handler::Http { url, .. } => base_url.is_none_or(|base| *url == format!("{base}{}", mine.path)),
        }
    }
}

/// One handler of ours in the text.
struct Place {
    event: String,
    does: Handler,
    /// The event's property in the hooks object, its groups, the group's handlers, and ours among them.
    property: usize,
    groups: Container,
    group: usize,
    handlers: Container,
    handler: usize,
    /// The handler is an element of `groups` itself.
    flat: bool,
}

/// Events and handlers of our entries.
pub fn found(document: &Document, mine: &Mine) -> Result<Vec<(String, Handler)>, Wrong> {
    let places = document.read(|root| places(document, root, mine))?;
    Ok(places.into_iter().map(|place| (place.event, place.does)).collect())
}

/// Puts every hook in its event, once and with today's text; entries of ours under other events go, unless `keeps` says
/// that this agent has them in a version that is not known now.
pub fn install(
    document: &mut Document,
    hooks: &[Hook],
    mine: &Mine,
    keeps: impl Fn(&str) -> bool,
) -> Result<(), Wrong> {
    loop {
        // Twins of one event, and events we no longer want.
        let mut seen: Vec<String> = Vec::new();
        let places = document.read(|root| places(document, root, mine))?;
        let extra = places.into_iter().find(|place| {
            let is_wanted = hooks.iter().any(|hook| hook.event == place.event) || keeps(&place.event);
            let wanted = is_wanted && !seen.contains(&place.event);
            seen.push(place.event.clone());
            !wanted
        });
        match extra {
            Some(place) => remove(document, &place)?,
            None => break,
        }
    }
    for hook in hooks {
        let places = document.read(|root| places(document, root, mine))?;
        match places.into_iter().find(|place| place.event == hook.event) {
            Some(place) => {
                let range = place.handlers.members[place.handler].clone();
                if document.text()[range.clone()] != hook.handler
                    && !same(&document.text()[range.clone()], &hook.handler)
                {
                    document.replace(range, &hook.handler);
                }
            }
            None => insert(document, hook)?,
        }
    }
    Ok(())
}

/// Takes all our entries out, and the containers that held nothing else and were ours.
pub fn uninstall(document: &mut Document, mine: &Mine) -> Result<(), Wrong> {
    while let Some(place) = document.read(|root| places(document, root, mine))?.into_iter().next_back() {
        remove(document, &place)?;
    }
    Ok(())
}

/// The text of a file with nothing in it but our hooks. `current` is a blank file's text, or `None` without a file.
pub fn new_file(current: Option<&str>, (head, value): (&str, &str), hooks: &[Hook]) -> String {
    let lines: Vec<String> = hooks.iter().map(|hook| format!("    {}", hook.property())).collect();
    let body = format!("{{\n{}\n  }}", lines.join(",\n"));
    match current {
        None => format!("{{\n  {}: {value},\n  \"hooks\": {body}\n}}\n", quoted(head)),
        // A blank file is told from no file by the space behind the bracket.
        Some(blank) => format!("{blank}{{ \"hooks\": {body} }}"),
    }
}

/// What is left of a file that we made, after our entries are out: no file, or the blank one it was.
pub fn without_new_file(after: String, (head, value): (&str, &str), before: &str) -> Option<String> {
    let ours = format!("{{\n  {}: {value}\n}}\n", quoted(head));
    if after == ours && before != after {
        return None;
    }
    match before.split_once("{ \"hooks\"") {
        Some((blank, _))
            if after == format!("{blank}{{ }}") && blank.trim_start_matches('\u{feff}').trim().is_empty() =>
        {
            Some(blank.to_owned())
        }
        _ => Some(after),
    }
}

/// A JSON string.
pub fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

/// The program a command starts: its first word, quotes and all.
pub fn program_of(command: &str) -> String {
    let command = serde_json::from_str::<String>(command).unwrap_or_else(|_| command.to_owned());
    let command = command.trim();
    for quote in ['"', '\''] {
        if let Some(rest) = command.strip_prefix(quote) {
            return rest.split(quote).next().unwrap_or_default().to_owned();
        }
    }
    // A path with spaces stands unquoted where the program is started without a shell.
    let end = command.find(PROGRAM).map(|at| at + PROGRAM.len()).filter(|_| !command.starts_with('-'));
    let end = end.map(|end| if command[end..].starts_with(".exe") { end + 4 } else { end });
    match end {
        Some(end) => command[..end].to_owned(),
        None => command.split_whitespace().next().unwrap_or_default().to_owned(),
    }
}

/// Entries are ours by their program's name, wherever it lies, by the very program, and by our path on a port of this
/// machine.
fn is_ours(does: &Handler, mine: &Mine) -> bool {
    match does {
        Handler::Http { url, .. } => is_our_url(url, &mine.path),
        Handler::Shell(command) | Handler::Program { program: command, .. } => {
            let started = program_of(command);
            let name = started.rsplit(['/', '\\']).next().unwrap_or_default();
            let word = shell_word(mine.program);
            name.strip_suffix(".exe").unwrap_or(name) == PROGRAM
                || command == mine.program
                || command.strip_prefix(&word).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        }
    }
}

fn is_our_url(url: &str, path: &str) -> bool {
    let Some(host) = url.strip_prefix("http://").and_then(|rest| rest.strip_suffix(path)) else { return false };
    let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

/// Whether two JSON texts say the same.
fn same(one: &str, other: &str) -> bool {
    let read = |text: &str| jsonc_parser::parse_to_serde_value::<serde_json::Value>(text, &Default::default()).ok();
    read(one).is_some_and(|one| Some(one) == read(other))
}

fn insert(document: &mut Document, hook: &Hook) -> Result<(), Wrong> {
    enum At {
        Root(Container),
        Hooks(Container),
        Event(Container),
    }
    let at = document.read(|root| {
        let Value::Object(root) = root else { return Err(document.wrong("the settings are no object", 0)) };
        let Some((hooks, _)) = hooks_of(document, root)? else { return Ok(At::Root(object(root))) };
        let mut named = hooks.properties.iter().filter(|property| property.name.as_str() == hook.event);
        let Some(property) = named.next() else { return Ok(At::Hooks(object(hooks))) };
        if let Some(twin) = named.next() {
            return Err(document.wrong(&format!("`{}` is there twice", hook.event), twin.range.start));
        }
        match array(&property.value) {
            Some(groups) => Ok(At::Event(groups)),
            None => Err(document.wrong(&format!("the hooks of {} are no list", hook.event), start_of(&property.value))),
        }
    })?;
    match at {
        At::Root(root) => {
            let newline = document.newline();
            let step = document.indent_step(&root);
            let flat = root.members.first().is_some_and(|member| document.indent_at(member.start).is_none());
            let base = if flat || root.members.is_empty() { String::new() } else { step.clone() };
            let body = format!("\"hooks\": {{{newline}{base}{step}{}{newline}{base}}}", hook.property());
            document.append(&root, &body);
        }
        At::Hooks(hooks) => document.append(&hooks, &hook.property()),
        At::Event(groups) => document.append(&groups, &hook.group()),
    }
    Ok(())
}

/// Takes one handler out, then its group, its event and the hooks object, as far as they were ours and are empty.
fn remove(document: &mut Document, place: &Place) -> Result<(), Wrong> {
    if !place.flat && place.handlers.members.len() > 1 {
        document.remove(&place.handlers, place.handler);
        return Ok(());
    }
    // Our group has nothing but our handler. A group of someone else's that held only ours stays, empty.
    let group = &place.groups.members[place.group];
    let handler = &place.handlers.members[place.handler];
    let text = &document.text()[group.clone()];
    let own_group = place.flat || text == format!("{{ \"hooks\": [ {} ] }}", &document.text()[handler.clone()]);
    if !own_group {
        document.remove(&place.handlers, place.handler);
        return Ok(());
    }
    if place.groups.members.len() > 1 || document.was_there(&place.groups) {
        document.remove(&place.groups, place.group);
        return Ok(());
    }
    let (root, hooks, hooks_at) = document.read(|root| {
        let Value::Object(root) = root else { return Err(document.wrong("the settings are no object", 0)) };
        match hooks_of(document, root)? {
            Some((hooks, index)) => Ok((object(root), object(hooks), index)),
            None => Err(document.wrong("the hooks are gone", 0)),
        }
    })?;
    if hooks.members.len() > 1 || document.was_there(&hooks) {
        document.remove(&hooks, place.property);
    } else {
        document.remove(&root, hooks_at);
    }
    Ok(())
}

fn places(document: &Document, root: &Value, mine: &Mine) -> Result<Vec<Place>, Wrong> {
    let Value::Object(root) = root else { return Err(document.wrong("the settings are no object", start_of(root))) };
    let Some((hooks, _)) = hooks_of(document, root)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (property_index, property) in hooks.properties.iter().enumerate() {
        let (Value::Array(groups), Some(group_container)) = (&property.value, array(&property.value)) else { continue };
        for (group_index, group) in groups.elements.iter().enumerate() {
            let Value::Object(group) = group else { continue };
            let Some(handlers_value) = group.properties.iter().find(|inner| inner.name.as_str() == "hooks") else {
                let does = handler_of(&groups.elements[group_index]).filter(|does| is_ours(does, mine));
                found.extend(does.map(|does| Place {
                    event: property.name.as_str().to_owned(),
                    does,
                    property: property_index,
                    groups: group_container.clone(),
                    group: group_index,
                    handlers: group_container.clone(),
                    handler: group_index,
                    flat: true,
                }));
                continue;
            };
            let (Value::Array(handlers), Some(handler_container)) =
                (&handlers_value.value, array(&handlers_value.value))
            else {
                continue;
            };
            for (handler_index, handler) in handlers.elements.iter().enumerate() {
                let Some(does) = handler_of(handler) else { continue };
                if is_ours(&does, mine) {
                    found.push(Place {
                        event: property.name.as_str().to_owned(),
                        does,
                        property: property_index,
                        groups: group_container.clone(),
                        group: group_index,
                        handlers: handler_container.clone(),
                        handler: handler_index,
                        flat: false,
                    });
                }
            }
        }
    }
    Ok(found)
}

/// What a handler does. `None` for kinds that are never ours.
fn handler_of(handler: &Value) -> Option<Handler> {
    let Value::Object(handler) = handler else { return None };
    let field = |name: &str| handler.properties.iter().find(|property| property.name.as_str() == name);
    let text = |value: &Value| match value {
        Value::StringLit(text) => Some(text.value.to_string()),
        _ => None,
    };
    if let Some(command) = field("command").and_then(|property| text(&property.value)) {
        let args = field("args").and_then(|property| match &property.value {
            Value::Array(args) => Some(args.elements.iter().filter_map(text).collect()),
            _ => None,
        });
        return Some(match args {
            Some(args) => Handler::Program { program: command, args },
            None => Handler::Shell(command),
        });
    }
    let url = field("url").and_then(|property| text(&property.value))?;
    let headers = match field("headers").map(|property| &property.value) {
        Some(Value::Object(headers)) => {
            let pair = |(name, value): (&str, &Value)| Some((name.to_owned(), text(value)?));
            headers.properties.iter().filter_map(|header| pair((header.name.as_str(), &header.value))).collect()
        }
        _ => Vec::new(),
    };
    Some(Handler::Http { url, headers })
}

/// The `hooks` object of the settings and its index among the properties.
fn hooks_of<'a, 'b>(document: &Document, root: &'b Object<'a>) -> Result<Option<(&'b Object<'a>, usize)>, Wrong> {
    let mut named = root.properties.iter().enumerate().filter(|(_, property)| property.name.as_str() == "hooks");
    let Some((index, property)) = named.next() else { return Ok(None) };
    if let Some((_, twin)) = named.next() {
        return Err(document.wrong("`hooks` is there twice", twin.range.start));
    }
    match &property.value {
        Value::Object(hooks) => Ok(Some((hooks, index))),
        other => Err(document.wrong("`hooks` is no object", span(other).start)),
    }
}
