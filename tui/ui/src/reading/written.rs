//! JSON as it is written: where a value ends, and the members of an object, without reading what is in them.

/// The value of a member of an object as it is written, found without reading what is around it.
#[must_use]
pub fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    members(object)
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// The members of an object as they are written: keys without their quotes, escapes and all. Ends at a mistake.
pub fn members(object: &str) -> impl Iterator<Item = (&str, &str)> {
    let bytes = object.as_bytes();
    let mut at = object.find('{').map_or(bytes.len(), |at| at + 1);
    std::iter::from_fn(move || {
        let blank = |b: &&u8| b.is_ascii_whitespace() || **b == b',';
        at += bytes[at..].iter().take_while(blank).count();
        let value = value_of_member(bytes, at)?;
        let end = end_of(bytes, value)?;
        let key = token(object, at);
        at = end;
        Some((key.get(1..key.len() - 1)?, &object[value..end]))
    })
}

/// A string, number, word, or whole list or object.
pub fn token(text: &str, at: usize) -> &str {
    let end = end_of(text.as_bytes(), at).unwrap_or(text.len());
    &text[at..end]
}

/// Where the value of a member begins whose key begins here.
pub fn value_of_member(bytes: &[u8], key: usize) -> Option<usize> {
    if bytes.get(key) != Some(&b'"') {
        return None;
    }
    let blanks = |at: usize| {
        bytes[at..]
            .iter()
            .take_while(|b| b.is_ascii_whitespace())
            .count()
    };
    let end = end_of_string(bytes, key)?;
    let colon = end + blanks(end);
    let after = colon + 1;
    (bytes.get(colon) == Some(&b':')).then(|| after + blanks(after))
}

/// Where a value ends that begins here.
pub fn end_of(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => end_of_string(bytes, at),
        b'{' | b'[' => end_of_brackets(bytes, at),
        _ => {
            let ends = |b: &u8| matches!(b, b',' | b'}' | b']' | b':' | b'"' | b'{' | b'[');
            let word = bytes[at..]
                .iter()
                .take_while(|b| !ends(b) && !b.is_ascii_whitespace());
            let length = word.count();
            (length > 0).then_some(at + length)
        }
    }
}

fn end_of_string(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += bytes
            .get(at..)?
            .iter()
            .position(|b| matches!(b, b'"' | b'\\'))?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn end_of_brackets(bytes: &[u8], at: usize) -> Option<usize> {
    let (mut at, mut depth) = (at, 0_usize);
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = end_of_string(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}
