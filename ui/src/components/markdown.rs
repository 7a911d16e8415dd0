//! Markdown as agents write it: parsed to nodes, never to HTML.

use leptos::prelude::*;
use pulldown_cmark::{Alignment, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::code::Code;

/// A text in Markdown. Raw HTML is shown as text, links lead to http, https and mailto only, images are links.
#[component]
pub fn Markdown(#[prop(into)] text: String) -> impl IntoView {
    view! { <div class="md">{parse(&text).iter().map(block).collect_view()}</div> }
}

/// A piece of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    Text(String),
    Code(String),
    /// Name of an HTML element, and what is inside.
    Element(&'static str, Vec<Node>),
    Link {
        href: Option<String>,
        inside: Vec<Node>,
    },
    CodeBlock {
        lang: String,
        text: String,
    },
    List {
        start: Option<u64>,
        items: Vec<Vec<Node>>,
    },
    Table {
        right: Vec<bool>,
        rows: Vec<Vec<Vec<Node>>>,
    },
    Task(bool),
    Break,
    Rule,
}

/// Elements nested deeper than this become plain text: nobody reads them, and the stack of a browser is small.
const DEEPEST: usize = 24;

/// Parses a document. Nothing in it can fail: what is no Markdown is text.
pub fn parse(text: &str) -> Vec<Node> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut parser = Parser::new_ext(text, options);
    inside(&mut parser, None, 0)
}

/// Nodes up to the end tag that belongs to `open`.
fn inside(events: &mut Parser<'_>, open: Option<TagEnd>, depth: usize) -> Vec<Node> {
    let mut nodes = Vec::new();
    if depth > DEEPEST {
        return flat(events);
    }
    while let Some(event) = events.next() {
        match event {
            Event::End(end) if Some(end) == open => break,
            Event::End(_) => {}
            Event::Start(tag) => nodes.extend(tagged(events, tag, depth + 1)),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => push_text(&mut nodes, &text),
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::Code(text) => {
                nodes.push(Node::Code(text.into_string()))
            }
            Event::FootnoteReference(name) => push_text(&mut nodes, &format!("[{name}]")),
            Event::SoftBreak => push_text(&mut nodes, "\n"),
            Event::HardBreak => nodes.push(Node::Break),
            Event::Rule => nodes.push(Node::Rule),
            Event::TaskListMarker(done) => nodes.push(Node::Task(done)),
        }
    }
    nodes
}

/// The text of everything up to the end of the element that is open.
fn flat(events: &mut Parser<'_>) -> Vec<Node> {
    let (mut nodes, mut open) = (Vec::new(), 1_usize);
    for event in events.by_ref() {
        match event {
            Event::Start(_) => open += 1,
            Event::End(_) => open -= 1,
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                push_text(&mut nodes, &text)
            }
            _ => {}
        }
        if open == 0 {
            break;
        }
    }
    nodes
}

fn push_text(nodes: &mut Vec<Node>, text: &str) {
    if let Some(Node::Text(last)) = nodes.last_mut() {
        last.push_str(text);
    } else {
        nodes.push(Node::Text(text.to_owned()));
    }
}

fn tagged(events: &mut Parser<'_>, tag: Tag<'_>, depth: usize) -> Vec<Node> {
    let end = tag.to_end();
    let element = |events: &mut Parser<'_>, name| vec![Node::Element(name, inside(events, Some(end), depth))];
    match tag {
        Tag::Paragraph => element(events, "p"),
        Tag::Heading { level, .. } => element(events, if level <= HeadingLevel::H2 { "h3" } else { "h4" }),
        Tag::BlockQuote(_) => element(events, "blockquote"),
        Tag::Emphasis => element(events, "em"),
        Tag::Strong => element(events, "strong"),
        Tag::Strikethrough => element(events, "s"),
        Tag::CodeBlock(kind) => {
            let lang = match kind {
                CodeBlockKind::Fenced(info) => info.split([' ', ',', '{']).next().unwrap_or_default().to_lowercase(),
                CodeBlockKind::Indented => String::new(),
            };
            let text = inside(events, Some(end), depth).iter().map(plain).collect();
            vec![Node::CodeBlock { lang, text }]
        }
        Tag::List(start) => vec![list(events, start, end, depth)],
        Tag::Link { dest_url, .. } => {
            let href = safe_url(&dest_url);
            vec![Node::Link { href, inside: inside(events, Some(end), depth) }]
        }
        Tag::Image { dest_url, .. } => {
            let href = safe_url(&dest_url);
            let mut words = inside(events, Some(end), depth);
            if words.is_empty() {
                words.push(Node::Text("image".to_owned()));
            }
            vec![Node::Link { href, inside: words }]
        }
        Tag::Table(alignments) => vec![table(events, &alignments, end, depth)],
        _ => inside(events, Some(end), depth),
    }
}

fn list(events: &mut Parser<'_>, start: Option<u64>, end: TagEnd, depth: usize) -> Node {
    let mut items = Vec::new();
    while let Some(event) = events.next() {
        match event {
            Event::End(tag) if tag == end => break,
            Event::Start(Tag::Item) => items.push(inside(events, Some(TagEnd::Item), depth + 1)),
            _ => {}
        }
    }
    Node::List { start, items }
}

fn table(events: &mut Parser<'_>, alignments: &[Alignment], end: TagEnd, depth: usize) -> Node {
    let mut rows: Vec<Vec<Vec<Node>>> = Vec::new();
    while let Some(event) = events.next() {
        match event {
            Event::End(tag) if tag == end => break,
            Event::Start(Tag::TableHead | Tag::TableRow) => rows.push(Vec::new()),
            Event::Start(Tag::TableCell) => {
                let cell = inside(events, Some(TagEnd::TableCell), depth + 1);
                if let Some(row) = rows.last_mut() {
                    row.push(cell);
                }
            }
            _ => {}
        }
    }
    Node::Table { right: alignments.iter().map(|side| *side == Alignment::Right).collect(), rows }
}

fn plain(node: &Node) -> String {
    match node {
        Node::Text(text) | Node::Code(text) => text.clone(),
        Node::Break => "\n".to_owned(),
        _ => String::new(),
    }
}

/// The address when a browser may open it: http, https, mailto.
pub fn safe_url(url: &str) -> Option<String> {
    let url = url.trim();
    let (scheme, _) = url.split_once(':')?;
    let known = ["http", "https", "mailto"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    (known && !url.chars().any(|letter| letter.is_control() || letter.is_whitespace())).then(|| url.to_owned())
}

fn views(nodes: &[Node]) -> Vec<AnyView> {
    nodes.iter().map(block).collect()
}

fn block(node: &Node) -> AnyView {
    match node {
        Node::Text(text) => text.clone().into_any(),
        Node::Code(text) => view! { <code>{text.clone()}</code> }.into_any(),
        Node::Break => view! { <br/> }.into_any(),
        Node::Rule => view! { <hr/> }.into_any(),
        Node::Task(done) => view! { <input type="checkbox" disabled checked=*done aria-label="Task"/> }.into_any(),
        Node::CodeBlock { lang, text } => view! { <Code text=text.clone() lang=lang.clone()/> }.into_any(),
        Node::Link { href: Some(href), inside } => {
            view! { <a href=href.clone() rel="noopener noreferrer" target="_blank">{views(inside)}</a> }.into_any()
        }
        Node::Link { href: None, inside } => view! { <span class="md__dead">{views(inside)}</span> }.into_any(),
        Node::Element(name, inside) => element(name, views(inside)),
        Node::List { start: None, items } => {
            view! { <ul>{items.iter().map(|item| view! { <li>{views(item)}</li> }).collect_view()}</ul> }.into_any()
        }
        Node::List { start: Some(start), items } => {
            let items = items.iter().map(|item| view! { <li>{views(item)}</li> }).collect_view();
            view! { <ol start=start.to_string()>{items}</ol> }.into_any()
        }
        Node::Table { right, rows } => table_view(right, rows),
    }
}

fn element(name: &str, inside: Vec<AnyView>) -> AnyView {
    match name {
        "h3" => view! { <h3>{inside}</h3> }.into_any(),
        "h4" => view! { <h4>{inside}</h4> }.into_any(),
        "blockquote" => view! { <blockquote>{inside}</blockquote> }.into_any(),
        "em" => view! { <em>{inside}</em> }.into_any(),
        "strong" => view! { <strong>{inside}</strong> }.into_any(),
        "s" => view! { <s>{inside}</s> }.into_any(),
        _ => view! { <p>{inside}</p> }.into_any(),
    }
}

fn table_view(right: &[bool], rows: &[Vec<Vec<Node>>]) -> AnyView {
    let class = |column: usize| if right.get(column).copied().unwrap_or(false) { "right" } else { "" };
    let head = rows.first().map(|row| {
        row.iter()
            .enumerate()
            .map(|(n, cell)| view! { <th scope="col" class=class(n)>{views(cell)}</th> })
            .collect_view()
    });
    let body = rows.iter().skip(1).map(|row| {
        let cells =
            row.iter().enumerate().map(|(n, cell)| view! { <td class=class(n)>{views(cell)}</td> }).collect_view();
        view! { <tr>{cells}</tr> }
    });
    view! { <div class="md__table"><table><thead><tr>{head}</tr></thead><tbody>{body.collect_view()}</tbody></table></div> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_markdown_stays_text() {
        let nodes = parse(
            "<script>alert(1)</script>\n\nHi <b onclick=x>you</b> [a](javascript:alert(1)) ![i](https://x/y.png)",
        );
        let shown = format!("{nodes:?}");
        assert!(shown.contains("<script>alert(1)</script>"), "{shown}");
        assert!(shown.contains("<b onclick=x>"), "{shown}");
        assert!(!shown.contains("javascript:"), "{shown}");
        assert!(shown.contains(r#"href: Some("https://x/y.png")"#), "an image is a link: {shown}");
    }

    #[test]
    fn endless_nesting_is_flattened() {
        let nodes = parse(&format!("{} deep\n\nafter", ">".repeat(20_000)));
        assert!(format!("{nodes:?}").contains("deep"));
        assert!(matches!(nodes.last(), Some(Node::Element("p", _))), "{nodes:?}");
    }

    #[test]
    fn only_three_schemes_are_links() {
        for good in ["https://a.b", "HTTP://a", "mailto:a@b"] {
            assert!(safe_url(good).is_some(), "{good}");
        }
        for bad in ["javascript:x", "data:text/html,x", "file:///etc", "/x", "java\nscript:x", "https:/\u{0}/x", ""] {
            assert!(safe_url(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn blocks_are_found() {
        let nodes =
            parse("# T\n\n1. one\n   - [x] two\n\n```rust ignore\nfn x() {}\n```\n\n| a | b |\n|---|--:|\n| 1 | 2 |");
        assert!(matches!(&nodes[0], Node::Element("h3", _)));
        let Node::List { start: Some(1), items } = &nodes[1] else { panic!("{nodes:?}") };
        assert!(matches!(&items[0][1], Node::List { start: None, items } if items[0][0] == Node::Task(true)));
        assert_eq!(nodes[2], Node::CodeBlock { lang: "rust".into(), text: "fn x() {}\n".into() });
        let Node::Table { right, rows } = &nodes[3] else { panic!("{nodes:?}") };
        assert_eq!((right.as_slice(), rows.len()), (&[false, true][..], 2));
    }
}
