//! "Did you mean": the nearest names to one that is not there.

/// ` Did you mean "Car"?`, or what there is, or nothing.
pub fn hint<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let low = wrong.to_lowercase();
    let mut near: Vec<(usize, &str)> = known
        .iter()
        .map(|name| (edit_distance(&low, &name.to_lowercase()), *name))
        .filter(|(d, name)| *d <= (name.chars().count().max(3)) / 3)
        .collect();
    near.sort_unstable();
    match (near.first(), known.len()) {
        (Some((_, name)), _) => format!(" Did you mean \"{name}\"?"),
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
