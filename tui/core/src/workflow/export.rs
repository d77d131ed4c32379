//! The graph for other programs: Graphviz's DOT and Mermaid's flowcharts. Names are anybody's text; each form has its own
//! way to keep them from being read as anything else.

use super::{StageKind, Workflow};
use crate::ids::StageId;
use crate::text::clean;
use std::fmt::Write;

/// A line from one node to another: places of stages, `None` is the start, and its label.
type Arrow<'a> = (Option<usize>, usize, &'a str);

/// The graph in Graphviz's DOT.
#[must_use]
pub fn dot(title: &str, flow: &Workflow) -> String {
    let mut out = format!(
        "digraph workflow {{\n  label={};\n  rankdir=LR;\n  node [shape=box];\n",
        dot_text(title)
    );
    if starts(flow) {
        out.push_str("  start [label=\"Start\", shape=plaintext];\n");
    }
    for (place, stage) in flow.stages.iter().enumerate() {
        let shape = match stage.kind {
            StageKind::Agent => "box, style=bold",
            StageKind::Done => "box, peripheries=2",
            StageKind::Annotation | StageKind::Review | StageKind::Other(_) => "box, style=rounded",
        };
        let label = dot_text(&stage.title);
        let _ = writeln!(out, "  s{} [label={label}, shape={shape}];", place + 1);
    }
    for (from, to, label) in arrows(flow) {
        let from = from.map_or_else(|| "start".to_owned(), |place| format!("s{}", place + 1));
        let label = match label {
            "" => String::new(),
            text => format!(" [label={}]", dot_text(text)),
        };
        let _ = writeln!(out, "  {from} -> s{}{label};", to + 1);
    }
    out.push_str("}\n");
    out
}

/// The graph as a flowchart of Mermaid.
#[must_use]
pub fn mermaid(title: &str, flow: &Workflow) -> String {
    let title = serde_json::Value::from(clean(title).into_owned());
    let mut out = format!("---\ntitle: {title}\n---\nflowchart LR\n");
    if starts(flow) {
        out.push_str("  start((Start))\n");
    }
    for (place, stage) in flow.stages.iter().enumerate() {
        let (open, close) = match stage.kind {
            StageKind::Agent => ("[[", "]]"),
            StageKind::Done => ("([", "])"),
            StageKind::Annotation | StageKind::Review | StageKind::Other(_) => ("(", ")"),
        };
        let label = mermaid_text(&stage.title);
        let _ = writeln!(out, "  s{}{open}{label}{close}", place + 1);
    }
    for (from, to, label) in arrows(flow) {
        let from = from.map_or_else(|| "start".to_owned(), |place| format!("s{}", place + 1));
        let label = match label {
            "" => String::new(),
            text => format!("|{}|", mermaid_text(text)),
        };
        let _ = writeln!(out, "  {from} -->{label} s{}", to + 1);
    }
    out
}

fn starts(flow: &Workflow) -> bool {
    flow.edges.iter().any(|edge| edge.from.is_none())
}

/// Pathways, then the other edges; those to stages that the workflow does not have are left out.
fn arrows(flow: &Workflow) -> Vec<Arrow<'_>> {
    let place = |id: StageId| flow.stages.iter().position(|stage| stage.id == id);
    let pathways = flow.stages.iter().enumerate().flat_map(|(from, stage)| {
        let ways = stage.pathways.iter();
        ways.filter_map(move |way| Some((Some(from), place(way.to)?, way.name.as_str())))
    });
    let edges = flow.edges.iter().filter_map(|edge| {
        let from = match edge.from {
            Some(id) => Some(place(id)?),
            None => None,
        };
        Some((from, place(edge.to)?, edge.label.as_str()))
    });
    pathways.chain(edges).collect()
}

/// A quoted string: a quote would end it, and a backslash begins one of DOT's own escapes.
fn dot_text(text: &str) -> String {
    let text = clean(text).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{text}\"")
}

/// A quoted string: whatever Mermaid or Markdown reads as its own becomes a numbered entity.
fn mermaid_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in clean(text).chars() {
        match c {
            '"' | '#' | '&' | ';' | '<' | '>' | '`' | '*' | '_' | '|' | '\\' | '[' | ']' | '('
            | ')' | '{' | '}' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::PathwayId;
    use crate::workflow::{Edge, Pathway, Stage};
    use uuid::Uuid;

    /// Names that break out of careless quotes.
    const NAMES: [&str; 4] = [
        "a\"]; evil [label=\"x",
        "back\\slash\\",
        "\u{1b}[2J`md` #quot; <b>*x*</b> | %% {{y}}",
        "漢字 \u{202e}end\n---\nx --> y",
    ];

    fn hostile() -> Workflow {
        let id = |n: usize| StageId(Uuid::from_u128(n as u128));
        let stages = NAMES.iter().enumerate().map(|(n, name)| Stage {
            id: id(n),
            title: (*name).to_owned(),
            kind: StageKind::Agent,
            pathways: vec![Pathway {
                id: PathwayId(Uuid::from_u128(99)),
                name: NAMES[3 - n].to_owned(),
                to: id((n + 1) % 4),
            }],
        });
        Workflow {
            stages: stages.collect(),
            edges: vec![Edge {
                from: None,
                to: id(0),
                label: String::new(),
            }],
        }
    }

    /// The quoted strings of a text, with what `escape` makes of the characters after a backslash.
    fn quoted(text: &str, backslash: bool) -> Vec<String> {
        let (mut all, mut chars) = (Vec::new(), text.chars());
        while let Some(c) = chars.next() {
            if c != '"' {
                continue;
            }
            let mut string = String::new();
            while let Some(c) = chars.next() {
                match c {
                    '"' => break,
                    '\\' if backslash => string.extend(chars.next()),
                    c => string.push(c),
                }
            }
            all.push(string);
        }
        all
    }

    fn names() -> Vec<String> {
        let clean = |name: &&str| clean(name).into_owned();
        let (titles, ways) = (NAMES.iter().map(clean), NAMES.iter().rev().map(clean));
        titles.chain(ways).collect()
    }

    #[test]
    fn names_come_back_whole_from_dot() {
        let text = dot(NAMES[0], &hostile());
        let found = quoted(&text, true);
        assert_eq!(found[0], clean(NAMES[0]));
        assert_eq!(found[1], "Start");
        assert_eq!(found[2..], names());
        assert_eq!(text.lines().count(), 4 + 1 + 4 + 5 + 1, "{text}");
    }

    #[test]
    fn names_come_back_whole_from_mermaid() {
        let text = mermaid("plain", &hostile());
        let decode = |text: &String| {
            let mut out = String::new();
            let mut rest = text.as_str();
            while let Some((before, after)) = rest.split_once('#') {
                let (number, tail) = after.split_once(';').unwrap();
                out.push_str(before);
                out.push(char::from_u32(number.parse().unwrap()).unwrap());
                rest = tail;
            }
            out + rest
        };
        let found: Vec<String> = quoted(&text, false)[1..].iter().map(decode).collect();
        assert_eq!(found, names());
        let start = text.lines().filter(|line| line.contains("start --> s1"));
        assert_eq!(start.count(), 1, "{text}");
    }
}
