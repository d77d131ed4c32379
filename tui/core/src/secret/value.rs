//! Where the value stands behind its name, in headers, JSON, `Debug` output and addresses. Which names have secrets is
//! left to the modules beside it.

/// Words between the name of a header and its token.
const SCHEMES: [&str; 7] = [
    "bearer",
    "basic",
    "digest",
    "token",
    "apikey",
    "key",
    "negotiate",
];

/// Whether a byte belongs to a name.
pub(super) fn in_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')
}

/// Where the value stands in what follows a secret name; `None` when no value follows.
pub(super) fn value(rest: &str) -> Option<(usize, usize)> {
    let closed = rest.trim_start_matches(['"', '\'', '\\', '`', ')']);
    let quoted = closed.len() < rest.len();
    let mut left = closed.trim_start();
    let colon = left.starts_with(':');
    left = match left.strip_prefix([':', '=']) {
        Some(left) => left.trim_start_matches('>'),
        // `("authorization", "Bearer …")`, and `name: "authorization", value: "Bearer …"`.
        None => left.strip_prefix(',').filter(|_| quoted)?,
    };
    left = left.trim_start();
    for word in ["value", "Some(", "HeaderValue(", "b\"", "b'"] {
        if let Some(more) = left.strip_prefix(word) {
            let more = match word {
                "value" => more.trim_start_matches([':', '=', ' ']),
                "b\"" | "b'" => &left[1..],
                _ => more,
            };
            left = more;
        }
    }
    let from = rest.len() - left.len();
    let slashes = left.len() - left.trim_start_matches('\\').len();
    let len = match left.as_bytes().get(slashes)? {
        quote @ (b'"' | b'\'' | b'`') => {
            let body = slashes + 1;
            return Some((
                from + body,
                from + body + closing(&left[body..], *quote, slashes),
            ));
        }
        b'[' => left.find(']').unwrap_or(left.len()),
        _ if colon && !quoted => end_of_line(left),
        _ => with_scheme(left),
    };
    (len > 0).then_some((from, from + len))
}

/// Where the quote stands that closes a value, which has as many backslashes before it as the one that opened it.
fn closing(body: &str, quote: u8, slashes: usize) -> usize {
    let bytes = body.as_bytes();
    let mut before = 0;
    for (at, b) in bytes.iter().enumerate() {
        match *b {
            b'\\' => before += 1,
            b if b == quote && before <= slashes => return at - before,
            _ => before = 0,
        }
    }
    body.len()
}

/// To the end of a header's line; dumps of requests have the line end as an escape.
fn end_of_line(text: &str) -> usize {
    let ends = ["\n", "\r", "\\r", "\\n"];
    let ends = ends.iter().filter_map(|end| text.find(end)).min();
    ends.unwrap_or(text.len())
}

/// One word, and the next one too if it is a scheme.
fn with_scheme(text: &str) -> usize {
    let word = unquoted(text);
    if !SCHEMES.iter().any(|s| text[..word].eq_ignore_ascii_case(s)) {
        return word;
    }
    let blank = text[word..].len() - text[word..].trim_start_matches(' ').len();
    word + blank + unquoted(&text[word + blank..])
}

/// To the end of a word.
pub(super) fn unquoted(text: &str) -> usize {
    let ends = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                ',' | ';' | '&' | ')' | ']' | '}' | '"' | '\'' | '`' | '<' | '\\'
            )
    };
    text.find(ends).unwrap_or(text.len())
}
