//! Request targets, built here because they are signed: nobody may encode them differently later.

use std::fmt::Write;

/// A request target under construction. The path must already be in its final form.
pub(crate) struct Target {
    text: String,
    asked: bool,
}

impl Target {
    pub fn new(path: &str) -> Self {
        Self {
            text: path.to_owned(),
            asked: false,
        }
    }

    /// Adds a query parameter, encoded as Python's `quote_plus` does: a space becomes `+`,
    /// everything but letters, digits and `_.-~` becomes `%XX`.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.push(name, value);
        self
    }

    pub fn push(&mut self, name: &str, value: &str) {
        self.text.push(if self.asked { '&' } else { '?' });
        self.asked = true;
        quote(&mut self.text, name);
        self.text.push('=');
        quote(&mut self.text, value);
    }

    pub fn done(self) -> String {
        self.text
    }
}

fn quote(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            other => {
                let _ = write!(out, "%{other:02X}"); // writing to a String cannot fail
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_of_a_value_can_leave_its_parameter() {
        let every: String = (0_u8..128).map(char::from).chain("é€😀".chars()).collect();
        let target = Target::new("/v2/x").with("q", &every).with("r", "2").done();
        let url = reqwest::Url::parse(&format!("http://h{target}")).unwrap();
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        assert_eq!(
            pairs,
            [("q".to_owned(), every), ("r".to_owned(), "2".to_owned())]
        );
        assert_eq!(format!("{}?{}", url.path(), url.query().unwrap()), target);
    }
}
