//! Edits of JSON with comments that change nothing but what they are about, and can be undone exactly.
//!
//! Members are put in and taken out as text at places the syntax tree names. The white space around them tells later
//! whether a container was ours: one that we make has white space inside its brackets, while a first member put into an
//! empty container that was there stands right behind its bracket.

use std::ops::Range;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::InstallError;

/// A settings file's text.
#[derive(Debug, Clone)]
pub struct Document {
    bom: bool,
    text: String,
}

/// What is wrong with the text, before the file's name is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    message: String,
    line: usize,
    column: usize,
    shape: bool,
}

impl Wrong {
    pub fn at(self, path: &str) -> InstallError {
        let Wrong { message, line, column, shape } = self;
        let path = path.to_owned();
        if shape {
            InstallError::Shape { path, message, line, column }
        } else {
            InstallError::Unreadable { path, message, line, column }
        }
    }
}

/// A container in the text: where it is and where its members are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub range: Range<usize>,
    pub members: Vec<Range<usize>>,
}

impl Document {
    pub fn open(text: &str) -> Result<Document, Wrong> {
        let (bom, text) = text.strip_prefix('\u{feff}').map_or((false, text), |rest| (true, rest));
        let document = Document { bom, text: text.to_owned() };
        document.read(|root| match root {
            Value::Object(_) => Ok(()),
            other => Err(document.wrong("the settings are no object", start_of(other))),
        })?;
        Ok(document)
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn into_text(self) -> String {
        if self.bom { format!("\u{feff}{}", self.text) } else { self.text }
    }

    pub fn newline(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    /// Reads the root value of the text as it is now.
    pub fn read<T>(&self, read: impl FnOnce(&Value) -> Result<T, Wrong>) -> Result<T, Wrong> {
        let options =
            ParseOptions { allow_missing_commas: false, allow_single_quoted_strings: false, ..ParseOptions::default() };
        let parsed = parse_to_ast(&self.text, &CollectOptions::default(), &options).map_err(|error| Wrong {
            message: error.kind().to_string(),
            line: error.line_display(),
            column: error.column_display(),
            shape: false,
        })?;
        match &parsed.value {
            Some(value) => read(value),
            None => Err(self.wrong("the file holds no settings", 0)),
        }
    }

    pub fn wrong(&self, message: &str, at: usize) -> Wrong {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Wrong { message: message.to_owned(), line, column, shape: true }
    }

    /// Whether the top level says `name: true`.
    pub fn switch_is_on(&self, name: &str) -> bool {
        let on = self.read(|root| match root {
            Value::Object(root) => Ok(root.get_boolean(name).is_some_and(|value| value.value)),
            _ => Ok(false),
        });
        on.unwrap_or(false)
    }

    pub fn replace(&mut self, range: Range<usize>, with: &str) {
        self.text.replace_range(range, with);
    }

    /// The white space that begins the line of `at`, when nothing else stands before it there.
    pub fn indent_at(&self, at: usize) -> Option<&str> {
        let start = self.text.get(..at)?.rfind('\n')? + 1;
        let indent = self.text.get(start..at)?;
        indent.bytes().all(|byte| byte == b' ' || byte == b'\t').then_some(indent)
    }

    /// One step of indentation, as the file has it.
    pub fn indent_step(&self, root: &Container) -> String {
        let first = root.members.first().and_then(|member| self.indent_at(member.start));
        first.filter(|indent| !indent.is_empty()).unwrap_or("  ").to_owned()
    }

    /// Puts `member` behind the last one. Comments behind that one stay with it.
    pub fn append(&mut self, container: &Container, member: &str) {
        let newline = self.newline();
        let Some(last) = container.members.last().cloned() else {
            let inner_end = container.range.end - 1;
            let comments_end = self.last_solid(container.range.start + 1, inner_end);
            if comments_end == container.range.start + 1 {
                self.text.insert_str(comments_end, member);
            } else {
                let indent = self.indent_at(container.range.start).unwrap_or_default().to_owned();
                self.text.insert_str(comments_end, &format!("{newline}{indent}  {member}"));
            }
            return;
        };
        let comma = self.comma_after(last.end, container.range.end);
        let solid = self.last_solid(comma.map_or(last.end, |at| at + 1), container.range.end - 1);
        let separator = match self.indent_at(last.start) {
            Some(indent) => format!("{newline}{indent}"),
            // Behind a comment to the end of the line only a new line will do.
            None if self.text[last.end..solid].contains("//") => newline.to_owned(),
            None => " ".to_owned(),
        };
        let tail = if comma.is_some() { "," } else { "" };
        self.text.insert_str(solid, &format!("{separator}{member}{tail}"));
        if comma.is_none() {
            self.text.insert(last.end, ',');
        }
    }

    /// Takes out the member at `index`, with the comma and the white space that came with it.
    pub fn remove(&mut self, container: &Container, index: usize) {
        let Some(member) = container.members.get(index).cloned() else { return };
        let lower = match index.checked_sub(1).and_then(|before| container.members.get(before)) {
            Some(before) => before.end,
            None => container.range.start + 1,
        };
        let blank = self.text[lower..member.start]
            .chars()
            .rev()
            .take_while(|letter| letter.is_whitespace())
            .map(char::len_utf8);
        let start = member.start - blank.sum::<usize>();
        let comma = self.comma_after(member.end, container.range.end);
        let is_last = index + 1 == container.members.len();
        if let (true, Some(own)) = (!is_last || comma.is_some(), comma) {
            self.text.replace_range(member.end..own + 1, "");
            self.text.replace_range(start..member.end, "");
        } else {
            self.text.replace_range(start..member.end, "");
            let before = index.checked_sub(1).and_then(|before| container.members.get(before));
            if let Some(comma) = before.and_then(|before| self.comma_after(before.end, start)) {
                self.text.remove(comma);
            }
        }
    }

    /// Whether a container with one member was there before that member was put in: nothing but the member stands in it,
    /// right behind the bracket, or comments do.
    pub fn was_there(&self, container: &Container) -> bool {
        let [member] = container.members.as_slice() else { return true };
        let before = &self.text[container.range.start + 1..member.start];
        let after = &self.text[member.end..container.range.end - 1];
        before.is_empty() || !before.trim().is_empty() || !after.trim().trim_start_matches(',').is_empty()
    }

    /// The comma behind `from`, past comments, before `to`.
    fn comma_after(&self, from: usize, to: usize) -> Option<usize> {
        let mut at = from;
        loop {
            at = self.skip_comments(at, to);
            match self.text.as_bytes().get(at) {
                Some(b',') if at < to => return Some(at),
                Some(byte) if byte.is_ascii_whitespace() && at < to => at += 1,
                _ => return None,
            }
        }
    }

    /// End of the last comment between `from` and `to`, or `from`.
    fn last_solid(&self, from: usize, to: usize) -> usize {
        let mut end = from;
        let mut at = from;
        while at < to {
            let past = self.skip_comments(at, to);
            if past > at {
                end = past;
                at = past;
            } else {
                at += self.text[at..].chars().next().map_or(1, char::len_utf8);
            }
        }
        end
    }

    /// The end of the comment that begins at `at`; `at` when there is none.
    fn skip_comments(&self, at: usize, to: usize) -> usize {
        let rest = self.text.get(at..to).unwrap_or_default();
        if rest.starts_with("//") {
            let line = rest.find('\n').unwrap_or(rest.len());
            let line = if rest[..line].ends_with('\r') { line - 1 } else { line };
            return at + line;
        }
        if rest.starts_with("/*") {
            return at + rest.find("*/").map_or(rest.len(), |end| end + 2);
        }
        at
    }
}

/// An object's place and those of its properties.
pub fn object(object: &Object) -> Container {
    let range = object.range.start..object.range.end;
    let members = object.properties.iter().map(|property| property.range.start..property.range.end).collect();
    Container { range, members }
}

/// An array's place and those of its elements. `None` for anything else.
pub fn array(value: &Value) -> Option<Container> {
    let Value::Array(array) = value else { return None };
    let members = array.elements.iter().map(span).collect();
    Some(Container { range: array.range.start..array.range.end, members })
}

pub fn span(value: &Value) -> Range<usize> {
    use jsonc_parser::common::Ranged;
    let range = value.range();
    range.start..range.end
}

pub fn start_of(value: &Value) -> usize {
    span(value).start
}
