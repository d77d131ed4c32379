//! How numbers of things are written: `104,212`, `1 task`, `3 priorities`. Durations and sizes are left to the screen.

/// `104,212`.
#[must_use]
pub fn number(n: impl TryInto<u64>) -> String {
    let digits = n.try_into().unwrap_or(u64::MAX).to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `1 task`, `3 tasks`.
#[must_use]
pub fn plural(n: impl TryInto<u64>, one: &str) -> String {
    counted(n, one, &format!("{one}s"))
}

/// `1 priority`, `3 priorities`.
#[must_use]
pub fn counted(n: impl TryInto<u64>, one: &str, many: &str) -> String {
    let n = n.try_into().unwrap_or(u64::MAX);
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_not_named_as_many() {
        assert_eq!(number(1_234_567_u64), "1,234,567");
        assert_eq!(number(12_u64), "12");
        assert_eq!(plural(0_usize, "task"), "0 tasks");
        assert_eq!(plural(1_u64, "task"), "1 task");
        assert_eq!(
            counted(1_200_usize, "priority", "priorities"),
            "1,200 priorities"
        );
    }
}
