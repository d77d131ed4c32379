//! From raw addresses to functions and lines, in one thread of its own.
//!
//! Reading debug information takes from a millisecond to a second: no host's thread waits for it.
//! The staged copy is read, so the answer fits the code that ran. The information is written by
//! foreign tools: a panic in the reader costs the answer, not the workbench.

use crate::store::StagedCopy;
use addr2line::Loader;
use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

const LINES: usize = 32;
const REMEMBERED: usize = 256;

/// A question: what are these addresses in this copy?
pub(crate) struct Question {
    pub copy: Arc<StagedCopy>,
    /// Load address; 0 when the addresses are relative already.
    pub base: u64,
    /// The instruction itself, when known; frames before it are the crash handler's.
    pub pc: u64,
    /// Return addresses, innermost first.
    pub frames: Vec<u64>,
    /// Called in the thread of symbols, with one line a frame.
    pub then: Box<dyn FnOnce(Vec<String>) + Send>,
}

/// Starts the thread; it ends when the sender is dropped.
pub(crate) fn start() -> io::Result<Sender<Question>> {
    let (to, questions) = channel();
    std::thread::Builder::new()
        .name("wb-symbols".into())
        .spawn(move || answer(&questions))?;
    Ok(to)
}

type Known = HashMap<(PathBuf, Vec<u64>), Vec<String>>;

fn answer(questions: &Receiver<Question>) {
    let mut open: Option<(PathBuf, Library)> = None;
    let mut known = Known::new();
    while let Ok(question) = questions.recv() {
        let path = question.copy.path().to_owned();
        let addresses = relative(&question);
        if known.len() > REMEMBERED {
            known.clear();
        }
        // A faulty agent fails on every task in the same place: look it up once.
        let lines = known
            .entry((path.clone(), addresses))
            .or_insert_with_key(|(path, addresses)| {
                if open.as_ref().is_none_or(|(p, _)| p != path) {
                    open = Library::open(path).map(|library| (path.clone(), library));
                }
                let library = open.as_ref().map(|(_, library)| library);
                catch_unwind(AssertUnwindSafe(|| {
                    library.map_or_else(Vec::new, |l| l.describe(addresses))
                }))
                .unwrap_or_default()
            })
            .clone();
        let Question { copy, then, .. } = question;
        drop(copy); // whoever gets the answer may check for leftovers
        then(lines);
    }
}

/// Addresses inside the library's own numbering, each pointing into its call.
fn relative(question: &Question) -> Vec<u64> {
    let mut frames = question.frames.as_slice();
    let mut addresses = Vec::new();
    if question.pc != 0 {
        addresses.push(question.pc);
        if let Some(at) = frames.iter().position(|f| *f == question.pc) {
            frames = &frames[at + 1..];
        }
    }
    // A return address belongs to the line after the call.
    addresses.extend(frames.iter().map(|f| f.saturating_sub(1)));
    for address in &mut addresses {
        // What lies below the base wraps to a number beyond any library.
        *address = address.wrapping_sub(question.base);
    }
    addresses
}

struct Library {
    loader: Loader,
    span: u64,
}

impl Library {
    fn open(path: &Path) -> Option<Self> {
        catch_unwind(|| {
            let content = std::fs::read(path).ok()?;
            let span = crate::elf::span(&content).unwrap_or(content.len() as u64);
            drop(content);
            let loader = Loader::new(path).ok()?;
            Some(Self { loader, span })
        })
        .ok()
        .flatten()
    }

    fn describe(&self, addresses: &[u64]) -> Vec<String> {
        let mut lines = Vec::new();
        let last = addresses.iter().rposition(|a| *a < self.span);
        for address in &addresses[..last.map_or(0, |n| n + 1)] {
            if lines.len() >= LINES {
                lines.push("…".into());
                break;
            }
            if *address < self.span {
                self.describe_one(*address, &mut lines);
            } else if lines.last().is_none_or(|l: &String| l != OUTSIDE) {
                lines.push(OUTSIDE.into());
            }
        }
        lines
    }

    fn describe_one(&self, address: u64, lines: &mut Vec<String>) {
        let before = lines.len();
        if let Ok(mut frames) = self.loader.find_frames(address) {
            while let Ok(Some(frame)) = frames.next() {
                let name = frame
                    .function
                    .and_then(|f| f.demangle().ok().map(|n| short(&n)));
                let place = frame.location.and_then(|l| {
                    let file = l.file?;
                    Some(format!("{}:{}", tail_of(file), l.line.unwrap_or(0)))
                });
                if name.is_some() || place.is_some() {
                    let name = name.or_else(|| self.symbol(address));
                    lines.push(line(name, place));
                }
            }
        }
        if lines.len() == before {
            lines.push(line(self.symbol(address), None));
        }
        if lines[before..].iter().all(|l| l.starts_with('?')) {
            lines.truncate(before);
            lines.push(format!("? at offset {address:#x}"));
        }
    }

    fn symbol(&self, address: u64) -> Option<String> {
        let raw = self.loader.find_symbol(address)?;
        Some(short(&addr2line::demangle_auto(raw.into(), None)))
    }
}

const OUTSIDE: &str = "(outside the library)";

fn line(name: Option<String>, place: Option<String>) -> String {
    let name = name.unwrap_or_else(|| "?".into());
    match place {
        Some(place) => format!("{name} at {place}"),
        None => name,
    }
}

/// Without the hash that Rust's old mangling appends.
fn short(name: &str) -> String {
    match name.rsplit_once("::h") {
        Some((rest, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            rest.to_owned()
        }
        _ => name.to_owned(),
    }
}

/// The last three parts of a path: enough to know the file, short enough for a line.
fn tail_of(file: &str) -> &str {
    file.rmatch_indices('/')
        .nth(2)
        .map_or(file, |(at, _)| &file[at + 1..])
}
