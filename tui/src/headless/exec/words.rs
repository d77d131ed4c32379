//! What `exec` reports when it is over: input that was not read, the counts, and the command that helps next.

use super::{Counts, Exec};
use crate::exit::Ending;
use std::time::Duration;

/// How long the lines that are left are counted when the command stops.
const COUNTING: Duration = Duration::from_millis(500);

impl Exec {
    /// How much of the input was left when it stopped.
    pub(super) async fn print_unread(&mut self) {
        let (mut unread, mut whole) = (0_u64, false);
        let count = async {
            while let Some(line) = self.lines.recv().await {
                let blank = line.is_ok_and(|line| line.bytes.trim_ascii().is_empty());
                unread += u64::from(!blank);
            }
            whole = true;
        };
        let _ = tokio::time::timeout(COUNTING, count).await;
        let were = if unread == 1 {
            "line was"
        } else {
            "lines were"
        };
        match whole {
            true if unread == 0 => {}
            true => notice!("workbench: {unread} more {were} not read; they have no result"),
            false if unread == 0 => {
                notice!("workbench: the rest of the input was not read; it has no result");
            }
            false => notice!(
                "workbench: the rest of the input was not read (at least {unread} more {}); it has no result",
                if unread == 1 { "line" } else { "lines" }
            ),
        }
    }

    /// The last words.
    pub(super) fn print_counts(&self, ending: &Ending) {
        let Counts {
            done,
            failed,
            left,
            not_run,
        } = self.counts;
        let mut text = match done + failed + left + not_run {
            1 => "1 entry".to_owned(),
            n => format!("{n} entries"),
        };
        for (n, word) in [
            (done, "done"),
            (failed, "failed"),
            (not_run, "not run"),
            (left, "left: others were there first"),
        ] {
            if n > 0 {
                text.push_str(&format!(" · {n} {word}"));
            }
        }
        notice!("{text}");
        let next = match ending.code() {
            1 => "What failed is where it was: mend the agent and give its specs again.",
            5 => {
                "What was left needs no further run here; `workbench tasks` shows where tasks are."
            }
            7 => {
                "Nothing was lost: give the specs without a result again when the platform answers."
            }
            9 => "Stopped by --max-time; give the specs without a result again.",
            _ => {
                if let Some(why) = ending.ended_by() {
                    let begun = match self.batch.given_up {
                        true => "`workbench resume` finishes what had begun to be written",
                        false => "nothing was lost",
                    };
                    notice!("{why}: {begun}; give the specs that have no success again.");
                }
                return;
            }
        };
        notice!("{next}");
    }
}
