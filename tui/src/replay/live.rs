//! A recording in the terminal: at its own pace, paused, or step by step.

use super::recording::Recording;
use crate::cli::ReplayArgs;
use crate::exit::Ending;
use crate::links::TerminalLinks;
use crate::signals::Signals;
use crate::terminal::{self, Screen};
use crossterm::event::Event;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use std::time::{Duration, Instant};
use wb_core::error::Error;
use wb_ui::keys;
use wb_ui::recording::{Played, Player, RecordedLine};

/// How long what the keys do is shown after a key was pressed.
const SHOWN: Duration = Duration::from_secs(3);
/// Entries are played for so long before the keys get their turn.
const TURN: Duration = Duration::from_millis(20);

/// Keys of the player. They are not actions of the screen that is played: its keys come from the recording.
enum PlayerKey {
    Pause,
    Step,
    Faster,
    Slower,
    Quit,
}

fn meaning(event: &Event) -> Option<PlayerKey> {
    let Event::Key(key) = event else { return None };
    Some(match keys::name(key)?.as_str() {
        "Space" => PlayerKey::Pause,
        "Right" | "." => PlayerKey::Step,
        "+" | "=" => PlayerKey::Faster,
        "-" => PlayerKey::Slower,
        "q" | "Esc" | "Ctrl-c" => PlayerKey::Quit,
        _ => return None,
    })
}

/// A recording that is played.
struct Playing {
    recording: Recording,
    player: Player,
    /// The next entry, and when it is due.
    next: Option<(RecordedLine, Instant)>,
    /// Milliseconds of the recording that were played.
    at: u64,
    speed: f64,
    idle: Duration,
    paused: bool,
    missing: u64,
    /// When a key was pressed last.
    touched: Instant,
}

/// Plays a recording until `q`.
///
/// # Errors
/// The terminal cannot be used, or a line cannot be read.
pub async fn play(recording: Recording, args: &ReplayArgs) -> Result<Ending, Error> {
    let mut ending = Ending::default();
    let mut playing = Playing::begin(recording, args)?;
    let mut signals = Signals::new()?;
    let mut screen = Screen::take(TerminalLinks::default())?;
    let mut events = terminal::events()?;
    loop {
        playing.advance()?;
        if playing.draw(&mut screen).is_err() || terminal::hung_up() {
            ending.signal(1);
            break;
        }
        let wake = playing.wake();
        let event = tokio::select! {
            event = events.recv() => event,
            number = signals.next() => { ending.signal(number); break }
            () = tokio::time::sleep(wake) => continue,
        };
        let Some(event) = event else {
            ending.signal(1);
            break;
        };
        match meaning(&event) {
            Some(PlayerKey::Quit) => break,
            Some(key) => playing.key(&key)?,
            None => {}
        }
    }
    drop(screen);
    playing.report(&args.file.display().to_string());
    Ok(ending)
}

impl Playing {
    fn begin(recording: Recording, args: &ReplayArgs) -> Result<Self, Error> {
        let player = Player::new(&recording.header, args.size);
        let mut playing = Self {
            recording,
            player,
            next: None,
            at: 0,
            speed: args.speed,
            idle: args.idle_limit,
            paused: false,
            missing: 0,
            touched: Instant::now(),
        };
        playing.read(Instant::now())?;
        Ok(playing)
    }

    /// Reads the next entry; it is due as long after `from` as it was recorded after the one before.
    fn read(&mut self, from: Instant) -> Result<(), Error> {
        self.next = self.recording.next_line()?.map(|line| {
            let gap = Duration::from_millis(line.t.saturating_sub(self.at));
            let gap = gap.min(self.idle).div_f64(self.speed);
            (line, from + gap)
        });
        Ok(())
    }

    /// Plays what is due, for a moment at most.
    fn advance(&mut self) -> Result<(), Error> {
        let begun = Instant::now();
        while !self.paused && begun.elapsed() < TURN {
            match &self.next {
                Some((_, due)) if *due <= Instant::now() => drop(self.play_next()?),
                _ => break,
            }
        }
        Ok(())
    }

    fn play_next(&mut self) -> Result<Option<Played>, Error> {
        let Some((line, due)) = self.next.take() else {
            return Ok(None);
        };
        self.at = line.t;
        let played = self.player.play(line.entry);
        if let Played::Missing(count) = played {
            self.missing += count;
        }
        self.read(due)?;
        Ok(Some(played))
    }

    fn key(&mut self, key: &PlayerKey) -> Result<(), Error> {
        self.touched = Instant::now();
        match key {
            PlayerKey::Pause => self.paused = !self.paused,
            PlayerKey::Faster => self.speed = (self.speed * 2.0).min(1000.0),
            PlayerKey::Slower => self.speed = (self.speed / 2.0).max(0.01),
            PlayerKey::Step => {
                self.paused = true;
                self.step()?;
            }
            PlayerKey::Quit => {}
        }
        // What comes next is due as if it had been waited for from now on.
        if let Some((_, due)) = &mut self.next {
            *due = (*due).max(Instant::now());
        }
        Ok(())
    }

    /// Plays up to the next frame that looks different.
    fn step(&mut self) -> Result<(), Error> {
        let before = self.player.screen().clone();
        while let Some(played) = self.play_next()? {
            if played == Played::Frame && *self.player.screen() != before {
                break;
            }
        }
        Ok(())
    }

    /// How long nothing changes.
    fn wake(&self) -> Duration {
        let bar = SHOWN.saturating_sub(self.touched.elapsed());
        let bar = (!bar.is_zero()).then_some(bar);
        let due = self.next.as_ref().filter(|_| !self.paused);
        let due = due.map(|(_, due)| due.saturating_duration_since(Instant::now()));
        let least = bar.into_iter().chain(due).min();
        least.unwrap_or(Duration::from_secs(3600))
    }

    fn draw(&self, screen: &mut Screen) -> std::io::Result<()> {
        let shown = self.player.screen();
        let bar = self.paused || self.next.is_none() || self.touched.elapsed() < SHOWN;
        let drawn = screen.terminal.draw(|frame| {
            let buffer = frame.buffer_mut();
            copy(shown, buffer);
            if bar {
                self.bar(buffer, shown.area);
            }
        });
        drawn.map(|_| ())
    }

    /// What the keys do, below the recorded screen where there is room, else over its last row.
    fn bar(&self, buffer: &mut Buffer, recorded: Rect) {
        let area = buffer.area;
        let row = recorded.height.min(area.height.saturating_sub(1));
        let seconds = self.at / 1000;
        let state = match (&self.next, self.paused) {
            (None, _) => "end",
            (_, true) => "paused",
            (_, false) => "playing",
        };
        let ascii = !self.recording.header.screen.unicode;
        let step = if ascii { "right" } else { "→" };
        let cut = match recorded.width > area.width || recorded.height > area.height {
            true => format!("  cut from {}x{}", recorded.width, recorded.height),
            false => String::new(),
        };
        let text = format!(
            " {state} {}:{:02}  event {}  {}x{cut}  space pause  {step} step  + - speed  q quit ",
            seconds / 60,
            seconds % 60,
            self.recording
                .number()
                .saturating_sub(u64::from(self.next.is_some())),
            self.speed,
        );
        let style = Style::new().add_modifier(Modifier::REVERSED);
        let line = Rect::new(0, row, area.width, 1).intersection(area);
        for at in line.positions() {
            buffer[at].reset();
            buffer[at].set_style(style);
        }
        buffer.set_stringn(line.x, line.y, text, usize::from(line.width), style);
    }

    fn report(&self, path: &str) {
        if self.missing > 0 {
            notice!(
                "{path}: {} events are missing; what was shown after them may differ",
                self.missing
            );
        }
        if self.next.is_none() && self.recording.was_cut() {
            notice!("{path} ends in the middle: the program that recorded it was killed");
        }
    }
}

/// The part of a screen that fits.
fn copy(from: &Buffer, to: &mut Buffer) {
    let area = from.area.intersection(to.area);
    for at in area.positions() {
        to[at].clone_from(&from[at]);
    }
}
