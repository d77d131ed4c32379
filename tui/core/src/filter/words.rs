//! A filter's text in words: blanks part them, quotes hold them together. What stands in quotes is text: no
//! operator, no comma and no bar in it counts.
//!
//! A quote opens only where a word or a value begins, so that a quote inside a title needs no care. Inside of
//! quotes `\"` is a quote and `\\` a backslash.

/// A word, and which of its characters were in quotes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Word(Vec<(char, bool)>);

/// Characters after which a value begins.
const BEFORE_VALUES: [char; 7] = [':', '~', '>', '<', '=', ',', '.'];

impl Word {
    /// Its text without the quotes.
    pub(super) fn text(&self) -> String {
        self.0.iter().map(|(c, _)| *c).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is the bar between two terms.
    pub(super) fn is_bar(&self) -> bool {
        self.0 == [('|', false)]
    }

    /// Without an unquoted character at its beginning; `None` when it begins otherwise.
    pub(super) fn strip(&self, first: char) -> Option<Self> {
        match self.0.split_first() {
            Some((&(c, false), rest)) if c == first => Some(Self(rest.to_vec())),
            _ => None,
        }
    }

    /// What stands before, in and after the first run of these characters outside of quotes.
    pub(super) fn split_at_run(&self, of: &[char]) -> Option<(Self, String, Self)> {
        let is = |(c, quoted): &(char, bool)| !quoted && of.contains(c);
        let from = self.0.iter().position(is)?;
        let run = self.0[from..].iter().take_while(|c| is(c)).count();
        let part = |range: &[(char, bool)]| Self(range.to_vec());
        let between = part(&self.0[from..from + run]).text();
        Some((part(&self.0[..from]), between, part(&self.0[from + run..])))
    }

    /// Its values: what commas outside of quotes part.
    pub(super) fn values(&self) -> Vec<String> {
        let parts = self.0.split(|(c, quoted)| *c == ',' && !quoted);
        parts
            .map(|part| part.iter().map(|(c, _)| *c).collect())
            .collect()
    }
}

/// A value as a filter's text has it: in quotes where something in it would count.
pub(super) fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '/');
    let dash = value.starts_with('-');
    if !value.is_empty() && !dash && value.chars().all(plain) {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Splits a filter's text. A quote that is never closed holds the rest, as while somebody types it.
pub(super) fn words(text: &str) -> Vec<Word> {
    let (mut words, mut word) = (Vec::new(), Word::default());
    let mut chars = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted && matches!(chars.peek(), Some('"' | '\\')) => {
                word.0.extend(chars.next().map(|c| (c, true)));
            }
            '"' if quoted => quoted = false,
            c if quoted => word.0.push((c, true)),
            '"' if opens(&word) => quoted = true,
            '|' => words.extend([std::mem::take(&mut word), Word(vec![('|', false)])]),
            c if c.is_whitespace() => words.push(std::mem::take(&mut word)),
            c => word.0.push((c, false)),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a quote after this begins something.
fn opens(word: &Word) -> bool {
    match word.0.as_slice() {
        [] | [('-', false)] => true,
        [.., (c, quoted)] => !quoted && BEFORE_VALUES.contains(c),
    }
}
