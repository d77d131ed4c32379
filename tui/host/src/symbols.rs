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
        let mut frames = Vec::new();
        let last = addresses.iter().rposition(|a| *a < self.span);
        for address in &addresses[..last.map_or(0, |n| n + 1)] {
            if *address < self.span {
                self.describe_one(*address, &mut frames);
            } else if frames.last().is_none_or(|f: &Described| f.line != OUTSIDE) {
                frames.push(Described {
                    line: OUTSIDE.into(),
                    runtime: true,
                });
            }
        }
        folded(frames)
    }

    fn describe_one(&self, address: u64, lines: &mut Vec<Described>) {
        let before = lines.len();
        if let Ok(mut frames) = self.loader.find_frames(address) {
            while let Ok(Some(frame)) = frames.next() {
                let name = frame
                    .function
                    .and_then(|f| f.demangle().ok().map(|n| short(&n)));
                let file = frame.location.as_ref().and_then(|l| l.file);
                let at = frame.location.as_ref().and_then(|l| l.line).unwrap_or(0);
                if name.is_some() || file.is_some() {
                    let name = name.or_else(|| self.symbol(address));
                    let place = file.map(|file| format!("{}:{at}", tail_of(file)));
                    let runtime = is_runtime(name.as_deref().unwrap_or_default(), file);
                    let line = line(name, place);
                    lines.push(Described { line, runtime });
                }
            }
        }
        if lines.len() == before {
            let name = self.symbol(address);
            let runtime = is_runtime(name.as_deref().unwrap_or_default(), None);
            let line = line(name, None);
            lines.push(Described { line, runtime });
        }
        if lines[before..].iter().all(|l| l.line.starts_with('?')) {
            lines.truncate(before);
            lines.push(Described {
                line: format!("? at offset {address:#x}"),
                runtime: false,
            });
        }
    }

    fn symbol(&self, address: u64) -> Option<String> {
        let raw = self.loader.find_symbol(address)?;
        Some(short(&addr2line::demangle_auto(raw.into(), None)))
    }
}

/// One frame.
#[derive(Clone, Debug)]
struct Described {
    line: String,
    /// Of the standard library, of agent-abi, or outside the library.
    runtime: bool,
}

/// Frames for a person: the agent's and its dependencies' in their order, then how many others there are.
fn folded(frames: Vec<Described>) -> Vec<String> {
    let runtime = frames.iter().filter(|frame| frame.runtime).count();
    let all_runtime = runtime == frames.len();
    let frames = frames.into_iter().filter(|f| all_runtime || !f.runtime);
    let mut lines: Vec<String> = frames.map(|frame| frame.line).collect();
    if lines.len() > LINES {
        let more = lines.len() - LINES;
        lines.truncate(LINES);
        lines.push(format!("… {more} more frames"));
    }
    if runtime > 0 && !all_runtime {
        let s = if runtime == 1 { "" } else { "s" };
        lines.push(format!("… {runtime} frame{s} of the runtime"));
    }
    lines
}

/// Whether a frame is of the standard library or of agent-abi, by its file, or by its name where there is none.
fn is_runtime(name: &str, file: Option<&str>) -> bool {
    const FILES: [&str; 6] = [
        "/rustc/",
        "/library/std/src/",
        "/library/core/src/",
        "/library/alloc/src/",
        "/library/panic_unwind/",
        "agent-abi/src/",
    ];
    const NAMES: [&str; 10] = [
        "core::",
        "std::",
        "alloc::",
        "agent_abi::",
        "<core::",
        "<std::",
        "<alloc::",
        "_Unwind_",
        "__rust",
        "rust_",
    ];
    match file {
        Some(file) => {
            let vendored = file.contains("/agent-abi-") && file.contains("/src/");
            vendored || FILES.iter().any(|part| file.contains(part))
        }
        None => NAMES.iter().any(|start| name.starts_with(start)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_the_agent_come_first_and_those_of_the_runtime_are_counted() {
        let frame = |line: &str, runtime| Described {
            line: line.to_owned(),
            runtime,
        };
        let frames = vec![
            frame("core::panicking::panic", true),
            frame("cars::score at src/lib.rs:41", false),
            frame("core::ops::call_once", true),
            frame("cars::judge at src/lib.rs:30", false),
            frame("agent_abi::glue::run", true),
        ];
        assert_eq!(
            folded(frames.clone()),
            [
                "cars::score at src/lib.rs:41",
                "cars::judge at src/lib.rs:30",
                "… 3 frames of the runtime"
            ]
        );
        let runtime: Vec<_> = frames.into_iter().filter(|f| f.runtime).collect();
        assert_eq!(folded(runtime).len(), 3, "there is nothing else to show");
        let many = vec![frame("f", false); LINES + 8];
        assert_eq!(folded(many).last().unwrap(), "… 8 more frames");
    }

    #[test]
    fn frames_of_the_runtime_are_found_by_file_or_by_name() {
        for (name, file, runtime) in [
            (
                "f",
                Some("/rustc/1a2b/library/core/src/ops/function.rs"),
                true,
            ),
            (
                "f",
                Some("/home/me/cars/vendor/agent-abi/src/inject/scope.rs"),
                true,
            ),
            ("f", Some("/home/me/cars/src/lib.rs"), false),
            (
                "f",
                Some("/home/me/.cargo/registry/src/x/ort-2.0.0/src/session.rs"),
                false,
            ),
            ("core::panicking::panic", None, true),
            ("cars::score", None, false),
            ("score", None, false),
        ] {
            assert_eq!(is_runtime(name, file), runtime, "{name} {file:?}");
        }
    }
}
