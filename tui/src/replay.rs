//! `workbench replay`: plays a recorded session with the real screen. It needs no server, no project and no folder, and
//! changes nothing.

mod cast;
mod live;
mod recording;

use crate::cli::{PointOfTime, ReplayArgs};
use crate::exit::Ending;
use crate::print;
use cast::Cast;
use ratatui::buffer::Buffer;
use recording::Recording;
use std::io::{IsTerminal, Write, stdin, stdout};
use std::path::Path;
use wb_core::error::{Error, ErrorKind};
use wb_core::text::clean;
use wb_engine::files;
use wb_ui::recording::{Played, Player};
use wb_ui::svg;

/// Plays a recording in the terminal, or writes what was asked for.
///
/// # Errors
/// The file is not a recording that this version plays, or something cannot be written.
pub async fn replay(args: &ReplayArgs) -> Result<Ending, Error> {
    let recording = Recording::open(&args.file)?;
    let writes = [&args.svg, &args.text, &args.asciicast];
    let in_terminal = stdin().is_terminal() && stdout().is_terminal();
    let linear = recording.header.screen.linear;
    if in_terminal && !linear && args.to.is_none() && writes.iter().all(|file| file.is_none()) {
        return live::play(recording, args).await;
    }
    let shown = Shown::at(recording, args)?;
    if let Some(path) = &args.svg {
        let palette = svg::Palette::of(shown.player.theme());
        write("--svg", path, &svg::of(shown.player.screen(), palette)).await?;
    }
    if let Some(path) = &args.text {
        write("--text", path, &shown.text()).await?;
    }
    if let (Some(path), Some(cast)) = (&args.asciicast, &shown.cast) {
        write("--asciicast", path, cast.text()).await?;
    }
    if writes.iter().all(|file| file.is_none()) {
        print::text(&shown.text());
    }
    shown.report(&args.file);
    Ok(Ending::default())
}

async fn write(flag: &'static str, path: &Path, text: &str) -> Result<(), Error> {
    let failed = |error: std::io::Error| {
        let text = format!("{flag}: cannot write {}: {error}", path.display());
        Error::new(ErrorKind::Usage, text)
    };
    let mut file = files::begin(flag, path).await?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.finish().map_err(failed)
}

/// A recording, played up to a point.
struct Shown {
    player: Player,
    cast: Option<Cast>,
    /// What linear mode wrote.
    lines: Vec<String>,
    missing: u64,
    cut: bool,
}

impl Shown {
    fn at(mut recording: Recording, args: &ReplayArgs) -> Result<Self, Error> {
        let player = Player::new(&recording.header, args.size);
        let cast = args.asciicast.as_ref().map(|_| {
            let size = args.size.unwrap_or(recording.header.screen.size);
            Cast::new(&recording.header, size, args)
        });
        let mut shown = Self {
            player,
            cast: cast.transpose()?,
            lines: Vec::new(),
            missing: 0,
            cut: false,
        };
        while let Some(line) = recording.next_line()? {
            let after = match args.to {
                Some(PointOfTime::Time(time)) => u128::from(line.t) > time.as_millis(),
                Some(PointOfTime::Event(number)) => recording.number() > number,
                None => false,
            };
            if after {
                break;
            }
            let t = line.t;
            match shown.player.play(line.entry) {
                Played::Frame => {
                    if let Some(cast) = &mut shown.cast {
                        cast.frame(t, shown.player.screen())?;
                    }
                }
                Played::Lines(lines) => {
                    if let Some(cast) = &mut shown.cast {
                        cast.lines(t, &lines);
                    }
                    shown.lines.extend(lines);
                }
                Played::Missing(count) => shown.missing += count,
                Played::Nothing | Played::End => {}
            }
        }
        shown.cut = recording.was_cut();
        Ok(shown)
    }

    /// The screen as text; all lines of a session that was read line by line.
    fn text(&self) -> String {
        let lines = match self.player.is_linear() {
            true => self.lines.clone(),
            false => rows(self.player.screen()),
        };
        let lines = lines.iter().map(|line| format!("{}\n", clean(line)));
        lines.collect()
    }

    fn report(&self, path: &Path) {
        let path = path.display();
        if self.missing > 0 {
            notice!(
                "{path}: {} events are missing; what is shown after them may differ",
                self.missing
            );
        }
        if self.cut {
            notice!("{path} ends in the middle: the program that recorded it was killed");
        }
    }
}

/// The rows of a screen as text.
fn rows(screen: &Buffer) -> Vec<String> {
    let row = |y| {
        let cells = (0..screen.area.width).map(|x| &screen[(x, y)]);
        let mut hidden = 0;
        let mut text = String::new();
        for cell in cells {
            // The second column of a wide character holds nothing.
            if hidden == 0 {
                text.push_str(cell.symbol());
                hidden = wb_ui::text::width(cell.symbol()).saturating_sub(1);
            } else {
                hidden -= 1;
            }
        }
        text.trim_end().to_owned()
    };
    (0..screen.area.height).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// When the main picture of the README is taken.
    const AT: Option<PointOfTime> = None;

    #[test]
    fn the_main_picture_of_the_readme_is_played_from_its_recording() {
        let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("pictures");
        let recording = Recording::open(&pictures.join("demo.jsonl.gz"));
        let args = ReplayArgs {
            file: "".into(),
            speed: 1.0,
            idle_limit: Duration::ZERO,
            size: None,
            to: AT,
            svg: None,
            text: None,
            asciicast: None,
        };
        let shown = recording.and_then(|recording| Shown::at(recording, &args));
        let shown = shown
            .unwrap_or_else(|error| panic!("{error}: record it again, as CONTRIBUTING.md has it"));
        let now = svg::of(
            shown.player.screen(),
            svg::Palette::of(shown.player.theme()),
        );
        let path = pictures.join("demo.svg");
        if std::env::var_os("UPDATE_README").is_some() {
            std::fs::write(&path, &now).unwrap();
        }
        let then = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            now == then,
            "run UPDATE_README=1 cargo test -p encord-workbench --bin workbench readme"
        );
    }
}
