//! The control page: 4096 bytes shared between the workbench and one host.
//!
//! It carries what must work without a message: the wish to cancel, how far the host is, and the
//! last words of a crash. The host's side is foreign ground: the workbench treats everything it
//! reads here as a claim, never as an index or a length without a bound.
#![allow(unsafe_code)] // a mapping seen as a struct of atomics

use crate::sys::memory;
use memmap2::{MmapOptions, MmapRaw};
use std::io;
use std::ops::Deref;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

/// Frames kept of a crash.
pub(crate) const FRAMES: usize = 64;
const LEN: usize = 4096;

/// How far a host is; the numbers are written by the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Phase {
    /// Started, no library.
    Blank = 0,
    /// In the loader: constructors of the library run here.
    Loading = 1,
    /// In the library's `init`.
    Init = 2,
    /// Waiting for work.
    Idle = 3,
    /// In an agent.
    Run = 4,
    /// In the library's preflight.
    Preflight = 5,
    /// In the library's `shutdown`.
    Shutdown = 6,
}

impl Phase {
    fn from_number(number: u32) -> Self {
        match number {
            1 => Self::Loading,
            2 => Self::Init,
            3 => Self::Idle,
            4 => Self::Run,
            5 => Self::Preflight,
            6 => Self::Shutdown,
            _ => Self::Blank,
        }
    }
}

/// The layout. All fields are atomics: both processes touch them at any time.
#[repr(C)]
pub(crate) struct Page {
    /// Number of the job that should stop; written by the workbench.
    pub cancel: AtomicU64,
    /// [`Phase`].
    pub phase: AtomicU32,
    /// Signal of a crash, 0 for none.
    pub signal: AtomicI32,
    /// Address that a crash was about.
    pub address: AtomicU64,
    /// Instruction that crashed, 0 for unknown.
    pub pc: AtomicU64,
    /// Lowest address of the main thread's stack, 0 for unknown.
    pub stack_low: AtomicU64,
    /// How many of `frames` are filled in.
    pub frame_count: AtomicU32,
    /// 0.
    pub reserved: AtomicU32,
    /// Number of the job that was begun last.
    pub job: AtomicU64,
    /// Ticket up to which it is decided which work this host does: begun with, or taken back.
    pub decided: AtomicU64,
    /// Odd while the workbench reads what was printed; counts up with every change.
    pub reading: AtomicU64,
    /// Bytes that the workbench has read of stdout and stderr, ever.
    pub read: [AtomicU64; 2],
    /// Raw instruction pointers, innermost first.
    pub frames: [AtomicU64; FRAMES],
}

const _: () = assert!(size_of::<Page>() <= LEN);

/// One of the two pipes that a host prints into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Out = 0,
    Err = 1,
}

/// What a dead host left behind.
#[derive(Clone, Debug)]
pub(crate) struct LastWords {
    pub phase: Phase,
    pub job: u64,
    pub signal: i32,
    pub address: u64,
    pub pc: u64,
    pub stack_low: u64,
    pub frames: Vec<u64>,
}

impl Page {
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u32, Ordering::SeqCst);
    }

    /// The host is about to begin with the work of this ticket; false when it was taken back.
    pub(crate) fn begin(&self, ticket: u64) -> bool {
        self.decided.fetch_max(ticket, Ordering::SeqCst) < ticket
    }

    /// The workbench takes back all work up to this ticket that has not begun; gives the ticket up
    /// to which it has.
    pub(crate) fn recall(&self, last: u64) -> u64 {
        self.decided.fetch_max(last, Ordering::SeqCst)
    }

    /// The workbench reads what was printed; the host can tell how much that was, see
    /// [`read_so_far`](Self::read_so_far).
    pub(crate) fn count_read(
        &self,
        stream: Stream,
        read: impl FnOnce() -> io::Result<usize>,
    ) -> io::Result<usize> {
        self.reading.fetch_add(1, Ordering::SeqCst);
        let n = read();
        let bytes = n.as_ref().map_or(0, |n| *n as u64);
        self.read[stream as usize].fetch_add(bytes, Ordering::SeqCst);
        self.reading.fetch_add(1, Ordering::SeqCst);
        n
    }

    /// Bytes that the workbench has read of both streams, and what `look` saw of the pipes just then.
    /// `None` while it is reading.
    pub(crate) fn read_so_far<T>(&self, look: impl FnOnce() -> T) -> Option<([u64; 2], T)> {
        let before = self.reading.load(Ordering::SeqCst);
        let read = [0, 1].map(|n: usize| self.read[n].load(Ordering::SeqCst));
        let seen = look();
        let quiet = before.is_multiple_of(2) && self.reading.load(Ordering::SeqCst) == before;
        quiet.then_some((read, seen))
    }

    pub(crate) fn last_words(&self) -> LastWords {
        let count = (self.frame_count.load(Ordering::SeqCst) as usize).min(FRAMES);
        LastWords {
            phase: Phase::from_number(self.phase.load(Ordering::SeqCst)),
            job: self.job.load(Ordering::SeqCst),
            signal: self.signal.load(Ordering::SeqCst),
            address: self.address.load(Ordering::SeqCst),
            pc: self.pc.load(Ordering::SeqCst),
            stack_low: self.stack_low.load(Ordering::SeqCst),
            frames: self.frames[..count]
                .iter()
                .map(|f| f.load(Ordering::SeqCst))
                .collect(),
        }
    }
}

/// A mapped control page.
pub(crate) struct ControlPage {
    map: MmapRaw,
}

impl ControlPage {
    /// A fresh page and the descriptor to hand to the host.
    pub(crate) fn create() -> io::Result<(Self, OwnedFd)> {
        let fd = memory::nameless(LEN as u64)?;
        Ok((Self::open(&fd)?, fd))
    }

    /// Maps the page behind a descriptor.
    pub(crate) fn open(fd: &OwnedFd) -> io::Result<Self> {
        let map = MmapOptions::new().len(LEN).map_raw(fd.as_raw_fd())?;
        Ok(Self { map })
    }
}

impl Deref for ControlPage {
    type Target = Page;
    fn deref(&self) -> &Page {
        // SAFETY: the mapping is LEN bytes, page-aligned, lives as long as `self`, and every bit
        // pattern is a valid `Page`, whose fields are all atomics.
        unsafe { &*self.map.as_mut_ptr().cast::<Page>() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_mappings_see_the_same_words_and_a_lying_count_is_bounded() {
        let (ours, fd) = ControlPage::create().unwrap();
        let theirs = ControlPage::open(&fd).unwrap();
        theirs.enter(Phase::Run);
        theirs.frames[0].store(7, Ordering::SeqCst);
        theirs.frame_count.store(u32::MAX, Ordering::SeqCst);
        let words = ours.last_words();
        assert_eq!(words.phase, Phase::Run);
        assert_eq!(words.frames.len(), FRAMES);
        assert_eq!(words.frames[0], 7);
    }

    #[test]
    fn work_is_either_begun_with_or_taken_back() {
        let (ours, fd) = ControlPage::create().unwrap();
        let theirs = ControlPage::open(&fd).unwrap();
        assert!(theirs.begin(1) && theirs.begin(2));
        assert_eq!(ours.recall(5), 2, "3, 4 and 5 come back");
        assert!(!theirs.begin(3) && !theirs.begin(4) && !theirs.begin(5));
        assert!(theirs.begin(6), "what is sent later is not touched");
        assert_eq!(ours.recall(6), 6);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_host_cannot_shrink_the_page_under_the_workbench() {
        let (_page, fd) = ControlPage::create().unwrap();
        assert!(rustix::fs::ftruncate(&fd, 0).is_err());
    }
}
