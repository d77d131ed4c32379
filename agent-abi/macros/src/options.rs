//! The arguments of `#[stage(…)]`: parsing, and the JSON that they become.

use crate::{json, schema, suggest};
use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitStr, Result, Token, bracketed, parenthesized, token};

/// Bits of `agent_abi::table::flags`; a test in `agent-abi` compares them.
const OVERWRITE: u32 = 1;
const CANCEL_AWARE: u32 = 1 << 1;
const IDEMPOTENT: u32 = 1 << 2;
const NO_PARALLEL: u32 = 1 << 3;
/// A bit of `agent_abi::table::needs`, likewise.
const CLIENT_METADATA: u64 = 1 << 4;

/// Everything between the parentheses of `#[stage(…)]`.
pub struct StageArgs {
    pub stage: LitStr,
    pub flags: u32,
    pub routes: Vec<LitStr>,
    timeout_ms: Option<u64>,
    include: Vec<(String, String)>,
    initialise: Vec<(String, String)>,
    /// JSON schema.
    params: Option<String>,
    /// Options so far.
    seen: Vec<String>,
}

impl Parse for StageArgs {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.is_empty() {
            return Err(Error::new(
                Span::call_site(),
                "which stage? write `#[stage(\"name of the stage\")]` or its UUID",
            ));
        }
        let stage: LitStr = input.parse().map_err(|e| {
            Error::new(
                e.span(),
                "the stage comes first, as text: `#[stage(\"pre-label\")]`",
            )
        })?;
        if stage.value().trim().is_empty() {
            return Err(Error::new(stage.span(), "the name of the stage is empty"));
        }
        let mut args = Self {
            stage,
            flags: 0,
            routes: Vec::new(),
            timeout_ms: None,
            include: Vec::new(),
            initialise: Vec::new(),
            params: None,
            seen: Vec::new(),
        };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            args.option(input)?;
        }
        Ok(args)
    }
}

/// Names of the options, and how each is written.
const OPTIONS: [(&str, &str); 9] = [
    ("overwrite", "overwrite"),
    ("routes", "routes = [\"complete\"]"),
    ("timeout", "timeout = \"30s\""),
    ("idempotent", "idempotent"),
    ("serial", "serial"),
    ("cancellable", "cancellable"),
    ("params", "params(every: u64 = 10)"),
    ("include", "include(client_metadata)"),
    ("initialise", "initialise(reviews)"),
];

/// How an argument of the Python package is written here.
fn from_python(name: &str) -> Option<String> {
    Some(match name {
        "label_row_metadata_include_args" => "include(client_metadata)".to_owned(),
        "label_row_initialise_labels_args" => "initialise(reviews)".to_owned(),
        other => match other.strip_prefix("include_")? {
            "reviews" => "initialise(reviews)".to_owned(),
            "signed_url" => "initialise(signed_url)".to_owned(),
            "object_feature_hashes" => "initialise(objects = [\"…\"])".to_owned(),
            "classification_feature_hashes" => "initialise(classifications = [\"…\"])".to_owned(),
            rest => format!("include({rest})"),
        },
    })
}

impl StageArgs {
    fn option(&mut self, input: ParseStream<'_>) -> Result<()> {
        let name: Ident = input.parse()?;
        self.written_right(&name, input)?;
        match name.to_string().as_str() {
            "overwrite" => self.flags |= OVERWRITE,
            "cancellable" => self.flags |= CANCEL_AWARE,
            "idempotent" => self.flags |= IDEMPOTENT,
            "serial" => self.flags |= NO_PARALLEL,
            "routes" => {
                input.parse::<Token![=]>()?;
                self.routes = list(input)?;
            }
            "timeout" => {
                input.parse::<Token![=]>()?;
                let text: LitStr = input.parse()?;
                self.timeout_ms = Some(timeout_ms(&text)?);
            }
            "include" => {
                const FLAGS: [&str; 5] = [
                    "client_metadata",
                    "images_data",
                    "workflow_graph_node",
                    "children",
                    "all_label_branches",
                ];
                self.include = group(input, &FLAGS, &[], &["branch_name"])?;
            }
            "initialise" => self.initialise = initialise(input)?,
            "params" => self.params = Some(schema::parse(input)?),
            other => {
                if let Some(form) = from_python(other) {
                    let text = format!("`{other}` is written `{form}` here");
                    return Err(Error::new(name.span(), text));
                }
                let hint = suggest::hint(other, OPTIONS.iter().map(|(name, _)| *name));
                let forms: Vec<&str> = OPTIONS.iter().map(|(_, form)| *form).collect();
                let forms = forms.join(", ");
                return Err(Error::new(
                    name.span(),
                    format!(
                        "`{other}` is not an option of `#[stage]`.{hint} The options are written {forms}"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Each option once, and in its form; the parsers below would only name the missing token.
    fn written_right(&mut self, name: &Ident, input: ParseStream<'_>) -> Result<()> {
        let word = name.to_string();
        let Some((_, form)) = OPTIONS.iter().find(|(known, _)| *known == word) else {
            return Ok(());
        };
        if self.seen.contains(&word) {
            return Err(Error::new(name.span(), format!("`{word}` is there twice")));
        }
        self.seen.push(word);
        let rest = &form[name.to_string().len()..];
        let right = if rest.starts_with('(') {
            input.peek(token::Paren)
        } else if rest.starts_with(" = [") {
            input.peek(Token![=]) && input.peek2(token::Bracket)
        } else if rest.starts_with(" = ") {
            input.peek(Token![=]) && input.peek2(LitStr)
        } else {
            input.is_empty() || input.peek(Token![,])
        };
        if right {
            return Ok(());
        }
        Err(Error::new(name.span(), format!("write it as `{form}`")))
    }

    /// What the options add to the fetch list.
    pub fn needs(&self) -> u64 {
        let metadata = self.include.iter().any(|(key, _)| key == "client_metadata");
        if metadata { CLIENT_METADATA } else { 0 }
    }

    /// `agent_abi::wire::AgentSpec` without its closing brace.
    pub fn spec_head(&self, function: &str, location: &str, parameters: &[String]) -> String {
        let mut out = format!(
            "{{\"function\":{},\"location\":{}",
            json::text(function),
            json::text(location)
        );
        if !self.routes.is_empty() {
            let routes: Vec<String> = self.routes.iter().map(LitStr::value).collect();
            out.push_str(&format!(",\"routes\":{}", json::texts(&routes)));
        }
        if let Some(ms) = self.timeout_ms {
            out.push_str(&format!(",\"timeout_ms\":{ms}"));
        }
        for (key, entries) in [("include", &self.include), ("initialise", &self.initialise)] {
            let inner: Vec<String> = entries
                .iter()
                .map(|(k, v)| format!("{}:{v}", json::text(k)))
                .collect();
            out.push_str(&format!(",\"{key}\":{{{}}}", inner.join(",")));
        }
        if let Some(schema) = &self.params {
            out.push_str(&format!(",\"params\":{schema}"));
        }
        if !parameters.is_empty() {
            out.push_str(&format!(",\"parameters\":{}", json::texts(parameters)));
        }
        out
    }
}

fn initialise(input: ParseStream<'_>) -> Result<Vec<(String, String)>> {
    let short = group(
        input,
        &["reviews", "overwrite", "signed_url"],
        &["objects", "classifications"],
        &[],
    )?;
    Ok(short
        .into_iter()
        .map(|(key, value)| {
            let full = match key.as_str() {
                "reviews" => "include_reviews",
                "signed_url" => "include_signed_url",
                "objects" => "include_object_feature_hashes",
                "classifications" => "include_classification_feature_hashes",
                _ => "overwrite",
            };
            (full.to_owned(), value)
        })
        .collect())
}

/// `(flag, list = ["a"], text = "b")`. The Python names with `include_` in front are accepted too.
fn group(
    input: ParseStream<'_>,
    flags: &[&str],
    lists: &[&str],
    texts: &[&str],
) -> Result<Vec<(String, String)>> {
    let inner;
    parenthesized!(inner in input);
    let mut out = Vec::new();
    while !inner.is_empty() {
        let name: Ident = inner.parse()?;
        let word = name.to_string();
        let short = word.strip_prefix("include_").unwrap_or(&word);
        let short = match short {
            "object_feature_hashes" => "objects",
            "classification_feature_hashes" => "classifications",
            other => other,
        };
        if flags.contains(&short) {
            out.push((short.to_owned(), "true".to_owned()));
        } else if lists.contains(&short) {
            inner.parse::<Token![=]>()?;
            let values: Vec<String> = list(&inner)?.iter().map(LitStr::value).collect();
            out.push((short.to_owned(), json::texts(&values)));
        } else if texts.contains(&short) {
            inner.parse::<Token![=]>()?;
            out.push((
                short.to_owned(),
                json::text(&inner.parse::<LitStr>()?.value()),
            ));
        } else {
            let known = [flags, lists, texts].concat();
            let hint = suggest::hint(&word, known);
            return Err(Error::new(
                name.span(),
                format!("`{word}` is not known here.{hint}"),
            ));
        }
        if !inner.is_empty() {
            inner.parse::<Token![,]>()?;
        }
    }
    Ok(out)
}

fn list(input: ParseStream<'_>) -> Result<Vec<LitStr>> {
    let inner;
    bracketed!(inner in input);
    Ok(Punctuated::<LitStr, Token![,]>::parse_terminated(&inner)?
        .into_iter()
        .collect())
}

/// A duration as the workbench reads it everywhere (`500ms`, `1h30m`), in milliseconds; `None`: not one.
fn duration_ms(text: &str) -> Option<u64> {
    const UNITS: [(&[&str], f64); 6] = [
        (&["w"], 604_800_000.0),
        (&["d"], 86_400_000.0),
        (&["h"], 3_600_000.0),
        (&["m", "min"], 60_000.0),
        (&["s"], 1_000.0),
        (&["ms"], 1.0),
    ];
    let mut rest = text.trim();
    let mut smaller = UNITS.as_slice();
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let (number, after) = rest.split_at(rest.len() - digits.len());
        let after = after.trim_start();
        let left = after.trim_start_matches(char::is_alphabetic);
        let (unit, left) = after.split_at(after.len() - left.len());
        let at = smaller
            .iter()
            .position(|(names, _)| names.contains(&unit))?;
        let ms = smaller[at].1;
        // Only hours and smaller units have fractions, and only the last one that is written.
        if number.contains('.') && (ms > 3_600_000.0 || !left.is_empty()) {
            return None;
        }
        sum += number.parse::<f64>().ok()? * ms;
        smaller = &smaller[at + 1..];
        rest = left.trim_start();
    }
    // Some centuries: far below the digits that `f64` counts exactly.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not negative
    (!text.trim().is_empty() && sum < 1e13).then(|| sum.ceil() as u64)
}

fn timeout_ms(text: &LitStr) -> Result<u64> {
    duration_ms(&text.value())
        .filter(|ms| *ms > 0)
        .ok_or_else(|| {
            let expected =
                "a timeout is a number and a unit: \"500ms\", \"30s\", \"2m\", \"1h30m\"";
            Error::new(text.span(), expected)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_in_the_shared_table() {
        let table = include_str!("../tests/durations.txt");
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let (text, ms) = line.split_once('|').unwrap();
            assert_eq!(duration_ms(text), ms.trim().parse().ok(), "{line}");
        }
    }

    #[test]
    fn a_timeout_is_greater_than_zero() {
        let read = |text: &str| timeout_ms(&LitStr::new(text, Span::call_site())).ok();
        assert_eq!(read("30s"), Some(30_000));
        assert_eq!(read("0s"), None);
    }
}
