//! What a person sees of the workbench while its window is not in front: the window's title, the progress on its tab, and
//! a bell with a notification when long work is over. What the terminal cannot take is not sent; all of it is undone when
//! the terminal is given back.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wb_core::ids::Millis;
use wb_core::state::State;
use wb_core::text::clean;
use wb_engine::config::Config;
use wb_ui::text::{number, plural};

/// LongWork that takes so long is announced, unless a setting has another time.
const LONG: Duration = Duration::from_secs(10);

/// Whether title or progress were set since the terminal was taken.
static USED: AtomicBool = AtomicBool::new(false);

/// Remembers the window's title, so that [`reset`] brings it back.
pub const BEGIN: &str = "\x1b[22;2t";

/// What is owed to the terminal when it is given back: its title, and no progress.
pub fn reset() -> &'static str {
    match USED.swap(false, Ordering::Relaxed) {
        true => "\x1b]9;4;0\x07\x1b[23;2t",
        false => "\x1b[23;2t",
    }
}

/// How a terminal shows a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Popup {
    None,
    Osc9,
    Osc777,
}

/// What takes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LongWork {
    Run(u64),
    Commit,
    Build(Millis),
}

/// What was sent last, and what is under way.
pub struct Notifier {
    popup: Popup,
    tab: bool,
    after: Duration,
    command: Option<String>,
    work: Option<(LongWork, Millis)>,
    title: String,
    progress: Option<u8>,
}

impl Notifier {
    /// As the settings and the environment have it.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let command = config.notify.as_ref().map(|notify| notify.value.clone());
        let after = config.notify_after.as_ref();
        Self::with(
            |name| std::env::var(name).ok(),
            command,
            after.map(|after| after.value),
        )
    }

    fn with(
        var: impl Fn(&str) -> Option<String>,
        command: Option<String>,
        after: Option<Duration>,
    ) -> Self {
        let has = |name: &str| var(name).is_some_and(|value| !value.is_empty());
        let program = var("TERM_PROGRAM").unwrap_or_default();
        let term = var("TERM").unwrap_or_default();
        // What a multiplexer does not know it does not pass on.
        let inside = has("TMUX") || has("STY");
        let osc9 = matches!(program.as_str(), "iTerm.app" | "WezTerm" | "ghostty")
            || term.contains("kitty");
        let osc777 = has("VTE_VERSION") || term.starts_with("foot") || term.starts_with("rxvt");
        Self {
            popup: match (inside, osc9, osc777) {
                (true, ..) | (_, false, false) => Popup::None,
                (_, true, _) => Popup::Osc9,
                (_, _, true) => Popup::Osc777,
            },
            // The terminals that cargo sends it to.
            tab: !inside
                && (matches!(program.as_str(), "WezTerm" | "ghostty")
                    || has("WT_SESSION")
                    || var("ConEmuANSI").is_some_and(|value| value == "ON")),
            after: after.unwrap_or(LONG),
            command,
            work: None,
            title: String::new(),
            progress: None,
        }
    }

    /// What is to be written to the terminal now.
    pub fn look(&mut self, title: &str, state: &State) -> String {
        let mut out = String::new();
        let title = clean(title);
        if self.title != title {
            self.title = title.into_owned();
            USED.store(true, Ordering::Relaxed);
            out.push_str(&format!("\x1b]2;{}\x07", self.title));
        }
        let progress = run_percent(state);
        if self.tab && progress != self.progress {
            self.progress = progress;
            USED.store(true, Ordering::Relaxed);
            out.push_str(&match progress {
                Some(percent) => format!("\x1b]9;4;1;{percent}\x07"),
                None => "\x1b]9;4;0\x07".to_owned(),
            });
        }
        if let Some(text) = self.over(state) {
            out.push_str(&self.popup(&text));
            self.run_command(&text);
        }
        out
    }

    /// The same for lines: nothing but a bell and the command.
    pub fn look_at(&mut self, state: &State) -> bool {
        let Some(text) = self.over(state) else {
            return false;
        };
        self.run_command(&text);
        true
    }

    /// The terminal was used by another program: everything is sent again.
    pub fn forget(&mut self) {
        self.title.clear();
        self.progress = None;
    }

    /// What is to be announced: long work that is over.
    fn over(&mut self, state: &State) -> Option<String> {
        let now = under_way(state);
        let before = self.work;
        if before.map(|(work, _)| work) == now.map(|(work, _)| work) {
            return None;
        }
        self.work = now;
        let (work, since) = before?;
        let took = Duration::from_millis(state.now.since(since));
        (took >= self.after).then(|| ended(work, state))
    }

    fn popup(&self, text: &str) -> String {
        let text = clean(text).replace(';', ",");
        match self.popup {
            Popup::None => "\x07".to_owned(),
            Popup::Osc9 => format!("\x07\x1b]9;workbench: {text}\x07"),
            Popup::Osc777 => format!("\x07\x1b]777;notify;workbench;{text}\x07"),
        }
    }

    /// Runs the command of the settings, which nobody waits for.
    fn run_command(&self, text: &str) {
        let Some(command) = self
            .command
            .clone()
            .filter(|command| !command.trim().is_empty())
        else {
            return;
        };
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &command, "workbench", text])
            .env("WORKBENCH_NOTICE", text)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // A thread waits, so that no dead process is left.
        let run = move || match shell.status() {
            Ok(status) if status.success() => {}
            Ok(status) => tracing::warn!(%status, command, "the notify command failed"),
            Err(error) => tracing::warn!(%error, command, "the notify command did not start"),
        };
        let started = std::thread::Builder::new()
            .name("wb-notify".into())
            .spawn(run);
        if let Err(error) = started {
            tracing::warn!(%error, "no thread for the notify command");
        }
    }
}

fn under_way(state: &State) -> Option<(LongWork, Millis)> {
    if let Some(run) = state.run.as_ref().filter(|run| !run.is_over()) {
        return Some((LongWork::Run(run.id), run.started));
    }
    if state
        .commit
        .as_ref()
        .is_some_and(|commit| commit.ended.is_none())
    {
        // It has no time of its own: from when it is first seen.
        return Some((LongWork::Commit, state.now));
    }
    let build = state
        .compiling
        .as_ref()
        .filter(|build| build.failed.is_none())?;
    Some((LongWork::Build(build.since), build.since))
}

fn ended(work: LongWork, state: &State) -> String {
    let run = state.run.as_ref();
    match work {
        LongWork::Run(id) => run.filter(|run| run.id == id).map_or_else(
            || format!("run {id} is over"),
            |run| {
                let tasks = plural(usize::try_from(run.totals.tasks).unwrap_or(0), "task");
                format!(
                    "run {id} is over: {tasks}, {} failed",
                    number(run.totals.failed)
                )
            },
        ),
        LongWork::Commit => state.commit.as_ref().map_or_else(
            || "the commit is over".to_owned(),
            |commit| format!("{} of {} written", commit.done, commit.asked),
        ),
        LongWork::Build(_) if state.compiling.is_some() => "the agents did not compile".to_owned(),
        LongWork::Build(_) => "the agents are compiled".to_owned(),
    }
}

/// How far the run is, 0 to 100.
fn run_percent(state: &State) -> Option<u8> {
    let run = state.run.as_ref().filter(|run| !run.is_over())?;
    let all = state.run_expects(run).filter(|all| *all > 0)?;
    u8::try_from((run.decided() * 100 / all).min(100)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(vars: &[(&str, &str)]) -> Notifier {
        let var = |name: &str| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Notifier::with(var, None, None)
    }

    #[test]
    fn terminals_get_what_they_can_take() {
        let plain = on(&[("TERM", "xterm-256color")]);
        assert_eq!(plain.popup("done"), "\x07");
        assert!(!plain.tab);
        let ghostty = on(&[("TERM_PROGRAM", "ghostty")]);
        assert_eq!(ghostty.popup("a;b\x1b"), "\x07\x1b]9;workbench: a,b\x07");
        assert!(ghostty.tab);
        let foot = on(&[("TERM", "foot")]);
        assert_eq!(foot.popup("x"), "\x07\x1b]777;notify;workbench;x\x07");
        let tmux = on(&[("TERM_PROGRAM", "WezTerm"), ("TMUX", "/tmp/x")]);
        assert!(!tmux.tab && tmux.popup("x") == "\x07");
    }

    #[test]
    fn only_long_work_is_announced_and_once() {
        let mut notifier = on(&[]);
        let (mut state, _) = State::start(wb_core::state::Options::default(), Millis(1_000));
        state.compiling = Some(wb_core::state::Compiling {
            since: Millis(1_000),
            ..Default::default()
        });
        assert_eq!(notifier.over(&state), None);
        state.now = Millis(9_000);
        let building = state.compiling.take();
        assert_eq!(notifier.over(&state), None, "eight seconds are short");
        state.compiling = building;
        assert_eq!(notifier.over(&state), None);
        state.now = Millis(11_000);
        state.compiling = None;
        assert_eq!(
            notifier.over(&state).as_deref(),
            Some("the agents are compiled")
        );
        assert_eq!(notifier.over(&state), None);
    }
}
