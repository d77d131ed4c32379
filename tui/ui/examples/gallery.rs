//! The screen on a made-up project, to be looked at: `cargo run -p wb-ui --example gallery`.
//!
//! Every effect is performed at once and without any network or agent; `q` leaves.
//! An argument chooses the theme.

#[allow(dead_code, missing_docs, clippy::unwrap_used)]
#[path = "../src/fixture/mod.rs"]
mod fixture;

use crossterm::event::{self, DisableMouseCapture, EnableMouseCapture};
use crossterm::execute;
use fixture::{NOW, World, mixed};
use std::time::{Duration, Instant};
use wb_core::command::Command;
use wb_core::event::Event;
use wb_core::ids::Millis;
use wb_ui::{Keymap, Medium, Patch, Picture, Screen, Shot, Theme, Ui, UiSettings, svg};

fn main() -> std::io::Result<()> {
    let named = std::env::args().nth(1);
    let named = named.and_then(|name| Theme::from_name(&name));
    let theme = Theme::detect(named, |name| std::env::var(name).ok());
    let mut ui = Ui::new(UiSettings {
        styles: theme.styles(),
        unicode: true,
        ..UiSettings::default()
    });
    let mut world = World::demo();
    let begun = Instant::now();
    let mut terminal = ratatui::init();
    execute!(std::io::stdout(), EnableMouseCapture)?;
    loop {
        let passed = i64::try_from(begun.elapsed().as_millis()).unwrap_or(0);
        world.send(Event::Tick(Millis(NOW + passed)));
        terminal.draw(|frame| ui.draw(frame, &world.state))?;
        let wanted = ui.wanted_pictures();
        for request in &wanted {
            let (picture, at_us) = (gradient(), None);
            let medium = Medium::Pictures { count: 1 };
            ui.set_medium(request.id.task, Ok(medium));
            ui.set_picture(request.id, Ok(Shot { picture, at_us }));
        }
        let labels = ui.wanted_labels();
        let nothing_new = wanted.is_empty() && labels.is_empty();
        for request in labels {
            ui.set_labels(request.parse());
        }
        if !nothing_new {
            continue;
        }
        if !event::poll(Duration::from_millis(100))? {
            continue;
        }
        let commands = ui.on_event(&event::read()?, &world.state);
        if commands.contains(&Command::Quit) {
            break;
        }
        for command in commands {
            world.command(command);
            if matches!(
                world.state.step.as_ref().map(|s| s.at),
                Some(wb_core::step::At::Fetching)
            ) {
                world.fetched();
            } else {
                world.answer(&mixed);
            }
        }
    }
    execute!(std::io::stdout(), DisableMouseCapture)?;
    ratatui::restore();
    Ok(())
}

/// A picture with something to see in it.
fn gradient() -> Picture {
    let (width, height) = (320_u32, 180_u32);
    let byte = |v: u32| u8::try_from(v.min(255)).unwrap_or(255);
    let rgb = (0..width * height)
        .flat_map(|i| {
            let (x, y) = (i % width, i / width);
            let lamp = if x.abs_diff(220) + y.abs_diff(60) < 24 {
                160
            } else {
                0
            };
            [
                byte(40 + x / 4 + lamp),
                byte(30 + y / 2 + lamp),
                byte(90 + lamp),
            ]
        })
        .collect();
    Picture { width, height, rgb }
}
