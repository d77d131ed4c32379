//! Secrets in text from outside: signed addresses, addresses with a password, values of headers and variables
//! that hold a key, and the keys in this program's environment.
//!
//! Documents of the platform have them taken out before they reach a file ([`of_document`] is for those that
//! cannot be parsed). Texts of agents are cleaned where they leave the host, the program's own log where it is
//! written ([`clean`]).

mod known;
mod named;
mod value;

use std::borrow::Cow;
use std::sync::OnceLock;

/// Shortest value of the environment that is taken out of every text, in bytes: a shorter one cannot be a key.
const SHORTEST: usize = 10;
static VALUES: OnceLock<Vec<String>> = OnceLock::new();

/// From now on [`clean`] takes out what these environment variables hold, if they have secret names:
/// agents inherit most of them, and may repeat their values anywhere. The first call counts.
pub fn mask(environment: impl Iterator<Item = (String, String)>) {
    let secret = environment.filter(|(name, _)| named::is_variable(name));
    let mut values: Vec<String> = secret.flat_map(|(_, value)| spellings(&value)).collect();
    // A value may be a part of another.
    values.sort_unstable_by_key(|value| std::cmp::Reverse(value.len()));
    let _ = VALUES.set(values);
}

/// Each line of a value as it stands, as it is quoted, and as it stands in an address.
fn spellings(value: &str) -> Vec<String> {
    let value = value.trim();
    let a_path = value.starts_with('/') && !value.contains('\n');
    let lines = value.lines().map(str::trim);
    // `-----BEGIN PRIVATE KEY-----` is not a secret.
    let lines = lines.filter(|l| l.len() >= SHORTEST && !a_path && !l.starts_with("--"));
    let mut all = Vec::new();
    for line in lines {
        let quoted = format!("{line:?}");
        let in_address: String = (line.bytes())
            .map(
                |b| match b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
                    true => char::from(b).to_string(),
                    false => format!("%{b:02X}"),
                },
            )
            .collect();
        all.extend([line, quoted.trim_matches('"'), &in_address].map(str::to_owned));
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// The text without these values.
fn without<'t>(text: &'t str, values: &[String]) -> Cow<'t, str> {
    let mut out = Cow::Borrowed(text);
    for value in values {
        if out.contains(value.as_str()) {
            out = Cow::Owned(out.replace(value.as_str(), named::GONE));
        }
    }
    out
}

/// What the name of a parameter contains that makes an address worth keeping to oneself.
const SIGNS: [&str; 9] = [
    "sig",
    "seal",
    "token",
    "secret",
    "credential",
    "passw",
    "auth",
    "key",
    "policy",
];
/// Values that are secrets whatever they look like.
const NAMES: [&str; 2] = ["signedUrl", "signed_url"];

/// Whether the value of this name is a signed address.
#[must_use]
pub fn is_signed(name: &str) -> bool {
    NAMES.contains(&name)
}

/// An address without its query; any other text as it is.
#[must_use]
pub fn address(text: &str) -> &str {
    match text.contains("://") {
        true => text.find('?').map_or(text, |at| &text[..at]),
        false => text,
    }
}

/// A text without secrets: no values of the environment that [`mask`] was given, no values of headers, variables and
/// parameters with secret names (`authorization`, `x-api-key`, `cookie`, `MODEL_KEY`, `?key=`), no token after `Bearer`,
/// no keys of well-known shapes, and each address without a query that signs it and without a password.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    let text = then(Cow::Borrowed(text), |text| {
        without(text, VALUES.get().map_or(&[], Vec::as_slice))
    });
    then(then(text, named::clean), addresses)
}

/// The same for a line of which those before were cleaned already: a dump of headers may have a value on the line below
/// its name. `before` is the last of them.
#[must_use]
pub fn clean_after<'t>(before: &str, line: &'t str) -> Cow<'t, str> {
    let name = before.trim_end();
    if name.ends_with([',', ':', '=', '(', '>']) {
        let both = format!("{name}\n{line}");
        if let Cow::Owned(cleaned) = clean(&both)
            && let Some(rest) = cleaned.strip_prefix(name)
        {
            return Cow::Owned(rest.trim_start_matches('\n').to_owned());
        }
    }
    clean(line)
}

/// Cleans what a step before left.
fn then(text: Cow<'_, str>, step: impl Fn(&str) -> Cow<'_, str>) -> Cow<'_, str> {
    match step(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(cleaned) => Cow::Owned(cleaned),
    }
}

fn addresses(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut left = text;
    while let Some(at) = left.find("://") {
        let (before, rest) = left.split_at(at + "://".len());
        let end = rest.find(ends_an_address).unwrap_or(rest.len());
        // In a quoted text of a quoted text the quote has a backslash before it.
        let end = rest[..end].trim_end_matches('\\').len();
        out.push_str(before);
        push_address(&mut out, &rest[..end]);
        left = &rest[end..];
    }
    out.push_str(left);
    Cow::Owned(out)
}

fn ends_an_address(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '`' | '<' | '>')
}

/// What follows `://`.
fn push_address(out: &mut String, address: &str) {
    let host = address.find(['/', '?', '#']).unwrap_or(address.len());
    let (user, rest) = match address[..host].rfind('@') {
        Some(at) => (Some(&address[..at]), &address[at..]),
        None => (None, address),
    };
    match user {
        Some(user) if user.contains(':') => out.push('…'),
        user => out.push_str(user.unwrap_or_default()),
    }
    // A token may stand behind the mark of a fragment too.
    let query = rest.find(['?', '#']).unwrap_or(rest.len());
    let (path, query) = rest.split_at(query);
    out.push_str(path);
    match signs(query) {
        true => out.extend([&query[..1], "…"]),
        false => out.push_str(query),
    }
}

fn signs(query: &str) -> bool {
    let low = query.to_ascii_lowercase().replace("\\u0026", "&");
    let names = low.split(['?', '&', ';', '#']);
    let mut names = names.filter_map(|parameter| parameter.split_once('='));
    names.any(|(name, _)| SIGNS.iter().any(|sign| name.contains(sign)))
}

/// A JSON document that is nested too deep to be parsed, or none at all, without anything that may be a
/// secret: every address loses its query, whatever it stands for. Nothing else of it changes.
#[must_use]
pub fn of_document(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut name = String::new();
    let mut left = json;
    while let Some(at) = left.find('"') {
        let (before, rest) = left.split_at(at + 1);
        out.push_str(before);
        let end = end_of_string(rest);
        let raw = &rest[..end];
        let text = unescaped(raw);
        left = &rest[end..];
        let after = left.strip_prefix('"').unwrap_or_default();
        if after.trim_start().starts_with(':') {
            out.push_str(raw);
            name = text.into_owned();
        } else if is_signed(&name) {
            name.clear();
        } else {
            match address(&text) {
                kept if kept.len() == text.len() => out.push_str(raw),
                kept => out.push_str(serde_json::json!(kept).to_string().trim_matches('"')),
            }
            name.clear();
        }
        let quote = left.len().min(1);
        out.push_str(&left[..quote]);
        left = &left[quote..];
    }
    out.push_str(left);
    out
}

/// Where the string ends whose first quote was passed.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    let quote = text.bytes().position(|b| {
        let ends = b == b'"' && !escaped;
        escaped = b == b'\\' && !escaped;
        ends
    });
    quote.unwrap_or(text.len())
}

/// The text of a string as it stands in JSON; one that is not well formed as far as it matters here.
fn unescaped(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let parsed = serde_json::from_str(&format!("\"{raw}\""));
    Cow::Owned(parsed.unwrap_or_else(|_| {
        let slashes = raw.replace("\\/", "/").replace("\\u002f", "/");
        let slashes = slashes.replace("\\u002F", "/").replace("\\u003a", ":");
        let marks = slashes.replace("\\u003A", ":").replace("\\u003f", "?");
        marks.replace("\\u003F", "?")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_addresses_without_what_signs_them() {
        for (text, kept) in [
            (
                "no address, really? a=b&sig=1",
                "no address, really? a=b&sig=1",
            ),
            (
                "cannot get https://h/a.png?X-Amz-Signature=geheim&b=1: 403",
                "cannot get https://h/a.png?…: 403",
            ),
            (
                "two https://h/a?sig=geheim, and http://i/b#access_token=geheim!",
                "two https://h/a?… and http://i/b#…",
            ),
            ("https://h/a?page=2&size=5", "https://h/a?page=2&size=5"),
            (
                "\"https://h/a?x=1\\u0026Token=geheim\"",
                "\"https://h/a?…\"",
            ),
            (
                r#""{\"u\": \"https://h/a?sig=geheim\"}""#,
                r#""{\"u\": \"https://h/a?…\"}""#,
            ),
            ("amqp://me:geheim@h/q", "amqp://…@h/q"),
            ("https://me@h/q?a@b", "https://me@h/q?a@b"),
            ("ends in ://", "ends in ://"),
            ("https://h?ä=ö&ключ=1&KEY=geheim", "https://h?…"),
        ] {
            let shown = clean(text);
            // What closes a sentence may go with the query: it could be part of it.
            let shown = shown.replace("…:", "…");
            assert_eq!(shown, kept.replace("…:", "…").replace("…!", "…"), "{text}");
        }
    }

    #[test]
    fn values_of_the_environment_go_wherever_they_stand() {
        let values = ["sk-geheim-12-long".to_owned(), "sk-geheim-12".to_owned()];
        assert_eq!(
            without("401 for sk-geheim-12-long, sk-geheim-12!", &values),
            "401 for …, …!"
        );
        assert_eq!(without("nothing", &values), "nothing");
    }

    #[test]
    fn values_of_the_environment_go_in_each_spelling() {
        let key = "-----BEGIN PRIVATE KEY-----\n/geheim+geheim==\nge\"heim\"geheim\n-----END PRIVATE KEY-----\n";
        let values = spellings(key);
        for text in [
            key,
            &format!("{key:?}"),
            "?a=%2Fgeheim%2Bgeheim%3D%3D",
            r#"ge\"heim\"geheim"#,
        ] {
            let shown = without(text, &values);
            assert!(!shown.contains("geheim") && shown.contains('…'), "{shown}");
        }
        assert!(spellings("/etc/keys/model.pem").is_empty());
        assert!(spellings("short").is_empty());
    }

    #[test]
    fn a_value_on_the_line_below_its_name_goes() {
        for (before, line, kept) in [
            ("    \"x-api-key\",", "    \"geheim\",", "    \"…\","),
            (
                "    name: \"authorization\",",
                "    value: \"geheim\",",
                "    value: \"…\",",
            ),
            ("    \"accept\",", "    \"*/*\",", "    \"*/*\","),
            ("authorization: …", "host: h", "host: h"),
            ("done,", "x-api-key: geheim", "x-api-key: …"),
        ] {
            assert_eq!(clean_after(before, line), kept);
        }
    }

    #[test]
    fn a_document_that_cannot_be_parsed_loses_every_query_and_nothing_else() {
        let deep = format!("{}1{}", "[".repeat(3000), "]".repeat(3000));
        let with =
            |link: &str| format!(r#"{{"deep": {deep}, "data_link": "{link}", "b" : [ 1.50 ]}}"#);
        assert_eq!(
            of_document(&with("https://h/a.png?X-Sig=geheim")),
            with("https://h/a.png")
        );
        for link in [
            r"https:\/\/h\/a?X-Sig=geheim",
            r"https:\u002f\u002Fh/a\u003fX-Sig=geheim",
            r"https://h/\ud800?X-Sig=geheim",
            r#"https://h/\"quoted\"?X-Sig=geheim"#,
            "https://h/a?X-Sig=geheim\\",
        ] {
            let kept = of_document(&with(link));
            assert!(!kept.contains("geheim") && kept.contains("1.50"), "{kept}");
        }
        for name in NAMES {
            for text in [
                format!(r#"{{"{name}" : "/a?geheim", "c": {deep}}}"#),
                format!(r#"{{"{name}":"geheim""#),
                format!(r#"{{"{name}":"geheim"#),
            ] {
                let kept = of_document(&text);
                assert!(!kept.contains("geheim"), "{kept}");
            }
        }
        for text in ["", "\"", "\\", "{\"a\"", "{\"a\":", "nothing, really?"] {
            assert_eq!(of_document(text), text);
        }
        let plain = with("bucket/really?");
        assert_eq!(of_document(&plain), plain);
    }
}
