//! The source that a test's agent is fed from: everything is in memory.

use super::run::LogLine;
use crate::inject::{RawFrame, Source};
use crate::model::Picture;
use crate::wire::{EncodeQuestion, call};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// The pictures of the data, or of one part of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Pictures {
    pub(super) all: Vec<Picture>,
    /// Seconds of the first frames.
    pub(super) times: Vec<f64>,
    pub(super) broken: Vec<(u64, String)>,
}

/// A source in memory.
pub(super) struct Feed {
    pub(super) documents: Vec<(&'static str, String)>,
    pub(super) pictures: Pictures,
    /// Those of the parts of a data group.
    pub(super) parts: Vec<Pictures>,
    pub(super) answers: Vec<(String, Value)>,
    pub(super) cancelled: bool,
    pub(super) encoder: Option<Encoder>,
    /// When the attempt began, and how long it may take.
    pub(super) limit: Option<(Instant, Duration)>,
    pub(super) logs: RefCell<Vec<LogLine>>,
    pub(super) progress: Cell<Option<f64>>,
    pub(super) held: Cell<i64>,
}

impl Feed {
    pub(super) fn new(documents: Vec<(&'static str, String)>) -> Self {
        Self {
            documents,
            pictures: Pictures::default(),
            parts: Vec::new(),
            answers: Vec::new(),
            cancelled: false,
            encoder: None,
            limit: None,
            logs: RefCell::default(),
            progress: Cell::new(None),
            held: Cell::new(0),
        }
    }
}

impl Feed {
    fn lend<'p>(&self, pictures: &'p Pictures, index: u64) -> Result<Option<RawFrame<'p>>, String> {
        if let Some((_, why)) = pictures.broken.iter().find(|(n, _)| *n == index) {
            return Err(why.clone());
        }
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        let Some(picture) = pictures.all.get(place) else {
            return Ok(None);
        };
        self.held.set(self.held.get() + 1);
        let (width, height) = (picture.width, picture.height);
        #[allow(clippy::cast_possible_truncation)] // microseconds of a test
        let pts_us = match pictures.times.get(place) {
            Some(seconds) => (seconds * 1e6).round() as i64,
            None => i64::try_from(index).unwrap_or(0) * 100_000,
        };
        Ok(Some(RawFrame {
            data: &picture.data,
            width,
            height,
            stride: width * 3,
            index,
            pts_us,
            handle: index + 1,
        }))
    }

    pub(super) fn is_late(&self) -> bool {
        self.limit
            .is_some_and(|(began, limit)| began.elapsed() >= limit)
    }
}

impl Source for Feed {
    fn input(&self, name: &str) -> Result<Option<&str>, String> {
        Ok(self
            .documents
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| text.as_str()))
    }

    fn frame(&self, index: u64) -> Result<Option<RawFrame<'_>>, String> {
        self.lend(&self.pictures, index)
    }

    fn child_frame(&self, child: u64, index: u64) -> Result<Option<RawFrame<'_>>, String> {
        let part = usize::try_from(child).ok().and_then(|n| self.parts.get(n));
        part.map_or(Ok(None), |pictures| self.lend(pictures, index))
    }

    fn release(&self, _: u64) {
        self.held.set(self.held.get() - 1);
    }

    fn log(&self, level: u32, target: &str, message: &str) {
        let (target, message) = (target.to_owned(), message.to_owned());
        self.logs.borrow_mut().push(LogLine {
            level,
            target,
            message,
        });
    }

    fn progress(&self, share: f64) {
        self.progress.set(Some(share));
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled || self.is_late()
    }

    fn call(&self, name: &str, question: &[u8]) -> Result<Option<Vec<u8>>, String> {
        if name == call::ENCODE {
            return encode(question, self.encoder).map(Some);
        }
        if name == call::RESOURCE {
            return Ok(None); // opened in the test's own process
        }
        let asked: Value = serde_json::from_slice(question).map_err(|e| e.to_string())?;
        let which = match name {
            call::LIST => &asked["list"],
            _ => &asked["project"],
        };
        let about = format!("{name} {}", which.as_str().unwrap_or_default());
        let known = |(known, _): &&(String, Value)| known == name || *known == about;
        let answer = self.answers.iter().find(known);
        let none = (name == call::TWIN).then(|| b"null".to_vec());
        Ok(answer.map(|(_, value)| value.to_string().into()).or(none))
    }
}

/// Makes a file of a picture; the format is `jpeg` or `png`, and a JPEG has a quality from 1 to 100.
pub(super) type Encoder = fn(&Picture, &str, u8) -> Vec<u8>;

/// Without an encoder a file that needs no codec: a PPM of the same size and pixels, whatever was asked for.
fn encode(question: &[u8], encoder: Option<Encoder>) -> Result<Vec<u8>, String> {
    let end = question.iter().position(|b| *b == b'\n');
    let (head, pixels) = question.split_at(end.ok_or("no question")?);
    let asked: EncodeQuestion = serde_json::from_slice(head).map_err(|e| e.to_string())?;
    let rows = pixels[1..].chunks(asked.stride as usize);
    let rows = rows.flat_map(|row| &row[..asked.width as usize * 3]);
    let picture = Picture {
        width: asked.width,
        height: asked.height,
        data: rows.copied().collect(),
    };
    if let Some(encoder) = encoder {
        return Ok(encoder(&picture, &asked.format, asked.quality));
    }
    let mut file = format!("P6 {} {} 255\n", asked.width, asked.height).into_bytes();
    file.extend(picture.data);
    Ok(file)
}
