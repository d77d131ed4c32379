//! Flags of the screen, of its demo, and of recordings: made by the screen, played by `workbench replay`.

use super::values::duration;
use super::{Cli, Command};
use crate::recorder::RecordingFile;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;
use wb_core::error::{Error, ErrorKind};

/// `workbench ui`
#[derive(Args, Debug, Clone)]
pub struct UiArgs {
    /// Build the agents, now and whenever one of their files is saved: with `build` of workbench.toml, else with cargo
    #[arg(long)]
    pub build: bool,
    /// Recording.
    #[command(flatten)]
    pub record: RecordArgs,
}

/// `workbench demo`
#[derive(Args, Debug, Clone)]
pub struct DemoArgs {
    /// Start over with a new project
    #[arg(long)]
    pub reset: bool,
    /// Tasks of the made-up project
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub tasks: usize,
    /// Do not compile the sample agents, neither now nor when they are saved; load what is there
    #[arg(long)]
    pub no_build: bool,
    /// Recording.
    #[command(flatten)]
    pub record: RecordArgs,
}

/// Recording of the screen.
#[derive(Args, Debug, Clone, Default)]
pub struct RecordArgs {
    /// Record the session in this file, for `workbench replay`; compressed if its name ends in .gz
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Record the pictures, texts and sounds that are shown, too
    #[arg(long, requires = "record")]
    pub record_pictures: bool,
}

impl RecordArgs {
    /// Makes the file, if one is named.
    ///
    /// # Errors
    /// It exists and was not to be replaced, or cannot be written.
    pub fn file(&self, replace: bool) -> Result<Option<RecordingFile>, Error> {
        let create = |path: &PathBuf| RecordingFile::create(path, replace, self.record_pictures);
        self.record.as_ref().map(create).transpose()
    }
}

impl Cli {
    /// Where the screen is recorded, before or after the name of its command.
    ///
    /// # Errors
    /// The command is not a screen.
    pub fn recorded(&self) -> Result<RecordArgs, Error> {
        let own = match &self.command {
            None => return Ok(self.record.clone()),
            Some(Command::Ui(args)) => &args.record,
            Some(Command::Demo(args)) => &args.record,
            Some(_) if self.record.record.is_some() => {
                let text = "--record records the screen: give it to ui or demo";
                return Err(Error::new(ErrorKind::Usage, text));
            }
            Some(_) => return Ok(RecordArgs::default()),
        };
        Ok(match own.record {
            Some(_) => own.clone(),
            None => self.record.clone(),
        })
    }
}

/// A point of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointOfTime {
    /// After this many events.
    Event(u64),
    /// At this time from its start.
    Time(Duration),
}

/// `workbench replay`
#[derive(Args, Debug, Clone)]
pub struct ReplayArgs {
    /// A file that --record wrote
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Play this many times as fast
    #[arg(long, value_name = "N", default_value = "1", value_parser = speed)]
    pub speed: f64,
    /// Longest pause; longer ones are shortened
    #[arg(long, value_name = "D", default_value = "2s", value_parser = duration)]
    pub idle_limit: Duration,
    /// Draw in this size instead of the recorded one
    #[arg(long, value_name = "COLUMNSxROWS", value_parser = columns_and_rows)]
    pub size: Option<(u16, u16)>,
    /// Stop after this many events, or at this time, e.g. 1m20s [default: the end]
    #[arg(long, value_name = "EVENT|TIME", value_parser = point)]
    pub to: Option<PointOfTime>,
    /// Write the picture at that point as SVG
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Write it as plain text
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// Write what a terminal would have been sent up to that point, as an asciicast v2
    #[arg(long, value_name = "FILE")]
    pub asciicast: Option<PathBuf>,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('x').parse::<f64>() {
        Ok(n) if (0.01..=1000.0).contains(&n) => Ok(n),
        _ => Err("write how many times as fast, from 0.01 to 1000".into()),
    }
}

fn columns_and_rows(text: &str) -> Result<(u16, u16), String> {
    let side = |text: &str| text.parse().ok().filter(|n| (1..=1000).contains(n));
    let sides = text.split_once('x');
    let sides = sides.and_then(|(w, h)| Some((side(w)?, side(h)?)));
    sides.ok_or_else(|| "write columns and rows, e.g. 120x36".into())
}

fn point(text: &str) -> Result<PointOfTime, String> {
    match text.parse() {
        Ok(events) => Ok(PointOfTime::Event(events)),
        Err(_) => duration(text).map(PointOfTime::Time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_sizes_and_speeds_are_read_or_refused() {
        assert_eq!(point("120"), Ok(PointOfTime::Event(120)));
        let time = Duration::from_millis(80_500);
        assert_eq!(point("1m20s500ms"), Ok(PointOfTime::Time(time)));
        assert!(point("soon").is_err());
        assert_eq!(columns_and_rows("120x36"), Ok((120, 36)));
        for wrong in ["120", "0x36", "120x99999", "x", "-1x4"] {
            assert!(columns_and_rows(wrong).is_err(), "{wrong}");
        }
        assert_eq!(speed("2x"), Ok(2.0));
        assert!(speed("0").is_err() && speed("NaN").is_err());
    }
}
