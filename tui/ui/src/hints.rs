//! The row of hints: the keys that work now, in the pane that has the focus first. Which ones a layer has, is left to the
//! layers.

use crate::actions::{self, Action, Hints, Scope};
use crate::text::width;
use crate::{Screen, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::state::State;

/// Hints: only keys that work now, the rarest dropped first.
pub fn draw(ui: &Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let st = &ui.st;
    let room = usize::from(area.width).saturating_sub(1);
    let mut line = Line::from(" ");
    let mut used = 1;
    let typing = ui.queue.typing.is_some() && ui.screen == Screen::Queue;
    let open = !ui.overlays.is_empty() || typing;
    let all: Hints = match &state.project {
        _ if open => layer_hints(ui, state),
        _ if ui.room.tiny() => Vec::new(),
        None => {
            let all = [Action::Refresh, Action::Messages, Action::Quit];
            actions::hints(ui, state, &all)
        }
        Some(_) => layer_hints(ui, state),
    };
    let always = [Action::Palette, Action::Help];
    let tail = actions::hints(ui, state, if open { &[] } else { &always });
    let with_keys = |hints: Hints| -> Vec<(String, String)> {
        let all = hints.into_iter();
        all.map(|(action, word)| (ui.key_of(action), word.into_owned()))
            .collect()
    };
    let (all, tail) = (with_keys(all), with_keys(tail));
    // A key without a word shares the word of the next one.
    let width_of = |(key, word): &(String, String)| match word.is_empty() {
        true => width(key) + 1,
        false => width(key) + width(word) + 3,
    };
    let tail_w: usize = tail.iter().map(width_of).sum();
    let fitting = all.into_iter().take_while(|hint| {
        used += width_of(hint);
        used + tail_w <= room
    });
    let mut fitting: Vec<_> = fitting.collect();
    fitting.extend(tail);
    for (key, word) in fitting {
        line.push_span(Span::styled(key, st.key));
        let word = if word.is_empty() {
            " ".into()
        } else {
            format!(" {word}  ")
        };
        line.push_span(Span::raw(word));
    }
    buf.set_line(area.x, area.y, &line, area.width);
}

/// What works in the pane that has the focus comes first, where that is not the layer's own.
fn layer_hints(ui: &Ui, state: &State) -> Hints {
    if ui.types_search() {
        return vec![
            (Action::Up, "".into()),
            (Action::Down, "other match".into()),
            (Action::In, "keep".into()),
            (Action::Out, "end the search".into()),
        ];
    }
    let (own, typing) = ui.top(|layer| (layer.hints(ui, state), layer.typing(ui)));
    if typing {
        return own;
    }
    // A search comes first while there is one, else with what is rare.
    let mut first = actions::hints(ui, state, &[Action::NextMatch, Action::PrevMatch]);
    let mut rare = Hints::new();
    // In the queue its key filters tasks, in the workflow stages.
    let filters = ui.filters_stages() || ui.top(|layer| layer.scope()) == Scope::Queue;
    if first.is_empty() && !filters {
        rare = actions::hints(ui, state, &[Action::Search]);
    } else if !first.is_empty() {
        first.push((Action::Out, "end the search".into()));
    }
    if !ui.in_main() && (ui.scrolls() || ui.reads_here()) {
        first.extend([(Action::Up, "".into()), (Action::Down, "scroll".into())]);
    }
    let mut panes = actions::hints(ui, state, &[Action::NextPane, Action::Zoom]);
    if ui.pane_count() < 2 {
        panes.clear();
    }
    let ours = ui.zoomed() || !ui.in_main();
    let (front, back) = if ours {
        (panes, Vec::new())
    } else {
        (Vec::new(), panes)
    };
    first.extend(front);
    let named: Vec<Action> = first.iter().map(|(action, _)| *action).collect();
    let own = own
        .into_iter()
        .filter(|(action, _)| !named.contains(action));
    first.extend(own.chain(back).chain(rare));
    first
}
