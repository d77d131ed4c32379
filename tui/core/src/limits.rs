//! Limits of this machine that a process runs into: files, processes and threads, memory. They are nobody's bug
//! and no agent's fault, and no task can be run while they hold.

use crate::error::{Error, ErrorKind};

/// Texts of the system's errors, the word that a person reads, and what to do.
const LIMITS: [(&[&str], &str, &str); 3] = [
    (
        &["os error 24)", "code: 24,", "os error 23)", "code: 23,"],
        "no more files can be opened",
        "raise the limit: ulimit -n",
    ),
    (
        &["os error 11)", "code: 11,"],
        "no more processes or threads can be started",
        "raise the limit: ulimit -u, or the container's limit of processes",
    ),
    (
        &["os error 12)", "code: 12,"],
        "there is no more memory",
        "run fewer jobs at a time: -j 1",
    ),
];

/// How the panic of a library reads that could not start its thread and does not name that cause: where, and what.
const SILENT: (&str, &str) = ("/notify-", "SendError");

/// The limit that an error of the system speaks of, if it speaks of one. Libraries and panics pass such errors on
/// as text only.
#[must_use]
pub fn reached(error: &str) -> Option<Error> {
    let speaks =
        |(signs, ..): &&(&[&str], &str, &str)| signs.iter().any(|sign| error.contains(sign));
    let silent = error.contains(SILENT.0) && error.contains(SILENT.1);
    let (_, what, hint) = (LIMITS.iter().find(speaks)).or_else(|| silent.then_some(&LIMITS[1]))?;
    let text = format!("a limit of this machine is reached: {what}");
    let error = Error::new(ErrorKind::Settings, text).hint(*hint);
    Some(error.hint("`workbench resume` goes on with what was interrupted"))
}

/// The kind of an error that such an error may be the cause of.
#[must_use]
pub fn kind_of(error: &str, otherwise: ErrorKind) -> ErrorKind {
    reached(error).map_or(otherwise, |error| error.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_show_which_limit_is_reached() {
        let of = |number| std::io::Error::from_raw_os_error(number);
        for (number, word) in [
            (24, "files"),
            (23, "files"),
            (11, "threads"),
            (12, "memory"),
        ] {
            for text in [of(number).to_string(), format!("failed: {:?}", of(number))] {
                let error = reached(&text).unwrap_or_else(|| panic!("{text}"));
                assert!(error.summary.contains(word), "{text}: {error}");
            }
        }
        for number in [2, 28, 111, 112, 113, 124] {
            assert_eq!(reached(&of(number).to_string()), None);
            assert_eq!(reached(&format!("{:?}", of(number))), None);
        }
    }
}
