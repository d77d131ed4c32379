//! The control pages: two pages of 4096 bytes shared between the workbench and one host.
//!
//! They carry what must work without a message: requests of the workbench, how far the host is, and
//! the last words of a crash. The page of requests is read-only in the host (Linux seals it). The page
//! of claims is untrusted, because agents run in the process that writes it: the workbench compares
//! what it reads there with what the host sends, and bounds every index and length.
#![allow(unsafe_code)] // a mapping seen as a struct of atomics

use crate::sys::memory;
use memmap2::{MmapOptions, MmapRaw};
use std::io;
use std::marker::PhantomData;
use std::ops::{Deref, RangeInclusive};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

/// Frames kept of a crash.
pub(crate) const FRAMES: usize = 64;
const LEN: usize = 4096;

/// What a host is doing; the host writes the number.
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
    fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Blank,
            1 => Self::Loading,
            2 => Self::Init,
            3 => Self::Idle,
            4 => Self::Run,
            5 => Self::Preflight,
            6 => Self::Shutdown,
            _ => return None,
        })
    }
}

/// Written by the workbench alone. All fields are atomics: both processes read them at any time.
#[repr(C)]
pub(crate) struct Requests {
    /// Number of the job that should stop.
    pub cancel: AtomicU64,
    /// Ticket up to which work that has not begun is taken back.
    pub taken: AtomicU64,
    /// Odd while the workbench reads captured output; counts up with every change.
    pub reading: AtomicU64,
    /// Bytes that the workbench has read of stdout and stderr, ever.
    pub read: [AtomicU64; 2],
}

/// Written by the host, or by whatever runs in its process.
#[repr(C)]
pub(crate) struct Claims {
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
    /// Ticket of the work that was looked at last: begun, or given back as taken.
    pub begun: AtomicU64,
    /// Raw instruction pointers, innermost first.
    pub frames: [AtomicU64; FRAMES],
}

const _: () = assert!(size_of::<Requests>() <= LEN && size_of::<Claims>() <= LEN);

/// One of the two pipes that a host writes its output to.
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
    pub begun: u64,
    pub signal: i32,
    pub address: u64,
    pub pc: u64,
    pub stack_low: u64,
    pub frames: Vec<u64>,
}

impl Requests {
    /// The workbench reads captured output; the host can compute how much that was, see
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

    /// Bytes that the workbench has read of both streams, and what `peek` returned at that moment.
    /// `None` while it is reading.
    pub(crate) fn read_so_far<T>(&self, peek: impl FnOnce() -> T) -> Option<([u64; 2], T)> {
        let before = self.reading.load(Ordering::SeqCst);
        let read = [0, 1].map(|n: usize| self.read[n].load(Ordering::SeqCst));
        let seen = peek();
        let quiet = before.is_multiple_of(2) && self.reading.load(Ordering::SeqCst) == before;
        quiet.then_some((read, seen))
    }
}

impl Claims {
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u32, Ordering::SeqCst);
    }

    pub(crate) fn last_words(&self) -> LastWords {
        let count = (self.frame_count.load(Ordering::SeqCst) as usize).min(FRAMES);
        let phase = Phase::from_number(self.phase.load(Ordering::SeqCst));
        LastWords {
            phase: phase.unwrap_or(Phase::Blank),
            job: self.job.load(Ordering::SeqCst),
            begun: self.begun.load(Ordering::SeqCst),
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

impl LastWords {
    /// Whether a host that has finished work may have written this: it is at that work or at
    /// something that was sent after it, and no crash was noted if it is `alone` with that work.
    pub(crate) fn fit(&self, stack_low: u64, tickets: RangeInclusive<u64>, alone: bool) -> bool {
        let unhurt = self.signal == 0 && self.address == 0 && self.pc == 0;
        let unhurt = unhurt && self.frames.is_empty();
        let working = matches!(self.phase, Phase::Idle | Phase::Run | Phase::Preflight);
        // What it was sent besides may have crashed already.
        working
            && (unhurt || !alone)
            && self.stack_low == stack_low
            && tickets.contains(&self.begun)
    }
}

/// Memory that lasts as long as the value, seen as a `T`.
pub(crate) struct Mapped<T> {
    map: MmapRaw,
    of: PhantomData<T>,
}

impl<T> Mapped<T> {
    fn new(map: MmapRaw) -> Self {
        let of = PhantomData;
        Self { map, of }
    }
}

/// The types that may be mapped: atomics only, no longer than a page.
trait Shared {}
impl Shared for Requests {}
impl Shared for Claims {}

impl<T: Shared> Deref for Mapped<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the mapping is LEN bytes, page-aligned, lives as long as `self`, and every bit
        // pattern is a valid `T`, whose fields are all atomics. The host only loads from requests.
        unsafe { &*self.map.as_ptr().cast::<T>() }
    }
}

/// Both pages.
pub(crate) struct ControlPage {
    pub requests: Mapped<Requests>,
    pub claims: Mapped<Claims>,
}

/// The descriptors of both pages, to hand to the host.
pub(crate) struct PageFds {
    pub requests: OwnedFd,
    pub claims: OwnedFd,
}

impl ControlPage {
    /// Fresh pages. The host may read the requests and write the claims.
    pub(crate) fn create() -> io::Result<(Self, PageFds)> {
        let fds = PageFds {
            requests: memory::nameless("workbench-requests", LEN as u64)?,
            claims: memory::nameless("workbench-claims", LEN as u64)?,
        };
        let page = Self {
            requests: Mapped::new(map(&fds.requests)?),
            claims: Mapped::new(map(&fds.claims)?),
        };
        memory::freeze(&fds.requests)?;
        Ok((page, fds))
    }

    /// Maps the pages in the host.
    pub(crate) fn open(fds: &PageFds) -> io::Result<Self> {
        let requests = MmapOptions::new()
            .len(LEN)
            .map_raw_read_only(fds.requests.as_raw_fd())?;
        Ok(Self {
            requests: Mapped::new(requests),
            claims: Mapped::new(map(&fds.claims)?),
        })
    }

    /// The host is about to begin the work of this ticket; false when it was taken back, which the
    /// host then has to report.
    pub(crate) fn begin(&self, ticket: u64) -> bool {
        self.claims.begun.store(ticket, Ordering::SeqCst);
        self.requests.taken.load(Ordering::SeqCst) < ticket
    }

    /// The workbench takes back all work up to this ticket that has not begun; returns the ticket
    /// that the host claims to have begun. Work that it began at this very moment it reports as taken.
    pub(crate) fn recall(&self, last: u64) -> u64 {
        self.requests.taken.fetch_max(last, Ordering::SeqCst);
        self.claims.begun.load(Ordering::SeqCst)
    }
}

fn map(fd: &OwnedFd) -> io::Result<MmapRaw> {
    MmapOptions::new().len(LEN).map_raw(fd.as_raw_fd())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_mappings_see_the_same_words_and_a_lying_count_is_bounded() {
        let (ours, fds) = ControlPage::create().unwrap();
        let theirs = ControlPage::open(&fds).unwrap();
        theirs.claims.enter(Phase::Run);
        theirs.claims.frames[0].store(7, Ordering::SeqCst);
        theirs.claims.frame_count.store(u32::MAX, Ordering::SeqCst);
        let words = ours.claims.last_words();
        assert_eq!(words.phase, Phase::Run);
        assert_eq!(words.frames.len(), FRAMES);
        assert_eq!(words.frames[0], 7);
        ours.requests.cancel.store(9, Ordering::SeqCst);
        assert_eq!(theirs.requests.cancel.load(Ordering::SeqCst), 9);
    }

    #[test]
    fn work_that_is_taken_back_is_not_begun() {
        let (ours, fds) = ControlPage::create().unwrap();
        let theirs = ControlPage::open(&fds).unwrap();
        assert!(theirs.begin(1) && theirs.begin(2));
        assert_eq!(ours.recall(5), 2, "3, 4 and 5 come back");
        assert!(!theirs.begin(3) && !theirs.begin(4) && !theirs.begin(5));
        assert!(theirs.begin(6), "what is sent later is not touched");
        assert_eq!(ours.recall(6), 6);
    }

    #[test]
    fn only_what_a_live_host_may_claim_fits() {
        let (page, _fds) = ControlPage::create().unwrap();
        let claims = &page.claims;
        claims.enter(Phase::Idle);
        claims.begun.store(4, Ordering::SeqCst);
        claims.stack_low.store(4096, Ordering::SeqCst);
        let fit = |stack: u64, tickets| claims.last_words().fit(stack, tickets, true);
        assert!(fit(4096, 4..=6) && fit(4096, 3..=4));
        assert!(!fit(4096, 5..=6) && !fit(4096, 1..=3) && !fit(8192, 4..=6));
        for phase in [0, 1, 2, 6, 7, u32::MAX] {
            claims.phase.store(phase, Ordering::SeqCst);
            assert!(!fit(4096, 4..=6), "phase {phase}");
        }
        claims.enter(Phase::Run);
        for word in [&claims.address, &claims.pc] {
            word.store(1, Ordering::SeqCst);
            assert!(!fit(4096, 4..=6));
            word.store(0, Ordering::SeqCst);
        }
        claims.signal.store(11, Ordering::SeqCst);
        assert!(!fit(4096, 4..=6));
        let words = claims.last_words();
        assert!(words.fit(4096, 4..=6, false), "the next may have crashed");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_host_can_neither_shrink_the_pages_nor_write_requests() {
        let (_page, fds) = ControlPage::create().unwrap();
        assert!(rustix::fs::ftruncate(&fds.claims, 0).is_err());
        assert!(rustix::fs::ftruncate(&fds.requests, 0).is_err());
        assert!(rustix::io::write(&fds.requests, b"x").is_err());
        assert!(map(&fds.requests).is_err());
    }
}
