//! Cards of five lines that explain the first step, the first outcome and the first commit, each once. They stand
//! below the screen, so that they cover nothing. Where it is kept which ones a person has seen is left to the binary.

use crate::text::{clean, fit, plural};
use crate::{Screen, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Widget};
use wb_core::command::Command;
use wb_core::state::State;
use wb_core::step::{At, Stepper};
use wb_core::work::{Outcome, Route};

/// Rows of a card: its title and five lines.
const HEIGHT: u16 = 6;
/// Rows that the screen above it keeps at least.
const SCREEN: u16 = 14;
/// Columns that its lines need.
const COLUMNS: u16 = 76;

/// One card.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Card {
    Step,
    Outcome,
    Commit,
}

impl Card {
    /// The one that explains most comes last.
    const ALL: [Self; 3] = [Self::Step, Self::Outcome, Self::Commit];

    const fn name(self) -> &'static str {
        match self {
            Self::Step => "first-step",
            Self::Outcome => "first-outcome",
            Self::Commit => "first-commit",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Step => " Your first step ",
            Self::Outcome => " Your first outcome ",
            Self::Commit => " Your first commit ",
        }
    }

    /// Whether what it explains is on screen.
    fn applies(self, ui: &Ui, state: &State) -> bool {
        let step = state.step.as_ref();
        let open = step.filter(|_| ui.screen == Screen::Task);
        match self {
            Self::Step => open.is_some_and(|step| step.at < At::Outcome),
            Self::Outcome => open.is_some_and(Stepper::can_commit),
            Self::Commit => {
                let commit = state.commit.as_ref();
                let written = commit.is_some_and(|c| c.ended.is_some() && c.done > 0);
                written && step.is_none_or(|step| step.at == At::Committed)
            }
        }
    }

    fn lines(self, state: &State) -> [String; 5] {
        match self {
            Self::Step => [
                "A step stops before the agent is called, once its inputs are here.",
                "Each line of the timeline is one thing that the agent gets or does.",
                "{key:Left} {key:Right} choose a line; the pane beside it shows what it holds.",
                "{key:StepOn} does the next step, {key:ToEnd} runs to the outcome.",
                "Stepping only reads: nothing is written until you commit.",
            ]
            .map(str::to_owned),
            Self::Outcome => [
                outcome_line(state),
                "{key:NextTab} switches between the value, the labels, the picture and the log.".into(),
                "{key:Accept} holds the outcome for review, {key:Discard} discards it.".into(),
                match state.options.read_only {
                    true => "{key:Review} lists what is held. DRY-RUN: this process cannot commit it.",
                    false => "{key:Review} lists what is held; {key:CommitTask} commits this task, and asks first.",
                }
                .into(),
                "Nothing has been written so far.".into(),
            ],
            Self::Commit => [
                commit_line(state),
                "The journal has what was there before: {key:UndoLast} shows what an undo would".into(),
                "restore, then asks. {key:Journal} lists every operation from this folder.".into(),
                "Next: {key:RunSome} on Flow runs 50 tasks of the stage and holds every write.".into(),
                "Or change an agent and build it: the new build is active a moment later.".into(),
            ],
        }
    }
}

/// What the agent would write, and where the task would go.
fn outcome_line(state: &State) -> String {
    let outcome = state.step.as_ref().and_then(|step| step.result.as_ref());
    let Some(Ok(outcome)) = outcome else {
        return String::new();
    };
    let labels = match outcome.patch.counts() {
        (0, 0, 0) => "no label changes".to_owned(),
        (added, changed, removed) => format!("labels +{added} ~{changed} -{removed}"),
    };
    format!("The agent has finished: {labels}, and {}.", route(outcome))
}

fn route(outcome: &Outcome) -> String {
    match &outcome.way {
        Route::Stay => "the task stays at its stage".to_owned(),
        Route::Pathway { name, .. } => format!("the task takes \"{}\"", fit(&clean(name), 20)),
        Route::Stage { title, .. } => format!("the task moves to \"{}\"", fit(&clean(title), 20)),
    }
}

fn commit_line(state: &State) -> String {
    let done = state.commit.as_ref().map_or(0, |commit| commit.done);
    let was = if done == 1 { "was" } else { "were" };
    format!("{} {was} written.", plural(done, "task"))
}

/// Which cards a person has seen, and the one that is shown.
#[derive(Debug, Default)]
pub struct Cards {
    /// `None`: no cards.
    seen: Option<Vec<String>>,
    shown: Option<Card>,
    /// Something was seen that the binary does not know of yet.
    news: bool,
}

impl Cards {
    /// Those that are not among `seen` are still to come; `None`: no cards.
    pub const fn new(seen: Option<Vec<String>>) -> Self {
        Self {
            seen,
            shown: None,
            news: false,
        }
    }
}

impl Ui {
    /// The cards that were seen, when there are new ones among them.
    pub fn take_seen_cards(&mut self) -> Option<Vec<String>> {
        let news = std::mem::take(&mut self.cards.news);
        self.cards.seen.clone().filter(|_| news)
    }

    /// All cards are shown once more.
    pub(crate) fn show_cards_again(&mut self) -> Vec<Command> {
        self.cards = Cards {
            seen: Some(Vec::new()),
            shown: None,
            news: true,
        };
        self.notice = Some("the first step, outcome and commit are explained again".into());
        Vec::new()
    }

    /// Closes the card that is shown; whether there was one.
    pub(crate) fn close_card(&mut self) -> bool {
        self.cards.shown.take().is_some()
    }

    /// Shows the card that applies now and was not seen yet; one that no longer applies is over.
    pub(crate) fn follow_cards(&mut self, state: &State) {
        let stays = |card: &Card| card.applies(self, state);
        let shown = self.cards.shown.filter(stays);
        let room = self.room.w >= COLUMNS && self.room.h >= SCREEN + HEIGHT + 3;
        let next = Card::ALL.into_iter().rev().find(|card| {
            let seen = self.cards.seen.as_ref();
            let new = seen.is_some_and(|seen| seen.iter().all(|name| name != card.name()));
            room && new && card.applies(self, state)
        });
        if let (Some(card), Some(seen)) = (next, &mut self.cards.seen) {
            seen.push(card.name().to_owned());
            self.cards.news = true;
        }
        self.cards.shown = next.or(shown);
    }

    /// The title and the lines of a card that has just come up, and closes it: for linear mode.
    pub(crate) fn read_card(&mut self, state: &State) -> Option<Vec<String>> {
        let card = self.cards.shown.take()?;
        let lines = card.lines(state).map(|text| self.keyed(&text));
        let title = format!("{}:", card.title().trim());
        Some(std::iter::once(title).chain(lines).collect())
    }

    /// Draws the card below the screen; gives the room that is left.
    pub(crate) fn draw_card(&self, buf: &mut Buffer, area: Rect, state: &State) -> Rect {
        let Some(card) = self.cards.shown.filter(|_| area.height > HEIGHT) else {
            return area;
        };
        let height = Constraint::Length(HEIGHT);
        let [above, below] = Layout::vertical([Constraint::Fill(1), height]).areas(area);
        let esc = format!(" {} closes this ", self.key_of(crate::Action::Out));
        let block = Block::new()
            .borders(Borders::TOP)
            .border_style(self.st.focus)
            .title_top(Line::styled(card.title(), self.st.title))
            .title_top(Line::styled(esc, self.st.dim).right_aligned());
        let inner = block.inner(below);
        block.render(below, buf);
        let lines = card.lines(state).map(|text| {
            let mut line = self.keyed_line(&text);
            line.spans.insert(0, " ".into());
            line
        });
        crate::widgets::lines(buf, inner, &lines, 0);
        above
    }
}
