//! Code and command output: monospace, lightly colored, folded when long.

use leptos::prelude::*;

/// Lines shown before the rest is folded.
const FOLD_LINES: usize = 16;

/// What a piece of code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    Plain,
    Keyword,
    Text,
    Comment,
    Number,
    Type,
}

/// A block of code in the language that `lang` names: a fence's word or a path's extension. Plain for the empty string.
#[component]
pub fn Code(#[prop(into)] text: String, #[prop(into, optional)] lang: String) -> impl IntoView {
    let render = move |part: &str| {
        part.lines()
            .map(|line| view! { <span class="code__line">{colored(&lang, line)}"\n"</span> }.into_any())
            .collect()
    };
    folded(text, "code code--block", FOLD_LINES * 2, render)
}

/// What a command printed: escape sequences taken out, lines that tell of failure lifted.
#[component]
pub fn Output(#[prop(into)] text: String) -> impl IntoView {
    let text = without_escapes(&text);
    let render = |part: &str| {
        let line = |line: &str| {
            let class = if tells_failure(line) { "code__line danger" } else { "code__line" };
            view! { <span class=class>{line.to_owned()}"\n"</span> }.into_any()
        };
        part.lines().map(line).collect()
    };
    folded(text, "out", FOLD_LINES, render)
}

/// A block whose first lines are shown, and the rest on demand.
fn folded(
    text: String,
    class: &'static str,
    keep: usize,
    render: impl Fn(&str) -> Vec<AnyView> + Send + Sync + 'static,
) -> impl IntoView {
    let text = text.trim_end_matches(['\n', '\r']).to_owned();
    let lines = text.lines().count();
    // A few more lines cost less than a button.
    let hidden = if lines > keep + 4 { lines - keep } else { 0 };
    let open = RwSignal::new(hidden == 0);
    let body = move || {
        let end = if open.get() { text.len() } else { end_of_line(&text, keep) };
        render(&text[..end])
    };
    let button = (hidden > 0).then(|| {
        let label = move || if open.get() { "Show less".to_owned() } else { format!("Show {hidden} more lines") };
        view! {
            <button class="more" type="button" aria-expanded=move || open.get().to_string() on:click=move |event| {
                event.stop_propagation();
                open.update(|open| *open = !*open);
            }>{label}</button>
        }
    });
    view! { <pre class=class tabindex="0">{body}</pre> {button} }
}

fn end_of_line(text: &str, lines: usize) -> usize {
    text.match_indices('\n').nth(lines.saturating_sub(1)).map_or(text.len(), |(at, _)| at)
}

/// One line as spans; plain text gets none.
pub fn colored(lang: &str, line: &str) -> Vec<AnyView> {
    let class = |token| match token {
        Token::Keyword => "k",
        Token::Text => "s",
        Token::Comment => "c",
        Token::Number => "n",
        Token::Type => "t",
        Token::Plain => "",
    };
    let piece = |(token, text): (Token, &str)| match class(token) {
        "" => text.to_owned().into_any(),
        class => view! { <span class=class>{text.to_owned()}</span> }.into_any(),
    };
    tokens(lang, line).into_iter().map(piece).collect()
}

/// Cuts a line into tokens. Knows a handful of languages well enough for reading, one line at a time.
pub fn tokens<'a>(lang: &str, line: &'a str) -> Vec<(Token, &'a str)> {
    let Some(rules) = rules(lang) else { return vec![(Token::Plain, line)] };
    let mut found: Vec<(Token, &str)> = Vec::new();
    let mut rest = line;
    let mut plain = 0;
    let mut after_word = false;
    while let Some(first) = rest[plain..].chars().next() {
        let here = &rest[plain..];
        let piece = if let Some(end) = comment_end(rules, here) {
            Some((Token::Comment, end))
        } else if rules.quotes.contains(first) {
            Some((Token::Text, string_end(here, first)))
        } else if !after_word && first.is_ascii_digit() {
            Some((Token::Number, word_end(here)))
        } else if !after_word && is_word(first) {
            let end = word_end(here);
            Some((word_token(rules, &here[..end]), end))
        } else {
            None
        };
        after_word = is_word(first);
        match piece {
            Some((Token::Plain, end)) => plain += end,
            Some((token, end)) => {
                if plain > 0 {
                    found.push((Token::Plain, &rest[..plain]));
                }
                found.push((token, &rest[plain..plain + end]));
                rest = &rest[plain + end..];
                plain = 0;
                after_word = matches!(token, Token::Keyword | Token::Type | Token::Number);
            }
            None => plain += first.len_utf8(),
        }
    }
    if plain > 0 {
        found.push((Token::Plain, rest));
    }
    found
}

struct Rules {
    comments: &'static [&'static str],
    quotes: &'static str,
    keywords: &'static [&'static str],
    types: bool,
}

const RUST: Rules = Rules {
    comments: &["//"],
    quotes: "\"",
    keywords: &[
        "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "false", "fn",
        "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self",
        "Self", "static", "struct", "super", "trait", "true", "type", "unsafe", "use", "where", "while",
    ],
    types: true,
};
const SCRIPT: Rules = Rules {
    comments: &["//"],
    quotes: "\"'`",
    keywords: &[
        "as",
        "async",
        "await",
        "break",
        "case",
        "catch",
        "class",
        "const",
        "continue",
        "default",
        "delete",
        "else",
        "enum",
        "export",
        "extends",
        "false",
        "final",
        "finally",
        "fn",
        "for",
        "from",
        "func",
        "function",
        "go",
        "if",
        "implements",
        "import",
        "in",
        "instanceof",
        "interface",
        "let",
        "new",
        "nil",
        "null",
        "of",
        "package",
        "private",
        "protected",
        "public",
        "range",
        "return",
        "static",
        "struct",
        "super",
        "switch",
        "this",
        "throw",
        "true",
        "try",
        "type",
        "typeof",
        "undefined",
        "var",
        "void",
        "while",
        "yield",
        "defer",
        "chan",
        "map",
        "int",
        "char",
        "bool",
    ],
    types: true,
};
const PYTHON: Rules = Rules {
    comments: &["#"],
    quotes: "\"'",
    keywords: &[
        "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
        "False", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "None", "nonlocal", "not",
        "or", "pass", "raise", "return", "self", "True", "try", "while", "with", "yield", "end", "module", "require",
    ],
    types: true,
};
const SHELL: Rules = Rules {
    comments: &["# ", "#!"],
    quotes: "\"'",
    keywords: &[
        "case", "do", "done", "elif", "else", "esac", "export", "fi", "for", "function", "if", "in", "local", "return",
        "set", "then", "while", "cd", "echo", "sudo",
    ],
    types: false,
};
const DATA: Rules =
    Rules { comments: &["#", "//"], quotes: "\"'", keywords: &["true", "false", "null", "yes", "no"], types: false };
const SQL: Rules = Rules {
    comments: &["--"],
    quotes: "'\"",
    keywords: &[
        "select", "from", "where", "and", "or", "insert", "into", "values", "update", "set", "delete", "create",
        "table", "index", "join", "left", "on", "group", "by", "order", "limit", "as", "not", "null", "primary", "key",
        "SELECT", "FROM", "WHERE", "AND", "OR", "INSERT", "INTO", "VALUES", "UPDATE", "SET", "DELETE", "CREATE",
        "TABLE", "INDEX", "JOIN", "LEFT", "ON", "GROUP", "BY", "ORDER", "LIMIT", "AS", "NOT", "NULL", "PRIMARY", "KEY",
    ],
    types: false,
};

fn rules(lang: &str) -> Option<&'static Rules> {
    Some(match lang {
        "rs" | "rust" => &RUST,
        "js" | "jsx" | "ts" | "tsx" | "mjs" | "javascript" | "typescript" | "go" | "java" | "kt" | "swift" | "c"
        | "h" | "cpp" | "hpp" | "cc" | "cs" | "php" | "zig" | "css" | "scss" => &SCRIPT,
        "py" | "python" | "rb" | "ruby" => &PYTHON,
        "sh" | "bash" | "zsh" | "shell" | "console" | "fish" => &SHELL,
        "json" | "jsonl" | "toml" | "yaml" | "yml" | "ini" | "conf" => &DATA,
        "sql" => &SQL,
        _ => return None,
    })
}

fn comment_end(rules: &Rules, here: &str) -> Option<usize> {
    if rules.comments.contains(&"//")
        && let Some(inside) = here.strip_prefix("/*")
    {
        return Some(inside.find("*/").map_or(here.len(), |at| at + 4));
    }
    // A URL's slashes follow a colon and are met as plain text before; a bare `//` starts a comment.
    rules.comments.iter().any(|mark| here.starts_with(mark)).then_some(here.len())
}

fn string_end(here: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in here.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return at + letter.len_utf8(),
            _ => {}
        }
    }
    here.len()
}

fn word_end(here: &str) -> usize {
    here.find(|letter| !is_word(letter)).unwrap_or(here.len())
}

fn word_token(rules: &Rules, word: &str) -> Token {
    if rules.keywords.contains(&word) {
        return Token::Keyword;
    }
    let mut letters = word.chars();
    let upper =
        letters.next().is_some_and(|first| first.is_ascii_uppercase()) && letters.any(|c| c.is_ascii_lowercase());
    if rules.types && upper { Token::Type } else { Token::Plain }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The language of a file, as [`Code`] takes it.
pub fn lang_of_path(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).unwrap_or_default()
}

/// Takes out terminal escape sequences and control characters; what was overwritten with a carriage return is gone.
pub fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => match letters.next() {
                Some('[') => while letters.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {},
                Some(']') => while letters.next().is_some_and(|c| c != '\u{7}' && c != '\u{1b}') {},
                _ => {}
            },
            '\r' if letters.peek().is_some_and(|next| *next != '\n') => {
                out.truncate(out.rfind('\n').map_or(0, |at| at + 1));
            }
            '\n' | '\t' => out.push(letter),
            _ if letter.is_control() => {}
            _ => out.push(letter),
        }
    }
    out
}

fn tells_failure(line: &str) -> bool {
    let start = line.trim_start();
    ["error", "Error", "ERROR", "FAIL", "fatal:", "panicked at", "Traceback", "✗", "✘"]
        .iter()
        .any(|word| start.starts_with(word))
        || line.contains(" FAILED")
        || line.contains("' panicked at")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(lang: &str, line: &str) -> Vec<(Token, String)> {
        tokens(lang, line)
            .into_iter()
            .filter(|(token, _)| *token != Token::Plain)
            .map(|(t, s)| (t, s.to_owned()))
            .collect()
    }

    #[test]
    fn a_line_is_cut_into_its_kinds() {
        let line = r#"let x1 = File::open("a // b", 42); // why"#;
        let whole: String = tokens("rs", line).into_iter().map(|(_, text)| text).collect();
        assert_eq!(whole, line);
        assert_eq!(
            kinds("rs", line),
            [
                (Token::Keyword, "let".into()),
                (Token::Type, "File".into()),
                (Token::Text, "\"a // b\"".into()),
                (Token::Number, "42".into()),
                (Token::Comment, "// why".into()),
            ]
        );
        assert_eq!(kinds("rs", "letter for_x é2 ünlet"), []);
        assert_eq!(kinds("", "let x"), []);
    }

    #[test]
    fn escapes_and_overwritten_lines_go() {
        assert_eq!(without_escapes("\u{1b}[31mred\u{1b}[0m\n10%\r100%\r\nend\u{1b}]0;t\u{7}!\u{0}"), "red\n100%\nend!");
    }
}
