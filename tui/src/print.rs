//! Words on stdout and stderr. A reader that goes away (`… | head`) is no bug and ends no work: what it
//! would have read is dropped. Progress bars and the screen draw for themselves.

use std::fmt::Arguments;
use std::io::Write;

/// A line on stdout.
macro_rules! say {
    ($($words:tt)*) => {{ let _ = $crate::print::say(format_args!($($words)*)); }};
}

/// A line on stderr, for people.
macro_rules! tell {
    () => { $crate::print::tell(format_args!("")) };
    ($($words:tt)*) => { $crate::print::tell(format_args!($($words)*)) };
}

/// A line on stdout; false when nobody reads any more, so that a command that only looks may end.
pub fn say(words: Arguments<'_>) -> bool {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{words}").is_ok()
}

/// Text on stdout that ends its lines itself.
pub fn text(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// What [`tell!`] does.
pub fn tell(words: Arguments<'_>) {
    let _ = writeln!(std::io::stderr().lock(), "{words}");
}
