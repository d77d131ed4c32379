//! "Did you mean": the nearest names to one that is not there.

/// ` Did you mean "Car"?`, or what there is, or nothing.
pub fn hint<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match (nearest(wrong, known.iter().copied()), known.len()) {
        (Some(name), _) => format!(" Did you mean \"{name}\"?"),
        (None, 0) => " There are none.".to_owned(),
        (None, n) => {
            let shown: Vec<String> = known
                .iter()
                .take(8)
                .map(|name| format!("\"{name}\""))
                .collect();
            let more = if n > 8 {
                format!(" and {} more", n - 8)
            } else {
                String::new()
            };
            format!(" There are {}{more}.", shown.join(", "))
        }
    }
}

/// The name that was most likely meant, when one is near enough; case does not matter.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let low = wrong.to_lowercase();
    let distance = |name: &str| edit_distance(&low, &name.to_lowercase());
    let near = known.into_iter().map(|name| (distance(name), name));
    let near = near.filter(|(d, name)| *d <= name.chars().count().max(3) / 3);
    near.min().map(|(_, name)| name)
}

/// Edits from one text to the other, in characters (Levenshtein).
#[must_use]
pub fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let change = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_and_else_all_of_them() {
        assert_eq!(hint("car", ["Person", "Car"]), " Did you mean \"Car\"?");
        assert_eq!(
            hint("Wether", ["Weather", "Notes"]),
            " Did you mean \"Weather\"?"
        );
        assert_eq!(
            hint("zebra", ["Car", "Person"]),
            " There are \"Car\", \"Person\"."
        );
        assert_eq!(hint("x", []), " There are none.");
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }
}
