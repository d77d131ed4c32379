//! What a round of watched tasks came to, in lines of the activity.

use super::*;
use crate::counted::{number, plural};

/// Tasks that differ and are named one by one.
const NAMED: usize = 3;

impl State {
    /// Once every watched task was looked at: those that differ the most, then all in one line.
    pub(super) fn sum_up_watch(&mut self) {
        if !self.watch.unreported || self.watch.pending() > 0 {
            return;
        }
        self.watch.unreported = false;
        let watch = &self.watch;
        let only = watch.len() == 1;
        let named: Vec<&Watched> = match only {
            true => watch.iter().collect(),
            false => watch
                .worst(0)
                .take_while(|task| task.differs())
                .take(NAMED)
                .collect(),
        };
        let mut lines: Vec<(bool, String)> = named
            .into_iter()
            .map(|task| (task.failed(), summary(task)))
            .collect();
        if !only && !watch.is_empty() {
            lines.push((watch.figures().failed > 0, round(watch)));
        }
        for (bad, text) in lines {
            self.note(Kind::Watch, bad, text, None);
        }
    }
}

/// All watched tasks in one line.
fn round(watch: &Watch) -> String {
    let figures = watch.figures();
    let on = watch.newest().filter(|_| figures.ran > 0);
    let on = on.map_or_else(String::new, |build| format!(" on build {build}"));
    let mut text = format!("{}{on}", plural(watch.len(), "task"));
    match (figures.compared, figures.differing) {
        (0, _) if figures.ran > 0 => {
            text.push_str(": the next build is compared with it");
        }
        (0, _) => {}
        (_, 0) => text.push_str(" · none differs"),
        _ => text.push_str(&format!(": {} ({{key:Watching}})", figures.words())),
    }
    if figures.failed > figures.broken {
        text.push_str(&format!(" · {} failed", number(figures.failed)));
    }
    text
}

/// One watched task in one line.
fn summary(task: &Watched) -> String {
    let title = &task.row.title;
    let Some(now) = &task.now else {
        let why = task.error.as_ref().map_or("", |f| f.summary.as_str());
        return format!("{title}: {why}");
    };
    let counts = |result: &WatchResult| {
        let (added, changed, removed) = result.labels;
        format!("+{added} ~{changed} -{removed}")
    };
    let Some(before) = &task.before else {
        return format!(
            "{title}: {}  labels {}  on build {}",
            now.text,
            counts(now),
            now.build
        );
    };
    let pair = |a: String, b: String| if a == b { b } else { format!("{a} → {b}") };
    let way = pair(before.text.to_string(), now.text.to_string());
    let labels = pair(counts(before), counts(now));
    let builds = match task.differs() {
        true => format!("build {} → {}", before.build, now.build),
        false => format!("the same as build {}", before.build),
    };
    format!("{title}: {way}  labels {labels}  {builds}")
}
