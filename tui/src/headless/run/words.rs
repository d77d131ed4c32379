//! What a run prints when it is over: groups of failures, figures, and the command that helps next.

use super::Session;
use crate::exit::{Ending, print_error};
use crate::headless::output;
use std::time::Duration;
use wb_core::run::Totals;

impl Session {
    /// What a run that writes nothing could not show.
    fn print_not_followed(&self) {
        if self.not_carried > 0 {
            notice!("{}", output::not_carried(self.not_carried));
        }
        if self.further_unseen > 0 {
            notice!("{}", output::further_unseen(self.further_unseen));
        }
    }

    pub(super) fn finish(&mut self, totals: &Totals, wall: Duration, ending: &mut Ending) {
        self.engine.tick();
        self.progress.outage(self.engine.state());
        self.progress.end();
        let net = self.engine.net();
        for line in output::groups(totals) {
            notice!("{line}");
        }
        self.print_not_followed();
        if !ending.interrupted() {
            self.print_unmet();
        }
        let seconds = wall.as_secs_f64();
        let in_part = self.in_part();
        self.out
            .write(&|| output::summary(totals, in_part, net, seconds));
        if let Err(error) = self.out.end() {
            print_error(&error);
            ending.afterwards(error);
        }
        let project = self
            .engine
            .state()
            .project
            .as_ref()
            .map_or("", |p| p.title.as_str());
        if let Err(error) = self.reports.finish(project, totals, net, seconds, self.dry) {
            print_error(&error);
            ending.afterwards(error);
        }
        notice!("{}", output::sentence(totals, net, seconds, self.dry));
        if in_part > 0 && !self.dry {
            let tasks = match in_part {
                1 => "1 task is".to_owned(),
                n => format!("{n} tasks are"),
            };
            notice!(
                "{tasks} written in part: `workbench resume` finishes them, `workbench undo` takes back what was written."
            );
        }
        let whole = in_part == 0;
        let kept = self.plan.is_some() || self.holds.is_some();
        let next = match ending.code() {
            9 if self.given_up && !self.dry => Some(
                "Stopped by its limit while writes were on their way: `workbench resume` finishes them and goes on.",
            ),
            code => advice(code, self.dry, kept, whole),
        };
        if let (130 | 143 | 129, Some(why)) = (ending.code(), ending.ended_by()) {
            notice!("{why}: {}.", going_on(self.dry));
        }
        if let Some(next) = next {
            notice!("{next}");
        }
        for command in output::retries(totals, &self.again, self.dry) {
            notice!("  {command}");
        }
    }
}

impl Session {
    /// Names of `--task` that no task has.
    fn print_unmet(&self) {
        for named in &self.unmet {
            notice!("{}", named.note());
        }
    }

    /// Tasks of the project that are written in part: a step was refused after others had been written.
    fn in_part(&self) -> usize {
        let (Some(journal), Some(project)) = (self.engine.journal(), &self.engine.state().project)
        else {
            return 0;
        };
        let open = journal.open_entries(project.hash).unwrap_or_default();
        open.iter().filter(|open| open.refused.is_some()).count()
    }
}

/// How an interrupted run goes on.
const fn going_on(dry: bool) -> &'static str {
    match dry {
        true => "nothing was written; run it again for the rest",
        false => "nothing was lost; `workbench resume` goes on",
    }
}

/// The command that helps next; `whole`: no task is written in part.
fn advice(code: u8, dry: bool, plan: bool, whole: bool) -> Option<&'static str> {
    match code {
        0 if dry && !plan => Some("The same without --dry-run writes it."),
        1 if !whole => {
            Some("The other failed tasks are where they were. To run all of them again:")
        }
        1 => Some("Failed tasks are where they were; mend the agent and run them again:"),
        5 => Some(
            "Tasks that others had changed were left; run again to take their labels into account.",
        ),
        6 if !whole => {
            Some("The other tasks are where they were; once the key may write, run again.")
        }
        6 => Some(
            "Nothing was lost: tasks that were not written are where they were; once the key may write, run again.",
        ),
        7 => Some(
            "Nothing was lost: run again when the platform answers; what has begun is finished first.",
        ),
        9 => Some("Stopped by its limit; what is done stays done. Run again for the rest."),
        _ => None,
    }
}
