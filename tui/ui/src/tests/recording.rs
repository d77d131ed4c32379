//! A session that is written line by line and played again draws the same frames.

use crate::fixture::{NOW, World, library, project, row, stage};
use crate::recording::{
    FORMAT, Played, Player, RecordedEntry, RecordedLine, RecordedScreen, RecordingHeader,
};
use crate::{Theme, Ui, UiSettings};
use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use wb_core::event::{BuildEvent, Event, ListId, Upstream};
use wb_core::ids::Millis;
use wb_core::state::State;

/// A screen, with what is recorded of it.
struct Recorded {
    state: State,
    ui: Ui,
    terminal: Terminal<TestBackend>,
    lines: Vec<String>,
    frames: Vec<Buffer>,
}

impl Recorded {
    fn begin() -> (Self, RecordingHeader) {
        let options = World::empty().state.options;
        let started = Millis(NOW);
        let header = RecordingHeader {
            workbench_recording: FORMAT,
            workbench: "0.0.0".into(),
            started,
            options: options.clone(),
            screen: RecordedScreen {
                size: (120, 36),
                theme: "light".into(),
                unicode: true,
                letters: Some(crate::Letters::default()),
                ..RecordedScreen::default()
            },
        };
        let ui = Ui::new(UiSettings {
            styles: Theme::Light.styles(),
            unicode: true,
            ..UiSettings::default()
        });
        let (state, _) = State::start(options, started);
        let recorded = Self {
            state,
            ui,
            terminal: Terminal::new(TestBackend::new(120, 36)).unwrap(),
            lines: Vec::new(),
            frames: Vec::new(),
        };
        (recorded, header)
    }

    fn write(&mut self, entry: RecordedEntry) {
        let t = self.lines.len() as u64;
        let line = RecordedLine { t, entry };
        self.lines.push(line.to_json().unwrap());
    }

    fn event(&mut self, event: Event) {
        self.write(RecordedEntry::Event(Box::new(event.clone())));
        self.state.update(event);
    }

    fn key(&mut self, code: KeyCode) {
        let input = Input::Key(KeyEvent::new(code, KeyModifiers::NONE));
        self.write(RecordedEntry::Input((&input).into()));
        for command in self.ui.on_event(&input, &self.state) {
            self.event(Event::Input(command));
        }
        self.frame();
    }

    fn frame(&mut self) {
        let area = self.terminal.backend().buffer().area;
        self.write(RecordedEntry::Frame(area.width, area.height));
        let (ui, state) = (&mut self.ui, &self.state);
        self.terminal.draw(|frame| ui.draw(frame, state)).unwrap();
        for request in self.ui.wanted_labels() {
            self.ui.set_labels(request.parse());
        }
        self.frames.push(self.terminal.backend().buffer().clone());
    }
}

fn session() -> (Recorded, RecordingHeader) {
    let (mut session, header) = Recorded::begin();
    session.frame();
    session.event(Event::Upstream(Upstream::Project(project())));
    session.event(Event::Build(BuildEvent::Probed(Box::new(library(1)))));
    let list = session.state.queues.keys().next().copied();
    assert!(list.is_some(), "its stages are known");
    for id in 1..8 {
        session.event(Event::Upstream(Upstream::Page {
            list: ListId::Queue(id),
            stage: stage(1),
            rows: (0..300).map(|i| row(1, i)).collect(),
            next: None,
        }));
    }
    session.event(Event::Tick(Millis(NOW + 5_000)));
    session.frame();
    for key in ['2', 'j', 'j', '/', 'c', 'a', 'm', '1'] {
        session.key(KeyCode::Char(key));
    }
    session.key(KeyCode::Enter);
    session.terminal.backend_mut().resize(80, 24);
    session.frame();
    session.key(KeyCode::PageDown);
    session.key(KeyCode::Char('?'));
    (session, header)
}

#[test]
fn a_recorded_session_draws_the_same_frames_and_comes_to_the_same_state() {
    let (session, header) = session();
    let mut player = Player::new(
        &RecordingHeader::read(&header.to_json().unwrap()).unwrap(),
        None,
    );
    let mut frames = session.frames.iter();
    for line in &session.lines {
        let line: RecordedLine = serde_json::from_str(line).unwrap();
        if player.play(line.entry) == Played::Frame {
            assert_eq!(Some(player.screen()), frames.next(), "at {}", line.t);
        }
    }
    assert!(frames.next().is_none());
    assert_eq!(*player.state(), session.state);
}

#[test]
fn a_session_is_drawn_in_another_size_when_that_is_asked_for() {
    let (session, header) = session();
    let mut player = Player::new(&header, Some((90, 30)));
    for line in &session.lines {
        player.play(serde_json::from_str::<RecordedLine>(line).unwrap().entry);
        let area = player.screen().area;
        assert_eq!((area.width, area.height), (90, 30));
    }
}
