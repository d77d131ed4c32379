//! Checkpoints: named values that a person can look at, and edit, while the workbench holds the task there.
//!
//! What an attempt is, and how its thread finds it, is left to `current`; holding to the workbench.

use super::current::{call_source, note_checkpoint};
use crate::error::{Error, Result};
use crate::wire::Pause;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Write};

/// Longest value of a step in the outcome, in bytes.
const SHOWN: usize = 4 << 10;

/// Shows a named value on the Task screen, where a person who steps the task can stop and edit it. Gives the value
/// back, edited or not.
///
/// ```
/// use agent_abi::prelude::*;
/// # fn main() -> Result<()> {
/// let scores = checkpoint("scores", &vec![0.9, 0.4])?;
/// assert_eq!(scores, [0.9, 0.4]);
/// # Ok(()) }
/// ```
/// It may be called from any thread of the agent. It costs a few microseconds where nobody steps and no pause point
/// asks for it, and waits while a person holds the task there; the attempt's time limit stands still meanwhile. An edited value that does not fit the
/// type is refused with the reason in the log, and the task stays held. Outside of the workbench, as in
/// tests, the value comes back at once.
///
/// # Errors
/// The attempt is to stop, or the value cannot be written as JSON.
#[track_caller]
pub fn checkpoint<T>(name: &str, value: &T) -> Result<T::Owned>
where
    T: ToOwned + Serialize + ?Sized,
    T::Owned: DeserializeOwned,
{
    let mut shown = Bounded::default();
    let written = serde_json::to_writer(&mut shown, value);
    if let Err(error) = written
        && !shown.full
    {
        return Err(Error::new(format!("checkpoint \"{name}\": {error}")).permanent());
    }
    note_checkpoint(name, shown.text());
    let Some(true) = call_source(|source| source.pauses()) else {
        return Ok(value.to_owned());
    };
    let mut json = shown.bytes;
    if shown.full {
        json.clear();
        serde_json::to_writer(&mut json, value).map_err(Error::new)?;
    }
    let mut at = Pause::new("checkpoint", name);
    loop {
        let edited = match call_source(|source| source.pause(&at, &json)) {
            None | Some(Ok(None)) => return Ok(value.to_owned()),
            Some(Ok(Some(edited))) => edited,
            Some(Err(why)) => return Err(Error::stopped(&why)),
        };
        match serde_json::from_str(&edited) {
            Ok(back) => {
                note_checkpoint(name, format!("edited to {edited}"));
                return Ok(back);
            }
            Err(error) => {
                log::error!("checkpoint \"{name}\": the edited value does not fit: {error}");
                at = Pause::new("refused", name);
            }
        }
    }
}

/// The beginning of a JSON text.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    /// There was more.
    full: bool,
}

impl Bounded {
    /// A text without its quotes, anything else as it is.
    fn text(&self) -> String {
        if !self.full
            && let Ok(text) = serde_json::from_slice(&self.bytes)
        {
            return text;
        }
        let mut text = String::from_utf8_lossy(&self.bytes).into_owned();
        if self.full {
            text.push('…');
        }
        text
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = (SHOWN - self.bytes.len()).min(bytes.len());
        if room == 0 && !bytes.is_empty() {
            self.full = true;
            return Err(io::ErrorKind::WriteZero.into()); // nobody reads on
        }
        self.bytes.extend_from_slice(&bytes[..room]);
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_short_value_is_shown_as_a_person_reads_it_and_a_long_one_is_cut() {
        let shown = |value: &Value| {
            let mut shown = Bounded::default();
            let done = serde_json::to_writer(&mut shown, value).is_ok();
            (done, shown.text())
        };
        assert_eq!(shown(&"41.5".into()), (true, "41.5".into()));
        let list = serde_json::json!([1, {"a": null}]);
        assert_eq!(shown(&list), (true, r#"[1,{"a":null}]"#.into()));
        let (done, text) = shown(&"x".repeat(SHOWN).into());
        assert!(!done && text.len() <= SHOWN + 3 && text.ends_with('…'));
    }
}
