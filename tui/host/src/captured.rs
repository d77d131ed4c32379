//! Captured output: the two pipes that a host writes to, and where in them one task ends and the next one
//! begins.
//!
//! A host with queued work writes for its next task before the workbench has read the end of the last one.
//! So the host reports with each end how many bytes it has written in all, and does so before it begins the
//! next task. Whoever reads the pipes first and the socket afterwards therefore has every end that lies
//! within what was read. Until then the output is held here.

use crate::events::HostEvent;
use crate::output::{Budget, Lines};
use crate::page::{ControlPage, Stream};
use crate::proto::Printed;
use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{ChildStderr, ChildStdout};
use wb_core::ids::{BuildId, JobId};

/// Most that is read of one stream at the end of a host, and most that a pipe can hold of a finished
/// task.
const TURN: u64 = 1 << 20;
const CHUNK: usize = 64 << 10;

/// The output of one host.
pub(crate) struct Captured {
    out: Pipe<ChildStdout>,
    err: Pipe<ChildStderr>,
    printed: Budget,
    /// Of its own, so that what an agent logs survives whatever it prints.
    logged: Budget,
}

/// Whose lines they are, and where they go.
pub(crate) struct Owner<'a> {
    pub job: Option<JobId>,
    pub build: BuildId,
    pub send: &'a dyn Fn(HostEvent),
}

struct Pipe<R> {
    stream: Stream,
    /// `None` when it is closed.
    from: Option<R>,
    lines: Lines,
    chunk: Vec<u8>,
    /// What was read into `chunk` and belongs to nobody yet.
    held: Range<usize>,
    /// Bytes that were given to their owners, ever.
    given: u64,
}

impl Captured {
    pub(crate) fn new(out: ChildStdout, err: ChildStderr) -> Self {
        Self {
            out: Pipe::new(Stream::Out, out),
            err: Pipe::new(Stream::Err, err),
            printed: Budget::default(),
            logged: Budget::default(),
        }
    }

    /// To wait for something to read; `None` where the other end is closed.
    pub(crate) fn fds(&self) -> [Option<BorrowedFd<'_>>; 2] {
        let out = self.out.from.as_ref().map(AsFd::as_fd);
        [out, self.err.from.as_ref().map(AsFd::as_fd)]
    }

    /// Reads once from those that have something. Read the socket before [`give`](Self::give).
    pub(crate) fn fill(&mut self, page: &ControlPage, out: bool, err: bool) {
        if out {
            self.out.fill(page, CHUNK);
        }
        if err {
            self.err.fill(page, CHUNK);
        }
    }

    /// Whether something was read that belongs to nobody yet.
    pub(crate) fn holds(&self) -> bool {
        !self.out.held.is_empty() || !self.err.held.is_empty()
    }

    /// What is held belongs to this one.
    pub(crate) fn give(&mut self, owner: &Owner<'_>) {
        self.out.give(u64::MAX, &mut self.printed, owner);
        self.err.give(u64::MAX, &mut self.printed, owner);
    }

    /// The owner's task is over: `printed` is all that the host had printed by then. Without a number
    /// it is whatever can be read now.
    pub(crate) fn end(&mut self, page: &ControlPage, printed: Option<Printed>, owner: &Owner<'_>) {
        let budget = &mut self.printed;
        self.out.take(page, printed.map(|p| p.out), budget, owner);
        self.err.take(page, printed.map(|p| p.err), budget, owner);
        self.out.lines.flush(budget, &mut owner.sink(Stream::Out));
        self.err.lines.flush(budget, &mut owner.sink(Stream::Err));
        let lost = [budget.renew("printed"), self.logged.renew("logged")];
        for text in lost.into_iter().flatten() {
            (owner.sink(Stream::Out))(text);
        }
    }

    /// What comes next has nothing to do with these last lines.
    pub(crate) fn forget(&mut self) {
        self.out.lines.forget();
        self.err.lines.forget();
    }

    /// The last lines of stderr, oldest first.
    pub(crate) fn last_words(&self) -> Vec<String> {
        self.err.lines.tail()
    }

    /// Room for a line that was logged, or a line more that was dropped.
    pub(crate) fn room_for(&mut self, bytes: usize) -> bool {
        self.logged.take(bytes)
    }
}

impl<R: Read> Pipe<R> {
    fn new(stream: Stream, from: R) -> Self {
        Self {
            stream,
            from: Some(from),
            lines: Lines::default(),
            chunk: vec![0; CHUNK],
            held: 0..0,
            given: 0,
        }
    }

    /// Reads once, at most `most` bytes, unless something is held; false when there was nothing.
    fn fill(&mut self, page: &ControlPage, most: usize) -> bool {
        let Some(from) = self.from.as_mut().filter(|_| self.held.is_empty()) else {
            return false;
        };
        let room = &mut self.chunk[..most.min(CHUNK)];
        match page.requests.count_read(self.stream, || from.read(room)) {
            Ok(0) => self.from = None,
            Ok(n) => self.held = 0..n,
            Err(e) if matches!(e.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Err(_) => self.from = None,
        }
        !self.held.is_empty()
    }

    /// Gives out what is held, up to this place in everything that was ever printed.
    fn give(&mut self, up_to: u64, budget: &mut Budget, owner: &Owner<'_>) {
        let wanted = usize::try_from(up_to.saturating_sub(self.given)).unwrap_or(usize::MAX);
        let n = self.held.len().min(wanted);
        let (from, to) = (self.held.start, self.held.start + n);
        self.held.start = to;
        self.given += n as u64;
        let bytes = &self.chunk[from..to];
        self.lines.push(bytes, budget, &mut owner.sink(self.stream));
    }

    /// Gives out what is held and what can be read, up to a place or as far as it goes.
    fn take(
        &mut self,
        page: &ControlPage,
        up_to: Option<u64>,
        budget: &mut Budget,
        owner: &Owner<'_>,
    ) {
        // A host may claim anything: a task has printed no more than a pipe holds.
        let limit = self.given + self.held.len() as u64 + TURN;
        let up_to = up_to.map_or(limit, |n| n.min(limit));
        self.give(up_to, budget, owner);
        while self.given < up_to {
            let missing = usize::try_from(up_to - self.given).unwrap_or(CHUNK);
            if !self.fill(page, missing) {
                break;
            }
            self.give(up_to, budget, owner);
        }
    }
}

impl Owner<'_> {
    fn sink(&self, stream: Stream) -> impl FnMut(String) + use<'_> {
        let (level, target) = match stream {
            Stream::Out => (3, "stdout"),
            Stream::Err => (2, "stderr"),
        };
        move |text| {
            (self.send)(HostEvent::Log {
                job: self.job,
                build: self.build,
                level,
                target: target.into(),
                text,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// Everything that the pipe gives to each of the tasks that end at these places.
    fn given(printed: &[u8], held: usize, ends: &[u64]) -> Vec<Vec<String>> {
        let (page, _) = ControlPage::create().unwrap();
        let mut pipe = Pipe::new(Stream::Out, printed);
        let mut budget = Budget::default();
        pipe.fill(&page, held);
        let each = ends.iter().enumerate().map(|(n, end)| {
            let lines = RefCell::new(Vec::new());
            let owner = Owner {
                job: Some(JobId(n as u64)),
                build: BuildId(1),
                send: &|event| {
                    if let HostEvent::Log { text, .. } = event {
                        lines.borrow_mut().push(text);
                    }
                },
            };
            pipe.take(&page, Some(*end), &mut budget, &owner);
            pipe.lines.flush(&mut budget, &mut owner.sink(Stream::Out));
            lines.take()
        });
        each.collect()
    }

    #[test]
    fn each_task_gets_what_it_printed_however_much_was_read_ahead() {
        let printed = b"one\ntwothree\nfour\n";
        for held in 1..=printed.len() {
            let tasks = given(printed, held, &[7, 7, 18]);
            let nothing: [&str; 0] = [];
            assert_eq!(tasks[0], ["one", "two"], "{held} read ahead");
            assert_eq!(tasks[1], nothing, "{held} read ahead");
            assert_eq!(tasks[2], ["three", "four"], "{held} read ahead");
        }
    }

    #[test]
    fn a_signed_address_that_an_agent_prints_loses_its_signature() {
        let printed = b"got https://store.example/a.jpg?X-Goog-Signature=5ec3e7 (200)\n";
        let end = printed.len() as u64;
        let text = "got https://store.example/a.jpg?… (200)";
        assert_eq!(given(printed, 20, &[end]), [[text]]);
    }

    #[test]
    fn a_place_that_was_never_reached_takes_no_more_than_there_is() {
        assert_eq!(given(b"one\n", 1, &[u64::MAX]), [["one"]]);
        assert_eq!(given(b"one\ntwo", 5, &[4, 2, 7])[2], ["two"]);
    }
}
